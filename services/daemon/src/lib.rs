//! `esets_daemon`: resident, supervised, with its scans in confined processes.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     esets_resident::run()
//! }
//! ```
//!
//! A connection is a `session`, an object goes through `service`, the scan happens in a
//! `worker` process. Configuration, database and workers that belong together are a
//! `generation`; a reload makes the next one while the one before still answers.

mod agent;
mod arguments;
mod database;
mod draft;
mod generation;
mod listen;
mod log;
mod memory;
mod metrics;
mod notify;
mod resident;
mod service;
mod session;
mod settings;
mod status;
mod systemd;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use esets_client::{Client, ClientError, Command};

use crate::arguments::{Arguments, Task};

/// The program: the daemon, a question to it, or a worker that it started.
#[must_use]
pub fn run() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == worker::ARGUMENT) {
        return worker::serve();
    }
    if std::env::args_os().nth(1).is_some_and(|first| first == agent::ARGUMENT) {
        return agent::serve();
    }
    let arguments = Arguments::parse();
    let done = match arguments.task {
        Some(task) => ask(task, &arguments),
        None => resident::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("esets_daemon: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Asks a running daemon and prints what it says.
fn ask(task: Task, arguments: &Arguments) -> Result<(), String> {
    let command = match task {
        Task::Metrics => Command::Metrics,
        Task::Reload => Command::Reload,
        Task::Status => Command::Status,
        Task::Stop => Command::Stop,
    };
    let path = arguments.config.clone().unwrap_or_else(settings::default_path);
    let loaded = settings::load(&path, arguments.config.is_some())?;
    let text = request(&loaded.settings.socket, command).map_err(|error| error.to_string())?;
    print(text.trim_end());
    Ok(())
}

fn request(socket: &Path, command: Command) -> Result<String, ClientError> {
    Client::connect(socket)?.control(command)
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn print(text: &str) {
    println!("{text}");
}
