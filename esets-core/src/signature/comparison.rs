//! Byte comparisons, `0(>>4#ib2#=7)`: a number near the place where another sub-signature lies.

use super::Rejection;
use super::Test;

/// A number near the place where another sub-signature lies, and what must hold of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The other sub-signature; of its matches, the last one counts.
    pub of: u8,
    /// How many bytes behind its start the number lies, or before it.
    pub distance: i64,
    /// How the number is written.
    pub notation: Notation,
    /// Whether the least significant byte comes first, or in text the last pair of digits.
    pub is_little: bool,
    /// Whether every byte of a number in text must be a digit.
    pub is_exact: bool,
    /// How many bytes it takes.
    pub length: u8,
    /// What must hold, all of it.
    pub tests: Vec<(Test, i64)>,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notation {
    /// `a`: digits, hexadecimal with `0x` before them.
    Automatic,
    /// `i`: bytes.
    Binary,
    /// `d`: decimal digits.
    Decimal,
    /// `h`: hexadecimal digits.
    Hexadecimal,
}

impl Comparison {
    /// Reads `sub(offset#options#comparisons)`.
    ///
    /// # Errors
    /// [`Rejection::Field`] where the syntax is broken.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        parse(text).ok_or(Rejection::Field("byte comparison"))
    }

    /// Whether it holds in `data` for a match that begins at `start`.
    pub(crate) fn holds(&self, data: &[u8], start: usize) -> bool {
        let length = usize::from(self.length);
        let there = i64::try_from(start).ok().and_then(|start| start.checked_add(self.distance));
        let there = there.and_then(|there| usize::try_from(there).ok());
        let bytes = there.and_then(|there| data.get(there..there.checked_add(length)?));
        let Some(number) = bytes.and_then(|bytes| self.number(bytes)) else { return false };
        self.tests.iter().all(|(test, value)| match test {
            Test::Equal => number == *value,
            Test::Greater => number > *value,
            Test::Less => number < *value,
        })
    }

    fn number(&self, bytes: &[u8]) -> Option<i64> {
        if self.notation == Notation::Binary {
            let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            let number = match self.is_little {
                true => bytes.iter().rev().fold(0, add),
                false => bytes.iter().fold(0, add),
            };
            return Some(number.cast_signed());
        }
        let space = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let text = bytes.get(space..)?;
        let prefixed = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"));
        let (digits, radix) = match (self.notation, prefixed) {
            (Notation::Automatic | Notation::Hexadecimal, Some(digits)) => (digits, 16),
            (Notation::Hexadecimal, None) => (text, 16),
            _ => (text, 10),
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let count = digits.iter().take_while(is_digit).count();
        if self.is_exact && count != bytes.len() {
            return None;
        }
        let mut digits = digits.get(..count).unwrap_or_default().to_vec();
        if self.is_little && radix == 16 {
            digits = digits.rchunks(2).flatten().copied().collect();
        }
        if digits.is_empty() {
            // As ClamAV has it.
            return Some(0);
        }
        i64::from_str_radix(std::str::from_utf8(&digits).ok()?, radix).ok()
    }
}

fn parse(text: &str) -> Option<Comparison> {
    let (of, rest) = text.split_once('(')?;
    let mut fields = rest.strip_suffix(')')?.split('#');
    let (distance, options, tests) = (fields.next()?, fields.next()?, fields.next()?);
    let distance = match (distance.strip_prefix(">>"), distance.strip_prefix("<<")) {
        (Some(behind), _) => number(behind)?,
        (_, Some(before)) => number(before)?.checked_neg()?,
        _ => return None,
    };
    let digits = options.find(|c: char| c.is_ascii_digit())?;
    let (options, length) = options.split_at_checked(digits)?;
    let mut comparison = Comparison {
        of: of.parse().ok()?,
        distance,
        notation: Notation::Automatic,
        is_little: false,
        is_exact: false,
        length: length.parse().ok()?,
        tests: tests.split(',').map(test).collect::<Option<_>>()?,
    };
    for option in options.chars() {
        match option {
            'a' => comparison.notation = Notation::Automatic,
            'b' => comparison.is_little = false,
            'd' => comparison.notation = Notation::Decimal,
            'e' => comparison.is_exact = true,
            'h' => comparison.notation = Notation::Hexadecimal,
            'i' => comparison.notation = Notation::Binary,
            'l' => comparison.is_little = true,
            _ => return None,
        }
    }
    let is_sound = match comparison.notation {
        Notation::Binary => matches!(comparison.length, 1 | 2 | 4 | 8),
        Notation::Decimal => !comparison.is_little && (1..=20).contains(&comparison.length),
        _ => (1..=20).contains(&comparison.length),
    };
    let is_short = fields.next().is_none() && comparison.tests.len() <= 2;
    (is_sound && is_short).then_some(comparison)
}

fn test(text: &str) -> Option<(Test, i64)> {
    let test = match text.chars().next()? {
        '=' => Test::Equal,
        '>' => Test::Greater,
        '<' => Test::Less,
        _ => return None,
    };
    Some((test, number(text.get(1..)?)?))
}

/// Decimal, or hexadecimal with `0x` before it.
fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, data: &[u8]) -> bool {
        Comparison::parse(text).unwrap().holds(data, 1)
    }

    #[test]
    fn numbers_are_read_in_every_notation() {
        assert!(holds("0(>>2#ib2#=258)", b".ab\x01\x02"));
        assert!(holds("0(>>2#il2#=513)", b".ab\x01\x02"));
        assert!(holds("0(>>2#db3#>100,<200)", b".ab123"));
        assert!(!holds("0(>>2#db3#>100,<120)", b".ab123"));
        assert!(holds("0(>>2#hb4#=0x12ab)", b".ab12ab"));
        assert!(holds("0(>>2#hl4#=0xab12)", b".ab12ab"));
        assert!(holds("0(>>2#ab4#=0x1f)", b".ab0x1f"));
        assert!(holds("0(>>2#ab4#=17)", b".ab17zz"));
        assert!(!holds("0(>>2#dbe4#=17)", b".ab17zz"));
        assert!(holds("0(<<1#ib1#=46)", b".ab"));
        assert!(!holds("0(<<2#ib1#=46)", b".ab"));
        assert!(!holds("0(>>2#ib2#=258)", b".ab\x01"));
        assert!(holds("0(>>2#db2#=0)", b".abxy"));
    }

    #[test]
    fn the_syntax_is_read_or_refused() {
        for good in ["0(>>5#hb2#=512)", "12(<<0x10#il8#>1,<0x20)", "0(>>0#dbe9#<7)"] {
            assert!(Comparison::parse(good).is_ok(), "{good}");
        }
        for bad in ["0(5#hb2#=512)", "0(>>5#ib3#=1)", "0(>>5#dl2#=1)", "0(>>5#h#=1)", "0(>>5#h2#1)"]
        {
            assert!(Comparison::parse(bad).is_err(), "{bad}");
        }
        assert!(Comparison::parse("0(>>5#h2#=1,=2,=3)").is_err());
    }
}
