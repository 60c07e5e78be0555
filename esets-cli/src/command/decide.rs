//! `esets_cli`: one decision per object, by `esets.cfg`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::{Action, Context, Decision, Plan, Policy};

use super::arguments::{DatabaseArguments, MOST_JOBS};
use super::{Command, print};
use crate::answers::Answers;
use crate::exit::Decided;
use crate::messages::Messages;
use crate::policy;
use crate::pool::{self, Scanned};
use crate::print::reason;
use crate::signatures::Signatures;
use crate::target::Walk;
use crate::worker::{Scan, Setup};

pub(crate) static COMMAND: Command =
    Command { name: "decide", program: Some("esets_cli"), define, run };

#[derive(Args, Debug)]
struct Arguments {
    /// Scan what is in folders
    #[arg(long)]
    subdir: bool,
    /// The configuration [default: /etc/esets/esets.cfg if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many files are scanned at a time
    #[arg(long, short, value_name = "COUNT", default_value_t = 1)]
    jobs: usize,
    #[command(flatten)]
    database: DatabaseArguments,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn define() -> Definition {
    Arguments::augment_args(Definition::new("decide"))
        .about("Scan files and say what the policy does with each of them")
        .long_about(ABOUT)
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets_cli");
    let decided = Arguments::from_arg_matches(matches)
        .map_err(|error| vec![error.to_string()])
        .and_then(|arguments| decide(&arguments, &mut messages));
    let ending = decided.unwrap_or_else(|mistakes| {
        mistakes.iter().for_each(|mistake| messages.say(mistake));
        Decided::Failed
    });
    ending.into()
}

fn decide(arguments: &Arguments, messages: &mut Messages) -> Result<Decided, Vec<String>> {
    let (config, policy) = policy::load(arguments.config.as_deref())?;
    policy.warnings().iter().for_each(|warning| messages.say(&warning.to_string()));
    let base_dir = policy::base_dir(&config);
    let signatures = Signatures::load(&arguments.database, base_dir.as_deref(), messages);
    let signatures = signatures.map_err(|error| vec![error])?;
    let walk = Walk { subdir: arguments.subdir, ..Walk::default() };
    let mut answers = Answers::default();
    let mut worst = Decided::Accepted;
    let each = |scanned: Scanned, action| {
        worst = worst.max(ending(&scanned, action));
        report(&scanned, messages);
        if scanned.problem.is_none() {
            answers.add(&scanned.verdict, action);
        }
    };
    scan(arguments, &policy, &signatures, &walk, each)?;
    // What was decided counts, whether somebody reads the details or not.
    let written = print(&answers.finish());
    Ok(if written.is_err() { worst.max(Decided::Failed) } else { worst })
}

/// Scans every target and hands it to `each` with what happens to it.
fn scan(
    arguments: &Arguments,
    policy: &Policy,
    signatures: &Signatures,
    walk: &Walk,
    mut each: impl FnMut(Scanned, Action),
) -> Result<(), Vec<String>> {
    let targets = walk.targets(&arguments.paths);
    let context = Context::new("cli");
    let plan = match policy.plan(&context) {
        Plan::Act(dispositions) => {
            let action = Decision::of(dispositions).action;
            targets.for_each(|target| each(pool::unscanned(target), action));
            return Ok(());
        }
        Plan::Scan(plan) => plan,
        _ => return Err(vec!["the policy wants something unknown".into()]),
    };
    let scan = Scan { setup: Setup::of(&plan), database: signatures.file.as_ref() };
    let jobs = arguments.jobs.clamp(1, MOST_JOBS);
    pool::scan(&scan, jobs, targets, |scanned| {
        let action = Decision::of(plan.decide(&scanned.verdict, None)).action;
        each(scanned, action);
        ControlFlow::Continue(())
    });
    Ok(())
}

fn ending(scanned: &Scanned, action: Action) -> Decided {
    match (&scanned.problem, action) {
        (Some(_), _) => Decided::Failed,
        (None, Action::Accept) => Decided::Accepted,
        (None, Action::Discard) => Decided::Discarded,
        (None, Action::Reject) => Decided::Rejected,
        (None, _) => Decided::Deferred,
    }
}

/// Tells the administrator what lies in us and not in the object.
fn report(scanned: &Scanned, messages: &mut Messages) {
    scanned.notices.iter().for_each(|notice| messages.say_once(notice));
    let path = scanned.path.display();
    match &scanned.problem {
        Some(problem) => messages.say(&format!("{path}: {problem}")),
        None => {
            let ours = scanned.verdict.reasons().filter(|(_, cause)| cause.is_ours());
            ours.for_each(|(_, cause)| messages.say(&format!("{path}: {}", reason(cause))));
        }
    }
}

const ABOUT: &str = "\
Scan files and say what the policy does with each of them.

For each object, and for each threat in it, two lines are printed: what happens to the object \
(accepted, deferred, discarded, rejected), and the name of the threat, which is empty for a clean \
object. What is in it, such as the members of archives and the parts of messages, is scanned too.";
