//! Decides what happens to a mail for each of its recipients, and says which line said so.
//!
//! `cargo run -p esets-examples --bin policy_decision`

use std::error::Error;

use esets_policy::config::Config;
use esets_policy::core::{Database, Object, Scanner};
use esets_policy::{Context, Filter, Pipeline, Policy};

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::parse("esets.cfg", ESETS_CFG.as_bytes())?;
    // The library opens no files: the caller says what a special configuration file holds.
    let policy = Policy::from_config(&config, |name| match name {
        "users.cfg" => Ok(USERS_CFG.into()),
        _ => Err("no such file"),
    })?;
    let pipeline = Pipeline::new(Scanner::new(Database::embedded()), policy);

    let recipients = ["postmaster@example.org", "bob@example.org"];
    let context = Context::new("smtp").sender("alice@example.net").recipients(&recipients);
    for name in ["report.txt", "report.pdf.exe"] {
        let outcome = pipeline.handle(&Object::new(b"text").named(name), &context);
        println!("{name}: {}", outcome.decision().action);
        for disposition in &outcome.dispositions {
            let named = disposition.recipients.iter().filter_map(|at| recipients.get(*at));
            let named: Vec<_> = named.copied().collect();
            let (action, rule) = (disposition.action, &disposition.rule);
            println!("  {action} for {}: {rule}", named.join(", "));
        }
    }
    Ok(())
}

const ESETS_CFG: &str = r#"
[smtp]
action_av_infected = "discard"
user_config = "users.cfg"
"#;

const USERS_CFG: &str = r#"
[postmaster@example.org]
action_av_infected = "accept"
"#;
