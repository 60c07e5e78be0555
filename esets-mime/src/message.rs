//! A message and the parts it falls into.

use crate::defect::Defect;
use crate::field::Field;
use crate::limits::Limits;
use crate::parse;
use crate::part::Part;
use std::sync::Arc;

/// A parsed message. It borrows the raw bytes and copies none of them but header values on request.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) fields: Arc<[Field<'a>]>,
    pub(crate) parts: Vec<Part<'a>>,
    pub(crate) defects: Vec<Defect>,
}

impl<'a> Message<'a> {
    /// Parses `raw`, which may be anything. The time is linear in its length, the memory bounded by
    /// `limits`; what they cut is among the [`defects`](Self::defects).
    #[must_use]
    pub fn parse(raw: &'a [u8], limits: &Limits) -> Self {
        parse::message(raw, limits)
    }

    /// All parts in the order of the message, containers before what is in them. Further readings
    /// of an entity follow the first.
    pub fn parts(&self) -> std::slice::Iter<'_, Part<'a>> {
        self.parts.iter()
    }

    /// The parts that have content of their own: all but the containers.
    pub fn leaves(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| !part.is_container())
    }

    /// What is wrong or ambiguous, each kind once.
    #[must_use]
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The fields of the message's own header, in order.
    #[must_use]
    pub fn headers(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The first field `name`, whatever the case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The subject with its encoded words decoded.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        self.header("subject").map(Field::text)
    }

    /// The bytes that were parsed.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
}
