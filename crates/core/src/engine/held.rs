//! Who holds what AWS does not delete: asked once a refusal, or a wait for what was to go by itself, has lasted some seconds.
//!
//! Something that AWS itself releases goes within a minute; something of somebody else stays, however often the call is sent.

use std::time::Duration;

use super::Executor;
use super::event::Cause;
use super::node::Sending;
use crate::api::VISIBILITY_MS;
use crate::api::{ApiError, Call, Reply};
use crate::plan::{Node, Step, Verb};
use crate::time::Instant;

/// Asked for the first time after this long: most refusals are over by then.
const ASKED_AFTER: Duration = Duration::from_secs(4);
/// And again after this long.
const ASKED_AGAIN: Duration = Duration::from_secs(20);
/// What carries our tags and is not recorded may be another run's, which is deleting it: it is named after this long.
const ANOTHER_RUNS: Duration = Duration::from_millis(2 * VISIBILITY_MS);

/// What a node that was refused has asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// When it asked last.
    at: Instant,
    /// AWS's answer to the call of the step; `None` if the step waits.
    error: Option<ApiError>,
    replies: Vec<(Node, Reply)>,
}

impl Executor {
    pub(super) fn asker_call(&self, read: usize) -> Option<&Call> {
        match self.asker.nodes.get(read)?.steps.first()? {
            Step::Call { call, .. } => Some(call),
            Step::Wait(waiter) => Some(&waiter.call),
        }
    }

    /// Begins to ask who holds the object, if it is time to. `error` is AWS's refusal; `None` if the step waits.
    pub(super) fn asks_who_holds(&mut self, index: usize, error: Option<&ApiError>, now: Instant) -> bool {
        let node = &self.nodes[index];
        if node.verb != Verb::Delete || !self.asker.asks_for(&node.target) {
            return false;
        }
        let progress = &mut self.progress[index];
        let is_late = progress.since(error.is_some()).is_some_and(|since| now.since(since) >= ASKED_AFTER);
        let is_due = progress.asked.as_ref().is_none_or(|asked| now.since(asked.at) >= ASKED_AGAIN);
        if !is_late || !is_due || self.stopping {
            return false;
        }
        progress.asked = Some(Box::new(Asked { at: now, error: error.cloned(), replies: Vec::new() }));
        progress.sending = Sending::Holder(0);
        self.enqueue(index);
        true
    }

    pub(super) fn holder_replied(&mut self, index: usize, read: usize, reply: Reply, now: Instant) {
        let Some(node) = self.asker.nodes.get(read).cloned() else { return };
        let progress = &mut self.progress[index];
        let Some(asked) = &mut progress.asked else { return };
        asked.replies.push((node, reply));
        if read + 1 < self.asker.nodes.len() {
            progress.sending = Sending::Holder(read + 1);
            return self.enqueue(index);
        }
        progress.sending = Sending::Step;
        let replies = std::mem::take(&mut asked.replies);
        let error = asked.error.clone();
        let since = progress.since(error.is_some()).unwrap_or(now);
        let by_tag = now.since(since) < ANOTHER_RUNS;
        let by = self.asker.holders(&self.nodes[index].target, &self.state, &replies, by_tag);
        if by.is_empty() {
            return self.goes_on(index, error, now);
        }
        let operation = self.step_call(index).map(|call| call.operation.to_string()).unwrap_or_default();
        let detail = error.map_or_else(|| "what uses it does not go".to_owned(), |error| error.to_string());
        self.refused_for_good(index, now);
        self.fail(index, Cause::Held { operation, detail, by }, now);
    }
}
