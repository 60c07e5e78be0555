//! The few functions of Windows that stubs call.

mod files;
mod library;

use std::collections::HashMap;

use iced_x86::Register;

use super::{Machine, Step, Trap};
use library::headers;
pub(super) use library::kernel;

/// The libraries and functions that the program knows, and the memory it got.
#[derive(Default)]
pub(super) struct Windows {
    /// Names in the order of their addresses.
    functions: Vec<Vec<u8>>,
    by_name: HashMap<Vec<u8>, u32>,
    libraries: HashMap<Vec<u8>, u32>,
    allocated: u32,
    ticks: u32,
    /// The program's own file, which some stubs check, and how far it was read.
    file: Vec<u8>,
    position: usize,
}

impl Windows {
    /// Windows for a program that lies in `file`.
    pub(super) fn new(file: &[u8]) -> Self {
        Self { file: file.to_vec(), ..Self::default() }
    }

    /// Whether `address` is that of a function.
    pub(super) fn is_function(&self, address: u32) -> bool {
        self.function(address).is_some()
    }

    fn function(&self, address: u32) -> Option<&[u8]> {
        let index = usize::try_from(address.checked_sub(FUNCTIONS)? / SPACING).ok()?;
        self.functions.get(index).map(Vec::as_slice)
    }

    /// The address of the function `name`; every name is known.
    pub(super) fn address_of(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(address) = self.by_name.get(name) {
            return Some(*address);
        }
        let index = u32::try_from(self.functions.len()).ok()?;
        if index >= MAX_NAMES {
            return None;
        }
        let address = FUNCTIONS.checked_add(index.checked_mul(SPACING)?)?;
        self.functions.push(name.to_vec());
        self.by_name.insert(name.to_vec(), address);
        Some(address)
    }

    /// The handle of the library `name`; every name is known.
    fn library(&mut self, name: &[u8]) -> Option<u32> {
        let name = name.to_ascii_lowercase();
        if name.starts_with(b"kernel32") {
            return Some(KERNEL);
        }
        let index = u32::try_from(self.libraries.len()).ok()?;
        if index >= MAX_NAMES {
            return None;
        }
        Some(*self.libraries.entry(name).or_insert(LIBRARIES.wrapping_add(index << 16)))
    }

    /// A clock that goes on by one each time.
    pub(super) fn tick(&mut self) -> u32 {
        self.ticks = self.ticks.wrapping_add(1);
        self.ticks
    }
}

impl Machine {
    /// Does what the function at `address` does, and returns from it.
    pub(super) fn call_windows(&mut self, address: u32) -> Step<()> {
        let name = self.windows.function(address).ok_or(Trap::Unknown)?.to_vec();
        let known = FUNCTIONS_KNOWN.binary_search_by(|(known, ..)| known.as_bytes().cmp(&name));
        let known = known.ok().and_then(|index| FUNCTIONS_KNOWN.get(index)).ok_or(Trap::Unknown)?;
        let (_, arguments, function) = *known;
        let result = function(self)?;
        let back = self.pop()?;
        let esp = self.registers.get(Register::ESP);
        self.registers.set(Register::ESP, esp.wrapping_add(arguments.wrapping_mul(4)));
        self.registers.set(Register::EAX, result);
        self.registers.eip = back;
        Ok(())
    }

    /// The argument at `index`, from 0.
    fn argument(&mut self, index: u32) -> Step<u32> {
        let esp = self.registers.get(Register::ESP);
        let at = esp.wrapping_add(4).wrapping_add(index.wrapping_mul(4));
        self.memory.read(at, 4)
    }

    fn load_library(&mut self) -> Step<u32> {
        let name = self.argument(0)?;
        if name == 0 {
            return Ok(self.base);
        }
        let name = self.memory.text(name)?;
        let library = self.windows.library(&name).ok_or(Trap::Unknown)?;
        if self.memory.read(library, 1).is_err() {
            self.memory.map(library, headers(library, LIBRARY_SIZE), false);
        }
        Ok(library)
    }

    fn proc_address(&mut self) -> Step<u32> {
        let name = self.argument(1)?;
        let name = if name < 0x1_0000 {
            format!("#{name}").into_bytes()
        } else {
            self.memory.text(name).unwrap_or_default()
        };
        if name.is_empty() {
            return Ok(0);
        }
        self.windows.address_of(&name).ok_or(Trap::Unknown)
    }

    fn module_file_name(&mut self) -> Step<u32> {
        let (buffer, room) = (self.argument(1)?, self.argument(2)?);
        let name = b"C:\\a.exe\0";
        for (index, byte) in (0..room).zip(name) {
            self.memory.write(buffer.wrapping_add(index), 1, (*byte).into())?;
        }
        Ok(room.min(8))
    }

