//! The sections that `esets.cfg` may have.

/// What a section of the main file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// An interceptor or program that hands objects to the scanner.
    Agent,
    /// The daemon, and the defaults of all agents.
    Global,
    /// A part of the product that scans nothing.
    Service,
}

/// One section of the main file.
#[derive(Debug)]
#[non_exhaustive]
pub struct SectionKind {
    /// Its name, without brackets.
    pub name: &'static str,
    /// A second spelling.
    pub alias: Option<&'static str>,
    /// What it is for.
    pub role: Role,
    /// Whether its objects are messages, which are searched for spam too.
    pub messages: bool,
    /// One line of explanation.
    pub doc: &'static str,
}

/// Finds a section by its name or its second spelling.
pub fn find_section(name: &str) -> Option<&'static SectionKind> {
    SECTIONS.iter().find(|section| section.name == name || section.alias == Some(name))
}

/// Every section of the main file, by name.
#[rustfmt::skip]
pub static SECTIONS: &[SectionKind] = &[
    mail_agent("cgp", "CommuniGate Pro: names of message files on standard input"),
    agent("clamd", "the protocol of clamd, for programs that speak it"),
    agent("cli", "esets_cli: files and directories named on the command line"),
    agent("dac", "on-access scanning through the kernel"),
    agent("fac", "on-access scanning through fanotify"),
    agent("ftp", "transparent FTP proxy"),
    SectionKind { name: "global", alias: None, role: Role::Global, messages: false,
        doc: "the daemon, and the defaults of every agent" },
    agent("http", "HTTP proxy"),
    agent("icap", "ICAP server, for HTTP proxies"),
    mail_agent("imap", "transparent IMAP proxy"),
    mail_agent("mda", "in front of a mail delivery agent"),
    service("metrics", "the daemon's numbers over HTTP, for Prometheus"),
    agent("pac", "on-access scanning through a preloaded library"),
    mail_agent("pipe", "a message on standard input, the accepted one on standard output"),
    SectionKind { name: "pop", alias: Some("pop3"), role: Role::Agent, messages: true,
        doc: "transparent POP3 proxy" },
    service("remote", "the daemon's own protocol over TLS, for programs on other machines"),
    agent("scan_smart", "a scheduled scan of files"),
    mail_agent("smfi", "milter, for Sendmail and Postfix"),
    mail_agent("smtp", "SMTP content filter or transparent proxy"),
    agent("start", "the scan after start-up"),
    service("update", "updates, and the mirror for other installations"),
    service("wwwi", "the web interface"),
    mail_agent("zmfi", "content filter of ZMailer"),
];

const fn agent(name: &'static str, doc: &'static str) -> SectionKind {
    SectionKind { name, alias: None, role: Role::Agent, messages: false, doc }
}

const fn mail_agent(name: &'static str, doc: &'static str) -> SectionKind {
    SectionKind { messages: true, ..agent(name, doc) }
}

const fn service(name: &'static str, doc: &'static str) -> SectionKind {
    SectionKind { name, alias: None, role: Role::Service, messages: false, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_unambiguous() {
        assert!(SECTIONS.is_sorted_by(|left, right| left.name < right.name));
        for section in SECTIONS {
            let alias = section.alias.unwrap_or("pop3");
            assert!(SECTIONS.iter().all(|other| other.name != alias));
            assert!(!section.doc.is_empty());
        }
        assert_eq!(find_section("pop3").map(|section| section.name), Some("pop"));
        assert!(find_section("POP").is_none());
    }
}
