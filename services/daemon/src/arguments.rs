//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The resident scanner: answers esets_cli, mail servers and everything that speaks clamd's
/// protocol.
#[derive(Debug, Parser)]
#[command(name = "esets_daemon", version)]
pub(crate) struct Arguments {
    /// The configuration.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Stay in the foreground and log to standard error as well as the configuration says. This is
    /// the default; the option is there for old scripts.
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Where the number of the process is written.
    #[arg(long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Let names of objects make workers misbehave.
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    pub(crate) test_faults: bool,
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
}

/// What to ask a running daemon.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Task {
    /// Show the numbers that the running daemon counts, in the format of Prometheus.
    Metrics,
    /// Let the running daemon read its configuration and database anew.
    Reload,
    /// Show the state of the running daemon.
    Status,
    /// Let the running daemon finish what it has begun, then end.
    Stop,
}
