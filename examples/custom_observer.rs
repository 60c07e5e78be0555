//! Watches a scan: the log of the libraries, and where every progress bar comes from.
//!
//! `cargo run -p esets-examples --bin custom_observer FILE`

use std::error::Error;

use esets_core::{Database, Object, Observer, Printable, Record, Scanner, Session, Subject};

#[derive(Default)]
struct Log {
    depth: usize,
    finished: usize,
}

impl Observer for Log {
    fn enter(&mut self, subject: &Subject<'_>) {
        let name = Printable(subject.name());
        println!("{:1$}> {name}, {2} bytes", "", self.depth, subject.bytes().len());
        self.depth = self.depth.saturating_add(1);
    }

    // Clean objects are shown too, though the verdict may only count them.
    fn leave(&mut self, record: &Record) {
        self.depth = self.depth.saturating_sub(1);
        self.finished = self.finished.saturating_add(1);
        println!("{:1$}< {record}", "", self.depth);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: custom_observer FILE")?;
    let bytes = std::fs::read(&path)?;
    let scanner = Scanner::new(Database::embedded());
    let mut log = Log::default();
    let mut session = Session { observer: Some(&mut log), ..Session::default() };
    let verdict = scanner.scan_with(&Object::new(&bytes).named(&path), &mut session);
    println!("{} of {} objects finished: {:?}", log.finished, verdict.objects(), verdict.status());
    Ok(())
}
