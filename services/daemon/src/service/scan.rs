//! Scans: of an object, and of a message without the parts that were taken out.

use std::sync::Arc;
use std::time::Instant;

use esets_policy::core::{Limit, Reason, Verdict};
use esets_policy::{Disposition, Outcome};
use tokio::sync::{mpsc, oneshot};

use super::{Content, Refused};
use crate::generation::Generation;
use crate::memory::{Claim, Key};
use crate::worker::{Asked, Cleaning, Job, Order, Payload, Stage, fault};

/// The verdict on an object: remembered, scanned for somebody else, or scanned.
pub(super) async fn scan(
    generation: &Generation,
    content: Content,
    order: Order,
    progress: Option<mpsc::Sender<(u64, u64)>>,
) -> Result<Verdict, Refused> {
    let submit = |payload, stage| {
        let since = Instant::now();
        let job = Job { order: order.clone(), payload, stage, progress, since, attempts: 0 };
        generation.pool.submit(job)
    };
    match content {
        Content::Known { payload, digest, is_cut } => {
            let awaited = match generation.memory.claim(Key::new(digest, &order)) {
                Claim::Known(verdict) => return Ok(cut(verdict, is_cut)),
                Claim::Join(awaited) => awaited,
                Claim::Lead(awaited, reply) => {
                    submit(payload, Stage::Answer(reply, Some(digest))).await;
                    awaited
                }
            };
            Ok(cut(Verdict::clone(&*awaited.await), is_cut))
        }
        Content::File(file) => {
            let (reply, asked) = oneshot::channel();
            submit(Payload::File(file), Stage::Ask(reply)).await;
            let (digest, go) = match asked.await {
                Ok(Asked::Read(digest, go)) => (digest, go),
                Ok(Asked::Unfit(why)) => return Err(Refused(why)),
                Ok(Asked::Failed(verdict)) => return Ok(verdict),
                Err(_) => return Ok(fault("the scan was given up")),
            };
            let (awaited, reply) = match generation.memory.claim(Key::new(digest, &order)) {
                Claim::Known(verdict) => {
                    let _ = go.send(None);
                    return Ok(verdict);
                }
                Claim::Join(awaited) => (awaited, None),
                Claim::Lead(awaited, reply) => (awaited, Some(reply)),
            };
            // If the worker has waited too long, the reply is dropped and ends the wait below.
            let _ = go.send(reply);
            Ok(Verdict::clone(&*awaited.await))
        }
    }
}

fn cut(verdict: Verdict, is_cut: bool) -> Verdict {
    if is_cut { verdict.with_reason(Reason::Limit(Limit::ObjectSize)) } else { verdict }
}

/// Whether the messages that may pass instead of an object were made and scanned too, and hold no
/// threat that the policy has not decided about. It is the worker that takes the parts out: this
/// process does not read what strangers wrote.
pub(super) async fn is_cleaned(
    generation: &Generation,
    content: &Content,
    order: &Order,
    outcome: &Outcome,
) -> bool {
    let Some(found) = &outcome.verdict else { return true };
    let cleaning = |fate: &&Disposition| !fate.edits.remove.is_empty();
    for Disposition { edits, .. } in outcome.dispositions.iter().filter(cleaning) {
        let cleaning = Cleaning { edits: edits.clone(), found: found.clone() };
        let order = Order { cleaning: Some(Arc::new(cleaning)), progress: false, ..order.clone() };
        let again = again(generation, content, order).await;
        if !again.is_some_and(|again| edits.have_cleaned(found, &again)) {
            return false;
        }
    }
    true
}

/// The verdict on an object without some of its parts, which nothing remembers.
async fn again(generation: &Generation, content: &Content, order: Order) -> Option<Verdict> {
    let (payload, digest) = match content {
        Content::Known { payload, digest, .. } => (payload.clone(), Some(*digest)),
        Content::File(file) => (Payload::File(Arc::clone(file)), None),
    };
    let (reply, finding) = oneshot::channel();
    let (stage, since) = (Stage::Answer(reply, digest), Instant::now());
    if !order.fits() {
        return None;
    }
    let job = Job { order, payload, stage, progress: None, since, attempts: 0 };
    generation.pool.submit(job).await;
    finding.await.ok().map(|finding| finding.verdict)
}
