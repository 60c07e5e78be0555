//! AES (FIPS 197) in the ECB and CBC modes (NIST SP 800-38A).

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

/// A key of 16, 24 or 32 bytes, ready to decrypt.
pub(crate) enum Aes {
    /// AES-128.
    Aes128(Aes128),
    /// AES-192.
    Aes192(Aes192),
    /// AES-256.
    Aes256(Aes256),
}

impl Aes {
    /// `None` if the key has another length.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Aes128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Aes192),
            _ => Aes256::new_from_slice(key).ok().map(Self::Aes256),
        }
    }

    /// Decrypts each block for itself; what is no whole block at the end stays as it is.
    pub(crate) fn ecb(&self, bytes: &mut [u8]) {
        for block in bytes.as_chunks_mut().0 {
            self.block(block);
        }
    }

    /// Decrypts each block, chained to the one before and the first to `iv`.
    pub(crate) fn cbc(&self, iv: [u8; BLOCK], bytes: &mut [u8]) {
        let mut before = iv;
        for block in bytes.as_chunks_mut().0 {
            let encrypted = *block;
            self.block(block);
            block.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
            before = encrypted;
        }
    }

    fn block(&self, block: &mut [u8; BLOCK]) {
        match self {
            Self::Aes128(key) => key.decrypt_block(block.into()),
            Self::Aes192(key) => key.decrypt_block(block.into()),
            Self::Aes256(key) => key.decrypt_block(block.into()),
        }
    }
}

/// Encrypts whole blocks under a key of 128 bits, each chained to the one before, as a hash does.
pub(crate) fn encrypt_cbc(key: &[u8; 16], iv: [u8; BLOCK], bytes: &mut [u8]) {
    let key = Aes128::new(key.into());
    let mut before = iv;
    for block in bytes.as_chunks_mut().0 {
        block.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
        key.encrypt_block(block.into());
        before = *block;
    }
}

/// Bytes of a block.
pub(crate) const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decrypts_the_examples_of_the_standard() {
        // NIST SP 800-38A F.1.1 and F.2.1, first block.
        let key: [u8; 16] = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let clear = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        let aes = Aes::new(&key).unwrap();
        let mut block = 0x3ad7_7bb4_0d7a_3660_a89e_caf3_2466_ef97_u128.to_be_bytes();
        aes.ecb(&mut block);
        assert_eq!(block, clear);
        let iv = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes();
        let mut block = 0x7649_abac_8119_b246_cee9_8e9b_12e9_197d_u128.to_be_bytes();
        aes.cbc(iv, &mut block);
        assert_eq!(block, clear);
        encrypt_cbc(&key, iv, &mut block);
        assert_eq!(block, 0x7649_abac_8119_b246_cee9_8e9b_12e9_197d_u128.to_be_bytes());
    }
}
