//! Verdicts from a line of words, for tests: `malware/1 encrypted/2 defect`.
//!
//! A word is a class of detection, a reason or `defect`; behind the slash stands the part of the
//! message that shows it, 0 (or no slash) for the message itself. Parts above 9 lie inside the part
//! of their first digit: 12 is the second member of part 1.

#![expect(clippy::expect_used, reason = "a test ends where it fails")]

use esets_policy::core::Verdict;
use serde_json::{Value, json};

pub(crate) fn verdict(words: &str) -> Verdict {
    let mut records: Vec<(u32, Value)> = vec![(0, record(Value::Null, "mail"))];
    let mut placed: Vec<(&str, u32)> = words
        .split_whitespace()
        .filter(|word| *word != "clean")
        .map(|word| word.split_once('/').unwrap_or((word, "0")))
        .map(|(word, place)| (word, place.parse().unwrap()))
        .collect();
    placed.sort_by_key(|(_, place)| place.to_string());
    for (word, place) in placed {
        let at = ensure(&mut records, place);
        add(&mut records.get_mut(at).unwrap().1, word);
    }
    let count = records.len();
    let records: Vec<Value> = records.into_iter().map(|(_, record)| record).collect();
    serde_json::from_value(json!({ "records": records, "objects": count, "bytes": 0 })).unwrap()
}

fn ensure(records: &mut Vec<(u32, Value)>, place: u32) -> usize {
    if let Some(at) = records.iter().position(|(known, _)| *known == place) {
        return at;
    }
    let parent = if place < 10 { 0 } else { ensure(records, place / 10) };
    let at = records.len();
    records.push((place, record(json!(parent), &format!("part{place}"))));
    at
}

fn record(parent: Value, name: &str) -> Value {
    json!({
        "parent": parent, "index": 1, "name": name, "formats": ["message"], "size": 1,
        "detections": [], "not_scanned": [], "defects": [],
    })
}

fn add(record: &mut Value, word: &str) {
    let (field, found) = match word {
        "malware" => ("detections", detection("Test.Marker", "malware", "signature")),
        "virus" => ("detections", detection("Test.Virus", "malware", "signature")),
        "unsafe" => ("detections", detection("Test.Tool", "potentially_unsafe", "signature")),
        "unwanted" => ("detections", detection("Test.Bar", "potentially_unwanted", "signature")),
        "suspicious" => ("detections", detection("Heur.Test", "suspicious", "heuristic")),
        "cancelled" | "encrypted" | "truncated" => ("not_scanned", json!(word)),
        "corrupt" | "fault" | "unsupported" => ("not_scanned", json!({ word: "x" })),
        "defect" => ("defects", json!("two boundaries")),
        limit => {
            let limit = limit.strip_prefix("limit:").expect("a known word");
            ("not_scanned", json!({ "limit": limit }))
        }
    };
    record[field].as_array_mut().unwrap().push(found);
}

fn detection(name: &str, class: &str, source: &str) -> Value {
    json!({ "name": name, "class": class, "source": source, "offset": null })
}
