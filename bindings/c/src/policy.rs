//! `esets.cfg`: read, asked before a scan and after it.

use std::ffi::{OsStr, c_char};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ::esets_policy::config::Config;
use ::esets_policy::{Decision, Plan, Policy};
use esets_core::{Reason, Verdict};

use crate::border::{Out, borrow, fence, fence_with_text, free, text};
use crate::context::esets_context;
use crate::database::esets_database;
use crate::decision::esets_decision;
use crate::result::{ESETS_ERROR_CONFIG, Failure, esets_result};
use crate::scanner::{Settings, esets_scanner};
use crate::verdict::esets_verdict;

/// What happens to objects.
pub struct esets_policy {
    /// `None` for the policy that no file says.
    path: Option<PathBuf>,
    current: RwLock<Arc<Policy>>,
}

impl esets_policy {
    pub(crate) fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads a configuration with its special configuration files, which lie beside it.
fn load(path: &Path) -> Result<Arc<Policy>, Failure> {
    let name = path.to_string_lossy();
    let bytes = fs::read(path).map_err(|error| Failure::about(path, error))?;
    let wrong = |errors| Failure::with_text(ESETS_ERROR_CONFIG, errors);
    let config = Config::parse(&name, &bytes).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let policy = Policy::from_config(&config, |name| fs::read(folder.join(name))).map_err(wrong)?;
    Ok(Arc::new(policy))
}

/// Makes the policy of an empty `esets.cfg`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_default(out: *mut *mut esets_policy) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        out.give(esets_policy { path: None, current: RwLock::default() });
        Ok(())
    })
}

/// Reads `esets.cfg`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_open(
    path: *const c_char,
    out: *mut *mut esets_policy,
    error: *mut *mut c_char,
) -> esets_result {
    let body = || {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a string or NULL.
        let path = PathBuf::from(OsStr::from_bytes(unsafe { text(path) }?));
        let current = RwLock::new(load(&path)?);
        out.give(esets_policy { path: Some(path), current });
        Ok(())
    };
    // SAFETY: the caller promises that `error` is NULL or may be written to.
    unsafe { fence_with_text(error, body) }
}

/// Reads the same file again; after a failure the policy is what it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_reload(
    policy: *mut esets_policy,
    error: *mut *mut c_char,
) -> esets_result {
    let body = || {
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?;
        let Some(path) = &policy.path else { return Ok(()) };
        let fresh = load(path)?;
        *policy.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    };
    // SAFETY: the caller promises that `error` is NULL or may be written to.
    unsafe { fence_with_text(error, body) }
}

/// What is doubtful in the files, one line each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_warnings(
    policy: *const esets_policy,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?.current();
        out.give_text(
            policy.warnings().iter().fold(String::new(), |all, one| format!("{all}{one}\n")),
        );
        Ok(())
    })
}

/// Makes a scanner as the policy wants it, or none if it needs no scan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_scanner(
    policy: *const esets_policy,
    context: *const esets_context,
    database: *const esets_database,
    out: *mut *mut esets_scanner,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?.current();
        // SAFETY: the caller promises a context or NULL.
        let context = unsafe { borrow(context) }?;
        // SAFETY: the caller promises a database or NULL.
        let database = unsafe { borrow(database) }?;
        if let Some(settings) = context.with(|context| settings(&policy.plan(context))) {
            out.give(esets_scanner::new(database, settings));
        }
        Ok(())
    })
}

/// Decides what happens to an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_decide(
    policy: *const esets_policy,
    context: *const esets_context,
    verdict: *const esets_verdict,
    out: *mut *mut esets_decision,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?.current();
        // SAFETY: the caller promises a context or NULL.
        let context = unsafe { borrow(context) }?;
        // SAFETY: the caller promises a verdict or NULL.
        let verdict = unsafe { verdict.as_ref() };
        let decision = context.with(|context| match policy.plan(context) {
            Plan::Act(dispositions) => Decision::of(dispositions),
            _ => verdict.map_or_else(
                || policy.decide(&missing(), context),
                |verdict| policy.decide(&verdict.verdict, context),
            ),
        });
        out.give(esets_decision::new(decision));
        Ok(())
    })
}

/// Explains a decision, question by question.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_explain(
    policy: *const esets_policy,
    context: *const esets_context,
    verdict: *const esets_verdict,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?.current();
        // SAFETY: the caller promises a context or NULL.
        let context = unsafe { borrow(context) }?;
        // SAFETY: the caller promises a verdict or NULL.
        let verdict = unsafe { verdict.as_ref() };
        let missing = missing();
        let verdict = verdict.map_or(&missing, |verdict| &verdict.verdict);
        out.give_text(context.with(|context| policy.explain(context, verdict, None).to_string()));
        Ok(())
    })
}

/// Frees a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_free(policy: *mut esets_policy) {
    // SAFETY: the caller promises that it is NULL or a policy that is used no more.
    unsafe { free(policy) }
}

/// What a scan for threats has to keep to; `None` if there is nothing to look for.
fn settings(plan: &Plan<'_>) -> Option<Settings> {
    match plan {
        Plan::Scan(plan) if plan.scans_for_threats() => Some(Settings {
            limits: plan.limits(),
            options: plan.options(),
            time: Some(plan.time()).filter(|time| !time.is_zero()),
        }),
        _ => None,
    }
}

/// The verdict on an object that the caller could not scan: never clean.
fn missing() -> Verdict {
    Verdict::not_scanned("", Reason::Fault("no verdict".into()))
}
