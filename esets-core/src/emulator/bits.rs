//! Shifts, rotations and single bits.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::operands::operand_size;
use super::registers::{mask, sign_bit, sign_extend};
use super::{Machine, Step};

impl Machine {
    pub(super) fn bits(&mut self, instruction: &Instruction) -> Step<()> {
        use Mnemonic as M;
        match instruction.mnemonic() {
            M::Shl | M::Sal | M::Shr | M::Sar => self.shift(instruction),
            M::Rol | M::Ror => self.rotate(instruction),
            M::Rcl | M::Rcr => self.rotate_through_carry(instruction),
            M::Shld | M::Shrd => self.shift_double(instruction),
            M::Bsf | M::Bsr => self.scan_bits(instruction),
            M::Bswap => {
                let value = self.operand(instruction, 0)?;
                self.set_operand(instruction, 0, value.swap_bytes())
            }
            M::Xlatb => {
                let table = self.registers.get(Register::EBX);
                let index = self.registers.get(Register::AL);
                let value = self.memory.read(table.wrapping_add(index), 1)?;
                self.registers.set(Register::AL, value);
                Ok(())
            }
            _ => self.test_bit(instruction),
        }
    }

    fn shift(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let value = self.operand(instruction, 0)?;
        let count = self.operand(instruction, 1)? & 31;
        if count == 0 {
            return Ok(());
        }
        let before = count.wrapping_sub(1);
        let (result, carry) = match instruction.mnemonic() {
            Mnemonic::Shr => (value >> count, value >> before & 1 == 1),
            Mnemonic::Sar => {
                let wide = sign_extend(value, size).cast_signed();
                ((wide >> count).cast_unsigned(), wide >> before & 1 == 1)
            }
            _ => (value << count, value << before & sign_bit(size) != 0),
        };
        let result = result & mask(size);
        let flags = &mut self.registers.flags;
        flags.carry = carry;
        flags.overflow = match instruction.mnemonic() {
            Mnemonic::Shr => value & sign_bit(size) != 0,
            Mnemonic::Sar => false,
            _ => (result & sign_bit(size) != 0) != carry,
        };
        flags.set_result(result, size);
        self.set_operand(instruction, 0, result)
    }

    fn rotate(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let value = self.operand(instruction, 0)?;
        let count = self.operand(instruction, 1)? & 31;
        if count == 0 {
            return Ok(());
        }
        let is_left = instruction.mnemonic() == Mnemonic::Rol;
        let result = match size {
            1 => {
                let value = value.to_le_bytes()[0];
                u32::from(if is_left {
                    value.rotate_left(count)
                } else {
                    value.rotate_right(count)
                })
            }
            2 => {
                let [low, high, ..] = value.to_le_bytes();
                let value = u16::from_le_bytes([low, high]);
                u32::from(if is_left {
                    value.rotate_left(count)
                } else {
                    value.rotate_right(count)
                })
            }
            _ if is_left => value.rotate_left(count),
            _ => value.rotate_right(count),
        };
        let is_top = result & sign_bit(size) != 0;
        let flags = &mut self.registers.flags;
        flags.carry = if is_left { result & 1 == 1 } else { is_top };
        flags.overflow = if is_left {
            is_top != flags.carry
        } else {
            is_top != (result & sign_bit(size) >> 1 != 0)
        };
        self.set_operand(instruction, 0, result)
    }

    fn rotate_through_carry(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let mut value = self.operand(instruction, 0)?;
        let count = self.operand(instruction, 1)? & 31;
        let top = sign_bit(size);
        for _ in 0..count {
            let carry = self.registers.flags.carry;
            if instruction.mnemonic() == Mnemonic::Rcl {
                self.registers.flags.carry = value & top != 0;
                value = (value << 1 | u32::from(carry)) & mask(size);
                self.registers.flags.overflow = (value & top != 0) != self.registers.flags.carry;
            } else {
                self.registers.flags.overflow = (value & top != 0) != carry;
                self.registers.flags.carry = value & 1 == 1;
                value = value >> 1 | if carry { top } else { 0 };
            }
        }
        self.set_operand(instruction, 0, value)
    }

    fn shift_double(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let bits = mask(size).count_ones();
        let first = self.operand(instruction, 0)?;
        let second = self.operand(instruction, 1)?;
        let count = self.operand(instruction, 2)? & 31;
        if count == 0 || count > bits {
            return Ok(());
        }
        let rest = bits.wrapping_sub(count);
        let before = count.wrapping_sub(1);
        let (result, carry) = if instruction.mnemonic() == Mnemonic::Shld {
            let low = second.checked_shr(rest).unwrap_or(0);
            (first << count | low, first << before & sign_bit(size) != 0)
        } else {
            let high = second.checked_shl(rest).unwrap_or(0);
            (first >> count | high, first >> before & 1 == 1)
        };
        let result = result & mask(size);
        let flags = &mut self.registers.flags;
        flags.carry = carry;
        flags.overflow = (first ^ result) & sign_bit(size) != 0;
        flags.set_result(result, size);
        self.set_operand(instruction, 0, result)
    }

    fn scan_bits(&mut self, instruction: &Instruction) -> Step<()> {
        let value = self.operand(instruction, 1)?;
        self.registers.flags.zero = value == 0;
        if value == 0 {
            return Ok(());
        }
        let position = if instruction.mnemonic() == Mnemonic::Bsf {
            value.trailing_zeros()
        } else {
            value.leading_zeros() ^ 31
        };
        self.set_operand(instruction, 0, position)
    }

    /// `bt`, `bts`, `btr`, `btc`; in memory, a register may name a bit far away.
    fn test_bit(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let bits = mask(size).count_ones();
        let position = self.operand(instruction, 1)?;
        let bit = 1 << (position & bits.wrapping_sub(1));
        let is_far =
            instruction.op0_kind() == OpKind::Memory && instruction.op1_kind() == OpKind::Register;
        let address = if is_far {
            let words = sign_extend(position, size).cast_signed() >> bits.trailing_zeros();
            let bytes = words.cast_unsigned().wrapping_mul(bits >> 3);
            Some(self.address(instruction)?.wrapping_add(bytes))
        } else {
            None
        };
        let value = match address {
            Some(address) => self.memory.read(address, size)?,
            None => self.operand(instruction, 0)?,
        };
        self.registers.flags.carry = value & bit != 0;
        let result = match instruction.mnemonic() {
            Mnemonic::Bts => value | bit,
            Mnemonic::Btr => value & !bit,
            Mnemonic::Btc => value ^ bit,
            _ => return Ok(()),
        };
        match address {
            Some(address) => self.memory.write(address, size, result),
            None => self.set_operand(instruction, 0, result),
        }
    }
}
