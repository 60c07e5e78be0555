//! Formats that are known and checked, but of which nothing is used: each line is reported.

use super::{Loaded, Loader, Rejection, SourceFile};
use crate::database::DatabaseBuilder;

/// Reads programs for ClamAV's interpreter.
pub(super) struct Bytecode;

impl Loader for Bytecode {
    fn about(&self) -> &'static str {
        "programs for ClamAV's interpreter; not used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["cbc"]
    }

    fn load(&self, source: &SourceFile<'_>, _builder: &mut DatabaseBuilder) -> Loaded {
        Loaded::refused(source, Rejection::Unsupported("bytecode"))
    }
}

/// Reads certificates that are trusted or revoked.
pub(super) struct Certificates;

impl Loader for Certificates {
    fn about(&self) -> &'static str {
        "certificates that are trusted or revoked; not used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["cat", "crb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, _| {
            fields(line, ';', 10..=12)?;
            Err(Rejection::Unsupported("certificates of publishers"))
        })
    }
}

/// Reads switches of ClamAV's engine.
pub(super) struct Configuration;

impl Loader for Configuration {
    fn about(&self) -> &'static str {
        "switches of ClamAV's engine; not used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["cfg"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |_, _| {
            Err(Rejection::Unsupported("configuration of ClamAV's engine"))
        })
    }
}

/// Reads images that icons of programs are compared with.
pub(super) struct Icons;

impl Loader for Icons {
    fn about(&self) -> &'static str {
        "images that icons of programs are compared with; not used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["idb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, _| {
            icon(line)?;
            Err(Rejection::Unsupported("images of icons"))
        })
    }
}

/// Reads indicators of compromise in OpenIOC.
pub(super) struct Indicators;

impl Loader for Indicators {
    fn about(&self) -> &'static str {
        "indicators of compromise in OpenIOC; not used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ioc"]
    }

    fn load(&self, source: &SourceFile<'_>, _builder: &mut DatabaseBuilder) -> Loaded {
        Loaded::refused(source, Rejection::Unsupported("OpenIOC"))
    }
}

fn fields(
    line: &str,
    separator: char,
    count: std::ops::RangeInclusive<usize>,
) -> Result<Vec<&str>, Rejection> {
    let fields: Vec<&str> = line.split(separator).collect();
    if count.contains(&fields.len()) {
        Ok(fields)
    } else {
        Err(Rejection::Field("number of fields"))
    }
}

/// `name:group 1:group 2:124 hexadecimal digits`.
fn icon(line: &str) -> Result<(), Rejection> {
    let fields = fields(line, ':', 4..=4)?;
    let digits = fields.last().copied().unwrap_or_default();
    let is_hash = digits.len() == 124 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash { Ok(()) } else { Err(Rejection::Field("hash")) }
}
