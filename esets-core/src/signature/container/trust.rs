//! The signatures of containers: RSA over the MD5 in the header, RSASSA-PSS (RFC 8017, SHA-256,
//! salt of 32 bytes) over `.info`. A signature is a number, written with the lowest six bits first.

use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

/// A public key, both numbers decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) modulus: &'static str,
    pub(super) exponent: u32,
}

/// The keys that a container is checked with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) header: Key,
    pub(super) info: Key,
}

impl Key {
    /// Whether `signature` says that `digest` is what the owner of the key signed.
    pub(super) fn signed_digest(&self, digest: &[u8; 16], signature: &str) -> bool {
        self.open(signature).is_some_and(|plain| plain == BigUint::from_bytes_be(digest))
    }

    /// Whether `signature` says that `text` is what the owner of the key signed.
    pub(super) fn signed_text(&self, text: &[u8], signature: &str) -> bool {
        let encoded = self.open(signature).map(|plain| plain.to_bytes_be());
        encoded.is_some_and(|encoded| is_pss(&encoded, Sha256::digest(text).into()))
    }

    /// The number that the owner of the key turned into `signature`.
    fn open(&self, signature: &str) -> Option<BigUint> {
        let modulus: BigUint = self.modulus.parse().ok()?;
        let signature = number(signature).filter(|number| *number < modulus)?;
        Some(signature.modpow(&BigUint::from(self.exponent), &modulus))
    }
}

fn number(text: &str) -> Option<BigUint> {
    let digits: Option<Vec<u8>> = text.bytes().rev().map(digit).collect();
    let digits = digits.filter(|digits| digits.len() <= LONGEST)?;
    BigUint::from_radix_be(&digits, 64)
}

fn digit(letter: u8) -> Option<u8> {
    let place = DIGITS.iter().position(|digit| *digit == letter)?;
    u8::try_from(place).ok()
}

/// Whether a message that hashes to `digest` is encoded (RFC 8017, 9.1.2, for 2048 bits).
fn is_pss(encoded: &[u8], digest: [u8; 32]) -> bool {
    let Ok(encoded) = <&[u8; 256]>::try_from(encoded) else { return false };
    let Some((masked, [rest @ .., 0xbc])) = encoded.split_at_checked(MASKED) else { return false };
    let mut block = mask(rest);
    block.iter_mut().zip(masked).for_each(|(to, from)| *to ^= from);
    // The highest bit does not belong to it.
    if let Some(first) = block.first_mut() {
        *first &= 0x7f;
    }
    let (padding, salt) = block.split_at_checked(MASKED.saturating_sub(SALT)).unwrap_or_default();
    let [zeros @ .., 1] = padding else { return false };
    if zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    let hash = Sha256::new().chain_update([0; 8]).chain_update(digest).chain_update(salt);
    hash.finalize().as_slice() == rest
}

/// MGF1 (RFC 8017, B.2.1).
fn mask(seed: &[u8]) -> Vec<u8> {
    let block = |number: u32| {
        Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).finalize().to_vec()
    };
    let mut mask: Vec<u8> = (0..7).flat_map(block).collect();
    mask.truncate(MASKED);
    mask
}

const DIGITS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
/// More digits than 2048 bits need.
const LONGEST: usize = 400;
const SALT: usize = 32;
/// 256 bytes without a digest and the last byte.
const MASKED: usize = 223;

