//! The operating system's edge: maps, descriptors, the confinement of a process.
//!
//! With the C ABI this is the only crate with `unsafe` code. What only Linux has stands here too,
//! behind functions that have an answer on the BSDs and Solaris: a protection that a system does
//! not have, or refuses, is a [`Refusal`] for the caller to report, never silently off.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let (file, about) = esets_sys::open_regular(Path::new("mail.eml"))?;
//! assert_eq!(file.metadata()?.len(), about.len());
//! # Ok::<(), std::io::Error>(())
//! ```

mod confine;
mod descriptor;
mod isolate;
mod map;
mod open;
mod peer;
mod program;
#[cfg(target_os = "linux")]
mod system_calls;
mod systemd;

pub use confine::{Confinement, Duty, Refusal, confine, die_with_parent};
pub use descriptor::{receive, send, send_some};
pub use isolate::{Reach, is_readable, leave_network, limit_reach, raise_open_files};
pub use map::{Mapping, map, memory_file};
pub use open::{open_found, open_regular, remove_same};
pub use peer::{own_user, peer_user};
pub use program::own_program;
#[cfg(debug_assertions)]
pub use program::segfault;
pub use systemd::inherited_socket;
