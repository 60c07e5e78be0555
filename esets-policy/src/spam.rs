//! What a search for spam says, as far as policy needs it.

/// The result of an engine against spam for one message.
pub trait SpamScore {
    /// From 0 (wanted) to 100 (spam); `None` if the message could not be looked at.
    fn score(&self) -> Option<u8>;
}

impl SpamScore for u8 {
    fn score(&self) -> Option<u8> {
        Some(*self)
    }
}
