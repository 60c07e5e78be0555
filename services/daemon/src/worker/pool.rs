//! The workers of one generation: a queue of jobs, and processes that are replaced when they end.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esets_client::frame::encode;
use esets_policy::core::{Limit, Reason, Verdict};
use esets_policy::log::LogClass;
use futures_util::future::join_all;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::time::sleep;

use super::process::{Death, Process, WorkerLink};
use super::slot::{End, Slot, Trouble};
use super::start::{Account, Starter};
use super::{Digest, Order, fault, kind};
use crate::database::DatabaseFile;
use crate::log::Log;
use crate::metrics::Metrics;

/// What the workers of a generation have in common.
#[derive(Debug)]
pub(crate) struct PoolSetup {
    pub(crate) starter: Arc<Starter>,
    pub(crate) log: Arc<Log>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) account: Option<Account>,
    pub(crate) database: Arc<DatabaseFile>,
    pub(crate) processes: usize,
    pub(crate) threads: usize,
    /// Bytes that one scan may need at most.
    pub(crate) scan_memory: u64,
    /// Seconds that one scan may take at most.
    pub(crate) scan_seconds: u64,
    pub(crate) faults: bool,
}

impl PoolSetup {
    /// Bytes of address space for a process: room for what a scan's own ledger allows, twice
    /// because buffers grow by copying, and for the code, the stacks and the database.
    pub(super) fn memory(&self, threads: usize) -> u64 {
        let threads = threads as u64;
        let each = self.scan_memory.saturating_mul(2).saturating_add(PER_THREAD);
        each.saturating_mul(threads).saturating_add(self.database.size).saturating_add(SPARE)
    }

    /// Seconds of processor time for a process, with room for the scan after which it is replaced.
    pub(super) fn processor_seconds(&self) -> u64 {
        let scan = self.scan_seconds.saturating_mul(self.threads as u64);
        scan.saturating_mul(2).saturating_add(RECYCLE.as_secs()).saturating_add(10)
    }
}

/// An object on its way through a worker.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) order: Order,
    pub(crate) payload: Payload,
    pub(crate) stage: Stage,
    pub(crate) progress: Option<mpsc::Sender<(u64, u64)>>,
    pub(crate) since: Instant,
    /// How often it was begun.
    pub(crate) attempts: u32,
}

/// The content of a job.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Bytes(Bytes),
    File(Arc<File>),
}

/// Who waits for a job, and for what.
#[derive(Debug)]
pub(crate) enum Stage {
    /// For the digest of a file, to decide whether it has to be scanned.
    Ask(oneshot::Sender<Asked>),
    /// For the verdict; of a file whose digest must be this one.
    Answer(oneshot::Sender<Finding>, Option<Digest>),
    /// For nothing any more.
    Done,
}

/// What came of a file.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It was read. The answer is where the verdict goes, or `None` if it need not be scanned.
    Read(Digest, oneshot::Sender<Option<oneshot::Sender<Finding>>>),
    /// A client may not send such a descriptor.
    Unfit(String),
    /// The worker came to grief before the digest was known.
    Failed(Verdict),
}

/// A verdict, and whether the object brought its worker down.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) deadly: bool,
}

impl Job {
    /// The frames that hand it over.
    pub(super) fn frames(&self) -> Result<Vec<u8>, String> {
        let wrong = |error: &dyn std::fmt::Display| error.to_string();
        let order = serde_json::to_vec(&self.order).map_err(|error| wrong(&error))?;
        let mut frames = Vec::new();
        let content = match &self.payload {
            Payload::Bytes(bytes) => (kind::CONTENT, bytes.as_ref()),
            Payload::File(_) => (kind::FILE, &[][..]),
        };
        encode(kind::ORDER, &[&order], &mut frames).map_err(|error| wrong(&error))?;
        encode(content.0, &[content.1], &mut frames).map_err(|error| wrong(&error))?;
        Ok(frames)
    }

    /// Comes to its end with a verdict.
    pub(super) fn finish(self, verdict: Verdict, deadly: bool) {
        // Nobody may wait any more.
        match self.stage {
            Stage::Answer(reply, _) => drop(reply.send(Finding { verdict, deadly })),
            Stage::Ask(reply) => drop(reply.send(Asked::Failed(verdict))),
            Stage::Done => {}
        }
    }
}

/// A queue of jobs and the processes that work on it. They end when the last of its jobs is done
/// after the pool was dropped.
#[derive(Debug)]
pub(crate) struct Pool {
    jobs: mpsc::Sender<Job>,
}

/// The receiving side of the queue.
pub(super) type Jobs = Arc<Mutex<mpsc::Receiver<Job>>>;

impl Pool {
    /// Starts the processes and waits until one of them is ready.
    ///
    /// # Errors
    /// None of them can be started; the text is for the log.
    pub(crate) async fn start(setup: PoolSetup) -> Result<Self, String> {
        let setup = Arc::new(setup);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let (told, mut first) = watch::channel(None);
        for number in 0..setup.processes {
            let keeper = Keeper {
                setup: Arc::clone(&setup),
                jobs: Arc::clone(&queue),
                told: told.clone(),
                number,
            };
            tokio::spawn(keeper.keep());
        }
        drop(told);
        let first = first.wait_for(Option::is_some).await.map(|told| told.clone());
        match first {
            Ok(Some(Ok(()))) => Ok(Self { jobs }),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) | Err(_) => Err("no worker was started".into()),
        }
    }

    /// Puts a job into the queue, which may wait for room in it.
    pub(crate) async fn submit(&self, job: Job) {
        if let Err(mpsc::error::SendError(job)) = self.jobs.send(job).await {
            job.finish(fault("the daemon stops"), false);
        }
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        QUEUE.saturating_sub(self.jobs.capacity())
    }
}

