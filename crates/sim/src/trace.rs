//! What happened in a simulated world, in order: one line of text per event, the same bytes for the same seed.
//!
//! A trace holds requests and answers as they are printed, so secrets are only named in it.

use std::fmt;

use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::rng::fnv128;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// When, in virtual milliseconds.
    pub at: Instant,
    /// What.
    pub what: String,
}

/// The events of a world, if it was asked to keep them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Option<Vec<TraceEntry>>,
}

impl Trace {
    /// A trace that keeps events.
    pub fn on() -> Self {
        Self { entries: Some(Vec::new()) }
    }

    /// A trace that keeps nothing, for large runs.
    pub fn off() -> Self {
        Self { entries: None }
    }

    /// Keeps an event; `what` is not printed if nothing is kept.
    pub fn push(&mut self, at: Instant, what: fmt::Arguments<'_>) {
        if let Some(entries) = &mut self.entries {
            entries.push(TraceEntry { at, what: what.to_string() });
        }
    }

    /// The events kept.
    pub fn entries(&self) -> &[TraceEntry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// One line of JSON per event.
    pub fn to_json_lines(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            // A number and a text: serialising them has no way to fail.
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// A hash of [`Trace::to_json_lines`]: equal traces have equal hashes.
    pub fn hash(&self) -> u128 {
        fnv128(self.to_json_lines().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_and_hashes_tell_traces_apart() {
        let mut trace = Trace::on();
        trace.push(Instant(5), format_args!("send #{} \"x\"\n", 1));
        let lines = trace.to_json_lines();
        assert_eq!(lines.lines().count(), 1);
        assert_eq!(serde_json::from_str::<TraceEntry>(&lines).expect("JSON"), trace.entries()[0]);
        let mut other = trace.clone();
        assert_eq!(trace.hash(), other.hash());
        other.push(Instant(5), format_args!("y"));
        assert_ne!(trace.hash(), other.hash());
        let mut off = Trace::off();
        off.push(Instant(5), format_args!("y"));
        assert_eq!(off.to_json_lines(), "");
    }
}
