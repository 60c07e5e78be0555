//! The name of a section, read as the identity that it stands for.

use super::network::Network;

/// Whom a section of a special configuration file holds for; all in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Address(Side, String),
    Domain(Side, String),
    /// A user, or a group if a `parent_id` names it.
    Name(String),
    Network(Side, Network),
    SubDomains(Side, String),
}

/// Whether an identity is where an object comes from: the mark `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A sender, or a client.
    From,
    /// A recipient, or a server.
    To,
}

impl Identity {
    /// # Errors
    /// Why it is none.
    pub(crate) fn parse(section: &str) -> Result<Self, &'static str> {
        let lower = section.to_ascii_lowercase();
        let (side, text) = match lower.strip_prefix('|') {
            Some(rest) => (Side::From, rest),
            None => (Side::To, lower.as_str()),
        };
        if side == Side::From && text == "<>" {
            return Ok(Self::Address(side, String::new()));
        }
        if let Some((local, domain)) = text.rsplit_once('@') {
            return mailbox(side, text, local, domain);
        }
        if looks_like_network(text) {
            let network = Network::parse(text).ok_or("expected an IP address or ADDRESS/BITS")?;
            return Ok(Self::Network(side, network));
        }
        match side {
            Side::To if text.trim().is_empty() => Err("expected a name"),
            Side::From => Err("expected a sender or an IP address behind |"),
            Side::To => Ok(Self::Name(lower)),
        }
    }
}

fn mailbox(side: Side, text: &str, local: &str, domain: &str) -> Result<Identity, &'static str> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let above = domain.strip_prefix('.');
    let bare = above.unwrap_or(domain);
    if bare.is_empty() || bare.starts_with('.') || bare.contains("..") {
        return Err("expected a domain behind @");
    }
    match (local.is_empty(), above) {
        (true, Some(above)) => Ok(Identity::SubDomains(side, above.to_owned())),
        (true, None) => Ok(Identity::Domain(side, domain.to_owned())),
        (false, None) => Ok(Identity::Address(side, canonical(text).to_owned())),
        (false, Some(_)) => Err("sub-domains have no single recipient: expected [@.domain]"),
    }
}

/// An address without the dot that ends a full domain name.
pub(crate) fn canonical(address: &str) -> &str {
    address.strip_suffix('.').unwrap_or(address)
}

/// Digits and dots, or anything with a colon or a slash: user names have neither.
fn looks_like_network(text: &str) -> bool {
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.contains([':', '/']) || (numeric && text.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_the_manual_means_them() {
        use Side::{From, To};
        let text = str::to_owned;
        for (section, identity) in [
            ("Alice@Example.ORG", Identity::Address(To, text("alice@example.org"))),
            ("|a@b.", Identity::Address(From, text("a@b"))),
            ("\"x@y\"@b", Identity::Address(To, text("\"x@y\"@b"))),
            ("|<>", Identity::Address(From, String::new())),
            ("@example.org", Identity::Domain(To, text("example.org"))),
            ("|@.example.org", Identity::SubDomains(From, text("example.org"))),
            ("black-list", Identity::Name(text("black-list"))),
            ("1000", Identity::Name(text("1000"))),
        ] {
            assert_eq!(Identity::parse(section), Ok(identity), "{section}");
        }
        for network in ["192.168.1.40", "|192.168.1.0/24", "2001:DB8::/32", "::1"] {
            assert!(matches!(Identity::parse(network), Ok(Identity::Network(..))), "{network}");
        }
        for wrong in ["|alice", "192.168.1", "10.0.0.0/33", "a@", "a@.b", "@", "|", "a/b", "@a..b"]
        {
            assert!(Identity::parse(wrong).is_err(), "{wrong}");
        }
    }
}
