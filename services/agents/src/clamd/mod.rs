//! The protocol of clamd, as in clamd(8): everything that speaks to clamd can speak to this.

pub mod proto;
mod reply;
mod session;
mod walk;

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::door::{self, Staff};
use crate::{Agent, Post};

use session::Session;

/// The row of the table.
pub static AGENT: Agent = Agent {
    name: "clamd",
    reads_files: true,
    about: "the protocol of clamd, for programs that speak it",
    run,
};

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
    let desk = Desk { post, connections, memory: AtomicU64::new(STREAM_MEMORY) };
    door::serve(listeners, STAFF, move |stream| {
        desk.connections.fetch_add(1, Ordering::Relaxed);
        // A client that breaks the connection has nobody to tell it to.
        let _ = Session::new(stream, &desk).serve();
        desk.connections.fetch_sub(1, Ordering::Relaxed);
    })
}

const STAFF: Staff = Staff { most: MOST_CONNECTIONS, most_waiting: 64, stack: 256 << 10 };
const MOST_CONNECTIONS: usize = 1000;
const STREAM_MEMORY: u64 = 1 << 30;
