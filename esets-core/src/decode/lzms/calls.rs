//! Undoes what LZMS does to programs for x86: places relative to an instruction had been made
//! absolute wherever code was likely.

/// Undoes it in a whole chunk.
pub(super) fn undo(data: &mut [u8]) {
    let end = data.len().saturating_sub(16);
    let mut last_met = vec![-NEAR - 1; 1 << 16];
    let mut last_code = -REACH - 1;
    let mut at = 1_usize;
    while at < end {
        let here = i32::try_from(at).unwrap_or(i32::MAX);
        let (length, reach) = match opcode(data.get(at..).unwrap_or_default()) {
            Opcode::None(length) => {
                at = at.saturating_add(length);
                continue;
            }
            Opcode::Relative { length, reach } => (length, reach),
        };
        let field = at.saturating_add(length);
        at = field.saturating_add(4);
        let Some(Ok(bytes)) = data.get_mut(field..at).map(<&mut [u8; 4]>::try_from) else { return };
        if here.saturating_sub(last_code) <= reach {
            *bytes = i32::from_le_bytes(*bytes).wrapping_sub(here).to_le_bytes();
        }
        let place = i32::from(i16::from_le_bytes([bytes[0], bytes[1]])).wrapping_add(here);
        // Two that mean the same place are code.
        let last = i32::try_from(at).unwrap_or(i32::MAX).saturating_sub(1);
        if let Some(met) = last_met.get_mut((place & 0xffff) as usize) {
            if last.saturating_sub(*met) <= NEAR {
                last_code = last;
            }
            *met = last;
        }
    }
}

enum Opcode {
    /// Goes on so many bytes further.
    None(usize),
    /// A place stands behind so many bytes; it is translated so far behind likely code.
    Relative { length: usize, reach: i32 },
}

fn opcode(code: &[u8]) -> Opcode {
    let relative = |length| Opcode::Relative { length, reach: REACH };
    match code {
        [0xe8, ..] => Opcode::Relative { length: 1, reach: REACH / 2 },
        [0xe9, ..] => Opcode::None(5),
        [0x48, 0x8b, 0x05 | 0x0d, ..] | [0xf0, 0x83, 0x05, ..] => relative(3),
        [0x48 | 0x4c, 0x8d, register, ..] if register & 7 == 5 => relative(3),
        [0xff, 0x15, ..] => relative(2),
        _ => Opcode::None(1),
    }
}

/// How far apart two that mean the same place may be.
const NEAR: i32 = 65_535;
const REACH: i32 = 1023;
