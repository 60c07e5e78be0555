//! LZFSE: LZ77 whose literals, lengths and distances are coded by finite state entropy, as in the
//! headers of Apple's reference implementation.

use super::adc::copy;
use super::lzvn::lzvn;
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// Unpacks the blocks of a stream into at most `limit` bytes.
pub(crate) fn lzfse(input: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
    let input = &mut Cursor::new(input);
    let mut output = Vec::new();
    loop {
        match input.take(4)? {
            b"bvx$" => return Ok(output),
            b"bvx-" => {
                let size = to_size(input.u32_le()?.into());
                let stored = input.take(size)?;
                check(&output, size, limit)?;
                output.extend_from_slice(stored);
            }
            b"bvxn" => {
                input.take(4)?; // unpacked size
                let size = to_size(input.u32_le()?.into());
                lzvn(input.take(size)?, &mut output, limit)?;
            }
            b"bvx2" => Block::read(input)?.unpack(input, &mut output, limit)?,
            b"bvx1" => return Err(Reason::unsupported("LZFSE blocks of the first kind")),
            _ => return Err(Reason::corrupt("LZFSE block")),
        }
    }
}

/// The header of a block.
struct Block {
    literals: usize,
    matches: usize,
    /// The lengths of the two bit streams, and how many bits less than whole bytes they have.
    literal_bytes: usize,
    literal_bits: u64,
    match_bytes: usize,
    match_bits: u64,
    literal_states: [usize; 4],
    states: [usize; 3],
    frequencies: Vec<u16>,
}

impl Block {
    /// Reads the header behind its magic.
    fn read(input: &mut Cursor<'_>) -> Result<Self, Reason> {
        input.take(4)?; // unpacked size
        let (first, second, third) = (input.u64_le()?, input.u64_le()?, input.u64_le()?);
        let field =
            |word: u64, at: u32, bits: u32| to_size(word >> at & (1_u64 << bits).saturating_sub(1));
        let size = field(third, 0, 32).checked_sub(HEADER).ok_or(Reason::corrupt("header"))?;
        let literals = field(first, 0, 20);
        let matches = field(first, 40, 20);
        if literals > MOST_LITERALS || matches > MOST_MATCHES {
            return Err(Reason::corrupt("header"));
        }
        Ok(Self {
            literals,
            matches,
            literal_bytes: field(first, 20, 20),
            literal_bits: 7_u64.saturating_sub(first >> 60 & 7),
            match_bytes: field(second, 40, 20),
            match_bits: 7_u64.saturating_sub(second >> 60 & 7),
            literal_states: [0, 10, 20, 30].map(|at| field(second, at, 10)),
            states: [32, 42, 52].map(|at| field(third, at, 10)),
            frequencies: frequencies(input.take(size)?),
        })
    }

