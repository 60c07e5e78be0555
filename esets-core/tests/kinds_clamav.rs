//! ClamAV is the oracle for kinds of objects that signatures name: `.ftm`, handler types.
//!
//! It needs `clamscan` (Debian package `clamav`) and fails without it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use std::fmt::Write as _;

use clamav::{Random, compare, hex};

/// Starts of objects, none of which is known to anyone.
static STARTS: &[&str] = &["zzalpha", "zzbeta-", "\u{1}\u{2}gamma", "yydelta", "\u{3}yyepsi"];

/// Kinds, of each of which there are signatures.
static KINDS: &[&str] = &["GRAPHICS", "PNG", "HTML", "MAIL", "JAVA"];

/// One pattern for each target: which of them are found says what an object is.
fn targets() -> String {
    let line = |target: u8| format!("T{target}:{target}:*:{}\n", hex(b"needle"));
    [0, 1, 3, 4, 5, 7, 12, 14].into_iter().map(line).collect()
}

fn objects(random: &mut Random) -> Vec<Vec<u8>> {
    let object = |random: &mut Random| {
        let start = random.pick(STARTS);
        let length = random.below(40);
        let filling = random.letters("abc ", length);
        let more = random.pick(&["", "word", "in the middle", "\u{5}\u{6}"]);
        format!("{start}{filling}{more} with a needle in it").into_bytes()
    };
    (0..120).map(|_| object(random)).collect()
}

#[test]
fn magic_bytes_say_what_an_object_is() {
    let mut random = Random(11);
    let objects = objects(&mut random);
    let mut rows = String::new();
    for (start, kind) in STARTS.iter().zip(KINDS) {
        let (how, offset, magic) = match random.below(3) {
            0 => (0, "0", hex(start.as_bytes())),
            1 => (0, "2", hex(start.as_bytes().get(2..).unwrap())),
            _ => (1, "0,4", hex(start.as_bytes().get(2..5).unwrap()) + "??"),
        };
        writeln!(rows, "{how}:{offset}:{magic}:M:CL_TYPE_ANY:CL_TYPE_{kind}:50").unwrap();
    }
    compare("magic", &[("a.ftm", rows), ("a.ndb", targets())], &objects);
}

#[test]
fn a_match_says_what_an_object_is_as_well() {
    let mut random = Random(12);
    let mut objects = objects(&mut random);
    // What is text to whom is another question.
    objects.retain(|object| object.iter().all(|byte| *byte >= b' '));
    let mut ldb = String::new();
    for ((place, start), kind) in (0..).zip(STARTS).zip(KINDS) {
        // Where several match, ClamAV handles one: each object has one start.
        let word = hex(start.as_bytes());
        writeln!(ldb, "H{place};Engine:51-255,Target:0,HandlerType:CL_TYPE_{kind};0;{word}")
            .unwrap();
    }
    compare("handler", &[("a.ldb", ldb), ("a.ndb", targets())], &objects);
}

#[test]
fn what_is_said_to_be_a_mail_is_opened_as_one() {
    let part = "--line\r\nContent-Type: application/octet-stream\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naGlkZGVuIG5lZWRsZSBpbiBpdA==\r\n--line--\r\n";
    let object = |start: &str| {
        format!("{start}\r\nContent-Type: multipart/mixed; boundary=line\r\n\r\n{part}")
            .into_bytes()
    };
    let objects = vec![object("zz what is this"), object("yy what is this")];
    let rows = format!("0:0:{}:M:CL_TYPE_ANY:CL_TYPE_MAIL\n", hex(b"zz what"));
    let ndb = format!("N:0:*:{}\n", hex(b"hidden needle"));
    compare("mail", &[("a.ftm", rows), ("a.ndb", ndb)], &objects);
}
