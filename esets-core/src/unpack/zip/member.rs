//! One member, in all readings that its headers allow.

use std::io;

use super::check::{Checked, Sums, may_be};
use super::door::decrypt;
use super::index::{Entry, next_record};
use super::method::{Coding, DEFLATE, STORED};
use super::record::{AES, AES_FIELD, Fields};
use crate::budget::{Lease, Stop};
use crate::children::Children;
use crate::object::Member;
use crate::verdict::{Limit, Reason};

/// What the members of one archive have in common.
pub(super) struct Archive<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) passwords: Vec<Vec<u8>>,
    /// How often a password may still be tried: each costs time on purpose.
    pub(super) attempts: u32,
    pub(super) purse: Lease,
}

/// A way to read the data of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reading<'a> {
    coding: Coding<'a>,
    /// All of the archive from where the data begins.
    rest: &'a [u8],
    is_cut: bool,
    is_encrypted: bool,
}

/// A member about to be offered.
struct Offer<'e, 'a> {
    /// What all headers say, the likeliest first.
    says: Vec<&'e Fields<'a>>,
    name: &'a [u8],
    sums: Sums,
}

impl<'a> Archive<'a> {
    /// Offers a member in every reading, then its further names without content.
    pub(super) fn offer(
        &mut self,
        entry: &Entry<'a>,
        children: &mut Children<'_>,
    ) -> Result<(), Stop> {
        if entry.centrals.len() > HEADERS {
            children.not_scanned(Reason::Limit(Limit::Readings));
        }
        let centrals = entry.centrals.iter().map(|central| &central.fields).take(HEADERS);
        let says: Vec<_> = centrals.chain([&entry.local.fields]).collect();
        let names = names(&says);
        let name = names.first().copied().unwrap_or_default();
        let offer = Offer { name, sums: Sums::of(&says), says };
        if !self.offer_from(entry.local.data, &offer, children)? {
            // A length of the extra field that lies hides the beginning of the data.
            let start = entry.local.data.saturating_sub(entry.local.fields.extra.len());
            if start != entry.local.data {
                self.offer_from(start, &offer, children)?;
            }
        }
        for name in names.into_iter().skip(1) {
            children.stream(Member::named(name), &mut io::empty())?;
        }
        Ok(())
    }

    /// Offers the data from `start` in every reading; false if it fits none.
    fn offer_from(
        &mut self,
        start: usize,
        offer: &Offer<'_, 'a>,
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let readings = offer.readings(self.bytes, start);
        let is_empty = readings.iter().all(|reading| reading.coding.body.is_empty());
        if is_empty && offer.name.ends_with(b"/") {
            return Ok(true);
        }
        if readings.len() > 1 {
            children.defect("headers that disagree");
        }
        let mut fits = false;
        for reading in readings.into_iter().take(children.readings().into()) {
            fits |= if reading.is_encrypted {
                self.encrypted(&reading, offer, children)?
            } else {
                self.plain(&reading, offer, children)?
            };
        }
        Ok(fits)
    }

    /// Offers what is not encrypted.
    fn plain(
        &self,
        reading: &Reading<'a>,
        offer: &Offer<'_, 'a>,
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let coding = &reading.coding;
        if coding.method == STORED && !reading.is_cut && offer.sums.fit_bytes(coding.body) {
            children.slice(offer.member(reading), coding.body)?;
            return Ok(true);
        }
        if let Some(other) = self.undeclared(reading, offer) {
            children.defect("method that is not the declared one");
            self.stream(&other, offer, children)?;
            children.slice(offer.member(reading), coding.body)?;
            return Ok(true);
        }
        match self.stream(reading, offer, children)? {
            None => Ok(true),
            Some(Reason::Corrupt(_)) => {
                children.slice(offer.member(reading), coding.body)?;
                Ok(false)
            }
            Some(_) => Ok(false),
        }
    }

