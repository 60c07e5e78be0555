//! The tokens of a script.

use std::ops::Range;

/// A token, as a place in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(Range<usize>),
    /// A number without the zeros before it.
    Number(Range<usize>),
    /// What is between quotes.
    Text(Range<usize>),
    /// A regular expression with its slashes and flags.
    Regex(Range<usize>),
    /// Another sign.
    Sign(u8),
}

/// Reads a script token by token. Two slashes are dropped and nothing else of a comment that ends
/// with its line: in a page that ClamAV has read no line ends.
pub(super) struct Lexer<'s> {
    script: &'s [u8],
    at: usize,
    /// Whether a slash would divide.
    is_behind_value: bool,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(script: &'s [u8]) -> Self {
        Self { script, at: 0, is_behind_value: false }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.script.get(self.at.saturating_add(ahead)).copied().unwrap_or_default()
    }

    /// Moves on over what `is_part` holds for.
    fn run(&mut self, is_part: impl Fn(&u8) -> bool) -> Range<usize> {
        let rest = self.script.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let start = self.at;
        self.at = start.saturating_add(length);
        start..self.at
    }

    fn number(&mut self) -> Range<usize> {
        let mut whole = self.run(u8::is_ascii_digit);
        let digits = self.script.get(whole.clone()).unwrap_or_default();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        whole.start = whole.start.saturating_add(zeros).min(whole.end.saturating_sub(1));
        if self.peek(0) == b'.' {
            self.at = self.at.saturating_add(1);
            let fraction = self.run(u8::is_ascii_digit);
            if !fraction.is_empty() {
                whole.end = fraction.end;
            }
        }
        whole
    }

    fn text(&mut self, quote: u8) -> Range<usize> {
        self.at = self.at.saturating_add(1);
        let start = self.at;
        while self.at < self.script.len() && self.peek(0) != quote {
            let step = if self.peek(0) == b'\\' { 2 } else { 1 };
            self.at = self.at.saturating_add(step);
        }
        let end = self.at.min(self.script.len());
        self.at = end.saturating_add(1);
        start..end
    }

    /// The end of a regular expression that begins here, if it ends in its line.
    fn regex(&mut self) -> Option<Range<usize>> {
        let rest = self.script.get(self.at..)?;
        let mut is_escaped = true;
        let end = rest.iter().position(|byte| {
            let ends = !is_escaped && *byte == b'/' || *byte == b'\n';
            is_escaped = !is_escaped && *byte == b'\\';
            ends
        })?;
        if rest.get(end) == Some(&b'\n') {
            return None;
        }
        let start = self.at;
        self.at = start.saturating_add(end).saturating_add(1);
        self.run(u8::is_ascii_alphabetic);
        Some(start..self.at)
    }

    fn comment(&mut self) {
        let rest = self.script.get(self.at..).unwrap_or_default();
        let end = memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end.saturating_add(2));
        self.at = self.at.saturating_add(end);
    }

    fn slash(&mut self) -> Option<Token> {
        match self.peek(1) {
            b'/' => {
                self.at = self.at.saturating_add(2);
                None
            }
            b'*' => {
                self.comment();
                None
            }
            _ => {
                let regex = if self.is_behind_value { None } else { self.regex() };
                Some(regex.map_or_else(|| self.sign(b'/'), Token::Regex))
            }
        }
    }

    fn sign(&mut self, byte: u8) -> Token {
        self.at = self.at.saturating_add(1);
        Token::Sign(byte)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let token = match *self.script.get(self.at)? {
                quote @ (b'"' | b'\'') => Token::Text(self.text(quote)),
                b'0'..=b'9' => Token::Number(self.number()),
                byte if is_word(byte) => Token::Word(self.run(|byte| is_word(*byte))),
                b'/' => match self.slash() {
                    Some(token) => token,
                    None => continue,
                },
                b'!' | b'%'..=b'.' | b':'..=b'?' | b'[' | b']' | b'^' | b'{'..=b'~' => {
                    self.sign(self.peek(0))
                }
                _ => {
                    self.at = self.at.saturating_add(1);
                    continue;
                }
            };
            self.is_behind_value = match &token {
                Token::Sign(sign) => matches!(sign, b')' | b']' | b'}'),
                _ => true,
            };
            return Some(token);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}
