//! Agile encryption of Office Open XML (Office 2010 and later): \[MS-OFFCRYPTO\] 2.3.4.10.

use std::io::{self, Read};

use esets_mime::Encoding;
use memchr::memmem;

use super::{Effort, Hash, PAD, PackageReader, vector};
use crate::decode::aes::Aes;

/// What the XML in the stream `EncryptionInfo` says.
pub(crate) struct Agile {
    data: Parameters,
    key: Parameters,
    spins: u32,
    verifier_input: Vec<u8>,
    verifier_value: Vec<u8>,
    key_value: Vec<u8>,
}

/// How one thing is encrypted.
struct Parameters {
    salt: Vec<u8>,
    hash: Hash,
    key_size: usize,
}

impl Agile {
    /// Reads the XML, behind the version; `None` if it lacks something or asks for what nobody
    /// writes.
    pub(crate) fn read(xml: &[u8]) -> Option<Self> {
        let data = element(xml, b"keyData")?;
        let key = element(xml, b"encryptedKey")?;
        Some(Self {
            data: Parameters::read(data)?,
            key: Parameters::read(key)?,
            spins: attribute(key, "spinCount")?.parse().ok()?,
            verifier_input: binary(key, "encryptedVerifierHashInput")?,
            verifier_value: binary(key, "encryptedVerifierHashValue")?,
            key_value: binary(key, "encryptedKeyValue")?,
        })
    }

    /// Decrypts with a password in UTF-16; `None` if it is not the right one.
    pub(crate) fn open<R: Read>(
        &self,
        password: &[u8],
        effort: &mut Effort,
        package: R,
    ) -> Option<io::Result<PackageReader<R>>> {
        effort.spend(self.spins)?;
        let spun = self.key.hash.spun(&self.key.salt, password, self.spins);
        let input = self.unwrap(&spun, VERIFIER_INPUT, &self.verifier_input)?;
        let value = self.unwrap(&spun, VERIFIER_VALUE, &self.verifier_value)?;
        let input = input.get(..self.key.salt.len()).unwrap_or(&input);
        let hash = self.key.hash.of(&[input]);
        if hash.is_empty() || !value.starts_with(&hash) {
            return None;
        }
        let key = self.unwrap(&spun, KEY_VALUE, &self.key_value)?;
        let aes = Aes::new(key.get(..self.data.key_size)?)?;
        let Parameters { salt, hash, .. } = &self.data;
        let (salt, hash) = (salt.clone(), *hash);
        let vectors = move |segment: u32| vector(&hash.of(&[&salt, &segment.to_le_bytes()]));
        Some(PackageReader::new(package, aes, Some(Box::new(vectors))))
    }

    /// Decrypts a value that is wrapped for one purpose.
    fn unwrap(&self, spun: &[u8], purpose: [u8; 8], value: &[u8]) -> Option<Vec<u8>> {
        let mut key = self.key.hash.of(&[spun, &purpose]);
        key.resize(self.key.key_size, PAD);
        let mut clear = value.to_vec();
        Aes::new(&key)?.cbc(vector(&self.key.salt), &mut clear);
        Some(clear)
    }
}

impl Parameters {
    fn read(element: &[u8]) -> Option<Self> {
        let is = |name, value| attribute(element, name).is_some_and(|found| found == value);
        if !is("cipherAlgorithm", "AES") || !is("cipherChaining", "ChainingModeCBC") {
            return None;
        }
        let key_size = match attribute(element, "keyBits")? {
            "128" => 16,
            "192" => 24,
            "256" => 32,
            _ => return None,
        };
        let hash = Hash::named(attribute(element, "hashAlgorithm")?)?;
        Some(Self { salt: binary(element, "saltValue")?, hash, key_size })
    }
}

/// The attributes of the first element of this name, whatever its prefix.
fn element<'a>(xml: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(xml, name)?;
    let rest = xml.get(at..)?;
    rest.get(..memchr::memchr(b'>', rest)?)
}

/// The value of an attribute.
fn attribute<'a>(element: &'a [u8], name: &str) -> Option<&'a str> {
    let start = format!(" {name}=\"");
    let at = memmem::find(element, start.as_bytes())?.checked_add(start.len())?;
    let rest = element.get(at..)?;
    std::str::from_utf8(rest.get(..memchr::memchr(b'"', rest)?)?).ok()
}

fn binary(element: &[u8], name: &str) -> Option<Vec<u8>> {
    Some(Encoding::Base64.decode(attribute(element, name)?.as_bytes()).to_vec(MAX_VALUE))
}

const VERIFIER_INPUT: [u8; 8] = [0xFE, 0xA7, 0xD2, 0x76, 0x3B, 0x4B, 0x9E, 0x79];
const VERIFIER_VALUE: [u8; 8] = [0xD7, 0xAA, 0x0F, 0x6D, 0x30, 0x61, 0x34, 0x4E];
const KEY_VALUE: [u8; 8] = [0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6];
/// More than any salt, digest or key takes.
const MAX_VALUE: usize = 1024;
