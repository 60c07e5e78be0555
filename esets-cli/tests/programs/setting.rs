//! `esets_set` changes one value and nothing else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::harness::Folder;

const FILE: &str = "# ours\n[global]\n; a note\naction_av_infected = \"discard\" # why\n\n[smtp]\n";

#[test]
fn one_value_changes_and_comments_order_and_mode_stay() {
    let folder = Folder::new();
    let path = folder.file("esets.cfg", FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, folder.path().join("link.cfg")).unwrap();
    let arguments = ["--set=action_av_infected=reject", "--section=global", "--file=link.cfg"];
    let ended = folder.set(&arguments);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), FILE.replace("discard", "reject"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(folder.path().join("link.cfg")).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn the_forms_of_other_editions_are_understood_and_several_are_set_at_once() {
    let folder = Folder::new();
    let path = folder.file("esets.cfg", FILE);
    let arguments = [
        "--section=smtp",
        "--file=esets.cfg",
        "av_clean_mode=\"strict\"",
        "av_quarantine_enabled = yes",
    ];
    assert_eq!(folder.set(&arguments).code, 0);
    let expected = format!("{FILE}av_clean_mode = \"strict\"\nav_quarantine_enabled = yes\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(folder.esets(&["config", "check", "esets.cfg"]).code, 0);
}

#[test]
fn a_mistake_changes_nothing_and_names_what_was_meant() {
    let folder = Folder::new();
    let path = folder.file("esets.cfg", FILE);
    let set = |what: &str, section: &str| {
        folder.set(&["--file=esets.cfg", "--set", "av_clean_mode=none", "--set", what, section])
    };
    let typo = set("action_av_infekted=reject", "--section=smtp");
    assert_eq!(typo.code, 1);
    assert!(typo.err.ends_with("did you mean action_av_infected?\n"), "{}", typo.err);
    assert_eq!(set("action_av_infected=destroy", "--section=smtp").code, 1);
    assert_eq!(set("action_av=scan", "--section=smpt").code, 1);
    assert_eq!(set("no assignment", "--section=smtp").code, 100);
    assert_eq!(fs::read_to_string(&path).unwrap(), FILE);
}

#[test]
fn a_missing_file_is_made_and_users_have_files_of_their_own() {
    let folder = Folder::new();
    let arguments = ["--users", "--file=users.cfg", "--section=a@b.c", "action_av=accept"];
    assert_eq!(folder.set(&arguments).code, 0);
    let text = fs::read_to_string(folder.path().join("users.cfg")).unwrap();
    assert_eq!(text, "[a@b.c]\naction_av = \"accept\"\n");
    assert_eq!(folder.set(&["--file=users.cfg"]).code, 100);
}
