//! ClamAV is the oracle for what stands in logical signatures: regular expressions, comparisons of
//! bytes, whole words.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]
#![allow(dead_code, reason = "the oracle is shared between tests")]

mod clamav;

use std::fmt::Write as _;

use clamav::{Random, compare, texts};

/// Objects that are no text, as ClamAV searches text in lower case as well.
fn objects(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let mut objects = texts(random, count);
    objects.iter_mut().for_each(|object| object.extend(b"\x00\x01\x02\xff"));
    objects
}

fn regexes(case: &str, offsets: &[&str], flags: &[&str], expressions: &[&str]) {
    let mut random = Random(case.len() as u64);
    let parts = [
        "a",
        "b",
        "c",
        "ab",
        "a+",
        "b*c",
        "[ab]",
        "[^a]",
        "(a|bc)",
        ".",
        "\\.",
        "(?:ab)?",
        "c{2}",
        "a{1,2}",
        "\\x61",
        "\\w",
        "\\W",
        "b+?",
        "^",
        "$",
        "(?=a)",
        "(?<!b)c",
        "([abc])\\1",
    ];
    let mut lines = String::new();
    for number in 0..200 {
        // With `g`, ClamAV never comes to an end where nothing is matched again and again.
        let mut regex: String = (0..1 + random.below(3)).map(|_| random.pick(&parts)).collect();
        regex.push_str(random.pick(&["a", "b", "[bc]"]));
        let (offset, flags) = (random.pick(offsets), random.pick(flags));
        let expression = random.pick(expressions);
        let (first, trigger) = (random.literal(2, 2), random.pick(&["0", "0", "0>1", "0=0"]));
        writeln!(
            lines,
            "R{number};Engine:81-255,Target:0;{expression};{first};{offset}{trigger}/{regex}/{flags}"
        )
        .unwrap();
    }
    let objects = objects(&mut random, 150);
    compare(case, &[("a.ldb", lines)], &objects);
}

#[test]
fn regular_expressions() {
    regexes("regex", &[""], &["", "i", "s", "m", "x", "A"], &["1", "0&1"]);
}

#[test]
fn regular_expressions_are_counted() {
    regexes("regex-count", &[""], &["", "g", "gi"], &["1>1", "1>2&0", "1=1", "(0|1)>2", "1"]);
}

#[test]
fn regular_expressions_with_offsets() {
    let offsets = ["0:", "3:", "2,4:", "0,10:", "10,30:"];
    regexes("regex-offset", &offsets, &["", "r", "e", "re", "g", "ge", "gr"], &["1", "1>1"]);
}

#[test]
fn comparisons_of_bytes() {
    let mut random = Random(21);
    let mut lines = String::new();
    for number in 0..300 {
        let kind = random.pick(&["hb", "hl", "db", "hbe", "dbe", "ib", "il"]);
        let length = match random.pick(&["1", "2", "4", "3"]) {
            "3" if kind.starts_with('i') || kind == "hl" => "2",
            length => length,
        };
        let place = random.pick(&[">>1", ">>2", ">>3", ">>0x4", "<<1", "<<3", ">>0"]);
        let test = random.pick(&[">1", "<200", "=17", ">0x10,<0x2000", "<0x8000", ">20", "=0x12"]);
        writeln!(
            lines,
            "B{number};Engine:81-255,Target:0;0&1;{};0({place}#{kind}{length}#{test})",
            random.literal(1, 2).repeat(2)
        )
        .unwrap();
    }
    let mut objects = Vec::new();
    for _ in 0..150 {
        let mut object = b"\x01\x01\x01\x01\x01".to_vec();
        for _ in 0..1 + random.below(2) {
            object.extend(random.letters("aab", 6).into_bytes());
            object.extend(random.letters("0123456789", 8).into_bytes());
        }
        object.extend(b"\x00\x01\x02\xff");
        objects.push(object);
    }
    compare("comparison", &[("a.ldb", lines)], &objects);
}

#[test]
fn whole_words() {
    let mut random = Random(23);
    let mut lines = String::new();
    for number in 0..200 {
        let modifier = random.pick(&["::f", "::fw", "::fa", "::fwa", "::fi", "::fwi", "::fwai"]);
        let offset = random.pick(&["", "", "", "0:", "3:", "1,9:", "EOF-14,14:"]);
        let pattern = random.literal(3, 4);
        writeln!(lines, "W{number};Engine:81-255,Target:0;0;{offset}{pattern}{modifier}").unwrap();
    }
    let mut objects: Vec<Vec<u8>> =
        (0..80).map(|_| random.letters("aAbBcC.. ", 40).into_bytes()).collect();
    let wide = |object: &Vec<u8>| object.iter().flat_map(|byte| [*byte, 0]).collect();
    objects.extend(objects.clone().iter().map(wide));
    objects.iter_mut().for_each(|object| object.extend(b"\x00\x01\x02\xff"));
    compare("words", &[("a.ldb", lines)], &objects);
}

#[test]
fn text_in_lower_case() {
    let mut random = Random(24);
    let (mut ndb, mut ldb) = (String::new(), String::new());
    let piece = |random: &mut Random| {
        let length = 3 + random.below(3);
        random.letters("abAB  ", length)
    };
    for number in 0..150 {
        let (target, offset) =
            (random.pick(&["0", "7"]), random.pick(&["*", "*", "0", "EOF-9,6", "2,20"]));
        let first = clamav::hex(piece(&mut random).as_bytes());
        writeln!(ndb, "T{number}:{target}:{offset}:{first}").unwrap();
        let second = clamav::hex(piece(&mut random).as_bytes());
        let i = random.pick(&["", "::i"]);
        writeln!(ldb, "L{number};Engine:51-255,Target:{target};0&1;{first};{second}{i}").unwrap();
    }
    let text = |random: &mut Random| {
        let text = random.letters("aaabbbABAB \t\n\r\x0b\x0c", 60);
        text.replace('b', random.pick(&["b", "b", "b\u{e9}"])).into_bytes()
    };
    let objects: Vec<_> = (0..150).map(|_| text(&mut random)).collect();
    compare("text", &[("a.ndb", ndb), ("a.ldb", ldb)], &objects);
}

/// One member in a POSIX archive, stored.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append_data(&mut header, name, content).unwrap();
    builder.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn containers() {
    let mut ldb = String::new();
    let kinds = ["ANY", "GZ", "POSIX_TAR", "OLD_TAR", "ZIP"].map(|kind| format!("CL_TYPE_{kind}"));
    let mut conditions: Vec<String> =
        kinds.iter().map(|kind| format!("Container:{kind}")).collect();
    for kind in &kinds[1..] {
        conditions.push(format!("Intermediates:{kind}"));
        let around = kinds.iter().map(|outer| format!("Intermediates:{outer}>{kind}"));
        conditions.extend(around);
    }
    conditions.extend(["FileSize:20-40", "FileSize:25-25", "FileSize:0-10"].map(String::from));
    for (number, condition) in conditions.iter().enumerate() {
        writeln!(ldb, "C{number};Engine:81-255,{condition},Target:0;0;6d61726b6572").unwrap();
    }
    let marker = b"\x01\x02\xffthe marker is here\x00\x01";
    let objects = [
        marker.to_vec(),
        gzip(marker),
        gzip(&gzip(marker)),
        gzip(&tar("a", marker)),
        gzip(&tar("a.gz", &gzip(marker))),
        tar("a.gz", &gzip(marker)),
        tar("a.tar.gz", &gzip(&tar("b", marker))),
    ];
    compare("containers", &[("a.ldb", ldb)], &objects);
}
