//! What `clamscan` needs: seconds of CPU of the whole run, less those of a run over nothing.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::databases::Set;
use super::{KINDS, Measure, text, walk};
use crate::program;

pub(super) fn measure(set: &Set, files: &Path) -> Result<Measure, String> {
    let folder = set.compiled.with_extension("tiny");
    fs::create_dir_all(folder.join("none")).map_err(text)?;
    fs::create_dir_all(folder.join("many")).map_err(text)?;
    for (number, object) in super::ours::tiny().iter().enumerate() {
        fs::write(folder.join("many").join(number.to_string()), object).map_err(text)?;
    }
    fs::write(folder.join("none/one"), "nothing").map_err(text)?;
    let (open, memory) = run(set, &folder.join("none"))?;
    let tiny = (run(set, &folder.join("many"))?.0 - open) / super::ours::tiny().len() as f64;
    let mut rates = Vec::new();
    for kind in KINDS.iter().filter(|_| set.is_for_files) {
        let folder = files.join(kind);
        let bytes: u64 = walk(&folder)
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|it| it.len())
            .sum();
        let seconds = (run(set, &folder)?.0 - open).max(0.01);
        rates.push(bytes as f64 / 1e6 / seconds);
    }
    Ok(Measure { open, memory: memory as f64, tiny, rates })
}

/// Seconds of CPU, and the most memory it had.
fn run(set: &Set, folder: &Path) -> Result<(f64, u64), String> {
    let before = children()?;
    let mut command = program("nice", &["clamscan", "--no-summary", "--infected", "--recursive"]);
    command.args(["--bytecode=no", "--max-filesize=2000M", "--max-scansize=3900M"]);
    command.arg("--database").arg(&set.sources).arg(folder).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().map_err(text)?;
    let mut memory = 0;
    while child.try_wait().map_err(text)?.is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
        memory = memory.max(peak.unwrap_or_default() * 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok((children()? - before, memory))
}

/// Seconds of CPU of all children that have ended.
fn children() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(text)?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |field: usize| fields.get(field).and_then(|it| it.parse::<f64>().ok());
    // Fields 16 and 17 of proc(5), counted from the name; a tick is a hundredth of a second.
    Ok((ticks(13).unwrap_or_default() + ticks(14).unwrap_or_default()) / 100.0)
}
