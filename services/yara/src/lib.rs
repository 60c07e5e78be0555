//! YARA rules for the scanner, through `yara-x`: imports, includes, external variables, global and
//! private rules as its documentation describes them.
//!
//! The rules of a file are a namespace of their own. A rule that does not compile costs itself and
//! those that need it; see [`compile`]. A match is a detection by the name of the rule.
//!
//! This crate is opt-in: `yara-x` compiles rules to machine code with a compiler of its own, which
//! makes programs several times larger.

mod compile;
mod rules;

pub use compile::{Compiled, Rejected, SourceFile, compile};
pub use rules::{Rules, RulesError};
