//! Names of objects that make a worker misbehave, for tests of a debug build that was started with
//! `--test-faults`.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

/// Does what the name of the object says.
pub(super) fn happen(name: &[u8], is_second: bool) {
    match name.strip_prefix(b"fault-").unwrap_or_default() {
        b"crash" => esets_sys::segfault(),
        b"exit" => std::process::exit(7),
        b"hang" => endless_loop(),
        b"memory" => endless_memory(),
        b"second-hang" if is_second => endless_loop(),
        b"slow" => thread::sleep(Duration::from_millis(300)),
        _ => {}
    }
}

fn endless_loop() {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

fn endless_memory() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; 16 << 20]));
    }
}
