//! String instructions, once or repeated.

use iced_x86::{Instruction, Mnemonic, Register};

use super::{Machine, Step, Trap};

impl Machine {
    /// One turn of a string instruction; a repeated one stays where it is until it is done, so
    /// that every turn counts as a step.
    pub(super) fn string(&mut self, instruction: &Instruction) -> Step<()> {
        let repeats = instruction.has_rep_prefix() || instruction.has_repne_prefix();
        if !repeats {
            return self.string_once(instruction);
        }
        let count = self.registers.get(Register::ECX);
        if count == 0 {
            return Ok(());
        }
        self.string_once(instruction)?;
        let count = count.wrapping_sub(1);
        self.registers.set(Register::ECX, count);
        let compares = matches!(kind(instruction.mnemonic()), Some(Kind::Compare | Kind::Scan));
        let goes_on = self.registers.flags.zero != instruction.has_repne_prefix();
        if count > 0 && (!compares || goes_on) {
            self.registers.eip = instruction.ip32();
        }
        Ok(())
    }

    fn string_once(&mut self, instruction: &Instruction) -> Step<()> {
        let (size, accumulator) = width(instruction.mnemonic());
        let kind = kind(instruction.mnemonic()).ok_or(Trap::Unknown)?;
        let source = self.registers.get(Register::ESI);
        let target = self.registers.get(Register::EDI);
        match kind {
            Kind::Move => {
                let value = self.memory.read(source, size)?;
                self.memory.write(target, size, value)?;
            }
            Kind::Store => self.memory.write(target, size, self.registers.get(accumulator))?,
            Kind::Load => {
                let value = self.memory.read(source, size)?;
                self.registers.set(accumulator, value);
            }
            Kind::Scan => {
                let value = self.memory.read(target, size)?;
                let first = self.registers.get(accumulator);
                self.subtract(first, value, false, size);
            }
            Kind::Compare => {
                let first = self.memory.read(source, size)?;
                let second = self.memory.read(target, size)?;
                self.subtract(first, second, false, size);
            }
        }
        let size = u32::try_from(size).map_err(|_| Trap::Unknown)?;
        if kind.has_source() {
            self.registers.set(Register::ESI, self.advance(source, size));
        }
        if kind.has_target() {
            self.registers.set(Register::EDI, self.advance(target, size));
        }
        Ok(())
    }

    fn advance(&self, address: u32, size: u32) -> u32 {
        if self.registers.flags.direction {
            address.wrapping_sub(size)
        } else {
            address.wrapping_add(size)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Compare,
    Load,
    Move,
    Scan,
    Store,
}

impl Kind {
    fn has_source(self) -> bool {
        matches!(self, Self::Compare | Self::Load | Self::Move)
    }

    fn has_target(self) -> bool {
        self != Self::Load
    }
}

/// What a string instruction does; those of ports are not known.
fn kind(mnemonic: Mnemonic) -> Option<Kind> {
    use Mnemonic as M;
    Some(match mnemonic {
        M::Movsb | M::Movsw | M::Movsd => Kind::Move,
        M::Stosb | M::Stosw | M::Stosd => Kind::Store,
        M::Lodsb | M::Lodsw | M::Lodsd => Kind::Load,
        M::Scasb | M::Scasw | M::Scasd => Kind::Scan,
        M::Cmpsb | M::Cmpsw | M::Cmpsd => Kind::Compare,
        _ => return None,
    })
}

fn width(mnemonic: Mnemonic) -> (usize, Register) {
    use Mnemonic as M;
    match mnemonic {
        M::Movsb | M::Stosb | M::Lodsb | M::Scasb | M::Cmpsb => (1, Register::AL),
        M::Movsw | M::Stosw | M::Lodsw | M::Scasw | M::Cmpsw => (2, Register::AX),
        _ => (4, Register::EAX),
    }
}
