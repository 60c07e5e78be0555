//! Volumes and other pieces of one object: kept until their container ends, then offered joined.

use bytes::Bytes;

use crate::budget::Lease;
use crate::verdict::ObjectId;

/// The place of a member among the pieces of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What the pieces of one object have in common; the name of the joined object.
    pub set: Vec<u8>,
    /// The order among them; gaps do not matter.
    pub number: u32,
}

impl Piece {
    /// What the name of a volume says: `x.7z.001`, `x.part1.rar`, `x.r00`, `x.z01`, `x.c00` and
    /// `x.a01`, and the `x.rar`, `x.zip`, `x.ace` and `x.arj` that go with the last four.
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let dot = memchr::memrchr(b'.', &name)?;
        let (stem, extension) = (name.get(..dot)?, name.get(dot..)?.get(1..)?);
        if stem.is_empty() {
            return None;
        }
        split(stem, extension).or_else(|| part(stem, extension)).or_else(|| volume(stem, extension))
    }
}

/// `x.7z.001`: pieces of any file, cut anywhere.
fn split(stem: &[u8], extension: &[u8]) -> Option<Piece> {
    let number = (extension.len() == 3).then(|| number(extension)).flatten()?;
    Some(Piece { set: stem.to_vec(), number })
}

/// `x.part1.rar`, the first perhaps `x.part1.exe`.
fn part(stem: &[u8], extension: &[u8]) -> Option<Piece> {
    let dot = memchr::memrchr(b'.', stem)?;
    let number = number(stem.get(dot..)?.strip_prefix(b".part")?)?;
    let is_volume = matches!(extension, b"rar" | b"exe" | b"sfx");
    let set = [stem.get(..dot)?, b".rar"].concat();
    is_volume.then_some(Piece { set, number })
}

/// `x.rar` before `x.r00`, `x.ace` before `x.c00`, `x.arj` before `x.a01`, `x.zip` behind `x.z01`.
fn volume(stem: &[u8], extension: &[u8]) -> Option<Piece> {
    let set = |end: &[u8]| [stem, b".", end].concat();
    let (main, first) = match extension {
        b"rar" | b"ace" | b"arj" => return Some(Piece { set: set(extension), number: 0 }),
        b"zip" => return Some(Piece { set: set(extension), number: u32::MAX }),
        [letter, digits @ ..] if digits.len() == 2 => (*letter, number(digits)?),
        _ => return None,
    };
    // RAR goes on with `x.s00` after `x.r99`.
    let (end, hundreds): (&[u8], u32) = match main {
        b'a' => (b"arj", 0),
        b'c' => (b"ace", 0),
        b'r'..=b'y' => (b"rar", u32::from(main.saturating_sub(b'r'))),
        b'z' => (b"zip", 0),
        _ => return None,
    };
    let number = hundreds.saturating_mul(100).saturating_add(first).saturating_add(1);
    Some(Piece { set: set(end), number })
}

fn number(digits: &[u8]) -> Option<u32> {
    let are_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| are_digits)?.parse().ok()
}

/// A piece that was met.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) piece: Piece,
    /// Its record, if that is kept.
    pub(crate) record: Option<ObjectId>,
    pub(crate) content: Vec<u8>,
    /// What pays for the content.
    pub(crate) _lease: Lease,
}

/// The pieces met so far in one container.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    kept: Vec<Kept>,
}

impl Pieces {
    pub(crate) fn keep(&mut self, kept: Kept) {
        self.kept.push(kept);
    }

    /// Takes one object that has at least two pieces: its name, how many bytes it has joined, and
    /// what joins it.
    pub(crate) fn take_set(&mut self) -> Option<Set> {
        while let Some(first) = self.kept.first() {
            let name = first.piece.set.clone();
            let is_of_set = |kept: &mut Kept| kept.piece.set == name;
            let mut pieces: Vec<_> = self.kept.extract_if(.., is_of_set).collect();
            pieces.sort_by_key(|kept| kept.piece.number);
            pieces.dedup_by_key(|kept| kept.piece.number);
            if pieces.len() > 1 {
                return Some(Set { name, pieces });
            }
        }
        None
    }
}

/// The pieces of one object, in order.
pub(crate) struct Set {
    pub(crate) name: Vec<u8>,
    pieces: Vec<Kept>,
}

impl Set {
    /// The records of the pieces.
    pub(crate) fn records(&self) -> Vec<ObjectId> {
        self.pieces.iter().filter_map(|kept| kept.record).collect()
    }

    /// How many bytes the joined object has.
    pub(crate) fn size(&self) -> u64 {
        self.pieces.iter().map(|kept| kept.content.len() as u64).sum()
    }

    /// The joined object; the pieces go.
    pub(crate) fn join(self) -> Bytes {
        let contents: Vec<_> = self.pieces.iter().map(|kept| &kept.content[..]).collect();
        contents.concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> Option<String> {
        let piece = Piece::of_name(name.as_bytes())?;
        Some(format!("{} {}", String::from_utf8(piece.set).unwrap(), piece.number))
    }

    #[test]
    fn names_of_volumes_say_their_set_and_order() {
        for (name, expected) in [
            ("A.7z.001", "a.7z 1"),
            ("a.zip.010", "a.zip 10"),
            ("a.part03.rar", "a.rar 3"),
            ("a.part1.exe", "a.rar 1"),
            ("a.rar", "a.rar 0"),
            ("a.r00", "a.rar 1"),
            ("a.s00", "a.rar 101"),
            ("a.z01", "a.zip 2"),
            ("a.zip", "a.zip 4294967295"),
            ("a.arj", "a.arj 0"),
            ("a.a01", "a.arj 2"),
        ] {
            assert_eq!(shown(name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_volumes() {
        for name in ["", "a", "a.exe", "report.pdf", "a.partx.rar.txt", "mail.2024", ".zip", "a.b1"]
        {
            assert_eq!(shown(name), None, "{name}");
        }
    }
}
