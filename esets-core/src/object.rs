//! What is scanned: bytes with a name, and what a container says about a member.

use std::borrow::Cow;

use crate::pieces::Piece;

/// Bytes to scan and the name they came under; both are only borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    bytes: &'a [u8],
    name: &'a [u8],
}

impl<'a> Object<'a> {
    /// An object without a name.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, name: b"" }
    }

    /// The same object under a name: raw bytes as the file system or the container gave them.
    #[must_use]
    pub fn named<N: AsRef<[u8]> + ?Sized>(self, name: &'a N) -> Self {
        Self { name: name.as_ref(), ..self }
    }

    /// The content.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The name, empty if there is none.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.name
    }
}

/// What a container says of one member; any of it may be a lie.
#[derive(Clone, Debug, Default)]
pub struct Member<'a> {
    /// The CRC-32 (ISO 3309) that the container states.
    pub crc32: Option<u32>,
    /// Whether the container marks the member as encrypted.
    pub encrypted: bool,
    /// The position of the member in its container, from 0.
    pub index: Option<u64>,
    /// The media type (RFC 2046) that the container states.
    pub media_type: Option<Cow<'a, str>>,
    /// The name as raw bytes, directories included.
    pub name: Cow<'a, [u8]>,
    /// The size in the container, in bytes.
    pub packed_size: Option<u64>,
    /// Its place among the pieces of one object, where its name does not already say so.
    pub piece: Option<Piece>,
    /// The size once unpacked, in bytes.
    pub size: Option<u64>,
}

impl<'a> Member<'a> {
    /// A member of which only the name is known.
    #[must_use]
    pub fn named<N: Into<Cow<'a, [u8]>>>(name: N) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

impl<'a> From<&'a str> for Member<'a> {
    fn from(name: &'a str) -> Self {
        Self::named(name.as_bytes())
    }
}
