//! What happened in a simulated world, in order: one line of text per event, the same bytes for the same seed.
//!
//! A trace holds requests and answers as they are printed, so secrets are only named in it.

use std::fmt;

use aloka_core::api::Operation;
use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::rng::fnv128;

/// What sort of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceKind {
    /// A command begins.
    Run,
    /// The executor has something to tell of a node.
    Node,
    /// The executor sends a call.
    Send,
    /// AWS acts on a call, or refuses it.
    Aws,
    /// The state is written, or not.
    Store,
    /// A fault strikes.
    Fault,
    /// The executor learns of something.
    Event,
    /// A command ends.
    End,
}

impl TraceKind {
    /// The word in a trace.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Node => "node",
            Self::Send => "send",
            Self::Aws => "aws",
            Self::Store => "store",
            Self::Fault => "fault",
            Self::Event => "event",
            Self::End => "end",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceEntry {
    /// When, in virtual milliseconds.
    pub at: Instant,
    /// What sort.
    pub kind: TraceKind,
    /// The operation, of calls and their answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// What.
    pub what: String,
}

impl TraceEntry {
    /// Its line of JSON, without the end of the line.
    pub fn to_json_line(&self) -> String {
        // A number and texts: serialising them has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
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
    pub fn push(&mut self, at: Instant, kind: TraceKind, operation: Option<Operation>, what: fmt::Arguments<'_>) {
        if let Some(entries) = &mut self.entries {
            entries.push(TraceEntry { at, kind, operation, what: what.to_string() });
        }
    }

    /// True if events are kept.
    pub fn is_on(&self) -> bool {
        self.entries.is_some()
    }

    /// The events kept.
    pub fn entries(&self) -> &[TraceEntry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// One line of JSON per event.
    pub fn to_json_lines(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            text.push_str(&entry.to_json_line());
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
    use aloka_core::api::Ec2;

    use super::*;

    #[test]
    fn lines_read_back_and_hashes_tell_traces_apart() {
        let mut trace = Trace::on();
        trace.push(
            Instant(5),
            TraceKind::Send,
            Some(Operation::Ec2(Ec2::CreateVpc)),
            format_args!("send #{} \"x\"\n", 1),
        );
        let lines = trace.to_json_lines();
        assert_eq!(lines.lines().count(), 1);
        assert_eq!(
            lines,
            "{\"at\":5,\"kind\":\"send\",\"operation\":\"ec2:CreateVpc\",\"what\":\"send #1 \\\"x\\\"\\n\"}\n"
        );
        assert_eq!(serde_json::from_str::<TraceEntry>(&lines).expect("JSON"), trace.entries()[0]);
        let mut other = trace.clone();
        assert_eq!(trace.hash(), other.hash());
        other.push(Instant(5), TraceKind::End, None, format_args!("y"));
        assert_ne!(trace.hash(), other.hash());
        let mut off = Trace::off();
        off.push(Instant(5), TraceKind::End, None, format_args!("y"));
        assert_eq!(off.to_json_lines(), "");
    }

    #[test]
    fn the_word_is_the_one_in_the_line() {
        for kind in [
            TraceKind::Run,
            TraceKind::Node,
            TraceKind::Send,
            TraceKind::Aws,
            TraceKind::Store,
            TraceKind::Fault,
            TraceKind::Event,
            TraceKind::End,
        ] {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.word());
        }
    }
}
