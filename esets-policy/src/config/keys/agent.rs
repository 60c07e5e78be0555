//! Where agents listen and whom they serve.

use super::{Key, row};
use crate::config::key::Kind::{Integer, Switch, Text};
use crate::config::key::Origin::{Addition, Both, V2};
use crate::config::key::Place::{self, Agents, Section};
use crate::config::key::State::{Accepted, Used};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("agent_enabled", OWN, Switch, "no", Both, Used,
        "Whether the daemon starts this agent."),
    row("agent_user", OWN, Text, "", Addition, Used,
        "The account that this agent runs under when the daemon is started by root; that of \
         `worker_user` if not given."),
    row("clamd_sock_path", &[Section("clamd")], Text, "", Addition, Used,
        "The socket that programs reach the clamd agent on; none if not given."),
    row("infected_return_code", &[Section("mda")], Integer(0, 255), "", V2, Accepted,
        "Exit code of the delivery agent for infected messages."),
    row("listen_addr", SOCKET, Text, "localhost", Both, Used,
        "The address this agent listens on."),
    row("listen_port", SOCKET, Integer(1, 65_535), "", Both, Used,
        "The port this agent listens on."),
    row("mda_path", &[Section("mda")], Text, "", Both, Accepted,
        "The delivery agent that gets the messages in the end."),
    row("metrics_sock_path", &[Section("metrics")], Text, "", Addition, Used,
        "The socket that the daemon's numbers are asked for on; none if not given."),
    row("password", WEB, Text, "", Both, Accepted,
        "Password of the web interface."),
    row("server_addr", ONWARD, Text, "localhost", Both, Accepted,
        "The server that objects are passed on to."),
    row("server_port", ONWARD, Integer(1, 65_535), "", Both, Accepted,
        "The port of that server."),
    row("smfi_sock_path", &[Section("smfi")], Text, "/var/run/esets_smfi.sock", Both, Accepted,
        "The socket that the mail server reaches the milter on."),
    row("tls_ca", TLS, Text, "", Addition, Used,
        "A file of certificates (PEM): whoever is at the other end must have one that one of them \
         signed."),
    row("tls_certificate", TLS, Text, "", Addition, Used,
        "A file with the own certificate and those that it needs on the way to the root (PEM)."),
    row("tls_key", TLS, Text, "", Addition, Used,
        "A file with the private key of that certificate (PEM)."),
    row("tls_token", TLS, Text, "", Addition, Used,
        "A file with the word, of at least 16 bytes, that clients say to be let in."),
    row("tmpfail_return_code", &[Section("mda")], Integer(0, 255), "", V2, Accepted,
        "Exit code of the delivery agent for deferred messages."),
    row("username", WEB, Text, "", Both, Accepted,
        "User name of the web interface."),
];

#[rustfmt::skip]
const ONWARD: &[Place] = &[
    Section("smtp"),
    Section("pop"),
    Section("imap"),
    Section("http"),
    Section("ftp"),
];
#[rustfmt::skip]
const SOCKET: &[Place] = &[
    Section("smtp"),
    Section("pop"),
    Section("imap"),
    Section("http"),
    Section("ftp"),
    Section("icap"),
    Section("clamd"),
    Section("metrics"),
    Section("remote"),
    Section("wwwi"),
];
const OWN: &[Place] = &[Agents, Section("metrics"), Section("remote"), Section("wwwi")];
const TLS: &[Place] = &[Section("remote"), Section("cli")];
const WEB: &[Place] = &[Section("wwwi")];
