//! A special configuration file, ready to be asked.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::identity::{Identity, Side, canonical};
use super::layer::{Layer, Who};
use super::network::Networks;
use super::{Matches, inherit};
use crate::config::{Cause, Config, ConfigError, Section, Value, excerpt};

/// All sections of one file, by identity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    layers: Vec<Layer>,
    recipients: Mailboxes,
    senders: Mailboxes,
    clients: Networks,
    servers: Networks,
    names: HashMap<Box<str>, u32>,
}

#[derive(Clone, Debug, Default)]
struct Mailboxes {
    addresses: HashMap<Box<str>, u32>,
    domains: HashMap<Box<str>, u32>,
    sub_domains: HashMap<Box<str>, u32>,
}

impl Users {
    pub(crate) fn new(config: &Config, problems: &mut Vec<ConfigError>) -> Self {
        let mut users = Self { layers: inherit::layers(config, problems), ..Self::default() };
        let groups = groups(config);
        for (section, at) in config.sections().iter().zip(0_u32..) {
            let wrong = match Identity::parse(&section.name) {
                Ok(Identity::Name(name)) if groups.contains(&name) => continue,
                Ok(identity) => users.insert(identity, at).and_then(|first| {
                    let first = config.sections().get(usize::try_from(first).ok()?)?.line;
                    Some(Cause::DuplicateSection { section: excerpt(&section.name), first })
                }),
                Err(why) => Some(Cause::Identity { section: excerpt(&section.name), why }),
            };
            problems.extend(wrong.map(|cause| problem(config, section, cause)));
        }
        users
    }

    /// Adds an identity; gives back the section that has it already.
    fn insert(&mut self, identity: Identity, section: u32) -> Option<u32> {
        match identity {
            Identity::Address(side, address) => {
                self.mailboxes(side).addresses.insert(address.into(), section)
            }
            Identity::Domain(side, domain) => {
                self.mailboxes(side).domains.insert(domain.into(), section)
            }
            Identity::SubDomains(side, domain) => {
                self.mailboxes(side).sub_domains.insert(domain.into(), section)
            }
            Identity::Name(name) => self.names.insert(name.into(), section),
            Identity::Network(Side::From, network) => self.clients.insert(network, section),
            Identity::Network(Side::To, network) => self.servers.insert(network, section),
        }
    }

    fn mailboxes(&mut self, side: Side) -> &mut Mailboxes {
        match side {
            Side::From => &mut self.senders,
            Side::To => &mut self.recipients,
        }
    }

    pub(crate) fn recipient<'p>(&'p self, address: &str, matches: &mut Matches<'p>) {
        self.recipients.find(address, |section| matches.add(Who::Recipient, self.layer(section)));
    }

    pub(crate) fn sender<'p>(&'p self, address: &str, matches: &mut Matches<'p>) {
        self.senders.find(address, |section| matches.add(Who::Sender, self.layer(section)));
    }

    pub(crate) fn user<'p>(&'p self, name: &str, matches: &mut Matches<'p>) {
        let section = self.names.get(name.to_ascii_lowercase().as_str()).copied();
        matches.add(Who::User, self.layer(section));
    }

    pub(crate) fn client<'p>(&'p self, address: IpAddr, matches: &mut Matches<'p>) {
        self.clients.find(address, |section| matches.add(Who::Client, self.layer(section)));
    }

    pub(crate) fn server<'p>(&'p self, address: IpAddr, matches: &mut Matches<'p>) {
        self.servers.find(address, |section| matches.add(Who::Server, self.layer(section)));
    }

    fn layer(&self, section: Option<u32>) -> Option<&Layer> {
        self.layers.get(usize::try_from(section?).ok()?)
    }
}

impl Mailboxes {
    /// The sections of an address, the nearest first; at most 129 look-ups.
    fn find(&self, address: &str, mut found: impl FnMut(Option<u32>)) {
        let lower = address.to_ascii_lowercase();
        let address = canonical(&lower);
        found(self.addresses.get(address).copied());
        let Some((_, domain)) = address.rsplit_once('@') else { return };
        found(self.domains.get(domain).copied());
        if self.sub_domains.is_empty() {
            return;
        }
        let mut rest = domain;
        while let Some((_, above)) = rest.split_once('.') {
            // No domain is longer (RFC 1035, section 2.3.4): a longer address costs no more.
            if above.len() <= LONGEST_DOMAIN {
                found(self.sub_domains.get(above).copied());
            }
            rest = above;
        }
    }
}

/// The sections that some `parent_id` names, in lower case.
fn groups(config: &Config) -> HashSet<String> {
    let parents = config.sections().iter().filter_map(|section| section.setting("parent_id"));
    parents
        .filter_map(|setting| match &setting.value {
            Value::Text(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

fn problem(config: &Config, section: &Section, cause: Cause) -> ConfigError {
    ConfigError { file: config.file().into(), line: section.line, cause, nearest: None }
}

const LONGEST_DOMAIN: usize = 255;

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn users(file: &str) -> Users {
        let mut problems = Vec::new();
        let users =
            Users::new(&Config::parse_users("users", file.as_bytes()).unwrap(), &mut problems);
        assert_eq!(problems, []);
        users
    }

    fn many(sections: usize) -> Users {
        let mut file = String::new();
        for at in 0..sections {
            let (high, low) = (at / 250, at % 250);
            writeln!(file, "[u{at}@a.example]\n[|u{at}@a.example]\n[@d{at}.example]").unwrap();
            writeln!(file, "[@.s{at}.example]\n[|10.0.{high}.{low}]\n[n{at}]").unwrap();
        }
        users(&file)
    }

    fn ask<'p>(users: &'p Users, address: &str) -> Matches<'p> {
        let mut matches = Matches::default();
        users.recipient(address, &mut matches);
        users.sender(address, &mut matches);
        users.user(address, &mut matches);
        users.client("10.0.0.3".parse().unwrap(), &mut matches);
        users.server("10.0.0.3".parse().unwrap(), &mut matches);
        matches
    }

    #[test]
    fn the_number_of_look_ups_does_not_grow_with_the_sections() {
        let (few, lots) = (many(10), many(2_000));
        for address in ["u3@a.example", "x@y.s3.example", "nobody@nowhere"] {
            let (few, lots) = (ask(&few, address), ask(&lots, address));
            assert_eq!(few.lookups, lots.lookups);
            assert_eq!(few.found.len(), lots.found.len());
            assert!(few.lookups <= 10, "{} look-ups", few.lookups);
        }
    }

    #[test]
    fn a_hostile_address_costs_a_bounded_number_of_look_ups() {
        let few = many(10);
        let long = format!("x@{}s3.example", "a.".repeat(1 << 20));
        let found = ask(&few, &long);
        assert!(found.lookups <= 140, "{} look-ups", found.lookups);
        assert_eq!(found.found.len(), 2, "the domain above and the client are still found");
    }

    #[test]
    fn a_chain_may_be_as_long_as_the_file() {
        let mut file = String::from("[0@a.example]\naction_av = \"reject\"\n");
        for at in 1..20_000 {
            writeln!(file, "[{at}@a.example]\nparent_id = \"{}@a.example\"", at - 1).unwrap();
        }
        let users = users(&file);
        let found = ask(&users, "19999@a.example");
        let line = |key| found.found[0].1.get(key).map(|setting| setting.rule.line);
        assert_eq!(line("action_av"), Some(2));
        assert_eq!(line("parent_id"), Some(40_000));
    }
}
