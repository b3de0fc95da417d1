//! A trace as a file: a header that says all a rehearsal follows from, and one event a line. To replay it is to run
//! the rehearsal of its header again and to compare every event, byte for byte.
//!
//! Nothing here reads or writes files. The header holds no secret: what a rehearsal shows does not depend on the
//! password.

use aloka_core::plan::Mode;
use aloka_core::plan::{Password, Problem};
use aloka_core::secret::Secrets;
use aloka_core::session::Inputs;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use serde::{Deserialize, Serialize};

use super::RehearsalOptions;
use super::cycle::{Kept, cycle};
use crate::aws::{Account, Durations};
use crate::fault::{FaultError, FaultPlan};
use crate::trace::{Trace, TraceEntry};

/// Version of the format.
pub const TRACE_VERSION: u64 = 1;

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the format, [`TRACE_VERSION`].
    pub aloka_trace: u64,
    /// Version of the tool that wrote it.
    pub aloka_version: String,
    /// See [`RehearsalOptions`].
    pub seed: u64,
    /// See [`RehearsalOptions`].
    pub durations: Durations,
    /// See [`RehearsalOptions`].
    pub region: String,
    /// See [`RehearsalOptions`].
    pub lineage: String,
    /// See [`RehearsalOptions`].
    pub keep: bool,
    /// See [`RehearsalOptions`]; as text.
    pub faults: String,
    /// The stack.
    pub variables: Variables,
    /// Contents of the file with user data.
    pub user_data: Option<String>,
    /// How many events follow.
    pub events: usize,
}

/// A trace that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its header.
    pub header: Header,
    faults: FaultPlan,
    /// The lines after the header.
    lines: Vec<String>,
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// Nothing in it says that it is one.
    #[error("it is no trace of aloka: its first line has no \"aloka_trace\"")]
    Foreign,
    /// It is of another version of the format.
    #[error("it is a trace of format {0}, and this aloka reads format {TRACE_VERSION}")]
    Version(String),
    /// The header is not as it should be.
    #[error("line 1, its header, is damaged: {0}")]
    Header(String),
    /// The header's faults are none.
    #[error("line 1, its header, is damaged: {0}")]
    Faults(#[from] FaultError),
    /// A line is no event.
    #[error("line {line} is damaged: {why}")]
    Event {
        /// Its number in the file.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// There are fewer events than there were, or more.
    #[error("it is not complete: {found} events, and its header says {expected}")]
    Cut {
        /// As the header says.
        expected: usize,
        /// As counted.
        found: usize,
    },
}

/// The first event that came out differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its line in the file; the header is line 1.
    pub line: usize,
    /// As recorded; `None` if the recorded run had ended.
    pub recorded: Option<String>,
    /// As it came out now; `None` if the run had ended.
    pub replayed: Option<String>,
}

/// What a replay showed.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The events up to the one asked for, as they came out now.
    pub events: Vec<TraceEntry>,
    /// The first difference, in the whole of the trace.
    pub difference: Option<Difference>,
    /// The account after the event asked for.
    pub account: Account,
    /// When that was.
    pub at: Instant,
}

/// A trace as a file.
pub fn to_text(inputs: &Inputs, options: &RehearsalOptions, trace: &Trace) -> String {
    let header = Header {
        aloka_trace: TRACE_VERSION,
        aloka_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        durations: options.durations,
        region: options.region.clone(),
        lineage: options.lineage.clone(),
        keep: options.keep,
        faults: options.faults.to_string(),
        variables: inputs.variables.clone(),
        user_data: inputs.user_data.clone(),
        events: trace.entries().len(),
    };
    // Numbers, texts and maps with text keys: serialising them has no way to fail.
    let header = serde_json::to_string(&header).unwrap_or_default();
    format!("{header}\n{}", trace.to_json_lines())
}

