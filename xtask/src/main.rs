//! The project's own chores: `cargo xtask CHORE`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a chore counts, reads what our own tools print, and talks to a person; it meets no \
              hostile input"
)]

mod bench;
mod check;
mod coverage;
mod database;
mod docs;
mod fuzz;
mod install;
mod package;
mod packages;
mod peer;
mod rarity;
mod replay;
mod test;
mod yara;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What a chore ends with: an error is one line for a person.
type Outcome = Result<(), String>;

/// One chore.
struct Chore {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

/// Every chore, in the order of their names.
static CHORES: &[&Chore] = &[
    &bench::CHORE,
    &check::CHORE,
    &coverage::CHORE,
    &database::CHORE,
    &docs::CHORE,
    &fuzz::CHORE,
    &install::CHORE,
    &package::CHORE,
    &rarity::CHORE,
    &replay::CHORE,
    &test::CHORE,
    &yara::CHORE,
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("usage: cargo xtask CHORE [ARGUMENT...]\n");
        for Chore { name, about, .. } in CHORES {
            eprintln!("  {name:<10}{about}");
        }
        return ExitCode::from(2);
    };
    match (chore.run)(&words.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// A program that runs at the root of the checkout.
fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// The `cargo` that runs this chore.
fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments)
}

/// Runs a program to its end.
fn run(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}").replace('"', "");
    eprintln!("=== {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}
