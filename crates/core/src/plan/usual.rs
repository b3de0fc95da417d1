//! How long a plan usually takes: the longest chain of its waits. Calls themselves are not counted, they take moments.

use std::time::Duration;

use super::{Node, Step};
use crate::api::Call;

/// From the first call to the last. Every node stands after those it needs. Where it is `measured` how long what a call
/// begins takes, that counts instead of the usual time of the wait that follows the call.
pub fn duration(nodes: &[Node], measured: &dyn Fn(&Call) -> Option<Duration>) -> Duration {
    let mut ends: Vec<u64> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let end_of = |need: &u32| usize::try_from(*need).ok().and_then(|need| ends.get(need)).copied();
        let mut end = node.needs.iter().filter_map(end_of).max().unwrap_or(0);
        let mut known = None;
        for step in &node.steps {
            match step {
                Step::Call { call, .. } => known = measured(call),
                Step::Wait(waiter) => {
                    let took = known.take().map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                    end = end.saturating_add(took.unwrap_or(waiter.pace.usual_ms));
                }
            }
        }
        ends.push(end);
    }
    Duration::from_millis(ends.into_iter().max().unwrap_or(0))
}
