//! Infected files are deleted only if asked for.

use std::os::unix::fs::symlink;

use crate::harness::{Folder, SUSPICIOUS};

#[test]
fn nothing_is_deleted_unasked() {
    for arguments in [&[][..], &["--clean-mode=NONE", "--no-quarantine"], &["--action", "none"]] {
        let folder = Folder::new();
        let path = folder.file(SUSPICIOUS, "x");
        assert_eq!(folder.scan(&[arguments, &["."]].concat()).code, 50);
        assert!(path.exists());
    }
}

#[test]
fn what_is_deleted_is_counted_as_cleaned() {
    let folder = Folder::new();
    let path = folder.file(SUSPICIOUS, "x");
    let ended = folder.scan(&["--clean-mode=delete", "."]);
    assert_eq!(ended.code, 1);
    assert!(!path.exists());
    assert!(ended.results()[0].ends_with("action=\"cleaned by deleting\", info=\"\""));
    assert!(ended.out.contains("\nInfected:          files - 0, objects 0\n"), "{}", ended.out);
    assert!(ended.out.contains("\nCleaned:           files - 1, objects 1\n"), "{}", ended.out);
}

#[test]
fn a_suspicion_is_deleted_by_the_rigorous_only() {
    let folder = Folder::new();
    let path = folder.file(SUSPICIOUS, "x");
    assert_eq!(folder.scan(&["--clean-mode=strict", "."]).code, 50);
    assert!(path.exists());
    assert_eq!(folder.scan(&["--clean-mode=rigorous", "."]).code, 1);
    assert!(!path.exists());
}

#[test]
fn a_link_is_not_deleted_for_what_it_leads_to() {
    let folder = Folder::new();
    let path = folder.file("elsewhere/x", "x");
    symlink(&path, folder.path().join(SUSPICIOUS)).unwrap();
    let ended = folder.scan(&["--clean-mode=delete", SUSPICIOUS]);
    assert_eq!(ended.code, 50);
    assert!(ended.err.contains("cannot be deleted"), "{}", ended.err);
    assert!(path.exists());
}

#[test]
fn what_is_deleted_is_in_the_quarantine_first() {
    let folder = Folder::new();
    let path = folder.file(SUSPICIOUS, "x");
    let arguments = ["--quarantine", "--quarantine-dir=q", SUSPICIOUS];
    let ended = folder.scan(&arguments);
    assert_eq!(ended.code, 50);
    assert!(ended.results()[0].ends_with("action=\"quarantined\", info=\"\""), "{}", ended.out);
    assert!(path.exists());
    assert_eq!(folder.scan(&[&["--clean-mode=delete"][..], &arguments].concat()).code, 1);
    assert!(!path.exists());
    let listed = folder.quar(&["--folder=q", "list"]);
    assert_eq!((listed.code, listed.out.lines().count()), (0, 2), "{listed:?}");
}

#[test]
fn what_cannot_be_put_into_the_quarantine_is_not_deleted() {
    let folder = Folder::new();
    let path = folder.file(SUSPICIOUS, "x");
    folder.file("q", "no folder");
    let arguments = ["--clean-mode=delete", "--quarantine", "--quarantine-dir=q", SUSPICIOUS];
    assert_eq!(folder.scan(&arguments).code, 100);
    assert!(path.exists());
}
