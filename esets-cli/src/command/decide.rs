//! `esets_cli`: one decision per object, by `esets.cfg`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::config::Config;
use esets_policy::{Action, Context, Decision, Plan, Policy};

use super::arguments::{DatabaseArguments, MOST_JOBS};
use super::{Command, print};
use crate::answers::Answers;
use crate::daemon::{Daemon, DaemonArguments};
use crate::exit::Decided;
use crate::messages::Messages;
use crate::policy;
use crate::pool::{self, Scanned};
use crate::print::reason;
use crate::signatures::Signatures;
use crate::target::{Target, Walk};
use crate::worker::Setup;

pub(crate) static COMMAND: Command =
    Command { name: "decide", program: Some("esets_cli"), define, run };

#[derive(Args, Debug)]
struct Arguments {
    /// Scan what is in folders
    #[arg(long)]
    subdir: bool,
    #[arg(long, help = policy::help(), value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many files are scanned at a time
    #[arg(long, short, value_name = "COUNT", default_value_t = 1)]
    jobs: usize,
    #[command(flatten)]
    daemon: DaemonArguments,
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
    let mut judge = Judge { messages, answers: Answers::default(), worst: Decided::Accepted };
    let rest = by_daemon(arguments, &config, &policy, &mut judge)?;
    let walk = Walk { subdir: arguments.subdir, ..Walk::default() };
    match rest {
        Some(rest) if rest.is_empty() => {}
        Some(rest) => scan(arguments, (&config, &policy), rest.into_iter(), &mut judge)?,
        None => scan(arguments, (&config, &policy), walk.targets(&arguments.paths), &mut judge)?,
    }
    // What was decided counts, whether somebody reads the details or not.
    let written = print(&judge.answers.finish());
    let worst = judge.worst;
    Ok(if written.is_err() { worst.max(Decided::Failed) } else { worst })
}

/// What was decided so far.
struct Judge<'m> {
    messages: &'m mut Messages,
    answers: Answers,
    worst: Decided,
}

impl Judge<'_> {
    fn take(&mut self, scanned: &Scanned, action: Action) {
        self.worst = self.worst.max(ending(scanned, action));
        report(scanned, self.messages);
        if scanned.problem.is_none() {
            self.answers.add(&scanned.verdict, action);
        }
    }
}

/// Lets the daemon decide about every target, and returns those without an answer; `None` if no
/// daemon is asked.
fn by_daemon(
    arguments: &Arguments,
    config: &Config,
    policy: &Policy,
    judge: &mut Judge<'_>,
) -> Result<Option<Vec<Target>>, Vec<String>> {
    let is_own = arguments.database.is_given();
    let daemon = arguments.daemon.find(config, arguments.config.is_some(), is_own, policy);
    let Some(daemon) = daemon.map_err(|error| vec![error])? else { return Ok(None) };
    let walk = Walk { subdir: arguments.subdir, ..Walk::default() };
    let targets = walk.targets(&arguments.paths);
    let only = arguments.daemon.is_only();
    let mut rest = Vec::new();
    let jobs = arguments.jobs.clamp(1, MOST_JOBS);
    pool::scan(
        || Daemon::engine(&daemon),
        jobs,
        targets,
        |mut scanned| {
            match scanned.unanswered.take() {
                Some(why) if only => {
                    scanned.problem = Some(why);
                    judge.take(&scanned, Action::Defer);
                }
                Some(why) => {
                    judge.messages.say_once(&format!("{why}; scanning without it"));
                    rest.push(Target { path: scanned.path, follow: scanned.follow, problem: None });
                }
                None => {
                    let fates = scanned.dispositions.take().unwrap_or_default();
                    judge.take(&scanned, Decision::of(fates).action);
                }
            }
            ControlFlow::Continue(())
        },
    );
    Ok(Some(rest))
}

/// Scans every target here, and judges it.
fn scan(
    arguments: &Arguments,
    (config, policy): (&Config, &Policy),
    targets: impl Iterator<Item = Target> + Send,
    judge: &mut Judge<'_>,
) -> Result<(), Vec<String>> {
    let base_dir = policy::base_dir(config);
    let signatures = Signatures::load(&arguments.database, base_dir.as_deref(), judge.messages);
    let signatures = signatures.map_err(|error| vec![error])?;
    let context = Context::new("cli");
    let plan = match policy.plan(&context) {
        Plan::Act(dispositions) => {
            let action = Decision::of(dispositions).action;
            targets.for_each(|target| judge.take(&pool::unscanned(target), action));
            return Ok(());
        }
        Plan::Scan(plan) => plan,
        _ => return Err(vec!["the policy wants something unknown".into()]),
    };
    let scan = signatures.scan(Setup::of(&plan));
    let jobs = arguments.jobs.clamp(1, MOST_JOBS);
    pool::scan(scan.engines(), jobs, targets, |scanned| {
        let action = Decision::of(plan.decide(&scanned.verdict, None)).action;
        judge.take(&scanned, action);
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
object. What is in it, such as the members of archives and the parts of messages, is scanned too.

If esets_daemon answers on daemon_sock_path, it scans and decides, by its own configuration and \
signatures; the files are opened here and handed over, so that it needs no right to read them. A \
configuration given here must name daemon_sock_path for that, and signatures given here are used \
here. Without an answer the scan happens in a child process.";
