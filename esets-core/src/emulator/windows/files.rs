//! Files: there is one, the program itself.

use super::FILE;
use crate::emulator::{Machine, Step, Trap};

impl Machine {
    /// Every file is the program itself, for reading.
    pub(super) fn create_file(&mut self) -> Step<u32> {
        self.windows.position = 0;
        Ok(FILE)
    }

    pub(super) fn file_size(&mut self) -> Step<u32> {
        u32::try_from(self.windows.file.len()).map_err(|_| Trap::Unknown)
    }

    pub(super) fn read_file(&mut self) -> Step<u32> {
        let (buffer, count, done) = (self.argument(1)?, self.argument(2)?, self.argument(3)?);
        let count = usize::try_from(count).map_err(|_| Trap::Unknown)?;
        let rest = self.windows.file.get(self.windows.position..).unwrap_or_default();
        let bytes = rest.get(..count).unwrap_or(rest).to_vec();
        for (index, byte) in (0..).zip(&bytes) {
            self.memory.write(buffer.wrapping_add(index), 1, (*byte).into())?;
        }
        self.windows.position = self.windows.position.saturating_add(bytes.len());
        if done != 0 {
            let read = u32::try_from(bytes.len()).map_err(|_| Trap::Unknown)?;
            self.memory.write(done, 4, read)?;
        }
        Ok(1)
    }

    /// From the start, from here or from the end.
    pub(super) fn set_file_pointer(&mut self) -> Step<u32> {
        let (distance, origin) = (self.argument(1)?, self.argument(3)?);
        let from = match origin {
            0 => 0,
            1 => self.windows.position,
            _ => self.windows.file.len(),
        };
        let from = u32::try_from(from).map_err(|_| Trap::Unknown)?;
        let position = from.wrapping_add(distance);
        self.windows.position = usize::try_from(position).map_err(|_| Trap::Unknown)?;
        Ok(position)
    }
}
