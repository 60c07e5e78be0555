//! Formulas in workbooks of Excel 97 to 2003, those of XLM macros above all: \[MS-XLS\].

use std::io::{self, Read};

use crate::children::Children;
use crate::decode::formula;
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// The formulas and names as text, one a line, in the order in which Excel computes.
pub(super) struct Xls;

static FORMAT: Format = Format {
    name: "xls",
    about: "Excel 97-2003 workbook stream",
    extensions: &[],
    magic: &[],
    specification: &["[MS-XLS]: Excel Binary File Format (.xls) Structure"],
    limitations: &[
        "workbooks of Excel 5 and 95 (BIFF5) are scanned as they lie",
        "cells, pictures and the results of formulas are not taken apart",
    ],
};

impl Unpacker for Xls {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let name = subject.name().to_ascii_lowercase();
        (name.ends_with(b"workbook") || name.ends_with(b"book"))
            && subject.bytes().starts_with(BOF)
            && subject.bytes().get(4..6) == Some(BIFF8)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut listing = Listing { rest: subject.bytes(), line: Vec::new(), at: 0 };
        // A workbook without formulas has nothing to list.
        if listing.next_line() {
            children.stream("formulas.txt", &mut listing)?;
        }
        Ok(())
    }
}

/// Reads the lines as they are made.
struct Listing<'a> {
    rest: &'a [u8],
    line: Vec<u8>,
    at: usize,
}

impl Listing<'_> {
    /// Makes the next line; `false` at the end.
    fn next_line(&mut self) -> bool {
        self.line.clear();
        self.at = 0;
        while let Some(([a, b, c, d], behind)) = self.rest.split_first_chunk() {
            let size = usize::from(u16::from_le_bytes([*c, *d]));
            let (content, behind) = behind.split_at(size.min(behind.len()));
            self.rest = behind;
            match u16::from_le_bytes([*a, *b]) {
                BOUND_SHEET => sheet(content, &mut self.line),
                FORMULA => {
                    // Row, column, format, result, flags, cache, size.
                    let tokens = content.get(22..).unwrap_or_default();
                    formula::write(tokens, &mut self.line);
                }
                NAME => name(content, &mut self.line),
                _ => {}
            }
            if !self.line.is_empty() {
                self.line.push(b'\n');
                return true;
            }
        }
        false
    }
}

impl Read for Listing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.line.len() && !self.next_line() {
            return Ok(0);
        }
        let count = self.line.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// A sheet that holds macros, and whether it is hidden: BoundSheet8.
fn sheet(content: &[u8], line: &mut Vec<u8>) {
    let [_, _, _, _, hidden, kind, length, text @ ..] = content else { return };
    if *kind != MACRO_SHEET {
        return;
    }
    line.extend_from_slice(if hidden & 3 == 0 {
        b"macro sheet: "
    } else {
        b"hidden macro sheet: "
    });
    formula::text((*length).into(), text, line);
}

/// A defined name with its formula: Lbl.
fn name(content: &[u8], line: &mut Vec<u8>) {
    let Some((head, rest)) = content.split_first_chunk::<14>() else { return };
    let [flags, _, _, length, ..] = *head;
    let start = line.len();
    let taken = formula::text(length.into(), rest, line);
    if flags & BUILT_IN != 0 && line.get(start..) == Some(AUTO_OPEN) {
        line.truncate(start);
        line.extend_from_slice(b"Auto_Open");
    }
    line.extend_from_slice(b" = ");
    formula::write(rest.get(taken..).unwrap_or_default(), line);
}

/// The record that begins a workbook, and its version in this format.
const BOF: &[u8] = b"\x09\x08";
const BIFF8: &[u8] = b"\x00\x06";
const BOUND_SHEET: u16 = 0x0085;
const FORMULA: u16 = 0x0006;
const NAME: u16 = 0x0018;
const MACRO_SHEET: u8 = 1;
const BUILT_IN: u8 = 0x20;
const AUTO_OPEN: &[u8] = b"\x01";
