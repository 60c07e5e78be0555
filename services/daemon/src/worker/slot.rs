//! One thread of a worker: takes jobs from the queue, one at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use esets_policy::core::{Limit, Reason, Verdict};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::pool::{Asked, Job, Jobs, Payload, PoolSetup, Stage};
use super::process::WorkerLink;
use super::{Digest, fault, kind};

/// One thread of a worker.
pub(super) struct Slot<'p> {
    pub(super) link: WorkerLink,
    pub(super) setup: &'p PoolSetup,
    /// Microseconds that the scans of its process took.
    pub(super) spent: &'p AtomicU64,
    /// Ends the process.
    pub(super) kill: &'p Notify,
    /// How long a process scans before it is replaced.
    pub(super) limit: Duration,
}

/// Why a slot takes no more jobs.
#[derive(Debug)]
pub(super) enum End {
    /// A job brought the process down, or came down with it.
    Broken(Box<Job>, Trouble),
    /// There will be no more jobs.
    Closed,
    /// The process ended while it had nothing to do, or has worked enough.
    Idle,
}

impl End {
    pub(super) fn broken(self) -> Option<(Job, Trouble)> {
        match self {
            Self::Broken(job, trouble) => Some((*job, trouble)),
            Self::Closed | Self::Idle => None,
        }
    }
}

/// What went wrong with a job.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The process is gone.
    Gone,
    /// The process gave no answer in time.
    Hung,
    /// The process answered what it may not.
    Nonsense(String),
}

impl Slot<'_> {
    pub(super) async fn serve(mut self, jobs: &Jobs) -> End {
        while u128::from(self.spent.load(Ordering::Relaxed)) < self.limit.as_micros() {
            let next = async { jobs.lock().await.recv().await };
            let job = tokio::select! {
                job = next => job,
                // A worker has nothing to say between two jobs.
                _ = self.link.receive() => {
                    self.kill.notify_one();
                    return End::Idle;
                }
            };
            let Some(mut job) = job else { return End::Closed };
            if job.is_abandoned() {
                continue;
            }
            if job.since.elapsed() > Duration::from_millis(job.order.milliseconds) {
                job.finish(Verdict::not_scanned("", Reason::Limit(Limit::Time)), false);
                continue;
            }
            job.attempts = job.attempts.saturating_add(1);
            if let Err(trouble) = self.run(&mut job).await {
                self.kill.notify_one();
                return End::Broken(Box::new(job), trouble);
            }
        }
        End::Idle
    }

    async fn run(&mut self, job: &mut Job) -> Result<(), Trouble> {
        let begun = Instant::now();
        let outcome = self.converse(job, begun).await;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.spent.fetch_add(micros, Ordering::Relaxed);
        self.setup.metrics.busy(micros);
        outcome
    }

    async fn converse(&mut self, job: &mut Job, begun: Instant) -> Result<(), Trouble> {
        let allowed = Duration::from_millis(job.order.milliseconds);
        let patience = allowed.saturating_add(GRACE.max(allowed.mul_f32(0.25))).min(LONGEST);
        let mut end = later(begun, patience);
        let file = match &job.payload {
            Payload::File(file) => Some(file.clone()),
            Payload::Bytes(_) => None,
        };
        let frames = job.frames().map_err(Trouble::Nonsense)?;
        let sent = timeout_at(end, self.link.send(&frames, file.as_deref())).await;
        sent.map_err(|_| Trouble::Hung)?.map_err(|_| Trouble::Gone)?;
        let mut cancelled = false;
        loop {
            let frame = tokio::select! {
                frame = timeout_at(end, self.link.receive()) => frame,
                () = job.abandoned(), if !cancelled => {
                    cancelled = true;
                    end = end.min(later(Instant::now(), GRACE));
                    self.say(kind::CANCEL).await?;
                    continue;
                }
            };
            let frame = frame.map_err(|_| Trouble::Hung)?.map_err(|_| Trouble::Gone)?;
            let frame = frame.ok_or(Trouble::Gone)?;
            match frame.kind {
                // The cancellation tells the worker that it need not go on.
                kind::DIGEST if cancelled => return Ok(()),
                kind::DIGEST => {
                    let decision = job.decide(digest(&frame.body)?);
                    let goes = timeout_at(end, decision).await.unwrap_or(false);
                    self.say(if goes { kind::GO } else { kind::DROP }).await?;
                    if !goes {
                        return Ok(());
                    }
                }
                kind::PROGRESS => job.tell(&frame.body),
                kind::UNFIT => {
                    job.refuse(String::from_utf8_lossy(&frame.body).into_owned());
                    return Ok(());
                }
                kind::VERDICT => {
                    let verdict = serde_json::from_slice(&frame.body);
                    let verdict = verdict.map_err(|error| Trouble::Nonsense(error.to_string()))?;
                    job.answer(verdict);
                    return Ok(());
                }
                other => return Err(Trouble::Nonsense(format!("a frame of kind {other}"))),
            }
        }
    }

    async fn say(&mut self, kind: u8) -> Result<(), Trouble> {
        self.link.send_frame(kind, &[]).await.map_err(|_| Trouble::Gone)
    }
}

fn later(from: Instant, time: Duration) -> Instant {
    from.checked_add(time).unwrap_or(from)
}

fn digest(body: &[u8]) -> Result<Digest, Trouble> {
    body.try_into().map_err(|_| Trouble::Nonsense("a digest of another length".into()))
}

impl Job {
    fn is_abandoned(&self) -> bool {
        match &self.stage {
            Stage::Ask(reply) => reply.is_closed(),
            Stage::Answer(reply, _) => reply.is_closed(),
            Stage::Done => true,
        }
    }

    /// Waits until nobody waits for the job.
    async fn abandoned(&mut self) {
        match &mut self.stage {
            Stage::Ask(reply) => reply.closed().await,
            Stage::Answer(reply, _) => reply.closed().await,
            Stage::Done => {}
        }
    }

    /// Whether a file with this digest has to be scanned.
    async fn decide(&mut self, digest: Digest) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Ask(reply) => {
                let (go, goes) = oneshot::channel();
                let _ = reply.send(Asked::Read(digest, go));
                let Ok(Some(reply)) = goes.await else { return false };
                self.stage = Stage::Answer(reply, Some(digest));
                true
            }
            Stage::Answer(reply, Some(expected)) if digest != expected => {
                self.stage = Stage::Answer(reply, None);
                self.answer(fault("the file changed while it was scanned"));
                false
            }
            stage => {
                self.stage = stage;
                true
            }
        }
    }

    fn tell(&self, body: &[u8]) {
        let (first, rest) = body.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let second = rest.first_chunk().unwrap_or(&[0; 8]);
        let progress = (u64::from_le_bytes(*first), u64::from_le_bytes(*second));
        // Progress that nobody takes in time is old.
        let _ = self.progress.as_ref().map(|sender| sender.try_send(progress));
    }

    fn refuse(&mut self, why: String) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Ask(reply) => drop(reply.send(Asked::Unfit(why))),
            stage => {
                self.stage = stage;
                self.answer(fault(why));
            }
        }
    }

    fn answer(&mut self, verdict: Verdict) {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        if let Stage::Answer(reply, _) = stage {
            let _ = reply.send(super::pool::Finding { verdict, deadly: false });
        }
    }
}

/// More than any configuration allows.
const LONGEST: Duration = Duration::from_secs(200_000);
/// What a worker may take longer than a scan may, before it is ended.
const GRACE: Duration = Duration::from_secs(2);
