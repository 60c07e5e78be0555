//! The protocol of clamd, as in clamd(8): everything that speaks to clamd can speak to this.

pub mod proto;
mod reply;
mod session;
mod walk;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Agent, Listener, Post};

use session::Session;

/// The row of the table.
pub static AGENT: Agent =
    Agent { name: "clamd", about: "the protocol of clamd, for programs that speak it", run };

/// What all connections have in common.
pub(crate) struct Desk {
    post: Post,
    connections: AtomicUsize,
    /// Bytes of streams that may still come in.
    memory: AtomicU64,
}

fn run(mut post: Post) -> io::Result<()> {
    let listeners = std::mem::take(&mut post.listeners);
    let connections = AtomicUsize::new(0);
    let desk = Arc::new(Desk { post, connections, memory: AtomicU64::new(STREAM_MEMORY) });
    let doors = listeners.into_iter().map(|listener| {
        let (waiting, all) = (AtomicUsize::new(1), AtomicUsize::new(1));
        Arc::new(Door { desk: Arc::clone(&desk), listener, waiting, all })
    });
    let threads: Vec<_> = doors.map(|door| thread::spawn(move || door.attend(true))).collect();
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// A listening socket and the threads before it: each takes a connection, serves it to its end, and
/// comes back. There is always one that waits, until there are too many; then clients do.
struct Door {
    desk: Arc<Desk>,
    listener: Listener,
    /// Threads that wait for a connection.
    waiting: AtomicUsize,
    /// Threads.
    all: AtomicUsize,
}

impl Door {
    /// What a thread does; the first of them never ends.
    fn attend(self: &Arc<Self>, is_first: bool) {
        loop {
            let Ok(stream) = self.listener.accept() else {
                // No descriptors are left; some will be.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            if self.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.call_another();
            }
            self.desk.connections.fetch_add(1, Ordering::Relaxed);
            // A client that breaks the connection has nobody to tell it to.
            let _ = Session::new(stream, &self.desk).serve();
            self.desk.connections.fetch_sub(1, Ordering::Relaxed);
            let enough = self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING;
            if enough && !is_first {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.all.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Starts a thread that waits, if there may be more of them.
    fn call_another(self: &Arc<Self>) {
        let may = |all: usize| (all < MOST_CONNECTIONS).then_some(all.saturating_add(1));
        if self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may).is_err() {
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let door = Arc::clone(self);
        let thread = thread::Builder::new().stack_size(STACK);
        if thread.spawn(move || door.attend(false)).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.all.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

const MOST_CONNECTIONS: usize = 1000;
/// Threads that wait for connections; more of them end.
const MOST_WAITING: usize = 64;
const STACK: usize = 256 << 10;
const STREAM_MEMORY: u64 = 1 << 30;
