//! Text in lower case, one space for any white space, ASCII only.

/// The view of `bytes`, never longer than they are.
pub(in crate::database) fn normalise(bytes: &[u8]) -> Vec<u8> {
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
