//! A page of HTML with its tags and without: lower case, single spaces, no comments.

use std::ops::Range;

use super::entity::{Entity, Written};

/// The views of a page.
#[derive(Debug, Default)]
pub(in crate::database) struct Page {
    /// The page with tags and without comments; white space stands nowhere in scripts and styles.
    pub(in crate::database) tagged: Vec<u8>,
    /// Its text, the targets of its links and the places of its images.
    pub(in crate::database) plain: Vec<u8>,
    /// Where its scripts are in what was read.
    pub(in crate::database) scripts: Vec<Range<usize>>,
}

impl Page {
    /// Reads a page in one pass.
    pub(in crate::database) fn read(bytes: &[u8]) -> Self {
        let mut reader = Reader::new(bytes, None);
        reader.run();
        reader.page
    }

    /// The links of a page, in the same pass.
    pub(in crate::database) fn links(bytes: &[u8]) -> Vec<Link> {
        let mut reader = Reader::new(bytes, Some(Vec::new()));
        reader.run();
        reader.end_link();
        reader.links.unwrap_or_default()
    }
}

/// A link as a reader of the page sees it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::database) struct Link {
    /// Where it leads to, as it stands in the page but for character references.
    pub(in crate::database) target: Vec<u8>,
    /// What it shows: text, and the places of images.
    pub(in crate::database) shown: Vec<u8>,
}

struct Reader<'p> {
    bytes: &'p [u8],
    at: usize,
    page: Page,
    /// Whether white space that comes now is not written.
    is_skipping: bool,
    /// The links, if they are asked for.
    links: Option<Vec<Link>>,
    /// The link that has not ended yet.
    link: Option<Link>,
}

impl<'p> Reader<'p> {
    fn new(bytes: &'p [u8], links: Option<Vec<Link>>) -> Self {
        Self { bytes, at: 0, page: Page::default(), is_skipping: true, links, link: None }
    }

    fn run(&mut self) {
        while self.at < self.bytes.len() {
            self.text();
            self.tag();
        }
    }

    /// Adds to what the link that is read shows.
    fn show_in_link(&mut self, text: &[u8]) {
        if let Some(link) = &mut self.link {
            link.shown.extend(text);
        }
    }

    fn end_link(&mut self) {
        if let (Some(links), Some(link)) = (&mut self.links, self.link.take()) {
            links.push(link);
        }
    }

