//! Loads a PE32 file as Windows does, and sets up the first thread.

use iced_x86::Register;

use super::memory::Memory;
use super::registers::Registers;
use super::windows::{self, KERNEL, Windows};
use super::{CACHE, Decoded, Machine, Step, Trap};
use crate::executable::{Executable, ExecutableKind};

/// How much memory the image takes, if it is a program for this machine.
pub(super) fn image_size(executable: &Executable) -> Option<u32> {
    let is_ours = executable.kind == ExecutableKind::Pe32 && executable.machine == I386;
    let stated = u64::from(executable.image.as_ref()?.size);
    let ends = executable.sections.iter();
    let ends = ends.map(|section| section.rva.saturating_add(section.virtual_size));
    let size = ends.max().unwrap_or(0).max(stated).max(MIN_IMAGE);
    let size = u32::try_from(size).ok()?.checked_next_multiple_of(0x1000)?;
    let base = u32::try_from(executable.image_base).ok()?;
    let is_free = base >= 0x1_0000 && base.checked_add(size)? <= LOWEST_OTHER;
    (is_ours && size <= MAX_IMAGE && is_free).then_some(size)
}

pub(super) fn load(file: &[u8], executable: &Executable) -> Option<Machine> {
    let size = image_size(executable)?;
    let base = u32::try_from(executable.image_base).ok()?;
    let entry = u32::try_from(executable.entry_point?.rva).ok()?;
    let mut memory = Memory::new();
    memory.map(base, image(file, executable, size)?, true);
    memory.map(STACK, vec![0; STACK_SIZE], false);
    memory.map(THREAD, vec![0; THREAD_SIZE], false);
    let mut windows = Windows::new(file);
    memory.map(KERNEL, windows::kernel(&mut windows)?, false);
    let mut sections: Vec<_> =
        executable.sections.iter().filter_map(|section| u32::try_from(section.rva).ok()).collect();
    sections.sort_unstable();
    let registers = Registers::new(base.checked_add(entry)?, THREAD);
    let mut machine = Machine {
        memory,
        registers,
        windows,
        cache: vec![Decoded::default(); CACHE],
        base,
        sections,
        section: None,
        exceptions: Vec::new(),
        raised: 0,
        snapshot: None,
        copied: 0,
    };
    machine.section = machine.section_of(machine.registers.eip);
    machine.start_thread().ok()?;
    let imports = executable.image.as_ref()?.directories.get(1)?.rva;
    // A table that ends in nonsense is used as far as it goes.
    let _ = machine.bind(imports);
    machine.memory.take_written();
    Some(machine)
}

