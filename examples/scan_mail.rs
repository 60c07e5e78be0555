//! Shows what a mail holds, then scans it: a mail is one more container.
//!
//! `cargo run -p esets-examples --bin scan_mail < MAIL`

use std::error::Error;
use std::io::Read;

use esets_core::{Database, Object, Scanner};
use esets_mime::{Limits, Message};

fn main() -> Result<(), Box<dyn Error>> {
    let mut raw = Vec::new();
    std::io::stdin().read_to_end(&mut raw)?;

    let message = Message::parse(&raw, &Limits::default());
    println!("subject: {}", message.subject().unwrap_or_default());
    for part in message.leaves().filter(|part| part.reading() == 0) {
        println!("part: {}", part.file_name().unwrap_or_else(|| "(no name)".into()));
    }
    for defect in message.defects() {
        println!("defect: {defect}");
    }

    let scanner = Scanner::new(Database::embedded());
    print!("{}", scanner.scan(&Object::new(&raw).named("mail.eml")));
    Ok(())
}
