//! How long a plan usually takes: the longest chain of its waits. Calls themselves are not counted, they take moments.

use std::time::Duration;

use super::{Node, Step};

/// From the first call to the last. Every node stands after those it needs.
pub fn duration(nodes: &[Node]) -> Duration {
    let mut ends: Vec<u64> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let end_of = |need: &u32| usize::try_from(*need).ok().and_then(|need| ends.get(need)).copied();
        let start = node.needs.iter().filter_map(end_of).max().unwrap_or(0);
        let waits = node.steps.iter().map(|step| match step {
            Step::Call { .. } => 0,
            Step::Wait(waiter) => waiter.pace.usual_ms,
        });
        ends.push(waits.fold(start, u64::saturating_add));
    }
    Duration::from_millis(ends.into_iter().max().unwrap_or(0))
}
