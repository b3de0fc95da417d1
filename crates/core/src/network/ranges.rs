//! Sets of numbers as sorted ranges, with exact union, intersection and difference.
//!
//! Knows nothing of networks: [`super::traffic`] and [`super::space`] give the numbers their meaning.

/// A set of numbers. Invariant: ranges are inclusive, sorted, and neither overlap nor touch, so equal sets are equal
/// values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// The set of all numbers in any of `ranges`; a range whose end is before its start holds nothing.
    pub(super) fn new(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|(low, high)| low <= high).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                Some(_) | None => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|&(low, _)| low <= number);
        after.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|&(_, high)| number <= high)
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::new(self.iter().chain(other.iter()))
    }

    pub(super) fn intersect(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        while let (Some(&(low_a, high_a)), Some(&(low_b, high_b))) = (left.peek(), right.peek()) {
            both.push((low_a.max(low_b), high_a.min(high_b)));
            if high_a <= high_b {
                left.next();
            } else {
                right.next();
            }
        }
        Self::new(both)
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        for (low, high) in self.iter() {
            let mut start = Some(low);
            for (cut_low, cut_high) in other.iter() {
                let Some(from) = start.filter(|&from| from <= high && cut_low <= high) else { break };
                if cut_high < from {
                    continue;
                }
                if let Some(before) = cut_low.checked_sub(1) {
                    rest.push((from, before));
                }
                start = cut_high.checked_add(1);
            }
            rest.extend(start.map(|from| (from, high)));
        }
        Self::new(rest)
    }
}

/// What every set of numbers has, whatever the numbers mean.
macro_rules! set_algebra {
    ($set:ident) => {
        impl $set {
            /// True if nothing is in it.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// True if all of `other` is in it.
            pub fn covers(&self, other: &Self) -> bool {
                other.minus(self).is_empty()
            }

            /// What is in either.
            #[must_use]
            pub fn union(&self, other: &Self) -> Self {
                Self(self.0.union(&other.0))
            }

            /// What is in both.
            #[must_use]
            pub fn intersect(&self, other: &Self) -> Self {
                Self(self.0.intersect(&other.0))
            }

            /// What is in this and not in `other`.
            #[must_use]
            pub fn minus(&self, other: &Self) -> Self {
                Self(self.0.subtract(&other.0))
            }
        }
    };
}
pub(super) use set_algebra;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Both ends of the number space, where off-by-one errors live.
    const ENDS: [u32; 2] = [0, u32::MAX - 15];

    fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
        let number = (0..2usize, 0..16u32).prop_map(|(end, offset)| ENDS[end] + offset);
        prop::collection::vec((number.clone(), number), 0..6)
    }

    fn numbers() -> impl Iterator<Item = u32> {
        ENDS.into_iter().flat_map(|end| (0..16).map(move |offset| end + offset))
    }

    fn listed(ranges: &[(u32, u32)]) -> BTreeSet<u32> {
        numbers().filter(|n| ranges.iter().any(|(low, high)| (low..=high).contains(&n))).collect()
    }

    fn members(set: &Ranges) -> BTreeSet<u32> {
        numbers().filter(|&n| set.contains(n)).collect()
    }

    proptest! {
        #[test]
        fn operations_are_those_of_sets(a in ranges(), b in ranges()) {
            let (set_a, set_b) = (Ranges::new(a.clone()), Ranges::new(b.clone()));
            let (list_a, list_b) = (listed(&a), listed(&b));
            prop_assert_eq!(members(&set_a), list_a.clone());
            prop_assert_eq!(members(&set_a.union(&set_b)), &list_a | &list_b);
            prop_assert_eq!(members(&set_a.intersect(&set_b)), &list_a & &list_b);
            prop_assert_eq!(members(&set_a.subtract(&set_b)), &list_a - &list_b);
        }

        #[test]
        fn equal_sets_are_equal_values(a in ranges(), b in ranges()) {
            let (set_a, set_b) = (Ranges::new(a), Ranges::new(b));
            let rebuilt = set_a.subtract(&set_b).union(&set_a.intersect(&set_b));
            prop_assert_eq!(rebuilt, set_a.clone());
            prop_assert!(set_a.0.windows(2).all(|pair| pair[0].1 < pair[1].0 - 1));
        }
    }
}
