//! Objects that come to rest short of what a step waits for, or fail.

use std::time::Duration;

use crate::api::Reply;
use crate::engine::Executor;
use crate::plan::{Save, Waiter};
use crate::resource;
use crate::time::Instant;
use crate::value::Value;

impl Executor {
    /// What to tell of an object that has come to rest short of what is waited for; `None` if it has not, or not for long.
    pub(super) fn rests_short(&mut self, index: usize, waiter: &Waiter, reply: &Reply, now: Instant) -> Option<String> {
        let short = waiter.short.as_deref()?;
        let since = &mut self.progress[index].resting_since;
        if !short.expect.matches(reply) {
            *since = None;
            return None;
        }
        let since = *since.get_or_insert(now);
        (now.since(since) >= Duration::from_millis(short.lasting_ms)).then(|| short.told.to_string())
    }

    /// What AWS says of an object that will not become ready.
    pub(super) fn why(&self, index: usize, waiter: &Waiter, reply: &Value) -> String {
        let path = if let Save::Object(path) = &waiter.save { path } else { "" };
        resource::why(self.nodes[index].target.address.kind, reply.at(path).unwrap_or(reply))
    }
}
