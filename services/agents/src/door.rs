//! Listening sockets, and the threads that stand before them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Listener, Stream};

/// How many threads stand before each socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff {
    /// Connections at a time; further clients wait.
    pub(crate) most: usize,
    /// Threads that wait for connections; more of them end.
    pub(crate) most_waiting: usize,
    /// Bytes of stack of each.
    pub(crate) stack: usize,
}

/// Serves the clients of these sockets for as long as the process lives.
pub(crate) fn serve<S>(listeners: Vec<Listener>, staff: Staff, serve: S) -> io::Result<()>
where
    S: Fn(Stream) + Send + Sync + 'static,
{
    let serve = Arc::new(serve);
    let doors = listeners.into_iter().map(|listener| {
        let (waiting, all) = (AtomicUsize::new(1), AtomicUsize::new(1));
        Arc::new(Door { serve: Arc::clone(&serve), staff, listener, waiting, all })
    });
    let threads: Vec<_> = doors.map(|door| thread::spawn(move || door.attend(true))).collect();
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// A listening socket and the threads before it: each takes a connection, serves it to its end, and
/// comes back. There is always one that waits, until there are too many; then clients do.
struct Door<S> {
    serve: Arc<S>,
    staff: Staff,
    listener: Listener,
    /// Threads that wait for a connection.
    waiting: AtomicUsize,
    /// Threads.
    all: AtomicUsize,
}

impl<S: Fn(Stream) + Send + Sync + 'static> Door<S> {
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
            (self.serve)(stream);
            let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
            if waiting >= self.staff.most_waiting && !is_first {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.all.fetch_sub(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Starts a thread that waits, if there may be more of them.
    fn call_another(self: &Arc<Self>) {
        let may = |all: usize| (all < self.staff.most).then_some(all.saturating_add(1));
        if self.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, may).is_err() {
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let door = Arc::clone(self);
        let thread = thread::Builder::new().stack_size(self.staff.stack);
        if thread.spawn(move || door.attend(false)).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.all.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
