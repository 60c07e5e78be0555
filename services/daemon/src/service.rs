//! What happens to an object: plan, scan or remember, decide, log, keep.

mod keep;
mod scan;

use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use esets_client::{Answer, Ask, Want};
use esets_policy::core::{Limits, Status, Verdict};
use esets_policy::log::{Event, LogClass};
use esets_policy::{Context, Outcome, Plan};
use tokio::sync::{mpsc, watch};

use crate::generation::{Generation, Ground};
use crate::metrics::Counter;
use crate::notify::Notifier;
use crate::worker::{Digest, Order, Payload};

use scan::{is_cleaned, scan};

/// The content of an object.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bytes that came in frames, in memory, or in a file of ours if they are many; `is_cut` if
    /// there were more than may be scanned.
    Known { payload: Payload, digest: Digest, is_cut: bool },
    /// A client's open file.
    File(Arc<File>),
}

/// Why there is no answer but a refusal.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

/// What answers requests.
pub(crate) struct Service {
    pub(crate) ground: Ground,
    current: RwLock<Arc<Generation>>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    handles: AtomicU32,
    notifier: Mutex<Notifier>,
    stopping: watch::Sender<bool>,
    reloads: watch::Sender<()>,
}

/// How an object is scanned.
struct What {
    order: Order,
    /// Whether the policy wants a scan.
    is_wanted: bool,
}

impl Service {
    pub(crate) fn new(ground: Ground, generation: Generation) -> Self {
        let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            ground,
            current: RwLock::new(Arc::new(generation)),
            reloading: tokio::sync::Mutex::default(),
            handles: AtomicU32::new(seed.subsec_nanos().wrapping_mul(16)),
            notifier: Mutex::default(),
            stopping: watch::Sender::new(false),
            reloads: watch::Sender::new(()),
        }
    }

    /// Tells sessions to end once what was begun is answered.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Changes after each reload.
    pub(crate) fn reloads(&self) -> watch::Receiver<()> {
        self.reloads.subscribe()
    }

    /// Becomes `true` when the daemon stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// The generation that new requests begin with.
    pub(crate) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads everything anew; on a mistake all stays as it is.
    pub(crate) async fn reload(&self) -> Result<String, String> {
        let _one = self.reloading.lock().await;
        let before = self.current();
        let loaded = Generation::load(&self.ground, Some(&before)).await;
        let next = match loaded {
            Ok(next) => Arc::new(next),
            Err(error) => {
                let text = format!("the reload failed, all stays as it is: {error}");
                self.ground.log.say(LogClass::Error, &text);
                return Err(text);
            }
        };
        if before.settings.log != next.settings.log {
            self.ground.log.reopen(Some(next.settings.log.clone()));
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        self.ground.metrics.count(Counter::Reloads);
        self.reloads.send_replace(());
        let version = next.database.version.get().cloned().unwrap_or_default();
        let text = format!("configuration and database are loaded, database version {version:?}");
        self.ground.log.say(LogClass::Info, &text);
        Ok(text)
    }

    /// Answers a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        ask: Ask,
        content: Content,
        progress: Option<mpsc::Sender<(u64, u64)>>,
    ) -> Result<Answer, Refused> {
        let begun = Instant::now();
        let generation = self.current();
        let what = ask.envelope.with(|context| what(&generation, context, &ask));
        let verdict = match what.is_wanted {
            true => {
                let order = what.order.clone();
                let verdict = scan(&generation, content.clone(), order, progress).await?;
                Some(verdict.renamed(ask.name.clone()))
            }
            false => None,
        };
        let status = verdict.as_ref().map_or(Status::NotScanned, Verdict::status);
        let answer = match ask.want {
            Want::Decision => self.decide(&generation, &ask, (content, what.order), verdict).await,
            _ => Answer { id: ask.id, handle: 0, outcome: Outcome::new(verdict, Vec::new()) },
        };
        self.ground.metrics.answered(status, begun.elapsed());
        Ok(answer)
    }

    async fn decide(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        ask: &Ask,
        (content, order): (Content, Order),
        verdict: Option<Verdict>,
    ) -> Answer {
        let handle = self.handles.fetch_add(1, Ordering::Relaxed);
        let by_policy = |cleans, verdict| {
            ask.envelope.with(|context| decide(generation, context, verdict, cleans))
        };
        let mut outcome = by_policy(true, verdict);
        if !is_cleaned(generation, &content, &order, &outcome).await {
            outcome = by_policy(false, outcome.verdict);
        }
        let answer = Answer { id: ask.id, handle, outcome };
        ask.envelope.with(|context| self.tell(generation, context, &answer));
        let keep = answer.outcome.dispositions.iter().any(|fate| fate.quarantine);
        if keep {
            let (this, ask) = (Arc::clone(self), ask.clone());
            let (folder, outcome) =
                (generation.settings.quarantine.clone(), answer.outcome.clone());
            // The object must be safe before its sender believes that it was taken.
            let kept =
                tokio::task::spawn_blocking(move || keep::store(folder, &ask, &content, outcome));
            let problem = match kept.await {
                Ok(Ok(())) => None,
                Ok(Err(problem)) => Some(problem),
                Err(error) => Some(error.to_string()),
            };
            problem.inspect(|problem| this.ground.log.say(LogClass::Error, problem));
        }
        answer
    }

    /// Logs what happened, and runs the administrator's script on a detection.
    fn tell(&self, generation: &Generation, context: &Context<'_>, answer: &Answer) {
        let nothing = Verdict::default();
        let verdict = answer.outcome.verdict.as_ref().unwrap_or(&nothing);
        let is_clean = verdict.status() == Status::Clean;
        let classes = generation.settings.classes(context.agent);
        let includes = |class| classes.is_some_and(|classes| classes.includes(class, is_clean));
        for fate in &answer.outcome.dispositions {
            let mut events = Vec::new();
            let summary = Event::summary(verdict, context, fate);
            if includes(LogClass::Part) {
                events.extend(Event::parts(verdict, context, fate).take(MOST_PARTS));
            }
            if includes(LogClass::Summ) {
                events.push(summary.clone());
            }
            for mut event in events {
                event.handle = answer.handle;
                event.database = generation.database.number();
                self.ground.log.write(event.class, &event.to_string());
            }
            if let Some(script) = &generation.settings.script
                && verdict.status() == Status::Infected
            {
                let mut notifier = self.notifier.lock().unwrap_or_else(PoisonError::into_inner);
                notifier.run(script, &summary, answer.handle, &self.ground.log);
            }
        }
    }
}

