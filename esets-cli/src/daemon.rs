//! The resident scanner, if it answers.

use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use esets_client::{ClientError, Content, Credentials, DaemonFilter, Remote};
use esets_policy::config::{Config, LAYOUT, Value};
use esets_policy::core::{Reason, Verdict};
use esets_policy::{Context, Disposition, Plan, Policy};

use crate::pool::Looked;

/// Whether the daemon is asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "Daemon")]
pub(crate) struct DaemonArguments {
    /// Scan here, whether esets_daemon runs or not
    #[arg(long, conflicts_with = "daemon_only")]
    no_daemon: bool,
    /// Fail where esets_daemon gives no answer, instead of scanning here
    #[arg(long, conflicts_with_all = ["base_dir", "database"])]
    daemon_only: bool,
    /// Ask the daemon on another machine, at tcp://HOST:PORT; [cli] names tls_ca, and if the daemon
    /// wants them tls_certificate, tls_key and tls_token
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["no_daemon", "base_dir", "database"])]
    daemon: Option<String>,
}

impl DaemonArguments {
    /// Whether there is to be no other answer than the daemon's.
    pub(crate) fn is_only(&self) -> bool {
        self.daemon_only
    }

    /// The daemon, if it is to be asked. `is_given` says that the caller named the configuration,
    /// `is_own` that the caller named signatures, which the daemon would not use.
    ///
    /// # Errors
    /// It must be asked, and the configuration does not say where it is.
    pub(crate) fn find(
        &self,
        config: &Config,
        is_given: bool,
        is_own: bool,
        policy: &Policy,
    ) -> Result<Option<Daemon>, String> {
        if self.no_daemon || is_own {
            return Ok(None);
        }
        if let Some(address) = &self.daemon {
            return remote(address, config)
                .map(|remote| Some(Daemon::new(DaemonFilter::remote(remote), policy)));
        }
        let is_named = config.setting("global", KEY).is_some();
        let path = socket(config).filter(|_| is_named || !is_given);
        match path {
            None if self.daemon_only => Err(format!("the configuration names no {KEY}")),
            Some(path) if self.daemon_only || is_socket(&path) => {
                Ok(Some(Daemon::new(DaemonFilter::new(path), policy)))
            }
            _ => Ok(None),
        }
    }
}

/// A daemon that is asked over any number of connections.
#[derive(Debug)]
pub(crate) struct Daemon {
    filter: DaemonFilter,
}

impl Daemon {
    fn new(filter: DaemonFilter, policy: &Policy) -> Self {
        let time = match policy.plan(&Context::new(AGENT)) {
            Plan::Scan(plan) => plan.time(),
            _ => Duration::ZERO,
        };
        Self { filter: filter.with_patience(time.saturating_add(QUEUE)) }
    }

    /// An engine for a pool.
    pub(crate) fn engine(&self) -> impl FnMut(&[u8], &File, u64) -> Looked {
        |name, file, _| match self.ask(name, file) {
            Ok((verdict, fates)) => {
                Looked { verdict, dispositions: Some(fates), unanswered: None, notices: Vec::new() }
            }
            Err(why) => Looked {
                verdict: Verdict::not_scanned(name, Reason::Fault(why.clone().into())),
                dispositions: None,
                unanswered: Some(why),
                notices: Vec::new(),
            },
        }
    }

    fn ask(&self, name: &[u8], file: &File) -> Result<(Verdict, Vec<Disposition>), String> {
        let answer = self.filter.ask(name, Content::File(file), &Context::new(AGENT));
        let outcome = answer.map_err(|error: ClientError| error.to_string())?.outcome;
        let verdict = outcome.verdict;
        if outcome.dispositions.is_empty() {
            let cause = verdict.iter().flat_map(Verdict::reasons).next();
            let cause = cause.map(|(_, cause)| cause.to_string()).unwrap_or_default();
            return Err(format!("the daemon came to no decision: {cause}"));
        }
        let verdict = verdict.unwrap_or_else(|| Verdict::not_scanned(name, Reason::Cancelled));
        Ok((verdict, outcome.dispositions))
    }
}

/// The daemon at an address, and who we are to it.
fn remote(address: &str, config: &Config) -> Result<Remote, String> {
    let credentials = Credentials {
        ca: read(config, "tls_ca")?.ok_or("[cli] names no tls_ca, so no daemon can be believed")?,
        certificate: read(config, "tls_certificate")?.zip(read(config, "tls_key")?),
        token: read(config, "tls_token")?.map(|token| token.trim().to_owned()),
    };
    Remote::new(address, &credentials).map_err(|error| error.to_string())
}

/// The file that a key names, if it names one.
fn read(config: &Config, key: &str) -> Result<Option<String>, String> {
    match config.value(AGENT, key) {
        Some(Value::Text(path)) if !path.is_empty() => {
            let read = fs::read_to_string(path.as_ref());
            read.map(Some).map_err(|error| format!("[{AGENT}] {key}: {path}: {error}"))
        }
        _ => Ok(None),
    }
}

fn socket(config: &Config) -> Option<PathBuf> {
    match config.value("global", KEY)? {
        Value::Text(path) if !path.is_empty() => Some(LAYOUT.expand(&path).into()),
        _ => None,
    }
}

/// Nothing there means that no daemon runs, which is nothing to tell anybody.
fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.file_type().is_socket())
}

const KEY: &str = "daemon_sock_path";
const AGENT: &str = "cli";
/// How long an object may wait in the daemon before its scan begins, and after it ends.
const QUEUE: Duration = Duration::from_secs(30);
