//! The programs as their callers meet them: arguments in, lines and exit codes out.

mod bad_input;
mod cleaning;
mod consumers;
mod definitions;
mod harness;
mod hostile_names;
mod many_files;
mod reports;
mod schema;
mod workers;
