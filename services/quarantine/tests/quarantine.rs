//! The quarantine on a real disk, a full one included.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use esets_core::{Database, Object, Reason, Scanner, Verdict};
use esets_quarantine::{Cause, Id, Note, Purge, Quarantine};

fn verdict() -> Verdict {
    Scanner::new(Database::embedded()).scan(&Object::new(b"MZ").named("invoice.pdf.exe"))
}

fn note() -> Note {
    Note::new("invoice.pdf.exe", verdict())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).into_iter().flatten().count()
}

#[test]
fn what_is_put_comes_back_with_all_that_was_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path().join("new/q")).unwrap();
    let content: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
    let id = quarantine.put(&content, note(), at(1000)).unwrap();
    assert_eq!(quarantine.release(&id).unwrap(), content);
    let entry = quarantine.show(&id).unwrap();
    assert_eq!((entry.time(), entry.size, entry.note), (at(1000), 200_000, note()));
    quarantine.delete(&id).unwrap();
    assert!(matches!(quarantine.show(&id).unwrap_err().cause, Cause::Missing));
}

#[test]
fn the_content_is_not_in_the_clear_and_the_folder_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("q");
    let quarantine = Quarantine::open(&folder).unwrap();
    let id = quarantine.put(b"this must not be seen by another scanner", note(), at(1)).unwrap();
    let raw = fs::read(folder.join(format!("{id}.quarantine"))).unwrap();
    assert!(!raw.windows(10).any(|window| window == b"not be see"));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn equal_objects_in_the_same_second_are_entries_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    let put = || quarantine.put(b"same", note(), at(5)).unwrap();
    let ids = [put(), put(), put()];
    assert_eq!(quarantine.ids().unwrap(), ids);
}

#[test]
fn a_damaged_entry_costs_itself_only_whatever_byte_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    let good = quarantine.put(b"good", note(), at(1)).unwrap();
    let id = quarantine.put(b"damaged", note(), at(2)).unwrap();
    let path = folder.path().join(format!("{id}.quarantine"));
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = quarantine.release(&id).unwrap_err();
        assert!(matches!(error.cause, Cause::Damaged(_)), "{length}: {error}");
    }
    for byte in whole.len() - 39..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1;
        fs::write(&path, &flipped).unwrap();
        assert!(quarantine.release(&id).is_err(), "{byte}");
    }
    assert_eq!(quarantine.release(&good).unwrap(), b"good");
    assert_eq!(quarantine.ids().unwrap().len(), 2);
}

#[test]
fn an_id_cannot_leave_the_folder() {
    for text in ["../../etc/passwd", "a/b", "", "x", "a\0", &"1".repeat(65)] {
        assert!(text.parse::<Id>().is_err(), "{text:?}");
    }
}

#[test]
fn a_purge_removes_the_old_and_then_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    let ids: Vec<_> = (1..=5_u64)
        .map(|day| {
            quarantine.put(&[0x40 | day.to_le_bytes()[0]; 1000], note(), at(day * 86_400)).unwrap()
        })
        .collect();
    let by_age = Purge { age: Some(Duration::from_secs(3 * 86_400)), size: None };
    let purged = quarantine.purge(by_age, at(5 * 86_400 + 1)).unwrap();
    assert_eq!(purged.removed, ids[..2]);
    let entry = fs::metadata(folder.path().join(format!("{}.quarantine", ids[2]))).unwrap().len();
    let by_size = Purge { age: None, size: Some(entry + entry / 2) };
    let purged = quarantine.purge(by_size, at(6 * 86_400)).unwrap();
    assert_eq!(purged.removed, ids[2..4]);
    assert_eq!(quarantine.ids().unwrap(), ids[4..]);
}

#[test]
fn a_purge_clears_what_a_crash_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    fs::write(folder.path().join("00000000001-aaaaaaaaaaaaaaaa-0.draft"), b"half").unwrap();
    assert!(quarantine.ids().unwrap().is_empty());
    quarantine.purge(Purge::default(), SystemTime::now()).unwrap();
    assert_eq!(files(folder.path()), 1);
    quarantine.purge(Purge::default(), SystemTime::now() + Duration::from_secs(90_000)).unwrap();
    assert_eq!(files(folder.path()), 0);
}

#[test]
fn a_draft_of_someone_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    let probe = quarantine.put(b"next", note(), at(2)).unwrap();
    quarantine.delete(&probe).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join(format!("{probe}.draft"))).unwrap();
    let next = quarantine.put(b"next", note(), at(2)).unwrap();
    assert_ne!(next, probe);
    assert_eq!(quarantine.release(&next).unwrap(), b"next");
}

/// Runs itself again inside a mount namespace, where the folder is a file system of 64 KiB.
#[test]
fn a_full_disk_leaves_nothing_behind_and_loses_nothing() {
    if let Some(folder) = std::env::var_os("SMALL_DISK") {
        let quarantine = Quarantine::open(Path::new(&folder)).unwrap();
        let kept = quarantine.put(b"kept", note(), at(1)).unwrap();
        let error = quarantine.put(&[7; 1 << 20], note(), at(2)).unwrap_err();
        assert!(matches!(error.cause, Cause::Io(_)), "{error}");
        assert_eq!(quarantine.release(&kept).unwrap(), b"kept");
        assert_eq!(files(Path::new(&folder)), 1);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=64k tmpfs "$SMALL_DISK" && exec "$0" --exact "$1""#;
    let status = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg("a_full_disk_leaves_nothing_behind_and_loses_nothing")
        .env("SMALL_DISK", folder.path())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_verdict_on_an_unopened_object_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::open(folder.path()).unwrap();
    let verdict = Verdict::not_scanned("gone", Reason::Encrypted);
    let id = quarantine.put(b"", Note::new("gone", verdict.clone()), at(1)).unwrap();
    assert_eq!(quarantine.show(&id).unwrap().note.verdict, verdict);
}
