//! The words of PDF: ISO 32000-2, 7.2 and 7.3. Whatever is malformed is read as far as it goes.

/// One word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `[`
    ArrayOpen,
    /// `]`
    ArrayClose,
    /// `<<`
    DictOpen,
    /// `>>`
    DictClose,
    /// A name without its slash, `#xx` decoded.
    Name(Vec<u8>),
    /// The whole part of a number.
    Number(i64),
    /// A string of either kind, decoded.
    Text(Vec<u8>),
    /// Anything else: `obj`, `R`, `true`, garbage.
    Word(&'a [u8]),
}

/// Takes words off bytes.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// How many bytes lie before the next word.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next word, `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = self.skip_space()?;
            self.at = self.at.saturating_add(1);
            return Some(match byte {
                b'[' => Token::ArrayOpen,
                b']' => Token::ArrayClose,
                b'<' if self.peek() == Some(b'<') => {
                    self.at = self.at.saturating_add(1);
                    Token::DictOpen
                }
                b'<' => Token::Text(self.hex()),
                b'>' if self.peek() == Some(b'>') => {
                    self.at = self.at.saturating_add(1);
                    Token::DictClose
                }
                b'(' => Token::Text(self.literal()),
                b'/' => Token::Name(self.name()),
                b')' | b'>' | b'{' | b'}' => continue,
                _ => self.word(),
            });
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    /// Skips white space and comments; the byte behind them is not taken.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.peek()? {
                b'%' => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let line = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    self.at = self.at.saturating_add(line);
                }
                byte if is_space(byte) => self.at = self.at.saturating_add(1),
                byte => return Some(byte),
            }
        }
    }

    /// A word or a number, of which one byte is already taken.
    fn word(&mut self) -> Token<'a> {
        let start = self.at.saturating_sub(1);
        while self.peek().is_some_and(|byte| !is_space(byte) && !is_delimiter(byte)) {
            self.at = self.at.saturating_add(1);
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        number(word).map_or(Token::Word(word), Token::Number)
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !is_space(*byte) && !is_delimiter(*byte)) {
            self.at = self.at.saturating_add(1);
            let escaped = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<2>());
            let code = escaped.and_then(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
            match code.filter(|_| byte == b'#') {
                Some(code) => {
                    name.push(code);
                    self.at = self.at.saturating_add(2);
                }
                None => name.push(byte),
            }
        }
        name
    }

    fn hex(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut high = None;
        while let Some(byte) = self.bump().filter(|byte| *byte != b'>') {
            let Some(low) = digit(byte) else { continue };
            match high.take() {
                Some(high) => text.push(high << 4 | low),
                None => high = Some(low),
            }
        }
        text.extend(high.map(|high| high << 4));
        text
    }

    fn literal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 1_u64;
        while let Some(byte) = self.bump() {
            match byte {
                b'\\' => text.extend(self.escape()),
                b'(' => {
                    depth = depth.saturating_add(1);
                    text.push(byte);
                }
                b')' if depth == 1 => break,
                b')' => {
                    depth = depth.saturating_sub(1);
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
        text
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<u8> {
        match self.bump()? {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'b' => Some(8),
            b'f' => Some(12),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at = self.at.saturating_add(1);
                }
                None
            }
            b'\n' => None,
            first @ b'0'..=b'7' => Some(self.octal(first)),
            byte => Some(byte),
        }
    }

    fn octal(&mut self, first: u8) -> u8 {
        let mut code = first.wrapping_sub(b'0');
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek() else { break };
            self.at = self.at.saturating_add(1);
            code = code << 3 | digit.wrapping_sub(b'0');
        }
        code
    }
}

/// The value of a hexadecimal digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn number(word: &[u8]) -> Option<i64> {
    let text = str::from_utf8(word).ok()?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Token<'_> {
        Lexer::new(bytes, 0).next().unwrap()
    }

    #[test]
    fn strings_are_decoded() {
        assert_eq!(first(b"(a\\(b(c)\\101\\7\\\r\n\\n)"), Token::Text(b"a(b(c)A\x07\n".to_vec()));
        assert_eq!(first(b"<41 4\n2 7>"), Token::Text(b"ABp".to_vec()));
        assert_eq!(first(b"(open"), Token::Text(b"open".to_vec()));
    }

    #[test]
    fn names_are_decoded() {
        assert_eq!(first(b"%note\n/Fl#61te#4"), Token::Name(b"Flate#4".to_vec()));
    }

    #[test]
    fn numbers_and_words_are_told_apart() {
        assert_eq!(first(b"-12.5 "), Token::Number(-12));
        assert_eq!(first(b"endobj<<"), Token::Word(b"endobj"));
    }
}
