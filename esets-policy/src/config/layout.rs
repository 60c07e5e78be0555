//! The folders that the manual writes as `@ETCDIR@` and the like, chosen when a program is built.
//!
//! `ESETS_LAYOUT` in the environment of the build names a row of [`LAYOUTS`]; `ESETS_BASEDIR`,
//! `ESETS_BINDIR`, `ESETS_ETCDIR` and `ESETS_SBINDIR` change single folders of it.

/// Where an installation has what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// Its name.
    pub name: &'static str,
    /// `@BASEDIR@`: the database, the quarantine.
    pub base: &'static str,
    /// `@BINDIR@`: programs for everybody.
    pub bin: &'static str,
    /// `@ETCDIR@`: the configuration.
    pub etc: &'static str,
    /// `@SBINDIR@`: programs for the administrator.
    pub sbin: &'static str,
}

impl Layout {
    /// Puts the folders into a text.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let Self { base, bin, etc, sbin, .. } = self;
        let folders =
            [("@BASEDIR@", base), ("@BINDIR@", bin), ("@ETCDIR@", etc), ("@SBINDIR@", sbin)];
        folders.iter().fold(text.to_owned(), |text, (name, folder)| text.replace(name, folder))
    }
}

/// Every layout that can be chosen; the first is that of a build that chooses none.
pub static LAYOUTS: &[Layout] = &[PLAIN, OPT, BSD, SOLARIS];

/// The folders of this build.
pub const LAYOUT: Layout = {
    let layout = match option_env!("ESETS_LAYOUT") {
        Some(name) => find(name),
        None => PLAIN,
    };
    Layout {
        base: or(option_env!("ESETS_BASEDIR"), layout.base),
        bin: or(option_env!("ESETS_BINDIR"), layout.bin),
        etc: or(option_env!("ESETS_ETCDIR"), layout.etc),
        sbin: or(option_env!("ESETS_SBINDIR"), layout.sbin),
        ..layout
    }
};

/// The packages of a distribution.
const PLAIN: Layout = Layout {
    name: "plain",
    base: "/var/lib/esets",
    bin: "/usr/bin",
    etc: "/etc/esets",
    sbin: "/usr/sbin",
};
/// A product beside the distribution.
const OPT: Layout = Layout {
    name: "opt",
    base: "/var/opt/eset/esets/lib",
    bin: "/opt/eset/esets/bin",
    etc: "/etc/opt/eset/esets",
    sbin: "/opt/eset/esets/sbin",
};
/// FreeBSD and NetBSD.
const BSD: Layout = Layout {
    name: "bsd",
    base: "/var/lib/esets",
    bin: "/usr/local/bin",
    etc: "/usr/local/etc/esets",
    sbin: "/usr/local/sbin",
};
/// Solaris and illumos.
const SOLARIS: Layout = Layout {
    name: "solaris",
    base: "/var/opt/esets/lib",
    bin: "/opt/esets/bin",
    etc: "/etc/opt/esets",
    sbin: "/opt/esets/sbin",
};

/// A name that is not in the table ends the build.
const fn find(name: &str) -> Layout {
    if is(name, &PLAIN) {
        PLAIN
    } else if is(name, &OPT) {
        OPT
    } else if is(name, &BSD) {
        BSD
    } else {
        assert!(is(name, &SOLARIS), "ESETS_LAYOUT is plain, opt, bsd or solaris");
        SOLARIS
    }
}

const fn is(name: &str, layout: &Layout) -> bool {
    same(name.as_bytes(), layout.name.as_bytes())
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    match (one.split_first(), other.split_first()) {
        (Some((left, one)), Some((right, other))) => *left == *right && same(one, other),
        (None, None) => true,
        _ => false,
    }
}

const fn or(chosen: Option<&'static str>, usual: &'static str) -> &'static str {
    match chosen {
        Some(chosen) => chosen,
        None => usual,
    }
}
