//! What we need, measured in a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use esets_core::{Database, Object, Scanner};

use super::databases::Set;
use super::{KINDS, Measure, text, walk};
use crate::{Outcome, program};

/// Set while instructions are counted.
const COUNTING: &str = "ESETS_BENCH_COUNTING";

/// Objects of 200 bytes of text.
pub(super) fn tiny() -> Vec<Vec<u8>> {
    let object = |number: usize| {
        let text =
            format!("Line {number} of the notes: nothing of interest, as on the day before. ");
        text.repeat(4).into_bytes()[..200].to_vec()
    };
    (0..2000).map(object).collect()
}

/// Measures in this process and prints: seconds to open, bytes of memory, seconds for a tiny
/// object, and for each kind megabytes per second.
pub(super) fn main(database: &str, files: &str) -> Outcome {
    // What is built once in a process is not part of a database.
    let _ = Scanner::new(Database::default()).scan(&Object::new(b"nothing"));
    let memory = private()?;
    let start = cpu()?;
    let file = fs::File::open(database).map_err(text)?;
    let mapping = esets_sys::map(&file).map_err(text)?;
    let opened = Database::from_bytes(Bytes::from_owner(mapping)).map_err(text)?;
    let scanner = Scanner::new(opened);
    println!("{}", cpu()? - start);
    println!("{}", private()?.saturating_sub(memory));
    // Where instructions are counted, the files alone are wanted.
    let objects = if std::env::var_os(COUNTING).is_some() { Vec::new() } else { tiny() };
    let start = cpu()?;
    for object in &objects {
        let _ = scanner.scan(&Object::new(object));
    }
    println!("{}", (cpu()? - start) / objects.len().max(1) as f64);
    for kind in KINDS {
        let start = cpu()?;
        let mut bytes = 0_u64;
        for path in walk(&Path::new(files).join(kind)) {
            let file = fs::read(path).map_err(text)?;
            bytes += file.len() as u64;
            let _ = scanner.scan(&Object::new(&file));
        }
        println!("{}", bytes as f64 / 1e6 / (cpu()? - start));
    }
    Ok(())
}

/// Seconds of CPU of this thread.
fn cpu() -> Result<f64, String> {
    // The kernel brings the figure up to date when the thread gives way.
    std::thread::yield_now();
    let stat = fs::read_to_string("/proc/thread-self/schedstat").map_err(text)?;
    let time = stat.split(' ').next().and_then(|time| time.parse::<f64>().ok());
    time.map(|time| time / 1e9).ok_or("no schedstat".into())
}

/// Bytes of memory that no other process shares and that no file holds.
fn private() -> Result<u64, String> {
    let maps = fs::read_to_string("/proc/self/smaps_rollup").map_err(text)?;
    let line = maps.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or("no smaps".into())
}

pub(super) fn measure(set: &Set, files: &Path) -> Result<Measure, String> {
    let me = std::env::current_exe().map_err(text)?;
    let mut command = program("nice", &[]);
    command.arg(me).args(["bench", "ours"]).arg(&set.compiled).arg(files);
    let output = command.output().map_err(text)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = printed.lines().filter_map(|line| line.parse().ok()).collect();
    let [open, memory, tiny, rates @ ..] = &*numbers else {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    };
    Ok(Measure { open: *open, memory: *memory, tiny: *tiny, rates: rates.to_vec() })
}

/// Instructions per byte of each part of a scan, for each kind; counted by `valgrind`.
pub(super) fn costs(set: &Set, files: &Path) -> Result<Vec<BTreeMap<&'static str, f64>>, String> {
    KINDS.iter().map(|kind| cost(set, &files.join(kind))).collect()
}

fn cost(set: &Set, folder: &Path) -> Result<BTreeMap<&'static str, f64>, String> {
    // A few files say it: this is some fifty times slower.
    let sample = set.compiled.with_extension("sample");
    let _ = fs::remove_dir_all(&sample);
    let inner = sample.join(KINDS[0]);
    fs::create_dir_all(&inner).map_err(text)?;
    let mut bytes = 0;
    for path in walk(folder).iter().step_by(7) {
        let file = fs::read(path).map_err(text)?;
        if bytes + file.len() < 3_000_000 {
            bytes += file.len();
            fs::write(inner.join(bytes.to_string()), file).map_err(text)?;
        }
    }
    let counts = sample.join("counts");
    let me = std::env::current_exe().map_err(text)?;
    let mut command = program("nice", &["valgrind", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", counts.display()));
    command.arg(me).args(["bench", "ours"]).arg(&set.compiled).arg(&sample).env(COUNTING, "1");
    command.output().map_err(text)?;
    let mut annotate = program("callgrind_annotate", &["--threshold=100", "--auto=no"]);
    let printed = annotate.arg(counts).output().map_err(text)?;
    let mut parts = BTreeMap::new();
    for line in String::from_utf8_lossy(&printed.stdout).lines() {
        let Some((count, place)) = line.trim().split_once(" (") else { continue };
        let Ok(count) = count.replace(',', "").parse::<f64>() else { continue };
        if !place.contains("PROGRAM TOTALS") {
            *parts.entry(part(place)).or_default() += count / bytes.max(1) as f64;
        }
    }
    Ok(parts)
}

/// The part of a scan to which a function belongs.
fn part(place: &str) -> &'static str {
    let is_one = |names: &[&str]| names.iter().any(|name| place.contains(name));
    if is_one(&["/matcher/", "/database/", "matcher::", "database::", "pulp"]) {
        "matching"
    } else if is_one(&["sha2", "sha1", "md5", "md-5"]) {
        "hashing"
    } else if is_one(&["recognises", "carve", "aho_corasick", "aho-corasick", "target.rs"]) {
        "type detection"
    } else if is_one(&[
        "/unpack/",
        "unpack::",
        "/decode/",
        "decode::",
        "esets-mime",
        "esets_mime",
        "zlib",
        "lzma",
        "executable",
    ]) {
        "unpacking"
    } else {
        "the rest"
    }
}
