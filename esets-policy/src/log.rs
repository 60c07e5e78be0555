//! What is logged and told about an object: classes, the log line, and variables for templates.

use std::fmt;

use esets_core::{Status, Verdict};

use crate::action::Action;
use crate::context::Context;
use crate::disposition::Disposition;
use crate::template::escape;

/// How much a message of the log matters; the words of `syslog_class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogClass {
    /// Something does not work.
    Error,
    /// Something may not work soon.
    Warning,
    /// One object, as a whole.
    Summ,
    /// One threat or obstacle inside an object.
    Part,
    /// Start, stop, reload, update.
    Info,
    /// For developers.
    Debug,
}

/// The classes that are logged: the value of `syslog_class`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogClasses(Vec<&'static str>);

/// One object or one thing in it, as the log has it.
///
/// Printed, it is a single line whatever the fields hold:
///
/// ```
/// use esets_policy::Action;
/// use esets_policy::log::{Event, LogClass};
///
/// let mut event = Event::new(LogClass::Summ, "smtp", Action::Discard);
/// event.handle = 0x1b3e0300;
/// event.database = 31502;
/// event.name = b"a\n\".exe".to_vec();
/// event.virus = "Eicar".into();
/// event.avstatus = "infected".into();
/// assert_eq!(
///     event.to_string(),
///     "summ[1b3e0300]: vdb=31502, agent=smtp, name=\"a\\u{a}\\u{22}.exe\", virus=\"Eicar\", \
///      action=\"\", info=\"\", avstatus=\"infected\", hop=\"discarded\""
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// How much it matters.
    pub class: LogClass,
    /// The same number for all messages about one object.
    pub handle: u32,
    /// The version of the database.
    pub database: u64,
    /// The agent, by the name of its section.
    pub agent: String,
    /// The object, as raw bytes.
    pub name: Vec<u8>,
    /// What was found; empty for nothing.
    pub virus: String,
    /// What the scanner itself did: `cleaned by deleting`; empty for nothing.
    pub action: String,
    /// Why it could not be scanned, or what else there is to say.
    pub info: String,
    /// `clean`, `clean (deleted)`, `infected` or `not scanned`.
    pub avstatus: String,
    /// What the Handle Object Policy did with it.
    pub hop: Action,
    /// The sender, for templates only.
    pub sender: String,
    /// The recipients, for templates only.
    pub recipients: String,
    /// The client, for templates only.
    pub client: String,
}

impl LogClass {
    /// The word of `syslog_class`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Summ => "summ",
            Self::Part => "part",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl LogClasses {
    /// The words that `syslog_class` may hold: `summ` and `part` are about objects that are not
    /// clean, `summall` and `partall` about all.
    pub const WORDS: &'static [&'static str] =
        &["debug", "error", "info", "part", "partall", "summ", "summall", "warning"];

    /// Reads the value of `syslog_class`; `None` if a word is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |word: &str| Self::WORDS.iter().copied().find(|known| *known == word.trim());
        let words = text.split(':').filter(|word| !word.trim().is_empty());
        words.map(known).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether a message of this class is logged, about an object that is clean or not.
    pub fn includes(&self, class: LogClass, clean: bool) -> bool {
        self.0.iter().any(|word| match (class, *word) {
            (LogClass::Summ, "summall") | (LogClass::Part, "partall") => true,
            (LogClass::Summ | LogClass::Part, word) => word == class.word() && !clean,
            (_, word) => word == class.word(),
        })
    }
}

impl Event {
    /// An event about an object of which nothing else is known.
    pub fn new(class: LogClass, agent: &str, hop: Action) -> Self {
        Self {
            class,
            handle: 0,
            database: 0,
            agent: agent.to_owned(),
            name: Vec::new(),
            virus: String::new(),
            action: String::new(),
            info: String::new(),
            avstatus: String::new(),
            hop,
            sender: String::new(),
            recipients: String::new(),
            client: String::new(),
        }
    }

