//! The decoders and ciphers of the `zip` crate, reached by giving it an archive of one member.

use std::io::{self, Read};

use ::zip::read::{ZipFile, ZipReadOptions, read_zipfile_from_stream_with_options};
use ::zip::result::ZipError;

use super::method::Passing;
use super::record::{AES, AES_FIELD, Fields, LOCAL};
use crate::budget::Lease;
use crate::verdict::Reason;

/// How the member is said to be packed.
pub(super) struct Door {
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) size: Option<u64>,
}

/// Calls `use_reader` with a reader of what is packed; `memory` pays for it.
pub(super) fn open_door<T>(
    door: &Door,
    body: &[u8],
    memory: Lease,
    use_reader: &mut dyn FnMut(&mut dyn Read) -> T,
) -> Result<T, Reason> {
    let coding = (door.method, door.flags & METHOD_FLAGS);
    let header = header(coding, [0; 4], 0, body.len(), &[]);
    let size = door.size.unwrap_or(u64::MAX);
    let options = ZipReadOptions::new().override_uncompressed_size(size);
    let mut archive = header.chain(body);
    match open(&mut archive, body, options) {
        Ok(file) => Ok(use_reader(&mut Passing::paid(file, memory))),
        Err(error) => Err(reason(&error)),
    }
}

/// What `body` is once decrypted with `password`, still compressed; `None` if that does not fit.
pub(super) fn decrypt(fields: &Fields<'_>, body: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    // The byte that tells a wrong password is of the time or of the CRC, programs do not agree.
    let stated = fields.flags & DESCRIPTOR;
    [stated, stated ^ DESCRIPTOR].into_iter().find_map(|descriptor| {
        let header = match fields.extra(AES_FIELD) {
            Some([version_low, version_high, b'A', b'E', strength, _, _]) => {
                let extra = [*version_low, *version_high, b'A', b'E', *strength, 0, 0];
                header((AES, ENCRYPTED | descriptor), fields.time, 0, body.len(), &extra)
            }
            _ => header((0, ENCRYPTED | descriptor), fields.time, fields.crc, body.len(), &[]),
        };
        let options = ZipReadOptions::new().password(Some(password));
        let mut archive = header.chain(body);
        let mut file = open(&mut archive, body, options).ok()?;
        let mut plain = Vec::new();
        // Of what fails its authentication at the end, the content is what counts.
        let _ = io::copy(&mut file, &mut plain);
        (!plain.is_empty() || body.len() <= SMALLEST).then_some(plain)
    })
}

/// The only member of `archive`, whose packed size is that of `body`.
fn open<'f, R: Read>(
    archive: &'f mut R,
    body: &[u8],
    options: ZipReadOptions<'f>,
) -> Result<ZipFile<'f, R>, ZipError> {
    let size = body.len() as u64;
    let options = options.override_compressed_size(size).ignore_crc32(true);
    read_zipfile_from_stream_with_options(archive, options)?.ok_or(ZipError::FileNotFound)
}

/// A local header (4.3.7) of a member without a name.
fn header(coding: (u16, u16), time: [u8; 4], crc: u32, packed: usize, aes: &[u8]) -> Vec<u8> {
    let (method, flags) = coding;
    let version = 63u16.to_le_bytes();
    let extra = match aes {
        [] => Vec::new(),
        aes => [&AES_FIELD.to_le_bytes()[..], &[7, 0], aes].concat(),
    };
    let extra_size = u16::try_from(extra.len()).unwrap_or(0).to_le_bytes();
    let packed = u32::try_from(packed).unwrap_or(u32::MAX).to_le_bytes();
    [
        LOCAL,
        &version,
        &flags.to_le_bytes(),
        &method.to_le_bytes(),
        &time,
        &crc.to_le_bytes(),
        &packed,
        &packed, // unpacked as encrypted: overridden where it is not
        &[0, 0], // no name
        &extra_size,
        &extra,
    ]
    .concat()
}

fn reason(error: &ZipError) -> Reason {
    match error {
        ZipError::Io(error) => Reason::from_io(error),
        _ => Reason::corrupt("compressed data"),
    }
}

/// Flags (4.4.4).
const ENCRYPTED: u16 = 1;
const METHOD_FLAGS: u16 = 0b110;
const DESCRIPTOR: u16 = 1 << 3;

/// The encryption header of ZipCrypto, which an empty member has too, in bytes.
const SMALLEST: usize = 12;
