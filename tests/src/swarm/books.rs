//! The judge's own books: the store everybody writes to, what was found, what there is to tell.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::state::{Resource, State, Target, edit, file};
use aloka_core::time::{Human, Instant};
use aloka_core::value::Value;
use aloka_sim::store::{MemoryStore, Store};

use super::neighbour::DECLARABLE;
use crate::{LINEAGE, PASSWORD};

/// To write a state to a file and read it back is most of the judge's work, so one in so many is, and the last of every
/// command; the password is searched for in all.
const READ_BACK_ONE_IN: u64 = 32;

/// What sort of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something of ours panicked.
    Crash,
    /// Something happened that must never happen.
    Safety,
    /// Something did not come about though nothing stood in the way any more.
    Liveness,
}

impl Class {
    /// The exit code of the command; 0 is no finding, 2 wrong usage.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Crash => 3,
            Self::Safety => 4,
            Self::Liveness => 5,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::Safety => "safety",
            Self::Liveness => "liveness",
        })
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What sort.
    pub class: Class,
    /// The rule that was broken: a story that is shrunk must go on breaking it.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, rule, what } = self;
        write!(f, "{class}, {rule}: {what}")
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Books {
    store: MemoryStore,
    /// When the store last took a state.
    pub(super) written: Option<Instant>,
    /// The judge's count of the states taken.
    serial: u64,
    /// How many states were written, taken or not.
    pub(super) writes: u64,
    /// The first thing found.
    pub(super) finding: Option<Finding>,
    /// Lines of the story with their times, if it is to be told.
    pub(super) lines: Option<Vec<(Instant, String)>>,
    /// The state it began with, of which what is not ours stays as it is.
    began_with: Option<State>,
}

impl Books {
    pub(super) fn new(told: bool) -> Self {
        let lines = told.then(Vec::new);
        Self { store: MemoryStore::new(), written: None, serial: 0, writes: 0, finding: None, lines, began_with: None }
    }

    /// Begins with this state, which was never written.
    pub(super) fn start_from(&mut self, state: State) {
        self.began_with = Some(state.clone());
        self.store = MemoryStore::holding(state);
    }

    /// What is not ours and is recorded must be recorded as it was.
    fn judge_records(&mut self, now: Instant, who: &str, state: &State) {
        let Some(began) = &self.began_with else { return };
        let State { foreign, foreign_outputs, check_results, .. } = began;
        let is_kept =
            (&state.foreign, &state.foreign_outputs, &state.check_results) == (foreign, foreign_outputs, check_results);
        let [strangers, _] = DECLARABLE;
        let record = |state: &State| strangers.parse().ok().and_then(|address| state.resources.get(&address).cloned());
        if !is_kept || record(began) != record(state) {
            let what = format!("{who} writes serial {} with another record of what is not ours", state.serial);
            self.find(now, Class::Safety, "nothing not ours is touched", what);
        }
    }

    /// Forgets what is recorded at an address, as `state rm` does.
    pub(super) fn forget(&mut self, address: &str) {
        let Ok((mut state, _)) = edit::rm(&self.state(), &[address.to_owned()]) else { return };
        state.serial += 1;
        if self.store.write(&Arc::new(state)).is_ok() {
            self.serial += 1;
        }
    }

    /// Notes a finding; the first counts.
    pub(super) fn find(&mut self, at: Instant, class: Class, rule: &'static str, what: impl Into<String>) {
        if self.finding.is_none() {
            let finding = Finding { class, rule, what: what.into() };
            self.tell(at, format_args!("!! {finding}"));
            self.finding = Some(finding);
        }
    }

