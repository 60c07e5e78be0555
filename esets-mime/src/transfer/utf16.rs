//! UTF-16 to UTF-8, for messages that are in it as a whole.

use super::Decode;
use encoding_rs::{Decoder, Encoding};

pub(super) struct Utf16(Decoder);

impl Utf16 {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        Self(encoding.new_decoder_with_bom_removal())
    }
}

impl Decode for Utf16 {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let most = self.0.max_utf8_buffer_length(input.len()).unwrap_or(0);
        out.resize(start.saturating_add(most), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let (_, read, written, _) = self.0.decode_to_utf8(input, room, last);
        out.truncate(start.saturating_add(written));
        read
    }
}
