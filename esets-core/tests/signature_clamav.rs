//! ClamAV is the oracle: generated signatures over generated objects, verdict and names compared.
//!
//! What the two are known to
//! see differently stands in `docs/clamav-differences.md` and is not generated here.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

mod clamav;

use std::fmt::Write as _;

use clamav::{Random, compare, differences, hex, texts};
use sha2::Digest as _;

/// Body signatures whose literals are joined by what `joints` offers.
fn bodies(random: &mut Random, joints: &[&str], offsets: &[&str], count: usize) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let mut pattern = random.literal(2, 4);
        for _ in 0..=random.below(2) {
            pattern += random.pick(joints);
            pattern += &random.literal(2, 3);
        }
        let target = random.pick(&["0", "7"]);
        writeln!(lines, "P{number}:{target}:{}:{pattern}", random.pick(offsets)).unwrap();
    }
    lines
}

fn compare_joints(case: &str, joints: &[&str]) {
    let mut random = Random(case.len() as u64);
    let lines = bodies(&mut random, joints, &["*"], 150);
    let objects = texts(&mut random, 150);
    compare(case, &[("a.ndb", lines)], &objects);
}

#[test]
fn wildcards_for_one_byte() {
    compare_joints("wildcards", &["??", "6?", "?2", "????", "", "{1}", "{3}"]);
}

#[test]
fn gaps_with_limits() {
    compare_joints("gaps", &["{1-2}", "{-3}", "{0-4}", "{2-5}", "{4}"]);
}

#[test]
fn gaps_without_limits() {
    compare_joints("stars", &["*", "{2-}", "{5-}", "*"]);
}

#[test]
fn choices() {
    compare_joints(
        "choices",
        &["(61|62)", "(61|62|2e)", "!(61|62)", "(6161|6262)", "!(6162|6361)"],
    );
}

#[test]
fn choices_of_different_lengths() {
    let mut random = Random(5);
    let lines = bodies(&mut random, &["(61|6263)", "(616161|62|6363)"], &["*"], 150);
    let objects = texts(&mut random, 150);
    let differences = differences("uneven", &[("a.ndb", lines)], &objects);
    // ClamAV takes some patterns for found that are not there, see the document.
    let ours: Vec<_> = differences.iter().filter(|line| line.starts_with("only we")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert!(differences.len() < 40, "{differences:?}");
}

#[test]
fn offsets() {
    let mut random = Random(7);
    let offsets = ["0", "3", "2,4", "0,10", "EOF-8", "EOF-12,6", "EOF-20,20", "10,30"];
    let lines = bodies(&mut random, &["", "??", "{-3}", "*"], &offsets, 300);
    let objects = texts(&mut random, 200);
    compare("offsets", &[("a.ndb", lines)], &objects);
}

#[test]
fn digests_with_and_without_sizes() {
    let mut random = Random(8);
    let objects = texts(&mut random, 60);
    let (mut hdb, mut hsb, mut fp) = (String::new(), String::new(), String::new());
    for (number, object) in objects.iter().enumerate() {
        let size = match number % 4 {
            0 => object.len() + 1,
            _ => object.len(),
        };
        match number % 3 {
            0 => writeln!(hdb, "{}:{size}:M{number}", hex(&md5::Md5::digest(object))).unwrap(),
            1 => writeln!(hsb, "{}:{size}:S{number}", hex(&sha1::Sha1::digest(object))).unwrap(),
            _ => writeln!(hsb, "{}:*:A{number}:73", hex(&sha2::Sha256::digest(object))).unwrap(),
        }
        if number % 10 == 1 {
            let digest = hex(&md5::Md5::digest(object));
            writeln!(fp, "{digest}:{}:good{number}", object.len()).unwrap();
        }
    }
    compare("digests", &[("a.hdb", hdb), ("a.hsb", hsb), ("a.fp", fp)], &objects);
}

#[test]
fn logical_expressions() {
    let mut random = Random(9);
    // By how many sub-signatures they name.
    let expressions: [&[&str]; 3] = [
        &["0", "0>1", "0=1", "0=2", "0>0"],
        &["0&1", "0|1", "0=1&1", "0=0&1", "0<2&1", "(0|1)>2", "(0|1)=2", "0=2|1=2", "1>1|0"],
        &["(0|1)&2", "0&1&2", "(0&1)|2", "(0|1|2)>3,2", "(0|1|2)=3,2", "0>1&(1|2)", "(0|1)<3&2"],
    ];
    let mut lines = String::new();
    for number in 0..200 {
        let named = usize::try_from(random.below(3)).unwrap();
        let expression = random.pick(expressions.get(named).unwrap());
        let subs: Vec<String> = (0..=named).map(|_| random.literal(3, 4)).collect();
        let subs = subs.join(";");
        writeln!(lines, "L{number};Engine:51-255,Target:0;{expression};{subs}").unwrap();
    }
    let objects = texts(&mut random, 150);
    compare("logical", &[("a.ldb", lines)], &objects);
}

#[test]
fn modifiers_of_sub_signatures() {
    let mut random = Random(10);
    let mut lines = String::new();
    for number in 0..150 {
        let modifier =
            random.pick(&["::i", "::w", "::wa", "::a", "::f", "::iw", "::iwa", "::fi", ""]);
        let offset = if modifier.contains('f') { "" } else { random.pick(&["", "", "0:", "1,9:"]) };
        let pattern = random.literal(3, 4);
        writeln!(lines, "L{number};Engine:81-255,Target:0;0;{offset}{pattern}{modifier}").unwrap();
    }
    let mut objects = texts(&mut random, 60);
    objects.extend((0..60).map(|_| random.letters("aAbBcC.  ", 40).into_bytes()));
    let wide = |object: &Vec<u8>| object.iter().flat_map(|byte| [*byte, 0]).collect();
    objects.extend(objects.clone().iter().map(wide));
    // ClamAV also searches text in lower case, but not what is no text.
    objects.iter_mut().for_each(|object| object.extend(b"\x00\x01\x02\xff"));
    compare("modifiers", &[("a.ldb", lines)], &objects);
}
