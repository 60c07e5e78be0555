//! The order of the Handle Object Policy: every combination of what was found, what the keys say
//! and whether the message can be cleaned, against the manual's order told a second time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod describe;

use esets_policy::config::Config;
use esets_policy::{Action, Context, Plan, Policy};

const ACTIONS: [&str; 4] = ["accept", "defer", "discard", "reject"];

/// What the keys say, and what was found.
#[derive(Debug)]
struct Case {
    before: &'static str,
    infected: &'static str,
    deleted: &'static str,
    notscanned: &'static str,
    clean_mode: &'static str,
    may_modify: bool,
    findings: &'static str,
}

/// The manual, as a person would follow it with a finger.
fn by_hand(case: &Case) -> &'static str {
    if case.before != "scan" {
        return case.before;
    }
    let threat_in_part = case.findings.contains("malware/1");
    let threat_in_whole = case.findings.contains("virus/0");
    let cleans = case.may_modify && matches!(case.clean_mode, "yes" | "standard" | "strict");
    let deletes = case.may_modify && case.clean_mode == "delete";
    let part_goes = threat_in_part && (cleans || deletes);
    let whole_goes = threat_in_whole && deletes && case.deleted != "accept";
    let stays = (threat_in_part && !part_goes) || (threat_in_whole && !whole_goes);
    if stays && case.infected != "accept" {
        return case.infected;
    }
    if (part_goes || whole_goes) && case.deleted != "accept" {
        return case.deleted;
    }
    let encrypted_in_removed_part = case.findings.contains("encrypted/1") && part_goes;
    if case.findings.contains("encrypted") && !encrypted_in_removed_part {
        return case.notscanned;
    }
    "accept"
}

fn policy(case: &Case) -> Policy {
    let file = format!(
        "[global]\naction_av = \"{}\"\naction_av_infected = \"{}\"\naction_av_deleted = \"{}\"\n\
         action_av_notscanned = \"{}\"\nav_clean_mode = \"{}\"\n",
        case.before, case.infected, case.deleted, case.notscanned, case.clean_mode
    );
    let config = Config::parse("esets.cfg", file.as_bytes()).unwrap();
    Policy::from_config(&config, |name| std::fs::read(name)).unwrap()
}

fn by_policy(policy: &Policy, case: &Case) -> Action {
    let context = Context::new("smtp");
    let context = if case.may_modify { context.modifiable() } else { context };
    let verdict = describe::verdict(case.findings);
    let decision = policy.decide(&verdict, &context);
    assert_eq!(decision.dispositions.len(), 1);
    match policy.plan(&context) {
        Plan::Act(acts) => assert_eq!(acts, decision.dispositions, "{case:?}"),
        Plan::Scan(plan) => assert_eq!(plan.decide(&verdict, None), decision.dispositions),
        other => panic!("{other:?}"),
    }
    decision.action
}

#[test]
fn every_combination_follows_the_manual() {
    let findings = [
        "clean",
        "virus/0",
        "malware/1",
        "virus/0 malware/1",
        "encrypted/0",
        "encrypted/1",
        "malware/1 encrypted/1",
        "malware/1 encrypted/2",
        "virus/0 encrypted/2",
    ];
    let mut combinations = 0;
    for before in ["scan", "accept", "defer", "discard", "reject"] {
        for clean_mode in ["no", "none", "yes", "standard", "strict", "delete"] {
            for at in 0..128 {
                let mut case = Case {
                    before,
                    infected: ACTIONS[at % 4],
                    deleted: ACTIONS[at / 4 % 4],
                    notscanned: ACTIONS[at / 16 % 4],
                    clean_mode,
                    may_modify: at / 64 == 1,
                    findings: "",
                };
                let policy = policy(&case);
                for found in findings {
                    case.findings = found;
                    assert_eq!(by_policy(&policy, &case).word(), by_hand(&case), "{case:?}");
                    combinations += 1;
                }
            }
        }
    }
    assert_eq!(combinations, 9 * 5 * 6 * 128);
}
