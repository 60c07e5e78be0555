//! Messages that pass: what policy adds and takes out, and that every other byte stays.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use esets_mime::{Limits, Message};
use esets_policy::core::{Database, Object, Scanner};
use esets_policy::{
    Action, Antispam, Context, Edits, Filter, Outcome, Pipeline, Policy, SpamScore,
};

fn pipeline(file: &str) -> Pipeline {
    let policy = Policy::load("esets.cfg", file.as_bytes(), |_| Err::<Vec<u8>, _>("none"));
    Pipeline::new(Scanner::new(Database::embedded()), policy.unwrap())
}

fn handle(file: &str, mail: &[u8]) -> Outcome {
    pipeline(file).handle(&Object::new(mail), &Context::new("smtp").modifiable())
}

/// The message as it passes, or what happens to it instead.
fn passed(file: &str, mail: &[u8]) -> Result<String, Action> {
    let outcome = handle(file, mail);
    let [fate] = outcome.dispositions.as_slice() else { panic!("{outcome:?}") };
    if fate.action != Action::Accept {
        return Err(fate.action);
    }
    let bytes = fate.edits.apply(mail, outcome.verdict.as_ref()).unwrap();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

const CLEANING: &str = "[global]\nav_clean_mode = \"strict\"\naction_av_deleted = \"accept\"\n";

const INFECTED: &str = "From: a@b\r\nSubject: invoice\r\nContent-Type: multipart/mixed; boundary=x\
    \r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\n\
    Content-Type: application/octet-stream; name=invoice.pdf.exe\r\n\r\nMZ\r\n--x--\r\n";

#[test]
fn an_infected_part_gives_way_to_the_notice_of_the_template() {
    let text = passed(CLEANING, INFECTED.as_bytes()).unwrap();
    let (_, after) = text.split_once("From: a@b").unwrap();
    let (kept, _) = INFECTED.split_once("Content-Type: application").unwrap();
    let (_, kept) = kept.split_once("From: a@b").unwrap();
    let expected = format!(
        "{kept}Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n\
         The attachment invoice.pdf.exe was removed by ESETS: Heur.DoubleExtension.\r\n--x--\r\n"
    );
    assert_eq!(after, expected);
    assert!(text.starts_with(
        "X-Virus-Scanner: This message was checked by ESETS\r\n\
         X-Esets-Result: clean (deleted), Heur.DoubleExtension\r\nFrom: "
    ));
}

#[test]
fn what_a_signature_covers_goes_as_a_whole() {
    let mail = "From: a@b\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nbefore\r\n\
        --o\r\nContent-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\
        Content-Disposition: attachment; filename=a.pdf.exe\r\n\r\nMZ\r\n--x\r\n\
        Content-Type: application/pgp-signature\r\n\r\nsignature\r\n--x--\r\n--o--\r\n";
    let text = passed(CLEANING, mail.as_bytes()).unwrap();
    assert!(!text.contains("multipart/signed") && !text.contains("signature"), "{text}");
    assert!(text.contains("before\r\n--o\r\nContent-Type: text/plain"), "{text}");
    assert!(text.ends_with("DoubleExtension.\r\n--o--\r\n"), "{text}");
}

#[test]
fn a_part_that_cannot_be_told_from_its_message_is_not_cleaned() {
    let ambiguous = INFECTED.replace("boundary=x", "boundary=x; boundary=y");
    assert_eq!(passed(CLEANING, ambiguous.as_bytes()), Err(Action::Reject));
}

#[test]
fn edits_that_name_a_part_that_is_not_there_are_refused() {
    let mut edits = Edits::default();
    edits.remove.push(7);
    assert_eq!(edits.apply(INFECTED.as_bytes(), None), None);
    let outcome = handle("", INFECTED.as_bytes());
    assert_eq!(edits.apply(INFECTED.as_bytes(), outcome.verdict.as_ref()), None);
}

#[test]
fn subject_and_footnote_tell_of_what_passes_all_the_same() {
    let file = "[global]\naction_av_infected = \"accept\"\nav_eml_subject_prefix = \"[!] \"\n\
        av_eml_footnote_modification = \"notclean\"\nav_eml_header_modification = no\n";
    let expected = INFECTED.replace("Subject: ", "Subject: [!] ").replace(
        "hello\r\n",
        "hello\r\n\r\nThe message was checked by ESETS: infected, Heur.DoubleExtension.\r\n",
    );
    assert_eq!(passed(file, INFECTED.as_bytes()).unwrap(), expected);
}

#[derive(Debug)]
struct Always(Option<u8>);

impl Antispam for Always {
    fn search(&self, message: &Object<'_>, context: &Context<'_>) -> Box<dyn SpamScore> {
        assert!(context.agent == "smtp" && !message.bytes().is_empty());
        Box::new(self.0)
    }
}

#[test]
fn the_score_of_the_antispam_engine_decides_by_the_keys_of_action_as() {
    let file = "[global]\naction_as = \"scan\"\naction_as_spam = \"discard\"\n\
        action_as_notscanned = \"defer\"\nas_eml_header_modification = yes\n";
    let mail = Object::new(b"Subject: s\r\n\r\ntext\r\n");
    let context = Context::new("smtp").modifiable();
    for (score, action) in [
        (Some(95), Action::Discard),
        (Some(90), Action::Discard),
        (Some(89), Action::Accept),
        (None, Action::Defer),
    ] {
        let pipeline = pipeline(file).with_antispam(Arc::new(Always(score)));
        assert_eq!(pipeline.handle(&mail, &context).decision().action, action, "{score:?}");
    }
    let unused = pipeline("").with_antispam(Arc::new(Always(Some(100))));
    assert_eq!(unused.handle(&mail, &context).decision().action, Action::Accept);
    let none = pipeline(file).handle(&mail, &context).decision();
    assert_eq!((none.action, none.rule.key.as_ref()), (Action::Defer, "action_as_notscanned"));
}

/// Every mail of the examples and of the data of the tests.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = ["examples/mails", "testdata/mail", "testdata/unpack/message"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let mails = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
    mails.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

#[test]
fn in_every_mail_of_the_corpora_the_untouched_bytes_stay() {
    let corpus = corpus();
    assert!(corpus.len() > 80, "{} mails", corpus.len());
    let mut replaced = 0;
    for (name, raw) in &corpus {
        let outcome = handle("[global]\naction_av_infected = \"accept\"\n", raw);
        let edits = &outcome.dispositions.first().unwrap().edits;
        if let Some(passed) = edits.apply(raw, outcome.verdict.as_ref()) {
            let lines = raw.iter().filter(|byte| **byte == b'\n').count();
            let passed_lines = passed.iter().filter(|byte| **byte == b'\n').count();
            assert!(edits.headers.is_empty() || passed_lines >= lines + 2, "{name}");
            let end = raw.len().min(passed.len()) / 2;
            assert_eq!(raw[raw.len() - end..], passed[passed.len() - end..], "{name}");
        }
        replaced += each_part_replaced(name, raw);
    }
    assert!(replaced > 100, "{replaced} parts");
}

/// Replaces each part of its own; what lies before and behind it is still there, byte for byte.
fn each_part_replaced(name: &str, raw: &[u8]) -> usize {
    let message = Message::parse(raw, &Limits::default());
    let mut replaced = 0;
    for (index, part) in message.parts().enumerate() {
        let range = part.range();
        if part.is_container() || part.parent().is_none() || range.is_empty() {
            continue;
        }
        let mut rewriter = message.rewrite();
        rewriter.replace(index, "gone");
        let result = rewriter.finish();
        let before = common(raw.iter().zip(&result));
        let behind = common(raw.iter().rev().zip(result.iter().rev()));
        let sealed = outermost(&message, index);
        assert!(before >= sealed.start, "{name}: part {index}, {before} < {sealed:?}");
        assert!(behind >= raw.len() - sealed.end, "{name}: part {index}, {behind} {sealed:?}");
        replaced += 1;
    }
    replaced
}

fn common<'b>(pairs: impl Iterator<Item = (&'b u8, &'b u8)>) -> usize {
    pairs.take_while(|(left, right)| left == right).count()
}

/// Where the part stands, or the outermost signed or encrypted container around it.
fn outermost(message: &Message<'_>, index: usize) -> std::ops::Range<usize> {
    let parts: Vec<_> = message.parts().collect();
    let mut range = parts[index].range();
    let mut at = parts[index].parent();
    while let Some(container) = at.map(|at| parts[at]) {
        let media = container.media_type().map(|media| media.to_string()).unwrap_or_default();
        if media.ends_with("/signed") || media.ends_with("/encrypted") {
            range = container.range();
        }
        at = container.parent();
    }
    range
}
