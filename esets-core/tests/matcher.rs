//! The matcher against an oracle: the meaning of a pattern, written down as plainly as possible.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "an oracle may panic"
)]

use std::collections::BTreeSet;

use esets_core::signature::{Boundary, Element, Pattern, SourceFile, compile};
use esets_core::{Database, Object, Scanner};
use proptest::prelude::*;

/// Where `elements` can end when they begin at `start`.
fn ends(elements: &[Element], data: &[u8], start: usize) -> BTreeSet<usize> {
    let Some((first, rest)) = elements.split_first() else { return BTreeSet::from([start]) };
    let next = |places: BTreeSet<usize>| {
        places.into_iter().flat_map(|place| ends(rest, data, place)).collect()
    };
    next(one(first, data, start))
}

/// Where one element can end when it begins at `start`.
fn one(element: &Element, data: &[u8], start: usize) -> BTreeSet<usize> {
    let left = data.len() - start;
    match element {
        Element::Byte(byte) => {
            let fits = data.get(start).is_some_and(|there| byte.matches(*there));
            fits.then_some(start + 1).into_iter().collect()
        }
        Element::Gap { min, max } => {
            let (min, max) = (*min as usize, max.map_or(left, |max| left.min(max as usize)));
            (min..=max).map(|width| start + width).collect()
        }
        Element::Choice { options, negated: false } => {
            options.iter().flat_map(|option| ends(option, data, start)).collect()
        }
        Element::Choice { options, negated: true } => {
            let length = options[0].len();
            let avoided = options.iter().all(|option| ends(option, data, start).is_empty());
            (avoided && length <= left).then_some(start + length).into_iter().collect()
        }
        Element::Boundary { boundary, negated } => edge(*boundary, *negated, data, start),
        _ => unreachable!(),
    }
}

fn edge(boundary: Boundary, negated: bool, data: &[u8], start: usize) -> BTreeSet<usize> {
    let rest = &data[start..];
    let is_alphanumeric = rest.first().is_some_and(u8::is_ascii_alphanumeric);
    let (width, is_edge) = match (boundary, rest) {
        (Boundary::NotAlphanumeric, []) => return BTreeSet::new(),
        (_, []) => (0, true),
        (Boundary::Line, [b'\r', b'\n', ..]) => (2, true),
        (Boundary::Line, [first, ..]) => (1, *first == b'\n'),
        _ => (1, !is_alphanumeric),
    };
    let reached = match (negated, rest) {
        (false, _) => is_edge.then_some(start + width),
        (true, []) => None,
        (true, _) => (!is_edge).then_some(start + 1),
    };
    // The edge of the object counts, whatever stands there.
    let at_front = (start == 0 && !negated && boundary != Boundary::NotAlphanumeric).then_some(0);
    reached.into_iter().chain(at_front).collect()
}

fn is_in(pattern: &Pattern, data: &[u8]) -> bool {
    (0..=data.len()).any(|start| !ends(&pattern.elements, data, start).is_empty())
}

/// The same text with one space for any white space: it is searched as well.
fn as_text(data: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> =
        data.iter().map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte }).collect();
    text.dedup_by(|next, last| *next == b' ' && *last == b' ');
    text
}

/// Which of the patterns are found when all are searched for at once; those that are refused as
/// too weak are `None`.
fn finds(patterns: &[String], data: &[u8]) -> Vec<Option<bool>> {
    let line = |(number, pattern): (usize, &String)| format!("P{number}:0:*:{pattern}\n");
    let source: String = patterns.iter().enumerate().map(line).collect();
    let (bytes, loaded) = compile("", [SourceFile::new("a.ndb", source.as_bytes())]);
    // What the object happens to look like to unpackers is not the question.
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap()).with_unpackers(Vec::new());
    let verdict = scanner.scan(&Object::new(data));
    assert_eq!(verdict.reasons().count(), 0, "{verdict}");
    let names: BTreeSet<_> = verdict.threats().map(|(_, threat)| threat.name.clone()).collect();
    let refused: BTreeSet<u64> = loaded.rejected.iter().map(|rejected| rejected.line).collect();
    let found = |number: usize| {
        let is_refused = refused.contains(&(number as u64 + 1));
        (!is_refused).then(|| names.contains(&format!("P{number}")))
    };
    (0..patterns.len()).map(found).collect()
}

/// Patterns over few letters, so that they often match and often nearly do.
fn pattern() -> impl Strategy<Value = String> {
    let byte = prop_oneof![
        8 => "[a-c]".prop_map(|letter| format!("{:02x}", letter.as_bytes()[0])),
        1 => Just("??".into()),
        1 => Just("6?".into()),
        1 => Just("?2".into()),
    ];
    let literal = proptest::collection::vec(byte, 1..4).prop_map(|bytes| bytes.concat());
    let choice = prop_oneof![
        Just("(61|62)".to_string()),
        Just("(61|6263|6161)".into()),
        Just("!(61|62)".into()),
        Just("!(6161|6263)".into()),
        Just("(61(62|63)|63)".into()),
        Just("(6?|2e)".into()),
        Just("(B)".into()),
        Just("(L)".into()),
        Just("(W)".into()),
    ];
    let gap = prop_oneof![
        Just("*".to_string()),
        (0..4_u32).prop_map(|n| format!("{{{n}}}")),
        (0..4_u32).prop_map(|n| format!("{{-{n}}}")),
        (0..4_u32).prop_map(|n| format!("{{{n}-}}")),
        (0..3_u32, 0..3_u32).prop_map(|(n, more)| format!("{{{n}-{}}}", n + more)),
        (0..3_u32, 0..3_u32).prop_map(|(n, more)| format!("[{n}-{}]", n + more)),
    ];
    let piece = prop_oneof![4 => literal, 2 => choice, 2 => gap];
    proptest::collection::vec(piece, 1..8)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("valid", |pattern| Pattern::parse(pattern).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { max_local_rejects: 1 << 20, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn each_pattern_is_found_where_it_is_and_nowhere_else(
        patterns in proptest::collection::vec(pattern(), 1..12),
        data in proptest::collection::vec(prop::sample::select(&b"aaabbbccc.\r\n"[..]), 0..40),
    ) {
        for (pattern, found) in patterns.iter().zip(finds(&patterns, &data)) {
            let parsed = Pattern::parse(pattern).unwrap();
            let expected = is_in(&parsed, &data) || is_in(&parsed, &as_text(&data));
            prop_assert_eq!(found.unwrap_or(expected), expected, "{} in {:?}", pattern, data);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_long_object_is_searched_to_its_end(
        place in 0..100_000_usize,
        needle in "[a-zA-Z0-9 ]{4,24}",
        filler in any::<u8>(),
    ) {
        let mut data = vec![filler; 100_000];
        let end = (place + needle.len()).min(data.len());
        data.splice(place..end, needle.bytes().take(end - place));
        let pattern: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
        let is_there = memchr::memmem::find(&data, needle.as_bytes()).is_some();
        prop_assert_eq!(finds(&[pattern], &data), [Some(is_there)]);
    }
}
