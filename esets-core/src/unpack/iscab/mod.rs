//! InstallShield cabinets, version 5 and later (unshield, libunshield.h; there is no
//! specification): one directory, in a file of its own or in the first volume, and volumes.

mod data;
mod header;

use self::header::{Directory, File, Volume};
use super::{Format, Magic, UnpackError, Unpacker, installshield};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct IsCab;

impl Unpacker for IsCab {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        // In an installer, the parts of a cabinet are opened together.
        let is_done = is_apart(subject.name(), subject.bytes())
            && subject.ancestors().next().is_some_and(installshield::opens_cabinets);
        FORMAT.matches(subject.bytes()) && !is_done
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if !header::has_directory(subject.bytes()) {
            return Err(APART.into());
        }
        offer(subject.bytes(), &[(1, subject.bytes())], children)
    }
}

/// Whether a file is only a part of a cabinet: its directory, or data without one.
pub(super) fn is_apart(name: &[u8], bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && (is_header(name) || !header::has_directory(bytes))
}

/// Whether a file of this name is a directory without data.
pub(super) fn is_header(name: &[u8]) -> bool {
    name.len() >= 4
        && name
            .get(name.len().saturating_sub(4)..)
            .is_some_and(|end| end.eq_ignore_ascii_case(b".hdr"))
}

/// Offers the files that `directory` lists, from numbered volumes.
pub(super) fn offer(
    directory: &[u8],
    volumes: &[(u32, &[u8])],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let _directory = children.lease(header::memory(directory))?;
    let directory = Directory::read(directory)?;
    let volumes = volumes.iter().filter_map(|(number, bytes)| Volume::read(*number, bytes).ok());
    let volumes: Vec<_> = volumes.collect();
    for file in directory.files.iter().filter(|file| file.is_there()) {
        match data::pieces(file, &volumes) {
            Ok(pieces) => {
                let member = Member { packed_size: Some(pieces.size()), ..file.member() };
                children.stream(member, &mut data::content(file, pieces))?;
            }
            Err(reason) => children.skip(file.member(), reason)?,
        }
    }
    directory.flaw.map_or(Ok(()), |flaw| Err(flaw.into()))
}

impl File<'_> {
    /// Whether the file has data of its own.
    fn is_there(&self) -> bool {
        self.flags & INVALID == 0 && self.offset > 0 && !self.is_linked && self.size > 0
    }

    fn member(&self) -> Member<'static> {
        let name = if self.folder.is_empty() {
            self.name.to_vec()
        } else {
            [self.folder, b"\\", self.name].concat()
        };
        Member { size: Some(self.size), ..Member::named(name) }
    }
}

/// Why data without a directory is not opened.
pub(super) const APART: Reason = Reason::unsupported("a directory in another file");
/// The flag of files that are not there any more.
const INVALID: u16 = 8;
const MAGIC: &[u8] = b"ISc(";

static FORMAT: Format = Format {
    name: "iscab",
    about: "InstallShield cabinet",
    extensions: &["cab", "hdr"],
    magic: &[Magic::start(MAGIC)],
    specification: &["unshield 1.4, lib/cabfile.h and lib/file.c"],
    limitations: &[
        "a directory in a file of its own is read only in installers, where its volumes are known",
        "MD5 digests of files are not checked",
    ],
};
