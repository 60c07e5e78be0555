//! Signatures to compare with: generated ones, and those of a folder.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use esets_core::signature::{SourceFile, compile};

use super::{Random, text, walk};

/// A set of signatures: for the peer a folder of sources, for us one file.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) sources: PathBuf,
    pub(super) compiled: PathBuf,
    pub(super) signatures: u64,
    pub(super) size: u64,
    /// Bytes for each digest and for each logical signature.
    pub(super) each: (u64, u64),
    /// Whether more than tiny objects are scanned with it: the peer takes long.
    pub(super) is_for_files: bool,
}

/// How many signatures of each kind a generated set has.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    digests: usize,
    sections: usize,
    patterns: usize,
    logical: usize,
}

/// What an installation has, what a vendor's rules alone are, and all that can be had together.
pub(super) const SHAPES: &[Shape] = &[
    Shape { name: "mixed", digests: 300_000, sections: 0, patterns: 20_000, logical: 20_000 },
    Shape { name: "logical", digests: 0, sections: 0, patterns: 0, logical: 50_000 },
    Shape {
        name: "large",
        digests: 3_000_000,
        sections: 1_000_000,
        patterns: 450_000,
        logical: 50_000,
    },
];

/// Writes the sources of a set, the same in every run on one machine.
pub(super) fn generate(shape: &Shape, folder: &Path) -> Result<Set, String> {
    fs::create_dir_all(folder).map_err(text)?;
    let mut random = Random(3);
    let code = code(&mut random);
    let [mut hdb, mut mdb, mut ndb, mut ldb] = [const { String::new() }; 4];
    for number in 0..shape.digests {
        let (digest, size) = digest(&mut random);
        let _ = writeln!(hdb, "{digest}:{size}:Hash-{number}");
    }
    for number in 0..shape.sections {
        let (digest, size) = digest(&mut random);
        let _ = writeln!(mdb, "{size}:{digest}:Section-{number}");
    }
    for number in 0..shape.patterns {
        let _ = writeln!(ndb, "Body-{number}:{}:*:{}", number % 2, piece(&code, &mut random));
    }
    for number in 0..shape.logical {
        let subs: Vec<String> = (0..3).map(|_| piece(&code, &mut random)).collect();
        let target = number % 2;
        let subs = subs.join(";");
        let _ = writeln!(ldb, "Logical-{number};Engine:51-255,Target:{target};0&1&2;{subs}");
    }
    for (name, lines) in [("a.hdb", hdb), ("a.mdb", mdb), ("a.ndb", ndb), ("a.ldb", ldb)] {
        if !lines.is_empty() {
            fs::write(folder.join(name), lines).map_err(text)?;
        }
    }
    set(shape.name, folder, &folder.with_extension("dat"))
}

/// An MD5 and the size of what it is of.
fn digest(random: &mut Random) -> (String, usize) {
    let digest = (0..16).map(|_| format!("{:02x}", random.next() >> 5 & 255)).collect();
    (digest, 1000 + random.next() % 500_000)
}

/// The sources of a folder.
pub(super) fn given(folder: &Path, compiled: &Path) -> Result<Set, String> {
    set("given", folder, &compiled.with_extension("dat"))
}

fn set(name: &str, folder: &Path, compiled: &Path) -> Result<Set, String> {
    let files: Vec<(String, Vec<u8>)> = walk(folder)
        .iter()
        .map(|path| (path.display().to_string(), fs::read(path).unwrap_or_default()))
        .collect();
    let build = |wanted: &dyn Fn(&str) -> bool| {
        let files = files.iter().filter(|(name, _)| wanted(name));
        compile("", files.map(|(name, bytes)| SourceFile::new(name, bytes)))
    };
    let (bytes, loaded) = build(&|_| true);
    let empty = build(&|_| false).0.len();
    let each = |ends: &[&str]| {
        let (bytes, loaded) = build(&|name| ends.iter().any(|end| name.ends_with(end)));
        ((bytes.len() - empty) as u64).checked_div(loaded.added).unwrap_or_default()
    };
    let each = (each(&[".hdb", ".hsb"]), each(&[".ldb"]));
    fs::write(compiled, &bytes).map_err(text)?;
    eprintln!("{name}: {} signatures, {} rejected", loaded.added, loaded.rejected.len());
    Ok(Set {
        name: name.into(),
        sources: folder.to_path_buf(),
        compiled: compiled.to_path_buf(),
        signatures: loaded.added,
        size: bytes.len() as u64,
        each,
        is_for_files: matches!(name, "mixed" | "given"),
    })
}

/// Code of this machine, from which patterns are cut.
fn code(random: &mut Random) -> Vec<u8> {
    let mut code = Vec::new();
    for path in walk(Path::new("/usr/bin")) {
        let bytes = fs::read(path).unwrap_or_default();
        if bytes.starts_with(b"\x7fELF") {
            code.extend(bytes);
        }
        if code.len() > 30_000_000 {
            break;
        }
    }
    code.extend((0..1000).map(|_| random.next().to_le_bytes()[0]));
    code
}

/// 10 to 30 bytes that nearly lie in the code: one of them is changed.
fn piece(code: &[u8], random: &mut Random) -> String {
    let length = 10 + random.next() % 20;
    let start = random.next() % (code.len() - 30);
    let mut bytes = code[start..start + length].to_vec();
    bytes[length - 3] ^= 0x5a;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
