//! What many runs say together: medians, percentiles, and what the runs waited for.

use aloka_core::plan::{Node, Verb};
use aloka_core::state::Target;

use super::Timing;

/// How a time varies over the runs, in milliseconds. A percentile is the least value that so many runs do not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The least.
    pub min_ms: u64,
    /// Half of the runs took no longer.
    pub median_ms: u64,
    /// Nine of ten took no longer.
    pub p90_ms: u64,
    /// 99 of 100 took no longer.
    pub p99_ms: u64,
    /// The most.
    pub max_ms: u64,
}

/// Begin and end, milliseconds from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// Its first step began.
    pub start_ms: u64,
    /// Its last step ended.
    pub end_ms: u64,
}

/// What the runs say about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Which.
    pub target: Target,
    /// What was done to it.
    pub verb: Verb,
    /// How long it took by itself.
    pub own: Spread,
    /// When it was done, from the start of the run.
    pub ends: Spread,
    /// In how many runs it was on the critical path.
    pub critical: usize,
    /// In the median run.
    pub median_run: Moments,
}

/// What the runs say about one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many runs there were.
    pub runs: usize,
    /// How long the whole took.
    pub total: Spread,
    /// The seed of the median run: the first of those that took as long as the median.
    pub median_seed: u64,
    /// The critical path of the median run, first to last, as indices of `resources`.
    pub critical_path: Vec<usize>,
    /// Every node of the plan, in its order.
    pub resources: Vec<Resource>,
}

impl Spread {
    /// Of these values; `None` if there are none.
    pub fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        // The rank of a percentile, rounded up, counted from 1.
        let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { min_ms: at(0)?, median_ms: at(50)?, p90_ms: at(90)?, p99_ms: at(99)?, max_ms: *values.last()? })
    }
}

impl Summary {
    pub(super) fn of(nodes: &[Node], runs: &[(u64, &Timing)]) -> Option<Self> {
        let total = Spread::of(runs.iter().map(|(_, timing)| timing.total_ms).collect())?;
        let (median_seed, median) = runs.iter().find(|(_, timing)| timing.total_ms == total.median_ms)?;
        let mut critical = vec![0; nodes.len()];
        for node in runs.iter().flat_map(|(_, timing)| &timing.critical) {
            if let Some(count) = critical.get_mut(*node) {
                *count += 1;
            }
        }
        let resource = |(index, node): (usize, &Node)| {
            let of = |timing: &Timing| timing.spans.get(index).map(|(start, end)| (u64::from(*start), u64::from(*end)));
            let spans = || runs.iter().filter_map(|(_, timing)| of(timing));
            let (start_ms, end_ms) = of(median)?;
            Some(Resource {
                target: node.target.clone(),
                verb: node.verb,
                own: Spread::of(spans().map(|(start, end)| end.saturating_sub(start)).collect())?,
                ends: Spread::of(spans().map(|(_, end)| end).collect())?,
                critical: critical.get(index).copied().unwrap_or_default(),
                median_run: Moments { start_ms, end_ms },
            })
        };
        Some(Self {
            runs: runs.len(),
            total,
            median_seed: *median_seed,
            critical_path: median.critical.to_vec(),
            resources: nodes.iter().enumerate().map(resource).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_so_many_do_not_exceed() {
        assert_eq!(Spread::of(Vec::new()), None);
        let one = Spread { min_ms: 7, median_ms: 7, p90_ms: 7, p99_ms: 7, max_ms: 7 };
        assert_eq!(Spread::of(vec![7]), Some(one));
        let hundred = Spread { min_ms: 1, median_ms: 50, p90_ms: 90, p99_ms: 99, max_ms: 100 };
        assert_eq!(Spread::of((1..=100).rev().collect()), Some(hundred));
        for count in 1..=250_u64 {
            let values: Vec<u64> = (0..count).map(|n| n * 7919 % count).collect();
            let spread = Spread::of(values.clone()).expect("values");
            let share =
                |limit: u64| values.iter().filter(|value| **value <= limit).count() as f64 / values.len() as f64;
            for (percentile, wanted) in [(spread.median_ms, 0.5), (spread.p90_ms, 0.9), (spread.p99_ms, 0.99)] {
                assert!(share(percentile) >= wanted, "{count}: {spread:?}");
                assert!(percentile == spread.min_ms || share(percentile - 1) < wanted, "{count}: {spread:?}");
            }
            assert_eq!((spread.min_ms, spread.max_ms), (0, count - 1));
        }
    }
}
