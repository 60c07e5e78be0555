//! LZX (\[MS-PATCH\] 2), frame by frame: cabinets and help files delimit
//! the frames themselves, and all of them share one window.

use lzxd::{Lzxd, WindowSize};

use crate::verdict::Reason;

/// Unpacks frames of up to 32 KiB, each of which may refer to those before.
pub(crate) struct LzxFrames(Box<Lzxd>);

impl LzxFrames {
    /// A decoder with a window of `2^bits` bytes; `None` if there is no such window.
    pub(crate) fn new(bits: u32) -> Option<Self> {
        let window = match bits {
            15 => WindowSize::KB32,
            16 => WindowSize::KB64,
            17 => WindowSize::KB128,
            18 => WindowSize::KB256,
            19 => WindowSize::KB512,
            20 => WindowSize::MB1,
            21 => WindowSize::MB2,
            _ => return None,
        };
        Some(Self(Box::new(Lzxd::new(window))))
    }

    /// The frame in `data`, which is `size` bytes once unpacked.
    pub(crate) fn frame(&mut self, data: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
        match self.0.decompress_next(data, size) {
            Ok(frame) => Ok(frame.to_vec()),
            Err(_) => Err(Reason::corrupt("LZX data")),
        }
    }
}
