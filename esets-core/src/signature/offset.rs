//! Where in an object a pattern may begin.

use std::ops::RangeInclusive;

use super::Rejection;
use crate::executable::Executable;
use crate::subject::Subject;

/// Where in an object a pattern may begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset {
    /// From where it counts.
    pub anchor: Anchor,
    /// How many bytes behind that place, or before it.
    pub distance: i64,
    /// How many bytes further it may begin at most.
    pub shift: u32,
}

/// The place from which an [`Offset`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Anchor {
    /// `*`: anywhere.
    #[default]
    Anywhere,
    /// `n`: the start of the object.
    Start,
    /// `EOF-n`: the end of the object.
    End,
    /// `EP+n`: the entry point of an executable.
    EntryPoint,
    /// `Sx+n`: the start of section x, from 0.
    Section(u16),
    /// `SL+n`: the start of the last section.
    LastSection,
    /// `SEx`: within section x.
    WithinSection(u16),
    /// `VI`: within the version resource.
    VersionResource,
}

impl Offset {
    /// Reads `*`, `n`, `EOF-n`, `EP+n`, `EP-n`, `Sx+n`, `SL+n`, `SEx`, `VI`, each but the first
    /// and the last two with `,shift`.
    ///
    /// # Errors
    /// [`Rejection::Field`] if it is none of them.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        parse(text).ok_or(Rejection::Field("offset"))
    }

    /// Whether there are few places at which a pattern may begin.
    pub(crate) fn is_narrow(&self) -> bool {
        use Anchor::{Anywhere, VersionResource, WithinSection};
        let is_place = !matches!(self.anchor, Anywhere | VersionResource | WithinSection(_));
        is_place && self.shift <= NARROW
    }

    /// The ranges of bytes at which the pattern may begin in `subject`, or in a view of it, of
    /// `size` bytes. In the version resource these are its keys and nothing between them.
    pub(crate) fn starts<'s>(
        &self,
        subject: &'s Subject<'_>,
        size: usize,
    ) -> impl Iterator<Item = RangeInclusive<u64>> + use<'s> {
        let is_key = matches!(self.anchor, Anchor::VersionResource);
        let executable = if is_key { subject.executable() } else { None };
        let keys = executable.into_iter().flat_map(|executable| &executable.version);
        let place = if is_key { None } else { self.resolve(subject, size) };
        place.into_iter().chain(keys.map(|key| key.offset..=key.offset))
    }

    /// The first bytes at which the pattern may begin in `subject`, or in a view of it, of `size`
    /// bytes; `None` if there are none.
    pub(crate) fn resolve(
        &self,
        subject: &Subject<'_>,
        size: usize,
    ) -> Option<RangeInclusive<u64>> {
        let place = match self.anchor {
            Anchor::Anywhere => return Some(0..=u64::MAX),
            Anchor::Start => 0,
            Anchor::End => size as u64,
            Anchor::EntryPoint => subject.executable()?.entry_point?.offset?,
            Anchor::Section(index) => section(subject.executable()?, index)?.0,
            Anchor::LastSection => subject.executable()?.sections.last()?.offset,
            Anchor::WithinSection(index) => {
                let (start, size) = section(subject.executable()?, index)?;
                return Some(start..=start.checked_add(size.checked_sub(1)?)?);
            }
            Anchor::VersionResource => return version_resource(subject.executable()?),
        };
        let start = place.checked_add_signed(self.distance)?;
        Some(start..=start.saturating_add(self.shift.into()))
    }
}

fn section(executable: &Executable, index: u16) -> Option<(u64, u64)> {
    let section = executable.sections.get(usize::from(index))?;
    Some((section.offset, section.size))
}

/// From the first to the last key of the version resource.
fn version_resource(executable: &Executable) -> Option<RangeInclusive<u64>> {
    let offsets = || executable.version.iter().map(|string| string.offset);
    Some(offsets().min()?..=offsets().max()?)
}

fn parse(text: &str) -> Option<Offset> {
    match text {
        "*" => return Some(Offset::default()),
        "VI" => return Some(Offset { anchor: Anchor::VersionResource, ..Offset::default() }),
        _ => {}
    }
    let (place, shift) = match text.split_once(',') {
        Some((place, shift)) => (place, number(shift)?),
        None => (text, 0),
    };
    let (anchor, distance) = anchor(place)?;
    let has_shift = text.contains(',');
    if matches!(anchor, Anchor::WithinSection(_)) && has_shift {
        return None;
    }
    Some(Offset { anchor, distance, shift })
}

fn anchor(place: &str) -> Option<(Anchor, i64)> {
    if let Some(distance) = place.strip_prefix("EOF-") {
        return Some((Anchor::End, 0_i64.checked_sub(number(distance)?.into())?));
    }
    if let Some(distance) = place.strip_prefix("EP") {
        return Some((Anchor::EntryPoint, signed(distance)?));
    }
    if let Some(distance) = place.strip_prefix("SL+") {
        return Some((Anchor::LastSection, number(distance)?.into()));
    }
    if let Some(index) = place.strip_prefix("SE") {
        return Some((Anchor::WithinSection(u16::try_from(number(index)?).ok()?), 0));
    }
    if let Some(section) = place.strip_prefix('S') {
        let (index, distance) = section.split_once('+')?;
        let index = u16::try_from(number(index)?).ok()?;
        return Some((Anchor::Section(index), number(distance)?.into()));
    }
    Some((Anchor::Start, number(place)?.into()))
}

fn signed(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let distance = text.strip_prefix(['+', '-'])?;
    i64::from(number(distance)?).checked_mul(sign)
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// So many places are few.
const NARROW: u32 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_parses_and_nothing_else() {
        for good in ["*", "0", "12,34", "EOF-68", "EOF-9,3", "EP+0", "EP-4,2", "S3+7,1", "SL+0"] {
            assert!(Offset::parse(good).is_ok(), "{good}");
        }
        for good in ["SE0", "SE65535", "VI"] {
            assert!(Offset::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-1", "+1", "EOF+1", "EP", "EP1", "S+1", "S1", "SE", "SE1,1", "1,", "*,1"] {
            assert_eq!(Offset::parse(bad), Err(Rejection::Field("offset")), "{bad}");
        }
    }
}
