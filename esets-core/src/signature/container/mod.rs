//! Containers of signature sources: `.cvd` (signed), `.cld` (updated in place), `.cud` (unsigned).
//!
//! 512 bytes of text, `ClamAV-VDB:time:version:signatures:level:md5:signature:builder:seconds`,
//! then an archive. The header of a `.cvd` signs the archive; that of a `.cld` is older than its
//! archive, and the signature in `.info` counts. `.info` lists what the archive holds.

mod archive;
mod info;
mod trust;

use md5::{Digest as _, Md5};

use super::{Loaded, Loader, Rejection, SourceFile, hex};
use crate::database::DatabaseBuilder;
use info::Info;
use trust::Keys;

/// Reads containers.
pub(super) struct Containers;

impl Loader for Containers {
    fn about(&self) -> &'static str {
        "containers of signatures: signed ones, and unsigned ones when asked"
    }

    fn extensions(&self) -> &'static [&'static str] {
        EXTENSIONS
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        load(source, builder, &trust::CLAMAV)
    }
}

pub use info::Manifest;

pub(super) static EXTENSIONS: &[&str] = &["cld", "cud", "cvd"];

/// Hands every source in a container to `take`, once it is known whose it is.
///
/// # Errors
/// [`Rejection`] if it is no container, or not to be trusted; with `takes_unsigned` one that nobody
/// signed (`.cud`) is.
pub fn each_member(
    source: &SourceFile<'_>,
    takes_unsigned: bool,
    take: &mut dyn FnMut(&SourceFile<'_>),
) -> Result<(), Rejection> {
    let archive = open(source, takes_unsigned, &trust::CLAMAV)?;
    archive::each_member(archive, &mut |name, content| {
        if !is_remark(name) {
            take(&SourceFile::new(&format!("{}/{name}", source.name), content));
        }
    })
}

fn load(source: &SourceFile<'_>, builder: &mut DatabaseBuilder, keys: &Keys) -> Loaded {
    match open(source, builder.takes_unsigned(), keys) {
        Ok(archive) => load_members(source, archive, builder),
        Err(cause) => Loaded::refused(source, cause),
    }
}

/// The archive, once it is known whose it is and that every member is what `.info` says.
fn open<'a>(
    source: &SourceFile<'a>,
    takes_unsigned: bool,
    keys: &Keys,
) -> Result<&'a [u8], Rejection> {
    let (header, archive) = Header::parse(source.bytes).ok_or(Rejection::Field("header"))?;
    let extension = source.extension();
    if extension == "cud" && !takes_unsigned {
        return Err(Rejection::Untrusted(UNSIGNED));
    }
    let digest: [u8; 16] = Md5::digest(archive).into();
    if extension != "cld" && digest != header.digest {
        return Err(Rejection::Untrusted("digest of the archive"));
    }
    if extension == "cvd" && !keys.header.signed_digest(&digest, header.signature) {
        return Err(Rejection::Untrusted("signature"));
    }
    let info = info_of(archive, keys)?;
    if extension == "cld" && !info.is_signed() {
        return Err(Rejection::Untrusted("signature of .info"));
    }
    let mut is_listed = true;
    archive::each_member(archive, &mut |name, content| {
        is_listed &= is_remark(name) || info.lists(name, content);
    })?;
    if is_listed { Ok(archive) } else { Err(Rejection::Untrusted("a member is not as in .info")) }
}

fn info_of(archive: &[u8], keys: &Keys) -> Result<Info, Rejection> {
    let mut found = None;
    archive::each_member(archive, &mut |name, content| {
        if is_info(name) {
            found = Some(Info::parse(content, &keys.info));
        }
    })?;
    found.unwrap_or(Err(Rejection::Untrusted("there is no .info")))
}

/// Ignore lists first, then the rest.
fn load_members(source: &SourceFile<'_>, archive: &[u8], builder: &mut DatabaseBuilder) -> Loaded {
    let mut loaded = Loaded::default();
    for first in [true, false] {
        // It was read before, so there is nothing left to go wrong.
        let _ = archive::each_member(archive, &mut |name, content| {
            let path = format!("{}/{name}", source.name);
            let member = SourceFile::new(&path, content);
            if is_remark(name) || member.comes_first() != first {
                return;
            }
            loaded.append(match member.is_container() {
                true => Loaded::refused(&member, Rejection::Unsupported("container in another")),
                false => builder.load(&member),
            });
        });
    }
    loaded
}

/// Whether a member is not a source: the licence, and what is said of the others.
fn is_remark(name: &str) -> bool {
    name == "COPYING" || is_info(name)
}

fn is_info(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".info")
}

/// Why a container that nobody signed is refused.
pub(super) const UNSIGNED: &str = "nobody signed it";

/// What stands in front of the archive.
struct Header<'a> {
    digest: [u8; 16],
    signature: &'a str,
}

impl<'a> Header<'a> {
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, archive) = bytes.split_at_checked(512)?;
        let mut fields = std::str::from_utf8(header).ok()?.strip_prefix("ClamAV-VDB:")?.split(':');
        let digest = hex::<16>(fields.nth(4)?)?;
        let signature = fields.next()?;
        Some((Self { digest, signature }, archive))
    }
}

#[cfg(test)]
mod tests;
