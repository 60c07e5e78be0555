//! A verdict as policy sees it: threats and reasons, each with the part that could be taken out.

use std::collections::HashSet;

use esets_core::{Class, Detection, ObjectId, Reason, Source, Verdict};

/// What a scan and a search for spam found.
pub(crate) struct Findings<'v> {
    pub(crate) threats: Vec<Threat<'v>>,
    pub(crate) reasons: Vec<Obstacle<'v>>,
    /// The first breach of a format that leaves more than one reading.
    pub(crate) defect: Option<&'v str>,
    /// None if nobody looked.
    pub(crate) score: Option<u8>,
}

#[derive(Clone, Copy)]
pub(crate) struct Threat<'v> {
    pub(crate) detection: &'v Detection,
    /// The direct member of the message that holds it, if taking that out is enough.
    pub(crate) part: Option<usize>,
}

#[derive(Clone, Copy)]
pub(crate) struct Obstacle<'v> {
    pub(crate) reason: &'v Reason,
    pub(crate) part: Option<usize>,
}

impl<'v> Findings<'v> {
    pub(crate) fn new(verdict: &'v Verdict, score: Option<u8>) -> Self {
        let parts = parts(verdict);
        let part = |record: usize| parts.get(record).copied().flatten();
        // What the message's own bytes show may stay there when a part that shows it too goes.
        let whole = verdict.records().first().map(|whole| whole.detections.as_slice());
        let whole: HashSet<&str> =
            whole.unwrap_or_default().iter().map(|found| found.name.as_str()).collect();
        let threats = verdict.threats().map(|(record, detection)| {
            let part = part(record).filter(|_| !whole.contains(detection.name.as_str()));
            Threat { detection, part }
        });
        let threats = threats.collect();
        let reasons = verdict.reasons();
        let reasons =
            reasons.map(|(record, reason)| Obstacle { reason, part: part(record) }).collect();
        let mut defects = verdict.records().iter().flat_map(|record| &record.defects);
        Self { threats, reasons, defect: defects.next().map(AsRef::as_ref), score }
    }
}

impl Threat<'_> {
    /// The keys that are asked about it, the finest first.
    pub(crate) fn keys(&self) -> &'static [&'static str] {
        match self.detection.class {
            Class::Malware => &["action_av_infected_malware", "action_av_infected"],
            Class::PotentiallyUnsafe => &["action_av_infected_unsafe", "action_av_infected"],
            Class::PotentiallyUnwanted => &["action_av_infected_unwanted", "action_av_infected"],
            Class::Suspicious => &["action_av_infected_suspicious", "action_av_infected"],
            _ => &["action_av_infected"],
        }
    }

    pub(crate) fn is_heuristic(&self) -> bool {
        self.detection.source == Source::Heuristic
    }
}

impl Obstacle<'_> {
    /// The keys that are asked about it, the finest first.
    pub(crate) fn keys(&self) -> &'static [&'static str] {
        use esets_core::Limit::{Memory, Time};
        match self.reason {
            Reason::Cancelled => &["action_av_failed_cancelled", "action_av_failed"],
            Reason::Fault(_) => &["action_av_failed_fault", "action_av_failed"],
            Reason::Limit(Memory) => &["action_av_failed_memory", "action_av_failed"],
            Reason::Limit(Time) => &["action_av_failed_time", "action_av_failed"],
            reason if reason.is_ours() => &["action_av_failed"],
            Reason::Corrupt(_) => &["action_av_notscanned_corrupt", "action_av_notscanned"],
            Reason::Encrypted => &["action_av_notscanned_encrypted", "action_av_notscanned"],
            Reason::Limit(_) => &["action_av_notscanned_limit", "action_av_notscanned"],
            Reason::Truncated => &["action_av_notscanned_truncated", "action_av_notscanned"],
            Reason::Unsupported(_) => &["action_av_notscanned_unsupported", "action_av_notscanned"],
            _ => &["action_av_notscanned"],
        }
    }
}

/// For each record the direct member of the scanned object that it lies in.
///
/// A message that can be read in more than one way has none: what is taken out of one reading may
/// stay in another. Nor has what the message does not count among its parts.
pub(crate) fn parts(verdict: &Verdict) -> Vec<Option<usize>> {
    let mut parts: Vec<Option<usize>> = Vec::new();
    let whole = verdict.records().first();
    let unambiguous =
        whole.is_some_and(|whole| whole.formats.len() == 1 && whole.defects.is_empty());
    for (at, record) in verdict.records().iter().enumerate() {
        let part = match record.parent {
            Some(ObjectId::ROOT) => record.index.map(|_| at),
            Some(parent) => parts.get(parent.index()).copied().flatten(),
            None => None,
        };
        parts.push(part.filter(|_| unambiguous));
    }
    parts
}
