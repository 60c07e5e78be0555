//! What each instruction does, but for arithmetic and strings.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::operands::operand_size;
use super::registers::{Flags, sign_extend};
use super::{Machine, Step, Trap, exception};

impl Machine {
    pub(super) fn execute(&mut self, instruction: &Instruction) -> Step<()> {
        use Mnemonic as M;
        match instruction.mnemonic() {
            M::Mov | M::Movzx => {
                let value = self.operand(instruction, 1)?;
                self.set_operand(instruction, 0, value)
            }
            M::Movsx => {
                let value = self.operand(instruction, 1)?;
                let value = sign_extend(value, operand_size(instruction, 1));
                self.set_operand(instruction, 0, value)
            }
            M::Lea => {
                let address = self.offset(instruction);
                self.set_operand(instruction, 0, address)
            }
            M::Xchg => self.exchange(instruction),
            _ if instruction.is_jcc_short_or_near() => {
                if self.condition(instruction) {
                    self.registers.eip = instruction.near_branch32();
                }
                Ok(())
            }
            _ => self.execute_control(instruction),
        }
    }

    fn execute_control(&mut self, instruction: &Instruction) -> Step<()> {
        use Mnemonic as M;
        match instruction.mnemonic() {
            M::Push
            | M::Pop
            | M::Popf
            | M::Pushf
            | M::Pushad
            | M::Popad
            | M::Pushfd
            | M::Popfd
            | M::Leave
            | M::Enter => self.stack(instruction),
            M::Jmp | M::Call | M::Ret | M::Loop | M::Loope | M::Loopne | M::Jecxz | M::Jcxz => {
                self.branch(instruction)
            }
            M::Clc | M::Stc | M::Cmc | M::Cld | M::Std | M::Lahf | M::Sahf | M::Salc => {
                self.flag(instruction.mnemonic())
            }
            M::Nop | M::Pause | M::Wait | M::Fnop | M::Fninit | M::Fnclex | M::Emms => Ok(()),
            M::Cpuid
            | M::Rdtsc
            | M::Int3
            | M::Int1
            | M::Int
            | M::Into
            | M::Hlt
            | M::Cli
            | M::Sti
            | M::In
            | M::Out => self.system(instruction),
            _ => self.execute_data(instruction),
        }
    }

    fn execute_data(&mut self, instruction: &Instruction) -> Step<()> {
        use Mnemonic as M;
        match instruction.mnemonic() {
            M::Bt
            | M::Bts
            | M::Btr
            | M::Btc
            | M::Bsf
            | M::Bsr
            | M::Bswap
            | M::Rol
            | M::Ror
            | M::Rcl
            | M::Rcr
            | M::Shl
            | M::Sal
            | M::Shr
            | M::Sar
            | M::Shld
            | M::Shrd
            | M::Xlatb => self.bits(instruction),
            _ if instruction.is_string_instruction() => self.string(instruction),
            _ if is_conditional(instruction) => self.conditional(instruction),
            _ => self.arithmetic(instruction),
        }
    }

    fn conditional(&mut self, instruction: &Instruction) -> Step<()> {
        let holds = self.condition(instruction);
        if instruction.op_count() == 1 {
            return self.set_operand(instruction, 0, u32::from(holds));
        }
        let value = self.operand(instruction, 1)?;
        if holds { self.set_operand(instruction, 0, value) } else { Ok(()) }
    }

    fn condition(&self, instruction: &Instruction) -> bool {
        use iced_x86::ConditionCode as C;
        let Flags { carry, parity, zero, sign, overflow, .. } = self.registers.flags;
        match instruction.condition_code() {
            C::o => overflow,
            C::no => !overflow,
            C::b => carry,
            C::ae => !carry,
            C::e => zero,
            C::ne => !zero,
            C::be => carry || zero,
            C::a => !carry && !zero,
            C::s => sign,
            C::ns => !sign,
            C::p => parity,
            C::np => !parity,
            C::l => sign != overflow,
            C::ge => sign == overflow,
            C::le => zero || sign != overflow,
            C::g => !zero && sign == overflow,
            C::None => true,
        }
    }

    fn exchange(&mut self, instruction: &Instruction) -> Step<()> {
        let first = self.operand(instruction, 0)?;
        let second = self.operand(instruction, 1)?;
        self.set_operand(instruction, 0, second)?;
        self.set_operand(instruction, 1, first)
    }

