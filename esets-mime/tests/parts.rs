//! Every `testdata/mail/<case>.eml` falls into the parts listed in `<case>.parts`; `UPDATE=1` writes
//! the lists.
//!
//! Whatever they say, the payload that the case hides must be in the content of some part, or in
//! what a scanner finds by looking into the parts again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test ends where it fails"
)]

use esets_mime::{Limits, Message, Part, inline, looks_like_message};
use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (cut, hidden, listed) = (path.clone(), path.clone(), path);
        let case = name.clone();
        trials.push(Trial::test(format!("{name}: cut anywhere"), move || cut_anywhere(&cut)));
        trials.push(Trial::test(format!("{name}: payload"), move || finds_payload(&hidden, &case)));
        trials.push(Trial::test(format!("{name}: parts"), move || lists_parts(&listed)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/mail");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    cases.sort();
    assert!(!cases.is_empty(), "no cases found");
    cases
}

fn lists_parts(path: &Path) -> Result<(), Failed> {
    let raw = fs::read(path)?;
    let actual = describe(&Message::parse(&raw, &Limits::default()));
    let golden = path.with_extension("parts");
    if env::var_os("UPDATE").is_some() {
        fs::write(golden, actual)?;
        return Ok(());
    }
    let expected = fs::read_to_string(golden)?;
    if expected == actual {
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nactual:\n{actual}").into())
}

fn describe(message: &Message<'_>) -> String {
    let mut text = String::new();
    for part in message.parts() {
        describe_part(part, &mut text);
    }
    for defect in message.defects() {
        writeln!(text, "! {defect}").unwrap();
    }
    text
}

fn describe_part(part: &Part<'_>, text: &mut String) {
    let body = part.body_range();
    let indent = "  ".repeat(part.depth().into());
    write!(text, "{indent}{:?}", part.kind()).unwrap();
    if let Some(media_type) = part.media_type() {
        write!(text, " {media_type}").unwrap();
    }
    write!(text, " {}..{}", body.start, body.end).unwrap();
    if part.is_container() {
        text.push('\n');
        return;
    }
    write!(text, " {}", part.encoding()).unwrap();
    for name in part.names() {
        write!(text, " {name:?}").unwrap();
    }
    let content = part.decoded().to_vec(100);
    writeln!(text, " = {}", content.escape_ascii()).unwrap();
}

fn finds_payload(path: &Path, case: &str) -> Result<(), Failed> {
    let raw = fs::read(path)?;
    let payload = format!("payload of {case}, which is long enough to look like data");
    match contains(&raw, payload.as_bytes(), 0) {
        true => Ok(()),
        false => Err("no part holds the payload".into()),
    }
}

fn contains(raw: &[u8], payload: &[u8], depth: usize) -> bool {
    let holds = |content: &[u8]| content.windows(payload.len()).any(|window| window == payload);
    let message = Message::parse(raw, &Limits::default());
    message.leaves().any(|part| {
        let content = part.decoded().to_vec(1 << 20);
        let found = holds(&content)
            || inline::blocks(&content).any(|block| holds(&block.decoded().to_vec(1 << 20)));
        found || depth < 4 && looks_like_message(&content) && contains(&content, payload, depth + 1)
    })
}

fn cut_anywhere(path: &Path) -> Result<(), Failed> {
    let raw = fs::read(path)?;
    for length in 0..raw.len() {
        let start = &raw[..length];
        for part in Message::parse(start, &Limits::default()).parts() {
            let (range, body) = (part.range(), part.body_range());
            let fits = range.start <= body.start && body.end <= range.end && range.end <= length;
            if !fits {
                return Err(format!("{part:?} of {length} bytes").into());
            }
            let _ = (part.decoded().to_vec(1 << 20), part.names());
        }
    }
    Ok(())
}