/// Keeps one process of the pool alive.
struct Keeper {
    setup: Arc<PoolSetup>,
    jobs: Jobs,
    told: watch::Sender<Option<Result<(), String>>>,
    number: usize,
}

impl Keeper {
    async fn keep(self) {
        let mut pause = Duration::ZERO;
        loop {
            match Process::start(&self.setup, self.setup.threads).await {
                Ok((process, links, refused)) => {
                    self.announce(&refused);
                    pause = Duration::ZERO;
                    if self.work(process, links).await.is_closed() {
                        return;
                    }
                }
                Err(error) => {
                    self.told.send_if_modified(|told| tell(told, Err(error.clone())));
                    self.setup.log.say(LogClass::Error, &error);
                    pause = pause.saturating_mul(2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                    sleep(pause).await;
                    if self.jobs.lock().await.is_closed() && self.told.receiver_count() == 0 {
                        return;
                    }
                }
            }
        }
    }

    fn announce(&self, refused: &[String]) {
        let is_first = self.told.send_if_modified(|told| tell(told, Ok(())));
        if is_first {
            let refused = [refused, &self.setup.starter.refused].concat();
            self.setup.metrics.set_refused("workers", &refused);
            for protection in refused {
                let text = format!("the system refuses workers a protection: {protection}");
                self.setup.log.say(LogClass::Warning, &text);
            }
        }
    }

    /// Lets a process work until it ends, and answers for it.
    async fn work(&self, mut process: Process, links: Vec<WorkerLink>) -> Ended {
        let pid = process.child.id().unwrap_or_default();
        self.setup.metrics.worker_started(pid);
        let spent = AtomicU64::new(0);
        let kill = Notify::new();
        let slots = links.into_iter().map(|link| {
            let slot =
                Slot { link, setup: &self.setup, spent: &spent, kill: &kill, limit: RECYCLE };
            slot.serve(&self.jobs)
        });
        let mut slots = std::pin::pin!(join_all(slots));
        let ends = loop {
            tokio::select! {
                ends = &mut slots => break ends,
                () = kill.notified() => drop(process.child.start_kill()),
            }
        };
        self.setup.metrics.worker_ended(pid);
        let is_closed = ends.iter().any(|end| matches!(end, End::Closed));
        let broken: Vec<_> = ends.into_iter().filter_map(End::broken).collect();
        let death = process.end().await;
        let alone = broken.len() == 1;
        if !broken.is_empty() {
            self.setup.metrics.worker_lost();
        }
        for (job, trouble) in broken {
            self.settle(job, &trouble, &death, alone);
        }
        Ended(is_closed)
    }

    /// Answers for a job whose process broke, or tries it once more where another may be at fault.
    fn settle(&self, job: Job, trouble: &Trouble, death: &Death, alone: bool) {
        let innocent = !alone || matches!(death, Death::Outside(_));
        if matches!(trouble, Trouble::Gone) && innocent && job.attempts < 2 {
            tokio::spawn(alone_in_a_process(Arc::clone(&self.setup), job));
            return;
        }
        let reason = match (trouble, death) {
            (Trouble::Hung, _) => Reason::Limit(Limit::Time),
            (Trouble::Gone, Death::Memory) => Reason::Limit(Limit::Memory),
            (Trouble::Gone, Death::Crash(why) | Death::Outside(why)) => {
                Reason::Fault(why.clone().into())
            }
            (Trouble::Nonsense(why), _) => Reason::Fault(why.clone().into()),
        };
        let text = format!("worker {} lost an object: {reason}", self.number);
        self.setup.log.say(LogClass::Error, &text);
        job.finish(Verdict::not_scanned("", reason), true);
    }
}

/// Whether the queue is at its end.
struct Ended(bool);

impl Ended {
    fn is_closed(&self) -> bool {
        self.0
    }
}

/// The first news counts, but a success takes the place of a failure.
fn tell(told: &mut Option<Result<(), String>>, news: Result<(), String>) -> bool {
    let is_news = told.is_none() || (matches!(told, Some(Err(_))) && news.is_ok());
    if is_news {
        *told = Some(news);
    }
    is_news
}

/// Runs one job in a process that has no other.
async fn alone_in_a_process(setup: Arc<PoolSetup>, job: Job) {
    let (jobs, queue) = mpsc::channel(1);
    let single = Keeper {
        setup: Arc::clone(&setup),
        jobs: Arc::new(Mutex::new(queue)),
        told: watch::channel(None).0,
        number: usize::MAX,
    };
    match Process::start(&setup, 1).await {
        Ok((process, links, _)) => {
            // The channel has room for one.
            let _ = jobs.try_send(job);
            drop(jobs);
            single.work(process, links).await;
        }
        Err(error) => job.finish(fault(error), false),
    }
}

/// Jobs that wait before clients have to.
const QUEUE: usize = 1024;
/// Seconds of scans after which a process is replaced by a fresh one.
const RECYCLE: Duration = Duration::from_secs(600);
const SPARE: u64 = 256 << 20;
const PER_THREAD: u64 = 192 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
