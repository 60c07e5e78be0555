//! The C interface, seen from C. A missing compiler or checker is a failure.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends where it fails")]

mod abi;
mod daemon;
mod declarations;
mod perl;
mod programs;
mod python;
mod toolchain;