/// How an object is scanned, after the policy and the request.
fn what(generation: &Generation, context: &Context<'_>, ask: &Ask) -> What {
    let plan = generation.policy.plan(context);
    let (mut options, mut limits, mut time, mut is_wanted) = match &plan {
        Plan::Scan(plan) => (plan.options(), plan.limits(), plan.time(), plan.scans_for_threats()),
        _ => Default::default(),
    };
    if let Want::Verdict { options: wanted, limits: within, seconds } = &ask.want {
        is_wanted = true;
        options = wanted.clone().unwrap_or(options);
        limits = within.as_ref().map_or(limits.clone(), |within| lower(within, &limits));
        time = seconds.map_or(time, |seconds| time.min(Duration::from_secs(seconds)));
    }
    let name = ask.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let order =
        Order { name, options, limits, milliseconds, progress: ask.progress, cleaning: None };
    What { order, is_wanted }
}

/// The limits that a client asks for, none beyond those of the policy.
fn lower(wanted: &Limits, allowed: &Limits) -> Limits {
    Limits {
        depth: wanted.depth.min(allowed.depth),
        memory: wanted.memory.min(allowed.memory),
        object_size: wanted.object_size.min(allowed.object_size),
        objects: wanted.objects.min(allowed.objects),
        ratio: wanted.ratio.min(allowed.ratio),
        readings: wanted.readings.min(allowed.readings),
        scan_size: wanted.scan_size.min(allowed.scan_size),
    }
}

/// What the policy makes of a verdict; `cleans` unless parts could not be taken out.
fn decide(
    generation: &Generation,
    context: &Context<'_>,
    verdict: Option<Verdict>,
    cleans: bool,
) -> Outcome {
    let dispositions = match generation.policy.plan(context) {
        Plan::Act(dispositions) => dispositions,
        Plan::Scan(plan) => {
            let plan = if cleans { plan } else { plan.without_cleaning() };
            plan.decide(verdict.as_ref().unwrap_or(&Verdict::default()), None)
        }
        _ => Vec::new(),
    };
    Outcome::new(verdict, dispositions)
}

/// Messages about parts of one object.
const MOST_PARTS: usize = 100;
