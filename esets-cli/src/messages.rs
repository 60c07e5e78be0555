//! What a person has to know, on standard error.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::print::quoted;

/// Writes messages under the program's name, and stops when there are too many: amavisd-new reads
/// standard error together with the answers, and keeps only 200 KiB.
#[derive(Debug)]
pub(crate) struct Messages {
    program: &'static str,
    left: usize,
    said: BTreeSet<String>,
}

impl Messages {
    pub(crate) fn new(program: &'static str) -> Self {
        Self { program, left: MOST, said: BTreeSet::new() }
    }

    /// The same without an end: for who asks what is wrong with all of something.
    pub(crate) fn all(program: &'static str) -> Self {
        Self { left: usize::MAX, ..Self::new(program) }
    }

    /// One message that is not repeated.
    pub(crate) fn say_once(&mut self, message: &str) {
        if self.said.insert(message.to_owned()) {
            self.say(message);
        }
    }

    /// One message; it may be about hostile bytes, so it is made one line that cannot deceive.
    pub(crate) fn say(&mut self, message: &str) {
        let line = quoted(message.as_bytes());
        let Some(left) = self.left.checked_sub(line.len()) else {
            if self.left > 0 {
                self.write("further messages are left out");
            }
            self.left = 0;
            return;
        };
        self.left = left;
        self.write(&line);
    }

    fn write(&self, line: &str) {
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(io::stderr(), "{}: {line}", self.program);
    }
}

/// Bytes of messages.
const MOST: usize = 32 << 10;
