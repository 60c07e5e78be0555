//! An object under scan: what a format, a heuristic or a signature may ask, computed on first use.

use std::cell::{Cell, OnceCell};
use std::iter;

use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::executable::Executable;
use crate::object::{Member, Object};
use crate::signature::Kinds;
use crate::unpack::Format;

/// A digest algorithm that signatures use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5 (RFC 1321), 16 bytes.
    Md5,
    /// SHA-1 (RFC 3174), 20 bytes.
    Sha1,
    /// SHA-256 (RFC 6234), 32 bytes.
    Sha256,
}

/// The digest of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    bytes: [u8; 32],
    length: usize,
}

impl Digest {
    fn of<D: sha2::Digest>(bytes: &[u8]) -> Self {
        let output = D::digest(bytes);
        let mut digest = Self { bytes: [0; 32], length: output.len() };
        for (to, from) in digest.bytes.iter_mut().zip(output) {
            *to = from;
        }
        digest
    }

    /// 16, 20 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// An object under scan, with what it lies in.
#[derive(Debug)]
pub struct Subject<'s> {
    object: Object<'s>,
    member: &'s Member<'s>,
    parent: Option<&'s Subject<'s>>,
    formats: Vec<&'static Format>,
    kinds: Kinds,
    position: u64,
    depth: u16,
    /// Whether formats were looked for inside it.
    is_carved: Cell<bool>,
    md5: OnceCell<Digest>,
    sha1: OnceCell<Digest>,
    sha256: OnceCell<Digest>,
    executable: OnceCell<Option<Box<Executable>>>,
}

impl<'s> Subject<'s> {
    pub(crate) fn new(
        object: Object<'s>,
        member: &'s Member<'s>,
        parent: Option<&'s Subject<'s>>,
    ) -> Self {
        Self {
            object,
            member,
            parent,
            formats: Vec::new(),
            kinds: Kinds::default(),
            position: 0,
            depth: parent.map_or(0, |parent| parent.depth.saturating_add(1)),
            is_carved: Cell::new(false),
            md5: OnceCell::new(),
            sha1: OnceCell::new(),
            sha256: OnceCell::new(),
            executable: OnceCell::new(),
        }
    }

    /// Other bytes in the same place: what a reader makes of the content.
    pub(crate) fn view<'v>(&'v self, bytes: &'v [u8]) -> Subject<'v> {
        let object = Object::new(bytes).named(self.name());
        let mut view = Subject::new(object, self.member, self.parent).at(self.position);
        view.set_formats(self.formats.clone());
        view.set_kinds(self.kinds);
        view
    }

    /// The same as the member offered after so many others of its container.
    pub(crate) fn at(self, position: u64) -> Self {
        Self { position, ..self }
    }

    /// How many members its container offered before it.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// What signatures say it is.
    pub(crate) fn kinds(&self) -> Kinds {
        self.kinds
    }

    pub(crate) fn set_kinds(&mut self, kinds: Kinds) {
        self.kinds = kinds;
    }

    /// Marks that formats are looked for inside the object; `false` if they already are inside a
    /// container that holds the very same bytes, so that looking again finds nothing new.
    pub(crate) fn start_carving(&self) -> bool {
        let bytes = self.bytes().as_ptr_range();
        let is_covered = self.ancestors().any(|ancestor| {
            let around = ancestor.bytes().as_ptr_range();
            ancestor.is_carved.get() && around.start <= bytes.start && bytes.end <= around.end
        });
        self.is_carved.set(!is_covered);
        !is_covered
    }

    pub(crate) fn set_formats(&mut self, formats: Vec<&'static Format>) {
        self.formats = formats;
    }

    /// The content.
    #[must_use]
    pub fn bytes(&self) -> &'s [u8] {
        self.object.bytes()
    }

    /// The name, as raw bytes.
    #[must_use]
    pub fn name(&self) -> &'s [u8] {
        self.object.name()
    }

    /// What the container says of this object.
    #[must_use]
    pub fn member(&self) -> &Member<'s> {
        self.member
    }

    /// Every format that recognises this object.
    #[must_use]
    pub fn formats(&self) -> &[&'static Format] {
        &self.formats
    }

    /// How many containers this object lies in.
    #[must_use]
    pub fn depth(&self) -> u16 {
        self.depth
    }

    /// The containers around this object, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &Subject<'s>> {
        iter::successors(self.parent, |subject| subject.parent)
    }

    /// The digest of the content, computed once.
    pub fn digest(&self, algorithm: Algorithm) -> &Digest {
        let bytes = self.bytes();
        match algorithm {
            Algorithm::Md5 => self.md5.get_or_init(|| Digest::of::<Md5>(bytes)),
            Algorithm::Sha1 => self.sha1.get_or_init(|| Digest::of::<Sha1>(bytes)),
            Algorithm::Sha256 => self.sha256.get_or_init(|| Digest::of::<Sha256>(bytes)),
        }
    }

    /// What its headers say if it is a PE, ELF or Mach-O file, read once.
    pub fn executable(&self) -> Option<&Executable> {
        let parse = || Executable::parse(self.bytes()).map(Box::new);
        self.executable.get_or_init(parse).as_deref()
    }
}