    /// Sees a tag and the value of it that is shown.
    fn note_link(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"a" => {
                self.end_link();
                if self.links.is_some() && !value.is_empty() {
                    self.link = Some(Link { target: value.to_vec(), shown: Vec::new() });
                }
            }
            b"/a" => self.end_link(),
            b"img" => {
                self.show_in_link(b" ");
                self.show_in_link(value);
                self.show_in_link(b" ");
            }
            _ if BREAKS.contains(&name) => self.show_in_link(b" "),
            _ => {}
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes the next byte but zeros.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at = self.at.saturating_add(1);
            if byte != 0 {
                return Some(byte);
            }
        }
    }

    /// Writes to the view with tags.
    fn write(&mut self, byte: u8) {
        if is_space(byte) {
            if !self.is_skipping {
                self.page.tagged.push(b' ');
            }
            self.is_skipping = true;
        } else {
            self.page.tagged.push(byte.to_ascii_lowercase());
            self.is_skipping = false;
        }
    }

    /// Writes to the view without tags.
    fn show(&mut self, byte: u8) {
        if byte > b' ' {
            self.page.plain.push(byte.to_ascii_lowercase());
        } else if self.page.plain.last() != Some(&b' ') {
            self.page.plain.push(b' ');
        }
    }

    /// Takes a character reference, its ampersand was taken; in text or in a value.
    fn reference(&mut self, value: Option<&mut Vec<u8>>) {
        self.at = self.at.saturating_sub(1);
        let entity = Entity::read(self.rest());
        let end = self.at.saturating_add(entity.length);
        let raw = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        let written = match &entity.written {
            Written::Byte(byte) => vec![*byte],
            Written::Unit(unit) => format!("&#x{unit:04x};").into_bytes(),
            Written::Nothing => Vec::new(),
            Written::AsIs => raw.to_vec(),
        };
        self.page.tagged.extend(written.to_ascii_lowercase());
        self.is_skipping = false;
        match value {
            Some(value) => value.extend(written),
            None => {
                self.show_in_link(&entity.written.in_utf8().unwrap_or(written));
                self.show(b' ');
                self.semicolon();
            }
        }
    }

    /// Takes what ends a name that is not known; it is not shown.
    fn semicolon(&mut self) {
        if self.rest().first() == Some(&b';') {
            self.at = self.at.saturating_add(1);
            self.write(b';');
        }
    }

    /// Takes text up to the next tag.
    fn text(&mut self) {
        while let Some(byte) = self.next() {
            match byte {
                b'<' => {
                    self.at = self.at.saturating_sub(1);
                    return;
                }
                b'&' => self.reference(None),
                _ => {
                    self.write(byte);
                    self.show(byte);
                    self.show_in_link(&[byte]);
                }
            }
        }
    }

    /// Takes a tag or a comment, and what stands raw behind it.
    fn tag(&mut self) {
        if self.next().is_none() {
            return;
        }
        self.show(b' ');
        self.skip_space();
        if self.rest().first() == Some(&b'!') {
            while self.next().is_some_and(|byte| byte != b'>') {}
            self.is_skipping = true;
            return;
        }
        self.page.tagged.push(b'<');
        self.is_skipping = true;
        let name = self.name(false);
        let mut shown = Vec::new();
        let wanted = SHOWN.iter().find(|(tag, _)| *tag == name).map(|(_, argument)| *argument);
        self.arguments(wanted, &mut shown);
        self.note_link(&name, &shown);
        if !shown.is_empty() {
            self.page.plain.extend(shown);
            self.show(b' ');
        }
        if let Some(end) = RAW.iter().find(|(tag, _)| *tag == name).map(|(_, end)| *end) {
            self.raw(&name, end);
        }
        self.is_skipping = true;
    }

    fn skip_space(&mut self) {
        while self.rest().first().is_some_and(|byte| is_space(*byte) || *byte == 0) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Takes the name of a tag or of an argument; what ends it is left. It is empty if it is
    /// longer than any that is known. A name of a tag may have an equals sign in it.
    fn name(&mut self, is_argument: bool) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.next() {
            if is_space(byte) || byte == b'>' || (byte == b'=' && is_argument && !name.is_empty()) {
                self.at = self.at.saturating_sub(1);
                break;
            }
            self.write(byte);
            if name.len() <= LONGEST {
                name.push(byte.to_ascii_lowercase());
            }
        }
        if name.len() > LONGEST { Vec::new() } else { name }
    }

    /// Takes the arguments of a tag and its end; the first value of the one that is `wanted`.
    fn arguments(&mut self, wanted: Option<&[u8]>, shown: &mut Vec<u8>) {
        loop {
            self.skip_space();
            match self.rest().first() {
                None => return,
                Some(b'>') => {
                    self.at = self.at.saturating_add(1);
                    self.page.tagged.push(b'>');
                    return;
                }
                Some(b'=') => self.value(&mut Vec::new()),
                Some(_) => {
                    self.is_skipping = false;
                    self.write(b' ');
                    let name = self.name(true);
                    self.skip_space();
                    if self.rest().first() == Some(&b'=') {
                        let mut value = Vec::new();
                        self.value(&mut value);
                        if wanted == Some(&name) && shown.is_empty() {
                            *shown = value;
                        }
                    }
                }
            }
        }
    }

    /// Takes a value and the sign before it; the sign that ends a tag ends every value.
    fn value(&mut self, value: &mut Vec<u8>) {
        self.at = self.at.saturating_add(1);
        self.page.tagged.push(b'=');
        self.skip_space();
        let quote = self.rest().first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
        if quote.is_some() {
            self.at = self.at.saturating_add(1);
            self.page.tagged.push(b'"');
            // A value that begins with white space is none; names follow.
            if self.rest().first().is_some_and(|byte| is_space(*byte)) {
                return;
            }
        }
        self.is_skipping = false;
        while let Some(byte) = self.next() {
            match byte {
                b'>' => {
                    self.at = self.at.saturating_sub(1);
                    return;
                }
                byte if Some(byte) == quote => {
                    self.page.tagged.push(b'"');
                    return;
                }
                byte if is_space(byte) && quote.is_none() => return,
                b'&' => self.reference(Some(value)),
                b'\'' => {
                    self.write(b'"');
                    value.push(b'"');
                }
                byte => {
                    if !(is_space(byte) && self.is_skipping) {
                        value.push(if is_space(byte) { b' ' } else { byte });
                    }
                    self.write(byte);
                }
            }
        }
    }

    /// Takes what is no markup, up to the tag that ends it.
    fn raw(&mut self, name: &[u8], end: &[u8]) {
        let start = self.at;
        while !starts_with(self.rest(), end) {
            match self.next() {
                None => break,
                Some(b'&') => self.reference_in_raw(),
                Some(b'\'') => self.page.tagged.push(b'"'),
                Some(byte) if is_space(byte) => {}
                Some(byte) => self.page.tagged.push(byte.to_ascii_lowercase()),
            }
        }
        if name == b"script" {
            self.page.scripts.push(start..self.at);
        }
    }

    fn reference_in_raw(&mut self) {
        let plain = self.page.plain.len();
        self.reference(None);
        self.page.plain.truncate(plain);
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

fn starts_with(bytes: &[u8], tag: &[u8]) -> bool {
    bytes.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
}

/// No name of a tag or argument that means something is longer.
const LONGEST: usize = 8;

/// The arguments that are shown where tags are not.
static SHOWN: &[(&[u8], &[u8])] = &[(b"a", b"href"), (b"img", b"src")];

/// The tags that part what is before them from what follows.
static BREAKS: &[&[u8]] = &[b"br", b"br/", b"p", b"/p", b"div", b"/div", b"td", b"/td", b"li"];

/// The tags behind which no markup comes, and what ends it.
static RAW: &[(&[u8], &[u8])] = &[(b"script", b"</script"), (b"style", b"</style")];
