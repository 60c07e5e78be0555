//! What the daemon says of itself.

use std::fmt::Write as _;

use crate::metrics::Counter;
use crate::service::Service;

/// Numbers for Prometheus.
pub(crate) fn metrics(service: &Service) -> String {
    service.ground.metrics.text(service.current().pool.waiting())
}

/// The version of the program and of its database.
pub(crate) fn version(service: &Service) -> String {
    let generation = service.current();
    let database = generation.database.version.get().cloned().unwrap_or_default();
    format!("esets_daemon {} (database {database:?})", env!("CARGO_PKG_VERSION"))
}

/// The state, for people: one fact on a line, `name: value`.
pub(crate) fn status(service: &Service) -> String {
    let generation = service.current();
    let metrics = &service.ground.metrics;
    let settings = &generation.settings;
    let mut text = String::new();
    let mut say = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    };
    say("version", &version(service));
    say("process", &std::process::id());
    say("running", &format!("{} s", metrics.uptime().as_secs()));
    say("configuration", &service.ground.config.display());
    say("socket", &settings.socket.display());
    say("workers", &format!("{} x {} threads", settings.processes, settings.threads));
    let workers: Vec<_> = metrics.workers().iter().map(u32::to_string).collect();
    say("worker processes", &workers.join(" "));
    match generation.account {
        Some(account) => say("worker account", &format!("{} ({})", settings.account, account.user)),
        None => say("worker account", &"the daemon's own"),
    }
    let missing = metrics.refused();
    say(
        "protections missing",
        &if missing.is_empty() { "none".into() } else { missing.join("; ") },
    );
    say("queue", &generation.pool.waiting());
    for (name, counter) in [
        ("connections", Counter::Connections),
        ("clean", Counter::Clean),
        ("infected", Counter::Infected),
        ("not scanned", Counter::NotScanned),
        ("cache hits", Counter::CacheHit),
        ("cache misses", Counter::CacheMiss),
        ("workers lost", Counter::WorkersLost),
        ("reloads", Counter::Reloads),
    ] {
        say(name, &metrics.get(counter));
    }
    text
}