    fn unpack(
        &self,
        input: &mut Cursor<'_>,
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Reason> {
        let (lengths, rest) = self.frequencies.split_at_checked(20).unwrap_or_default();
        let (copies, rest) = rest.split_at_checked(20).unwrap_or_default();
        let (distances, bytes) = rest.split_at_checked(64).unwrap_or_default();
        let literals = input.take(self.literal_bytes)?;
        let literals = self.literals(literals, &table(bytes, LITERAL_STATES, |_| 0)?)?;
        let literals = &mut Cursor::new(&literals);
        let mut bits = Bits::new(input.take(self.match_bytes)?, self.match_bits);
        let lengths = table(lengths, LENGTH_STATES, |at| extra(&LENGTH_BITS, at))?;
        let copies = table(copies, LENGTH_STATES, |at| extra(&COPY_BITS, at))?;
        let distances =
            table(distances, DISTANCE_STATES, |at| u32::try_from(at / 4).unwrap_or_default())?;
        let [mut length, mut copied, mut far] = self.states;
        let mut distance = 0;
        for _ in 0..self.matches {
            let count = bits.symbol(&lengths, &mut length)?;
            let again = bits.symbol(&copies, &mut copied)?;
            match bits.symbol(&distances, &mut far)? {
                0 => {}
                other => distance = other,
            }
            check(output, count.saturating_add(again), limit)?;
            output.extend_from_slice(literals.take(count)?);
            if again > 0 {
                copy(output, distance, again)?;
            }
        }
        Ok(())
    }

    /// All literals of the block; four coders take turns.
    fn literals(&self, packed: &[u8], table: &[Code]) -> Result<Vec<u8>, Reason> {
        let mut bits = Bits::new(packed, self.literal_bits);
        let mut states = self.literal_states;
        let mut literals = Vec::new();
        while literals.len() < self.literals {
            for state in &mut states {
                let symbol = bits.symbol(table, state)?;
                literals.push(u8::try_from(symbol).unwrap_or_default());
            }
        }
        Ok(literals)
    }
}

/// How often each symbol is, for the four alphabets behind each other.
fn frequencies(packed: &[u8]) -> Vec<u16> {
    let mut frequencies = Vec::new();
    let mut at = 0_u64;
    while frequencies.len() < SYMBOLS {
        let bits = window(packed, at);
        let four = u16::try_from(bits >> 4 & 0xf).unwrap_or_default();
        let ten = u16::try_from(bits >> 4 & 0x3ff).unwrap_or_default();
        // A code of low bits, then what it lacks: 2, 3, 5, 8 or 14 bits in all.
        let (value, length) = match bits & 0xf {
            0b1111 => (ten.saturating_add(24), 14),
            0b0111 => (four.saturating_add(8), 8),
            0b0011 | 0b1011 => (4_u16.saturating_add(two_bits(bits)), 5),
            0b0001 | 0b1001 => (2, 3),
            0b0101 | 0b1101 => (3, 3),
            even if even & 2 == 0 => (0, 2),
            _ => (1, 2),
        };
        frequencies.push(value);
        at = at.saturating_add(length);
    }
    frequencies
}

/// The two bits behind three.
fn two_bits(bits: u64) -> u16 {
    u16::try_from(bits >> 3 & 3).unwrap_or_default()
}

/// What a state of a coder stands for.
#[derive(Clone, Copy)]
struct Code {
    value: usize,
    /// How many bits are added to the value.
    extra: u32,
    /// How many bits are added to `next` for the state behind it.
    bits: u32,
    next: usize,
}

/// The states of a coder; each symbol has as many as its frequency says, and stands for the values
/// behind those of the symbol before it.
fn table(
    frequencies: &[u16],
    states: usize,
    extra: impl Fn(usize) -> u32,
) -> Result<Vec<Code>, Reason> {
    let mut table = Vec::new();
    let mut value = 0_usize;
    for (symbol, frequency) in frequencies.iter().enumerate() {
        let frequency = usize::from(*frequency);
        if table.len().saturating_add(frequency) > states {
            return Err(Reason::corrupt("LZFSE frequencies"));
        }
        let extra = extra(symbol);
        if frequency > 0 {
            let bits = frequency.leading_zeros().saturating_sub(states.leading_zeros());
            let many = (states.saturating_mul(2) >> bits).saturating_sub(frequency);
            table.extend((0..frequency).map(|at| {
                let (bits, next) = if at < many {
                    (bits, (frequency.saturating_add(at) << bits).saturating_sub(states))
                } else {
                    let bits = bits.saturating_sub(1);
                    (bits, at.saturating_sub(many) << bits)
                };
                Code { value, extra, bits, next }
            }));
        }
        value = value.saturating_add(1 << extra);
    }
    Ok(table)
}

fn extra(bits: &[u32; 4], symbol: usize) -> u32 {
    symbol.checked_sub(16).and_then(|at| bits.get(at)).copied().unwrap_or_default()
}

/// Bits that are read from the end to the start.
struct Bits<'a> {
    bytes: &'a [u8],
    left: u64,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8], missing: u64) -> Self {
        let left = (bytes.len() as u64).saturating_mul(8).saturating_sub(missing);
        Self { bytes, left }
    }

    fn pull(&mut self, count: u32) -> Result<usize, Reason> {
        let left = self.left.checked_sub(count.into());
        self.left = left.ok_or(Reason::corrupt("LZFSE data"))?;
        let mask = (1_u64 << count).saturating_sub(1);
        Ok(to_size(window(self.bytes, self.left) & mask))
    }

    /// The value of a coder that is in `state`, and its next state.
    fn symbol(&mut self, table: &[Code], state: &mut usize) -> Result<usize, Reason> {
        let code = *table.get(*state).ok_or(Reason::corrupt("LZFSE state"))?;
        *state = code.next.saturating_add(self.pull(code.bits)?);
        Ok(code.value.saturating_add(self.pull(code.extra)?))
    }
}

/// At least 56 bits from bit `at` on, the first one lowest; zeros behind the end.
fn window(bytes: &[u8], at: u64) -> u64 {
    let rest = bytes.get(to_size(at / 8)..).unwrap_or_default();
    let mut word = [0; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(word) >> (at % 8)
}

fn check(output: &[u8], more: usize, limit: usize) -> Result<(), Reason> {
    let fits = output.len().saturating_add(more) <= limit;
    if fits { Ok(()) } else { Err(Reason::corrupt("block size")) }
}

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The header before the frequencies, its magic included.
const HEADER: usize = 32;
const MOST_LITERALS: usize = 40_000;
const MOST_MATCHES: usize = 10_000;
/// Lengths of literals, of matches, distances, bytes.
const SYMBOLS: usize = 20 + 20 + 64 + 256;
const LENGTH_STATES: usize = 64;
const DISTANCE_STATES: usize = 256;
const LITERAL_STATES: usize = 1024;
/// How many bits the last four symbols have behind them.
const LENGTH_BITS: [u32; 4] = [2, 3, 5, 8];
const COPY_BITS: [u32; 4] = [3, 5, 8, 11];
