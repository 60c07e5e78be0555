//! The edge, from outside.

use std::fs;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;

use esets_sys::{map, memory_file, open_found, open_regular, receive, remove_same, send};

#[test]
fn a_memory_file_is_mapped_and_cannot_be_changed() {
    let mut file = memory_file(b"signatures").unwrap();
    assert_eq!(map(&file).unwrap().as_ref(), b"signatures");
    if cfg!(target_os = "linux") {
        assert!(file.write_all(b"more").is_err());
        assert!(file.set_len(0).is_err());
    }
}

#[test]
fn an_empty_file_is_not_mapped() {
    assert!(map(&memory_file(b"").unwrap()).is_err());
}

#[test]
fn only_regular_files_are_opened() {
    let refused = |path: &str| open_regular(Path::new(path)).unwrap_err().to_string();
    assert_eq!(refused("/dev/null"), "is a device, not a file");
    assert_eq!(refused("/"), "is a directory");
}

#[test]
fn a_name_that_was_moved_to_another_file_is_not_removed() {
    let folder = std::env::temp_dir().join(format!("esets-sys-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (old, new) = (folder.join("old"), folder.join("new"));
    fs::write(&old, "infected").unwrap();
    fs::write(&new, "precious").unwrap();
    let (_, about) = open_regular(&old).unwrap();
    fs::rename(&new, &old).unwrap();
    assert!(remove_same(&old, &about).is_err());
    assert_eq!(fs::read(&old).unwrap(), b"precious");
    let (_, about) = open_regular(&old).unwrap();
    remove_same(&old, &about).unwrap();
    assert!(!old.exists());
    fs::remove_dir(&folder).unwrap();
}

#[test]
fn a_file_travels_with_the_first_byte() {
    let (here, there) = UnixStream::pair().unwrap();
    send(&here, b"job", Some(&memory_file(b"content").unwrap())).unwrap();
    drop(here);
    let mut buffer = [0; 8];
    let (count, file) = receive(&there, &mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"job");
    let mut content = String::new();
    let mut file = file.unwrap();
    file.rewind().unwrap();
    file.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    let (count, file) = receive(&there, &mut buffer).unwrap();
    assert!(count == 0 && file.is_none());
}

#[test]
fn a_link_is_opened_where_it_was_named_but_not_where_it_was_found() {
    let folder = std::env::temp_dir().join(format!("esets-sys-links-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("file"), "content").unwrap();
    symlink("file", folder.join("link")).unwrap();
    assert!(open_regular(&folder.join("link")).is_ok());
    assert!(open_found(&folder.join("file")).is_ok());
    let refused = open_found(&folder.join("link")).unwrap_err();
    assert_eq!(refused.to_string(), "is a symbolic link");
    fs::remove_dir_all(&folder).unwrap();
}
