//! A folder to scan, and a program that scans it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name.as_ref());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs `esets_scan` in the folder, without colours of a locale.
    pub(crate) fn scan(&self, arguments: &[&str]) -> Ended {
        self.run(env!("CARGO_BIN_EXE_esets_scan"), arguments)
    }

    /// Runs `esets_cli` in the folder.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Ended {
        self.run(env!("CARGO_BIN_EXE_esets_cli"), arguments)
    }

    /// Runs `esets` in the folder.
    pub(crate) fn esets(&self, arguments: &[&str]) -> Ended {
        self.run(env!("CARGO_BIN_EXE_esets"), arguments)
    }

    /// Runs `esets_quar` in the folder.
    pub(crate) fn quar(&self, arguments: &[&str]) -> Ended {
        self.run(env!("CARGO_BIN_EXE_esets_quar"), arguments)
    }

    /// Runs `esets_set` in the folder.
    pub(crate) fn set(&self, arguments: &[&str]) -> Ended {
        self.run(env!("CARGO_BIN_EXE_esets_set"), arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = self.command(program);
        Ended::from(command.args(arguments).output().unwrap())
    }

    /// A program in the folder, with standard input closed as amavisd-new does.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// The lines about files.
    pub(crate) fn results(&self) -> Vec<&str> {
        self.out.lines().filter(|line| line.starts_with("name=")).collect()
    }
}

/// A name that is suspicious whatever the file holds.
pub(crate) const SUSPICIOUS: &str = "invoice.pdf.exe";
pub(crate) const SUSPICION: &str = "Heur.DoubleExtension";

/// The EICAR test file, put together here so that no scanner eats the checkout.
pub(crate) fn eicar() -> Vec<u8> {
    let halves = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"];
    halves.concat().into_bytes()
}

/// What the embedded database calls it.
pub(crate) const EICAR: &str = "Eicar test file";
