//! `esets policy`: why something happens to an object.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::core::Verdict;
use esets_policy::{Context, Plan, ScanPlan};

use super::arguments::DatabaseArguments;
use super::{Command, print};
use crate::exit::Managed;
use crate::messages::Messages;
use crate::policy;
use crate::pool;
use crate::signatures::Signatures;
use crate::target::Walk;
use crate::worker::{Scan, Setup};

pub(crate) static COMMAND: Command = Command { name: "policy", program: None, define, run };

/// `esets policy explain`.
#[derive(Args, Debug)]
struct Explain {
    /// The configuration [default: /etc/esets/esets.cfg if it exists]
    #[arg(long, value_name = "FILE")]
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
    Definition::new("policy")
        .about("Explain what happens to an object")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Explain::augment_args(explain))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets policy");
    let explained = matches.subcommand().ok_or(vec!["no such action".into()]);
    let explained = explained.and_then(|(_, matches)| {
        let arguments = Explain::from_arg_matches(matches);
        explain(&arguments.map_err(|error| vec![error.to_string()])?, &mut messages)
    });
    match explained {
        Ok(text) => print(text.as_bytes()).map_or(Managed::Failed, |()| Managed::Done),
        Err(mistakes) => {
            mistakes.iter().for_each(|mistake| messages.say(mistake));
            Managed::Failed
        }
    }
    .into()
}

fn explain(arguments: &Explain, messages: &mut Messages) -> Result<String, Vec<String>> {
    let (config, policy) = policy::load(arguments.config.as_deref())?;
    let base_dir = policy::base_dir(&config);
    let signatures = Signatures::load(&arguments.database, base_dir.as_deref(), messages);
    let signatures = signatures.map_err(|error| vec![error])?;
    let recipients: Vec<&str> = arguments.recipient.iter().map(String::as_str).collect();
    let mut context = Context::new(&arguments.agent).recipients(&recipients).modifiable();
    context.client = arguments.client;
    context.sender = arguments.sender.as_deref();
    context.user = arguments.user.as_deref();
    let verdict = match policy.plan(&context) {
        Plan::Scan(plan) => scan(&arguments.file, &plan, &signatures)?,
        // It is settled without a scan.
        _ => Verdict::default(),
    };
    Ok(format!("{verdict}{}\n", policy.explain(&context, &verdict, None)))
}

fn scan(file: &Path, plan: &ScanPlan<'_>, signatures: &Signatures) -> Result<Verdict, Vec<String>> {
    let setup = Setup::of(plan);
    let scan = Scan { setup, database: signatures.file.as_ref() };
    let paths = [file.to_path_buf()];
    let walk = Walk::default();
    let mut outcome = Err(vec![format!("{}: not scanned", file.display())]);
    pool::scan(scan.engines(), 1, walk.targets(&paths), |scanned| {
        outcome = match scanned.problem {
            Some(problem) => Err(vec![format!("{}: {problem}", file.display())]),
            None => Ok(scanned.verdict),
        };
        ControlFlow::Continue(())
    });
    outcome
}
