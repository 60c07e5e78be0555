//! A [`Filter`] that asks the daemon.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

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
    connect: Box<dyn Fn() -> io::Result<UnixStream> + Send + Sync>,
    idle: Mutex<Vec<Client>>,
}

impl DaemonFilter {
    /// Asks the daemon that listens on this socket.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::over(move || UnixStream::connect(&path))
    }

    /// Asks over connections that are made in this way.
    pub fn over(connect: impl Fn() -> io::Result<UnixStream> + Send + Sync + 'static) -> Self {
        Self { connect: Box::new(connect), idle: Mutex::default() }
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
            Err(ClientError::Io(_)) => self.scan(None, &request, content),
            outcome => outcome,
        }
    }

    fn scan(
        &self,
        client: Option<Client>,
        request: &Request,
        content: Content<'_>,
    ) -> Result<Answer, ClientError> {
        let connect = || Client::over((self.connect)().map_err(ClientError::Connect)?);
        let mut client = client.map_or_else(connect, Ok)?;
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
