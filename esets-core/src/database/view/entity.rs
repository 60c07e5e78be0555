//! Character references of HTML, as far as ClamAV writes them as characters.

/// A character reference at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entity {
    /// How long it is in the text, the ampersand included.
    pub(super) length: usize,
    pub(super) written: Written,
}

/// How a character reference is written in a view.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As the byte of Latin-1.
    Byte(u8),
    /// As `&#x%04x;`.
    Unit(u16),
    /// Not at all.
    Nothing,
    /// As it stands.
    AsIs,
}

impl Written {
    fn of(unit: u16) -> Self {
        match u8::try_from(unit) {
            Ok(byte) if byte < u8::MAX => Self::Byte(byte),
            _ => Self::Unit(unit),
        }
    }

    /// The character that is meant, if one is known.
    pub(super) fn in_utf8(&self) -> Option<Vec<u8>> {
        let character = match self {
            Self::Byte(byte) => char::from(*byte),
            Self::Unit(unit) => char::from_u32((*unit).into())?,
            Self::Nothing | Self::AsIs => return None,
        };
        Some(character.encode_utf8(&mut [0; 4]).as_bytes().to_vec())
    }
}

impl Entity {
    /// Reads the reference at the start of `text`, which begins with an ampersand.
    pub(super) fn read(text: &[u8]) -> Self {
        match text {
            [_, b'#', b'x' | b'X', digits @ ..] => number(digits, 3, 16),
            [_, b'#', digits @ ..] => number(digits, 2, 10),
            [_, name @ ..] => named(name),
            [] => Self { length: 0, written: Written::Nothing },
        }
    }
}

fn number(text: &[u8], before: usize, radix: u32) -> Entity {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let digits = text.iter().map_while(digit);
    let (count, value) = digits.fold((0_usize, 0_u64), |(count, value), digit| {
        let value = value.wrapping_mul(radix.into()).wrapping_add(digit.into());
        (count.saturating_add(1), value)
    });
    let semicolon = usize::from(text.get(count) == Some(&b';'));
    let length = before.saturating_add(count).saturating_add(semicolon);
    let [low, high, ..] = value.to_le_bytes();
    let written = match u16::from_le_bytes([low, high]) {
        0 if value > 0 => Written::Nothing,
        _ if value == 0 => Written::Byte(0),
        unit if value > u16::MAX.into() => Written::Unit(unit),
        unit => Written::of(unit),
    };
    Entity { length, written }
}

fn named(text: &[u8]) -> Entity {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = text.get(..length).unwrap_or_default();
    let known = NAMES.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok();
    let known = known.and_then(|at| NAMES.get(at)).filter(|_| text.get(length) == Some(&b';'));
    match known {
        Some((_, unit)) => Entity { length: length.saturating_add(2), written: Written::of(*unit) },
        None => Entity { length: length.saturating_add(1), written: Written::AsIs },
    }
}

