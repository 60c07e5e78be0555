//! Mail messages as hostile input.
