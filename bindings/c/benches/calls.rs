//! What a call costs over each border: `cargo bench -p esets-capi`.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement ends where it fails"
)]

#[path = "../tests/c/toolchain.rs"]
#[expect(dead_code, reason = "tests need more of it")]
mod toolchain;

#[path = "../tests/c/daemon.rs"]
#[expect(dead_code, reason = "tests need more of it")]
mod daemon;
#[path = "../tests/c/perl.rs"]
#[expect(unused_imports, reason = "tests need more of it")]
mod perl;

use std::process::Command;
use std::time::Instant;

use esets_core::{Database, Object, Scanner, Status};
use toolchain::{Compiler, compile, folder, here, succeed};

fn main() {
    let scanner = Scanner::new(Database::embedded());
    let bytes = [b'a'; 1024];
    let start = Instant::now();
    for _ in 0..CALLS {
        let verdict = scanner.scan(&Object::new(&bytes).named("name"));
        assert_eq!(verdict.status(), Status::Clean);
    }
    println!("Rust   {:8.0} calls per second", f64::from(CALLS) / start.elapsed().as_secs_f64());

    let optimised = Compiler { program: "gcc", flags: &["-std=c99", "-O2"] };
    let program = compile(optimised, &here().join("benches/calls.c"), &folder("bench"));
    print!("{}", succeed(&mut Command::new(program)));

    let module = perl::built("bench-perl").join("perl");
    let mut command = Command::new("perl");
    command.arg("-Mblib").arg(here().join("benches/calls.pl"));
    print!("{}", succeed(command.current_dir(module)));
}

const CALLS: u32 = 100_000;
