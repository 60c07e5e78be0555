//! Structured exceptions: stubs raise them on purpose to confuse those who watch.

use iced_x86::Register;

use super::registers::Flags;
use super::{Machine, Step, Trap};

pub(super) const ACCESS_VIOLATION: u32 = 0xc000_0005;
pub(super) const BREAKPOINT: u32 = 0x8000_0003;
pub(super) const DIVIDE_ERROR: u32 = 0xc000_0094;
pub(super) const ILLEGAL_INSTRUCTION: u32 = 0xc000_001d;
pub(super) const PRIVILEGED_INSTRUCTION: u32 = 0xc000_0096;
pub(super) const SINGLE_STEP: u32 = 0x8000_0004;

/// The address that handlers return to.
pub(super) const RETURN: u32 = 0x7ff0_0000;

/// An exception whose handler runs.
pub(super) struct Raised {
    /// Where the registers are stored.
    context: u32,
    /// The handler of the system.
    guard: u32,
}

impl Machine {
    /// Calls the program's handler for an exception, as the system does.
    pub(super) fn raise(&mut self, code: u32) -> Step<()> {
        self.raised = self.raised.saturating_add(1);
        if self.raised > MAX_EXCEPTIONS {
            return Err(Trap::Unknown);
        }
        let (frame, handler) = self.handler()?;
        let esp = self.registers.get(Register::ESP);
        let context = esp.wrapping_sub(CONTEXT_SIZE) & !15;
        let record = context.wrapping_sub(RECORD_SIZE);
        self.save(context)?;
        for (at, value) in [(0, code), (4, 0), (8, 0), (12, self.registers.eip), (16, 0)] {
            self.memory.write(record.wrapping_add(at), 4, value)?;
        }
        // The system guards its call by a handler of its own, and stubs look behind it.
        let guard = record.wrapping_sub(8);
        self.memory.write(guard, 4, frame)?;
        self.memory.write(guard.wrapping_add(4), 4, RETURN)?;
        self.memory.write(self.registers.fs, 4, guard)?;
        self.registers.set(Register::ESP, guard);
        for argument in [0, context, frame, record, RETURN] {
            self.push(argument)?;
        }
        self.exceptions.push(Raised { context, guard });
        self.registers.flags = Flags::default();
        self.registers.eip = handler;
        Ok(())
    }

    /// The frame and the address of the nearest handler of the program.
    fn handler(&mut self) -> Step<(u32, u32)> {
        let mut frame = self.memory.read(self.registers.fs, 4)?;
        for _ in 0..MAX_NESTED {
            let handler = self.memory.read(frame.wrapping_add(4), 4)?;
            if handler != RETURN {
                return Ok((frame, handler));
            }
            frame = self.memory.read(frame, 4)?;
        }
        Err(Trap::Unknown)
    }

    /// A handler has returned: goes on where it says.
    pub(super) fn resume(&mut self) -> Step<()> {
        let Raised { context, guard } = self.exceptions.pop().ok_or(Trap::Unknown)?;
        if self.registers.get(Register::EAX) != 0 {
            return Err(Trap::Unknown);
        }
        if self.memory.read(self.registers.fs, 4)? == guard {
            let frame = self.memory.read(guard, 4)?;
            self.memory.write(self.registers.fs, 4, frame)?;
        }
        for (register, at) in GENERAL {
            let value = self.memory.read(context.wrapping_add(at), 4)?;
            self.registers.set(register, value);
        }
        self.registers.eip = self.memory.read(context.wrapping_add(EIP), 4)?;
        let flags = self.memory.read(context.wrapping_add(EFLAGS), 4)?;
        self.registers.flags = Flags::from_bits(flags);
        Ok(())
    }

    /// Stores the registers as a `CONTEXT`.
    fn save(&mut self, context: u32) -> Step<()> {
        for at in (0..CONTEXT_SIZE).step_by(4) {
            self.memory.write(context.wrapping_add(at), 4, 0)?;
        }
        self.memory.write(context, 4, CONTEXT_FULL)?;
        for (register, at) in GENERAL {
            let value = self.registers.get(register);
            self.memory.write(context.wrapping_add(at), 4, value)?;
        }
        self.memory.write(context.wrapping_add(EIP), 4, self.registers.eip)?;
        self.memory.write(context.wrapping_add(EFLAGS), 4, self.registers.flags.to_bits())
    }
}

/// Where the registers lie in a `CONTEXT`.
const GENERAL: [(Register, u32); 8] = [
    (Register::EDI, 0x9c),
    (Register::ESI, 0xa0),
    (Register::EBX, 0xa4),
    (Register::EDX, 0xa8),
    (Register::ECX, 0xac),
    (Register::EAX, 0xb0),
    (Register::EBP, 0xb4),
    (Register::ESP, 0xc4),
];
const EIP: u32 = 0xb8;
const EFLAGS: u32 = 0xc0;
const CONTEXT_FULL: u32 = 0x1_0007;
/// The size of a `CONTEXT`, rounded up.
const CONTEXT_SIZE: u32 = 0x2d0;
/// The size of an `EXCEPTION_RECORD`, rounded up.
const RECORD_SIZE: u32 = 0x60;
/// The most handlers that run at a time.
const MAX_NESTED: u32 = 16;
/// The most exceptions in one run.
const MAX_EXCEPTIONS: u32 = 10_000;
