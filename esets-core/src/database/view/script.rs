//! The scripts of a page, written alike whoever obfuscated them.
//!
//! Comments and white space are dropped, names that are declared are numbered in their order,
//! strings that are joined are one, `unescape` and `eval` of a string are done.

use std::io::Write as _;
use std::ops::Range;

use super::lexer::{Lexer, Token};
use super::scopes::Scopes;

/// The view of all scripts of a page.
pub(in crate::database) fn scripts(page: &[u8], places: &[Range<usize>]) -> Vec<u8> {
    let mut view = Vec::new();
    for place in places {
        let script = page.get(place.clone()).unwrap_or_default();
        let separator: &[u8] = if view.is_empty() { b"" } else { b"\n" };
        view.extend(separator);
        view.extend(b"<script>");
        let names = Writer::new(script.len(), Scopes::new()).run(script).names;
        let mut written = Writer::new(script.len(), names.again()).run(script).written;
        written.make_ascii_lowercase();
        view.append(&mut written);
        view.extend(b"</script>");
    }
    view
}

/// What a token was, and where it begins in what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Unescape,
    Eval,
    Text,
    Dot,
    Plus,
    Open,
    Other,
}

struct Writer {
    written: Vec<u8>,
    names: Scopes,
    /// The last tokens; more are never looked at.
    last: [(Kind, usize); KEPT],
    /// How many bytes may be written a second time.
    spare: usize,
}

impl Writer {
    fn new(length: usize, names: Scopes) -> Self {
        let spare = length.saturating_mul(SPARE);
        Self { written: Vec::new(), names, last: [(Kind::Other, 0); KEPT], spare }
    }

    fn run(mut self, script: &[u8]) -> Self {
        self.tokens(script, 0);
        self
    }

    fn tokens(&mut self, script: &[u8], depth: u8) {
        let mut tokens = Lexer::new(script).peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Word(place) => self.word(script.get(place).unwrap_or_default()),
                Token::Number(place) => {
                    self.separate();
                    self.put(script.get(place).unwrap_or_default(), Kind::Word);
                }
                Token::Text(place) => self.text(script.get(place).unwrap_or_default()),
                Token::Regex(place) => self.put(script.get(place).unwrap_or_default(), Kind::Other),
                Token::Sign(b')') if self.is_call() => {
                    if self.call(depth) {
                        // What is put in the place of a statement is one.
                        tokens.next_if_eq(&Token::Sign(b';'));
                    }
                }
                Token::Sign(sign) => self.sign(sign),
            }
        }
    }

    /// Writes a token.
    fn put(&mut self, token: &[u8], kind: Kind) {
        let start = self.written.len();
        self.written.extend(token);
        self.note(kind, start);
    }

    fn note(&mut self, kind: Kind, start: usize) {
        self.last.rotate_left(1);
        let [.., last] = &mut self.last;
        *last = (kind, start);
    }

    /// Forgets the last tokens.
    fn forget(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.last.rotate_right(1);
            let [first, ..] = &mut self.last;
            *first = (Kind::Other, 0);
        }
    }

    /// Writes a space if the token before would run into the next.
    fn separate(&mut self) {
        if matches!(self.last, [.., (Kind::Word | Kind::Unescape | Kind::Eval, _)]) {
            self.written.push(b' ');
        }
    }

    fn word(&mut self, word: &[u8]) {
        let start = self.written.len();
        self.separate();
        let is_member = matches!(self.last, [.., (Kind::Dot, _)]);
        let number = if is_member { None } else { self.names.word(word) };
        let kind = match word {
            b"unescape" => Kind::Unescape,
            b"eval" => Kind::Eval,
            _ => Kind::Word,
        };
        self.note(kind, start);
        let _ = match number {
            // Writing to memory does not fail.
            Some(number) => write!(self.written, "n{number:03}"),
            None => self.written.write_all(word),
        };
    }

    fn sign(&mut self, sign: u8) {
        self.names.sign(sign);
        let kind = match sign {
            b'.' => Kind::Dot,
            b'+' => Kind::Plus,
            b'(' => Kind::Open,
            _ => Kind::Other,
        };
        self.put(&[sign], kind);
    }

    fn text(&mut self, text: &[u8]) {
        self.open_text();
        unquote(text, &mut self.written);
        self.written.push(b'"');
    }

    /// Begins a string, or goes on with the one that it is joined to.
    fn open_text(&mut self) {
        if let [.., (Kind::Text, _), (Kind::Plus, plus)] = self.last {
            self.written.truncate(plus.saturating_sub(1));
            self.forget(1);
        } else {
            self.put(b"\"", Kind::Text);
        }
    }

    /// Whether a bracket closes a call that is done here.
    fn is_call(&self) -> bool {
        let [.., (name, start), (open, _), (text, _)] = self.last;
        matches!(name, Kind::Unescape | Kind::Eval)
            && (open, text) == (Kind::Open, Kind::Text)
            && self.written.len().saturating_sub(start) <= self.spare
    }

    /// Does a call of one string; whether it was `eval`.
    fn call(&mut self, depth: u8) -> bool {
        let [.., (name, start), _, (_, text)] = self.last;
        if name == Kind::Eval && depth == DEEPEST {
            self.sign(b')');
            return false;
        }
        self.names.sign(b')');
        self.spare = self.spare.saturating_sub(self.written.len().saturating_sub(start));
        let end = self.written.len().saturating_sub(1);
        let content = self.written.get(text.saturating_add(1)..end).unwrap_or_default().to_vec();
        self.written.truncate(start);
        self.forget(3);
        if name == Kind::Eval {
            self.tokens(&content, depth.saturating_add(1));
        } else {
            self.open_text();
            unescape(&content, &mut self.written);
            self.written.push(b'"');
        }
        name == Kind::Eval
    }
}

/// Writes what a string between quotes means.
fn unquote(mut text: &[u8], out: &mut Vec<u8>) {
    loop {
        text = match text {
            [] => return,
            [b'\\', b'x', rest @ ..] => coded(rest, 2, out),
            [b'\\', b'u', rest @ ..] => coded(rest, 4, out),
            [b'\\', b'n' | b't' | b'r', rest @ ..] | [b'\t' | b'\n' | b'\r', rest @ ..] => {
                out.push(b' ');
                rest
            }
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                rest
            }
            [b'\\', rest @ ..] | [0, rest @ ..] => rest,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

/// Writes what `unescape` makes of a string.
fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    loop {
        text = match text {
            [] => return,
            [b'%', b'u' | b'U', rest @ ..] => coded(rest, 4, out),
            [b'%', rest @ ..] => coded(rest, 2, out),
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

/// Writes the character that `digits` hexadecimal digits stand for, if they are there.
fn coded<'t>(text: &'t [u8], digits: usize, out: &mut Vec<u8>) -> &'t [u8] {
    let Some((code, rest)) = text.split_at_checked(digits) else { return text };
    let code = std::str::from_utf8(code).ok().filter(|code| !code.starts_with('+'));
    let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
    match code.and_then(char::from_u32) {
        Some('\0') => rest,
        Some(character) => {
            out.extend(character.encode_utf8(&mut [0; 4]).bytes());
            rest
        }
        None => text,
    }
}

/// A call has three tokens, and two more join what it gives to a string before.
const KEPT: usize = 6;
/// A script may be written so often because of calls in it that are done.
const SPARE: usize = 4;
/// So deep `eval` is done in what `eval` was given.
const DEEPEST: u8 = 4;
