//! Runs the administrator's script on a detection.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use esets_policy::log::{Event, LogClass};
use tokio::process::Command;
use tokio::time::timeout;

use crate::log::Log;

/// Runs the administrator's script, not more often than it can bear.
#[derive(Debug)]
pub(crate) struct Notifier {
    permits: u32,
    filled: Instant,
}

impl Default for Notifier {
    fn default() -> Self {
        Self { permits: BURST, filled: Instant::now() }
    }
}

impl Notifier {
    /// Starts the script and does not wait for it. What it is told is in its environment; see
    /// `docs/daemon.md`.
    pub(crate) fn run(&mut self, script: &Path, event: &Event, handle: u32, log: &Arc<Log>) {
        if self.filled.elapsed() >= MINUTE {
            (self.permits, self.filled) = (BURST, Instant::now());
        }
        let Some(left) = self.permits.checked_sub(1) else { return };
        self.permits = left;
        if left == 0 {
            log.say(LogClass::Warning, "the notification script rests for a minute");
        }
        let mut command = Command::new(script);
        command.env_clear().current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(Stdio::null()).stderr(Stdio::null()).env("PATH", PATH);
        command.env("ESETS_HANDLE", format!("{handle:08x}"));
        for name in VARIABLES {
            // A value may hold anything but what ends it.
            let value = event.variable(name).unwrap_or_default().replace('\0', "");
            command.env(format!("ESETS_{name}"), value);
        }
        let (log, name) = (Arc::clone(log), script.display().to_string());
        tokio::spawn(async move {
            let failed = match timeout(PATIENCE, command.status()).await {
                Ok(Ok(status)) if status.success() => return,
                Ok(Ok(status)) => status.to_string(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("ended after {} s", PATIENCE.as_secs()),
            };
            log.say(LogClass::Warning, &format!("notification script {name}: {failed}"));
        });
    }
}

const VARIABLES: &[&str] = &[
    "ACTION",
    "AGENT",
    "AVSTATUS",
    "CLIENT",
    "HOP",
    "INFO",
    "OBJECT",
    "RECIPIENTS",
    "SENDER",
    "VDB",
    "VIRUSNAME",
];
/// Runs in a minute.
const BURST: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(30);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
