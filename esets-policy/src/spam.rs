//! The search for spam, as far as policy needs it.

use std::fmt::Debug;

use esets_core::Object;

use crate::context::Context;

/// An engine against spam, which the caller brings; see
/// [`Pipeline::with_antispam`](crate::Pipeline::with_antispam).
pub trait Antispam: Debug + Send + Sync {
    /// How much a message looks like spam; asked only if the policy wants to know.
    fn search(&self, message: &Object<'_>, context: &Context<'_>) -> Box<dyn SpamScore>;
}

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

impl SpamScore for Option<u8> {
    fn score(&self) -> Option<u8> {
        *self
    }
}
