//! The cases of `testdata/unpack/`, and what must hold for every scan of any of them.

use std::fs;
use std::path::{Path, PathBuf};

use esets_core::{Database, Limits, Object, Options, Reason, Records, Scanner, Status, Verdict};

/// One object with its golden file beside it.
pub(crate) struct Case {
    /// The folder it lies in, which is the name of a format.
    pub format: String,
    /// The name that the object is scanned under.
    pub name: String,
    /// The object.
    pub bytes: Vec<u8>,
    /// Where its verdict is written down.
    pub golden: PathBuf,
}

/// `testdata/unpack/`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/unpack")
}

/// The folders in it: the names of formats.
pub(crate) fn formats() -> Vec<String> {
    let folders = sorted(&folder()).into_iter().filter(|path| path.is_dir());
    folders.map(|path| file_name(&path)).collect()
}

/// Every case of one format.
pub(crate) fn cases(format: &str) -> Vec<Case> {
    let files = sorted(&folder().join(format)).into_iter();
    files.filter(|path| is_case(path)).map(|path| read(format, &path)).collect()
}

fn is_case(path: &Path) -> bool {
    let name = file_name(path);
    name != "make" && !name.ends_with(".verdict") && !name.ends_with(".md")
}

fn read(format: &str, path: &Path) -> Case {
    let content = fs::read(path).unwrap();
    let file = file_name(path);
    let (name, bytes) = if let Some(name) = file.strip_suffix(".b64") {
        (name.to_string(), unarmour(&content))
    } else if let Some(name) = file.strip_suffix(".gz64") {
        (name.to_string(), gunzip(&unarmour(&content)))
    } else {
        (file, content)
    };
    let golden = path.with_file_name(format!("{name}.verdict"));
    Case { format: format.to_string(), name, bytes, golden }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_string()
}

/// For images of disks, which are long and nearly all zeros.
fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut object = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(bytes), &mut object).unwrap();
    object
}

/// Base64 (RFC 4648) in lines, below lines of provenance that begin with `#`.
fn unarmour(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    let digits: Vec<u32> = lines.flatten().filter_map(|byte| digit(*byte)).collect();
    digits.chunks(4).flat_map(group).collect()
}

fn group(digits: &[u32]) -> Vec<u8> {
    let bits = (0..4).fold(0, |bits, at| bits << 6 | digits.get(at).copied().unwrap_or(0));
    let bytes = bits.to_be_bytes();
    bytes[1..digits.len()].to_vec()
}

fn digit(byte: u8) -> Option<u32> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    alphabet.iter().position(|known| *known == byte).map(|position| position as u32)
}

/// Limits that keep thousands of scans of broken objects short, yet let whole cases through.
pub(crate) fn limits() -> Limits {
    Limits {
        memory: 128 << 20,
        object_size: 8 << 20,
        objects: 5_000,
        scan_size: 32 << 20,
        ..Limits::default()
    }
}

/// A scanner that keeps every record.
pub(crate) fn scanner() -> Scanner {
    let mut options = Options::default();
    options.records = Records::All;
    Scanner::new(Database::embedded()).with_limits(limits()).with_options(options)
}

/// Scans and says which promise is broken, if one is.
pub(crate) fn scan(scanner: &Scanner, name: &str, bytes: &[u8]) -> Result<Verdict, String> {
    let verdict = scanner.scan(&Object::new(bytes).named(name));
    match broken_promise(&verdict, bytes) {
        None => Ok(verdict),
        Some(broken) => Err(format!("{broken}:\n{verdict}")),
    }
}

fn broken_promise(verdict: &Verdict, bytes: &[u8]) -> Option<&'static str> {
    let limits = limits();
    let mut reasons = verdict.reasons().map(|(_, reason)| reason);
    let faults = reasons.any(|reason| matches!(reason, Reason::Fault(_)));
    let is_clean = verdict.status() == Status::Clean;
    let too_large =
        |size: u64| size > limits.object_size && size > u64::try_from(bytes.len()).unwrap();
    match () {
        () if faults => Some("a fault"),
        () if is_clean && verdict.reasons().next().is_some() => Some("clean with a reason"),
        // The object that breaks the limit has a record that says so.
        () if verdict.objects() > u64::from(limits.objects) + 1 => Some("too many objects"),
        () if verdict.bytes() > limits.scan_size => Some("too many bytes"),
        () if verdict.records().iter().any(|record| too_large(record.size)) => {
            Some("a member is too large")
        }
        () => None,
    }
}

/// Positions from 0 to `end`: all of them if they are few, else a fixed sample, denser at both
/// ends, where headers and directories are. The longer the object, the fewer they are.
pub(crate) fn positions(end: usize) -> Vec<usize> {
    let sample = (BYTES / end.max(1)).clamp(24, SAMPLE);
    let step = end / sample + 1;
    let ends = sample.min(128);
    let near_an_end = |at: &usize| *at < ends || end - *at < ends;
    (0..end).filter(|at| at % step == 0 || near_an_end(at)).collect()
}

/// How many bytes the scans of one object may add up to: 48 MiB.
const BYTES: usize = 48 << 20;
const SAMPLE: usize = 700;
