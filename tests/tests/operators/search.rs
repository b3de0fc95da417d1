//! Breadth-first search over every state that can be reached: what goes wrong first is told by a shortest story.
//!
//! Forty lines instead of a crate: the states are few, and `stateright`, which does the same, brings a web server, hash
//! maps and worker threads along.

use std::collections::BTreeMap;

/// What can happen in a state: what it is called, and what comes of it; the error names a promise that is broken.
pub(crate) type Steps<S> = Vec<(String, Result<S, String>)>;

/// How much there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Explored {
    /// Different states.
    pub(crate) states: usize,
    /// Ways from one to another.
    pub(crate) steps: usize,
    /// States after which nothing happens.
    pub(crate) ends: usize,
}

/// Visits every state reachable from `start`. `is_end` tells whether it is all right that nothing happens after a
/// state.
///
/// # Errors
/// The shortest story that breaks a promise, a line for each step and the promise as the last.
pub(crate) fn search<S: Ord + Clone>(
    start: S,
    mut steps: impl FnMut(&S) -> Steps<S>,
    is_end: impl Fn(&S) -> bool,
) -> Result<Explored, Vec<String>> {
    let mut known = BTreeMap::from([(start.clone(), 0_usize)]);
    // By number: the state, whence it was reached first, and by which of the steps from there.
    let mut found = vec![(start, 0_usize, 0_usize)];
    let mut explored = Explored { states: 0, steps: 0, ends: 0 };
    while let Some((state, ..)) = found.get(explored.states).cloned() {
        let number = explored.states;
        explored.states += 1;
        let next = steps(&state);
        if next.is_empty() {
            explored.ends += 1;
            if !is_end(&state) {
                return Err(story(&found, number, &mut steps, "nothing can happen any more".to_owned()));
            }
        }
        for (nth, (what, outcome)) in next.into_iter().enumerate() {
            explored.steps += 1;
            match outcome {
                Ok(state) if known.contains_key(&state) => {}
                Ok(state) => {
                    known.insert(state.clone(), found.len());
                    found.push((state, number, nth));
                }
                Err(broken) => return Err(story(&found, number, &mut steps, format!("{what}: {broken}"))),
            }
        }
    }
    Ok(explored)
}

fn story<S>(
    found: &[(S, usize, usize)],
    mut number: usize,
    steps: &mut impl FnMut(&S) -> Steps<S>,
    last: String,
) -> Vec<String> {
    let mut lines = vec![last];
    while number != 0 {
        let (_, parent, nth) = &found[number];
        lines.push(steps(&found[*parent].0).swap_remove(*nth).0);
        number = *parent;
    }
    lines.reverse();
    lines
}
