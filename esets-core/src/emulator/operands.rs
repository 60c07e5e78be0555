//! What an instruction reads and writes.

use iced_x86::{Instruction, OpKind, Register};

use super::registers::{mask, sign_extend};
use super::{Machine, Step, Trap};

impl Machine {
    /// The value of an operand.
    pub(super) fn operand(&mut self, instruction: &Instruction, operand: u32) -> Step<u32> {
        match instruction.op_kind(operand) {
            OpKind::Register => Ok(self.registers.get(instruction.op_register(operand))),
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.memory.read(address, operand_size(instruction, operand))
            }
            OpKind::Immediate8 => Ok(instruction.immediate8().into()),
            OpKind::Immediate8_2nd => Ok(instruction.immediate8_2nd().into()),
            OpKind::Immediate16 => Ok(instruction.immediate16().into()),
            OpKind::Immediate32 => Ok(instruction.immediate32()),
            OpKind::Immediate8to16 => Ok(sign_extend(instruction.immediate8().into(), 1) & mask(2)),
            OpKind::Immediate8to32 => Ok(sign_extend(instruction.immediate8().into(), 1)),
            _ => Err(Trap::Unknown),
        }
    }

    pub(super) fn set_operand(
        &mut self,
        instruction: &Instruction,
        operand: u32,
        value: u32,
    ) -> Step<()> {
        match instruction.op_kind(operand) {
            OpKind::Register => {
                self.registers.set(instruction.op_register(operand), value);
                Ok(())
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.memory.write(address, operand_size(instruction, operand), value)
            }
            _ => Err(Trap::Unknown),
        }
    }

    /// The address of the memory operand.
    pub(super) fn address(&self, instruction: &Instruction) -> Step<u32> {
        let segment = match instruction.memory_segment() {
            Register::FS => self.registers.fs,
            Register::GS => return Err(Trap::Unknown),
            _ => 0,
        };
        Ok(self.offset(instruction).wrapping_add(segment))
    }

    /// The address of the memory operand, in its segment.
    pub(super) fn offset(&self, instruction: &Instruction) -> u32 {
        let value = |register: Register| {
            if register == Register::None { 0 } else { self.registers.get(register) }
        };
        let index = value(instruction.memory_index());
        let index = index.wrapping_mul(instruction.memory_index_scale());
        let sum = value(instruction.memory_base()).wrapping_add(index);
        let sum = sum.wrapping_add(instruction.memory_displacement32());
        let is_short = instruction.memory_base().size() == 2;
        if is_short { sum & mask(2) } else { sum }
    }
}

/// How many bytes an operand has.
pub(super) fn operand_size(instruction: &Instruction, operand: u32) -> usize {
    match instruction.op_kind(operand) {
        OpKind::Register => instruction.op_register(operand).size(),
        OpKind::Memory => instruction.memory_size().size(),
        _ => 4,
    }
}