/// Headers and sections, each at its place.
fn image(file: &[u8], executable: &Executable, size: u32) -> Option<Vec<u8>> {
    let mut image = vec![0; usize::try_from(size).ok()?];
    let headers = usize::try_from(executable.image.as_ref()?.mapped_headers).ok()?;
    let headers = file.get(..headers.min(file.len()))?;
    image.iter_mut().zip(headers).for_each(|(to, from)| *to = *from);
    for section in &executable.sections {
        let start = usize::try_from(section.rva).ok()?;
        let bytes = section.bytes(file);
        let length = usize::try_from(section.virtual_size).ok()?;
        let bytes = bytes.get(..length).unwrap_or(bytes);
        let place = image.get_mut(start..).unwrap_or_default();
        place.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    Some(image)
}

impl Machine {
    /// The blocks that `fs` leads to, and a stack.
    fn start_thread(&mut self) -> Step<()> {
        let top = STACK.wrapping_add(STACK_TOP);
        let process = THREAD.wrapping_add(PROCESS);
        for (at, value) in [
            (0, u32::MAX), // no exception handler
            (4, top),
            (8, STACK),
            (0x18, THREAD),
            (0x20, 0x4d2), // process
            (0x24, 0x4d6), // thread
            (0x30, process),
            (PROCESS.wrapping_add(8), self.base),
            (PROCESS.wrapping_add(12), THREAD.wrapping_add(LOADER)),
        ] {
            self.memory.write(THREAD.wrapping_add(at), 4, value)?;
        }
        self.list_modules()?;
        self.registers.set(Register::ESP, top);
        self.registers.set(Register::EBP, top.wrapping_add(0x28));
        self.registers.set(Register::EBX, process);
        let exit = self.windows.address_of(b"ExitThread").ok_or(Trap::Unknown)?;
        self.push(exit)
    }

    /// The loader's lists of modules: the program, then `kernel32.dll`.
    fn list_modules(&mut self) -> Step<()> {
        let entries = [LOADER.wrapping_add(0x100), LOADER.wrapping_add(0x200)];
        let bases = [self.base, KERNEL];
        // Each entry is in three lists, whose links lie one after the other in head and entry.
        for list in [0, 8, 16] {
            let head = THREAD.wrapping_add(LOADER).wrapping_add(12).wrapping_add(list);
            let [first, second] = entries.map(|at| THREAD.wrapping_add(at).wrapping_add(list));
            for (from, to) in [(head, first), (first, second), (second, head)] {
                self.memory.write(from, 4, to)?;
                self.memory.write(to.wrapping_add(4), 4, from)?;
            }
        }
        for (entry, base) in entries.into_iter().zip(bases) {
            self.memory.write(THREAD.wrapping_add(entry).wrapping_add(0x18), 4, base)?;
        }
        Ok(())
    }

    /// Fills the import address tables.
    fn bind(&mut self, directory: u32) -> Step<()> {
        if directory == 0 {
            return Ok(());
        }
        let mut descriptor = self.base.wrapping_add(directory);
        for _ in 0..MAX_LIBRARIES {
            let lookup = self.memory.read(descriptor, 4)?;
            let name = self.memory.read(descriptor.wrapping_add(12), 4)?;
            let addresses = self.memory.read(descriptor.wrapping_add(16), 4)?;
            if name == 0 || addresses == 0 {
                return Ok(());
            }
            let names = if lookup == 0 { addresses } else { lookup };
            self.bind_library(self.base.wrapping_add(names), self.base.wrapping_add(addresses))?;
            descriptor = descriptor.wrapping_add(20);
        }
        Ok(())
    }

    fn bind_library(&mut self, names: u32, addresses: u32) -> Step<()> {
        for index in 0..MAX_FUNCTIONS {
            let distance = index.wrapping_mul(4);
            let thunk = self.memory.read(names.wrapping_add(distance), 4)?;
            if thunk == 0 {
                return Ok(());
            }
            let name = if thunk >> 31 == 1 {
                format!("#{}", thunk & 0xffff).into_bytes()
            } else {
                self.memory.text(self.base.wrapping_add(thunk).wrapping_add(2))?
            };
            let address = self.windows.address_of(&name).ok_or(Trap::Unknown)?;
            self.memory.write(addresses.wrapping_add(distance), 4, address)?;
        }
        Ok(())
    }
}

const I386: u32 = 0x14c;
/// The smallest and the largest image, in bytes.
const MIN_IMAGE: u64 = 0x1000;
const MAX_IMAGE: u32 = 32 << 20;
/// Where everything but the image begins.
const LOWEST_OTHER: u32 = 0x5000_0000;
const STACK: u32 = 0x5000_0000;
const STACK_SIZE: usize = 0x4_0000;
/// Where the stack pointer begins, with room above for what a thread finds there.
const STACK_TOP: u32 = 0x3_f000;
/// The blocks of thread and process.
const THREAD: u32 = 0x5800_0000;
const THREAD_SIZE: usize = 0x2000;
const PROCESS: u32 = 0x1000;
/// Where the loader's lists lie in the same memory.
const LOADER: u32 = 0x1800;
const MAX_LIBRARIES: u32 = 256;
const MAX_FUNCTIONS: u32 = 4096;
