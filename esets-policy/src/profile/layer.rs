//! What one section says, and the order in which sections are asked.

use std::fmt;
use std::sync::Arc;

use crate::config::{Rule, Section, Setting, Value, keys};

/// A section with all that it inherits from its parents, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) name: Arc<str>,
    settings: Vec<Arc<Setting>>,
}

impl Layer {
    /// What a section of a file says, over what its parent says.
    pub(crate) fn new(section: &Section, parent: Option<&Self>) -> Self {
        let mut settings = section.settings.clone();
        let inherited = parent.map(|parent| parent.settings.as_slice()).unwrap_or_default();
        let hidden = |key: &str| {
            let mut own = section.settings.iter().map(|setting| setting.key.name);
            own.any(|own| own == key || refines(key, own))
        };
        settings.extend(inherited.iter().filter(|setting| !hidden(setting.key.name)).cloned());
        settings.sort_unstable_by_key(|setting| setting.key.name);
        Self { name: section.name.clone(), settings }
    }

    /// The defaults of all keys.
    pub(crate) fn defaults() -> Self {
        let default = |key: &'static crate::config::Key| {
            let value = key.default_value()?;
            Some(Arc::new(Setting { key, value, rule: Rule::default_of(key.name) }))
        };
        let mut settings: Vec<_> = keys().filter_map(default).collect();
        settings.sort_unstable_by_key(|setting| setting.key.name);
        Self { name: "".into(), settings }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        let at = self.settings.binary_search_by(|setting| setting.key.name.cmp(key)).ok()?;
        self.settings.get(at).map(Arc::as_ref)
    }
}

/// The sections that hold for one recipient, the nearest first.
#[derive(Clone, Debug)]
pub(crate) struct Layers<'p> {
    pub(crate) matched: Vec<(Who, &'p Layer)>,
    pub(crate) defaults: &'p Layer,
}

/// Whom a section was found for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Agent,
    Client,
    Global,
    Recipient,
    Sender,
    Server,
    User,
}

impl<'p> Layers<'p> {
    /// The nearest setting of one of these keys; within a section, of the first of them.
    pub(crate) fn find(&self, keys: &[&str]) -> Option<&'p Setting> {
        self.find_with_layer(keys).map(|(_, setting)| setting)
    }

    /// The same with the section that holds for the recipient; the setting itself may stand in
    /// one of its parents.
    pub(crate) fn find_with_layer(&self, keys: &[&str]) -> Option<(&'p Layer, &'p Setting)> {
        let layers = self.matched.iter().map(|(_, layer)| *layer).chain([self.defaults]);
        let mut found = layers.flat_map(|layer| {
            keys.iter().filter_map(move |key| layer.get(key)).map(move |setting| (layer, setting))
        });
        found.next()
    }

    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.find(&[key]).is_some_and(|setting| setting.value == Value::Switch(true))
    }

    pub(crate) fn word(&self, key: &str) -> &'static str {
        match self.find(&[key]).map(|setting| &setting.value) {
            Some(Value::Choice(word)) => word,
            _ => "",
        }
    }

    pub(crate) fn text(&self, key: &str) -> &'p str {
        match self.find(&[key]).map(|setting| &setting.value) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.find(&[key]).map(|setting| &setting.value) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Agent => "agent",
            Self::Client => "client",
            Self::Global => "all agents",
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::Server => "server",
            Self::User => "user",
        })
    }
}

/// Whether `fine` is a case of `coarse`: a coarse key of a section hides the finer ones that the
/// section would inherit.
fn refines(fine: &str, coarse: &str) -> bool {
    REFINED.contains(&coarse) && fine.strip_prefix(coarse).is_some_and(|rest| rest.starts_with('_'))
}

const REFINED: [&str; 3] = ["action_av_failed", "action_av_infected", "action_av_notscanned"];
