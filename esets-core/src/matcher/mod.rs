//! Finds patterns in objects: [`program`] is their compiled form, [`run`] executes one at a place,
//! [`search`] finds the places.

mod program;
mod run;
mod search;

pub(crate) use program::{Compiled, compile};
pub(crate) use run::{Exhausted, Steps};
pub(crate) use search::find;
