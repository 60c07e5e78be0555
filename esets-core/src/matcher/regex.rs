//! Regular expressions: in linear time where that is possible, else by backtracking with a limit.

use fancy_regex::{BytesMode, RegexBuilder, RegexInput};
use regex_automata::meta::{Config, Regex as Automaton};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::necessary::{self, GRAM};
use super::{Exhausted, Steps};
use crate::signature::RegexFlags;

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) enum Regex {
    Automaton(Box<Automaton>),
    /// With references to groups, or assertions about what lies around.
    Backtracking(Box<fancy_regex::Regex>),
}

impl Regex {
    /// Compiles an expression; `None` if no engine takes it.
    pub(crate) fn new(pattern: &str, flags: RegexFlags) -> Option<Self> {
        let automaton =
            Automaton::builder().configure(config()).syntax(syntax(flags)).build(pattern);
        if let Ok(automaton) = automaton {
            return Some(Self::Automaton(Box::new(automaton)));
        }
        // The other engine cannot make repetitions lazy.
        let mut builder = RegexBuilder::new(pattern);
        builder
            .bytes_mode(BytesMode::Ascii)
            .backtrack_limit(BACKTRACKS)
            .case_insensitive(flags.has('i'))
            .delegate_dfa_size_limit(CACHE)
            .delegate_size_limit(NFA)
            .dot_matches_new_line(flags.has('s'))
            .multi_line(flags.has('m'))
            .verbose_mode(flags.has('x'));
        let regex = builder.build().ok().filter(|_| !flags.has('U'))?;
        Some(Self::Backtracking(Box::new(regex)))
    }

    /// Whether an engine takes the expression.
    pub(crate) fn is_sound(pattern: &str, flags: RegexFlags) -> bool {
        Self::new(pattern, flags).is_some()
    }

    /// The runs of [`GRAM`] bytes, in lower case, of which all that it matches has some: from each
    /// list at least one.
    pub(crate) fn grams(pattern: &str, flags: RegexFlags) -> Vec<Vec<[u8; GRAM]>> {
        let hir = syntax::parse_with(pattern, &syntax(flags));
        hir.map(|hir| necessary::grams(&hir)).unwrap_or_default()
    }

    /// The first match in `data` from `from` on.
    pub(crate) fn find(
        &self,
        data: &[u8],
        from: usize,
        is_anchored: bool,
        steps: &mut Steps,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        if from > data.len() {
            return Ok(None);
        }
        match self {
            Self::Automaton(automaton) => {
                let anchored = if is_anchored { Anchored::Yes } else { Anchored::No };
                let found = automaton.find(Input::new(data).range(from..).anchored(anchored));
                let end = found.map_or(data.len(), |found| found.end());
                let bytes = end.saturating_sub(from).saturating_add(BYTES_PER_STEP);
                steps.take(bytes.checked_div(BYTES_PER_STEP).unwrap_or_default())?;
                Ok(found.map(|found| (found.start(), found.end())))
            }
            Self::Backtracking(regex) => {
                let input = RegexInput::new(data).from_pos(from).anchored(is_anchored);
                let found = regex.find_input(input).map_err(|_| Exhausted)?;
                let end = found.as_ref().map_or(data.len(), |found| found.end());
                steps.take(end.saturating_sub(from).saturating_add(1))?;
                Ok(found.map(|found| (found.start(), found.end())))
            }
        }
    }
}

fn config() -> Config {
    Config::new()
        .hybrid_cache_capacity(CACHE)
        .nfa_size_limit(Some(NFA))
        .onepass_size_limit(Some(CACHE))
        .utf8_empty(false)
}

fn syntax(flags: RegexFlags) -> syntax::Config {
    syntax::Config::new()
        .case_insensitive(flags.has('i'))
        .dot_matches_new_line(flags.has('s'))
        .ignore_whitespace(flags.has('x'))
        .multi_line(flags.has('m'))
        .swap_greed(flags.has('U'))
        .unicode(false)
        .utf8(false)
}

/// The most that one expression may take of memory, in bytes, compiled and while it searches.
const NFA: usize = 4 << 20;
const CACHE: usize = 1 << 20;
/// How often one search may go back.
const BACKTRACKS: usize = 2_000_000;
/// How many bytes are passed over for the price of one comparison.
const BYTES_PER_STEP: usize = 16;
