//! Context to plan to decision: what happens to an object, and which line of which file said so.

pub use esets_core as core;

pub mod config;
