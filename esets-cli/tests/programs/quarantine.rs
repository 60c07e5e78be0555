//! `esets_quar`: put, list, show, release, delete, purge.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use std::path::PathBuf;
use std::time::SystemTime;

use esets_policy::core::Verdict;
use esets_quarantine::{Note, Quarantine};

use crate::harness::{Folder, SUSPICION, SUSPICIOUS};

/// A folder with one file in its quarantine, and the id of that.
fn with_one() -> (Folder, String) {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "content");
    let put = folder.quar(&["--folder=q", "put", SUSPICIOUS]);
    assert_eq!((put.code, put.err.as_str()), (0, ""));
    let id = put.out.trim().to_owned();
    (folder, id)
}

#[test]
fn what_is_put_is_listed_shown_released_and_deleted() {
    let (folder, id) = with_one();
    let listed = folder.quar(&["--folder=q", "list"]).out;
    let end = format!("size=7 name=\"{SUSPICIOUS}\" threat=\"{SUSPICION}\"\n");
    assert!(listed.starts_with(&id) && listed.ends_with(&end), "{listed}");
    let shown = folder.quar(&["show", &id, "--folder=q"]).out;
    assert!(shown.contains(&format!("\nname: {SUSPICIOUS}\n")), "{shown}");
    assert!(shown.contains("\nsha256: ed7002b439e9ac84"), "{shown}");
    let json = folder.quar(&["show", "--json", &id, "--folder=q"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["note"]["verdict"]["records"][0]["detections"][0]["name"], SUSPICION);
    assert_eq!(folder.quar(&["--folder=q", "release", &id]).out, "content");
    assert_eq!(folder.quar(&["--folder=q", "delete", &id]).code, 0);
    assert_eq!(folder.quar(&["--folder=q", "list"]).out, "");
    let again = folder.quar(&["--folder=q", "delete", &id]);
    assert!(again.code == 1 && again.err.contains("no such entry"), "{again:?}");
}

#[test]
fn a_released_file_is_new_and_the_owners_alone() {
    let (folder, id) = with_one();
    let release = || folder.quar(&["--folder=q", "release", &id, "--output=out"]);
    assert_eq!(release().code, 0);
    let path = folder.path().join("out");
    assert_eq!(fs::read(&path).unwrap(), b"content");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(release().code, 100);
}

#[test]
fn put_can_remove_and_says_what_it_cannot_store() {
    let folder = Folder::new();
    let path = folder.file("a", "1");
    let put = folder.quar(&["--folder=q", "put", "--remove", "missing", "a"]);
    assert_eq!((put.code, put.out.lines().count()), (1, 1), "{put:?}");
    assert!(put.err.starts_with("esets_quar: missing: "), "{}", put.err);
    assert!(!path.exists());
}

#[test]
fn the_configuration_names_the_folder_and_a_damaged_entry_costs_its_line() {
    let (folder, id) = with_one();
    let q = folder.path().join("q");
    folder.file("esets.cfg", format!("[global]\nquarantine_dir = \"{}\"\n", q.display()));
    folder.file("q/00000000001-aaaaaaaaaaaaaaaa-0.quarantine", "damaged");
    let listed = folder.quar(&["--config=esets.cfg", "list"]);
    assert_eq!(listed.code, 1);
    assert!(listed.out.starts_with(&id) && listed.out.lines().count() == 1, "{}", listed.out);
    assert!(listed.err.contains("damaged entry"), "{}", listed.err);
}

#[test]
fn a_purge_goes_by_age_and_size() {
    let (folder, id) = with_one();
    assert_eq!(folder.quar(&["--folder=q", "purge"]).code, 100);
    assert_eq!(folder.quar(&["--folder=q", "purge", "--older-than=1"]).out, "");
    assert_eq!(folder.quar(&["--folder=q", "purge", "--max-size=1M"]).out, "");
    assert_eq!(folder.quar(&["--folder=q", "purge", "--max-size=1"]).out, format!("{id}\n"));
    assert_eq!(folder.quar(&["--folder=q", "delete", "../../etc/passwd"]).code, 100);
}

/// A folder with one mail in its quarantine, put there by an agent, and a `sendmail` that writes down
/// what it is called with and what it gets, and ends as the file `ending` says.
fn with_mail(sender: Option<&str>, recipients: &[&str]) -> (Folder, String, PathBuf) {
    let folder = Folder::new();
    let quarantine = Quarantine::open(folder.path().join("q")).unwrap();
    let note = Note {
        agent: "smtp".into(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        sender: sender.map(String::from),
        ..Note::new("mail", Verdict::default())
    };
    let id = quarantine.put(MAIL, note, SystemTime::now()).unwrap().to_string();
    folder.file("ending", "0");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > argv\ncat > stdin\nexit $(cat ending)\n";
    let sendmail = folder.file("sendmail", script);
    fs::set_permissions(&sendmail, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, id, sendmail)
}

#[test]
fn a_mail_is_released_with_its_envelope() {
    let recipients = ["bob@example.org", "-oX@example.org"];
    let (folder, id, _) = with_mail(Some("alice@example.org"), &recipients);
    let release = ["--folder=q", "release", &id, "--mail", "--sendmail=./sendmail"];
    let ended = folder.quar(&release);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
    let argv = || fs::read_to_string(folder.path().join("argv")).unwrap();
    assert_eq!(argv(), "-i\n-falice@example.org\n--\nbob@example.org\n-oX@example.org\n");
    assert_eq!(fs::read(folder.path().join("stdin")).unwrap(), MAIL);
    let other = [&release[..], &["--sender=", "--recipient=eve@example.org"]].concat();
    assert_eq!(folder.quar(&other).code, 0);
    assert_eq!(argv(), "-i\n-f<>\n--\neve@example.org\n");
    assert_eq!(folder.quar(&[&release[..], &["--delete"]].concat()).code, 0);
    assert_eq!(folder.quar(&["--folder=q", "list"]).out, "");
}

#[test]
fn a_mail_that_the_queue_does_not_take_stays() {
    let (folder, id, _) = with_mail(Some(""), &["bob@example.org"]);
    folder.file("ending", "75");
    let release = ["--folder=q", "release", &id, "--mail", "--delete"];
    let ended = folder.quar(&[&release[..], &["--sendmail=./sendmail"]].concat());
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("./sendmail did not take it: exit status: 75"), "{}", ended.err);
    let ended = folder.quar(&[&release[..], &["--sendmail=./none"]].concat());
    assert!(ended.code == 100 && ended.err.contains("./none: No such file"), "{}", ended.err);
    assert!(folder.quar(&["--folder=q", "list"]).out.starts_with(&id));
}

#[test]
fn without_an_envelope_one_must_be_given() {
    let (folder, id, _) = with_mail(None, &[]);
    let release = ["--folder=q", "release", &id, "--mail", "--sendmail=./sendmail"];
    assert!(folder.quar(&release).err.contains("no sender is known"));
    let ended = folder.quar(&[&release[..], &["--sender=a@example.org"]].concat());
    assert!(ended.err.contains("no recipient is known"), "{}", ended.err);
    assert_eq!(folder.quar(&[&release[..], &["--output=x"]].concat()).code, 100);
    assert_eq!(folder.quar(&["--folder=q", "release", &id, "--sender=a@b"]).code, 100);
    assert!(!folder.path().join("argv").exists());
}

const MAIL: &[u8] = b"From: Alice\r\nSubject: x\r\n\r\n.\r\ntext\r\n";
