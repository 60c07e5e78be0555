//! A daemon that a test runs.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]
#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use esets_client::{Answer, Client, Command as Ask, Content, Envelope, Request, Want};
use esets_policy::core::DatabaseBuilder;
use esets_policy::core::signature::SourceFile;
use tempfile::TempDir;

/// A daemon that ends with the test.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) folder: TempDir,
}

impl Daemon {
    /// Starts a daemon with two workers and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::with("num_proc = 2\n")
    }

    /// The same with these lines in `[global]`, and sections after them.
    pub(crate) fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path(), lines);
        let mut daemon = Self { child: spawn(folder.path()), folder };
        daemon.wait_for_answer();
        daemon
    }

    /// Writes the configuration anew.
    pub(crate) fn configure(&self, lines: &str) {
        configure(self.folder.path(), lines);
    }

    fn wait_for_answer(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while Client::connect(&self.socket()).is_err() {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut text = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
                panic!("the daemon ended, {status}: {text}{}", self.log());
            }
            assert!(Instant::now() < end, "the daemon does not answer: {}", self.log());
            sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("esets.sock")
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket()).unwrap()
    }

    pub(crate) fn raw(&self) -> UnixStream {
        UnixStream::connect(self.socket()).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the log holds a text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(|| self.log().contains(text), || format!("{text:?} in {}", self.log()));
    }

    /// A line of `esets_daemon status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let text = self.client().control(Ask::Status).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
    }

    pub(crate) fn workers(&self) -> Vec<u32> {
        let words = self.status("worker processes");
        words.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    /// The verdict on bytes under a name, printed.
    pub(crate) fn verdict(&self, name: &str, bytes: &[u8]) -> String {
        verdict(&mut self.client(), name, Content::Bytes(bytes))
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(done.unwrap().success());
    }

    /// A command of the program itself, under the configuration of this daemon.
    pub(crate) fn command(&self, task: &str) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esets_daemon"));
        command.arg("--config").arg(self.folder.path().join("esets.cfg")).arg(task);
        command.output().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn configure(folder: &Path, lines: &str) {
    let log = format!("log_file = \"{}/log\"\n", folder.display());
    let log = if lines.contains("log_file") { "" } else { &log };
    let text = format!(
        "[global]\ndaemon_sock_path = \"{0}/esets.sock\"\n{log}\
         base_dir = \"{0}\"\nquarantine_dir = \"{0}/quarantine\"\n\
         syslog_class = \"error:warning:summall:partall:info\"\n{lines}",
        folder.display()
    );
    // As an editor would: never half a file.
    fs::write(folder.join("esets.new"), text).unwrap();
    fs::rename(folder.join("esets.new"), folder.join("esets.cfg")).unwrap();
}

pub(crate) fn spawn(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esets_daemon"));
    command.arg("--config").arg(folder.join("esets.cfg")).arg("--test-faults");
    command.arg("--pid-file").arg(folder.join("pid"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Installs a database with one signature: the text `bad-` and a word.
pub(crate) fn install(folder: &Path, version: &str, word: &str) {
    let mut builder = DatabaseBuilder::new();
    builder.set_version(version);
    let hex: String = format!("bad-{word}").bytes().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("Test.{word}:0:*:{hex}\n");
    let loaded = builder.load(&SourceFile::new("test.ndb", line.as_bytes()));
    assert!(loaded.rejected.is_empty(), "{loaded:?}");
    fs::write(folder.join("em002.new"), builder.build()).unwrap();
    fs::rename(folder.join("em002.new"), folder.join("em002.dat")).unwrap();
}

pub(crate) fn request(name: &str) -> Request {
    let envelope = Envelope { agent: "cli".into(), ..Envelope::default() };
    Request { name: name.into(), envelope, ..Request::default() }
}

pub(crate) fn ask(client: &mut Client, name: &str, content: Content<'_>) -> Answer {
    client.scan(&request(name), content).unwrap()
}

pub(crate) fn verdict(client: &mut Client, name: &str, content: Content<'_>) -> String {
    let want = Want::Verdict { options: None, limits: None, seconds: None };
    let answer = client.scan(&Request { want, ..request(name) }, content).unwrap();
    answer.outcome.verdict.unwrap().to_string().trim_end().to_owned()
}

pub(crate) fn wait_until(mut done: impl FnMut() -> bool, what: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "it does not come: {}", what());
        sleep(Duration::from_millis(10));
    }
}

/// The agents of a daemon.
pub(crate) fn agents(daemon: u32) -> Vec<u32> {
    let mut found = children(daemon);
    found.retain(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("--agent")
    });
    found
}

fn children(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        if status.contains(&format!("\nPPid:\t{parent}\n")) {
            found.push(pid);
        }
    }
    found
}

pub(crate) fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t0")
}