impl Recorded {
    /// Reads a trace.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let header: serde_json::Value = serde_json::from_str(first).map_err(|error| {
            let looks_like_one = first.contains("\"aloka_trace\"");
            if looks_like_one { TraceError::Header(error.to_string()) } else { TraceError::Foreign }
        })?;
        let version = header.get("aloka_trace").ok_or(TraceError::Foreign)?;
        if version.as_u64() != Some(TRACE_VERSION) {
            return Err(TraceError::Version(version.to_string()));
        }
        let header: Header = serde_json::from_str(first).map_err(|error| TraceError::Header(error.to_string()))?;
        header.variables.check().map_err(|why| TraceError::Header(format!("its variables: {why}")))?;
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        for (index, line) in lines.iter().enumerate() {
            serde_json::from_str::<TraceEntry>(line)
                .map_err(|error| TraceError::Event { line: index + 2, why: error.to_string() })?;
        }
        if lines.len() != header.events {
            return Err(TraceError::Cut { expected: header.events, found: lines.len() });
        }
        Ok(Self { faults: header.faults.parse()?, header, lines })
    }

    /// Runs the rehearsal of the header again, and compares. `until` is the number of the event, counted from 1, after
    /// which the account is shown; without it, or beyond the end, the last. `password` and `secrets` may hold any
    /// valid password.
    ///
    /// # Errors
    /// Why there is no plan to begin with.
    pub fn replay(&self, password: Password, secrets: &Secrets, until: Option<usize>) -> Result<Replay, Vec<Problem>> {
        let Header { seed, durations, region, lineage, keep, variables, user_data, .. } = &self.header;
        let options = RehearsalOptions {
            seed: *seed,
            keep: *keep,
            durations: *durations,
            region: region.clone(),
            lineage: lineage.clone(),
            faults: self.faults.clone(),
            long_trace: true,
        };
        let (variables, user_data) = (variables.clone(), user_data.clone());
        let inputs = Inputs { user_data, ..Inputs::new(variables, Mode::Apply, password) };
        let mut world = cycle(&inputs, secrets, &options, Kept { audited: false, snapshot_after: until })?.world;
        let snapshot = world.take_snapshot();
        let events = world.trace.entries();
        Ok(Replay {
            events: events.iter().take(until.unwrap_or(usize::MAX)).cloned().collect(),
            difference: self.compare(events),
            at: snapshot.as_ref().map_or(world.now(), |(at, _)| *at),
            account: snapshot.map_or(world.account, |(_, account)| account),
        })
    }

    fn compare(&self, events: &[TraceEntry]) -> Option<Difference> {
        (0..self.lines.len().max(events.len())).find_map(|index| {
            let (recorded, replayed) = (self.lines.get(index), events.get(index).map(TraceEntry::to_json_line));
            let same = recorded == replayed.as_ref();
            (!same).then(|| Difference { line: index + 2, recorded: recorded.cloned(), replayed })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearse;
    use super::super::tests::{inputs, options, secrets};
    use super::*;
    use crate::trace::TraceKind;

    const FAULTS: &str = "CreateNatGateway#1=lost-reply,write#9=store-failed,DeleteSubnet#2=crash-after";

    fn recorded(tfvars: &str, faults: &str, seed: u64) -> (String, crate::rehearsal::Rehearsal) {
        let options = RehearsalOptions { faults: faults.parse().expect("faults"), ..options(seed) };
        let inputs = inputs(tfvars);
        let rehearsal = rehearse(&inputs, &secrets(), &options).expect("a plan");
        (to_text(&inputs, &options, &rehearsal.trace), rehearsal)
    }

    fn replay(text: &str, until: Option<usize>) -> Replay {
        let password = Password::New("another hash".to_owned());
        Recorded::parse(text).expect("a trace").replay(password, &secrets(), until).expect("a plan")
    }

    #[test]
    fn a_trace_comes_out_the_same_again() {
        for (tfvars, faults, seed) in
            [("", "", 0), ("app_instance_count = 2\ndb_name = \"shop\"", "", 3), ("", FAULTS, 4)]
        {
            let (text, rehearsal) = recorded(tfvars, faults, seed);
            let again = replay(&text, None);
            assert_eq!(again.difference, None, "{tfvars} {faults} {seed}");
            assert_eq!(again.events, rehearsal.trace.entries());
            assert_eq!(again.account.objects(again.at), rehearsal.account.objects(again.at));
            assert!(!text.contains("Canary"), "the password is in the trace");
        }
    }

    #[test]
    fn the_account_is_shown_as_it_was_then() {
        let (text, rehearsal) = recorded("", "", 1);
        let entries = rehearsal.trace.entries();
        let (mut last, mut most) = (0, 0);
        for until in (1..entries.len()).step_by(23) {
            let again = replay(&text, Some(until));
            assert_eq!(again.events, entries[..until]);
            assert_eq!(again.at, entries[until - 1].at);
            last = again.account.objects(again.at).len();
            most = most.max(last);
            let acted = |entry: &&TraceEntry| {
                entry.kind == TraceKind::Aws && entry.operation == Some(aloka_core::api::Ec2::CreateVpc.into())
            };
            let made = entries[..until].iter().filter(acted).count();
            let destroyed = entries[..until].iter().any(|entry| entry.what.starts_with("ec2:DeleteVpc ->"));
            let vpcs = again.account.objects(again.at).iter().filter(|o| o.kind.to_string() == "aws_vpc").count();
            assert_eq!(vpcs, if destroyed { 0 } else { made }, "event {until}");
        }
        assert!(most > 15 && last < most, "{most} at most, {last} at the end");
    }

    #[test]
    fn a_planted_difference_is_found() {
        let (text, rehearsal) = recorded("", "", 2);
        let lines: Vec<&str> = text.lines().collect();
        for index in [1, 40, lines.len() - 1] {
            let mut entry = rehearsal.trace.entries()[index - 1].clone();
            entry.what.push('!');
            let planted = entry.to_json_line();
            let mut changed = lines.clone();
            changed[index] = &planted;
            let difference = replay(&changed.join("\n"), Some(1)).difference.expect("a difference");
            assert_eq!(difference.line, index + 1);
            assert_eq!(difference.recorded.as_deref(), Some(planted.as_str()));
            assert_eq!(difference.replayed.as_deref(), Some(lines[index]));
        }
        // Another seed in the header: the durations come out differently.
        let header = lines[0].replace("\"seed\":2", "\"seed\":5");
        assert_ne!(header, lines[0]);
        let mut changed = lines.clone();
        changed[0] = &header;
        assert!(replay(&changed.join("\n"), None).difference.is_some());
    }

    #[test]
    fn what_is_no_trace_is_said_to_be_none() {
        let (text, _) = recorded("", "", 0);
        let lines: Vec<&str> = text.lines().collect();
        let with = |index: usize, line: &str| {
            let mut lines = lines.clone();
            lines[index] = line;
            lines.join("\n")
        };
        let cut = lines[..30].join("\n");
        let half = &text[..text.len() - 20];
        for (text, part) in [
            ("", "no trace of aloka"),
            ("{}", "no trace of aloka"),
            ("resource \"aws_vpc\" {", "no trace of aloka"),
            ("{\"aloka_trace\":99}", "format 99"),
            ("{\"aloka_trace\":1}", "line 1, its header, is damaged: missing field"),
            (&with(0, "{\"aloka_trace\":1,"), "line 1, its header, is damaged"),
            (&with(0, &lines[0].replace("\"faults\":\"\"", "\"faults\":\"CreateVpc=boom\"")), "`boom` is no fault"),
            (&with(17, "{\"at\":1}"), "line 18 is damaged: missing field"),
            (&with(17, ""), "line 18 is damaged"),
            (&cut, "not complete: 29 events"),
            (half, "is damaged"),
        ] {
            let error = Recorded::parse(text).expect_err(part).to_string();
            assert!(error.contains(part), "{error} does not say `{part}`");
        }
    }
}
