//! Objects of PDF as trees, read without recursion and within bounds.

use super::lexer::{Lexer, Token};

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Array(Vec<Value>),
    Dict(Vec<(Vec<u8>, Value)>),
    Name(Vec<u8>),
    Number(i64),
    /// The number of another object.
    Reference(u32),
    Text(Vec<u8>),
    /// `true`, `false`, `null` and garbage.
    Word(Vec<u8>),
}

impl Value {
    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.pairs().iter().find(|(name, _)| name == key.as_bytes()).map(|(_, value)| value)
    }

    /// Keys and values of a dictionary.
    pub(super) fn pairs(&self) -> &[(Vec<u8>, Value)] {
        if let Self::Dict(pairs) = self { pairs } else { &[] }
    }

    /// The elements of an array, or the value by itself.
    pub(super) fn elements(&self) -> &[Value] {
        if let Self::Array(values) = self { values } else { std::slice::from_ref(self) }
    }

    pub(super) fn name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn reference(&self) -> Option<u32> {
        if let Self::Reference(number) = self { Some(*number) } else { None }
    }

    pub(super) fn text(&self) -> Option<&[u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether the key has this name for a value.
    pub(super) fn is(&self, key: &str, name: &str) -> bool {
        self.get(key).and_then(Value::name) == Some(name.as_bytes())
    }

    /// Calls `visit` with every dictionary in the value, itself included.
    pub(super) fn each_dict<'v>(&'v self, visit: &mut dyn FnMut(&'v Value)) {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match value {
                Self::Array(values) => open.extend(values),
                Self::Dict(pairs) => {
                    visit(value);
                    open.extend(pairs.iter().map(|(_, value)| value));
                }
                _ => {}
            }
        }
    }
}

/// An object as it was read.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Where the data of its stream begin.
    pub(super) data: Option<usize>,
    /// Where reading ended.
    pub(super) end: usize,
    /// Whether it has more values than are read.
    pub(super) is_cut: bool,
}

/// Reads the object that begins at `at`, up to its end or to whatever cannot be in it.
pub(super) fn parse(bytes: &[u8], at: usize) -> Parsed {
    let mut lexer = Lexer::new(bytes, at);
    let mut builder = Builder::default();
    let mut data = None;
    while let Some(token) = lexer.next() {
        if let Token::Word(b"stream") = token {
            data = Some(behind_line(bytes, lexer.position()));
            break;
        }
        let is_end = matches!(token, Token::Word(b"endobj" | b"obj" | b"startxref" | b"endstream"));
        if is_end || builder.count >= MAX_VALUES {
            break;
        }
        builder.take(token);
    }
    let is_cut = builder.count >= MAX_VALUES;
    Parsed { value: builder.finish(), data, end: lexer.position(), is_cut }
}

/// Behind the line break that ends the word `stream`.
fn behind_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let count = match rest.get(blanks..) {
        Some([b'\r', b'\n', ..]) => blanks.saturating_add(2),
        Some([b'\r' | b'\n', ..]) => blanks.saturating_add(1),
        _ => 0,
    };
    at.saturating_add(count)
}

/// Puts words together.
#[derive(Default)]
struct Builder {
    /// What has been opened, outermost first: whether a dictionary, and what it holds by now.
    open: Vec<(bool, Vec<Value>)>,
    top: Vec<Value>,
    /// How many more were opened than may be.
    deeper: usize,
    count: usize,
}

impl Builder {
    fn take(&mut self, token: Token<'_>) {
        self.count = self.count.saturating_add(1);
        match token {
            Token::ArrayOpen => self.open(false),
            Token::DictOpen => self.open(true),
            Token::ArrayClose | Token::DictClose => self.close(),
            Token::Name(name) => self.push(Value::Name(name)),
            Token::Number(number) => self.push(Value::Number(number)),
            Token::Text(text) => self.push(Value::Text(text)),
            Token::Word(b"R") => self.refer(),
            Token::Word(word) => self.push(Value::Word(word.to_vec())),
        }
    }

    fn level(&mut self) -> &mut Vec<Value> {
        self.open.last_mut().map_or(&mut self.top, |(_, values)| values)
    }

    fn push(&mut self, value: Value) {
        self.level().push(value);
    }

    fn open(&mut self, is_dict: bool) {
        if self.open.len() < MAX_DEPTH {
            self.open.push((is_dict, Vec::new()));
        } else {
            self.deeper = self.deeper.saturating_add(1);
        }
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper = self.deeper.saturating_sub(1);
        } else if let Some((is_dict, values)) = self.open.pop() {
            self.push(if is_dict { dict(values) } else { Value::Array(values) });
        }
    }

    /// Makes a reference of the two numbers before.
    fn refer(&mut self) {
        let level = self.level();
        if let [.., Value::Number(number), Value::Number(_)] = level.as_slice() {
            let number = u32::try_from(*number).unwrap_or(u32::MAX);
            level.truncate(level.len().saturating_sub(2));
            level.push(Value::Reference(number));
        }
    }

    fn finish(mut self) -> Value {
        self.deeper = 0;
        while !self.open.is_empty() {
            self.close();
        }
        self.top.into_iter().next().unwrap_or(Value::Word(Vec::new()))
    }
}

/// Pairs of keys and values; what is no key where one is due is left out.
fn dict(values: Vec<Value>) -> Value {
    let mut pairs = Vec::new();
    let mut values = values.into_iter();
    while let Some(key) = values.next() {
        let Value::Name(key) = key else { continue };
        let Some(value) = values.next() else { break };
        pairs.push((key, value));
    }
    Value::Dict(pairs)
}

/// More than the largest array of a real document.
const MAX_VALUES: usize = 200_000;
/// Arrays and dictionaries deeper than this are read as part of what they lie in.
const MAX_DEPTH: usize = 64;

/// Bytes that [`parse`] may take for an object in so many.
pub(super) fn memory(size: usize) -> u64 {
    let values = size.min(MAX_VALUES).saturating_mul(size_of::<(Vec<u8>, Value)>());
    values.saturating_add(size) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_becomes_a_tree() {
        let parsed = parse(b"<< /A [1 2 0 R (x)] /B << /C /D >> >>\nstream\r\nxyz", 0);
        let array = parsed.value.get("A").unwrap().elements();
        assert_eq!(array, [Value::Number(1), Value::Reference(2), Value::Text(b"x".to_vec())]);
        assert!(parsed.value.get("B").unwrap().is("C", "D"));
        assert_eq!(parsed.data, Some(46));
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = b"[".repeat(1_000_000);
        let parsed = parse(&deep, 0);
        assert!(parsed.is_cut && parsed.end < 300_000);
    }

    #[test]
    fn what_is_not_closed_is_read() {
        assert!(parse(b"<< /A [ /B << /C (x) endobj", 0).value.get("A").is_some());
    }
}
