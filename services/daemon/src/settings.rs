//! What `esets.cfg` says of the daemon itself.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use esets_agents::AGENTS;
use esets_agents::remote::Credentials;
use esets_policy::config::{Config, ConfigError, LAYOUT, SECTIONS, Value};
use esets_policy::core::Limits;
use esets_policy::log::LogClasses;
use esets_policy::{Context, Plan, Policy};

use crate::log::{Target, facility};
use crate::worker::Account;

/// What `esets.cfg` says of the daemon itself.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) socket: PathBuf,
    pub(crate) base: PathBuf,
    pub(crate) quarantine: PathBuf,
    pub(crate) processes: usize,
    pub(crate) threads: usize,
    /// The account of workers, and of agents that name no other.
    pub(crate) account: String,
    pub(crate) log: Target,
    /// The script that is run on a detection.
    pub(crate) script: Option<PathBuf>,
    classes: BTreeMap<String, LogClasses>,
    pub(crate) agents: Vec<AgentSettings>,
    /// Bytes that the scan of any agent may need at most.
    pub(crate) scan_memory: u64,
    /// Seconds that the scan of any agent may take at most.
    pub(crate) scan_seconds: u64,
}

/// What `esets.cfg` says of an agent that is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentSettings {
    pub(crate) name: &'static str,
    /// The account that it runs under, if the daemon is root and can choose.
    pub(crate) account: Option<Account>,
    /// The address and port that it listens on.
    pub(crate) port: Option<(String, u16)>,
    /// The socket that it listens on.
    pub(crate) socket: Option<PathBuf>,
    /// Bytes of the longest object that it takes.
    pub(crate) longest: u64,
    /// Who it is to its clients, if its protocol has that.
    pub(crate) credentials: Option<Credentials>,
}

/// The whole configuration, read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
}

/// Reads `esets.cfg` and the files that it names. A file that does not exist is an empty one if it
/// need not be there.
///
/// # Errors
/// Every mistake in the files, one on a line.
pub(crate) fn load(path: &Path, must_exist: bool) -> Result<Loaded, String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Vec::new(),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let name = path.to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let policy = Policy::load(&name, &bytes, |file: &str| fs::read(folder.join(file)));
    let policy = policy.map_err(|errors| errors.to_string())?;
    let config = Config::parse(&name, &bytes).map_err(|errors| errors.to_string())?;
    let settings = Settings::new(&config, &policy)?;
    Ok(Loaded { settings, policy })
}

impl Loaded {
    /// What is doubtful in the files.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.policy.warnings().iter().map(ConfigError::to_string)
    }
}

impl Settings {
    fn new(config: &Config, policy: &Policy) -> Result<Self, String> {
        let text = |key| text(config, "global", key);
        let count =
            |key| number(config, "global", key).and_then(|count| usize::try_from(count).ok());
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let log = match text("log_file").as_str() {
            "" => {
                let name = text("syslog_facility");
                let unknown = || format!("syslog_facility: there is no facility {name:?}");
                Target::System(facility(&name).ok_or_else(unknown)?)
            }
            "stderr" => Target::Stderr,
            path => Target::File(path.into()),
        };
        let (scan_memory, scan_seconds) = most(policy);
        Ok(Self {
            socket: text("daemon_sock_path").into(),
            base: text("base_dir").into(),
            quarantine: text("quarantine_dir").into(),
            processes: count("num_proc").unwrap_or(cores),
            threads: count("num_thrd").unwrap_or(1),
            account: text("worker_user"),
            log,
            script: script(&text("exec_script")),
            classes: classes(config),
            agents: agents(config, policy)?,
            scan_memory,
            scan_seconds,
        })
    }

    /// The classes of messages that are logged about objects of an agent.
    pub(crate) fn classes(&self, agent: &str) -> Option<&LogClasses> {
        self.classes.get(agent).or_else(|| self.classes.get("global"))
    }
}

