//! Scans a file within limits and a time, and says what was found.
//!
//! `cargo run -p esets-examples --bin scan_file FILE`

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use esets_core::{Database, Interrupt, Interruption, Limits, Object, Scanner, Session, Status};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: scan_file FILE")?;
    let bytes = std::fs::read(&path)?;

    let limits = Limits { depth: 16, object_size: 64 << 20, ..Limits::default() };
    let scanner = Scanner::new(Database::embedded()).with_limits(limits);
    let clock = Clock { start: Instant::now(), allowed: Duration::from_secs(60) };
    let mut session = Session { interrupt: &clock, ..Session::default() };
    let verdict = scanner.scan_with(&Object::new(&bytes).named(&path), &mut session);

    for (at, threat) in verdict.threats() {
        println!("object {at}: {}", threat.name);
    }
    for (at, reason) in verdict.reasons() {
        println!("object {at}: not scanned: {reason}");
    }
    // Only "clean" means that all of it was looked at and nothing was found.
    Ok(match verdict.status() {
        Status::Clean => ExitCode::SUCCESS,
        Status::Infected => ExitCode::from(50),
        _ => ExitCode::from(10),
    })
}

/// The library has no clock; the caller brings one.
struct Clock {
    start: Instant,
    allowed: Duration,
}

impl Interrupt for Clock {
    fn check(&self) -> Option<Interruption> {
        (self.start.elapsed() >= self.allowed).then_some(Interruption::Time)
    }
}
