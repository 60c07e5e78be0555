//! Configuration, database and workers that belong together; a reload makes the next one.

use std::path::PathBuf;
use std::sync::Arc;

use esets_policy::Policy;
use esets_policy::log::LogClass;

use crate::database::DatabaseFile;
use crate::log::Log;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::settings::{Settings, load};
use crate::worker::{Account, Pool, PoolSetup, Starter};

/// What stays while generations come and go.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) config: PathBuf,
    /// Whether the file was named by whoever started the daemon.
    pub(crate) config_is_given: bool,
    pub(crate) starter: Arc<Starter>,
    pub(crate) log: Arc<Log>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) faults: bool,
}

/// Configuration, database and workers that belong together. Requests hold on to the one that they
/// began with, and its workers end after the last of them.
pub(crate) struct Generation {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) database: Arc<DatabaseFile>,
    pub(crate) account: Option<Account>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) pool: Pool,
}

impl Generation {
    /// Reads everything anew and starts workers; what is known of clean objects is kept if the
    /// database is the same as before.
    ///
    /// # Errors
    /// A mistake in the configuration, or no worker can be started; the text has one mistake on
    /// each line.
    pub(crate) async fn load(ground: &Ground, before: Option<&Self>) -> Result<Self, String> {
        let loaded = load(&ground.config, ground.config_is_given)?;
        loaded.warnings().for_each(|text| ground.log.say(LogClass::Warning, &text));
        let settings = loaded.settings;
        let database = DatabaseFile::open(&settings.base).map_err(|error| error.to_string())?;
        let same = before.filter(|before| before.database.identity == database.identity);
        let database = same.map_or(Arc::new(database), |before| Arc::clone(&before.database));
        let new = || Arc::new(Memory::new(Arc::clone(&ground.metrics)));
        let memory = same.map_or_else(new, |before| Arc::clone(&before.memory));
        let account = account(&settings, &ground.log)?;
        let pool = Pool::start(PoolSetup {
            starter: Arc::clone(&ground.starter),
            log: Arc::clone(&ground.log),
            metrics: Arc::clone(&ground.metrics),
            account,
            database: Arc::clone(&database),
            processes: settings.processes,
            threads: settings.threads,
            scan_memory: settings.scan_memory,
            scan_seconds: settings.scan_seconds,
            faults: ground.faults,
        });
        let pool = pool.await?;
        let policy = loaded.policy;
        Ok(Self { settings, policy, database, account, memory, pool })
    }
}

/// The account of the workers, if there is a choice.
fn account(settings: &Settings, log: &Log) -> Result<Option<Account>, String> {
    let account = Account::choose(&settings.account)?;
    if account.is_none() {
        let text = "not started by root: workers and agents run under the daemon's own account";
        log.say(LogClass::Warning, text);
    }
    Ok(account)
}