    /// Adds a line to the story.
    pub(super) fn tell(&mut self, at: Instant, line: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            lines.push((at, line.to_string()));
        }
    }

    pub(super) fn state(&self) -> State {
        self.store.state(LINEAGE)
    }

    pub(super) fn held(&self) -> Option<&Arc<State>> {
        self.store.last()
    }

    pub(super) fn since_written(&self, now: Instant) -> Option<Duration> {
        self.written.map(|written| now.since(written))
    }

    /// What was searched as part of the state held is not searched again.
    fn holds_password(&self, state: &State) -> bool {
        let held = self.store.last();
        let known = |target: &Target, resource: &Arc<Resource>| {
            held.and_then(|held| held.get(target)).is_some_and(|held| Arc::ptr_eq(held, resource))
        };
        let fresh = state.objects().filter(|(target, resource)| !known(target, resource));
        let mut attributes = fresh.flat_map(|(_, resource)| resource.attributes.values());
        let State { outputs, private, .. } = state;
        let hashes = || private.secrets.values().any(|hash| hash.contains(PASSWORD));
        attributes.any(holds) || outputs.values().any(holds) || hashes()
    }

    /// A state that is written to a file reads back as it is, and the file holds no password.
    pub(super) fn read_back(&mut self, now: Instant, state: &State) {
        let text = file::write(state);
        if text.contains(PASSWORD) {
            self.find(now, Class::Safety, "I6 no secret", "the password is in the state file");
        }
        let serial = state.serial;
        match file::read(&text) {
            Ok(read) if read == *state => {}
            Ok(read) => {
                let differs = state.objects().find(|(target, resource)| read.get(target) != Some(resource));
                let what = differs.map_or_else(String::new, |(target, resource)| {
                    format!(": {target} was {resource:?} and is {:?}", read.get(&target))
                });
                let what = format!("serial {serial} reads back as another{what}");
                self.find(now, Class::Safety, "state reads back", what);
            }
            Err(error) => self.find(now, Class::Safety, "state reads back", format!("serial {serial}: {error}")),
        }
    }

    /// A write by `who`: what is taken must be the successor of what was taken before, whole, and without the password.
    pub(super) fn write(&mut self, now: Instant, who: &str, state: &Arc<State>) -> Result<(), String> {
        self.writes += 1;
        if self.holds_password(state) {
            self.find(now, Class::Safety, "I6 no secret", format!("{who} writes the password into the state"));
        }
        if state.lineage.as_ref() != LINEAGE {
            self.find(now, Class::Safety, "I7 one history", format!("{who} writes lineage {}", state.lineage));
        }
        if state.serial.is_multiple_of(READ_BACK_ONE_IN) {
            self.read_back(now, state);
        }
        self.judge_records(now, who, state);
        let taken = self.store.write(state);
        match &taken {
            Ok(()) => {
                if state.serial != self.serial + 1 {
                    let what = format!("{who}: serial {} was taken after {}", state.serial, self.serial);
                    self.find(now, Class::Safety, "I7 one writer", what);
                }
                self.serial = state.serial;
                self.written = Some(now);
            }
            Err(why) => self.tell(now, format_args!("   {who}: serial {} is refused: {why}", state.serial)),
        }
        taken
    }
}

/// True if the password is in a text of the value.
fn holds(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.contains(PASSWORD),
        Value::List(items) => items.iter().any(holds),
        Value::Map(map) => map.iter().any(|(key, item)| key.contains(PASSWORD) || holds(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => false,
    }
}

/// Identifiers, and names where AWS knows an object by its name, of everything recorded.
pub(super) fn recorded(state: &State) -> BTreeSet<String> {
    let names = |attribute: &str| {
        let value = move |resource: &Arc<Resource>| {
            resource.attributes.get(attribute).and_then(Value::as_str).map(str::to_owned)
        };
        state.objects().filter_map(move |(_, resource)| value(resource)).collect::<Vec<_>>()
    };
    let mut recorded: BTreeSet<String> = names("id").into_iter().collect();
    recorded.extend(names("identifier"));
    recorded
}

/// A time of a story.
pub(super) fn clock(at: Instant) -> String {
    let text = Human(at - Instant::ZERO).to_string();
    format!("{text:>8}")
}
