//! The filters of UPX for x86 code: targets of calls and jumps are stored as addresses, the
//! highest byte first, which compresses better than distances.

use crate::verdict::Reason;

/// Turns the targets in `code` back into distances; `base` is where it lies for the filter.
///
/// # Errors
/// [`Reason::Unsupported`] for the filters of other processors.
pub(super) fn undo(code: &mut [u8], filter: u8, mark: u8, base: u32) -> Result<(), Reason> {
    let mut jumps = Jumps { is_marked: true, has_call: true, has_jump: true, has_branch: false };
    match filter {
        0 => return Ok(()),
        0x14..=0x16 => jumps.is_marked = false,
        0x24..=0x26 | 0x46 => {}
        0x36 | 0x49 => jumps.has_branch = true,
        _ => return Err(Reason::unsupported("UPX filter")),
    }
    match filter {
        0x14 | 0x24 => jumps.has_jump = false,
        0x15 | 0x25 => jumps.has_call = false,
        _ => {}
    }
    let mut at = 0_usize;
    let mut behind_last = 0_usize;
    // The packer stops one byte before the last place for an operand.
    while let Some([first, second, third, fourth, _]) =
        code.get(at.saturating_add(1)..at.saturating_add(6))
    {
        let is_ours = !jumps.is_marked || *first == mark;
        if !(jumps.begin_at(code, at, behind_last) && is_ours) {
            at = at.saturating_add(1);
            continue;
        }
        let target = u32::from_be_bytes([*first, *second, *third, *fourth]);
        let mark = if jumps.is_marked { u32::from(mark) << 24 } else { 0 };
        let place = u32::try_from(at.saturating_add(1)).unwrap_or(u32::MAX);
        let distance = target.wrapping_sub(mark).wrapping_sub(base).wrapping_sub(place);
        let operand = code.iter_mut().skip(at.saturating_add(1));
        operand.zip(distance.to_le_bytes()).for_each(|(to, from)| *to = from);
        at = at.saturating_add(5);
        behind_last = at;
    }
    Ok(())
}

/// Which instructions a filter has changed.
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of instruction")]
struct Jumps {
    /// Whether only those whose address begins with the mark.
    is_marked: bool,
    has_call: bool,
    has_jump: bool,
    has_branch: bool,
}

impl Jumps {
    fn begin_at(&self, code: &[u8], at: usize, behind_last: usize) -> bool {
        match code.get(at) {
            Some(0xe8) => self.has_call,
            Some(0xe9) => self.has_jump,
            Some(0x80..=0x8f) => {
                let before = at.checked_sub(1).and_then(|before| code.get(before));
                self.has_branch && at != behind_last && before == Some(&0x0f)
            }
            _ => false,
        }
    }
}
