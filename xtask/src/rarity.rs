//! `cargo xtask rarity PROGRAMS LIBRARIES TEXTS`: how common four bytes in a row are.
//!
//! The compiler of signatures searches for what is rare in clean objects. It knows that from a
//! table of densities in `esets-core/src/matcher/rarity.dat`, made of equal parts of Windows
//! programs, ELF libraries, texts, base64 (of the programs), and random bytes; see
//! `esets-core/src/matcher/rarity.rs` for the layout. The folders are not part of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Chore, root};

pub(crate) static CHORE: Chore = Chore {
    name: "rarity",
    about: "count byte sequences in folders of programs, libraries and texts",
    run: |folders| {
        let [programs, libraries, texts] = folders else {
            return Err("three folders are needed: PE files, ELF files, texts".to_owned());
        };
        let programs = bytes(programs)?;
        let classes = [&programs, &bytes(libraries)?, &bytes(texts)?, &base64(&programs)];
        let mut densities = vec![1.0 / CELLS as f64; CELLS];
        for class in classes {
            add(class, &mut densities);
        }
        fs::write(root().join("esets-core/src/matcher/rarity.dat"), packed(&densities))
            .map_err(|error| error.to_string())
    },
};

/// The contents of a folder, up to a limit.
fn bytes(folder: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let mut paths =
            entries(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        paths.sort();
        for path in paths {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file() && bytes.len() < MOST {
                bytes.extend(fs::read(&path).unwrap_or_default());
            }
        }
    }
    bytes.truncate(MOST);
    eprintln!("{folder}: {} bytes", bytes.len());
    Ok(bytes)
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in bytes.chunks(57) {
        for group in line.chunks_exact(3) {
            let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            let letter = |shift: usize| ALPHABET.get(bits >> shift & 63).copied();
            text.extend([18, 12, 6, 0].into_iter().filter_map(letter));
        }
        text.extend(b"\r\n");
    }
    text
}

fn add(class: &[u8], densities: &mut [f64]) {
    let share = 1.0 / class.len().max(1) as f64;
    for window in class.windows(4) {
        let word = window.iter().rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let cell = (word | 0x2020_2020).wrapping_mul(0x9e37_79b1) >> 14;
        if let Some(density) = usize::try_from(cell).ok().and_then(|cell| densities.get_mut(cell)) {
            *density += share;
        }
    }
}

/// Two cells a byte, each the rounded negative logarithm: 0 is 2^-7 and more, 15 is 2^-22.
fn packed(densities: &[f64]) -> Vec<u8> {
    let is_rarer = |sum: f64, step: u8| sum / 5.0 < (-7.5 - f64::from(step)).exp2();
    let nibble = |sum: f64| (0..15_u8).find(|step| !is_rarer(sum, *step)).unwrap_or(15);
    let byte = |pair: &[f64]| match pair {
        [low, high] => nibble(*low) | nibble(*high) << 4,
        _ => 0,
    };
    densities.chunks(2).map(byte).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CELLS: usize = 1 << 18;
const MOST: usize = 96 << 20;
