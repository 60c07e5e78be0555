//! The C interface of the SDK, `libesets`. What each function does is told in `include/esets.h`;
//! a test compares the two.
//!
//! Every function checks its pointers, ends panics, and answers with numbers that never change.
//! Every type is opaque. An object may be shared between threads, also while another thread
//! changes it; only `..._free` must be the last call with its object.

mod border;
mod client;
mod context;
mod database;
mod decision;
mod detection;
mod input;
mod message;
mod outcome;
mod policy;
mod record;
mod result;
mod scan;
mod scanner;
mod session;
mod signatures;
mod verdict;

pub use border::esets_text_free;
pub use client::*;
pub use context::*;
pub use database::*;
pub use decision::*;
pub use detection::*;
pub use message::*;
pub use policy::*;
pub use record::*;
pub use result::*;
pub use scan::*;
pub use scanner::*;
pub use session::*;
pub use verdict::*;
