//! Libraries as far as stubs look at them.

use super::{FUNCTIONS_KNOWN, KERNEL, Windows};

/// `kernel32.dll` as far as stubs look at it: headers, and an export table of all known functions.
pub(in crate::emulator) fn kernel(windows: &mut Windows) -> Option<Vec<u8>> {
    let count = u32::try_from(FUNCTIONS_KNOWN.len()).ok()?;
    let functions = EXPORTS.checked_add(40)?;
    let names = functions.checked_add(count.checked_mul(4)?)?;
    let ordinals = names.checked_add(count.checked_mul(4)?)?;
    let mut text = ordinals.checked_add(count.checked_mul(2)?)?;
    let mut image = headers(KERNEL, KERNEL_SIZE);
    let mut put = |at: u32, bytes: &[u8]| write(&mut image, at, bytes);
    for (at, value) in [(12, text), (16, 1), (20, count), (24, count), (28, functions), (32, names)]
    {
        put(EXPORTS.checked_add(at)?, &value.to_le_bytes());
    }
    put(EXPORTS.checked_add(36)?, &ordinals.to_le_bytes());
    put(text, b"KERNEL32.dll");
    text = text.checked_add(16)?;
    for (index, (name, ..)) in (0_u16..).zip(FUNCTIONS_KNOWN) {
        let address = windows.address_of(name.as_bytes())?.checked_sub(KERNEL)?;
        let at = u32::from(index).checked_mul(4)?;
        put(functions.checked_add(at)?, &address.to_le_bytes());
        put(names.checked_add(at)?, &text.to_le_bytes());
        put(ordinals.checked_add(u32::from(index).checked_mul(2)?)?, &index.to_le_bytes());
        put(text, name.as_bytes());
        text = text.checked_add(u32::try_from(name.len()).ok()?)?.checked_add(1)?;
    }
    Some(image)
}

/// The headers of a library at `base`, with an export table that is still empty.
pub(super) fn headers(base: u32, size: usize) -> Vec<u8> {
    let mut image = vec![0; size];
    for (at, bytes) in [(0, &b"MZ"[..]), (0x80, b"PE\0\0\x4c\x01\x01\0")] {
        write(&mut image, at, bytes);
    }
    write(&mut image, 0x94, &[0xe0, 0, 0x02, 0x21, 0x0b, 0x01]);
    for (at, value) in
        [(0x3c, 0x80), (0xb4, base), (0xd0, 0x1_0000), (0xf4, 16), (0xf8, EXPORTS), (0xfc, 0x1000)]
    {
        write(&mut image, at, &u32::to_le_bytes(value));
    }
    image
}

fn write(image: &mut [u8], at: u32, bytes: &[u8]) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    image.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}

/// The offset of the export table in `kernel32.dll`, and its size in all.
const EXPORTS: u32 = 0x400;
const KERNEL_SIZE: usize = 0x2_0000;
