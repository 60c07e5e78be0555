//! Standard encryption of Office Open XML (Office 2007): \[MS-OFFCRYPTO\] 2.3.4.5.

use std::io::{self, Read};

use super::binary::Info;
use super::{Effort, Hash, PackageReader};
use crate::decode::aes::Aes;

/// What the stream `EncryptionInfo` says.
pub(crate) struct Standard {
    info: Info,
}

impl Standard {
    /// Reads the stream behind its version.
    pub(crate) fn read(info: &[u8]) -> Option<Self> {
        Info::read(info).map(|info| Self { info })
    }

    /// Decrypts with a password in UTF-16; `None` if it is not the right one.
    pub(crate) fn open<R: Read>(
        &self,
        password: &[u8],
        effort: &mut Effort,
        package: R,
    ) -> Option<io::Result<PackageReader<R>>> {
        effort.spend(SPINS)?;
        let spun = Hash::Sha1.spun(&self.info.salt, password, SPINS);
        let aes = Aes::new(&key(&spun, self.info.key_size)?)?;
        let mut verifier = self.info.verifier;
        let mut value = self.info.verifier_hash.clone();
        aes.ecb(&mut verifier);
        aes.ecb(&mut value);
        if !value.starts_with(&Hash::Sha1.of(&[&verifier])) {
            return None;
        }
        Some(PackageReader::new(package, aes, None))
    }
}

/// The key, as CryptDeriveKey makes it.
fn key(spun: &[u8], size: usize) -> Option<Vec<u8>> {
    let hash = Hash::Sha1.of(&[spun, &[0; 4]]);
    let half = |mask: u8| {
        let mut block = [mask; 64];
        block.iter_mut().zip(&hash).for_each(|(byte, hash)| *byte ^= hash);
        Hash::Sha1.of(&[&block])
    };
    let mut key = [half(0x36), half(0x5C)].concat();
    key.truncate(size);
    (key.len() == size).then_some(key)
}

const SPINS: u32 = 50_000;
