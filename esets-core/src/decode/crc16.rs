//! The checksum of BinHex (RFC 1741) and MacBinary: x¹⁶ + x¹² + x⁵ + 1, from zero.

/// The checksum of what `crc` stands for and `bytes` behind it.
pub(crate) fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_known_check_value() {
        assert_eq!(crc16(0, b"123456789"), 0x31c3);
    }
}
