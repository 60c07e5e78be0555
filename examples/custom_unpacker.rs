//! Adds a format: records of a length (one byte) and that many bytes behind the word `BOX1`.
//!
//! `cargo run -p esets-examples --bin custom_unpacker`

use esets_core::{
    Children, Cursor, Database, Format, Magic, Member, Object, Reason, Scanner, Subject,
    UnpackError, Unpacker,
};

struct Boxes;

static FORMAT: Format = Format {
    name: "box1",
    about: "boxes of up to 255 bytes",
    extensions: &["box"],
    magic: &[Magic::start(b"BOX1")],
    specification: &["this file"],
    limitations: &[],
};

impl Unpacker for Boxes {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    // No limit, no recursion, no verdict: those are the engine's.
    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut cursor = Cursor::new(subject.bytes());
        cursor.take(4)?;
        let mut number = 0_u64;
        while !cursor.is_empty() {
            let size = u64::from(cursor.u8()?);
            let content = cursor.take_up_to(size);
            let name = format!("box {number}");
            children.slice(Member { size: Some(size), ..Member::from(name.as_str()) }, content)?;
            // What the object does wrong is a finding, not an error.
            if (content.len() as u64) < size {
                return Err(Reason::Truncated.into());
            }
            number = number.saturating_add(1);
        }
        Ok(())
    }
}

fn main() {
    let scanner = Scanner::new(Database::embedded()).with_unpacker(&Boxes);
    let whole = b"BOX1\x05first\x0dBOX1\x03one\x03two!";
    print!("{}", scanner.scan(&Object::new(whole).named("a.box")));
    let empty = b"BOX1\x01a\x01b";
    print!("{}", scanner.scan(&Object::new(empty).named("b.box")));
}
