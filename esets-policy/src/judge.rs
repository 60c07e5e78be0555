//! The Handle Object Policy, in the order of the manual, for one group of recipients.

use std::collections::BTreeSet;

use esets_core::{Class, Options};

use crate::action::{Action, First};
use crate::config::{Rule, Setting, Value};
use crate::disposition::{Disposition, Edits};
use crate::explain::Step;
use crate::findings::{Findings, Obstacle, Threat};
use crate::notice::{Notice, edits};
use crate::profile::Layers;

/// What is the same for all groups.
pub(crate) struct Case<'c> {
    pub(crate) findings: &'c Findings<'c>,
    /// What the scan looked for, for any group.
    pub(crate) options: &'c Options,
    /// Whether the object is a message, and so searched for spam too.
    pub(crate) is_message: bool,
    /// Whether infected parts can be taken out.
    pub(crate) may_clean: bool,
    pub(crate) may_modify: bool,
}

/// What the policy says, and every question on the way.
pub(crate) fn judge(layers: &Layers<'_>, case: &Case<'_>) -> (Disposition, Vec<Step>) {
    let mut judge = Judge::new(layers, case);
    let ended = judge.antivirus();
    let ended = if case.is_message { ended.or_else(|| judge.antispam()) } else { ended };
    judge.conclude(ended.unwrap_or(Action::Accept))
}

struct Judge<'j, 'p> {
    layers: &'j Layers<'p>,
    findings: &'j Findings<'j>,
    /// Threats that stay in the object.
    remaining: Vec<Threat<'j>>,
    /// Parts that are taken out, with the first threat in them.
    removed: BTreeSet<usize>,
    removed_name: Option<&'j str>,
    obstacles: Vec<Obstacle<'j>>,
    may_modify: bool,
    steps: Vec<Step>,
    rule: Option<Rule>,
    notice: Notice,
}

impl<'j, 'p> Judge<'j, 'p> {
    fn new(layers: &'j Layers<'p>, case: &'j Case<'j>) -> Self {
        let findings = case.findings;
        let asked_for = asked_for(layers, case.options);
        let mode = if case.may_clean { layers.word("av_clean_mode") } else { "none" };
        let threats = findings.threats.iter().copied().filter(asked_for);
        // Of a message that is itself infected nothing is left that could be accepted.
        let may_vanish = layers.word("action_av_deleted") != "accept";
        let (cleaned, remaining): (Vec<_>, Vec<_>) = threats
            .partition(|threat| is_cleaned(threat, mode) && (threat.part.is_some() || may_vanish));
        let removed: BTreeSet<usize> = cleaned.iter().filter_map(|threat| threat.part).collect();
        let stays = |part: Option<usize>| part.is_none_or(|part| !removed.contains(&part));
        Self {
            layers,
            findings,
            remaining: remaining.into_iter().filter(|threat| stays(threat.part)).collect(),
            removed_name: cleaned.first().map(|threat| threat.detection.name.as_str()),
            obstacles: findings.reasons.iter().copied().filter(|found| stays(found.part)).collect(),
            removed,
            may_modify: case.may_modify,
            steps: Vec::new(),
            rule: None,
            notice: Notice::default(),
        }
    }

    fn antivirus(&mut self) -> Option<Action> {
        let setting = self.ask("before the scan".to_owned(), &["action_av"])?;
        match First::of(&setting.value) {
            First::Scan => {}
            First::Act(Action::Accept) => {
                self.rule = Some(setting.rule.clone());
                return None;
            }
            First::Act(action) => return self.end(action, &setting.rule),
        }
        self.notice.scanned = true;
        self.infected()
            .or_else(|| self.deleted())
            .or_else(|| self.not_scanned())
            .or_else(|| self.ambiguous())
            .or_else(|| self.clean(&setting.rule))
    }

    fn infected(&mut self) -> Option<Action> {
        self.notice.threat = self.remaining.first().map(|threat| threat.detection.name.clone());
        let mut questions = Vec::new();
        for threat in &self.remaining {
            let about = || format!("infected: {}", threat.detection.name);
            add_question(&mut questions, threat.keys(), about);
        }
        self.strictest(questions)
    }

    fn deleted(&mut self) -> Option<Action> {
        let name = self.removed_name?;
        self.notice.deleted = Some(name.to_owned());
        self.strictest(vec![(format!("deleted: {name}"), &["action_av_deleted"])])
    }

    fn not_scanned(&mut self) -> Option<Action> {
        let mut questions = Vec::new();
        for obstacle in &self.obstacles {
            add_question(&mut questions, obstacle.keys(), || {
                format!("not scanned: {}", obstacle.reason)
            });
        }
        self.notice.reason = self.obstacles.first().map(|found| found.reason.to_string());
        self.strictest(questions)
    }

    fn ambiguous(&mut self) -> Option<Action> {
        let defect = self.findings.defect?;
        self.strictest(vec![(format!("ambiguous: {defect}"), &["action_av_ambiguous"])])
    }

    /// Nothing ended it: if nothing was found either, the line that asked for the scan decided.
    fn clean(&mut self, scan: &Rule) -> Option<Action> {
        self.rule.get_or_insert_with(|| scan.clone());
        None
    }

