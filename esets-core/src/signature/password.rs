//! Passwords to try on encrypted archives, `name;target description;type;password`, in `.pwdb`; of
//! type 0 as they stand, of type 1 in hexadecimal digits.
//!
//! ClamAV tries each on the kind of archive that its description names, here it is tried on all.

use super::{Loaded, Loader, Rejection, SourceFile, condition, name};
use crate::database::DatabaseBuilder;

/// Reads passwords.
pub(super) struct Passwords;

impl Loader for Passwords {
    fn about(&self) -> &'static str {
        "passwords to try on encrypted archives"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["pwdb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let mut fields = line.splitn(4, ';');
            let mut field = || fields.next().ok_or(Rejection::Field("number of fields"));
            let (title, description) = (field()?, field()?);
            let (kind, password) = (field()?, field()?);
            name(title)?;
            condition::parse(description)?;
            let password = match kind {
                "0" => password.as_bytes().to_vec(),
                "1" => super::unhex(password).ok_or(Rejection::Field("password"))?,
                _ => return Err(Rejection::Field("type of the password")),
            };
            builder.add_password(&password)
        })
    }
}
