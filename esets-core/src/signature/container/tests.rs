//! Containers that the tests build and sign themselves.

use num_bigint::BigUint;
use sha2::Sha256;

use super::trust::{CLAMAV, Key, Keys};
use super::*;

/// A key of which the tests know the secret half.
static OURS: Keys = Keys {
    header: Key { modulus: MODULUS, exponent: 65_537 },
    info: Key { modulus: MODULUS, exponent: 65_537 },
};
const MODULUS: &str = "1216438133058822788422795980913914093178669936884453693040253";
const SECRET: &str = "129704894545295842737667246206128015103928915584872430754433";

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(digest: &[u8]) -> String {
    let (modulus, secret): (BigUint, BigUint) = (MODULUS.parse().unwrap(), SECRET.parse().unwrap());
    let signature = BigUint::from_bytes_be(digest).modpow(&secret, &modulus);
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/".as_bytes();
    signature.to_radix_le(64).iter().map(|digit| char::from(letters[usize::from(*digit)])).collect()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in members {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        archive.extend(header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

fn info(members: &[(&str, &[u8])]) -> String {
    let line = |(name, content): &(&str, &[u8])| {
        format!("{name}:{}:{}\n", content.len(), hexadecimal(&Sha256::digest(content)))
    };
    format!("ClamAV-VDB:t:1:2:90:X:X:me:0\n{}", members.iter().map(line).collect::<String>())
}

fn container(archive: &[u8], signature: &str) -> Vec<u8> {
    let digest = Md5::digest(archive);
    let signature = if signature.is_empty() { sign(&digest) } else { signature.to_owned() };
    let digest = hexadecimal(&digest);
    let header = format!("ClamAV-VDB:1 Jan 2026 00-00 +0000:1:2:90:{digest}:{signature}:me:0");
    let mut bytes = format!("{header:512}").into_bytes();
    bytes.extend(archive);
    bytes
}

const MEMBERS: &[(&str, &[u8])] = &[
    ("a.ndb", b"Nd:0:*:6465666768\nBad line\nGone:0:*:616263646566\n"),
    ("a.hdb", b"900150983cd24fb0d6963f7d28e17f72:3:Abc\n"),
    ("a.ign2", b"Gone\n"),
];

fn whole() -> Vec<u8> {
    let info = info(MEMBERS);
    tar(&[&[("COPYING", &b"licence"[..]), ("a.info", info.as_bytes())], MEMBERS].concat())
}

fn refusal(name: &str, bytes: &[u8], keys: &Keys) -> Option<Rejection> {
    let mut builder = DatabaseBuilder::new();
    let loaded = load(&SourceFile::new(name, bytes), &mut builder, keys);
    loaded.rejected.first().filter(|rejected| rejected.line == 0).map(|rejected| rejected.cause)
}

#[test]
fn a_signed_container_is_loaded_and_its_own_ignore_list_first() {
    let mut builder = DatabaseBuilder::new();
    let bytes = container(&whole(), "");
    let loaded = load(&SourceFile::new("a.cvd", &bytes), &mut builder, &OURS);
    assert_eq!((loaded.added, loaded.ignored), (3, 1));
    let [rejected] = &loaded.rejected[..] else { panic!("{:?}", loaded.rejected) };
    assert_eq!(rejected.to_string(), "a.cvd/a.ndb:2: bad number of fields");
    assert_eq!((builder.counts().total(), builder.counts().refused()), (2, 1));
}

#[test]
fn a_flipped_bit_anywhere_in_the_archive_is_refused() {
    let bytes = container(&whole(), "");
    assert_eq!(refusal("a.cvd", &bytes, &OURS), None);
    for at in (512..bytes.len()).step_by(61) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        let cause = Some(Rejection::Untrusted("digest of the archive"));
        assert_eq!(refusal("a.cvd", &flipped, &OURS), cause, "byte {at}");
    }
}

#[test]
fn a_container_that_someone_else_signed_is_refused() {
    let cause = Some(Rejection::Untrusted("signature"));
    assert_eq!(refusal("a.cvd", &container(&whole(), ""), &CLAMAV), cause);
    assert_eq!(refusal("a.cvd", &container(&whole(), "X"), &OURS), cause);
    let cause = Some(Rejection::Untrusted("signature of .info"));
    assert_eq!(refusal("a.cld", &container(&whole(), ""), &OURS), cause);
    let cause = Some(Rejection::Untrusted("nobody signed it"));
    assert_eq!(refusal("a.cud", &container(&whole(), ""), &OURS), cause);
}

#[test]
fn a_member_that_info_does_not_list_or_lists_otherwise_is_refused() {
    let listed = info(&[("a.ndb", b"something else")]);
    let archive = tar(&[("a.info", listed.as_bytes()), ("a.ndb", b"Nd:0:*:6465666768\n")]);
    let cause = Some(Rejection::Untrusted("a member is not as in .info"));
    assert_eq!(refusal("a.cvd", &container(&archive, ""), &OURS), cause);
    let archive = tar(&[("a.info", info(&[]).as_bytes()), ("a.ndb", b"Nd:0:*:6465666768\n")]);
    assert_eq!(refusal("a.cvd", &container(&archive, ""), &OURS), cause);
    let cause = Some(Rejection::Untrusted("there is no .info"));
    assert_eq!(refusal("a.cvd", &container(&tar(MEMBERS), ""), &OURS), cause);
}

#[test]
fn what_is_no_container_is_refused_at_every_length() {
    let bytes = container(&whole(), "X");
    let mut builder = DatabaseBuilder::new();
    builder.take_unsigned(true);
    for length in 0..bytes.len() {
        let loaded = builder.load(&SourceFile::new("a.cud", &bytes[..length]));
        assert_eq!(loaded.rejected.len(), 1, "{length}");
        assert_eq!(loaded.added, 0, "{length}");
    }
    assert_eq!(builder.load(&SourceFile::new("a.cud", &bytes)).added, 3);
}
