//! yEnc 1.3: every byte plus 42, critical ones escaped by `=`, control lines start with `=y`.

use super::Decode;
use crate::bytes::{from, up_to};
use memchr::{memchr2, memchr3};

#[derive(Default)]
pub(super) struct Yenc {
    in_control_line: bool,
    after_text: bool,
}

impl Decode for Yenc {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut rest = input;
        while !rest.is_empty() {
            if self.in_control_line {
                let end = memchr2(b'\r', b'\n', rest);
                self.in_control_line = end.is_none();
                rest = end.map_or(&[], |end| from(rest, end));
                continue;
            }
            let run = memchr3(b'=', b'\r', b'\n', rest).unwrap_or(rest.len());
            out.extend(up_to(rest, run).iter().map(|b| b.wrapping_sub(42)));
            self.after_text |= run > 0;
            rest = from(rest, run);
            match rest {
                [] | [b'='] if !last => return input.len().saturating_sub(rest.len()),
                [b'=', b'y', ..] if !self.after_text => self.in_control_line = true,
                [b'=', byte, after @ ..] => {
                    out.push(byte.wrapping_sub(64).wrapping_sub(42));
                    self.after_text = true;
                    rest = after;
                }
                [b'=', ..] | [] => break,
                [_, after @ ..] => {
                    self.after_text = false;
                    rest = after;
                }
            }
        }
        input.len()
    }
}
