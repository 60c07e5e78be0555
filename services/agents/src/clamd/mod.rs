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
    let desk = Arc::new(Desk {
        post,
        connections: AtomicUsize::new(0),
        memory: AtomicU64::new(STREAM_MEMORY),
    });
    let threads = listeners.into_iter().map(|listener| {
        let desk = Arc::clone(&desk);
        thread::spawn(move || accept(&listener, &desk))
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

fn accept(listener: &Listener, desk: &Arc<Desk>) {
    loop {
        let Ok(stream) = listener.accept() else {
            // No descriptors are left; some will be.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        if desk.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            desk.connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let own = Arc::clone(desk);
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || {
            // A client that breaks the connection has nobody to tell it to.
            let _ = Session::new(stream, &own).serve();
            own.connections.fetch_sub(1, Ordering::Relaxed);
        });
        if thread.is_err() {
            desk.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

const MOST_CONNECTIONS: usize = 1000;
const STACK: usize = 256 << 10;
const STREAM_MEMORY: u64 = 1 << 30;
