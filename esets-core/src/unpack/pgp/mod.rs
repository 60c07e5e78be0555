//! OpenPGP (RFC 9580): what a clear-signed, a signed, a compressed or a stored message carries.

mod armour;
mod packet;

use std::io::{self, Read};

use esets_mime::{Encoding, looks_like_message};
use flate2::read::{DeflateDecoder, ZlibDecoder};

use self::armour::{Block, blocks};
use self::packet::{Body, Packet, Tag, packets};
use super::{Format, UnpackError, Unpacker};
use crate::budget::Stop;
use crate::children::Children;
use crate::decode::inner_name;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Pgp;

impl Unpacker for Pgp {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The texts of a message are left to the unpacker of messages.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        packet::looks_like(bytes) || blocks(bytes).next().is_some() && !looks_like_message(bytes)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let name = inner_name(&FORMAT, subject.name());
        if packet::looks_like(bytes) {
            for packet in packets(bytes) {
                offer(&packet, &name, children)?;
            }
            return Ok(());
        }
        for block in blocks(bytes) {
            match block {
                Block::Letters(letters) => {
                    let name = [&name, &b".pgp"[..]].concat();
                    children.stream(Member::named(name), &mut Encoding::Base64.decode(letters))?;
                }
                Block::Text(text) => armour::offer(text, &name, children)?,
            }
        }
        Ok(())
    }
}

fn offer(packet: &Packet<'_>, name: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
    match packet.tag {
        Tag::Compressed => decompress(packet.body.clone(), name, children),
        Tag::Encrypted => Err(Reason::Encrypted.into()),
        Tag::Literal => Ok(literal(packet.body.clone(), name, children)?),
        Tag::Other => Ok(()),
    }
}

/// The packets inside go to this unpacker again.
fn decompress(
    mut body: Body<'_>,
    name: &[u8],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let mut method = [0];
    body.read_exact(&mut method)?;
    let member = Member::named([name, b".pgp"].concat());
    match method {
        [0] => children.stream(member, &mut body)?,
        [1] => children.stream(member, &mut DeflateDecoder::new(body))?,
        [2] => children.stream(member, &mut ZlibDecoder::new(body))?,
        [3] => {
            let _memory = children.lease(BZIP2)?;
            children.stream(member, &mut bzip2::read::BzDecoder::new(body))?;
        }
        _ => return Err(Reason::unsupported("method of compression").into()),
    }
    Ok(())
}

/// Format, name and date, then the content.
fn literal(mut body: Body<'_>, name: &[u8], children: &mut Children<'_>) -> Result<(), Stop> {
    let header = |body: &mut Body<'_>| -> io::Result<Vec<u8>> {
        let mut start = [0; 2];
        body.read_exact(&mut start)?;
        let [_, length] = start;
        let mut name = vec![0; length.into()];
        body.read_exact(&mut name)?;
        body.read_exact(&mut [0; 4])?;
        Ok(name)
    };
    let own = header(&mut body).unwrap_or_default();
    let name = if own.is_empty() { name } else { &own };
    if let Some(whole) = body.whole() {
        return children.slice(Member::named(name), whole);
    }
    children.stream(Member::named(name), &mut body)
}

/// What decompressing bzip2 takes at most, in bytes.
const BZIP2: u64 = 4 << 20;

static FORMAT: Format = Format {
    name: "pgp",
    about: "OpenPGP message, in binary, armoured or clear-signed",
    extensions: &["pgp", "gpg", "asc", "sig"],
    magic: &[],
    specification: &["RFC 9580", "RFC 4880", "RFC 3156"],
    limitations: &["encrypted messages are not decrypted"],
};
