//! Undoes the predictors of TIFF and PNG: ISO 32000-2, 7.4.4.4.

use std::borrow::Cow;
use std::io::{self, Read};

use super::filter::Chain;
use super::value::Value;
use crate::verdict::Reason;

/// What `DecodeParms` says to a filter.
pub(super) struct Parameters {
    pub(super) predictor: i64,
    colors: usize,
    bits: usize,
    columns: usize,
    /// Whether the codes of LZW become longer early.
    pub(super) is_early: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { predictor: 1, colors: 1, bits: 8, columns: 1, is_early: true }
    }
}

impl Parameters {
    /// `resolve` follows a reference to another object.
    pub(super) fn new<'v>(value: &'v Value, resolve: impl Fn(&'v Value) -> Cow<'v, Value>) -> Self {
        let number = |key: &str| value.get(key).and_then(|value| resolve(value).number());
        let count = |key: &str| number(key).and_then(|number| usize::try_from(number).ok());
        Self {
            predictor: number("Predictor").unwrap_or(1),
            colors: count("Colors").unwrap_or(1),
            bits: count("BitsPerComponent").unwrap_or(8),
            columns: count("Columns").unwrap_or(1),
            is_early: number("EarlyChange") != Some(0),
        }
    }

    /// Bytes of a row and of a pixel.
    fn row(&self) -> Option<(usize, usize)> {
        let pixel = self.colors.checked_mul(self.bits)?;
        let row = pixel.checked_mul(self.columns)?.div_ceil(8);
        (1..=MAX_ROW).contains(&row).then_some((row, pixel.div_ceil(8)))
    }
}

/// Reads rows and adds what was predicted.
pub(super) struct Predictor<'a> {
    input: Chain<'a>,
    is_png: bool,
    pixel: usize,
    row: Vec<u8>,
    before: Vec<u8>,
    at: usize,
    /// How much of the row is there.
    end: usize,
    /// What ended the data behind that.
    error: Option<io::Error>,
}

impl<'a> Predictor<'a> {
    pub(super) fn new(input: Chain<'a>, parameters: &Parameters) -> io::Result<Self> {
        let unsupported = || io::Error::other(Reason::unsupported("predictor"));
        let (row, pixel) = parameters.row().ok_or_else(unsupported)?;
        let is_png = parameters.predictor >= 10;
        if !is_png && parameters.bits != 8 {
            return Err(unsupported());
        }
        let (row, before) = (vec![0; row], vec![0; row]);
        Ok(Self { input, is_png, pixel, row, before, at: 0, end: 0, error: None })
    }

    /// Reads the next row and undoes its prediction.
    fn next_row(&mut self) -> io::Result<()> {
        std::mem::swap(&mut self.row, &mut self.before);
        (self.at, self.end) = (0, 0);
        let mut kind = [0];
        if self.is_png && self.input.read(&mut kind)? == 0 {
            return Ok(());
        }
        while let Some(room) = self.row.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => break,
                Ok(count) => self.end = self.end.saturating_add(count),
                Err(error) if self.end > 0 => {
                    self.error = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.undo(if self.is_png { kind[0] } else { SUB });
        Ok(())
    }

    fn undo(&mut self, kind: u8) {
        for at in 0..self.end {
            let left = at.checked_sub(self.pixel);
            let get =
                |row: &[u8], at: Option<usize>| at.and_then(|at| row.get(at)).copied().unwrap_or(0);
            let (a, b) = (get(&self.row, left), get(&self.before, Some(at)));
            let c = get(&self.before, left);
            let predicted = match kind {
                SUB => a,
                2 => b,
                3 => a.midpoint(b),
                4 => paeth(a, b, c),
                _ => 0,
            };
            if let Some(byte) = self.row.get_mut(at) {
                *byte = byte.wrapping_add(predicted);
            }
        }
    }
}

/// Whichever neighbour is nearest to what a plane through them predicts.
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let distance = |x: u8| {
        let plane = i16::from(a).wrapping_add(i16::from(b)).wrapping_sub(i16::from(c));
        plane.wrapping_sub(i16::from(x)).unsigned_abs()
    };
    if distance(a) <= distance(b) && distance(a) <= distance(c) {
        a
    } else if distance(b) <= distance(c) {
        b
    } else {
        c
    }
}

impl Read for Predictor<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.end {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            self.next_row()?;
        }
        let count = self.row.get(self.at..self.end).unwrap_or_default().read(output)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// The prediction from the left.
const SUB: u8 = 1;
/// A row of a picture is shorter by far.
const MAX_ROW: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::head;

    fn decode(parameters: &Parameters, bytes: &'static [u8]) -> Vec<u8> {
        head(&mut Predictor::new(Box::new(bytes), parameters).unwrap(), 1000)
    }

    #[test]
    fn every_prediction_is_undone() {
        let png = Parameters { predictor: 15, columns: 2, ..Parameters::default() };
        let rows = b"\x00ab\x01a\x01\x02\x01\x01\x03\x00\x00\x04\x01\x01";
        assert_eq!(decode(&png, rows), b"ababbc1J2K");
        let tiff = Parameters { predictor: 2, columns: 3, ..Parameters::default() };
        assert_eq!(decode(&tiff, b"a\x01\x01b\x01"), b"abcbc");
    }
}
