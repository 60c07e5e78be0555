//! General registers and flags.

use iced_x86::Register;

/// The registers of the machine.
#[derive(Clone, Default)]
pub(super) struct Registers {
    /// `eax ecx edx ebx esp ebp esi edi`
    general: [u32; 8],
    pub(super) eip: u32,
    pub(super) flags: Flags,
    /// Where `fs` begins.
    pub(super) fs: u32,
}

/// The flags that instructions look at.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the processor")]
pub(super) struct Flags {
    pub(super) carry: bool,
    pub(super) parity: bool,
    pub(super) adjust: bool,
    pub(super) zero: bool,
    pub(super) sign: bool,
    pub(super) trap: bool,
    pub(super) direction: bool,
    pub(super) overflow: bool,
}

impl Flags {
    /// As `pushfd` stores them.
    pub(super) fn to_bits(self) -> u32 {
        let bit = |flag: bool, at: u32| u32::from(flag) << at;
        // Bit 1 is always set; interrupts are on.
        0x202
            | bit(self.carry, 0)
            | bit(self.parity, 2)
            | bit(self.adjust, 4)
            | bit(self.zero, 6)
            | bit(self.sign, 7)
            | bit(self.trap, 8)
            | bit(self.direction, 10)
            | bit(self.overflow, 11)
    }

    /// As `popfd` loads them.
    pub(super) fn from_bits(bits: u32) -> Self {
        let bit = |at: u32| bits >> at & 1 == 1;
        Self {
            carry: bit(0),
            parity: bit(2),
            adjust: bit(4),
            zero: bit(6),
            sign: bit(7),
            trap: bit(8),
            direction: bit(10),
            overflow: bit(11),
        }
    }

    /// Sets the flags that follow from a result of `size` bytes.
    pub(super) fn set_result(&mut self, result: u32, size: usize) {
        let result = result & mask(size);
        self.zero = result == 0;
        self.sign = result & sign_bit(size) != 0;
        self.parity = (result & 0xff).count_ones().is_multiple_of(2);
    }
}

/// All bits of `size` bytes.
pub(super) fn mask(size: usize) -> u32 {
    match size {
        1 => 0xff,
        2 => 0xffff,
        _ => u32::MAX,
    }
}

/// The highest bit of `size` bytes.
pub(super) fn sign_bit(size: usize) -> u32 {
    mask(size) ^ (mask(size) >> 1)
}

/// `value` of `size` bytes with its sign carried to 32 bits.
pub(super) fn sign_extend(value: u32, size: usize) -> u32 {
    let value = value & mask(size);
    if value & sign_bit(size) == 0 { value } else { value | !mask(size) }
}

impl Registers {
    /// Registers of a thread that begins at `eip`.
    pub(super) fn new(eip: u32, fs: u32) -> Self {
        Self { eip, fs, ..Self::default() }
    }

    /// The value of a general register of any width, or of a segment register.
    pub(super) fn get(&self, register: Register) -> u32 {
        if register.is_segment_register() {
            return if register == Register::FS { 0x53 } else { 0x2b };
        }
        let (index, shift) = place(register);
        let value = self.general.get(index).copied().unwrap_or(0);
        value >> shift & mask(register.size())
    }

    /// Sets a general register of any width; segment registers cannot be set.
    pub(super) fn set(&mut self, register: Register, value: u32) {
        if register.is_segment_register() {
            return;
        }
        let (index, shift) = place(register);
        let kept = !(mask(register.size()) << shift);
        if let Some(slot) = self.general.get_mut(index) {
            *slot = *slot & kept | (value & mask(register.size())) << shift;
        }
    }
}

/// The 32-bit register that `register` is a part of, and how far it is shifted there.
fn place(register: Register) -> (usize, u32) {
    match register {
        Register::AH => (0, 8),
        Register::CH => (1, 8),
        Register::DH => (2, 8),
        Register::BH => (3, 8),
        _ => (register.number(), 0),
    }
}
