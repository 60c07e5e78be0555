//! The report as one JSON document, written file by file; `docs/report-schema.json` describes it.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::time::{SystemTime, UNIX_EPOCH};

use esets_policy::core::{Status, Verdict};
use serde::Serialize;

use super::{Count, Entry, Opening, Summary};

pub(super) fn open(out: &mut dyn Write, opening: &Opening<'_>) -> io::Result<()> {
    let Opening { database, .. } = opening;
    let head = Head {
        program: "esets_scan",
        version: env!("CARGO_PKG_VERSION"),
        database: Database { version: database.version(), signatures: database.counts().total() },
        command_line: &opening.command_line,
        started: seconds(opening.started),
    };
    let head = serde_json::to_string(&head)?;
    // The document stays open: its files follow.
    write!(out, "{},\"files\":[", head.strip_suffix('}').unwrap_or(&head))
}

pub(super) fn entry(out: &mut dyn Write, entry: &Entry, is_first: bool) -> io::Result<()> {
    let path = entry.path.as_os_str().as_bytes();
    let file = File {
        path: match std::str::from_utf8(path) {
            Ok(text) => Path::Text(text),
            Err(_) => Path::Bytes(path),
        },
        status: entry.verdict.status(),
        action: entry.cleaning.action(),
        problem: entry.problem.as_deref(),
        verdict: &entry.verdict,
    };
    out.write_all(if is_first { b"\n" } else { b",\n" })?;
    serde_json::to_writer(&mut *out, &file)?;
    Ok(())
}

pub(super) fn close(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let tail = Tail {
        total: summary.total.into(),
        infected: summary.infected.into(),
        cleaned: summary.cleaned.into(),
        not_scanned: summary.not_scanned.into(),
        bytes: summary.bytes,
        seconds: summary.took.as_secs_f64(),
        completed: seconds(SystemTime::now()),
    };
    out.write_all(b"\n],\"summary\":")?;
    serde_json::to_writer(&mut *out, &tail)?;
    out.write_all(b"}\n")
}

#[derive(Serialize)]
struct Head<'h> {
    program: &'h str,
    version: &'h str,
    database: Database<'h>,
    command_line: &'h str,
    started: u64,
}

#[derive(Serialize)]
struct Database<'d> {
    version: &'d str,
    signatures: u64,
}

#[derive(Serialize)]
struct File<'f> {
    path: Path<'f>,
    status: Status,
    action: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'f str>,
    verdict: &'f Verdict,
}

/// A string if it is UTF-8, else the bytes, as the names in verdicts.
#[derive(Serialize)]
#[serde(untagged)]
enum Path<'p> {
    Text(&'p str),
    Bytes(&'p [u8]),
}

#[derive(Serialize)]
struct Tail {
    total: Sum,
    infected: Sum,
    cleaned: Sum,
    not_scanned: Sum,
    bytes: u64,
    seconds: f64,
    completed: u64,
}

#[derive(Serialize)]
struct Sum {
    files: u64,
    objects: u64,
}

impl From<Count> for Sum {
    fn from(count: Count) -> Self {
        Self { files: count.files, objects: count.objects }
    }
}

/// Since the epoch of Unix.
fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