    /// The message about an object as a whole.
    pub fn summary(verdict: &Verdict, context: &Context<'_>, fate: &Disposition) -> Self {
        let mut event = Self::about(LogClass::Summ, context, fate);
        event.name = verdict.records().first().map(|whole| whole.name.clone()).unwrap_or_default();
        event.virus =
            verdict.threats().next().map(|(_, threat)| threat.name.clone()).unwrap_or_default();
        event.info = verdict.reasons().next().map(|(_, why)| why.to_string()).unwrap_or_default();
        let deleted = !fate.edits.remove.is_empty() || fate.rule.key == "action_av_deleted";
        event.action = if deleted { "cleaned by deleting" } else { "" }.to_owned();
        event.avstatus = match verdict.status() {
            Status::Infected if deleted => "clean (deleted)",
            Status::Infected => "infected",
            Status::Clean if !verdict.records().is_empty() => "clean",
            _ => "not scanned",
        }
        .to_owned();
        event
    }

    /// One message for each threat and each obstacle inside an object.
    pub fn parts<'e>(
        verdict: &'e Verdict,
        context: &'e Context<'e>,
        fate: &'e Disposition,
    ) -> impl Iterator<Item = Self> + 'e {
        let part = |record: usize, status: &str| {
            let mut event = Self::about(LogClass::Part, context, fate);
            let record = verdict.records().get(record);
            event.name = record.map(|record| record.name.clone()).unwrap_or_default();
            event.avstatus = status.to_owned();
            event
        };
        let threats = verdict.threats().map(move |(record, threat)| Self {
            virus: threat.name.clone(),
            ..part(record, "infected")
        });
        let obstacles = verdict.reasons().map(move |(record, reason)| Self {
            info: reason.to_string(),
            ..part(record, "not scanned")
        });
        threats.chain(obstacles)
    }

    fn about(class: LogClass, context: &Context<'_>, fate: &Disposition) -> Self {
        let mut event = Self::new(class, context.agent, fate.action);
        event.sender = context.sender.unwrap_or_default().to_owned();
        event.client = context.client.map(|client| client.to_string()).unwrap_or_default();
        let recipients = fate.recipients.iter().filter_map(|at| context.recipients.get(*at));
        event.recipients = recipients.copied().collect::<Vec<_>>().join(", ");
        event
    }

    /// The value of a template's variable; see [`expand`](crate::template::expand).
    pub fn variable(&self, name: &str) -> Option<String> {
        Some(match name {
            "ACTION" => self.action.clone(),
            "AGENT" => self.agent.clone(),
            "AVSTATUS" => self.avstatus.clone(),
            "CLIENT" => self.client.clone(),
            "HOP" => self.hop.participle().to_owned(),
            "INFO" => self.info.clone(),
            "OBJECT" => String::from_utf8_lossy(&self.name).into_owned(),
            "RECIPIENTS" => self.recipients.clone(),
            "SENDER" => self.sender.clone(),
            "VDB" => self.database.to_string(),
            "VIRUSNAME" => self.virus.clone(),
            _ => return None,
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agent = escape(self.agent.as_bytes());
        write!(out, "{}[{:08x}]: ", self.class.word(), self.handle)?;
        write!(out, "vdb={}, agent={agent}", self.database)?;
        let fields: [(&str, &[u8]); 6] = [
            ("name", &self.name),
            ("virus", self.virus.as_bytes()),
            ("action", self.action.as_bytes()),
            ("info", self.info.as_bytes()),
            ("avstatus", self.avstatus.as_bytes()),
            ("hop", self.hop.participle().as_bytes()),
        ];
        for (field, value) in fields {
            write!(out, ", {field}=\"{}\"", escape(cut(value)))?;
        }
        Ok(())
    }
}

/// A field at a length that a log takes.
fn cut(value: &[u8]) -> &[u8] {
    value.get(..LONGEST_FIELD).unwrap_or(value)
}

const LONGEST_FIELD: usize = 1024;
