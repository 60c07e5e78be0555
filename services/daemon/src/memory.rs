//! What is known of objects by their content: clean ones, those being scanned, and killers.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use esets_policy::core::{Reason, Status, Verdict};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::metrics::{Counter, Metrics};
use crate::worker::{Digest, Finding, Order, fault};

/// What a verdict depends on besides the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    content: Digest,
    /// The digest of name, options and limits.
    order: Digest,
}

impl Key {
    pub(crate) fn new(content: Digest, order: &Order) -> Self {
        let mut digest = Sha256::new();
        digest.update(&order.name);
        digest.update(format!("\0{:?}\0{:?}", order.options, order.limits));
        Self { content, order: digest.finalize().into() }
    }
}

/// A verdict that any number of requests wait for.
pub(crate) type Awaited = Shared<BoxFuture<'static, Arc<Verdict>>>;

/// The same, without keeping the scan alive.
type Unawaited = WeakShared<BoxFuture<'static, Arc<Verdict>>>;

/// What is known of an object.
pub(crate) enum Claim {
    /// The verdict.
    Known(Verdict),
    /// Somebody else has it scanned.
    Join(Awaited),
    /// Nothing: it is to be scanned, and the finding sent there.
    Lead(Awaited, oneshot::Sender<Finding>),
}

/// Objects that are being scanned, each with a number of its own.
#[derive(Debug, Default)]
struct Flights {
    open: HashMap<Key, (u64, Unawaited)>,
    last: u64,
}

/// What is known of objects under one database.
#[derive(Debug)]
pub(crate) struct Memory {
    clean: Mutex<Bounded<Key, Verdict>>,
    flights: Mutex<Flights>,
    killers: Mutex<Bounded<Digest, (Instant, Reason)>>,
    metrics: Arc<Metrics>,
}

impl Memory {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        let (clean, killers) = (Bounded::new(MOST_CLEAN), Bounded::new(MOST_KILLERS));
        let (clean, killers) = (Mutex::new(clean), Mutex::new(killers));
        Self { clean, flights: Mutex::default(), killers, metrics }
    }

    /// Looks an object up; of any number that ask for one that is not known, one leads.
    pub(crate) fn claim(self: &Arc<Self>, key: Key) -> Claim {
        if let Some(reason) = self.killer(&key.content) {
            self.metrics.count(Counter::Deadly);
            return Claim::Known(Verdict::not_scanned("", reason));
        }
        if let Some(verdict) = lock(&self.clean).get(&key) {
            self.metrics.count(Counter::CacheHit);
            return Claim::Known(verdict);
        }
        let mut flights = lock(&self.flights);
        if let Some(awaited) = flights.open.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            self.metrics.count(Counter::Joined);
            return Claim::Join(awaited);
        }
        self.metrics.count(Counter::CacheMiss);
        let (reply, finding) = oneshot::channel();
        flights.last = flights.last.wrapping_add(1);
        let number = flights.last;
        let flight = Flight { memory: Arc::clone(self), key, number };
        let awaited = async move {
            let finding = finding.await.unwrap_or_else(|_| Finding {
                verdict: fault("the scan was given up"),
                deadly: false,
            });
            flight.land(finding)
        };
        let awaited = awaited.boxed().shared();
        if let Some(weak) = awaited.downgrade() {
            flights.open.insert(key, (number, weak));
        }
        Claim::Lead(awaited, reply)
    }

    /// Why an object is not tried again, if it brought a worker down lately.
    fn killer(&self, content: &Digest) -> Option<Reason> {
        let (since, reason) = lock(&self.killers).get(content)?;
        (since.elapsed() < KILLER_TIME).then_some(reason)
    }
}

/// An object that is being scanned.
struct Flight {
    memory: Arc<Memory>,
    key: Key,
    number: u64,
}

impl Flight {
    fn land(&self, finding: Finding) -> Arc<Verdict> {
        let Finding { verdict, deadly } = finding;
        if deadly {
            let reason = verdict.reasons().next().map(|(_, reason)| reason.clone());
            let reason = reason.unwrap_or(Reason::Fault("it brought a worker down".into()));
            lock(&self.memory.killers).put(self.key.content, (Instant::now(), reason));
        }
        if verdict.status() == Status::Clean && verdict.records().len() <= MOST_RECORDS {
            lock(&self.memory.clean).put(self.key, verdict.clone());
        }
        Arc::new(verdict)
    }
}

/// The last of those who wait is gone, or all have the verdict.
impl Drop for Flight {
    fn drop(&mut self) {
        let mut flights = lock(&self.memory.flights);
        if flights.open.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            flights.open.remove(&self.key);
        }
    }
}

/// A map that forgets what was not asked for lately: it has two halves, and when the young one is
/// full, it takes the place of the old.
#[derive(Debug)]
struct Bounded<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash + Copy, V: Clone> Bounded<K, V> {
    fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: most / 2 }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(*key, value.clone());
        Some(value)
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clean objects that are remembered: about 30 MiB.
const MOST_CLEAN: usize = 100_000;
/// The longest verdict that is remembered.
const MOST_RECORDS: usize = 4;
const MOST_KILLERS: usize = 10_000;
/// How long an object that brought a worker down is not tried again.
const KILLER_TIME: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_map_keeps_what_is_asked_for() {
        let mut map = Bounded::new(10);
        for number in 0..1000 {
            map.put(number, number);
            assert_eq!(map.get(&0), Some(0));
        }
        assert!(map.young.len() + map.old.len() <= 10);
        assert_eq!(map.get(&500), None);
    }
}
