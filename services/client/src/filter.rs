//! A [`Filter`] that asks the daemon.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use esets_policy::core::{Object, Reason, Verdict};
use esets_policy::{Context, Filter, Outcome};

use crate::client::{Client, Content, Request};
use crate::error::ClientError;
use crate::message::{Answer, Envelope, Want};

/// Asks the daemon what happens to objects; any number of threads may ask at a time.
///
/// Connections are kept for the next object. An object for which there is no answer is "not
/// scanned" for a fault, and deferred.
pub struct DaemonFilter {
    connect: Box<dyn Fn() -> Result<Client, ClientError> + Send + Sync>,
    idle: Mutex<Vec<Client>>,
    patience: Option<Duration>,
}

impl DaemonFilter {
    /// Asks the daemon that listens on this socket, if [`connect`] trusts it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::over(move || connect(&path))
    }

    /// Asks over connections that are made in this way.
    pub fn over(connect: impl Fn() -> io::Result<UnixStream> + Send + Sync + 'static) -> Self {
        Self::by(move || Client::over(connect().map_err(ClientError::Connect)?))
    }

    /// Asks a daemon on another machine.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn remote(remote: crate::Remote) -> Self {
        Self::by(move || Client::remote(&remote))
    }

    fn by(connect: impl Fn() -> Result<Client, ClientError> + Send + Sync + 'static) -> Self {
        Self { connect: Box::new(connect), idle: Mutex::default(), patience: None }
    }

    /// Gives up on a daemon that says nothing for so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// What happens to an object.
    ///
    /// # Errors
    /// The daemon cannot be reached or refuses.
    pub fn ask(
        &self,
        name: &[u8],
        content: Content<'_>,
        context: &Context<'_>,
    ) -> Result<Answer, ClientError> {
        let envelope = Envelope::of(context);
        let request =
            Request { name: name.to_vec(), envelope, want: Want::Decision, progress: false };
        let Some(client) = self.take() else { return self.scan(None, &request, content) };
        match self.scan(Some(client), &request, content) {
            // The daemon was started anew since the connection was used last.
            Err(ClientError::Io(error)) if !is_silence(&error) => {
                self.scan(None, &request, content)
            }
            outcome => outcome,
        }
    }

    fn scan(
        &self,
        client: Option<Client>,
        request: &Request,
        content: Content<'_>,
    ) -> Result<Answer, ClientError> {
        let connect = || {
            let client = (self.connect)()?;
            client.set_patience(self.patience)?;
            Ok(client)
        };
        let mut client = client.map_or_else(connect, Ok::<_, ClientError>)?;
        let outcome = client.scan(request, content);
        if !matches!(outcome, Err(ClientError::Io(_) | ClientError::Protocol(_))) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
        outcome
    }

    fn take(&self) -> Option<Client> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Connects to a socket on which root or the caller's own user listens: anybody can make a socket
/// in a folder that all may write to, and what answers there says what is clean.
///
/// # Errors
/// Nobody listens there, or somebody else ([`io::ErrorKind::PermissionDenied`]).
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = UnixStream::connect(path)?;
    let user = esets_sys::peer_user(&socket, path)?;
    if user != 0 && user != esets_sys::own_user() {
        let why = format!("{}: user {user} listens there, neither root nor you", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(socket)
}

/// Whether nothing came, and not an end.
fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

impl fmt::Debug for DaemonFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaemonFilter").finish_non_exhaustive()
    }
}

impl Filter for DaemonFilter {
    fn handle(&self, object: &Object<'_>, context: &Context<'_>) -> Outcome {
        let answer = self.ask(object.name(), Content::Bytes(object.bytes()), context);
        answer.map_or_else(
            |error| {
                let reason = Reason::Fault(error.to_string().into());
                Outcome::new(Some(Verdict::not_scanned(object.name(), reason)), Vec::new())
            },
            |answer| answer.outcome,
        )
    }
}
