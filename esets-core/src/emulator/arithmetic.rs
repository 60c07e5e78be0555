//! Addition, multiplication, logic.

use iced_x86::{Instruction, Mnemonic, Register};

use super::operands::operand_size;
use super::registers::{mask, sign_bit, sign_extend};
use super::{Machine, Step, Trap, exception};

impl Machine {
    pub(super) fn arithmetic(&mut self, instruction: &Instruction) -> Step<()> {
        use Mnemonic as M;
        match instruction.mnemonic() {
            M::Add | M::Adc | M::Sub | M::Sbb | M::Cmp => self.sum(instruction),
            M::And | M::Or | M::Xor | M::Test => self.logic(instruction),
            M::Inc | M::Dec | M::Neg | M::Not => self.unary(instruction),
            M::Mul => self.multiply(instruction),
            M::Imul if instruction.op_count() > 1 => self.multiply_signed(instruction),
            M::Imul => self.multiply(instruction),
            M::Div | M::Idiv => self.divide(instruction),
            M::Cbw | M::Cwde | M::Cwd | M::Cdq => {
                self.widen(instruction.mnemonic());
                Ok(())
            }
            M::Xadd => {
                let first = self.operand(instruction, 0)?;
                let second = self.operand(instruction, 1)?;
                let sum = self.add(first, second, false, operand_size(instruction, 0));
                self.set_operand(instruction, 1, first)?;
                self.set_operand(instruction, 0, sum)
            }
            M::Cmpxchg => self.compare_exchange(instruction),
            M::Aam | M::Aad | M::Daa | M::Das | M::Aaa | M::Aas => self.decimal(instruction),
            _ => Err(Trap::Unknown),
        }
    }

    fn sum(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let first = self.operand(instruction, 0)?;
        let second = self.operand(instruction, 1)? & mask(size);
        let carry = self.registers.flags.carry;
        let result = match instruction.mnemonic() {
            Mnemonic::Add => self.add(first, second, false, size),
            Mnemonic::Adc => self.add(first, second, carry, size),
            Mnemonic::Sbb => self.subtract(first, second, carry, size),
            _ => self.subtract(first, second, false, size),
        };
        if instruction.mnemonic() == Mnemonic::Cmp {
            return Ok(());
        }
        self.set_operand(instruction, 0, result)
    }

    pub(super) fn add(&mut self, first: u32, second: u32, carry: bool, size: usize) -> u32 {
        let wide = u64::from(first).wrapping_add(second.into()).wrapping_add(carry.into());
        let result = first.wrapping_add(second).wrapping_add(carry.into()) & mask(size);
        let flags = &mut self.registers.flags;
        flags.carry = wide > u64::from(mask(size));
        flags.adjust = (first ^ second ^ result) & 0x10 != 0;
        flags.overflow = (first ^ result) & (second ^ result) & sign_bit(size) != 0;
        flags.set_result(result, size);
        result
    }

    pub(super) fn subtract(&mut self, first: u32, second: u32, borrow: bool, size: usize) -> u32 {
        let result = first.wrapping_sub(second).wrapping_sub(borrow.into()) & mask(size);
        let taken = u64::from(second).wrapping_add(borrow.into());
        let flags = &mut self.registers.flags;
        flags.carry = u64::from(first) < taken;
        flags.adjust = (first ^ second ^ result) & 0x10 != 0;
        flags.overflow = (first ^ second) & (first ^ result) & sign_bit(size) != 0;
        flags.set_result(result, size);
        result
    }

    fn logic(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let first = self.operand(instruction, 0)?;
        let second = self.operand(instruction, 1)? & mask(size);
        let result = match instruction.mnemonic() {
            Mnemonic::Or => first | second,
            Mnemonic::Xor => first ^ second,
            _ => first & second,
        };
        let flags = &mut self.registers.flags;
        (flags.carry, flags.overflow, flags.adjust) = (false, false, false);
        flags.set_result(result, size);
        if instruction.mnemonic() == Mnemonic::Test {
            return Ok(());
        }
        self.set_operand(instruction, 0, result)
    }

    fn unary(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let value = self.operand(instruction, 0)?;
        // `inc` and `dec` leave the carry flag alone.
        let carry = self.registers.flags.carry;
        let result = match instruction.mnemonic() {
            Mnemonic::Inc => self.add(value, 1, false, size),
            Mnemonic::Dec => self.subtract(value, 1, false, size),
            Mnemonic::Neg => self.subtract(0, value, false, size),
            _ => !value & mask(size),
        };
        if matches!(instruction.mnemonic(), Mnemonic::Inc | Mnemonic::Dec) {
            self.registers.flags.carry = carry;
        }
        self.set_operand(instruction, 0, result)
    }

