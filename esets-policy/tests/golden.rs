//! Every case of `testdata/policy/`: configuration and findings to decision, message, explanation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod describe;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use esets_policy::{Context, Disposition, Plan, Policy, SpamScore};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        match kind {
            "decisions" => trials.extend(decisions(&path)),
            "errors" => trials.push(trial(&path, errors)),
            "explain" => trials.push(trial(&path, explain)),
            _ => {}
        }
    }
    assert!(trials.len() > 100, "the cases are missing");
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/policy")
}

fn trial(path: &Path, check: fn(&Path) -> Result<(), Failed>) -> Trial {
    let path = path.to_owned();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Trial::test(name, move || check(&path))
}

/// One trial for each line that is no comment.
fn decisions(path: &Path) -> Vec<Trial> {
    let text = fs::read_to_string(path).unwrap();
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let cases = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
    let trials = cases.map(|(line, number)| {
        let (path, line) = (path.to_owned(), line.to_owned());
        Trial::test(format!("{stem}:{number}"), move || {
            let (case, expected) = line.split_once(" => ").ok_or("no => in the line")?;
            let policy = policy(&path).map_err(|wrong| wrong.clone())?;
            let found = Case::parse(case).decide(&policy);
            same(&found, expected)
        })
    });
    trials.collect()
}

fn errors(path: &Path) -> Result<(), Failed> {
    let found = policy(path).err().ok_or("no errors")?;
    same(&found, fs::read_to_string(path)?.trim_end())
}

fn explain(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let (case, expected) = text.split_once('\n').ok_or("no explanation")?;
    let (case, policy) = (Case::parse(case), policy(path)?);
    let verdict = describe::verdict(&case.found);
    let found = case.with_context(|context| policy.explain(context, &verdict, case.score()));
    same(&found.to_string(), expected.trim_end())
}

fn same(found: &str, expected: &str) -> Result<(), Failed> {
    if found == expected {
        return Ok(());
    }
    Err(format!("expected\n{expected}\nfound\n{found}").into())
}

/// The policy of a case, or the messages why there is none.
fn policy(path: &Path) -> Result<Policy, String> {
    let path = path.with_extension("cfg");
    let name = path.file_name().unwrap().to_string_lossy();
    let read = |name: &str| fs::read(folder().join(name)).map_err(|_| "no such file");
    Policy::load(&name, &fs::read(&path).unwrap(), read).map_err(|wrong| wrong.to_string())
}

/// The left half of a line.
#[derive(Default)]
struct Case {
    agent: String,
    from: Option<String>,
    to: Vec<String>,
    client: Option<String>,
    server: Option<String>,
    user: Option<String>,
    modify: bool,
    spam: Option<u8>,
    found: String,
}

impl Case {
    fn parse(text: &str) -> Self {
        let (context, found) = text.split_once(" : ").unwrap();
        let mut words = context.split_whitespace();
        let agent = words.next().unwrap().to_owned();
        let mut case = Self { agent, found: found.to_owned(), ..Self::default() };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let text = Some(value.to_owned());
            match name {
                "from" => case.from = text,
                "to" => case.to = value.split(',').map(str::to_owned).collect(),
                "client" => case.client = text,
                "server" => case.server = text,
                "user" => case.user = text,
                "modify" => case.modify = true,
                "spam" => case.spam = Some(value.parse().unwrap()),
                other => panic!("unknown word {other}"),
            }
        }
        case
    }

    fn with_context<T>(&self, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        let to: Vec<&str> = self.to.iter().map(String::as_str).collect();
        let mut context = Context::new(&self.agent).recipients(&to);
        context.sender = self.from.as_deref();
        context.user = self.user.as_deref();
        context.client = self.client.as_ref().map(|client| client.parse().unwrap());
        context.server = self.server.as_ref().map(|server| server.parse().unwrap());
        context.may_modify = self.modify;
        ask(&context)
    }

    fn score(&self) -> Option<&dyn SpamScore> {
        self.spam.as_ref().map(|score| score as &dyn SpamScore)
    }

    fn decide(&self, policy: &Policy) -> String {
        let verdict = describe::verdict(&self.found);
        let fates = self.with_context(|context| match policy.plan(context) {
            Plan::Act(fates) => fates,
            Plan::Scan(plan) => plan.decide(&verdict, self.score()),
            other => panic!("{other:?}"),
        });
        let alone = fates.len() == 1;
        fates.iter().map(|fate| self.print(fate, alone)).collect::<Vec<_>>().join(" | ")
    }

    fn print(&self, fate: &Disposition, alone: bool) -> String {
        let to = fate.recipients.iter().filter_map(|at| self.to.get(*at)).cloned();
        let to = to.collect::<Vec<_>>().join(",");
        let whom = if alone { String::new() } else { format!("{to}: ") };
        let mut text = format!("{whom}{} by {}", fate.action, fate.rule);
        if !fate.edits.remove.is_empty() {
            let parts: Vec<String> = fate.edits.remove.iter().map(ToString::to_string).collect();
            text.push_str(&format!(" remove={}", parts.join(",")));
        }
        for header in &fate.edits.headers {
            text.push_str(&format!(" header=\"{header}\""));
        }
        for (name, value) in
            [("subject", &fate.edits.subject_prefix), ("footnote", &fate.edits.footnote)]
        {
            if !value.is_empty() {
                text.push_str(&format!(" {name}=\"{value}\""));
            }
        }
        text.push_str(if fate.quarantine { " quarantine" } else { "" });
        text
    }
}
