//! Bodies that fall into parts.

use super::{Entity, Job, Parser, Role};
use crate::boundary::{Piece, Strength};
use crate::defect::{Defect, Limit};
use crate::part::Kind;
use crate::transfer::Encoding;
use std::ops::Range;

impl<'a> Parser<'a> {
    /// Divides the body by every boundary that occurs in it; false if none does.
    pub(super) fn multipart(&mut self, entity: &Entity<'a>, body: Range<usize>) -> bool {
        let mut divisions = self.divisions(&entity.description.boundaries, &body);
        let is_multipart = entity.description.is_multipart();
        if !divisions.is_empty() && !is_multipart {
            self.defects.add(Defect::BoundaryWithoutMultipart);
        }
        let agreed = entity.description.boundary.as_deref();
        if divisions.first().is_some_and(|(boundary, _)| Some(boundary.as_slice()) != agreed) {
            self.defects.add(Defect::NonstandardBoundary);
        }
        // A bounce ends with the header of the message that came back.
        let may_be_cut = body.is_empty() && entity.job.role == Role::Message;
        if divisions.is_empty() && is_multipart && !may_be_cut {
            divisions.extend(self.guess(&body));
        }
        let is_encoded = entity.description.encodings.iter().any(|&e| e != Encoding::Identity);
        if is_encoded && is_multipart {
            self.defects.add(Defect::EncodedMultipart);
        }
        for (at, (boundary, strength)) in divisions.iter().enumerate() {
            if at == 0 || self.may_read_again() {
                self.divide(entity, &body, (boundary, *strength));
            }
        }
        !divisions.is_empty()
    }

    fn guess(&mut self, body: &Range<usize>) -> Option<(Vec<u8>, Strength)> {
        let guess = self.delimiters.guess(body, &mut self.defects);
        self.defects.add(match guess {
            Some(_) => Defect::GuessedBoundary,
            None => Defect::MissingDelimiter,
        });
        guess.map(|boundary| (boundary.to_vec(), Strength::Exact))
    }

    /// The boundaries that divide `body`, and how sure their delimiters are.
    fn divisions(
        &mut self,
        boundaries: &[Vec<u8>],
        body: &Range<usize>,
    ) -> Vec<(Vec<u8>, Strength)> {
        let mut found = Vec::new();
        for boundary in boundaries {
            for strength in self.delimiters.strengths(body, boundary, &mut self.defects) {
                found.push((boundary.clone(), strength));
            }
        }
        let exact = found.iter().filter(|(_, strength)| *strength == Strength::Exact).count();
        if exact > 1 {
            self.defects.add(Defect::AmbiguousBoundary);
        }
        let best = found.iter().map(|(_, strength)| *strength).max();
        // A mere prefix is no delimiter when there are real ones.
        found.retain(|(_, strength)| {
            *strength != Strength::Prefix || best == Some(Strength::Prefix)
        });
        if found.iter().any(|(_, strength)| *strength != Strength::Exact) {
            self.defects.add(Defect::AmbiguousDelimiter);
        }
        found.sort_by_key(|(_, strength)| std::cmp::Reverse(*strength));
        found
    }

    pub(super) fn divide(
        &mut self,
        entity: &Entity<'a>,
        body: &Range<usize>,
        by: (&[u8], Strength),
    ) {
        let most = self.limits.parts.saturating_sub(self.parts.len());
        let mut division = self.delimiters.divide(body, by, most, &mut self.defects);
        for (found, defect) in [
            (!division.closed && !division.is_cut, Defect::Unterminated),
            (division.parts_after_close, Defect::PartsAfterClose),
            (division.is_cut, Defect::Limit(Limit::Parts)),
        ] {
            if found {
                self.defects.add(defect);
            }
        }
        if !division.closed && self.may_read_again() {
            division.pieces.extend(self.delimiters.glued_end(&division, by.0));
        }
        let Some(parent) = self.container(entity, body.clone(), Kind::Multipart) else { return };
        let inside = if entity.description.is_digest() { Role::Digest } else { Role::Part };
        let depth = entity.job.depth.saturating_add(1);
        for piece in division.pieces {
            let (range, role) = match piece {
                Piece::After(range) => (range, Role::After),
                Piece::Before(range) => (range, Role::Before),
                Piece::Part(range) => (range, inside),
            };
            self.jobs.push(Job { range, role, parent: Some(parent), depth });
        }
    }
}
