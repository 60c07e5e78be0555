//! Views of an object: the same content in another spelling, searched on its own.
//!
//! Text is written in lower case with one space for any white space and without what is not ASCII,
//! as ClamAV writes it before signatures for text see it. A view is made only if the database has
//! a signature that may lie in it.

use std::collections::BTreeSet;

use crate::signature::{Target, Targets};

/// The section: one bit for each target that patterns are for (2).
pub(super) fn build(targets: &BTreeSet<Target>) -> Vec<u8> {
    let bits = targets.iter().fold(0_u16, |bits, target| bits | 1 << *target as u8);
    if bits == 0 { Vec::new() } else { bits.to_le_bytes().to_vec() }
}

/// The view of an object as text, if it is text and a signature asks for it.
pub(super) fn text(section: &[u8], targets: Targets, bytes: &[u8]) -> Option<Vec<u8>> {
    let asked = section.first_chunk().map_or(0, |bits| u16::from_le_bytes(*bits));
    let is_asked = |target: Target| asked >> target as u8 & 1 == 1;
    let is_wanted = is_asked(Target::Any) || is_asked(Target::Text);
    (is_wanted && targets.contains(Target::Text)).then(|| normalise(bytes))
}

/// Never longer than the bytes.
fn normalise(bytes: &[u8]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    let mut last = 0;
    text.retain_mut(|byte| {
        let next = match byte {
            b'\t'..=b'\r' | b' ' if last == b' ' => return false,
            b'\t'..=b'\r' | b' ' => b' ',
            b'!'..=0x7f => byte.to_ascii_lowercase(),
            _ => return false,
        };
        (*byte, last) = (next, next);
        true
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_in_lower_case_with_single_spaces() {
        let text = normalise(b" \r\n Lead \xc3\xa9t\t\x0b\x0c Caf\xe9 \x0001\x1b23\n\n");
        assert_eq!(text, b" lead t caf 0123 ");
    }
}
