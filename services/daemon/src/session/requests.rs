//! The requests of a connection: begun, tracked, answered.

use std::sync::Arc;

use esets_client::{Answer, Ask, FromDaemon, Progress, ProtocolError, Refusal, Source, Want};
use esets_policy::core::{Reason, Verdict};
use esets_policy::{Outcome, Plan};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::{Done, End, Session};
use crate::draft::{Draft, Lease};
use crate::service::{Content, Refused};

impl Session {
    pub(super) fn ask(&mut self, ask: Box<Ask>) -> Result<(), End> {
        if self.by_number.contains_key(&ask.id) || self.drafts.contains_key(&ask.id) {
            return Err(ProtocolError::DuplicateId.into());
        }
        if let Source::Descriptor = ask.source {
            let file = self.files.pop_front().ok_or(ProtocolError::Descriptor)?;
            self.start(*ask, Content::File(Arc::new(file)), None);
            return Ok(());
        }
        let generation = self.desk.service.current();
        let limit = ask.envelope.with(|context| match generation.policy.plan(context) {
            Plan::Scan(plan) => plan.limits().object_size,
            _ if ask.want == Want::Decision => 0,
            _ => esets_policy::core::Limits::default().object_size,
        });
        let draft = Draft::new(limit, &self.desk.memory);
        self.drafts.insert(ask.id, (ask, Ok(draft)));
        Ok(())
    }

    pub(super) async fn complete(&mut self, id: u32) -> Result<(), End> {
        let Some((ask, draft)) = self.drafts.remove(&id) else { return Ok(()) };
        match draft.and_then(Draft::finish) {
            Ok((content, lease)) => self.start(*ask, content, Some(lease)),
            Err(reason) => return self.say(&unanswered(id, ask.name, reason)).await,
        }
        Ok(())
    }

    fn start(&mut self, ask: Ask, content: Content, lease: Option<Lease>) {
        let service = Arc::clone(&self.desk.service);
        let id = ask.id;
        let progress = ask.progress.then(|| relay(id, self.progress.0.clone()));
        let name = ask.name.clone();
        self.track(id, name, |running| {
            running.spawn(async move {
                let content = Closing(Some(content));
                let answer = service.answer(ask, content.get(), progress).await;
                drop(lease);
                answer
            })
        });
    }

    fn track(
        &mut self,
        id: u32,
        name: Vec<u8>,
        spawn: impl FnOnce(&mut JoinSet<Result<Answer, Refused>>) -> AbortHandle,
    ) {
        let handle = spawn(&mut self.running);
        self.by_task.insert(handle.id(), (id, name));
        self.by_number.insert(id, handle);
    }

    pub(super) async fn answer(&mut self, done: Done) -> Result<(), End> {
        let (task, answer) = match done {
            Ok((task, answer)) => (task, Ok(answer)),
            Err(error) => (error.id(), Err(error)),
        };
        let (id, name) = self.by_task.remove(&task).unwrap_or_default();
        self.by_number.remove(&id);
        let message = match answer {
            Ok(Ok(answer)) => FromDaemon::Answer(Box::new(answer)),
            Ok(Err(Refused(why))) => FromDaemon::Refusal(Refusal { id, why }),
            Err(error) if error.is_cancelled() => unanswered(id, name, Reason::Cancelled),
            Err(error) => unanswered(id, name, Reason::Fault(error.to_string().into())),
        };
        self.say(&message).await
    }
}

/// The answer to a request that came to no end; whoever wants a decision reads "defer" in it.
fn unanswered(id: u32, name: Vec<u8>, reason: Reason) -> FromDaemon {
    let outcome = Outcome::new(Some(Verdict::not_scanned(name, reason)), Vec::new());
    FromDaemon::Answer(Box::new(Answer { id, handle: 0, outcome }))
}

/// Gives the progress of one request its number.
fn relay(id: u32, to: mpsc::Sender<Progress>) -> mpsc::Sender<(u64, u64)> {
    let (sender, mut progress) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some((objects, bytes)) = progress.recv().await {
            if to.send(Progress { id, objects, bytes }).await.is_err() {
                return;
            }
        }
    });
    sender
}

/// Closes a client's file where that may take its time: it can lie in a file system of the
/// client's own.
struct Closing(Option<Content>);

impl Closing {
    fn get(&self) -> Content {
        self.0.clone().unwrap_or_else(|| unreachable!("it is taken when it is dropped"))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(content @ Content::File(_)) = self.0.take() {
            tokio::task::spawn_blocking(move || drop(content));
        }
    }
}
