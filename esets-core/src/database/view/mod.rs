//! Views of an object: the same content in another spelling, searched on its own.
//!
//! Text is written in lower case with one space for any white space and without what is not ASCII.
//! HTML is written three times: with its tags and no comments, without tags, and its scripts only.
//! That is how ClamAV writes both before signatures for text or HTML see them. A view is made only
//! if the database has a signature that may lie in it.

mod entity;
mod lexer;
mod page;
mod scopes;
mod script;
mod text;

use std::collections::BTreeSet;

use crate::signature::{Target, Targets};

pub(super) use page::{Link, Page};
pub(super) use script::scripts;
pub(super) use text::normalise as text;

/// The section: one bit for each target that patterns are for (2).
pub(super) fn build(targets: &BTreeSet<Target>) -> Vec<u8> {
    let bits = targets.iter().fold(0_u16, |bits, target| bits | 1 << *target as u8);
    if bits == 0 { Vec::new() } else { bits.to_le_bytes().to_vec() }
}

/// Whether an object of these targets has a view as `target` that a signature asks for.
pub(super) fn is_asked(section: &[u8], targets: Targets, target: Target) -> bool {
    let asked = section.first_chunk().map_or(0, |bits| u16::from_le_bytes(*bits));
    let asks = |target: Target| asked >> target as u8 & 1 == 1;
    targets.contains(target) && (asks(Target::Any) || asks(target))
}

/// Bytes of memory for each byte of a page: what takes the most room is written twice as long.
pub(super) const PAGE_FACTOR: u64 = 5;
/// Bytes of memory for each byte of a script: a function of ten bytes takes two hundred for its
/// names.
pub(super) const SCRIPT_FACTOR: u64 = 24;
