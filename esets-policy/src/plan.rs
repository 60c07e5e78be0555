//! What to do with an object before it is scanned, and what to look for.

use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use esets_core::{Limits, Options, Verdict};

use crate::action::First;
use crate::config::{Value, find_section};
use crate::context::Context;
use crate::disposition::Disposition;
use crate::explain::Step;
use crate::findings::Findings;
use crate::judge::{Case, judge};
use crate::profile::Layers;
use crate::spam::SpamScore;

/// What to do with an object before anything is known about its content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Plan<'p> {
    /// It is settled: nothing needs to be scanned.
    Act(Vec<Disposition>),
    /// Scan it, then ask [`ScanPlan::decide`].
    Scan(ScanPlan<'p>),
}

/// What to look for, and what comes of it.
#[derive(Clone, Debug)]
pub struct ScanPlan<'p> {
    pub(crate) groups: Vec<Group<'p>>,
    is_message: bool,
    may_clean: bool,
    may_modify: bool,
}

/// Recipients for which the same sections hold.
#[derive(Clone, Debug)]
pub(crate) struct Group<'p> {
    pub(crate) recipients: Vec<usize>,
    pub(crate) layers: Layers<'p>,
}

impl<'p> ScanPlan<'p> {
    pub(crate) fn new(groups: Vec<Group<'p>>, context: &Context<'_>) -> Self {
        let is_message = find_section(context.agent).is_some_and(|section| section.messages);
        let may_modify = context.may_modify;
        Self { groups, is_message, may_clean: may_modify, may_modify }
    }

    /// What the scanner shall look for: all that any recipient asks for.
    pub fn options(&self) -> Options {
        let any = |key| self.groups.iter().any(|group| group.layers.is_on(key));
        let mut options = Options::default();
        options.heuristics = any("av_scan_adv_heur");
        options.unsafe_applications = any("av_scan_app_unsafe");
        options.unwanted_applications = any("av_scan_app_unwanted");
        options
    }

    /// How far the scanner may go.
    pub fn limits(&self) -> Limits {
        self.layers().map(limits).unwrap_or_default()
    }

    /// How long the scan may take.
    pub fn time(&self) -> Duration {
        let seconds = self.layers().and_then(|layers| layers.number("av_limit_time"));
        Duration::from_secs(seconds.unwrap_or(TIME))
    }

    /// Limits are the agent's, so every group has the same.
    fn layers(&self) -> Option<&Layers<'p>> {
        self.groups.first().map(|group| &group.layers)
    }

    /// Whether the object has to be scanned for threats.
    pub fn scans_for_threats(&self) -> bool {
        self.groups.iter().any(|group| is_scanned(&group.layers, "action_av"))
    }

    /// Whether the object has to be searched for spam.
    pub fn scans_for_spam(&self) -> bool {
        let mut groups = self.groups.iter().map(|group| &group.layers);
        self.is_message && groups.any(|layers| !ends_before_scan(layers) && is_searched(layers))
    }

    /// The same plan for an agent that could not take out what it should have.
    #[must_use]
    pub fn without_cleaning(self) -> Self {
        Self { may_clean: false, ..self }
    }

    /// What happens to the object for whom. Recipients with the same fate are together; every
    /// recipient is in exactly one disposition, and without recipients there is exactly one.
    pub fn decide(&self, verdict: &Verdict, score: Option<&dyn SpamScore>) -> Vec<Disposition> {
        let mut together: Vec<Disposition> = Vec::new();
        let mut places = HashMap::new();
        for (mut fate, _) in self.judge(verdict, score) {
            let recipients = mem::take(&mut fate.recipients);
            let place = *places.entry(fate.clone()).or_insert(together.len());
            match together.get_mut(place) {
                Some(same) => same.recipients.extend(recipients),
                None => together.push(Disposition { recipients, ..fate }),
            }
        }
        together.iter_mut().for_each(|disposition| disposition.recipients.sort_unstable());
        together
    }

    /// One disposition for each group, with the questions that led to it.
    pub(crate) fn judge(
        &self,
        verdict: &Verdict,
        score: Option<&dyn SpamScore>,
    ) -> Vec<(Disposition, Vec<Step>)> {
        let findings = Findings::new(verdict, score.and_then(SpamScore::score));
        let case = Case {
            findings: &findings,
            options: &self.options(),
            is_message: self.is_message,
            may_clean: self.may_clean,
            may_modify: self.may_modify,
        };
        let judged = self.groups.iter().map(|group| {
            let (disposition, steps) = judge(&group.layers, &case);
            (Disposition { recipients: group.recipients.clone(), ..disposition }, steps)
        });
        judged.collect()
    }
}

impl Group<'_> {
    pub(crate) fn names(&self, context: &Context<'_>) -> Vec<String> {
        let names = self.recipients.iter().filter_map(|at| context.recipients.get(*at));
        names.map(|name| (*name).to_owned()).collect()
    }
}

fn ends_before_scan(layers: &Layers<'_>) -> bool {
    matches!(layers.word("action_av"), "defer" | "discard" | "reject")
}

fn is_scanned(layers: &Layers<'_>, key: &str) -> bool {
    layers.find(&[key]).is_some_and(|setting| First::of(&setting.value) == First::Scan)
}

fn is_searched(layers: &Layers<'_>) -> bool {
    let set = layers.find(&["action_as"]).is_some_and(|setting| !setting.rule.is_default());
    match layers.find(&["as_enabled"]).map(|setting| &setting.value) {
        Some(Value::Switch(false)) => false,
        Some(_) if !set => true,
        _ => is_scanned(layers, "action_as"),
    }
}

fn limits(layers: &Layers<'_>) -> Limits {
    let mut limits = Limits::default();
    let number = |key, default: u64| layers.number(key).unwrap_or(default);
    let small = |key, default: u32| u32::try_from(number(key, default.into())).unwrap_or(default);
    limits.depth =
        u16::try_from(number("av_limit_depth", limits.depth.into())).unwrap_or(limits.depth);
    limits.memory = number("av_limit_memory", limits.memory);
    limits.object_size = number("av_limit_object_size", limits.object_size);
    limits.objects = small("av_limit_objects", limits.objects);
    limits.ratio = small("av_limit_ratio", limits.ratio);
    limits.scan_size = number("av_limit_scan_size", limits.scan_size);
    limits
}

/// The default of `av_limit_time` in seconds, should the table have none.
const TIME: u64 = 120;
