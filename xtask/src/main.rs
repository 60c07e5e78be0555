//! The project's own chores: `cargo xtask CHORE`.

fn main() {}
