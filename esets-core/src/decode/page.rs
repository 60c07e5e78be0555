//! The parts of a page: what it shows, its scripts, the files in its addresses (RFC 2397).

use std::borrow::Cow;

use memchr::memmem;

/// A page without comments and with numeric character references decoded; scripts keep their
/// comments, which browsers do not see as such.
pub(crate) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let mut rest = text;
    let mut is_script = false;
    let mut is_changed = false;
    let mut has_comment_end = true;
    while let Some(at) = memchr::memchr2(b'&', b'<', rest) {
        let (before, markup) = rest.split_at_checked(at).unwrap_or((rest, b""));
        plain.extend_from_slice(before);
        if !is_script && has_comment_end && markup.starts_with(b"<!--") {
            if let Some(end) = memmem::find(markup, b"-->") {
                is_changed = true;
                rest = markup.get(end..).and_then(|rest| rest.get(3..)).unwrap_or_default();
                continue;
            }
            has_comment_end = false;
        }
        if let Some((letter, length)) = reference(markup) {
            is_changed = true;
            plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = markup.get(length..).unwrap_or_default();
            continue;
        }
        if is_tag(markup, b"<script") {
            is_script = true;
        } else if is_tag(markup, b"</script") {
            is_script = false;
        }
        plain.extend_from_slice(markup.get(..1).unwrap_or_default());
        rest = markup.get(1..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    if is_changed { plain.into() } else { text.into() }
}

/// The letter of `&#77;` or `&#x4d;`, with or without the semicolon, and the length of it.
fn reference(markup: &[u8]) -> Option<(char, usize)> {
    let digits = markup.strip_prefix(b"&#")?;
    let (digits, radix) = match digits {
        [b'x' | b'X', digits @ ..] => (digits, 16),
        digits => (digits, 10),
    };
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let digits = digits.get(zeros..)?;
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let count = digits.iter().take(MOST_DIGITS).take_while(is_digit).count();
    let number = std::str::from_utf8(digits.get(..count)?).ok()?;
    let letter = u32::from_str_radix(number, radix).ok().and_then(char::from_u32)?;
    let behind = digits.get(count..)?;
    let length = markup.len().saturating_sub(behind.len());
    Some((letter, length.saturating_add(usize::from(behind.starts_with(b";")))))
}

/// What lies behind the last end of a page, without the line break: browsers take it for text.
pub(crate) fn behind(page: &[u8]) -> &[u8] {
    let mut ends = memchr::memrchr_iter(b'<', page);
    let end = ends.find_map(|at| page.get(at..).filter(|markup| is_tag(markup, END)));
    end.and_then(|markup| markup.get(END.len()..)).unwrap_or_default().trim_ascii()
}

fn is_tag(markup: &[u8], tag: &[u8]) -> bool {
    markup.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
}

/// What stands in each element `script`; one without an end reaches to the end of the page.
pub(crate) fn scripts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut tags = memchr::memchr_iter(b'<', text);
    let found = std::iter::from_fn(move || {
        let start = tags.find(|at| is_tag(text.get(*at..).unwrap_or_default(), b"<script"))?;
        let end = tags.find(|at| is_tag(text.get(*at..).unwrap_or_default(), b"</script"));
        let element = text.get(start..end.unwrap_or(text.len()))?;
        let open = memchr::memchr(b'>', element).unwrap_or(element.len());
        Some(element.get(open..)?.get(1..).unwrap_or_default().trim_ascii())
    });
    found.filter(|script| !script.is_empty())
}

/// A file in an address.
pub(crate) struct DataUrl<'a> {
    pub(crate) media_type: Cow<'a, str>,
    pub(crate) is_base64: bool,
    /// With `%41` as it is.
    pub(crate) content: &'a [u8],
}

/// Every `data:` address in a text.
pub(crate) fn data_urls(text: &[u8]) -> impl Iterator<Item = DataUrl<'_>> {
    let colons = memchr::memchr_iter(b':', text);
    colons.filter_map(|at| {
        let scheme = text.get(at.checked_sub(4)?..at)?;
        let behind = text.get(at..)?.get(1..)?;
        let head = behind.get(..LONGEST_TYPE).unwrap_or(behind);
        let (declared, _) = head.split_at_checked(memchr::memchr(b',', head)?)?;
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/+.;=-_ ".contains(byte);
        if !scheme.eq_ignore_ascii_case(b"data") || !declared.iter().all(is_plain) {
            return None;
        }
        let content = behind.get(declared.len()..)?.get(1..)?;
        let is_base64 = declared.to_ascii_lowercase().ends_with(b"base64");
        let ends = |byte: &u8| match byte {
            b'"' | b'\'' | b'`' | b')' | b'>' | b'<' => true,
            byte => !is_base64 && byte.is_ascii_whitespace(),
        };
        let end = content.iter().position(ends).unwrap_or(content.len());
        let media_type = declared.split(|byte| *byte == b';').next().unwrap_or_default();
        let content = content.get(..end).filter(|content| content.len() >= SHORTEST)?;
        Some(DataUrl { media_type: String::from_utf8_lossy(media_type), is_base64, content })
    })
}

const END: &[u8] = b"</html>";

/// How many digits a character reference may have behind its zeros.
const MOST_DIGITS: usize = 16;

/// How long the declaration of a data address may be, and how short its content.
const LONGEST_TYPE: usize = 256;
const SHORTEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_do_not_hide_a_letter() {
        let page = format!("&#{}105;&#x{}6e", "0".repeat(40), "0".repeat(40));
        assert_eq!(plain(page.as_bytes()), &b"in"[..]);
    }
}
