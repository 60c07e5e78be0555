//! Arguments that several commands have.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::Args;
use esets_policy::core::Limits;

/// How far a scan goes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArguments {
    /// How many containers may lie in each other
    #[arg(long, value_name = "COUNT", alias = "max-arch-level")]
    max_depth: Option<u16>,
    /// Bytes of unpacked members in memory at a time; k, M and G are understood
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,
    /// Bytes of one object; a longer one is scanned up to here and reported
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_object_size: Option<u64>,
    /// Objects in one file
    #[arg(long, value_name = "COUNT")]
    max_objects: Option<u32>,
    /// Bytes unpacked per byte of the file
    #[arg(long, value_name = "FACTOR")]
    max_ratio: Option<u32>,
    /// Bytes scanned in one file
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_scan_size: Option<u64>,
    /// Seconds that one file may take; 0 for no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    scan_timeout: u64,
}

impl LimitArguments {
    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            depth: self.max_depth.unwrap_or(default.depth),
            memory: self.max_memory.unwrap_or(default.memory),
            object_size: self.max_object_size.unwrap_or(default.object_size),
            objects: self.max_objects.unwrap_or(default.objects),
            ratio: self.max_ratio.unwrap_or(default.ratio),
            scan_size: self.max_scan_size.unwrap_or(default.scan_size),
            ..default
        }
    }

    pub(crate) fn seconds(&self) -> Option<u64> {
        (self.scan_timeout > 0).then_some(self.scan_timeout)
    }
}

/// Where the signatures are.
#[derive(Args, Debug)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct DatabaseArguments {
    /// A folder with em002.dat, or with sources of signatures, which are compiled in memory
    #[arg(long, value_name = "DIR", conflicts_with = "database")]
    pub(crate) base_dir: Option<PathBuf>,
    /// A compiled database
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Take containers that nobody signed (.cud) in the folder too
    #[arg(long)]
    pub(crate) unsigned: bool,
    /// A file with YARA rules, or a folder with such files; may be given several times
    #[arg(long, value_name = "PATH", hide = !cfg!(feature = "yara"))]
    pub(crate) yara: Vec<PathBuf>,
}

impl DatabaseArguments {
    /// Whether the caller says where they are.
    pub(crate) fn is_given(&self) -> bool {
        self.base_dir.is_some() || self.database.is_some() || !self.yara.is_empty()
    }
}

/// A number of bytes, with an optional `k`, `M` or `G` of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (text.get(..text.len().saturating_sub(1)), 10),
        Some(b'm' | b'M') => (text.get(..text.len().saturating_sub(1)), 20),
        Some(b'g' | b'G') => (text.get(..text.len().saturating_sub(1)), 30),
        _ => (Some(text), 0),
    };
    let number = number.and_then(|number| number.parse::<u64>().ok());
    let bytes = number.and_then(|number| number.checked_mul(1 << shift)).filter(|size| *size > 0);
    bytes.ok_or_else(|| "expected a number of bytes such as 4096, 64M or 1G".into())
}

/// How many files are scanned at a time if nobody says.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// More would not be faster anywhere.
pub(crate) const MOST_JOBS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("3M"), Ok(3 << 20));
        assert!(["", "k", "0", "-1", "1T", "99999999999G"].iter().all(|text| size(text).is_err()));
    }
}
