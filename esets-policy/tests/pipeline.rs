//! Plan, scan, decide, with a real scanner.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use esets_policy::core::{Database, Object, Scanner, Status};
use esets_policy::{Action, Context, Filter, Outcome, Pipeline, Policy};

fn pipeline(file: &str) -> Pipeline {
    let policy = Policy::load("esets.cfg", file.as_bytes(), |_| Err::<Vec<u8>, _>("none"));
    Pipeline::new(Scanner::new(Database::embedded()), policy.unwrap())
}

/// Found by the heuristic of double extensions.
fn suspect() -> Object<'static> {
    Object::new(b"MZ").named(b"invoice.pdf.exe")
}

#[test]
fn what_heuristics_find_is_rejected_and_goes_through_serde() {
    let outcome = pipeline("").handle(&suspect(), &Context::new("cli"));
    assert_eq!(outcome.verdict.as_ref().map(|verdict| verdict.status()), Some(Status::Infected));
    let decision = outcome.decision();
    assert_eq!(decision.action, Action::Reject);
    assert_eq!(decision.rule.to_string(), "action_av_infected, default");
    let sent = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&sent).unwrap(), outcome);
}

#[test]
fn the_policy_says_what_is_looked_for() {
    let file = "[cli]\nav_scan_adv_heur = no\nav_limit_object_size = 16M\n";
    let outcome = pipeline(file).handle(&suspect(), &Context::new("cli"));
    assert_eq!(outcome.verdict.as_ref().map(|verdict| verdict.status()), Some(Status::Clean));
    assert_eq!(outcome.decision().action, Action::Accept);
}

#[test]
fn what_is_settled_is_not_scanned() {
    let outcome =
        pipeline("[cli]\naction_av = \"discard\"\n").handle(&suspect(), &Context::new("cli"));
    assert_eq!(outcome.verdict, None);
    assert_eq!(outcome.decision().rule.to_string(), "action_av in [cli], esets.cfg:2");
}

#[test]
fn limits_come_from_the_agents_section() {
    let file = "[global]\nav_limit_depth = 7\n[smtp]\nav_limit_depth = 3\nav_limit_time = 5\n";
    let pipeline = pipeline(file);
    let limits = |agent| match pipeline.policy().plan(&Context::new(agent)) {
        esets_policy::Plan::Scan(plan) => Some((plan.limits().depth, plan.time().as_secs())),
        _ => None,
    };
    assert_eq!(limits("smtp"), Some((3, 5)));
    assert_eq!(limits("smfi"), Some((7, 120)));
}

/// Each limit of a message's shape, by a message that goes beyond it.
#[test]
fn what_is_too_much_in_a_message_is_a_reason_that_policy_can_act_on() {
    let many = |count: usize, text: &str| text.repeat(count);
    let parts = many(10_100, "--x\n\na\n");
    let nested = (0..200)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}x\n\n--b{level}x\n"));
    let readings = many(600, "--x\nContent-Transfer-Encoding: base64\n\nAAAA=AAAA\n");
    let mixed = "Content-Type: multipart/mixed; boundary=x\n\n";
    let cases = [
        ("Depth", nested.collect::<String>()),
        ("ObjectSize", format!("From: a@b\nTo: c@d\nSubject: {}\n\ntext\n", many(300 << 10, "a"))),
        ("Objects", format!("From: a@b\nTo: c@d\n{}\ntext\n", many(5_100, "X: y\n"))),
        ("Objects", format!("{mixed}{parts}--x--\n")),
        ("Readings", format!("{mixed}{readings}--x--\n")),
    ];
    let pipeline = pipeline("[smtp]\naction_av_notscanned_limit = \"reject\"\n");
    for (limit, mail) in cases {
        let outcome = pipeline.handle(&Object::new(mail.as_bytes()), &Context::new("smtp"));
        let verdict = outcome.verdict.as_ref().unwrap();
        let reasons: Vec<_> = verdict.reasons().map(|(_, reason)| reason.to_string()).collect();
        let expected = format!("limit reached: {limit}");
        assert!(reasons.contains(&expected), "{limit}: {reasons:?}");
        let decision = outcome.decision();
        assert_eq!(decision.action, Action::Reject);
        assert_eq!(decision.rule.key.as_ref(), "action_av_notscanned_limit");
    }
}
