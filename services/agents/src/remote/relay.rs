//! One connection: who is it, and then whatever it says.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use esets_client::frame::Frame;
use esets_client::{FromClient, FromDaemon, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Connect;

/// What all connections have in common.
pub(super) struct Relay {
    pub(super) acceptor: TlsAcceptor,
    /// The word that lets a client in.
    pub(super) token: Option<String>,
    pub(super) connect: Connect,
    /// Places for clients that have not shown yet who they are.
    pub(super) strangers: Arc<Semaphore>,
    /// Places for those that have.
    pub(super) guests: Arc<Semaphore>,
}

impl Relay {
    /// Serves a client until it hangs up.
    pub(super) async fn serve(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // What is wrong with a stranger is nobody's trouble but its own.
        let Ok(Ok(Some((stream, hello)))) = timeout(GREETING, self.greet(stream)).await else {
            return;
        };
        drop(place);
        let mut stream = stream;
        let Ok(_guest) = Arc::clone(&self.guests).try_acquire_owned() else {
            return say_no(&mut stream, "too many clients").await;
        };
        let connect = Arc::clone(&self.connect);
        match spawn_blocking(move || connect()).await {
            // A connection that breaks has nobody to tell it to.
            Ok(Ok(daemon)) => drop(pass(stream, daemon, &hello).await),
            _ => say_no(&mut stream, "the daemon does not answer").await,
        }
    }

    /// Lets a client in, and returns the first frame that it sent; `None` if it may not come in.
    async fn greet(
        &self,
        stream: TcpStream,
    ) -> io::Result<Option<(TlsStream<TcpStream>, Vec<u8>)>> {
        let mut stream = self.acceptor.accept(stream).await?;
        let mut head = [0; 5];
        stream.read_exact(&mut head).await?;
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        if length > LONGEST_HELLO {
            say_no(&mut stream, "the first frame is too long").await;
            return Ok(None);
        }
        let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut body).await?;
        let frame = [&head[..], &body].concat();
        let said = match FromClient::decode(&Frame { kind, body }) {
            Ok(FromClient::Hello(hello)) => hello.token.unwrap_or_default(),
            _ => {
                say_no(&mut stream, "the first frame is not a hello").await;
                return Ok(None);
            }
        };
        if self.token.as_ref().is_some_and(|token| !is_same(token, &said)) {
            say_no(&mut stream, "the token is missing or wrong").await;
            return Ok(None);
        }
        Ok(Some((stream, frame)))
    }
}

/// Passes on what both sides say, until one of them hangs up.
async fn pass(
    stream: TlsStream<TcpStream>,
    daemon: std::os::unix::net::UnixStream,
    hello: &[u8],
) -> io::Result<()> {
    daemon.set_nonblocking(true)?;
    let (mut from_daemon, mut to_daemon) = UnixStream::from_std(daemon)?.into_split();
    to_daemon.write_all(hello).await?;
    let (mut from_client, mut to_client) = split(stream);
    let is_told = tokio::select! {
        _ = copy(&mut from_daemon, &mut to_client) => true,
        _ = copy(&mut from_client, &mut to_daemon) => false,
    };
    if is_told {
        let stream = from_client.unsplit(to_client);
        end(stream).await;
    }
    Ok(())
}

/// Tells a client why it may not come in.
async fn say_no(stream: &mut TlsStream<TcpStream>, why: &str) {
    let mut bytes = Vec::new();
    let refusal = FromDaemon::Refusal(Refusal { id: 0, why: why.to_owned() });
    if refusal.encode(&mut bytes).is_ok() {
        let said = async {
            stream.write_all(&bytes).await?;
            stream.shutdown().await?;
            listen(stream).await
        };
        let _ = timeout(FAREWELL, said).await;
    }
}

/// Ends a connection so that the client gets what was said last, which a plain end would take from
/// it if it still sends.
async fn end(mut stream: TlsStream<TcpStream>) {
    let ended = async {
        stream.shutdown().await?;
        listen(&mut stream).await
    };
    let _ = timeout(FAREWELL, ended).await;
}

/// Hears a client out.
async fn listen(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4 << 10];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Compares in a time that says nothing of where the difference is.
fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let differences = pairs.fold(0, |all, (left, right)| all | (left ^ right));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

/// How long a client may take to show who it is.
const GREETING: Duration = Duration::from_secs(10);
/// How long it is heard out.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes of the longest first frame.
const LONGEST_HELLO: u32 = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_word_is_the_same() {
        assert!(is_same("open sesame", "open sesame"));
        for other in ["", "open sesamE", "open sesame ", "open", "Open sesame"] {
            assert!(!is_same("open sesame", other), "{other}");
        }
    }
}
