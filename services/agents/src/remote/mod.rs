//! The daemon's own protocol over TLS, for programs on other machines.
//!
//! A client shows a certificate, says a word, or both, as the configuration wants it; before that
//! the daemon hears nothing of it. What it says after that is passed on as it comes, to a
//! connection of the daemon that may not command, and over which no descriptor can travel.

mod relay;
mod tls;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::{Agent, Listener, Post};

use relay::Relay;

/// The row of the table.
pub static AGENT: Agent = Agent {
    name: "remote",
    reads_files: false,
    about: "the daemon's own protocol over TLS, for programs on other machines",
    run,
};

/// Who the agent is, and how it knows its clients. All but the word are PEM (RFC 7468).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The own certificate, and those between it and a root.
    pub certificate: String,
    /// The private key of that certificate.
    pub key: String,
    /// Certificates; each client must have one that one of them signed.
    pub ca: Option<String>,
    /// The word that each client must say.
    pub token: Option<String>,
}

impl Credentials {
    /// Whether an agent can serve with them.
    ///
    /// # Errors
    /// What cannot be read, what does not fit together, or that clients need neither a certificate
    /// nor a word.
    pub fn check(&self) -> Result<(), String> {
        if self.ca.is_none() && self.token.is_none() {
            return Err("clients need tls_ca, tls_token or both".to_owned());
        }
        if self.token.as_ref().is_some_and(|token| token.len() < SHORTEST_TOKEN) {
            return Err(format!("tls_token has less than {SHORTEST_TOKEN} bytes"));
        }
        tls::acceptor(self).map(drop)
    }
}

/// Secrets are not printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

fn run(mut post: Post) -> io::Result<()> {
    let listeners = std::mem::take(&mut post.listeners);
    let credentials = post.credentials.take().ok_or(io::ErrorKind::InvalidInput)?;
    let acceptor = tls::acceptor(&credentials).map_err(io::Error::other)?;
    let strangers = Arc::new(Semaphore::new(MOST_STRANGERS));
    let guests = Arc::new(Semaphore::new(MOST_GUESTS));
    let token = credentials.token;
    let relay = Arc::new(Relay { acceptor, token, connect: post.connect, strangers, guests });
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    runtime.block_on(async move {
        let doors = listeners.into_iter().filter_map(|listener| match listener {
            Listener::Tcp(listener) => Some(tokio::spawn(attend(listener, Arc::clone(&relay)))),
            Listener::Unix(_) => None,
        });
        for door in doors.collect::<Vec<_>>() {
            door.await.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

async fn attend(listener: TcpListener, relay: Arc<Relay>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        // Further clients wait in the system.
        let place = Arc::clone(&relay.strangers).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, _)) => {
                keep_alive(&stream);
                let relay = Arc::clone(&relay);
                // A client that is not let in was told why, if it could be told.
                tokio::spawn(async move { relay.serve(stream, place).await });
            }
            // No descriptors are left; some will be.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Finds out about clients that are gone without a word, so that they do not take places for ever.
fn keep_alive(stream: &TcpStream) {
    // Without it they stay until the agent ends.
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    let _ = stream.set_nodelay(true);
}

/// The shortest word that lets a client in.
pub const SHORTEST_TOKEN: usize = 16;
/// Clients at a time that have not shown yet who they are.
const MOST_STRANGERS: usize = 128;
/// Clients at a time that were let in.
const MOST_GUESTS: usize = 1000;
