//! Finds patterns in objects.
//!
//! [`program`] is the compiled form of a pattern, [`run`] executes it at a place, [`search`] looks
//! for one pattern. All patterns at once are looked for by an [`anchor`] in each, rare bytes by the
//! measure of [`rarity`]: the [`prefilter`] says where there may be one, [`table`] whose it is.

mod anchor;
mod necessary;
mod places;
mod prefilter;
mod program;
mod rarity;
mod regex;
mod run;
mod search;
mod table;

pub(crate) use necessary::GRAM;
pub(crate) use prefilter::Prefilter;
pub(crate) use program::{Chain, Compiled, VEIL, compile};
pub(crate) use regex::Regex;
pub(crate) use run::{Exhausted, Steps};
pub(crate) use search::{each, find};
pub(crate) use table::{Candidate, Keys, Tables, Wanted};
