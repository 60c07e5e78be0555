//! The interceptors: what other programs speak to ESETS.
//!
//! Each agent is a row of [`AGENTS`] and a folder with `proto.rs`, a state machine without I/O,
//! and `session.rs`, which reads and writes. `esets_daemon` runs each in a process of its own and
//! hands it its sockets and a way to ask for scans.
//!
//! ```
//! assert_eq!(esets_agents::find("clamd").map(|agent| agent.name), Some("clamd"));
//! ```

pub mod clamd;
mod door;
mod listener;
pub mod metrics;
pub mod remote;

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use esets_client::DaemonFilter;

pub use listener::{Listener, Stream};

/// One agent.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agent {
    /// Its name, which is that of its section in `esets.cfg`.
    pub name: &'static str,
    /// Whether it opens files, which it may do with the rights of its account.
    pub reads_files: bool,
    /// One line of explanation.
    pub about: &'static str,
    /// Serves until its sockets are closed.
    pub run: fn(Post) -> io::Result<()>,
}

/// Every agent, by name.
pub static AGENTS: &[&Agent] = &[&clamd::AGENT, &metrics::AGENT, &remote::AGENT];

/// Finds an agent by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Agent> {
    AGENTS.iter().copied().find(|agent| agent.name == name)
}

/// Makes a connection to the daemon.
pub type Connect = Arc<dyn Fn() -> io::Result<UnixStream> + Send + Sync>;

/// What an agent is given.
pub struct Post {
    /// Where it is spoken to.
    pub listeners: Vec<Listener>,
    /// Whom it asks.
    pub filter: DaemonFilter,
    /// A further connection to the daemon, on which nothing was said yet.
    pub connect: Connect,
    /// Asks the daemon to read its configuration and database anew.
    pub reload: Box<dyn Fn() + Send + Sync>,
    /// Bytes of the longest object that is taken.
    pub longest: u64,
    /// Who it is to its clients, if its protocol has that.
    pub credentials: Option<remote::Credentials>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}
