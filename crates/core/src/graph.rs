//! Orders: which comes first, and what goes round in circles.

use std::collections::BTreeSet;

/// A cycle: each needs the next, the last needs the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

/// An order in which every node comes after all it needs; among those that may come next, the least index first.
/// `needs[n]` lists the nodes that node `n` needs; an index out of range is ignored.
///
/// # Errors
/// A [`Cycle`] if there is no such order.
pub fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Cycle> {
    let count = needs.len();
    let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut open: Vec<usize> = vec![0; count];
    for (node, list) in needs.iter().enumerate() {
        for &need in list.iter().filter(|need| **need < count) {
            dependants[need].push(node);
            open[node] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|node| open[*node] == 0).collect();
    let mut sorted = Vec::with_capacity(count);
    while let Some(node) = ready.pop_first() {
        sorted.push(node);
        for &dependant in &dependants[node] {
            open[dependant] -= 1;
            if open[dependant] == 0 {
                ready.insert(dependant);
            }
        }
    }
    if sorted.len() == count { Ok(sorted) } else { Err(find_cycle(needs, &open)) }
}

/// Walks from a node that never became ready until one comes up twice.
fn find_cycle(needs: &[Vec<usize>], open: &[usize]) -> Cycle {
    let mut path: Vec<usize> = Vec::new();
    let mut next = open.iter().position(|left| *left > 0);
    while let Some(node) = next {
        if let Some(start) = path.iter().position(|seen| *seen == node) {
            return Cycle(path.split_off(start));
        }
        path.push(node);
        next = needs[node].iter().copied().find(|need| open.get(*need).is_some_and(|left| *left > 0));
    }
    Cycle(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_names_cycles() {
        assert_eq!(order(&[vec![1], vec![2], vec![]]), Ok(vec![2, 1, 0]));
        assert_eq!(order(&[vec![], vec![0], vec![0]]), Ok(vec![0, 1, 2]));
        assert_eq!(order(&[vec![], vec![2], vec![3], vec![1, 0]]), Err(Cycle(vec![1, 2, 3])));
        assert_eq!(order(&[vec![9]]), Ok(vec![0]));
    }
}
