//! Quantum, the arithmetic coder of Cinematronics that cabinets may use (M. Russotto, "Quantum
//! compression format").

use crate::verdict::Reason;

/// Decodes frames of up to 32 KiB, each an arithmetic code of its own over shared models.
pub(crate) struct Quantum {
    window: Vec<u8>,
    at: usize,
    /// Literals with the two highest bits 0, 1, 2 and 3.
    literals: [Model; 4],
    selector: Model,
    /// Places of matches of three bytes, of four, and of more.
    places: [Model; 3],
    lengths: Model,
}

impl Quantum {
    /// A decoder with a window of 2^`bits` bytes; `None` if that is not allowed.
    pub(crate) fn new(bits: u16) -> Option<Self> {
        if !(10..=21).contains(&bits) {
            return None;
        }
        let slots = usize::from(bits).saturating_mul(2);
        Some(Self {
            window: vec![0; 1 << bits],
            at: 0,
            literals: [0, 64, 128, 192].map(|first| Model::new(first, 64)),
            selector: Model::new(0, 7),
            places: [slots.min(24), slots.min(36), slots].map(|slots| Model::new(0, slots)),
            lengths: Model::new(0, LENGTHS.len()),
        })
    }

    /// Decodes a frame of `size` bytes.
    pub(crate) fn frame(&mut self, input: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
        let mut code = Code::new(input);
        let mut output = Vec::new();
        while output.len() < size {
            match self.selector.decode(&mut code)? {
                selector @ 0..=3 => {
                    let model = self.literals.get_mut(usize::from(selector));
                    let literal = model.ok_or(DAMAGE)?.decode(&mut code)?;
                    self.put(literal.to_le_bytes()[0], &mut output);
                }
                selector => self.copy(selector, &mut code, size, &mut output)?,
            }
        }
        Ok(output)
    }

    fn copy(
        &mut self,
        selector: u16,
        code: &mut Code<'_>,
        size: usize,
        output: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        let length = match selector {
            4 => 3,
            5 => 4,
            _ => {
                let slot = usize::from(self.lengths.decode(code)?);
                let (base, extra) = *LENGTHS.get(slot).ok_or(DAMAGE)?;
                base.saturating_add(code.bits(extra)).saturating_add(5)
            }
        };
        let model = self.places.get_mut(usize::from(selector.saturating_sub(4)));
        let slot = model.ok_or(DAMAGE)?.decode(code)?;
        let extra = u32::from(slot / 2).saturating_sub(1);
        let base = if slot < 2 { u32::from(slot) } else { u32::from(2 | slot & 1) << extra };
        let back = usize::try_from(base.saturating_add(code.bits(extra))).map_err(|_| DAMAGE)?;
        let mask = self.window.len().saturating_sub(1);
        let mut from = self.at.wrapping_sub(back).wrapping_sub(1) & mask;
        for _ in 0..length {
            if output.len() >= size {
                return Err(DAMAGE);
            }
            let byte = self.window.get(from).copied().unwrap_or_default();
            self.put(byte, output);
            from = from.wrapping_add(1) & mask;
        }
        Ok(())
    }

    fn put(&mut self, byte: u8, output: &mut Vec<u8>) {
        if let Some(place) = self.window.get_mut(self.at) {
            *place = byte;
        }
        self.at = self.at.wrapping_add(1) & self.window.len().saturating_sub(1);
        output.push(byte);
    }
}

/// The arithmetic code of one frame; behind its end it goes on with zeros.
struct Code<'a> {
    input: &'a [u8],
    /// The place of the next bit.
    at: usize,
    low: u16,
    high: u16,
    code: u16,
}

impl<'a> Code<'a> {
    fn new(input: &'a [u8]) -> Self {
        let mut code = Self { input, at: 0, low: 0, high: u16::MAX, code: 0 };
        code.code = u16::try_from(code.bits(16)).unwrap_or_default();
        code
    }

    fn bit(&mut self) -> u16 {
        let byte = self.input.get(self.at / 8).copied().unwrap_or_default();
        let bit = byte >> (7 & !self.at) & 1;
        self.at = self.at.saturating_add(1);
        bit.into()
    }