    /// Offers what the decoder of the declared method makes; why that is not what is promised.
    fn stream(
        &self,
        reading: &Reading<'_>,
        offer: &Offer<'_, 'a>,
        children: &mut Children<'_>,
    ) -> Result<Option<Reason>, Stop> {
        let mut failure = None;
        let outcome = reading.coding.open(&self.purse, &mut |reader| {
            let mut checked = Checked::new(reader, &offer.sums, reading.is_cut);
            let outcome = children.stream(offer.member(reading), &mut checked);
            failure = checked.failure();
            outcome
        });
        match outcome {
            Ok(outcome) => outcome.map(|()| failure),
            Err(reason) => {
                children.skip(offer.member(reading), reason.clone())?;
                Ok(Some(reason))
            }
        }
    }

    /// Another method that makes what is promised where the declared one does not. Only the two
    /// methods that every program knows are tried.
    fn undeclared(&self, reading: &Reading<'a>, offer: &Offer<'_, 'a>) -> Option<Reading<'a>> {
        let declared = reading.coding;
        if !offer.sums.are_known() || declared.body.is_empty() {
            return None;
        }
        let is_stored = declared.method != STORED && offer.sums.fit_bytes(declared.body);
        let method = match declared.method {
            _ if is_stored => STORED,
            DEFLATE => return None,
            _ => DEFLATE,
        };
        // Deflated data knows its end, which then need not be the declared one.
        let body = if is_stored { declared.body } else { reading.rest };
        let other = Reading { coding: Coding { method, body, ..declared }, ..*reading };
        let other = Reading { is_cut: false, ..other };
        // A decoder that stops early without an error would pass for one that fits.
        (is_stored || self.fits(&other.coding, offer)).then_some(other)
    }

    fn fits(&self, coding: &Coding<'_>, offer: &Offer<'_, 'a>) -> bool {
        let may_be = |reader: &mut dyn io::Read| may_be(reader, &offer.sums, coding.size);
        coding.open(&self.purse, &mut { may_be }).unwrap_or(false)
    }

    /// Offers what is encrypted, or only said to be.
    fn encrypted(
        &mut self,
        reading: &Reading<'a>,
        offer: &Offer<'_, 'a>,
        children: &mut Children<'_>,
    ) -> Result<bool, Stop> {
        let bare = Reading { is_encrypted: false, ..*reading };
        if offer.sums.are_known() && self.fits(&bare.coding, offer) {
            children.defect("encryption flag on plain data");
            return self.plain(&bare, offer, children);
        }
        let body = reading.coding.body;
        if let Ok(_memory) = self.purse.another(body.len() as u64)
            && let Some(plain) = self.decrypt(reading, offer)
        {
            let coding = Coding { body: &plain, ..reading.coding };
            let opened = Reading { coding, rest: &[], is_cut: false, is_encrypted: true };
            return Ok(self.stream(&opened, offer, children)?.is_none());
        }
        children.skip(offer.member(reading), Reason::Encrypted)?;
        Ok(true)
    }

    /// Tries the passwords, the one that last fitted first.
    fn decrypt(&mut self, reading: &Reading<'_>, offer: &Offer<'_, 'a>) -> Option<Vec<u8>> {
        let fields = offer.says.iter().find(|fields| fields.is_encrypted())?;
        for index in 0..self.passwords.len() {
            self.attempts = self.attempts.checked_sub(1)?;
            let password = self.passwords.get(index)?;
            let Some(plain) = decrypt(fields, reading.coding.body, password) else { continue };
            let coding = Coding { body: &plain, ..reading.coding };
            if self.fits(&coding, offer) {
                self.passwords.swap(0, index);
                return Some(plain);
            }
        }
        None
    }
}

impl<'e, 'a> Offer<'e, 'a> {
    fn member(&self, reading: &Reading<'_>) -> Member<'a> {
        Member {
            encrypted: reading.is_encrypted,
            name: self.name.into(),
            packed_size: Some(reading.coding.body.len() as u64),
            size: reading.coding.size,
            ..Member::default()
        }
    }

    /// The ways in which the data from `start` can be read, each once.
    fn readings(&self, bytes: &'a [u8], start: usize) -> Vec<Reading<'a>> {
        let mut readings: Vec<Reading<'a>> = Vec::new();
        for fields in &self.says {
            for reading in self.readings_of(fields, bytes, start) {
                if !readings.iter().any(|known| known.is_like(&reading)) {
                    readings.push(reading);
                }
            }
        }
        // A header without sizes says nothing beside one that has them.
        if readings.iter().any(|reading| !reading.coding.body.is_empty()) {
            readings.retain(|reading| !reading.coding.body.is_empty());
        }
        readings
    }

    fn readings_of(
        &self,
        fields: &'e Fields<'a>,
        bytes: &'a [u8],
        start: usize,
    ) -> impl Iterator<Item = Reading<'a>> {
        let rest = bytes.get(start..).unwrap_or_default();
        let size = usize::try_from(fields.packed).unwrap_or(usize::MAX);
        let method = method(fields);
        let is_unknown = size == 0 && (fields.has_descriptor() || method != STORED);
        let body = match rest.get(..size) {
            Some(_) if is_unknown => self.unmeasured(method, bytes, start),
            Some(body) => body,
            None => rest,
        };
        let is_known = fields.size != 0 || !fields.has_descriptor();
        let coding =
            Coding { method, flags: fields.flags, size: is_known.then_some(fields.size), body };
        let is_encrypted = fields.is_encrypted();
        let first = Reading { coding, rest, is_cut: size > rest.len(), is_encrypted };
        // What is stored has one size; if there are two, either may count.
        let other = usize::try_from(fields.size).ok().and_then(|size| rest.get(..size));
        let other = other.filter(|_| method == STORED && !is_encrypted && is_known);
        let second = other.filter(|other| !other.is_empty() && other.len() != body.len());
        let second = second.map(|body| Reading {
            coding: Coding { body, ..coding },
            is_cut: false,
            ..first
        });
        [Some(first), second].into_iter().flatten()
    }

    /// The data of a member whose size stands behind it, if at all.
    fn unmeasured(&self, method: u16, bytes: &'a [u8], start: usize) -> &'a [u8] {
        if self.says.iter().any(|fields| fields.packed > 0) {
            return &[];
        }
        // Compressed data knows its end; a signature in it is chance.
        let end = if method == STORED { next_record(bytes, start) } else { None };
        bytes.get(start..end.unwrap_or(bytes.len())).unwrap_or_default()
    }
}

/// How many headers of one member are read; more than two are no accident.
const HEADERS: usize = 32;

impl Reading<'_> {
    /// Whether both come to the same: the sizes of unpacked data matter to few methods.
    fn is_like(&self, other: &Self) -> bool {
        let (mine, its) = (&self.coding, &other.coding);
        let is_sized = ![STORED, DEFLATE].contains(&mine.method);
        mine.method == its.method
            && mine.body.as_ptr_range() == its.body.as_ptr_range()
            && self.is_encrypted == other.is_encrypted
            && (!is_sized || mine.size == its.size || its.size.is_none())
    }
}

/// The method below the encryption.
fn method(fields: &Fields<'_>) -> u16 {
    match fields.extra(AES_FIELD) {
        Some([_, _, _, _, _, low, high]) if fields.method == AES => {
            u16::from_le_bytes([*low, *high])
        }
        _ => fields.method,
    }
}

/// All names, each once.
fn names<'a>(says: &[&Fields<'a>]) -> Vec<&'a [u8]> {
    let mut names = Vec::new();
    let plain = says.iter().map(|fields| fields.name);
    let unicode = says.iter().filter_map(|fields| fields.unicode_name());
    for name in plain.chain(unicode) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
