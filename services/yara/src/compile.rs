//! From sources to rules: what does not compile costs itself only.

use std::fmt;
use std::path::Path;

use yara_x::errors::CompileError;
use yara_x::{Compiler, SourceCode};

use crate::rules::{EXTERNALS, Rules};

/// A file with rules.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'s> {
    /// Where it was read from; `include` looks in its folder.
    pub path: &'s Path,
    /// What is in it.
    pub bytes: &'s [u8],
}

/// What came out of the sources.
#[derive(Debug)]
pub struct Compiled {
    /// The rules that compile.
    pub rules: Rules,
    /// What does not, in the order of the sources.
    pub rejected: Vec<Rejected>,
}

/// An error in a source, with what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The file, as its path was given.
    pub file: String,
    /// The line, counted from 1; 0 if the error has no place in this file.
    pub line: usize,
    /// What is wrong.
    pub cause: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.cause)
    }
}

/// Compiles sources, each as a namespace.
///
/// A rule that does not compile is rejected with those that need it. One exception: `global` rules
/// decide about all rules of their file, so an error in a file that has some rejects the file.
#[must_use]
pub fn compile(sources: &[SourceFile<'_>]) -> Compiled {
    let mut compiler = compiler();
    let mut rejected = Vec::new();
    let mut namespace = String::new();
    for source in sources {
        if source.has_global_rules() {
            let errors = source.try_alone();
            if !errors.is_empty() {
                rejected.extend(errors);
                continue;
            }
        }
        // Rules of the same name in two files are no conflict.
        namespace.push('n');
        compiler.new_namespace(&namespace);
        let before = compiler.errors().len();
        // The first error is one of those that the compiler keeps.
        let _ = source.add_to(&mut compiler);
        let errors = compiler.errors().iter().skip(before);
        rejected.extend(errors.map(|error| source.rejected(error)));
    }
    Compiled { rules: Rules::new(compiler.build()), rejected }
}

fn compiler<'c>() -> Compiler<'c> {
    let mut compiler = Compiler::new();
    // Public rules are written for the older, more lenient YARA.
    compiler.relaxed_re_syntax(true).enable_includes(true).switch_all_warnings(false);
    for name in EXTERNALS {
        let defined = compiler.define_global(name, "");
        debug_assert!(defined.is_ok(), "each name is defined once");
    }
    compiler
}

impl SourceFile<'_> {
    fn add_to(&self, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
        if let Some(folder) = self.path.parent() {
            compiler.add_include_dir(folder);
        }
        let origin = self.path.display().to_string();
        compiler.add_source(SourceCode::from(self.bytes).with_origin(origin)).map(|_| ())
    }

    fn has_global_rules(&self) -> bool {
        self.bytes
            .split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
            .any(|word| word == b"global")
    }

    fn try_alone(&self) -> Vec<Rejected> {
        let mut compiler = compiler();
        let _ = self.add_to(&mut compiler);
        compiler.errors().iter().map(|error| self.rejected(error)).collect()
    }

    fn rejected(&self, error: &CompileError) -> Rejected {
        let file = self.path.display().to_string();
        let here = error.labels().find(|label| label.origin() == Some(&file));
        let mut cause = error.title().to_owned();
        if let Some(label) = error.labels().find(|label| !label.text().is_empty()) {
            cause.push_str(": ");
            cause.push_str(label.text());
        }
        let line = here.map_or(0, |label| self.line_of(label.span().start()));
        Rejected { file, line, cause }
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = self.bytes.get(..offset).unwrap_or(self.bytes);
        before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
    }
}
