//! The whole configuration as one thing that can be asked.

use std::collections::HashMap;
use std::fmt::Display;
use std::ptr;

use esets_core::Verdict;

use crate::config::{
    Cause, Config, ConfigError, ConfigErrors, FileKind, Setting, Value, find_section,
};
use crate::context::Context;
use crate::disposition::Decision;
use crate::explain::{Applied, Explanation, Reasoning};
use crate::plan::{Group, Plan, ScanPlan};
use crate::profile::{Layer, Layers, Matches, Users, Who};
use crate::spam::SpamScore;

/// What happens to objects: `esets.cfg` with all its special configuration files.
///
/// The default is that of an empty file.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `[global]` and the agents' sections, by name.
    sections: HashMap<String, Layer>,
    /// Special configuration files, by the value of `user_config`.
    users: HashMap<String, Users>,
    defaults: Layer,
    warnings: Vec<ConfigError>,
}

impl Policy {
    /// Reads an `esets.cfg` and makes a policy of it, as [`Policy::from_config`] does.
    ///
    /// # Errors
    /// Every mistake in all files at once, so that one look at the messages is enough.
    pub fn load<R, E>(file: &str, bytes: &[u8], read: R) -> Result<Self, ConfigErrors>
    where
        R: FnMut(&str) -> Result<Vec<u8>, E>,
        E: Display,
    {
        let (config, problems) = Config::parse_leniently(file, bytes, FileKind::Main);
        Self::build(&config, problems, read)
    }

    /// Makes a policy of a configuration; `read` returns the content of a special configuration
    /// file, named as in the value of `user_config`, that is relative to the configuration folder.
    ///
    /// # Errors
    /// Every mistake in the special configuration files, and every file that cannot be read.
    pub fn from_config<R, E>(config: &Config, read: R) -> Result<Self, ConfigErrors>
    where
        R: FnMut(&str) -> Result<Vec<u8>, E>,
        E: Display,
    {
        Self::build(config, config.warnings().to_vec(), read)
    }

    fn build<R, E>(
        config: &Config,
        mut problems: Vec<ConfigError>,
        mut read: R,
    ) -> Result<Self, ConfigErrors>
    where
        R: FnMut(&str) -> Result<Vec<u8>, E>,
        E: Display,
    {
        let mut users = HashMap::new();
        for (name, setting) in user_files(config) {
            if users.contains_key(name) {
                continue;
            }
            let loaded = match read(name) {
                Ok(bytes) => load_users(name, &bytes, &mut problems),
                Err(why) => {
                    problems.push(unreadable(setting, name, &why));
                    Users::default()
                }
            };
            users.insert(name.to_owned(), loaded);
        }
        if !problems.iter().all(ConfigError::is_warning) {
            return Err(ConfigErrors { problems });
        }
        let sections = config.sections().iter();
        let sections =
            sections.map(|section| (section.name.to_string(), Layer::new(section, None))).collect();
        Ok(Self { sections, users, defaults: Layer::defaults(), warnings: problems })
    }

