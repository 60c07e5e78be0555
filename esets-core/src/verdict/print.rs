//! The tree as text: golden file, log and `esets_scan --tree` at once; `?` and `!` are greppable.

use std::fmt::{self, Write as _};

use super::{Record, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, record) in self.records.iter().enumerate() {
            let indent = self.lineage(index).skip(1).count().saturating_mul(2);
            writeln!(f, "{:indent$}{record}", "")?;
        }
        Ok(())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: &[u8] = if self.name.is_empty() { b"(no name)" } else { &self.name };
        write!(f, "{} [{}] {}", Printable(name), self.formats.join(","), self.size)?;
        for detection in &self.detections {
            write!(f, " !{}", detection.name)?;
        }
        for reason in &self.not_scanned {
            write!(f, " ?{reason}")?;
        }
        for defect in &self.defects {
            write!(f, " ~{defect}")?;
        }
        Ok(())
    }
}

/// Raw bytes as one line of text that cannot deceive a reader: what is not UTF-8 is shown as
/// `\xNN`, control characters and those that turn the direction of writing as `\u{NNNN}`.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if deceives(character) {
                    write!(f, "\\u{{{:x}}}", u32::from(character))?;
                } else {
                    f.write_char(character)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Control characters, line and paragraph separators, and bidirectional controls (UAX #9).
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_keeps_its_direction() {
        let name = "a\n\u{202e}fdp.exe".as_bytes();
        assert_eq!(Printable(name).to_string(), "a\\u{a}\\u{202e}fdp.exe");
        assert_eq!(Printable(b"caf\xe9").to_string(), "caf\\xe9");
    }
}
