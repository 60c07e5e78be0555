//! Adds a heuristic: a program in a mail that is called like a picture.
//!
//! `cargo run -p esets-examples --bin custom_heuristic`

use esets_core::{Database, Detection, Findings, Heuristic, Object, Scanner, Subject};

struct ProgramAsPicture;

impl Heuristic for ProgramAsPicture {
    fn name(&self) -> &'static str {
        "ProgramAsPicture"
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let name = subject.name().to_ascii_lowercase();
        let is_picture = [".gif", ".jpg", ".png"].iter().any(|end| name.ends_with(end.as_bytes()));
        if is_picture && subject.bytes().starts_with(b"MZ") {
            findings.add(Detection::heuristic(self.name()).at(0));
        }
    }
}

fn main() {
    let scanner = Scanner::new(Database::embedded()).with_heuristic(&ProgramAsPicture);
    for (name, bytes) in [("holiday.jpg", "MZ..."), ("holiday.png", "not a program")] {
        print!("{}", scanner.scan(&Object::new(bytes.as_bytes()).named(name)));
    }
}