    /// `mul` and `imul` with one operand: the accumulator, twice as wide.
    fn multiply(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let (low, high) = accumulator(size);
        let first = self.registers.get(low);
        let second = self.operand(instruction, 0)?;
        let bits = bits(size);
        let (product, fits) = if instruction.mnemonic() == Mnemonic::Imul {
            let product = signed(first, size).wrapping_mul(signed(second, size));
            (product.cast_unsigned(), product == signed(low_word(product.cast_unsigned()), size))
        } else {
            let product = u64::from(first).wrapping_mul(second.into());
            (product, product >> bits == 0)
        };
        let upper = low_word(product >> bits);
        self.registers.set(low, low_word(product));
        self.registers.set(high, upper);
        self.registers.flags.carry = !fits;
        self.registers.flags.overflow = !fits;
        Ok(())
    }

    /// `imul` with two or three operands.
    fn multiply_signed(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let last = instruction.op_count().saturating_sub(1);
        let first = self.operand(instruction, last.saturating_sub(1))?;
        let second = self.operand(instruction, last)?;
        let product = signed(first, size).wrapping_mul(signed(second, size));
        let result = low_word(product.cast_unsigned());
        let fits = product == signed(result, size);
        self.registers.flags.carry = !fits;
        self.registers.flags.overflow = !fits;
        self.set_operand(instruction, 0, result)
    }

    fn divide(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let (low, high) = accumulator(size);
        let bits = bits(size);
        let upper = u64::from(self.registers.get(high)) << bits;
        let dividend = upper | u64::from(self.registers.get(low));
        let divisor = self.operand(instruction, 0)?;
        let failure = Trap::Exception(exception::DIVIDE_ERROR);
        let (quotient, rest) = if instruction.mnemonic() == Mnemonic::Idiv {
            let shift = 64_u32.wrapping_sub(bits).wrapping_sub(bits);
            let dividend = (dividend << shift).cast_signed() >> shift;
            let divisor = signed(divisor, size);
            let quotient = dividend.checked_div(divisor).ok_or(failure)?;
            if quotient != signed(low_word(quotient.cast_unsigned()), size) {
                return Err(failure);
            }
            let rest = dividend.checked_rem(divisor).ok_or(failure)?;
            (quotient.cast_unsigned(), rest.cast_unsigned())
        } else {
            let quotient = dividend.checked_div(divisor.into()).ok_or(failure)?;
            if quotient > u64::from(mask(size)) {
                return Err(failure);
            }
            (quotient, dividend.checked_rem(divisor.into()).ok_or(failure)?)
        };
        self.registers.set(low, low_word(quotient));
        self.registers.set(high, low_word(rest));
        Ok(())
    }

    fn widen(&mut self, mnemonic: Mnemonic) {
        let eax = self.registers.get(Register::EAX);
        let spread = |value: u32, size: usize| {
            if value & sign_bit(size) == 0 { 0 } else { u32::MAX }
        };
        match mnemonic {
            Mnemonic::Cbw => self.registers.set(Register::AX, sign_extend(eax, 1)),
            Mnemonic::Cwde => self.registers.set(Register::EAX, sign_extend(eax, 2)),
            Mnemonic::Cwd => self.registers.set(Register::DX, spread(eax, 2)),
            _ => self.registers.set(Register::EDX, spread(eax, 4)),
        }
    }

    fn compare_exchange(&mut self, instruction: &Instruction) -> Step<()> {
        let size = operand_size(instruction, 0);
        let (accumulator, _) = accumulator(size);
        let old = self.operand(instruction, 0)?;
        let new = self.operand(instruction, 1)?;
        let expected = self.registers.get(accumulator);
        self.subtract(expected, old, false, size);
        if self.registers.flags.zero {
            return self.set_operand(instruction, 0, new);
        }
        self.registers.set(accumulator, old);
        Ok(())
    }

    /// `aam` and `aad`; the others are in no stub.
    fn decimal(&mut self, instruction: &Instruction) -> Step<()> {
        let base = u32::from(instruction.immediate8());
        let low = self.registers.get(Register::AL);
        let high = self.registers.get(Register::AH);
        match instruction.mnemonic() {
            Mnemonic::Aam => {
                let failure = Trap::Exception(exception::DIVIDE_ERROR);
                let quotient = low.checked_div(base).ok_or(failure)?;
                let rest = low.checked_rem(base).ok_or(failure)?;
                self.registers.set(Register::AH, quotient);
                self.registers.set(Register::AL, rest);
            }
            Mnemonic::Aad => {
                let value = low.wrapping_add(high.wrapping_mul(base));
                self.registers.set(Register::AX, value & 0xff);
            }
            _ => return Err(Trap::Unknown),
        }
        let result = self.registers.get(Register::AL);
        self.registers.flags.set_result(result, 1);
        Ok(())
    }
}

/// The lower and the upper half of the accumulator for operands of `size` bytes.
fn accumulator(size: usize) -> (Register, Register) {
    match size {
        1 => (Register::AL, Register::AH),
        2 => (Register::AX, Register::DX),
        _ => (Register::EAX, Register::EDX),
    }
}

fn signed(value: u32, size: usize) -> i64 {
    i64::from(sign_extend(value, size).cast_signed())
}

fn bits(size: usize) -> u32 {
    mask(size).count_ones()
}

/// The lower 32 bits.
fn low_word(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}
