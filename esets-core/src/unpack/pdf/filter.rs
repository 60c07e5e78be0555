//! The filters of streams: ISO 32000-2, 7.4.

use std::io::{self, BufReader, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::lexer::{digit, is_space};
use super::lzw::Lzw;
use super::predictor::{Parameters, Predictor};
use crate::verdict::Reason;

/// One decoder behind the other.
pub(super) type Chain<'a> = Box<dyn Read + 'a>;

/// What becomes of a stream under one filter.
pub(super) enum Filtered<'a> {
    /// It is decoded.
    Decoded(Chain<'a>),
    /// The filter makes a picture or a sound, which is left as it is.
    Media(Chain<'a>),
    /// There is no such filter.
    Unknown(Chain<'a>),
}

/// Decodes `input` by the filter with this name.
pub(super) fn apply<'a>(
    name: &[u8],
    parameters: &Parameters,
    input: Chain<'a>,
) -> io::Result<Filtered<'a>> {
    let input = BufReader::with_capacity(BUFFER, input);
    let decoded: Chain<'a> = match name {
        b"ASCIIHexDecode" | b"AHx" => Bytewise::boxed(Hex { input, is_over: false }),
        b"ASCII85Decode" | b"A85" => Bytewise::boxed(Ascii85::new(input)),
        b"RunLengthDecode" | b"RL" => Bytewise::boxed(RunLength { input, run: Run::Over }),
        b"FlateDecode" | b"Fl" => parameters.apply(Box::new(Flate::new(input)))?,
        b"LZWDecode" | b"LZW" => {
            parameters.apply(Bytewise::boxed(Lzw::new(input, parameters.is_early)))?
        }
        b"Crypt" => Box::new(input),
        b"DCTDecode" | b"DCT" | b"JPXDecode" | b"JBIG2Decode" | b"CCITTFaxDecode" | b"CCF" => {
            return Ok(Filtered::Media(Box::new(input)));
        }
        _ => return Ok(Filtered::Unknown(Box::new(input))),
    };
    Ok(Filtered::Decoded(decoded))
}

impl Parameters {
    fn apply<'a>(&self, input: Chain<'a>) -> io::Result<Chain<'a>> {
        Ok(if self.predictor > 1 { Box::new(Predictor::new(input, self)?) } else { input })
    }
}

/// A decoder that gives one byte after the other.
pub(super) trait NextByte {
    /// The next byte, `None` behind the last.
    fn next_byte(&mut self) -> io::Result<Option<u8>>;
}

/// Reads from such a decoder.
pub(super) struct Bytewise<D> {
    decoder: D,
    /// What ended the data behind the bytes that were given out.
    error: Option<io::Error>,
}

impl<D: NextByte> Bytewise<D> {
    pub(super) fn new(decoder: D) -> Self {
        Self { decoder, error: None }
    }

    fn boxed<'a>(decoder: D) -> Chain<'a>
    where
        D: 'a,
    {
        Box::new(Self::new(decoder))
    }
}

impl<D: NextByte> Read for Bytewise<D> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut count: usize = 0;
        for slot in output {
            match self.decoder.next_byte() {
                Ok(Some(byte)) => *slot = byte,
                Ok(None) => break,
                Err(error) if count > 0 => {
                    self.error = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}

/// One byte of a reader; none of the filters that ask so may end without the mark of its end.
pub(super) fn byte(input: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    Ok(byte[0])
}

struct Hex<R> {
    input: R,
    is_over: bool,
}

impl<R: Read> Hex<R> {
    fn digit(&mut self) -> io::Result<Option<u8>> {
        while !self.is_over {
            match byte(&mut self.input)? {
                b'>' => self.is_over = true,
                byte => {
                    if let Some(digit) = digit(byte) {
                        return Ok(Some(digit));
                    }
                }
            }
        }
        Ok(None)
    }
}

impl<R: Read> NextByte for Hex<R> {
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let Some(high) = self.digit()? else { return Ok(None) };
        Ok(Some(high << 4 | self.digit()?.unwrap_or(0)))
    }
}

struct Ascii85<R> {
    input: R,
    /// What is decoded and not yet given out, the next byte last.
    ready: Vec<u8>,
    is_over: bool,
}

impl<R: Read> Ascii85<R> {
    fn new(input: R) -> Self {
        Self { input, ready: Vec::new(), is_over: false }
    }

    /// Decodes five digits, or the fewer ones at the end.
    fn group(&mut self) -> io::Result<()> {
        let (mut value, mut count) = (0_u32, 0_usize);
        while count < 5 {
            let next = match byte(&mut self.input) {
                // What is there of the last group is given out before the error comes again.
                Err(_) if count > 1 => break,
                next => next?,
            };
            match next {
                b'z' if count == 0 => {
                    self.ready.extend([0; 4]);
                    return Ok(());
                }
                digit @ b'!'..=b'u' => {
                    let digit = u32::from(digit.wrapping_sub(b'!'));
                    value = value.wrapping_mul(85).wrapping_add(digit);
                    count = count.saturating_add(1);
                }
                space if is_space(space) => {}
                b'~' => {
                    self.is_over = true;
                    break;
                }
                _ => return Err(io::Error::other(Reason::corrupt("ASCII base-85 data"))),
            }
        }
        // As if it were filled up with the highest digit.
        let value = (count..5).fold(value, |value, _| value.wrapping_mul(85).wrapping_add(84));
        let kept = count.saturating_sub(1);
        self.ready.extend(value.to_be_bytes().iter().take(kept).rev());
        Ok(())
    }
}

impl<R: Read> NextByte for Ascii85<R> {
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        while self.ready.is_empty() && !self.is_over {
            self.group()?;
        }
        Ok(self.ready.pop())
    }
}

