//! The stream cipher RC4, as old documents use it.

/// A key stream.
pub(crate) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    /// The stream of a key; an empty key is one of zero.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut state = [0; 256];
        state.iter_mut().zip(0..=u8::MAX).for_each(|(slot, value)| *slot = value);
        let mut rc4 = Self { state, i: 0, j: 0 };
        let key = if key.is_empty() { &[0] } else { key };
        for (i, byte) in (0..=u8::MAX).zip(key.iter().cycle()) {
            rc4.i = i;
            rc4.j = rc4.j.wrapping_add(rc4.at(i)).wrapping_add(*byte);
            rc4.swap();
        }
        Self { i: 0, j: 0, ..rc4 }
    }

    /// Encrypts or decrypts, which is the same.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte ^= self.next());
    }

    /// The next byte of the key stream.
    pub(crate) fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(self.at(self.i));
        self.swap();
        self.at(self.at(self.i).wrapping_add(self.at(self.j)))
    }

    #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256 places")]
    fn at(&self, index: u8) -> u8 {
        self.state[usize::from(index)]
    }

    fn swap(&mut self) {
        self.state.swap(usize::from(self.i), usize::from(self.j));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_stream_of_rfc_6229() {
        let mut stream = [0; 16];
        Rc4::new(&[1, 2, 3, 4, 5]).apply(&mut stream);
        assert_eq!(u128::from_be_bytes(stream), 0xb239_6305_f03d_c027_ccc3_524a_0a11_18a8);
    }
}
