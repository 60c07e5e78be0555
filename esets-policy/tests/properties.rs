//! What holds for every configuration, every finding and every context.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod describe;

use esets_policy::config::{Config, key::Kind, keys};
use esets_policy::core::Status;
use esets_policy::log::{Event, LogClass, LogClasses};
use esets_policy::template::expand;
use esets_policy::{Action, Context, Policy};
use proptest::prelude::*;

const PEOPLE: [&str; 6] =
    ["a@example.org", "b@example.org", "c@x.example.org", "d@example.net", "", "no address"];

/// Policy keys with any of their values.
fn settings() -> impl Strategy<Value = String> {
    let choices: Vec<String> = keys()
        .filter(|key| key.fits_users())
        .flat_map(|key| {
            let words = match key.kind {
                Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect(),
                Kind::Switch => vec!["yes".to_owned(), "no".to_owned()],
                _ => Vec::new(),
            };
            words.into_iter().map(|word| format!("{} = {word}\n", key.name)).collect::<Vec<_>>()
        })
        .collect();
    proptest::sample::subsequence(choices, 0..8).prop_map(|lines| {
        let mut seen = std::collections::BTreeSet::new();
        lines
            .into_iter()
            .filter(|line| seen.insert(line.split(' ').next().map(str::to_owned)))
            .collect()
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    (settings(), settings(), proptest::collection::vec(settings(), 3)).prop_map(
        |(global, agent, users)| {
            let main = format!("[global]\nuser_config = \"u\"\n{global}[smtp]\n{agent}");
            let names = ["a@example.org", "@.example.org", "|@example.net"];
            let sections = names.iter().zip(users);
            let users: String =
                sections.map(|(name, settings)| format!("[{name}]\n{settings}")).collect();
            let config = Config::parse("esets.cfg", main.as_bytes()).unwrap();
            Policy::from_config(&config, |_| Ok::<_, &str>(users.clone().into_bytes())).unwrap()
        },
    )
}

fn findings() -> impl Strategy<Value = String> {
    let word = "(malware|virus|unsafe|unwanted|suspicious|encrypted|fault|limit:time|defect)\
                (/1|/2|/12|)";
    proptest::collection::vec(word, 0..4).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn every_recipient_gets_exactly_one_fate(
        policy in policies(),
        found in findings(),
        to in proptest::collection::vec(proptest::sample::select(&PEOPLE[..]), 0..8),
        from in proptest::sample::select(&PEOPLE[..]),
        may_modify: bool,
    ) {
        let mut context = Context::new("smtp").sender(from).recipients(&to);
        context.may_modify = may_modify;
        let verdict = describe::verdict(&found);
        let decision = policy.decide(&verdict, &context);
        let mut all: Vec<usize> =
            decision.dispositions.iter().flat_map(|fate| fate.recipients.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..to.len()).collect::<Vec<_>>());
        prop_assert!(!decision.dispositions.is_empty());
        for fate in &decision.dispositions {
            prop_assert!(fate.action <= decision.action);
            prop_assert!(fate.edits.is_empty() || (may_modify && fate.action == Action::Accept));
        }
        let explained = policy.explain(&context, &verdict, None).to_string();
        let last = format!("\naction: {}", decision.action);
        prop_assert!(explained.ends_with(&last));
    }

    #[test]
    fn by_default_nothing_infected_passes(found in findings(), may_modify: bool) {
        let mut context = Context::new("smtp");
        context.may_modify = may_modify;
        let verdict = describe::verdict(&found);
        let action = Policy::default().decide(&verdict, &context).action;
        let ours = found.contains("fault") || found.contains("time");
        let expected = match verdict.status() {
            Status::Infected => Action::Reject,
            Status::NotScanned if ours => Action::Defer,
            _ => Action::Accept,
        };
        prop_assert_eq!(action, expected);
    }

    #[test]
    fn an_event_is_one_line_with_its_fields_in_order(
        name in proptest::collection::vec(any::<u8>(), 0..40),
        virus in any::<String>(),
        info in "[\", =a\n\r\u{2028}\u{202E}]{0,20}",
    ) {
        let mut event = Event::new(LogClass::Summ, "smtp", Action::Defer);
        event.name = name;
        event.virus = virus;
        event.info = info;
        event.avstatus = "not scanned".to_owned();
        let line = event.to_string();
        let breaks = |character: char| {
            character.is_control() || matches!(character, '\u{2028}' | '\u{202E}')
        };
        let broken = line.chars().any(breaks);
        prop_assert!(!broken, "{:?}", line);
        let fields: Vec<&str> = line.split('"').collect();
        prop_assert_eq!(fields.len(), 13);
        let names: Vec<&str> = fields.iter().step_by(2).copied().collect();
        let expected = [
            "summ[00000000]: vdb=0, agent=smtp, name=", ", virus=", ", action=", ", info=",
            ", avstatus=", ", hop=", "",
        ];
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn a_template_never_panics_and_never_grows_lines(
        template in "[%A-C_a\u{e9}]{0,30}",
        value: String,
    ) {
        let filled = expand(&template, |name| (name == "A").then(|| value.clone()));
        prop_assert!(!filled.chars().any(char::is_control));
        let unfilled = expand(&template, |_| None);
        prop_assert!(unfilled.len() <= template.len());
    }
}

#[test]
fn messages_are_logged_by_class() {
    let classes = LogClasses::parse("error: warning:summ:partall").unwrap();
    assert!(classes.includes(LogClass::Error, true));
    assert!(classes.includes(LogClass::Summ, false));
    assert!(!classes.includes(LogClass::Summ, true));
    assert!(classes.includes(LogClass::Part, true));
    assert!(!classes.includes(LogClass::Info, true));
    assert_eq!(LogClasses::parse("error:sum"), None);
    let wrong =
        Config::parse("esets.cfg", b"[global]\nsyslog_class = \"error:sum\"\n").unwrap_err();
    assert!(wrong.to_string().contains("syslog_class cannot be \"error:sum\""));
}

#[test]
fn a_message_is_logged_as_a_whole_and_by_its_parts() {
    let verdict = describe::verdict("malware/1 encrypted/2");
    let to = ["a@example.org", "b@example.org"];
    let context = Context::new("smtp").sender("c@example.net").recipients(&to);
    let decision = Policy::default().decide(&verdict, &context);
    let fate = decision.dispositions.first().unwrap();
    let whole = Event::summary(&verdict, &context, fate);
    let lines: Vec<String> = std::iter::once(whole.clone())
        .chain(Event::parts(&verdict, &context, fate))
        .map(|event| event.to_string())
        .collect();
    let expected = [
        "summ[00000000]: vdb=0, agent=smtp, name=\"mail\", virus=\"Test.Marker\", action=\"\", \
             info=\"encrypted\", avstatus=\"infected\", hop=\"rejected\"",
        "part[00000000]: vdb=0, agent=smtp, name=\"part1\", virus=\"Test.Marker\", action=\"\", \
             info=\"\", avstatus=\"infected\", hop=\"rejected\"",
        "part[00000000]: vdb=0, agent=smtp, name=\"part2\", virus=\"\", action=\"\", \
             info=\"encrypted\", avstatus=\"not scanned\", hop=\"rejected\"",
    ];
    assert_eq!(lines, expected);
    let letter =
        expand("%VIRUSNAME% from %SENDER% to %RECIPIENTS%: %HOP%", |name| whole.variable(name));
    assert_eq!(letter, "Test.Marker from c@example.net to a@example.org, b@example.org: rejected");
}