    fn antispam(&mut self) -> Option<Action> {
        let first = self.before_antispam()?;
        if let First::Act(action) = first.1 {
            return if action == Action::Accept { None } else { self.end(action, &first.0) };
        }
        let threshold = self.layers.number("as_spam_score").unwrap_or_default();
        let (about, key) = match self.findings.score {
            None => ("not searched for spam".to_owned(), "action_as_notscanned"),
            Some(score) if u64::from(score) >= threshold => {
                (format!("spam: score {score}"), "action_as_spam")
            }
            Some(_) => {
                self.notice.spam = Some(false);
                return None;
            }
        };
        if key == "action_as_spam" {
            self.notice.spam = Some(true);
        }
        let setting = self.ask(about, &[key])?;
        match Action::of(&setting.value) {
            Action::Accept => None,
            action => self.end(action, &setting.rule),
        }
    }

    /// `action_as`, and the switch that the 3.0 edition had before it.
    fn before_antispam(&mut self) -> Option<(Rule, First)> {
        let about = "before the search for spam";
        if let Some(switch) = self.layers.find(&["as_enabled"]) {
            self.ask(about.to_owned(), &["as_enabled"]);
            if switch.value == Value::Switch(false) {
                return None;
            }
            let explicit = self.layers.find(&["action_as"]).filter(|as_| !as_.rule.is_default());
            if explicit.is_none() {
                return Some((switch.rule.clone(), First::Scan));
            }
        }
        let setting = self.ask(about.to_owned(), &["action_as"])?;
        Some((setting.rule.clone(), First::of(&setting.value)))
    }

    fn ask(&mut self, about: String, keys: &[&str]) -> Option<&'p Setting> {
        let (layer, setting) = self.layers.find_with_layer(keys)?;
        let inherited = layer.name != setting.rule.section && !setting.rule.is_default();
        self.steps.push(Step {
            about,
            rule: setting.rule.clone(),
            value: setting.value.clone(),
            inherited_by: inherited.then(|| layer.name.to_string()),
        });
        Some(setting)
    }

    /// Asks all, and ends with the strictest answer unless that is to accept.
    fn strictest(&mut self, questions: Vec<Question>) -> Option<Action> {
        let mut worst: Option<(Action, &Rule)> = None;
        for (about, keys) in questions {
            let setting = self.ask(about, keys)?;
            let action = Action::of(&setting.value);
            if worst.is_none_or(|(worst, _)| action > worst) {
                worst = Some((action, &setting.rule));
            }
        }
        let (action, rule) = worst?;
        if action == Action::Accept {
            self.rule.get_or_insert_with(|| rule.clone());
            return None;
        }
        self.end(action, rule)
    }

    fn end(&mut self, action: Action, rule: &Rule) -> Option<Action> {
        self.rule = Some(rule.clone());
        Some(action)
    }

    fn conclude(mut self, action: Action) -> (Disposition, Vec<Step>) {
        let infected = self.notice.threat.is_some() || self.notice.deleted.is_some();
        let held_back = self.notice.reason.is_some() && action != Action::Accept;
        let quarantine = (infected && self.layers.is_on("av_quarantine_enabled"))
            || (held_back && self.layers.is_on("av_quarantine_notscanned"));
        self.notice.score = self.findings.score;
        let edits = if action == Action::Accept && self.may_modify {
            let remove = if self.notice.scanned { self.removed } else { BTreeSet::new() };
            let text = self.layers.text("av_eml_part_template");
            let part_notice = if remove.is_empty() { String::new() } else { text.to_owned() };
            let remove = remove.into_iter().collect();
            Edits { remove, part_notice, ..edits(self.layers, &self.notice) }
        } else {
            Edits::default()
        };
        let rule = self.rule.unwrap_or_else(|| Rule::default_of("action_av"));
        let recipients = Vec::new();
        (Disposition { recipients, action, edits, quarantine, rule }, self.steps)
    }
}

type Question = (String, &'static [&'static str]);

fn add_question(
    questions: &mut Vec<Question>,
    keys: &'static [&'static str],
    about: impl Fn() -> String,
) {
    if questions.iter().all(|(_, asked)| *asked != keys) {
        questions.push((about(), keys));
    }
}

/// Whether a threat counts for this group: what only another group asked for does not.
fn asked_for(layers: &Layers<'_>, options: &Options) -> impl Fn(&Threat<'_>) -> bool {
    let heuristics = !options.heuristics || layers.is_on("av_scan_adv_heur");
    let unsafe_applications = !options.unsafe_applications || layers.is_on("av_scan_app_unsafe");
    let unwanted = !options.unwanted_applications || layers.is_on("av_scan_app_unwanted");
    move |threat| match threat.detection.class {
        Class::PotentiallyUnsafe => unsafe_applications,
        Class::PotentiallyUnwanted => unwanted,
        _ => heuristics || !threat.is_heuristic(),
    }
}

/// Whether `av_clean_mode` takes a threat away; `yes` and `no` are the words of the 3.0 edition.
fn is_cleaned(threat: &Threat<'_>, mode: &str) -> bool {
    match mode {
        "delete" => true,
        "strict" => threat.part.is_some(),
        "standard" | "yes" => threat.part.is_some() && threat.detection.class == Class::Malware,
        _ => false,
    }
}
