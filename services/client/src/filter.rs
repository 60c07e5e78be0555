//! A [`Filter`] that asks the daemon.

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
#[derive(Debug)]
pub struct DaemonFilter {
    path: PathBuf,
    idle: Mutex<Vec<Client>>,
}

impl DaemonFilter {
    /// Asks the daemon that listens on this socket.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), idle: Mutex::default() }
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
        // The daemon may have been started anew since the connection was used last.
        let mut clients = self.take().into_iter().map(Ok).chain([Client::connect(&self.path)]);
        let mut outcome = self.try_with(clients.next(), &request, content);
        if matches!(outcome, Err(ClientError::Io(_))) {
            outcome = self.try_with(clients.next(), &request, content);
        }
        outcome
    }

    fn try_with(
        &self,
        client: Option<Result<Client, ClientError>>,
        request: &Request,
        content: Content<'_>,
    ) -> Result<Answer, ClientError> {
        let mut client = client.unwrap_or_else(|| Client::connect(&self.path))?;
        let answer = client.scan(request, content)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        Ok(answer)
    }

    fn take(&self) -> Option<Client> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
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