/// The names of characters (HTML 4.01, section 24, and XML 1.0, section 4.6), sorted.
#[rustfmt::skip]
static NAMES: &[(&str, u16)] = &[
    ("AElig", 198), ("Aacute", 193), ("Acirc", 194), ("Agrave", 192), ("Alpha", 913),
    ("Aring", 197), ("Atilde", 195), ("Auml", 196), ("Beta", 914), ("Ccedil", 199), ("Chi", 935),
    ("Dagger", 8225), ("Delta", 916), ("ETH", 208), ("Eacute", 201), ("Ecirc", 202),
    ("Egrave", 200), ("Epsilon", 917), ("Eta", 919), ("Euml", 203), ("Gamma", 915),
    ("Iacute", 205), ("Icirc", 206), ("Igrave", 204), ("Iota", 921), ("Iuml", 207),
    ("Kappa", 922), ("Lambda", 923), ("Mu", 924), ("Ntilde", 209), ("Nu", 925), ("OElig", 338),
    ("Oacute", 211), ("Ocirc", 212), ("Ograve", 210), ("Omega", 937), ("Omicron", 927),
    ("Oslash", 216), ("Otilde", 213), ("Ouml", 214), ("Phi", 934), ("Pi", 928), ("Prime", 8243),
    ("Psi", 936), ("Rho", 929), ("Scaron", 352), ("Sigma", 931), ("THORN", 222), ("Tau", 932),
    ("Theta", 920), ("Uacute", 218), ("Ucirc", 219), ("Ugrave", 217), ("Upsilon", 933),
    ("Uuml", 220), ("Xi", 926), ("Yacute", 221), ("Yuml", 376), ("Zeta", 918), ("aacute", 225),
    ("acirc", 226), ("acute", 180), ("aelig", 230), ("agrave", 224), ("alefsym", 8501),
    ("alpha", 945), ("amp", 38), ("and", 8743), ("ang", 8736), ("apos", 39), ("aring", 229),
    ("asymp", 8776), ("atilde", 227), ("auml", 228), ("bdquo", 8222), ("beta", 946),
    ("brvbar", 166), ("bull", 8226), ("cap", 8745), ("ccedil", 231), ("cedil", 184),
    ("cent", 162), ("chi", 967), ("circ", 710), ("clubs", 9827), ("cong", 8773), ("copy", 169),
    ("crarr", 8629), ("cup", 8746), ("curren", 164), ("dArr", 8659), ("dagger", 8224),
    ("darr", 8595), ("deg", 176), ("delta", 948), ("diams", 9830), ("divide", 247),
    ("eacute", 233), ("ecirc", 234), ("egrave", 232), ("empty", 8709), ("emsp", 8195),
    ("ensp", 8194), ("epsilon", 949), ("equiv", 8801), ("eta", 951), ("eth", 240), ("euml", 235),
    ("euro", 8364), ("exist", 8707), ("fnof", 402), ("forall", 8704), ("frac12", 189),
    ("frac14", 188), ("frac34", 190), ("frasl", 8260), ("gamma", 947), ("ge", 8805), ("gt", 62),
    ("hArr", 8660), ("harr", 8596), ("hearts", 9829), ("hellip", 8230), ("iacute", 237),
    ("icirc", 238), ("iexcl", 161), ("igrave", 236), ("image", 8465), ("infin", 8734),
    ("int", 8747), ("iota", 953), ("iquest", 191), ("isin", 8712), ("iuml", 239), ("kappa", 954),
    ("lArr", 8656), ("lambda", 955), ("lang", 9001), ("laquo", 171), ("larr", 8592),
    ("lceil", 8968), ("ldquo", 8220), ("le", 8804), ("lfloor", 8970), ("lowast", 8727),
    ("loz", 9674), ("lrm", 8206), ("lsaquo", 8249), ("lsquo", 8216), ("lt", 60), ("macr", 175),
    ("mdash", 8212), ("micro", 181), ("middot", 183), ("minus", 8722), ("mu", 956),
    ("nabla", 8711), ("nbsp", 160), ("ndash", 8211), ("ne", 8800), ("ni", 8715), ("not", 172),
    ("notin", 8713), ("nsub", 8836), ("ntilde", 241), ("nu", 957), ("oacute", 243),
    ("ocirc", 244), ("oelig", 339), ("ograve", 242), ("oline", 8254), ("omega", 969),
    ("omicron", 959), ("oplus", 8853), ("or", 8744), ("ordf", 170), ("ordm", 186),
    ("oslash", 248), ("otilde", 245), ("otimes", 8855), ("ouml", 246), ("para", 182),
    ("part", 8706), ("permil", 8240), ("perp", 8869), ("phi", 966), ("pi", 960), ("piv", 982),
    ("plusmn", 177), ("pound", 163), ("prime", 8242), ("prod", 8719), ("prop", 8733),
    ("psi", 968), ("quot", 34), ("rArr", 8658), ("radic", 8730), ("rang", 9002), ("raquo", 187),
    ("rarr", 8594), ("rceil", 8969), ("rdquo", 8221), ("real", 8476), ("reg", 174),
    ("rfloor", 8971), ("rho", 961), ("rlm", 8207), ("rsaquo", 8250), ("rsquo", 8217),
    ("sbquo", 8218), ("scaron", 353), ("sdot", 8901), ("sect", 167), ("shy", 173), ("sigma", 963),
    ("sigmaf", 962), ("sim", 8764), ("spades", 9824), ("sub", 8834), ("sube", 8838),
    ("sum", 8721), ("sup", 8835), ("sup1", 185), ("sup2", 178), ("sup3", 179), ("supe", 8839),
    ("szlig", 223), ("tau", 964), ("there4", 8756), ("theta", 952), ("thetasym", 977),
    ("thinsp", 8201), ("thorn", 254), ("tilde", 732), ("times", 215), ("trade", 8482),
    ("uArr", 8657), ("uacute", 250), ("uarr", 8593), ("ucirc", 251), ("ugrave", 249),
    ("uml", 168), ("upsih", 978), ("upsilon", 965), ("uuml", 252), ("weierp", 8472), ("xi", 958),
    ("yacute", 253), ("yen", 165), ("yuml", 255), ("zeta", 950), ("zwj", 8205), ("zwnj", 8204),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_written_as_clamav_writes_them() {
        for (text, length, written) in [
            ("&lt;b", 4, Written::Byte(b'<')),
            ("&eacute;", 8, Written::Byte(0xe9)),
            ("&alpha;", 7, Written::Unit(0x3b1)),
            ("&lt b", 3, Written::AsIs),
            ("&bogus;", 6, Written::AsIs),
            ("&;", 1, Written::AsIs),
            ("&#106avascript", 5, Written::Byte(b'j')),
            ("&#x6A;", 6, Written::Byte(b'j')),
            ("&#0000106;", 10, Written::Byte(b'j')),
            ("&#;", 3, Written::Byte(0)),
            ("&#255;", 6, Written::Unit(255)),
            ("&#300;", 6, Written::Unit(300)),
            ("&#65536;", 8, Written::Nothing),
            ("&#99999999999;", 14, Written::Unit(0xe7ff)),
        ] {
            assert_eq!(Entity::read(text.as_bytes()), Entity { length, written }, "{text}");
        }
    }
}