    fn branch(&mut self, instruction: &Instruction) -> Step<()> {
        match instruction.mnemonic() {
            Mnemonic::Jmp => self.registers.eip = self.target(instruction)?,
            Mnemonic::Call => {
                let target = self.target(instruction)?;
                self.push(instruction.next_ip32())?;
                self.registers.eip = target;
            }
            Mnemonic::Ret => {
                self.registers.eip = self.pop()?;
                let more = if instruction.op_count() == 1 { instruction.immediate16() } else { 0 };
                let esp = self.registers.get(Register::ESP);
                self.registers.set(Register::ESP, esp.wrapping_add(more.into()));
            }
            Mnemonic::Jecxz if self.registers.get(Register::ECX) == 0 => {
                self.registers.eip = instruction.near_branch32();
            }
            Mnemonic::Jcxz if self.registers.get(Register::CX) == 0 => {
                self.registers.eip = instruction.near_branch32();
            }
            Mnemonic::Jecxz | Mnemonic::Jcxz => {}
            repeat => {
                let count = self.registers.get(Register::ECX).wrapping_sub(1);
                self.registers.set(Register::ECX, count);
                let holds = match repeat {
                    Mnemonic::Loope => self.registers.flags.zero,
                    Mnemonic::Loopne => !self.registers.flags.zero,
                    _ => true,
                };
                if count != 0 && holds {
                    self.registers.eip = instruction.near_branch32();
                }
            }
        }
        Ok(())
    }

    /// Where a jump or call leads.
    fn target(&mut self, instruction: &Instruction) -> Step<u32> {
        match instruction.op0_kind() {
            OpKind::NearBranch32 | OpKind::NearBranch16 => Ok(instruction.near_branch32()),
            OpKind::Register | OpKind::Memory => self.operand(instruction, 0),
            _ => Err(Trap::Unknown),
        }
    }

    fn flag(&mut self, mnemonic: Mnemonic) -> Step<()> {
        let flags = &mut self.registers.flags;
        match mnemonic {
            Mnemonic::Clc => flags.carry = false,
            Mnemonic::Stc => flags.carry = true,
            Mnemonic::Cmc => flags.carry = !flags.carry,
            Mnemonic::Cld => flags.direction = false,
            Mnemonic::Std => flags.direction = true,
            Mnemonic::Lahf => {
                let bits = flags.to_bits() & 0xd7;
                self.registers.set(Register::AH, bits);
            }
            Mnemonic::Sahf => {
                let kept = flags.to_bits() & !0xd5;
                let bits = self.registers.get(Register::AH) & 0xd5;
                self.registers.flags = Flags::from_bits(kept | bits);
            }
            _ => {
                let value = if flags.carry { 0xff } else { 0 };
                self.registers.set(Register::AL, value);
            }
        }
        Ok(())
    }

    fn system(&mut self, instruction: &Instruction) -> Step<()> {
        match instruction.mnemonic() {
            Mnemonic::Cpuid => {
                // A processor without any extension.
                for (register, value) in [
                    (Register::EAX, 0x0f4a),
                    (Register::EBX, 0),
                    (Register::ECX, 0),
                    (Register::EDX, 1),
                ] {
                    self.registers.set(register, value);
                }
                Ok(())
            }
            Mnemonic::Rdtsc => {
                // Time passes slowly, so that nothing seems to take long.
                let ticks = self.windows.tick();
                self.registers.set(Register::EAX, ticks);
                self.registers.set(Register::EDX, 0);
                Ok(())
            }
            Mnemonic::Int3 => Err(Trap::Exception(exception::BREAKPOINT)),
            Mnemonic::Int1 => Err(Trap::Exception(exception::SINGLE_STEP)),
            Mnemonic::Into if !self.registers.flags.overflow => Ok(()),
            Mnemonic::Int if instruction.immediate8() == 3 => {
                Err(Trap::Exception(exception::BREAKPOINT))
            }
            Mnemonic::Int => Err(Trap::Exception(exception::ACCESS_VIOLATION)),
            _ => Err(Trap::Exception(exception::PRIVILEGED_INSTRUCTION)),
        }
    }
}

/// Whether it is `setcc` or `cmovcc`.
fn is_conditional(instruction: &Instruction) -> bool {
    instruction.condition_code() != iced_x86::ConditionCode::None
}
