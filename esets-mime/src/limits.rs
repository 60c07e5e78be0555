//! How much of one message is worth reading.

/// What a message may cost. What is cut is recorded as [`Defect::Limit`](crate::Defect::Limit).
///
/// The defaults let every honest mail through and keep the memory for the parsed tree under a few
/// megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of multipart and message inside each other; deeper ones stay unparsed leaves.
    pub depth: u16,
    /// Bytes read of one header field; the rest of its value is ignored.
    pub header_bytes: usize,
    /// Header fields of one entity; later ones are kept only if they describe its content.
    pub headers: usize,
    /// Parts of all kinds and readings together.
    pub parts: usize,
    /// Parts beyond the first reading of an entity, over the whole message.
    pub readings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128, header_bytes: 256 << 10, headers: 5_000, parts: 10_000, readings: 500 }
    }
}
