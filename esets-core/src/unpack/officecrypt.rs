//! Office documents with a password: \[MS-OFFCRYPTO\].

use std::io::Cursor;

use crate::budget::{Lease, Stop};
use crate::children::Children;
use crate::decode::compound::{Compound, Node};
use crate::decode::head;
use crate::decode::office::agile::Agile;
use crate::decode::office::binary::Scheme;
use crate::decode::office::excel::{FilePass, Workbook};
use crate::decode::office::key_stream::{Deciphered, KeyStream};
use crate::decode::office::powerpoint::Presentation;
use crate::decode::office::standard::Standard;
use crate::decode::office::{Effort, utf16};
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

use super::ole2;
use super::{Format, UnpackError, Unpacker};

/// What was encrypted, if a known password or one that Office itself uses opens it.
pub(super) struct OfficeCrypt;

static FORMAT: Format = Format {
    name: "officecrypt",
    about: "encrypted Office document",
    extensions: &[],
    magic: &[],
    specification: &["[MS-OFFCRYPTO]: Office Document Cryptography Structure"],
    limitations: &[
        "documents under rights management and with other providers' ciphers stay closed",
        "Word's XOR obfuscation, encrypted pictures and summaries are not decrypted",
    ],
};

impl Unpacker for OfficeCrypt {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        ole2::is_compound(subject, |compound| {
            let mut protected = candidates(compound).enumerate();
            protected
                .any(|(n, node)| n == MAX_DOCUMENTS || Protected::of(compound, &node).is_some())
        })
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = ole2::open(subject, children)?;
        let mut effort = Effort::new();
        for (count, node) in candidates(&compound).enumerate() {
            if count == MAX_DOCUMENTS {
                return Err(Reason::Limit(Limit::Readings).into());
            }
            let Some(protected) = Protected::of(&compound, &node) else { continue };
            let mut document = Document { compound: &compound, node, effort: &mut effort };
            if !document.offer(&protected, children)? {
                children.not_scanned(Reason::Encrypted);
            }
        }
        Ok(())
    }
}

/// The streams that tell whether a document is encrypted.
fn candidates<'c>(compound: &'c Compound<'_>) -> impl Iterator<Item = Node<'c>> {
    let is_telling = |node: &Node<'_>| TELLING.iter().any(|name| node.is_named(name));
    compound.nodes().filter(move |node| node.is_stream() && is_telling(node))
}

/// What a stream says about how its document is encrypted.
enum Protected {
    Excel(FilePass),
    Package,
    PowerPoint,
    /// Which table stream holds the header, and how long that is.
    Word(&'static str, u32),
}

impl Protected {
    fn of(compound: &Compound<'_>, node: &Node<'_>) -> Option<Self> {
        if node.is_named("EncryptedPackage") {
            Some(Self::Package)
        } else if node.is_named("WordDocument") {
            let header = compound.head(node, 18);
            let flags = u16::from_le_bytes(*header.get(10..)?.first_chunk()?);
            let size = u32::from_le_bytes(*header.get(14..)?.first_chunk()?);
            let table = if flags & SECOND_TABLE == 0 { "0Table" } else { "1Table" };
            (flags & ENCRYPTED != 0).then_some(Self::Word(table, size))
        } else if node.is_named("Workbook") || node.is_named("Book") {
            FilePass::find(&compound.head(node, MAX_HEADER)).map(Self::Excel)
        } else if node.is_named("Current User") {
            let is_encrypted = compound.head(node, 16).ends_with(&POWERPOINT);
            is_encrypted.then_some(Self::PowerPoint)
        } else {
            None
        }
    }
}

/// A document under its lock.
struct Document<'d> {
    compound: &'d Compound<'d>,
    node: Node<'d>,
    effort: &'d mut Effort,
}

