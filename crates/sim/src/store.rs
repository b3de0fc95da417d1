//! Where a simulated run keeps its state.
//!
//! A store knows one rule: a state that is not the successor of the one it holds is refused. It never looks into a
//! state.

use std::sync::Arc;

use aloka_core::state::State;

/// Holds one state.
pub trait Store {
    /// Takes `state` in place of the one held.
    ///
    /// # Errors
    /// Why it was refused or could not be kept; what was held before is held still.
    fn write(&mut self, state: &Arc<State>) -> Result<(), String>;

    /// Another process writes: what is held, under the next serial. A store that nobody else reaches does nothing.
    fn overtake(&mut self) {}
}

/// A store in memory. Cheap for large states: it shares what it is given.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    last: Option<Arc<State>>,
    writes: u64,
    failing_from: Option<u64>,
}

impl MemoryStore {
    /// A store that holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that holds `state` already.
    pub fn holding(state: State) -> Self {
        Self { last: Some(Arc::new(state)), ..Self::default() }
    }

    /// Makes the `nth` write, counted from 1 over the life of the store, and all after it fail. `None` heals it.
    pub fn fail_from(&mut self, nth: Option<u64>) {
        self.failing_from = nth;
    }

    /// The state held.
    pub fn last(&self) -> Option<&Arc<State>> {
        self.last.as_ref()
    }

    /// The state held; the empty state of `lineage` if there is none.
    pub fn state(&self, lineage: &str) -> State {
        self.last.as_ref().map_or_else(|| State::new(lineage), |state| State::clone(state))
    }

    /// How often it was written to, in vain or not.
    pub fn writes(&self) -> u64 {
        self.writes
    }
}

impl Store for MemoryStore {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        self.writes += 1;
        if self.failing_from.is_some_and(|nth| self.writes >= nth) {
            return Err("no space left".to_owned());
        }
        if let Some(last) = self.last.as_ref().filter(|last| last.lineage != state.lineage) {
            return Err(format!("the store holds lineage `{}`, not `{}`", last.lineage, state.lineage));
        }
        let held = self.last.as_ref().map_or(0, |last| last.serial);
        if held.checked_add(1) != Some(state.serial) {
            return Err(format!("the store holds serial {held}, which {} does not follow", state.serial));
        }
        self.last = Some(Arc::clone(state));
        Ok(())
    }

    fn overtake(&mut self) {
        if let Some(last) = &mut self.last {
            Arc::make_mut(last).serial += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lineage: &str, serial: u64) -> Arc<State> {
        let mut state = State::new(lineage);
        state.serial = serial;
        Arc::new(state)
    }

    #[test]
    fn only_the_successor_of_the_same_history_is_taken() {
        let mut store = MemoryStore::new();
        for (lineage, serial, taken) in
            [("a", 0, false), ("a", 2, false), ("a", 1, true), ("a", 1, false), ("b", 2, false), ("a", 2, true)]
        {
            assert_eq!(store.write(&state(lineage, serial)).is_ok(), taken, "{lineage} {serial}");
        }
        assert_eq!(store.state("c"), *state("a", 2));
        assert!(MemoryStore::holding(State::clone(&state("a", u64::MAX))).write(&state("a", 0)).is_err());
    }

    #[test]
    fn it_fails_from_a_write_on_and_keeps_what_it_had() {
        let mut store = MemoryStore::new();
        store.fail_from(Some(2));
        assert!(store.write(&state("a", 1)).is_ok());
        assert!(store.write(&state("a", 2)).is_err());
        assert!(store.write(&state("a", 2)).is_err());
        assert_eq!((store.writes(), store.state("a").serial), (3, 1));
        store.fail_from(None);
        assert!(store.write(&state("a", 2)).is_ok());
    }
}