/// ClamAV's keys, as its library carries them.
pub(super) static CLAMAV: Keys = Keys {
    header: Key {
        modulus: concat!(
            "118640995551645342603070001658453189751527774412027743746599405743243142607464144767",
            "361060640655844749760788890022283424922762488917565551002467771109669598189410434699",
            "034532232228621591089508178591428456220796841621637175567590476666928698770143328137",
            "383952820383197532047771780196576957695822641224262693037",
        ),
        exponent: 100_001_027,
    },
    info: Key {
        modulus: concat!(
            "110888949830485454736595561066271949239289417917950476205916586974135810433227159121",
            "724968065253810558809645206184002243333205346602992339837553417406795028668299096799",
            "557343913926683783612215242053966310901051516412708572770803107343209516537005089417",
            "174191687239425078907029047027075874516216910507543078503833998653464872037984641785",
            "373922114027864813598244611972311028954150937703942166663244845939357624084685168266",
            "331921408266679234948220458053478099328484548458869717064243605586678627758760720594",
            "377033653802091016977385775154769350854694552799941131459779940846183284821510131423",
            "93373316337519977244732747977",
        ),
        exponent: 100_002_049,
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::hex;

    #[test]
    fn the_header_of_an_official_container_is_genuine() {
        // daily.cvd, version 25784, of 16 Apr 2020.
        let digest = hex::<16>("92baacd59fd26e6bcf03077add78d209").unwrap();
        let signature = concat!(
            "4Jp9JtGJY6nUk8JHDQQpQeBwlfXqskvhXL+vesDNqAeWCmjbudU+Hy/Nj4/BH2vl70c/R5B/VYY+eqqCQo6o",
            "7VGLqLJr/E+19gejqMp/iRcuHrtnLw6V/x3UjO3/qYVSlcJvAjtMI7FK32wjB+Sp8kaS/ZbfaFQp6trRQhis",
            "jqf",
        );
        assert!(CLAMAV.header.signed_digest(&digest, signature));
        assert!(!CLAMAV.header.signed_digest(&[0; 16], signature));
        assert!(!CLAMAV.header.signed_digest(&digest, &signature.replace('J', "K")));
        assert!(!CLAMAV.header.signed_digest(&digest, "X"));
        assert!(!CLAMAV.header.signed_digest(&digest, ""));
        assert!(!CLAMAV.header.signed_digest(&digest, "not/a signature"));
        assert!(!CLAMAV.header.signed_digest(&digest, &"9".repeat(100_000)));
    }

    #[test]
    fn what_openssl_signs_is_genuine() {
        let key = Key {
            modulus: concat!(
                "21050525737701942774507114890235332161559434926800968178805986460856120236187130",
                "60373221698958234525381110921041755523517010391694471674891418973427508970348115",
                "13372941032156828375083930706724763069101289543150453911678259279390790408577477",
                "48023175001888412525007124823731449075731459109437929685538895400109246478556531",
                "71312311212785727635429610025325040954339737601008888820642305652335795201666611",
                "01025321461476361699422671399389359613632964224401097123342415611421266591336918",
                "90549571377901069115791899150900910442665063396060258127423446771659121353532463",
                "751399338288207626054168745905373055777774861250597339549",
            ),
            exponent: 65_537,
        };
        let signature = concat!(
            "zXzHUO5qQFlcNoPmNRfH6CISvGBS9gZkCHygckA63nayS/TivBBJShW8tIVzv3hyDSh0UWCOEfLzVM7ql3hI",
            "1aMtINSAgnKBcRo3fPba3h44kyD56XxPqXAWClzlpzX/25oWS1l7pZJTcnbpCjsD9RfSo9cxH59pY3+1JJqq",
            "HN+QSOTvWi9x5oUl3TiEyhzoXvUy5oWOvdd3WQsXUOsrheSm56U3e0xA/OqA0I57q00mwT9OTdKpMpvPoVMl",
            "jd+LMZjDy8Gv7rAHxaWosdS2AjVOTxKGaujFN5Euzj77Qbdw4ntXhSuV3d/017Jk3w5mvn4HohW+f5W6z7JH",
            "NNTtCb",
        );
        let text = concat!(
            "ClamAV-VDB:t:1:2:90:X:X:me:0\n",
            "my.hdb:39:7b91f7e128d8ab0fa6a3040496c023fb78bad3602f732caeb9418c0b64a4b549\n",
        );
        assert!(key.signed_text(text.as_bytes(), signature));
        assert!(!key.signed_text(&text.as_bytes()[1..], signature));
        assert!(!CLAMAV.info.signed_text(text.as_bytes(), signature));
    }
}