    /// Bits as they are, the highest first.
    fn bits(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |bits, _| bits << 1 | u32::from(self.bit()))
    }

    fn range(&self) -> u32 {
        u32::from(self.high.wrapping_sub(self.low)).saturating_add(1)
    }

    /// Narrows the interval to what a symbol has of `total`.
    fn narrow(&mut self, from: u16, to: u16, total: u16) {
        let (range, total) = (self.range(), u32::from(total));
        let part = |frequency: u16| {
            let place =
                u32::from(frequency).saturating_mul(range).checked_div(total).unwrap_or_default();
            u16::try_from(place & 0xffff).unwrap_or_default()
        };
        let low = self.low;
        self.high = low.wrapping_add(part(to)).wrapping_sub(1);
        self.low = low.wrapping_add(part(from));
        loop {
            if (self.low ^ self.high) & 0x8000 != 0 {
                if self.low & 0x4000 == 0 || self.high & 0x4000 != 0 {
                    return;
                }
                self.code ^= 0x4000;
                self.low &= 0x3fff;
                self.high |= 0x4000;
            }
            self.low <<= 1;
            self.high = self.high << 1 | 1;
            self.code = self.code << 1 | self.bit();
            // An interval that has collapsed would never open again.
            if self.at > self.input.len().saturating_mul(8).saturating_add(SLACK) {
                return;
            }
        }
    }
}

/// Symbols with what they and all behind them weigh, the weightiest first.
struct Model {
    symbols: Vec<(u16, u16)>,
    updates_to_sort: u8,
}

impl Model {
    fn new(first: u16, count: usize) -> Self {
        let count = u16::try_from(count).unwrap_or_default();
        let symbols = (0..=count).map(|at| (first.saturating_add(at), count.saturating_sub(at)));
        Self { symbols: symbols.collect(), updates_to_sort: 4 }
    }

    fn decode(&mut self, code: &mut Code<'_>) -> Result<u16, Reason> {
        if code.at > code.input.len().saturating_mul(8).saturating_add(SLACK) {
            return Err(Reason::Truncated);
        }
        let total = self.symbols.first().ok_or(DAMAGE)?.1;
        let offset = u32::from(code.code.wrapping_sub(code.low)).saturating_add(1);
        let wanted = offset.saturating_mul(total.into()).saturating_sub(1);
        let wanted = wanted.checked_div(code.range()).ok_or(DAMAGE)?;
        let last = self.symbols.len().saturating_sub(1);
        let behind = self.symbols.iter().skip(1);
        let place = behind.take_while(|symbol| u32::from(symbol.1) > wanted).count();
        let place = place.min(last.saturating_sub(1));
        let (symbol, to) = *self.symbols.get(place).ok_or(DAMAGE)?;
        let from = self.symbols.get(place.saturating_add(1)).map_or(0, |symbol| symbol.1);
        code.narrow(from, to, total);
        let weightier = self.symbols.iter_mut().take(place.saturating_add(1));
        weightier.for_each(|symbol| symbol.1 = symbol.1.saturating_add(8));
        if self.symbols.first().is_some_and(|symbol| symbol.1 > MAX_WEIGHT) {
            self.update();
        }
        Ok(symbol)
    }

    /// Halves the weights, and now and then sorts by them.
    fn update(&mut self) {
        self.updates_to_sort = self.updates_to_sort.saturating_sub(1);
        let mut behind = 0_u16;
        if self.updates_to_sort > 0 {
            for (place, symbol) in self.symbols.iter_mut().rev().enumerate() {
                if place > 0 {
                    symbol.1 = (symbol.1 >> 1).max(behind.saturating_add(1));
                }
                behind = symbol.1;
            }
            return;
        }
        self.updates_to_sort = 50;
        let last = self.symbols.len().saturating_sub(1);
        for symbol in self.symbols.iter_mut().rev() {
            let own = symbol.1.saturating_sub(behind);
            behind = symbol.1;
            symbol.1 = own.saturating_add(1) >> 1;
        }
        if let Some(symbols) = self.symbols.get_mut(..last) {
            sort_as_the_packer_does(symbols);
        }
        let mut sum = 0_u16;
        for symbol in self.symbols.get_mut(..last).unwrap_or_default().iter_mut().rev() {
            sum = sum.saturating_add(symbol.1);
            symbol.1 = sum;
        }
    }
}

/// Symbols of the same weight must come to lie in the same order as in the packer.
fn sort_as_the_packer_does(symbols: &mut [(u16, u16)]) {
    for first in 0..symbols.len() {
        for second in first.saturating_add(1)..symbols.len() {
            let weight = |at: usize| symbols.get(at).map_or(0, |symbol| symbol.1);
            if weight(first) < weight(second) {
                symbols.swap(first, second);
            }
        }
    }
}

const DAMAGE: Reason = Reason::corrupt("Quantum data");
const MAX_WEIGHT: u16 = 3800;
/// How many bits behind the end a decoder may look at.
const SLACK: usize = 64;

/// What is to be added to five for the length of a match, and how many bits to that.
const LENGTHS: [(u32, u32); 27] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 1),
    (8, 1),
    (10, 1),
    (12, 1),
    (14, 2),
    (18, 2),
    (22, 2),
    (26, 2),
    (30, 3),
    (38, 3),
    (46, 3),
    (54, 3),
    (62, 4),
    (78, 4),
    (94, 4),
    (110, 4),
    (126, 5),
    (158, 5),
    (190, 5),
    (222, 5),
    (254, 0),
];
