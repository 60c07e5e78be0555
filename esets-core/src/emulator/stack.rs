//! What works on the stack.

use iced_x86::{Instruction, Mnemonic, Register};

use super::registers::Flags;
use super::{Machine, Step, Trap};

impl Machine {
    pub(super) fn stack(&mut self, instruction: &Instruction) -> Step<()> {
        match instruction.mnemonic() {
            Mnemonic::Push => {
                let value = self.operand(instruction, 0)?;
                let size = stack_size(instruction);
                self.push_sized(value, size)
            }
            Mnemonic::Pop => {
                let value = self.pop_sized(stack_size(instruction))?;
                self.set_operand(instruction, 0, value)
            }
            Mnemonic::Pushad => {
                let esp = self.registers.get(Register::ESP);
                for register in ALL {
                    let is_esp = register == Register::ESP;
                    self.push(if is_esp { esp } else { self.registers.get(register) })?;
                }
                Ok(())
            }
            Mnemonic::Popad => {
                for register in ALL.iter().rev() {
                    let value = self.pop()?;
                    if *register != Register::ESP {
                        self.registers.set(*register, value);
                    }
                }
                Ok(())
            }
            Mnemonic::Pushf => self.push_sized(self.registers.flags.to_bits(), 2),
            Mnemonic::Popf => {
                self.registers.flags = Flags::from_bits(self.pop_sized(2)?);
                Ok(())
            }
            Mnemonic::Pushfd => self.push(self.registers.flags.to_bits()),
            Mnemonic::Popfd => {
                self.registers.flags = Flags::from_bits(self.pop()?);
                Ok(())
            }
            Mnemonic::Leave => {
                self.registers.set(Register::ESP, self.registers.get(Register::EBP));
                let value = self.pop()?;
                self.registers.set(Register::EBP, value);
                Ok(())
            }
            _ => self.enter(instruction),
        }
    }

    /// `enter` without nested frames, which no compiler uses.
    fn enter(&mut self, instruction: &Instruction) -> Step<()> {
        if instruction.immediate8_2nd() != 0 {
            return Err(Trap::Unknown);
        }
        self.push(self.registers.get(Register::EBP))?;
        let esp = self.registers.get(Register::ESP);
        self.registers.set(Register::EBP, esp);
        let room = u32::from(instruction.immediate16());
        self.registers.set(Register::ESP, esp.wrapping_sub(room));
        Ok(())
    }

    pub(super) fn push(&mut self, value: u32) -> Step<()> {
        self.push_sized(value, 4)
    }

    pub(super) fn pop(&mut self) -> Step<u32> {
        self.pop_sized(4)
    }

    fn push_sized(&mut self, value: u32, size: usize) -> Step<()> {
        let esp = self.registers.get(Register::ESP);
        let esp = esp.wrapping_sub(if size == 2 { 2 } else { 4 });
        self.memory.write(esp, size, value)?;
        self.registers.set(Register::ESP, esp);
        Ok(())
    }

    fn pop_sized(&mut self, size: usize) -> Step<u32> {
        let esp = self.registers.get(Register::ESP);
        let value = self.memory.read(esp, size)?;
        self.registers.set(Register::ESP, esp.wrapping_add(if size == 2 { 2 } else { 4 }));
        Ok(value)
    }
}

/// How many bytes `push` and `pop` move.
fn stack_size(instruction: &Instruction) -> usize {
    if instruction.stack_pointer_increment().unsigned_abs() == 2 { 2 } else { 4 }
}

/// In the order of `pushad`.
const ALL: [Register; 8] = [
    Register::EAX,
    Register::ECX,
    Register::EDX,
    Register::EBX,
    Register::ESP,
    Register::EBP,
    Register::ESI,
    Register::EDI,
];
