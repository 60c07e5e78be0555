//! Updates of the database, the mirror, and the way to the network.

use super::{GLOBAL, Key, row};
use crate::config::key::Kind::{Integer, Switch, Text};
use crate::config::key::Origin::{Both, V4};
use crate::config::key::Place::{self, Global, Section};
use crate::config::key::State::Accepted;

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("as_update_period", GLOBAL, Integer(0, 1_000_000), "", V4, Accepted,
        "Minutes between two updates of the rules against spam; none if not given."),
    row("av_mirror_dir", UPDATE, Text, "", Both, Accepted,
        "The folder of the mirror."),
    row("av_mirror_enabled", UPDATE, Switch, "no", Both, Accepted,
        "Whether updates are kept for other installations."),
    row("av_update_failsafe_password", UPDATE, Text, "", V4, Accepted,
        "Password for the second try."),
    row("av_update_failsafe_username", UPDATE, Text, "", V4, Accepted,
        "User name for the second try."),
    row("av_update_password", UPDATE, Text, "", Both, Accepted,
        "Password for updates."),
    row("av_update_period", UPDATE, Integer(0, 1_000_000), "", Both, Accepted,
        "Minutes between two updates; none if not given."),
    row("av_update_server", UPDATE, Text, "", V4, Accepted,
        "The server that updates come from."),
    row("av_update_server_list", UPDATE, Text, "", V4, Accepted,
        "Servers to choose from."),
    row("av_update_username", UPDATE, Text, "", Both, Accepted,
        "User name for updates."),
    row("proxy_addr", UPDATE, Text, "", Both, Accepted,
        "The HTTP proxy for updates."),
    row("proxy_password", UPDATE, Text, "", Both, Accepted,
        "Password for that proxy."),
    row("proxy_port", UPDATE, Integer(1, 65_535), "3128", Both, Accepted,
        "Port of that proxy."),
    row("proxy_username", UPDATE, Text, "", Both, Accepted,
        "User name for that proxy."),
];

const UPDATE: &[Place] = &[Global, Section("update")];
