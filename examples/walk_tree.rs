//! Walks the verdict: every object with its containers, sizes and findings.
//!
//! `cargo run -p esets-examples --bin walk_tree FILE`

use std::error::Error;

use esets_core::{Database, Object, Options, Printable, Records, Scanner};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: walk_tree FILE")?;
    let bytes = std::fs::read(&path)?;

    // Clean members are only counted unless every record is wanted.
    let mut options = Options::default();
    options.records = Records::All;
    let scanner = Scanner::new(Database::embedded()).with_options(options);
    let verdict = scanner.scan(&Object::new(&bytes).named(&path));

    for (at, record) in verdict.records().iter().enumerate() {
        // Names come from whoever made the object and may try to deceive a terminal.
        let mut lineage: Vec<_> =
            verdict.lineage(at).map(|record| Printable(&record.name).to_string()).collect();
        lineage.reverse();
        println!("{}", lineage.join(" » "));
        println!("  {} bytes, {:?}, {:?}", record.size, record.formats, record.status());
        for detection in &record.detections {
            println!("  found {} ({:?})", detection.name, detection.class);
        }
        for reason in &record.not_scanned {
            println!("  not scanned: {reason}");
        }
    }
    println!("{} objects, {} bytes", verdict.objects(), verdict.bytes());
    Ok(())
}
