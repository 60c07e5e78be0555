//! The daemon: processes, log, licence, samples, remote administration.

use super::{AGENTS, GLOBAL, Key, row};
use crate::config::key::Kind::{Integer, Switch, Text, Words};
use crate::config::key::Origin::{Addition, Both, V3, V4};
use crate::config::key::State::{Accepted, Used};
use crate::log::LogClasses;

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("base_dir", GLOBAL, Text, "@BASEDIR@", Both, Used,
        "The folder of the database."),
    row("daemon_sock_path", GLOBAL, Text, "/tmp/esets.sock", Both, Used,
        "The socket that programs reach the daemon on."),
    row("exec_script", GLOBAL, Text, "", Both, Used,
        "The script that is run on a detection."),
    row("license_dir", GLOBAL, Text, "@ETCDIR@/license", Both, Accepted,
        "The folder of licence files."),
    row("license_warn_enabled", GLOBAL, Switch, "no", Both, Accepted,
        "Whether a script warns once a day from 30 days before a licence ends."),
    row("log_file", GLOBAL, Text, "", Addition, Used,
        "Where messages are logged instead of in the system's log: a file, or `stderr`."),
    row("num_proc", AGENTS, Integer(1, 1024), "", Both, Used,
        "How many processes scan; one per processor core if not given."),
    row("num_thrd", AGENTS, Integer(1, 1024), "", Both, Used,
        "How many threads each process has."),
    row("privileged_users", GLOBAL, Text, "root", V4, Accepted,
        "Users that may change settings, separated by colons."),
    row("quarantine_dir", GLOBAL, Text, "@BASEDIR@/quarantine", Addition, Used,
        "The folder of the quarantine."),
    row("racl_interval", GLOBAL, Integer(1, 1_000_000), "", Both, Accepted,
        "How often the remote administrator is told."),
    row("racl_password", GLOBAL, Text, "", Both, Accepted,
        "Password for the remote administrator."),
    row("racl_server_addr", GLOBAL, Text, "", Both, Accepted,
        "Address of the remote administrator."),
    row("racl_server_port", GLOBAL, Integer(1, 65_535), "2222", Both, Accepted,
        "Port of the remote administrator."),
    row("samples_enabled", GLOBAL, Switch, "no", Both, Accepted,
        "Whether samples of suspicious objects are kept."),
    row("samples_provider_country", GLOBAL, Text, "", Both, Accepted,
        "Country of the contact for samples."),
    row("samples_provider_mail", GLOBAL, Text, "", Both, Accepted,
        "Mail address of the contact for samples."),
    row("samples_send_enabled", GLOBAL, Switch, "no", V3, Accepted,
        "Whether samples are sent."),
    row("samples_send_files", GLOBAL, Text, "", V4, Accepted,
        "When sample files are sent."),
    row("samples_send_stats", GLOBAL, Text, "", V4, Accepted,
        "When statistics are sent."),
    row("samples_send_target", GLOBAL, Text, "", V4, Accepted,
        "Where samples are sent."),
    row("scheduler_tasks", GLOBAL, Text, "", V4, Accepted,
        "Planned tasks: records of number, name, flags, time and action, separated by `;`."),
    row("syslog_class", AGENTS, Words(LogClasses::WORDS), "error:warning:summ", Addition, Used,
        "The classes of messages that are logged, separated by colons."),
    row("syslog_facility", AGENTS, Text, "daemon", Addition, Used,
        "The facility that messages are logged under."),
    row("worker_user", GLOBAL, Text, "nobody", Addition, Used,
        "The account that scanning processes and agents run under when the daemon is started by \
         root."),
];