struct RunLength<R> {
    input: R,
    run: Run,
}

enum Run {
    Copy(u8),
    Repeat(u8, u8),
    Over,
}

impl<R: Read> NextByte for RunLength<R> {
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        if let Run::Over = self.run {
            self.run = match byte(&mut self.input)? {
                128 => return Ok(None),
                length @ 0..128 => Run::Copy(length),
                length => Run::Repeat(byte(&mut self.input)?, 0_u8.wrapping_sub(length)),
            };
        }
        match &mut self.run {
            Run::Copy(left) => {
                let left = *left;
                self.run = left.checked_sub(1).map_or(Run::Over, Run::Copy);
                byte(&mut self.input).map(Some)
            }
            Run::Repeat(byte, left) => {
                let (byte, left) = (*byte, *left);
                self.run = left.checked_sub(1).map_or(Run::Over, |left| Run::Repeat(byte, left));
                Ok(Some(byte))
            }
            Run::Over => Ok(None),
        }
    }
}

/// zlib data, or bare DEFLATE data as some writers leave them; no checksum is asked for.
struct Flate<R> {
    input: R,
    state: Option<Decompress>,
}

impl<R: io::BufRead> Flate<R> {
    fn new(input: R) -> Self {
        Self { input, state: None }
    }

    /// Skips white space that a writer has left in front, and tells by the header what comes.
    fn start(&mut self) -> io::Result<Decompress> {
        loop {
            let head = self.input.fill_buf()?;
            match head {
                [b'\r' | b'\n', ..] => self.input.consume(1),
                [method, flags, ..] => {
                    let sum = u16::from_be_bytes([*method, *flags]);
                    let is_zlib = method & 0x8f == 8 && sum.is_multiple_of(31);
                    if is_zlib {
                        self.input.consume(2);
                    }
                    return Ok(Decompress::new(false));
                }
                _ => return Ok(Decompress::new(false)),
            }
        }
    }
}

impl<R: io::BufRead> Read for Flate<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.start()?,
        };
        loop {
            let input = self.input.fill_buf()?;
            let is_end = input.is_empty();
            let (read, written) = (state.total_in(), state.total_out());
            let status = state.decompress(input, output, FlushDecompress::None);
            let since = |before: u64, now: u64| {
                usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
            };
            let (read, written) =
                (since(read, state.total_in()), since(written, state.total_out()));
            self.input.consume(read);
            match status {
                _ if written > 0 => {
                    self.state = Some(state);
                    return Ok(written);
                }
                Ok(Status::StreamEnd) => {
                    self.state = Some(state);
                    return Ok(0);
                }
                Ok(_) if is_end => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) if read > 0 => {}
                _ => return Err(io::Error::other(Reason::corrupt("deflate data"))),
            }
        }
    }
}

/// A chain may be long, so a step of it takes little.
const BUFFER: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::head;

    fn decode(name: &str, bytes: &[u8]) -> Vec<u8> {
        let filtered = apply(name.as_bytes(), &Parameters::default(), Box::new(bytes)).unwrap();
        let Filtered::Decoded(mut chain) = filtered else { panic!("{name}") };
        head(&mut chain, 1000)
    }

    #[test]
    fn text_filters_decode() {
        assert_eq!(decode("AHx", b"41 4\n25>99"), b"ABP");
        assert_eq!(decode("ASCII85Decode", b"87cUR\nD]i,\"Ebo80~>xx"), b"Hello World!");
        assert_eq!(decode("A85", b"z5l~>"), b"\0\0\0\0A");
    }

    #[test]
    fn runs_decode() {
        assert_eq!(decode("RL", &[2, b'a', b'b', b'c', 254, b'x', 128, 9]), b"abcxxx");
    }

    #[test]
    fn data_without_the_mark_of_their_end_are_cut() {
        for (name, bytes, expected) in [
            ("AHx", &b"41 42"[..], &b"AB"[..]),
            ("A85", b"87cURD]i,\"Ebo8", b"Hello World"),
            ("RL", &[2, b'a', b'b'], b"ab"),
            ("RL", &[1, b'a', b'b', 254], b"ab"),
            ("LZW", &[0x80, 0x0B, 0x60, 0x50], b"---"),
        ] {
            let filtered = apply(name.as_bytes(), &Parameters::default(), Box::new(bytes)).unwrap();
            let Filtered::Decoded(mut chain) = filtered else { panic!("{name}") };
            let mut content = Vec::new();
            let error = io::copy(&mut chain, &mut content).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{name}");
            assert!(expected.starts_with(&content) && content.len() > 1, "{name}: {content:?}");
        }
    }
}