/// `yes` means the script of the manual.
fn script(value: &str) -> Option<PathBuf> {
    match value {
        "" | "no" => None,
        "yes" => Some(LAYOUT.expand("@ETCDIR@/scripts/daemon_notification_script").into()),
        path => Some(path.into()),
    }
}

/// The agents that are switched on.
fn agents(config: &Config, policy: &Policy) -> Result<Vec<AgentSettings>, String> {
    let mut agents = Vec::new();
    for agent in AGENTS {
        let name = agent.name;
        if config.value(name, "agent_enabled") != Some(Value::Switch(true)) {
            continue;
        }
        let port = number(config, name, "listen_port").and_then(|port| u16::try_from(port).ok());
        let port = port.map(|port| (text(config, name, "listen_addr"), port));
        let socket = Some(text(config, name, &format!("{name}_sock_path")));
        let socket = socket.filter(|path| !path.is_empty()).map(PathBuf::from);
        if port.is_none() && socket.is_none() {
            return Err(format!("[{name}] has neither listen_port nor {name}_sock_path"));
        }
        let longest = match policy.plan(&Context::new(name)) {
            Plan::Scan(plan) => plan.limits().object_size,
            _ => Limits::default().object_size,
        };
        let own = text(config, name, "agent_user");
        let own = if own.is_empty() { text(config, "global", "worker_user") } else { own };
        let account = Account::choose(&own).map_err(|error| format!("[{name}] {error}"))?;
        let credentials = match name {
            "remote" => Some(credentials(config, name)?),
            _ => None,
        };
        agents.push(AgentSettings { name, account, port, socket, longest, credentials });
    }
    Ok(agents)
}

/// What an agent needs for TLS, read and tried.
fn credentials(config: &Config, name: &str) -> Result<Credentials, String> {
    let read = |key: &str| match text(config, name, key) {
        path if path.is_empty() => Ok(None),
        path => {
            let read = fs::read_to_string(&path);
            read.map(Some).map_err(|error| format!("[{name}] {key}: {path}: {error}"))
        }
    };
    let credentials = Credentials {
        certificate: read("tls_certificate")?.unwrap_or_default(),
        key: read("tls_key")?.unwrap_or_default(),
        ca: read("tls_ca")?,
        token: read("tls_token")?.map(|token| token.trim().to_owned()),
    };
    credentials.check().map_err(|error| format!("[{name}] {error}"))?;
    Ok(credentials)
}

/// The most memory and time that the scan of any agent may need.
fn most(policy: &Policy) -> (u64, u64) {
    let mut most = (0, 1);
    for section in SECTIONS {
        if let Plan::Scan(plan) = policy.plan(&Context::new(section.name)) {
            let limits = plan.limits();
            let memory = limits.memory.saturating_add(limits.object_size);
            most = (most.0.max(memory), most.1.max(plan.time().as_secs()));
        }
    }
    most
}

fn classes(config: &Config) -> BTreeMap<String, LogClasses> {
    let mut classes = BTreeMap::new();
    for section in SECTIONS {
        if let Some(parsed) = LogClasses::parse(&text(config, section.name, "syslog_class")) {
            classes.insert(section.name.to_owned(), parsed);
        }
    }
    classes
}

/// The text of a key, with the folders of this build in it.
pub(crate) fn text(config: &Config, section: &str, key: &str) -> String {
    match config.value(section, key) {
        Some(Value::Text(text)) => LAYOUT.expand(&text),
        _ => String::new(),
    }
}

/// The number of a key.
pub(crate) fn number(config: &Config, section: &str, key: &str) -> Option<u64> {
    match config.value(section, key) {
        Some(Value::Integer(number)) => Some(number),
        _ => None,
    }
}

/// `esets.cfg` where this build expects it.
pub(crate) fn default_path() -> PathBuf {
    LAYOUT.expand("@ETCDIR@/esets.cfg").into()
}
