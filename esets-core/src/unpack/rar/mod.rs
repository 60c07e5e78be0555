//! RAR 1.3 to 7: blocks walked by ourselves, members decoded by the crate `rars`.

mod block;
mod extract;
mod volume;

use rars::{Archive, ArchiveReadOptions, ArchiveReader, Error, ErrorKind};

use self::extract::Extraction;
use self::volume::Volume;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

pub(super) struct Rar;

impl Unpacker for Rar {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        CARVED
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        // What the parser copies.
        let _copy = children.lease(bytes.len() as u64)?;
        if bytes.starts_with(OLDEST) {
            let archive = ArchiveReader::read_with_options(bytes, options(None));
            let archive = archive.map_err(|error| reason_of(&error))?;
            return Extraction::new(vec![archive], None).run(children);
        }
        let (volumes, behind) = volume::split(bytes);
        if behind.iter().any(|byte| *byte != 0) {
            let offset = bytes.len().saturating_sub(behind.len());
            children.slice(Member::named(format!("@{offset}").into_bytes()), behind)?;
        }
        for flaw in volumes.iter().filter_map(|volume| volume.flaw.clone()) {
            children.not_scanned(flaw);
        }
        if matches!(&volumes[..], [alone] if alone.is_continued) {
            children.not_scanned(Reason::Truncated);
        }
        let (archives, password) = open(&volumes, children)?;
        Extraction::new(archives, password).run(children)
    }
}

/// Parses the headers of every volume, with the first password that fits if they are encrypted.
fn open(
    volumes: &[Volume<'_>],
    children: &mut Children<'_>,
) -> Result<(Vec<Archive>, Option<Vec<u8>>), UnpackError> {
    let is_alone = volumes.len() == 1;
    let passwords: Vec<_> = children.passwords().map(<[u8]>::to_vec).collect();
    for password in std::iter::once(None).chain(passwords.into_iter().map(Some)) {
        let (mut archives, mut failure) = (Vec::new(), None);
        for volume in volumes {
            let is_whole = volume.flaw.is_none() && !(is_alone && volume.is_continued);
            match parse(volume, is_whole, password.as_deref()) {
                Ok(archive) => archives.push(archive),
                Err(reason) => failure = Some(reason),
            }
        }
        match failure {
            Some(Reason::Encrypted) => {}
            Some(reason) if archives.is_empty() => return Err(reason.into()),
            Some(reason) => {
                children.not_scanned(reason);
                return Ok((archives, password));
            }
            None => return Ok((archives, password)),
        }
    }
    Err(Reason::Encrypted.into())
}

/// Parses the headers of a volume; one that is not whole is mended. A wrong password may show in
/// any kind of damage.
fn parse(volume: &Volume<'_>, is_whole: bool, password: Option<&[u8]>) -> Result<Archive, Reason> {
    if is_whole
        && let Ok(archive) = ArchiveReader::read_with_options(volume.bytes, options(password))
    {
        return Ok(archive);
    }
    if volume.is_sealed {
        return Err(Reason::Encrypted);
    }
    let parsed = ArchiveReader::read_owned_with_options(volume.mended(), options(password));
    parsed.map_err(|error| reason_of(&error))
}

/// Every limit that `rars` has, but for those of the output.
fn options(password: Option<&[u8]>) -> ArchiveReadOptions<'_> {
    ArchiveReadOptions::with_optional_password(password)
        .with_max_header_count(MAX_HEADERS)
        .with_max_header_bytes(MAX_HEADER_BYTES)
}

fn reason_of(error: &Error) -> Reason {
    let cause = error.root_cause();
    match (error.kind(), cause) {
        (ErrorKind::PasswordRequired | ErrorKind::BadPassword, _) => Reason::Encrypted,
        (ErrorKind::ChecksumMismatch, _) => Reason::corrupt("checksum"),
        (ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedFormat, _) => {
            Reason::unsupported("feature of RAR")
        }
        (_, Error::TotalOutputLimitExceeded { .. }) => Reason::Limit(Limit::Ratio),
        (_, Error::MemberOutputLimitExceeded { .. }) => Reason::Limit(Limit::ObjectSize),
        (ErrorKind::ResourceLimit, _) => Reason::Limit(Limit::Memory),
        (_, Error::TooShort | Error::Codec(rars::codec::Error::NeedMoreInput)) => Reason::Truncated,
        (_, Error::Io(io)) => {
            let source = io.source().downcast_ref::<std::io::Error>();
            source.map_or(Reason::corrupt("compressed data"), Reason::from_io)
        }
        (_, Error::Codec(_)) => Reason::corrupt("compressed data"),
        _ => Reason::corrupt("header"),
    }
}

/// What may be parsed of headers: far more than real archives have, and small.
const MAX_HEADERS: u64 = 1 << 17;
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// RAR 1.3 and 1.4.
const OLDEST: &[u8] = b"RE~^";

static CARVED: &[Magic] = &[Magic::start(volume::FOUR), Magic::start(volume::FIVE)];

static FORMAT: Format = Format {
    name: "rar",
    about: "RAR archive, versions 1.3 to 7",
    extensions: &["rar", "cbr", "r00"],
    magic: &[Magic::start(volume::FOUR), Magic::start(volume::FIVE), Magic::start(OLDEST)],
    specification: &[
        "RAR 5.0 archive format, rarlab.com/technote.htm",
        "RAR 4.x technical note, techinfo.txt",
    ],
    limitations: &[
        "a compressed member that began in a volume that is not there is not decoded",
        "recovery records, comments and alternate streams of NTFS are not read",
        "a member whose dictionary needs more memory than the scan may use is not decoded",
    ],
};
