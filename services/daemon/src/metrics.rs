//! What the daemon counts, in the text format of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use esets_policy::core::Status;

/// What the daemon counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    counters: [AtomicU64; COUNTERS.len()],
    /// Answers that took no longer than the bound of the same place in [`BOUNDS`], and all others.
    latency: [AtomicU64; BOUNDS.len() + 1],
    latency_sum: AtomicU64,
    workers: Mutex<BTreeSet<u32>>,
    /// By whom it concerns.
    refused: Mutex<BTreeMap<String, Vec<String>>>,
    started: Instant,
}

/// One number: a place in [`COUNTERS`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counter {
    Busy,
    CacheHit,
    CacheMiss,
    Clean,
    Connections,
    Deadly,
    Infected,
    Joined,
    Logins,
    NotScanned,
    Refused,
    Reloads,
    WorkersLost,
    WorkersStarted,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            counters: [const { AtomicU64::new(0) }; COUNTERS.len()],
            latency: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            latency_sum: AtomicU64::new(0),
            workers: Mutex::default(),
            refused: Mutex::default(),
            started: Instant::now(),
        }
    }

    pub(crate) fn add(&self, counter: Counter, number: u64) {
        let place = self.counters.get(counter as usize);
        if let Some(place) = place {
            place.fetch_add(number, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// For numbers that also fall.
    pub(crate) fn uncount(&self, counter: Counter) {
        let place = self.counters.get(counter as usize);
        if let Some(place) = place {
            place.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.counters.get(counter as usize).map_or(0, |place| place.load(Ordering::Relaxed))
    }

    /// An answer was given.
    pub(crate) fn answered(&self, status: Status, after: Duration) {
        self.count(match status {
            Status::Clean => Counter::Clean,
            Status::Infected => Counter::Infected,
            _ => Counter::NotScanned,
        });
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.latency_sum.fetch_add(micros, Ordering::Relaxed);
        let place = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(place) = self.latency.get(place) {
            place.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn busy(&self, micros: u64) {
        self.add(Counter::Busy, micros);
    }

    pub(crate) fn worker_started(&self, pid: u32) {
        self.count(Counter::WorkersStarted);
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
    }

    pub(crate) fn worker_ended(&self, pid: u32) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    pub(crate) fn worker_lost(&self) {
        self.count(Counter::WorkersLost);
    }

    pub(crate) fn workers(&self) -> Vec<u32> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// The system refuses these protections to workers or to an agent.
    pub(crate) fn set_refused(&self, whom: &str, refused: &[String]) {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(whom.to_owned(), refused.to_vec());
    }

    /// Protections that the system refuses, with those whom it refuses them to.
    pub(crate) fn refused(&self) -> Vec<String> {
        let all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let named = all.iter().flat_map(|(whom, refused)| {
            refused.iter().map(move |protection| format!("{whom}: {protection}"))
        });
        named.collect()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The text format of Prometheus.
    pub(crate) fn text(&self, waiting: usize) -> String {
        let mut text = String::new();
        for ((name, kind, about), value) in COUNTERS.iter().zip(&self.counters) {
            let value = value.load(Ordering::Relaxed);
            let is_time = *name == "esets_busy_seconds_total";
            let value = if is_time { seconds(value) } else { value.to_string() };
            family(&mut text, name, kind, about, value);
        }
        let workers = self.workers().len() as u64;
        family(&mut text, "esets_workers", "gauge", "Scanning processes.", workers);
        family(&mut text, "esets_queue", "gauge", "Objects that wait.", waiting as u64);
        let refused = self.refused().len() as u64;
        let about = "Protections that the system refuses to scanning processes and agents.";
        family(&mut text, "esets_protections_refused", "gauge", about, refused);
        self.histogram(&mut text);
        text
    }

    fn histogram(&self, text: &mut String) {
        let mut total = 0_u64;
        let name = "esets_answer_seconds";
        let _ = writeln!(text, "# HELP {name} Time from request to answer.");
        let _ = writeln!(text, "# TYPE {name} histogram");
        for (place, count) in self.latency.iter().enumerate() {
            total = total.saturating_add(count.load(Ordering::Relaxed));
            let bound = BOUNDS.get(place).map_or("+Inf".to_owned(), |bound| seconds(*bound));
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
        let sum = seconds(self.latency_sum.load(Ordering::Relaxed));
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {total}");
    }
}

fn family(text: &mut String, name: &str, kind: &str, about: &str, value: impl Display) {
    let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {value}");
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// In the order of [`Counter`].
const COUNTERS: [(&str, &str, &str); 14] = [
    ("esets_busy_seconds_total", "counter", "Time that scans took in worker processes."),
    ("esets_cache_hits_total", "counter", "Objects known to be clean."),
    ("esets_cache_misses_total", "counter", "Objects that had to be scanned."),
    ("esets_clean_total", "counter", "Answers: clean."),
    ("esets_connections", "gauge", "Open connections of clients."),
    ("esets_deadly_total", "counter", "Objects refused because they brought a worker down."),
    ("esets_infected_total", "counter", "Answers: infected."),
    ("esets_joined_total", "counter", "Objects that were being scanned for somebody else."),
    ("esets_accepted_connections_total", "counter", "Connections of clients."),
    ("esets_not_scanned_total", "counter", "Answers: not scanned."),
    ("esets_refused_total", "counter", "Requests that break the protocol."),
    ("esets_reloads_total", "counter", "Reloads of configuration and database."),
    ("esets_workers_lost_total", "counter", "Worker processes that ended during a scan."),
    ("esets_workers_started_total", "counter", "Worker processes that were started."),
];

/// Bounds of the buckets in microseconds.
const BOUNDS: [u64; 12] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000,
    60_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_row() {
        assert_eq!(Counter::WorkersStarted as usize, COUNTERS.len() - 1);
        let metrics = Metrics::new();
        metrics.count(Counter::WorkersStarted);
        metrics.answered(Status::Infected, Duration::from_millis(3));
        let text = metrics.text(2);
        assert!(text.contains("\nesets_workers_started_total 1\n"), "{text}");
        assert!(text.contains("\nesets_infected_total 1\n"), "{text}");
        assert!(text.contains("le=\"0.002500\"} 0\n"), "{text}");
        assert!(text.contains("le=\"0.005000\"} 1\n"), "{text}");
        assert!(text.contains("le=\"+Inf\"} 1\n"), "{text}");
    }
}
