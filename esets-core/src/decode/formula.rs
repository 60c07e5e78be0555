//! Formulas of Excel 97 to 2003 as text, token by token: \[MS-XLS\] 2.5.198.

use crate::cursor::{Cursor, Truncated};
use crate::decode::utf16_le;

/// Writes the tokens in their order, which puts a function behind what it is applied to; ends
/// quietly where they break off or make no sense.
pub(crate) fn write(tokens: &[u8], line: &mut Vec<u8>) {
    let mut cursor = Cursor::new(tokens);
    let start = line.len();
    while let Ok(Some(())) = token(&mut cursor, line) {
        if line.len() > start && !line.ends_with(b" ") {
            line.push(b' ');
        }
    }
    if line.len() > start && line.ends_with(b" ") {
        line.pop();
    }
}

/// Writes a string of `length` characters behind its flags; returns the bytes it takes.
pub(crate) fn text(length: usize, bytes: &[u8], line: &mut Vec<u8>) -> usize {
    let Some((flags, rest)) = bytes.split_first() else { return 0 };
    let is_wide = flags & 1 != 0;
    let size = if is_wide { length.saturating_mul(2) } else { length };
    let content = rest.get(..size).unwrap_or(rest);
    if is_wide {
        line.extend_from_slice(utf16_le(content).as_bytes());
    } else {
        let letters: String = content.iter().copied().map(char::from).collect();
        line.extend_from_slice(letters.as_bytes());
    }
    content.len().saturating_add(1)
}

/// Writes one token; `None` behind the last.
fn token(cursor: &mut Cursor<'_>, line: &mut Vec<u8>) -> Result<Option<()>, Truncated> {
    let token = cursor.u8()?;
    let base = if token < 0x20 { token } else { token & 0x1F | 0x20 };
    match base {
        STRING => string(cursor, line)?,
        ATTRIBUTE => attribute(cursor)?,
        INTEGER => line.extend_from_slice(cursor.u16_le()?.to_string().as_bytes()),
        NUMBER => {
            let number = f64::from_bits(cursor.u64_le()?);
            line.extend_from_slice(number.to_string().as_bytes());
        }
        FUNCTION => function(cursor.u16_le()?, line),
        FUNCTION_VARIABLE => {
            cursor.u8()?; // how many arguments
            function(cursor.u16_le()?, line);
        }
        0x03..=0x16 => line.extend_from_slice(operator(base)),
        _ => match SIZES.iter().find(|(token, _)| *token == base) {
            Some((_, size)) => drop(cursor.take(*size)?),
            None => return Ok(None),
        },
    }
    Ok(Some(()))
}

fn string(cursor: &mut Cursor<'_>, line: &mut Vec<u8>) -> Result<(), Truncated> {
    let length = cursor.u8()?.into();
    line.push(b'"');
    let taken = text(length, cursor.rest(), line);
    line.push(b'"');
    cursor.take(taken).map(drop)
}

/// Steps over what only guides the computation.
fn attribute(cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let kind = cursor.u8()?;
    let count = cursor.u16_le()?;
    if kind & CHOOSE != 0 {
        cursor.take(usize::from(count).saturating_add(1).saturating_mul(2))?;
    }
    Ok(())
}

fn function(id: u16, line: &mut Vec<u8>) {
    match FUNCTIONS.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => line.extend_from_slice(name.as_bytes()),
        None => line.extend_from_slice(format!("FUNCTION.{id}").as_bytes()),
    }
}

fn operator(token: u8) -> &'static [u8] {
    const OPERATORS: [&[u8]; 20] = [
        b"+", b"-", b"*", b"/", b"^", b"&", b"<", b"<=", b"=", b">=", b">", b"<>", b" ", b",",
        b":", b"+", b"-", b"%", b"", b"",
    ];
    OPERATORS.get(usize::from(token.saturating_sub(3))).copied().unwrap_or_default()
}

const STRING: u8 = 0x17;
const ATTRIBUTE: u8 = 0x19;
const INTEGER: u8 = 0x1E;
const NUMBER: u8 = 0x1F;
const FUNCTION: u8 = 0x21;
const FUNCTION_VARIABLE: u8 = 0x22;
const CHOOSE: u8 = 0x04;

/// Bytes behind every other token: references, names, arrays.
const SIZES: &[(u8, usize)] = &[
    (0x01, 4),
    (0x02, 4),
    (0x1C, 1),
    (0x1D, 1),
    (0x20, 7),
    (0x23, 4),
    (0x24, 4),
    (0x25, 8),
    (0x26, 6),
    (0x27, 6),
    (0x28, 6),
    (0x29, 2),
    (0x2A, 4),
    (0x2B, 8),
    (0x2C, 4),
    (0x2D, 8),
    (0x39, 6),
    (0x3A, 6),
    (0x3B, 10),
    (0x3C, 6),
    (0x3D, 10),
];

/// Names of functions that macros live on; \[MS-XLS\] 2.5.198.17 has all.
const FUNCTIONS: &[(u16, &str)] = &[
    (1, "IF"),
    (31, "MID"),
    (53, "GOTO"),
    (54, "HALT"),
    (55, "RETURN"),
    (74, "NOW"),
    (82, "SEARCH"),
    (88, "SET.NAME"),
    (96, "FORMULA"),
    (108, "SET.VALUE"),
    (110, "EXEC"),
    (111, "CHAR"),
    (128, "ISNUMBER"),
    (132, "FOPEN"),
    (133, "FCLOSE"),
    (138, "FWRITE"),
    (149, "REGISTER"),
    (150, "CALL"),
    (185, "GET.CELL"),
    (186, "GET.WORKSPACE"),
    (336, "CONCATENATE"),
    (0x8076, "ALERT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_words() {
        let mut line = Vec::new();
        write(b"\x17\x03\x00cmd\x17\x02\x01a\x00\xE9\x00\x08\x42\x01\x6E\x00", &mut line);
        assert_eq!(String::from_utf8_lossy(&line), "\"cmd\" \"a\u{e9}\" & EXEC");
    }
}
