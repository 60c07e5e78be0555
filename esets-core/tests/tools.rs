//! What real programs pack is unpacked again, byte for byte.
//!
//! `testdata/unpack/<format>/make` names Debian packages and shell commands:
//!
//! ```text
//! # packages: bzip2
//! best: bzip2 -9 <payload >out
//! stored (visible): cat payload >out
//! ```
//!
//! Each command runs in an empty folder with a file `payload` that no other case has, and leaves a
//! file `out`. The scan of that, which knows the password `secret`, must meet the payload (or what
//! the command has made of that file). Unless the case says `(visible)`, a piece of the payload must
//! not be seen in `out` as it is: then only unpacking can have found it.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test ends where it fails, and runs programs"
)]

#[expect(dead_code, reason = "golden cases are the other test's")]
mod corpus;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use esets_core::{Object, Observer, Session, Subject};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let trials: Vec<Trial> = corpus::formats().iter().flat_map(|format| recipe(format)).collect();
    assert!(!trials.is_empty(), "the recipes are missing");
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// One line of a `make` file.
struct Variant {
    name: String,
    command: String,
    is_visible: bool,
    packages: String,
}

fn recipe(format: &str) -> Vec<Trial> {
    let text = fs::read_to_string(corpus::folder().join(format).join("make")).unwrap_or_default();
    let packages: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# packages:")).collect();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let variants = lines.map(|line| {
        let (name, command) = line.split_once(": ").unwrap_or_else(|| panic!("no name: {line}"));
        let plain = name.strip_suffix(" (visible)");
        Variant {
            name: format!("{format}/{}", plain.unwrap_or(name)),
            command: command.to_string(),
            is_visible: plain.is_some(),
            packages: packages.join(" "),
        }
    });
    variants.map(|variant| Trial::test(variant.name.clone(), move || check(&variant))).collect()
}

fn check(variant: &Variant) -> Result<(), Failed> {
    let payload = payload(&variant.name);
    let folder = Folder::new(&variant.name);
    fs::write(folder.0.join("payload"), &payload)?;
    run(variant, &folder.0)?;
    let out = fs::read(folder.0.join("out")).map_err(|error| format!("out: {error}"))?;
    let piece = &payload[payload.len() - PIECE..];
    if !variant.is_visible && out.windows(PIECE).any(|window| window == piece) {
        return Err("the payload is visible, so this shows nothing".into());
    }
    let expected = fs::read(folder.0.join("payload")).unwrap_or(payload);
    let mut witness = Witness { expected, has_met: false };
    let mut session =
        Session { observer: Some(&mut witness), passwords: &[b"secret"], ..Session::default() };
    let name = variant.name.rsplit('/').next().unwrap();
    let verdict = corpus::scanner().scan_with(&Object::new(&out).named(name), &mut session);
    if witness.has_met { Ok(()) } else { Err(format!("not unpacked:\n{verdict}").into()) }
}

fn run(variant: &Variant, folder: &Path) -> Result<(), Failed> {
    let output = Command::new("bash")
        .args(["-ec", &variant.command])
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {stderr}\nit needs: {}", output.status, variant.packages).into())
}

/// Looks for one object.
struct Witness {
    expected: Vec<u8>,
    has_met: bool,
}

impl Observer for Witness {
    fn enter(&mut self, subject: &Subject<'_>) {
        self.has_met |= subject.bytes() == self.expected;
    }
}

/// A folder of its own for one variant, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(variant: &str) -> Self {
        let name = format!("esets-{}-{}", std::process::id(), variant.replace(['/', ' '], "-"));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Text that every packer makes smaller, other for each name.
fn payload(name: &str) -> Vec<u8> {
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut text = Vec::new();
    while text.len() < SIZE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend_from_slice(WORDS[state as usize % WORDS.len()]);
        text.push(b' ');
    }
    text
}

const SIZE: usize = 3000;
const PIECE: usize = 64;

const WORDS: [&[u8]; 16] = [
    b"amber", b"basalt", b"cedar", b"delta", b"ember", b"fjord", b"garnet", b"harbour", b"island",
    b"juniper", b"kelp", b"lagoon", b"meadow", b"nectar", b"orchid", b"pebble",
];
