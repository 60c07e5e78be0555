//! The table of keys: one row per key, nothing anywhere else.
//!
//! To add a key, add its row; parser, nearest-name hints, `docs/keys.md`, esets.cfg(5) and the
//! commented default file all read the table.

mod agent;
mod daemon;
mod mail;
mod policy;
mod scan;
mod update;

use super::key::{Key, Kind, Origin, Place, State};

/// Every key, by theme; within a theme by name.
pub(super) static KEYS: &[&[Key]] =
    &[policy::KEYS, mail::KEYS, scan::KEYS, agent::KEYS, daemon::KEYS, update::KEYS];

/// A row, in the order of the columns of the tables.
const fn row(
    name: &'static str,
    places: &'static [Place],
    kind: Kind,
    default: &'static str,
    origin: Origin,
    state: State,
    doc: &'static str,
) -> Key {
    Key { name, places, kind, default, origin, state, doc }
}

/// Keys of the daemon alone.
const GLOBAL: &[Place] = &[Place::Global];
/// Keys that every agent may set for itself.
const AGENTS: &[Place] = &[Place::Global, Place::Agents];
/// Keys that may differ from one sender or recipient to another.
const POLICY: &[Place] = &[Place::Global, Place::Agents, Place::User];
