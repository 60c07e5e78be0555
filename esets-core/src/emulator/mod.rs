//! A small 32-bit x86 machine that runs the stub of a packed program up to the program itself.
//!
//! It knows flat memory, integer instructions, structured exceptions and the few functions of
//! Windows that stubs call. There is no way out of it: it reads and writes its own memory only,
//! and every step is counted.

mod arithmetic;
mod bits;
mod exception;
mod execute;
mod loader;
mod memory;
mod operands;
mod registers;
mod stack;
mod string;
mod windows;

use iced_x86::{Decoder, DecoderOptions, Instruction};

use crate::executable::Executable;
use memory::Memory;
use registers::Registers;
use windows::Windows;

/// A program that has been unpacked in memory.
pub(crate) struct Snapshot {
    /// The image, from its base on.
    pub(crate) image: Vec<u8>,
    /// Where the program itself begins, relative to the base.
    pub(crate) entry: u32,
}

/// Why the machine does not do an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trap {
    /// An exception that the program may handle, by its Windows code.
    Exception(u32),
    /// Nothing that this machine knows; the run is over.
    Unknown,
}

type Step<T> = Result<T, Trap>;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The program did something that this machine does not do, as every program does at last.
    Done,
    /// The steps were used up, or many of them led to nothing.
    Exhausted,
}

/// The machine.
pub(crate) struct Machine {
    memory: Memory,
    registers: Registers,
    windows: Windows,
    cache: Vec<Decoded>,
    base: u32,
    /// Where the sections begin, in order; the headers are before the first.
    sections: Vec<u32>,
    /// The section in which the last instruction lay.
    section: Option<usize>,
    exceptions: Vec<exception::Raised>,
    raised: u32,
    snapshot: Option<Snapshot>,
    copied: u64,
}

/// An instruction, and what the memory around it was like when it was decoded.
#[derive(Clone, Copy, Default)]
struct Decoded {
    address: u32,
    version: u32,
    instruction: Instruction,
}

impl Machine {
    /// The most memory that a machine takes beside its image, in bytes.
    pub(crate) const OTHER_MEMORY: u64 = (windows::MAX_ALLOCATED as u64) + (1 << 20);

    /// How much memory the image of `executable` takes, if this machine can hold and run it.
    pub(crate) fn image_size(executable: &Executable) -> Option<u32> {
        loader::image_size(executable)
    }

    /// A machine with `file` loaded; `None` if it cannot be loaded.
    pub(crate) fn load(file: &[u8], executable: &Executable) -> Option<Self> {
        loader::load(file, executable)
    }

    /// Runs until the program leaves what this machine knows, or `fuel` refuses more steps.
    ///
    /// # Errors
    /// What `fuel` returned.
    pub(crate) fn run<E>(&mut self, mut fuel: impl FnMut() -> Result<u32, E>) -> Result<End, E> {
        loop {
            let steps = fuel()?;
            if steps == 0 {
                return Ok(End::Exhausted);
            }
            let writes = self.memory.writes();
            for _ in 0..steps {
                match self.step() {
                    Ok(()) => {}
                    Err(Trap::Exception(code)) if self.raise(code).is_ok() => {}
                    Err(_) => return Ok(End::Done),
                }
            }
            // Who unpacks writes.
            if self.memory.writes() == writes {
                return Ok(End::Exhausted);
            }
        }
    }

    /// The program as it was when control came to code that had been written, the last time.
    ///
    /// If it never came to that but much was written, the image as it is now.
    pub(crate) fn into_snapshot(mut self) -> Option<Snapshot> {
        if self.snapshot.is_none() && self.memory.take_written() >= MUCH_WRITTEN {
            let image = self.memory.region(self.base)?.to_vec();
            let entry = self.registers.eip.wrapping_sub(self.base);
            self.snapshot = Some(Snapshot { image, entry });
        }
        self.snapshot
    }

    /// One instruction, or one function of Windows.
    fn step(&mut self) -> Step<()> {
        let address = self.registers.eip;
        if self.windows.is_function(address) {
            return self.call_windows(address);
        }
        if address == exception::RETURN {
            return self.resume();
        }
        self.watch(address)?;
        let instruction = self.decode(address)?;
        self.registers.eip = instruction.next_ip32();
        let single_step = self.registers.flags.trap;
        if let Err(trap) = self.execute(&instruction) {
            // An exception shows the instruction that caused it.
            self.registers.eip = address;
            return Err(trap);
        }
        if single_step {
            self.registers.flags.trap = false;
            return Err(Trap::Exception(exception::SINGLE_STEP));
        }
        Ok(())
    }

    fn decode(&mut self, address: u32) -> Step<Instruction> {
        let version = self.memory.version(address);
        let slots = self.cache.len();
        let slot = usize::try_from(address).ok().and_then(|at| at.checked_rem(slots));
        let slot = slot.and_then(|slot| self.cache.get_mut(slot)).ok_or(Trap::Unknown)?;
        if slot.address == address && slot.version == version && !slot.instruction.is_invalid() {
            return Ok(slot.instruction);
        }
        let bytes = self.memory.code(address)?;
        let mut decoder = Decoder::with_ip(32, bytes, address.into(), DecoderOptions::NONE);
        let instruction = decoder.decode();
        if instruction.is_invalid() {
            return Err(Trap::Exception(exception::ILLEGAL_INSTRUCTION));
        }
        *slot = Decoded { address, version, instruction };
        Ok(instruction)
    }

    /// Takes a snapshot when control passes to another section, into code that was written.
    fn watch(&mut self, address: u32) -> Step<()> {
        let section = self.section_of(address);
        if section == self.section {
            return Ok(());
        }
        self.section = section;
        let fresh = self.memory.take_written();
        if section.is_none() || fresh < MIN_WRITTEN && !self.memory.is_written(address) {
            return Ok(());
        }
        let image = self.memory.region(self.base).ok_or(Trap::Unknown)?;
        self.copied = self.copied.saturating_add(image.len() as u64);
        if self.copied > MAX_COPIED {
            return Err(Trap::Unknown);
        }
        let entry = address.wrapping_sub(self.base);
        self.snapshot = Some(Snapshot { image: image.to_vec(), entry });
        Ok(())
    }

    /// The section of the image at `address`, 0 for the headers.
    fn section_of(&self, address: u32) -> Option<usize> {
        let rva = address.checked_sub(self.base)?;
        let image = self.memory.region(self.base)?;
        let is_inside = usize::try_from(rva).is_ok_and(|rva| rva < image.len());
        is_inside.then(|| self.sections.partition_point(|start| *start <= rva))
    }
}

/// How many writes to the image make a new one of it.
const MIN_WRITTEN: u32 = 64;
/// How many writes make the image worth a look even if the stub failed.
const MUCH_WRITTEN: u32 = 1024;
/// How many instructions are kept decoded.
const CACHE: usize = 4096;
/// The most bytes of snapshots in one run.
const MAX_COPIED: u64 = 256 << 20;