impl Document<'_> {
    /// Offers what can be decrypted; `false` if no password fits.
    fn offer(
        &mut self,
        protected: &Protected,
        children: &mut Children<'_>,
    ) -> Result<bool, UnpackError> {
        let passwords = passwords(children);
        Ok(match protected {
            Protected::Excel(pass) => self.offer_workbook(pass, &passwords, children)?,
            Protected::Package => self.offer_package(&passwords, children)?,
            Protected::PowerPoint => self.offer_presentation(&passwords, children)?,
            Protected::Word(table, size) => self.offer_word(table, *size, &passwords, children)?,
        })
    }

    fn offer_package(
        &mut self,
        passwords: &[Vec<u8>],
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let Some(info) = self.stream("EncryptionInfo") else { return Ok(false) };
        let info = self.compound.head(&info, MAX_HEADER);
        let (agile, standard) = match info.get(..4) {
            Some([4, 0, 4, 0]) => (info.get(8..).and_then(Agile::read), None),
            Some([2..=4, 0, 2, 0]) => (None, info.get(4..).and_then(Standard::read)),
            _ => (None, None),
        };
        for password in passwords.iter().map(|password| utf16(password)) {
            let package = || self.compound.stream(&self.node);
            let reader = match (&agile, &standard) {
                (Some(agile), _) => agile.open(&password, self.effort, package()),
                (_, Some(standard)) => standard.open(&password, self.effort, package()),
                _ => return Ok(false),
            };
            match reader {
                Some(Ok(mut reader)) => {
                    return children.stream("package", &mut reader).map(|()| true);
                }
                Some(Err(error)) => {
                    children.not_scanned(Reason::from_io(&error));
                    return Ok(true);
                }
                None => {}
            }
        }
        Ok(false)
    }

    fn offer_word(
        &self,
        table: &str,
        size: u32,
        passwords: &[Vec<u8>],
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let Some(header) = self.stream(table) else { return Ok(false) };
        let Some(scheme) = Scheme::read(&self.compound.head(&header, MAX_HEADER)) else {
            return Ok(false);
        };
        let mut keys = passwords.iter().filter_map(|password| scheme.open(&utf16(password)));
        let Some(keys) = keys.next() else { return Ok(false) };
        let clear = [("WordDocument", 68), (table, size.into()), ("Data", 0)];
        for (name, clear) in clear {
            let Some(node) = self.stream(name) else { continue };
            let keys = KeyStream::new(keys.clone(), WORD_BLOCK);
            let mut stream = Deciphered::new(self.compound.stream(&node), keys, clear);
            children.stream(ole2::member(&node, &format!("decrypted/{name}")), &mut stream)?;
        }
        Ok(true)
    }

    fn offer_workbook(
        &self,
        pass: &FilePass,
        passwords: &[Vec<u8>],
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let mut ciphers = passwords.iter().filter_map(|word| pass.open(word, &utf16(word)));
        let Some(cipher) = ciphers.next() else { return Ok(false) };
        let name = format!("decrypted/{}", self.node.name());
        let mut workbook = Workbook::new(self.compound.stream(&self.node), cipher);
        children.stream(ole2::member(&self.node, &name), &mut workbook)?;
        Ok(true)
    }

    fn offer_presentation(
        &self,
        passwords: &[Vec<u8>],
        children: &mut Children<'_>,
    ) -> Result<bool, UnpackError> {
        let Some(node) = self.stream("PowerPoint Document") else { return Ok(false) };
        let _lease: Lease = children.lease(self.compound.readable(&node))?;
        let mut document = head(&mut self.compound.stream(&node), usize::MAX);
        let current_user = self.compound.head(&self.node, MAX_HEADER);
        let Some(presentation) = Presentation::read(&current_user, &document) else {
            return Ok(false);
        };
        let Some(scheme) = presentation.scheme(&document) else { return Ok(false) };
        let mut keys = passwords.iter().filter_map(|password| scheme.open(&utf16(password)));
        let Some(keys) = keys.next() else { return Ok(false) };
        presentation.decrypt(&keys, &mut document);
        let member = ole2::member(&node, "decrypted/PowerPoint Document");
        children.stream(member, &mut Cursor::new(document))?;
        Ok(true)
    }

    fn stream(&self, name: &str) -> Option<Node<'_>> {
        self.compound.nodes().find(|node| node.is_stream() && node.is_named(name))
    }
}

/// The passwords that Office tries by itself, then those that the caller knows.
fn passwords(children: &Children<'_>) -> Vec<Vec<u8>> {
    let known = children.passwords().map(<[u8]>::to_vec);
    DEFAULTS.iter().map(|password| password.as_bytes().to_vec()).chain(known).collect()
}

const TELLING: &[&str] = &["Book", "Current User", "EncryptedPackage", "WordDocument", "Workbook"];
/// A compound file has one document; more are there to keep us busy.
const MAX_DOCUMENTS: usize = 16;
/// Excel's and PowerPoint's passwords for documents that are only protected against changes.
const DEFAULTS: &[&str] = &["VelvetSweatshop", "/01Hannes Ruescher/01"];
/// Bits of the flags in Word's header.
const ENCRYPTED: u16 = 0x0100;
const SECOND_TABLE: u16 = 0x0200;
/// The token of an encrypted presentation.
const POWERPOINT: [u8; 4] = [0xDF, 0xC4, 0xD1, 0xF3];
/// More than any header of encryption takes.
const MAX_HEADER: usize = 64 << 10;
/// Bytes of a Word document under one key.
const WORD_BLOCK: u64 = 512;