    fn virtual_alloc(&mut self) -> Step<u32> {
        let size = self.argument(1)?;
        self.allocate(size)
    }

    fn heap_alloc(&mut self) -> Step<u32> {
        let size = self.argument(2)?;
        self.allocate(size)
    }

    /// New memory of `size` bytes, up to a limit for the whole run.
    fn allocate(&mut self, size: u32) -> Step<u32> {
        let size = size.checked_add(0xfff).ok_or(Trap::Unknown)? & !0xfff;
        let start = self.windows.allocated;
        let end = start.checked_add(size).filter(|end| *end <= MAX_ALLOCATED);
        let end = end.ok_or(Trap::Unknown)?;
        let length = usize::try_from(size).map_err(|_| Trap::Unknown)?;
        // A page between two blocks keeps an overrun from going unnoticed.
        self.windows.allocated = end.saturating_add(0x1000);
        let address = HEAP.wrapping_add(start);
        self.memory.map(address, vec![0; length], false);
        Ok(address)
    }

    fn virtual_protect(&mut self) -> Step<u32> {
        let old = self.argument(3)?;
        if old != 0 {
            self.memory.write(old, 4, PAGE_EXECUTE_READWRITE)?;
        }
        Ok(1)
    }

    fn tick_count(&mut self) -> Step<u32> {
        Ok(self.windows.tick())
    }
}

/// Does what a function does and gives its result.
type Function = fn(&mut Machine) -> Step<u32>;

fn zero(_: &mut Machine) -> Step<u32> {
    Ok(0)
}

fn one(_: &mut Machine) -> Step<u32> {
    Ok(1)
}

fn failure(_: &mut Machine) -> Step<u32> {
    Ok(u32::MAX)
}

fn finish(_: &mut Machine) -> Step<u32> {
    Err(Trap::Unknown)
}

/// Name, number of arguments, what it does; sorted by name.
const FUNCTIONS_KNOWN: &[(&str, u32, Function)] = &[
    ("CloseHandle", 1, one),
    ("CreateFileA", 7, Machine::create_file),
    ("CreateThread", 6, zero),
    ("ExitProcess", 1, finish),
    ("FindWindowA", 2, zero),
    ("FlushInstructionCache", 3, one),
    ("GetCurrentProcess", 0, failure),
    ("GetCurrentProcessId", 0, one),
    ("GetFileSize", 2, Machine::file_size),
    ("GetLastError", 0, zero),
    ("GetModuleFileNameA", 3, Machine::module_file_name),
    ("GetModuleHandleA", 1, Machine::load_library),
    ("GetProcAddress", 2, Machine::proc_address),
    ("GetProcessHeap", 0, one),
    ("GetTickCount", 0, Machine::tick_count),
    ("GlobalAlloc", 2, Machine::virtual_alloc),
    ("GlobalFree", 1, zero),
    ("HeapAlloc", 3, Machine::heap_alloc),
    ("HeapCreate", 3, one),
    ("HeapFree", 3, one),
    ("IsBadReadPtr", 2, zero),
    ("IsDebuggerPresent", 0, zero),
    ("LoadLibraryA", 1, Machine::load_library),
    ("LoadLibraryExA", 3, Machine::load_library),
    ("LocalAlloc", 2, Machine::virtual_alloc),
    ("LocalFree", 1, zero),
    ("OpenProcess", 3, zero),
    ("ReadFile", 5, Machine::read_file),
    ("SetFilePointer", 4, Machine::set_file_pointer),
    ("SetLastError", 1, zero),
    ("SetUnhandledExceptionFilter", 1, zero),
    ("Sleep", 1, zero),
    ("TerminateProcess", 2, finish),
    ("VirtualAlloc", 4, Machine::virtual_alloc),
    ("VirtualFree", 3, one),
    ("VirtualProtect", 4, Machine::virtual_protect),
];

/// Where `kernel32.dll` seems to lie: headers and exports, for stubs that look for themselves.
pub(super) const KERNEL: u32 = 0x7700_0000;
/// Where functions seem to lie, and how far apart.
const FUNCTIONS: u32 = 0x7701_0000;
const SPACING: u32 = 16;
/// Where other libraries seem to lie; nothing is there.
const LIBRARIES: u32 = 0x7100_0000;
/// The size of the headers and the empty export table of other libraries.
const LIBRARY_SIZE: usize = 0x800;
/// Where allocated memory lies.
const HEAP: u32 = 0x6000_0000;
/// The most memory that the program gets, in bytes.
pub(super) const MAX_ALLOCATED: u32 = 16 << 20;
/// The most functions and libraries that are told apart.
const MAX_NAMES: u32 = 1024;
/// The handle of the program's own file.
const FILE: u32 = 0x44;
const PAGE_EXECUTE_READWRITE: u32 = 0x40;
