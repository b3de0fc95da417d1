//! When each node ran, and which of them the whole run waited for.

use aloka_core::engine::{News, Notice};
use aloka_core::plan::{Node, Verb};
use aloka_core::state::Target;
use aloka_core::time::Instant;

/// When one node ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its index in the plan.
    pub node: usize,
    /// Its object.
    pub target: Target,
    /// What was done to it.
    pub verb: Verb,
    /// Its first step began.
    pub start: Instant,
    /// Its last step ended; `None` if it did not get that far.
    pub end: Option<Instant>,
    /// From when to when it waited for AWS to get something ready; `None` if it did not get that far.
    pub waits: Vec<(Instant, Option<Instant>)>,
    /// True if the whole run waited for it.
    pub critical: bool,
}

impl Span {
    /// The span of a node that begins now.
    pub(super) fn begun(index: usize, node: &Node, now: Instant) -> Self {
        let (target, verb) = (node.target.clone(), node.verb);
        Self { node: index, target, verb, start: now, end: None, waits: Vec::new(), critical: false }
    }

    /// What became of it.
    pub(super) fn notice(&mut self, notice: &Notice) {
        let ends_wait = match &notice.news {
            News::Waiting { .. } => {
                self.waits.push((notice.at, None));
                return;
            }
            News::Finished { .. } => {
                self.end = Some(notice.at);
                true
            }
            News::Sent { request, .. } => request.operation().is_mutating(),
            News::Started
            | News::Answered { .. }
            | News::Retry { .. }
            | News::Adopted { .. }
            | News::Failed { .. }
            | News::Skipped => false,
        };
        if let Some((_, until @ None)) = self.waits.last_mut().filter(|_| ends_wait) {
            *until = Some(notice.at);
        }
    }
}

/// The chain of nodes that ended last, each the one its successor waited for longest; first to last, by index.
pub(super) fn critical_path(nodes: &[Node], spans: &[Span]) -> Vec<usize> {
    let mut ends = vec![None; nodes.len()];
    for span in spans {
        if let Some(end) = ends.get_mut(span.node) {
            *end = span.end;
        }
    }
    path_of(nodes, &ends)
}

/// As [`critical_path`], by when each node ended.
pub(super) fn path_of(nodes: &[Node], ends: &[Option<Instant>]) -> Vec<usize> {
    // Of those that end together, the first counts.
    let last_of = |candidates: &mut dyn Iterator<Item = usize>| {
        let ended = candidates.filter_map(|node| Some((ends.get(node).copied().flatten()?, std::cmp::Reverse(node))));
        ended.max().map(|(_, node)| node.0)
    };
    let mut path = Vec::new();
    let mut next = last_of(&mut (0..nodes.len()));
    while let Some(node) = next {
        path.push(node);
        let needs = nodes.get(node).map_or(&[][..], |node| &node.needs);
        // Every node stands after those it needs, so this ends.
        next = last_of(&mut needs.iter().filter_map(|need| usize::try_from(*need).ok()).filter(|need| *need < node));
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use aloka_core::address::Address;
    use aloka_core::kind::Kind;

    use super::*;

    #[test]
    fn the_critical_path_follows_the_latest_of_what_was_needed() {
        let target = |index| Target::current(Address::vpc(Kind::Subnet, "public", index));
        let needs: [&[u32]; 5] = [&[], &[], &[0, 1], &[0], &[2, 3]];
        let nodes: Vec<_> = (0..)
            .zip(needs)
            .map(|(index, needs)| Node {
                target: target(index),
                verb: Verb::Create,
                steps: Vec::new(),
                needs: needs.to_vec(),
                generation: 1,
                after: Default::default(),
                dependencies: std::sync::Arc::default(),
            })
            .collect();
        let span = |node: usize, index, end| Span {
            node,
            target: target(index),
            verb: Verb::Create,
            start: Instant::ZERO,
            end: Some(Instant(end)),
            waits: Vec::new(),
            critical: false,
        };
        let mut spans = vec![span(0, 0, 10), span(1, 1, 20), span(2, 2, 50), span(3, 3, 40), span(4, 4, 60)];
        assert_eq!(critical_path(&nodes, &spans), [1, 2, 4]);
        spans[3].end = Some(Instant(55));
        assert_eq!(critical_path(&nodes, &spans), [0, 3, 4]);
        spans[4].end = None;
        assert_eq!(critical_path(&nodes, &spans), [0, 3], "the last that ended");
        assert!(critical_path(&nodes, &[]).is_empty());
    }
}
