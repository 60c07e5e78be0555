//! `esets policy`: why something happens to an object.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::core::Verdict;
use esets_policy::{Action, Context, Disposition, Plan, Policy, ScanPlan};

use super::arguments::DatabaseArguments;
use super::{Command, print};
use crate::exit::Managed;
use crate::messages::Messages;
use crate::policy;
use crate::pool;
use crate::signatures::Signatures;
use crate::worker::Setup;

pub(crate) static COMMAND: Command = Command { name: "policy", program: None, define, run };

/// The object and where it comes from.
#[derive(Args, Debug)]
struct Arguments {
    #[arg(long, help = policy::help(), value_name = "FILE")]
    config: Option<PathBuf>,
    /// The agent, as its section is called
    #[arg(long, value_name = "NAME", default_value = "smtp")]
    agent: String,
    /// The address that the object comes from
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// The sender of the message
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// A recipient of the message; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    recipient: Vec<String>,
    /// The user that asks for the object
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    database: DatabaseArguments,
    /// The object, such as a message
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

fn define() -> Definition {
    let explain = Definition::new("explain")
        .about("Scan a file and show each question of the policy, with the line that answers");
    let rewrite = Definition::new("rewrite")
        .about("Scan a message and print it as the policy lets it pass to these recipients");
    Definition::new("policy")
        .about("Explain what happens to an object")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Arguments::augment_args(explain))
        .subcommand(Arguments::augment_args(rewrite))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets policy");
    let answered = matches.subcommand().ok_or(vec!["no such action".into()]);
    let answered = answered.and_then(|(action, matches)| {
        let arguments = Arguments::from_arg_matches(matches);
        let arguments = arguments.map_err(|error| vec![error.to_string()])?;
        let answer = if action == "rewrite" { rewrite } else { explain };
        Case::new(&arguments, &mut messages)?.with_context(|case, context| answer(case, context))
    });
    match answered {
        Ok(text) => print(&text).map_or(Managed::Failed, |()| Managed::Done),
        Err(mistakes) => {
            mistakes.iter().for_each(|mistake| messages.say(mistake));
            Managed::Failed
        }
    }
    .into()
}

/// What is asked, with what answers.
struct Case<'a> {
    arguments: &'a Arguments,
    policy: Policy,
    signatures: Signatures,
}

impl<'a> Case<'a> {
    fn new(arguments: &'a Arguments, messages: &mut Messages) -> Result<Self, Vec<String>> {
        let (config, policy) = policy::load(arguments.config.as_deref())?;
        let base_dir = policy::base_dir(&config);
        let signatures = Signatures::load(&arguments.database, base_dir.as_deref(), messages);
        Ok(Self { arguments, policy, signatures: signatures.map_err(|error| vec![error])? })
    }

    fn with_context<T>(&self, ask: impl FnOnce(&Self, &Context<'_>) -> T) -> T {
        let recipients: Vec<&str> = self.arguments.recipient.iter().map(String::as_str).collect();
        let mut context = Context::new(&self.arguments.agent).recipients(&recipients).modifiable();
        context.client = self.arguments.client;
        context.sender = self.arguments.sender.as_deref();
        context.user = self.arguments.user.as_deref();
        ask(self, &context)
    }
}

fn explain(case: &Case<'_>, context: &Context<'_>) -> Result<Vec<u8>, Vec<String>> {
    let verdict = match case.policy.plan(context) {
        Plan::Scan(plan) => scan(&case.arguments.file, &plan, &case.signatures)?,
        // It is settled without a scan.
        _ => Verdict::default(),
    };
    let explanation = case.policy.explain(context, &verdict, None);
    Ok(format!("{verdict}{explanation}\n").into_bytes())
}

fn rewrite(case: &Case<'_>, context: &Context<'_>) -> Result<Vec<u8>, Vec<String>> {
    let file = &case.arguments.file;
    let failed = |error: &dyn std::fmt::Display| vec![format!("{}: {error}", file.display())];
    let message = policy::read_file(file).map_err(|error| failed(&error))?;
    let (verdict, mut fates) = match case.policy.plan(context) {
        Plan::Act(fates) => (Verdict::default(), fates),
        Plan::Scan(plan) => {
            let verdict = scan(file, &plan, &case.signatures)?;
            let fates = plan.decide(&verdict, None);
            let is_done = |fate: &Disposition| fate.edits.apply(&message, Some(&verdict)).is_some();
            let fates = if fates.iter().all(is_done) {
                fates
            } else {
                plan.without_cleaning().decide(&verdict, None)
            };
            (verdict, fates)
        }
        _ => return Err(failed(&"no answer of the policy")),
    };
    let fate = fates.pop().ok_or_else(|| failed(&"no answer of the policy"))?;
    if !fates.is_empty() {
        return Err(failed(&"the recipients are treated differently; ask for each of them"));
    }
    if fate.action != Action::Accept {
        return Err(failed(&format!("{}: {}", fate.action.participle(), fate.rule)));
    }
    fate.edits.apply(&message, Some(&verdict)).ok_or_else(|| failed(&"cannot be rewritten"))
}

fn scan(file: &Path, plan: &ScanPlan<'_>, signatures: &Signatures) -> Result<Verdict, Vec<String>> {
    let scan = signatures.scan(Setup::of(plan));
    let scanned = pool::scan_one(&scan, file);
    let scanned = scanned.map_err(|problem| vec![format!("{}: {problem}", file.display())])?;
    Ok(scanned.verdict)
}
