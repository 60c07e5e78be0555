//! What the `tar` crate packs is unpacked as it was, whatever the names and sizes.

use esets_core::{Database, Object, Observer, Scanner, Session, Subject};
use proptest::prelude::*;

/// Writes down the members of the scanned object.
#[derive(Default)]
struct Members(Vec<(Vec<u8>, Vec<u8>)>);

impl Observer for Members {
    fn enter(&mut self, subject: &Subject<'_>) {
        if subject.depth() == 1 {
            self.0.push((subject.name().to_vec(), subject.bytes().to_vec()));
        }
    }
}

/// An archive with GNU headers; names beyond 100 bytes go into entries of their own.
fn packed(files: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_slice())?;
    }
    builder.into_inner()
}

fn files() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = "[a-z]{1,90}(/[a-z]{1,120}){0,2}";
    let content = proptest::collection::vec(any::<u8>(), 1..1500);
    proptest::collection::vec((name, content), 1..8)
}

proptest! {
    #[test]
    fn members_come_out_as_they_went_in(files in files()) {
        let archive = packed(&files).unwrap();
        let mut members = Members::default();
        let mut session = Session { observer: Some(&mut members), ..Session::default() };
        let _ = Scanner::new(Database::embedded()).scan_with(&Object::new(&archive), &mut session);
        let expected: Vec<_> = files.into_iter().map(|(name, content)| (name.into_bytes(), content)).collect();
        prop_assert_eq!(members.0, expected);
    }
}
