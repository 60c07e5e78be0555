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
