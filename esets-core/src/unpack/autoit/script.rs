//! A script of tokens, written out as text.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// The text of a script, as far as its tokens make sense, and what is wrong with them.
pub(super) fn text(tokens: &[u8]) -> (Vec<u8>, Option<Reason>) {
    let mut cursor = Cursor::new(tokens);
    let mut script = Script { lines: 0, text: String::new() };
    let Ok(lines) = cursor.u32_le() else { return (Vec::new(), Some(Reason::Truncated)) };
    let mut flaw = None;
    while script.lines < lines && flaw.is_none() {
        flaw = script.token(&mut cursor).err();
    }
    (script.text.into_bytes(), flaw)
}

struct Script {
    lines: u32,
    text: String,
}

impl Script {
    fn token(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        match cursor.u8()? {
            END => {
                self.lines = self.lines.saturating_add(1);
                self.text.truncate(self.text.trim_end_matches(' ').len());
                self.text.push_str("\r\n");
                return Ok(());
            }
            kind @ (0 | 1) => {
                let names = if kind == 0 { "keyword" } else { "function" };
                self.put(&format!("{names}{}", cursor.u32_le()?));
            }
            5 => self.put(&cursor.u32_le()?.cast_signed().to_string()),
            0x10 => self.put(&cursor.u64_le()?.cast_signed().to_string()),
            0x20 => self.put(&decimal(f64::from_bits(cursor.u64_le()?))),
            kind @ 0x30..=0x3f => {
                let text = string(cursor)?;
                match kind {
                    0x32 => self.put(&format!("@{text}")),
                    0x33 => self.put(&format!("${text}")),
                    0x35 => self.put(&format!(".{text}")),
                    0x36 => self.put(&format!("\"{}\"", text.replace('"', "\"\""))),
                    _ => self.put(&text),
                }
            }
            kind => {
                let place = usize::from(kind).checked_sub(0x40);
                let sign = place.and_then(|place| SIGNS.get(place));
                self.put(sign.ok_or(Reason::corrupt("token"))?);
            }
        }
        Ok(())
    }

    /// Writes a token behind a blank, where that is usual.
    fn put(&mut self, token: &str) {
        let is_tight = matches!(token, ")" | "]" | "," | "(" | "[") || token.starts_with('.');
        if is_tight && self.text.ends_with(' ') {
            self.text.pop();
        }
        self.text.push_str(token);
        if !matches!(token, "(" | "[") {
            self.text.push(' ');
        }
    }
}

/// A number as AutoIt writes it; one that is very large or small with an exponent.
fn decimal(number: f64) -> String {
    let is_usual = number == 0.0 || (1e-4..1e15).contains(&number.abs());
    if is_usual { number.to_string() } else { format!("{number:e}") }
}

/// A text in UTF-16, each unit mixed with the length.
fn string(cursor: &mut Cursor<'_>) -> Result<String, Truncated> {
    let length = cursor.u32_le()?;
    let bytes = usize::try_from(length).ok().and_then(|length| length.checked_mul(2));
    let bytes = cursor.take(bytes.ok_or(Truncated)?)?;
    let [low, high, ..] = length.to_le_bytes();
    let units = bytes.as_chunks().0.iter();
    let units = units.map(|unit| u16::from_le_bytes(*unit) ^ u16::from_le_bytes([low, high]));
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

const END: u8 = 0x7f;

/// Signs from 0x40 on.
static SIGNS: [&str; 25] = [
    ",", "=", ">", "<", "<>", ">=", "<=", "(", ")", "+", "-", "/", "*", "&", "[", "]", "==", "^",
    "+=", "-=", "/=", "*=", "&=", "?", ":",
];