    /// What is doubtful in the files, though usable.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// What to do with an object before anything is known about its content.
    pub fn plan(&self, context: &Context<'_>) -> Plan<'_> {
        let plan = self.scan_plan(context);
        if plan.scans_for_threats() || plan.scans_for_spam() {
            Plan::Scan(plan)
        } else {
            Plan::Act(plan.decide(&Verdict::default(), None))
        }
    }

    /// What happens to an object that was scanned, for those who cannot treat recipients apart.
    pub fn decide(&self, verdict: &Verdict, context: &Context<'_>) -> Decision {
        Decision::of(self.scan_plan(context).decide(verdict, None))
    }

    /// The whole reasoning that leads from a verdict to actions.
    pub fn explain(
        &self,
        context: &Context<'_>,
        verdict: &Verdict,
        score: Option<&dyn SpamScore>,
    ) -> Explanation {
        let plan = self.scan_plan(context);
        let judged = plan.judge(verdict, score);
        let groups =
            plan.groups.iter().zip(judged).map(|(group, (disposition, steps))| Reasoning {
                recipients: group.names(context),
                sections: group.layers.matched.iter().map(applied).collect(),
                steps,
                disposition,
            });
        Explanation { groups: groups.collect() }
    }

    fn scan_plan(&self, context: &Context<'_>) -> ScanPlan<'_> {
        ScanPlan::new(self.groups(context), context)
    }

    /// The recipients in groups for which the same sections hold.
    fn groups(&self, context: &Context<'_>) -> Vec<Group<'_>> {
        let users = self.users_of(context.agent);
        let rest = self.sections_of_all(users, context);
        if context.recipients.is_empty() {
            return vec![self.group(rest)];
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        for (at, recipient) in context.recipients.iter().enumerate() {
            let mut matches = Matches::default();
            if let Some(users) = users {
                users.recipient(recipient, &mut matches);
            }
            let own = matches.found.iter().map(|(_, layer)| ptr::from_ref(*layer).addr());
            let place = *known.entry(own.collect()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.recipients.push(at),
                None => {
                    matches.found.extend(&rest);
                    groups.push(Group { recipients: vec![at], ..self.group(matches.found) });
                }
            }
        }
        groups
    }

    /// The sections that hold for every recipient alike.
    fn sections_of_all<'p>(
        &'p self,
        users: Option<&'p Users>,
        context: &Context<'_>,
    ) -> Vec<(Who, &'p Layer)> {
        let mut matches = Matches::default();
        if let Some(users) = users {
            context.user.inspect(|name| users.user(name, &mut matches));
            context.client.inspect(|address| users.client(*address, &mut matches));
            context.server.inspect(|address| users.server(*address, &mut matches));
            context.sender.inspect(|address| users.sender(address, &mut matches));
        }
        let mut found = matches.found;
        found.extend(self.agent(context.agent).map(|layer| (Who::Agent, layer)));
        found.extend(self.sections.get("global").map(|layer| (Who::Global, layer)));
        found
    }

    fn group<'p>(&'p self, matched: Vec<(Who, &'p Layer)>) -> Group<'p> {
        let layers = Layers { matched, defaults: &self.defaults };
        Group { recipients: Vec::new(), layers }
    }

    fn agent(&self, name: &str) -> Option<&Layer> {
        let name = find_section(name).map_or(name, |section| section.name);
        self.sections.get(name).filter(|_| name != "global")
    }

    fn users_of(&self, agent: &str) -> Option<&Users> {
        let setting = [self.agent(agent), self.sections.get("global")]
            .into_iter()
            .flatten()
            .find_map(|layer| layer.get("user_config"))?;
        self.users.get(file_name(setting)?)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            sections: HashMap::new(),
            users: HashMap::new(),
            defaults: Layer::defaults(),
            warnings: Vec::new(),
        }
    }
}

fn user_files(config: &Config) -> impl Iterator<Item = (&str, &Setting)> {
    let settings = config.sections().iter().filter_map(|section| section.setting("user_config"));
    settings.filter_map(|setting| Some((file_name(setting)?, setting)))
}

fn file_name(setting: &Setting) -> Option<&str> {
    match &setting.value {
        Value::Text(name) if !name.is_empty() => Some(name),
        _ => None,
    }
}

fn load_users(name: &str, bytes: &[u8], problems: &mut Vec<ConfigError>) -> Users {
    let (config, mut own) = Config::parse_leniently(name, bytes, FileKind::Users);
    let users = Users::new(&config, &mut own);
    own.sort_by_key(|problem| problem.line);
    problems.append(&mut own);
    users
}

fn unreadable(setting: &Setting, name: &str, why: &dyn Display) -> ConfigError {
    let cause = Cause::Unreadable { name: name.to_owned(), why: why.to_string() };
    let (file, line) = (setting.rule.file.clone(), setting.rule.line);
    ConfigError { file, line, cause, nearest: None }
}

fn applied((who, layer): &(Who, &Layer)) -> Applied {
    Applied { section: layer.name.to_string(), because: who.to_string() }
}
