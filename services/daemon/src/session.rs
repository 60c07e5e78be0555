//! One connection of a client: reads requests, lets them be answered, writes the answers.

mod control;
mod requests;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use esets_client::{
    Answer, Ask, Event, FromDaemon, Incoming, MOST_OPEN, Progress, ProtocolError, Refusal, VERSION,
    Welcome,
};
use esets_policy::core::Reason;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::timeout;

use crate::draft::Draft;
use crate::metrics::Counter;
use crate::service::{Refused, Service};

/// What all connections have in common.
pub(crate) struct Desk {
    pub(crate) service: Arc<Service>,
    /// Bytes of contents that may still come in.
    pub(crate) memory: Arc<AtomicU64>,
    /// Stops the daemon.
    pub(crate) stop: Notify,
}

/// One connection.
pub(crate) struct Session {
    desk: Arc<Desk>,
    stream: UnixStream,
    incoming: Incoming,
    files: VecDeque<File>,
    /// Requests whose content is not complete.
    drafts: HashMap<u32, (Box<Ask>, Result<Draft, Reason>)>,
    /// Requests that are being answered; dropping them cancels them.
    running: JoinSet<Result<Answer, Refused>>,
    by_task: HashMap<Id, (u32, Vec<u8>)>,
    by_number: HashMap<u32, AbortHandle>,
    progress: (mpsc::Sender<Progress>, mpsc::Receiver<Progress>),
    stopping: watch::Receiver<bool>,
    /// Whether it may never command.
    is_guest: bool,
}

/// What came of a request.
type Done = Result<(Id, Result<Answer, Refused>), JoinError>;

/// What happens next in a connection.
enum Step {
    Done(Done),
    Progress(Progress),
    Read,
}

/// Why a connection ends.
enum End {
    Broken,
    Hangup,
    Protocol(ProtocolError),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl Session {
    pub(crate) fn new(desk: Arc<Desk>, stream: UnixStream) -> Self {
        let stopping = desk.service.stopping();
        Self {
            stopping,
            is_guest: false,
            desk,
            stream,
            incoming: Incoming::new(),
            files: VecDeque::new(),
            drafts: HashMap::new(),
            running: JoinSet::new(),
            by_task: HashMap::new(),
            by_number: HashMap::new(),
            progress: mpsc::channel(16),
        }
    }

    /// The same for a client that may not command, whoever it is.
    pub(crate) fn guest(self) -> Self {
        Self { is_guest: true, ..self }
    }

    /// Serves the client until it hangs up.
    pub(crate) async fn serve(mut self) {
        let metrics = Arc::clone(&self.desk.service.ground.metrics);
        metrics.count(Counter::Logins);
        metrics.count(Counter::Connections);
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        if let End::Protocol(error) = end {
            metrics.count(Counter::Refused);
            let refusal = Refusal { id: 0, why: error.to_string() };
            let _ = self.say(&FromDaemon::Refusal(refusal)).await;
        }
        metrics.uncount(Counter::Connections);
        // What clients send may block whoever closes it: a file of their own file system.
        let files = std::mem::take(&mut self.files);
        if !files.is_empty() {
            tokio::task::spawn_blocking(move || drop(files));
        }
    }

    async fn step(&mut self) -> Result<(), End> {
        let is_full = self.running.len() >= MOST_OPEN;
        let is_busy = !self.running.is_empty() || !self.drafts.is_empty();
        let unfinished = !self.drafts.is_empty() || !self.incoming.is_between_frames();
        let step = tokio::select! {
            Some(done) = self.running.join_next_with_id() => Step::Done(done),
            Some(progress) = self.progress.1.recv() => Step::Progress(progress),
            _ = self.stopping.wait_for(|stops| *stops), if !is_busy => return Err(End::Hangup),
            ready = readable(&self.stream, unfinished), if !is_full => {
                ready?;
                Step::Read
            }
        };
        match step {
            Step::Done(done) => self.answer(done).await,
            Step::Progress(progress) => self.say(&FromDaemon::Progress(progress)).await,
            Step::Read => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<(), End> {
        {
            // Not kept while waiting, so that an idle connection takes little memory.
            let mut buffer = [0; 32 << 10];
            let stream = &self.stream;
            let read =
                stream.try_io(Interest::READABLE, || esets_sys::receive(stream, &mut buffer));
            let (count, file) = match read {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if count == 0 {
                return Err(End::Hangup);
            }
            self.files.extend(file);
            self.incoming.feed(buffer.get(..count).unwrap_or_default());
        }
        if self.files.len() > MOST_OPEN {
            return Err(ProtocolError::TooMany.into());
        }
        while let Some(event) = self.incoming.event()? {
            self.take(event).await?;
        }
        Ok(())
    }

    async fn take(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Greeted => {
                let daemon = env!("CARGO_PKG_VERSION").to_owned();
                self.say(&FromDaemon::Welcome(Welcome { version: VERSION, daemon })).await
            }
            Event::Asked(ask) => self.ask(ask),
            Event::Content { id, bytes } => {
                if let Some((_, draft)) = self.drafts.get_mut(&id) {
                    let extended = draft.as_mut().map_or(Ok(()), |draft| draft.extend(&bytes));
                    extended.unwrap_or_else(|reason| *draft = Err(reason));
                }
                Ok(())
            }
            Event::Complete(id) => self.complete(id).await,
            Event::Cancelled(id) => {
                self.by_number.get(&id).inspect(|running| running.abort());
                if let Some((_, draft)) = self.drafts.get_mut(&id) {
                    *draft = Err(Reason::Cancelled);
                }
                Ok(())
            }
            Event::Controlled(control) => self.control(control).await,
            _ => Ok(()),
        }
    }

    async fn say(&mut self, message: &FromDaemon) -> Result<(), End> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes)?;
        let written = timeout(PATIENCE, self.stream.write_all(&bytes)).await;
        Ok(written.map_err(|_| End::Broken)??)
    }
}

/// Waits for bytes; not for ever if the client has begun to say something.
async fn readable(stream: &UnixStream, unfinished: bool) -> Result<(), End> {
    if unfinished {
        return Ok(timeout(PATIENCE, stream.readable()).await.map_err(|_| End::Broken)??);
    }
    Ok(stream.readable().await?)
}

/// How long a client may leave its answers where they are, or a request unfinished.
const PATIENCE: Duration = Duration::from_secs(60);
