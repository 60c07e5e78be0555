//! The names that a script declares, and the numbers that stand for them.

use std::collections::HashMap;

/// What is declared in a script, function by function.
#[derive(Debug)]
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    /// The scope that is read now.
    current: usize,
    /// How many functions were met in this reading.
    met: usize,
    declared: u32,
    state: State,
    /// How many brackets are open.
    depth: u32,
    /// Whether names are declared: in the first of two readings.
    is_first: bool,
}

#[derive(Debug, Default)]
struct Scope {
    names: HashMap<Vec<u8>, u32>,
    parent: usize,
    /// How many brackets were open before its function began.
    depth: u32,
}

/// What the next name may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Anything,
    /// The name of a variable.
    Variable,
    /// Something behind a variable, and how many brackets were open there.
    BehindVariable(u32),
    /// The name of a function.
    Function,
    /// The names of what a function is given.
    Parameters,
    /// The brace that begins a function.
    Body,
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self {
            scopes: vec![Scope::default()],
            current: 0,
            met: 0,
            declared: 0,
            state: State::Anything,
            depth: 0,
            is_first: true,
        }
    }

    /// Begins the second reading.
    pub(super) fn again(self) -> Self {
        Self { scopes: self.scopes, is_first: false, ..Self::new() }
    }

    /// Sees a word that stands behind no dot; what it is written as if it is a declared name.
    pub(super) fn word(&mut self, word: &[u8]) -> Option<u32> {
        match (word, self.state) {
            (b"function", _) => {
                self.enter();
                return None;
            }
            (b"var", _) => {
                self.state = State::Variable;
                return None;
            }
            (_, State::Variable) => {
                self.declare(word);
                self.state = State::BehindVariable(self.depth);
            }
            (_, State::Function | State::Parameters) => self.declare(word),
            _ => {}
        }
        self.number_of(word)
    }

    /// Sees a sign.
    pub(super) fn sign(&mut self, sign: u8) {
        match sign {
            b'(' | b'[' | b'{' => self.depth = self.depth.saturating_add(1),
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.state = match (self.state, sign) {
            (State::Function, b'(') => State::Parameters,
            (State::Parameters, b')') => State::Body,
            (State::Parameters, _) => State::Parameters,
            // Of those in a function only the first is declared.
            (State::BehindVariable(depth), b',') if depth == self.depth && self.current == 0 => {
                State::Variable
            }
            (State::BehindVariable(_), b';') => State::Anything,
            (State::BehindVariable(depth), _) => State::BehindVariable(depth),
            _ => State::Anything,
        };
        if sign == b'}' {
            self.leave();
        }
    }

    fn enter(&mut self) {
        self.met = self.met.saturating_add(1);
        if self.is_first {
            let parent = self.current;
            self.scopes.push(Scope { parent, depth: self.depth, ..Scope::default() });
        }
        self.current = self.met;
        self.state = State::Function;
    }

    fn leave(&mut self) {
        if let Some(scope) = self.scopes.get(self.current)
            && self.current > 0
            && scope.depth >= self.depth
        {
            self.current = scope.parent;
        }
    }

    fn declare(&mut self, word: &[u8]) {
        if self.is_first
            && let Some(scope) = self.scopes.get_mut(self.current)
        {
            scope.names.insert(word.to_vec(), self.declared);
            self.declared = self.declared.saturating_add(1);
        }
    }

    /// The number of a name, from the inner function outwards.
    fn number_of(&self, word: &[u8]) -> Option<u32> {
        let mut number = self.current;
        for _ in 0..DEEPEST {
            let scope = self.scopes.get(number)?;
            if let Some(known) = scope.names.get(word) {
                return Some(*known);
            }
            if number == 0 {
                return None;
            }
            number = scope.parent;
        }
        None
    }
}

/// Names of functions further out than this stay as they are; every name is looked for in each.
const DEEPEST: usize = 64;
