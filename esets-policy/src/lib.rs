//! Context to plan to decision: what happens to an object, and which line of which file said so.
//!
//! ```
//! use esets_policy::core::{Database, Object, Scanner};
//! use esets_policy::config::Config;
//! use esets_policy::{Action, Context, Filter, Pipeline, Policy};
//!
//! let config = Config::parse("esets.cfg", b"[smtp]\naction_av = \"reject\"\n").unwrap();
//! let policy = Policy::from_config(&config, |name| std::fs::read(name)).unwrap();
//! let pipeline = Pipeline::new(Scanner::new(Database::embedded()), policy);
//! let outcome = pipeline.handle(&Object::new(b"Subject: hi\n"), &Context::new("smtp"));
//! let decision = outcome.decision();
//! assert_eq!(decision.action, Action::Reject);
//! assert_eq!(decision.rule.to_string(), "action_av in [smtp], esets.cfg:2");
//! ```
//!
//! **The order of the manual.** `action_av` comes first: anything but `scan` is done at once,
//! though what it accepts is still searched for spam. After the scan, threats that
//! `av_clean_mode` cannot take out ask `action_av_infected`; if parts were taken out,
//! `action_av_deleted`; if something else could not be looked at, `action_av_notscanned` (the
//! cause lies in the object) or `action_av_failed` (it lies in the scanner); if a message can be
//! read in more than one way, `action_av_ambiguous`. The first of them that does not accept ends
//! it. Then come `action_as`, `action_as_spam` and `action_as_notscanned`. Within one question,
//! such as several threats of different class, the strictest answer counts.
//!
//! **What passes may be changed.** A [`Disposition`] has [`Edits`] for the message that passes;
//! [`Edits::apply`] makes them.
//!
//! The crate is pure: no files, sockets, clocks or threads. The caller reads the files.

pub use esets_core as core;

mod action;
pub mod config;
mod context;
mod disposition;
pub mod explain;
mod findings;
mod judge;
pub mod log;
mod notice;
mod pipeline;
mod plan;
mod policy;
pub mod profile;
mod rewrite;
mod spam;
pub mod template;

pub use action::Action;
pub use context::Context;
pub use disposition::{Decision, Disposition, Edits};
pub use explain::Explanation;
pub use pipeline::{Filter, Outcome, Pipeline};
pub use plan::{Plan, ScanPlan};
pub use policy::Policy;
pub use spam::{Antispam, SpamScore};
