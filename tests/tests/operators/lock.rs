//! Every interleaving of two operators, a lock and a store.
//!
//! An operator takes the lock, reads the state, plans, and writes twice, as an apply with one intent and one result
//! does; or saves the plan, gives the lock back, and applies it later. It may crash anywhere. It may pause anywhere
//! for as long as it likes: a step of it need never come. A write is on the wire before it arrives, outlives its
//! sender, and its answer may get lost. A lease may expire at any moment, whether its holder notices or not.
//!
//! What decides is the tool's own: [`MemoryStore`] takes or refuses each write, [`Plan::stale`] each saved plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use aloka_core::plan::sensitive::Sensitive;
use aloka_core::plan::{Mode, Plan};
use aloka_core::state::{Choices, State};
use aloka_core::value::Value;
use aloka_sim::store::{MemoryStore, Store};
use aloka_tests::LINEAGE;

use crate::search::{Explored, Steps, search};

/// Runs of each operator.
const RUNS: u8 = 2;
/// Writes of each run.
const WRITES: u8 = 2;

/// One write, as the state it wrote remembers it: by whom, in which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    operator: usize,
    run: u8,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", ["a", "b"][self.operator], self.run + 1)
    }
}

/// All writes that led to a state, oldest first. Its length is the serial.
type Marks = Vec<Mark>;

/// The real state with this history: the history is an output, so that whoever overwrites it loses it.
fn state(marks: &[Mark]) -> State {
    let mut state = State::new(LINEAGE);
    state.serial = marks.len().try_into().expect("small");
    let list = marks.iter().map(|mark| Value::List(vec![number(mark.operator), number(mark.run.into())])).collect();
    state.outputs.insert("writes".to_owned(), Value::List(list));
    state
}

fn number(number: usize) -> Value {
    Value::str(number.to_string())
}

fn marks(state: &State) -> Marks {
    let list = state.outputs.get("writes").and_then(Value::as_list).expect("a history");
    let digit = |value: &Value| value.as_str().and_then(|text| text.parse::<u8>().ok()).expect("a digit");
    let mark = |value: &Value| match value.as_list().expect("a mark") {
        [operator, run] => Mark { operator: digit(operator).into(), run: digit(run) },
        other => panic!("{other:?}"),
    };
    list.iter().map(mark).collect()
}

/// The real plan made from the state with this history, as far as it is saved and looked at.
fn plan(from: &[Mark]) -> Plan {
    let State { lineage, serial, .. } = state(from);
    Plan {
        mode: Mode::Apply,
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: Vec::new(),
        kept: Vec::new(),
        notes: Vec::new(),
        around: Arc::default(),
        blocked: Default::default(),
        tag_keys: BTreeSet::new(),
        moves: Vec::new(),
        nodes: Arc::default(),
        choices: Choices::default(),
        secrets: BTreeMap::new(),
        sensitive: Sensitive::default(),
        account: None,
        region: String::new(),
        lineage,
        serial,
    }
}

/// How long a lock lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// There is none: `-lock=false`.
    Absent,
    /// Until it is given back or its holder dies, as `flock` does.
    Process,
    /// Until it is given back or expires, which may be at any moment: an entry in S3 or DynamoDB.
    Lease,
}

/// Which store takes the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// The real one: the successor of what it holds, and nothing else.
    Conditional,
    /// Takes whatever comes, and trusts the lock.
    Trusting,
    /// Refuses when the write is sent, not when it arrives: a look before an unconditional write.
    LookedBefore,
}

/// What is being searched.
#[derive(Clone, Copy, Debug)]
struct Rules {
    lock: Lock,
    guard: Guard,
    /// True to ask [`Plan::stale`] before a saved plan is applied.
    stale_checked: bool,
}

/// A write under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    by: Mark,
    /// What it writes.
    content: Marks,
    /// What its plan was made from.
    base: Marks,
}

/// Where an operator stands in a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Not begun.
    Idle,
    /// Has the lock, or believes so.
    Locked,
    /// The plan is saved, the lock is given back.
    Saved { base: Marks },
    /// Has the lock to apply the saved plan, or believes so.
    SavedLocked { base: Marks },
    /// Knows the state that it wrote last.
    Applying { base: Marks, known: Marks, writes: u8 },
    /// Waits for the answer to a write.
    Waiting { base: Marks, known: Marks, writes: u8 },
    /// Has nothing left to do but to give the lock back.
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Operator {
    run: u8,
    step: Step,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    /// Who holds the lock, by the word of whoever grants it.
    lock: Option<usize>,
    /// What the store holds.
    held: Marks,
    /// Sent and not arrived.
    wire: BTreeSet<Write>,
    operators: [Operator; 2],
}

/// What the search came across; a promise that was never put to the test is no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    /// Both believe to hold the lock.
    TwoHolders,
    /// A write of somebody whose lease had expired without its noticing was refused.
    PausedRefused,
    /// A write of somebody who was overtaken otherwise was refused.
    OvertakenRefused,
    /// A write that arrived after its sender was gone was refused.
    LateRefused,
    /// And one was taken: it still was the successor.
    LateTaken,
    /// A saved plan was found to be stale.
    StaleFound,
}

const NAMES: [&str; 2] = ["A", "B"];

impl World {
    fn new() -> Self {
        let operator = Operator { run: 0, step: Step::Idle };
        Self { lock: None, held: Vec::new(), wire: BTreeSet::new(), operators: [operator.clone(), operator] }
    }

    fn is_end(&self) -> bool {
        self.wire.is_empty() && self.operators.iter().all(|operator| operator.run == RUNS)
    }

    fn with(&self, number: usize, step: Step) -> Self {
        let mut world = self.clone();
        world.operators[number].step = step;
        world
    }

    /// The end of a run: the lock is given back if it is still its own.
    fn ended(&self, number: usize) -> Self {
        let mut world = self.with(number, Step::Idle);
        world.operators[number].run += 1;
        world.unlock(number);
        world
    }

    fn unlock(&mut self, number: usize) {
        self.lock = self.lock.filter(|holder| *holder != number);
    }

    fn believes(&self, number: usize) -> bool {
        match self.operators[number].step {
            Step::Idle | Step::Saved { .. } => false,
            Step::Locked | Step::SavedLocked { .. } | Step::Applying { .. } | Step::Waiting { .. } | Step::Over => true,
        }
    }

    /// The lock is taken, if it is free.
    fn locked(&self, number: usize, rules: Rules, step: Step) -> Option<Self> {
        let mut world = self.with(number, step);
        match (rules.lock, self.lock) {
            (Lock::Absent, _) => Some(world),
            (Lock::Process | Lock::Lease, Some(_)) => None,
            (Lock::Process | Lock::Lease, None) => {
                world.lock = Some(number);
                Some(world)
            }
        }
    }

    fn steps(&self, rules: Rules, sights: &mut BTreeSet<Sight>) -> Steps<Self> {
        if rules.lock != Lock::Absent && self.believes(0) && self.believes(1) {
            sights.insert(Sight::TwoHolders);
        }
        let mut all = Vec::new();
        for number in 0..2 {
            self.operator_steps(number, rules, sights, &mut all);
        }
        for write in &self.wire {
            all.extend(self.arrival(write, rules, sights));
        }
        if rules.lock == Lock::Lease
            && let Some(holder) = self.lock
        {
            let world = Self { lock: None, ..self.clone() };
            all.push((format!("the lock of {} expires", NAMES[holder]), Ok(world)));
        }
        all
    }

    fn operator_steps(&self, number: usize, rules: Rules, sights: &mut BTreeSet<Sight>, all: &mut Steps<Self>) {
        let (name, Operator { run, step }) = (NAMES[number], &self.operators[number]);
        let mut add = |what: &str, world: Self| all.push((format!("{name} {what}"), Ok(world)));
        match step {
            Step::Idle if *run == RUNS => return,
            Step::Idle => {
                if let Some(world) = self.locked(number, rules, Step::Locked) {
                    add("begins", world);
                }
                // Before it began there is nothing to lose.
                return;
            }
            Step::Locked => {
                let base = self.held.clone();
                let applying = Step::Applying { base: base.clone(), known: base.clone(), writes: 0 };
                add(&format!("reads serial {} and plans", base.len()), self.with(number, applying));
                let mut world = self.with(number, Step::Saved { base });
                world.unlock(number);
                add(&format!("reads serial {}, saves a plan and gives the lock back", self.held.len()), world);
            }
            Step::Saved { base } => {
                if let Some(world) = self.locked(number, rules, Step::SavedLocked { base: base.clone() }) {
                    add("begins to apply the saved plan", world);
                }
            }
            Step::SavedLocked { base } => {
                let stored = (!self.held.is_empty()).then(|| state(&self.held));
                match plan(base).stale(stored.as_ref()).filter(|_| rules.stale_checked) {
                    Some(why) => {
                        sights.insert(Sight::StaleFound);
                        add(&format!("finds the plan stale: {why}"), self.with(number, Step::Over));
                    }
                    None => {
                        let applying = Step::Applying { base: base.clone(), known: self.held.clone(), writes: 0 };
                        add(&format!("reads serial {} and goes on", self.held.len()), self.with(number, applying));
                    }
                }
            }
            Step::Applying { writes: WRITES.., .. } => add("is done and gives the lock back", self.ended(number)),
            Step::Applying { base, known, writes } => {
                let by = Mark { operator: number, run: *run };
                let mut content = known.clone();
                content.push(by);
                let looked = rules.guard == Guard::LookedBefore && self.held.len() != known.len();
                if looked {
                    add("sees that another wrote", self.with(number, Step::Over));
                } else {
                    let serial = content.len();
                    let waiting = Step::Waiting { base: base.clone(), known: content.clone(), writes: *writes };
                    let mut world = self.with(number, waiting);
                    world.wire.insert(Write { by, content, base: base.clone() });
                    add(&format!("sends serial {serial}"), world);
                }
            }
            Step::Waiting { .. } => add("gets no answer and stops", self.with(number, Step::Over)),
            Step::Over => {
                add("gives the lock back", self.ended(number));
            }
        }
        if rules.lock == Lock::Lease && self.believes(number) && self.lock != Some(number) && *step != Step::Over {
            add("cannot renew its lock and stops", self.with(number, Step::Over));
        }
        let mut crashed = self.ended(number);
        if rules.lock == Lock::Lease {
            crashed.lock = self.lock;
        }
        add("crashes", crashed);
    }

    /// A write arrives: answered, or with its answer lost, or with nobody left to hear it.
    fn arrival(&self, write: &Write, rules: Rules, sights: &mut BTreeSet<Sight>) -> Steps<Self> {
        let Write { by, content, base } = write;
        let sender = &self.operators[by.operator];
        let waits = sender.run == by.run && matches!(&sender.step, Step::Waiting { known, .. } if known == content);
        let what = format!("serial {} of {} arrives", content.len(), NAMES[by.operator]);
        let mut world = self.clone();
        world.wire.remove(write);
        let answer = match written(&self.held, content, rules.guard) {
            Ok(held) => {
                if let Some(broken) = broken(&self.held, &held, *by, base) {
                    return vec![(what, Err(broken))];
                }
                if !waits {
                    sights.insert(Sight::LateTaken);
                }
                world.held = held;
                match &sender.step {
                    Step::Waiting { base, known, writes } => {
                        Step::Applying { base: base.clone(), known: known.clone(), writes: writes + 1 }
                    }
                    other => other.clone(),
                }
            }
            Err(_) => {
                let paused = rules.lock == Lock::Lease && self.lock != Some(by.operator);
                sights.insert(match (waits, paused) {
                    (true, true) => Sight::PausedRefused,
                    (true, false) => Sight::OvertakenRefused,
                    (false, _) => Sight::LateRefused,
                });
                Step::Over
            }
        };
        if !waits {
            return vec![(format!("{what} late"), Ok(world))];
        }
        let lost = world.with(by.operator, Step::Over);
        vec![(what.clone(), Ok(world.with(by.operator, answer))), (format!("{what}, its answer is lost"), Ok(lost))]
    }
}

/// What the store holds after a write.
fn written(held: &[Mark], content: &[Mark], guard: Guard) -> Result<Marks, String> {
    match guard {
        Guard::Conditional => {
            let mut store = if held.is_empty() { MemoryStore::new() } else { MemoryStore::holding(state(held)) };
            let answer = store.write(&Arc::new(state(content)));
            let stored = store.last().map(|state| marks(state)).unwrap_or_default();
            assert!(answer.is_ok() || stored == held, "refused, but {stored:?} is held instead of {held:?}");
            answer.map(|()| stored)
        }
        Guard::Trusting | Guard::LookedBefore => Ok(content.to_vec()),
    }
}

/// The promise that a write which was taken has broken.
fn broken(before: &[Mark], after: &[Mark], by: Mark, base: &[Mark]) -> Option<String> {
    let told = |marks: &[Mark]| marks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match after.split_last() {
        Some((mark, rest)) if rest == before && *mark == by => {}
        Some(_) | None => return Some(format!("an update is lost: [{}] became [{}]", told(before), told(after))),
    }
    let own = before.strip_prefix(base).is_some_and(|since| since.iter().all(|mark| *mark == by));
    (!own).then(|| format!("a stale plan is applied: made from [{}], carried out upon [{}]", told(base), told(before)))
}

fn explore(rules: Rules) -> (Result<Explored, Vec<String>>, BTreeSet<Sight>) {
    let mut sights = BTreeSet::new();
    let result = search(World::new(), |world| world.steps(rules, &mut sights), World::is_end);
    (result, sights)
}

fn is_kept(lock: Lock) -> BTreeSet<Sight> {
    let rules = Rules { lock, guard: Guard::Conditional, stale_checked: true };
    let (result, sights) = explore(rules);
    let explored = result.unwrap_or_else(|story| panic!("{lock:?}:\n{}", story.join("\n")));
    println!("{lock:?}: {explored:?}, {sights:?}");
    assert!(explored.states > 1_000, "{explored:?}");
    sights
}

#[test]
fn with_a_lock_that_dies_with_its_process_nothing_is_lost() {
    use Sight::{LateRefused, LateTaken, OvertakenRefused, StaleFound};
    // What overtakes a holder is what a crashed run had on the wire.
    assert_eq!(is_kept(Lock::Process), BTreeSet::from([OvertakenRefused, LateRefused, LateTaken, StaleFound]));
}

#[test]
fn with_a_lease_that_expires_under_a_paused_holder_nothing_is_lost() {
    use Sight::{LateRefused, LateTaken, OvertakenRefused, PausedRefused, StaleFound, TwoHolders};
    let all = [TwoHolders, PausedRefused, OvertakenRefused, LateRefused, LateTaken, StaleFound];
    assert_eq!(is_kept(Lock::Lease), BTreeSet::from(all));
}

#[test]
fn without_a_lock_nothing_is_lost() {
    use Sight::{LateRefused, LateTaken, OvertakenRefused, StaleFound};
    assert_eq!(is_kept(Lock::Absent), BTreeSet::from([OvertakenRefused, LateRefused, LateTaken, StaleFound]));
}

/// The shortest story, one line for each step, of rules that do not keep what they promise.
fn counterexample(lock: Lock, guard: Guard, stale_checked: bool) -> String {
    let (result, _) = explore(Rules { lock, guard, stale_checked });
    let story = result.expect_err("these rules are broken").join("\n");
    println!("{lock:?}, {guard:?}, stale plans refused: {stale_checked}\n{story}\n");
    story
}

#[test]
fn a_lease_without_a_conditional_write_loses_an_update() {
    let story = counterexample(Lock::Lease, Guard::Trusting, true);
    let expected = "\
A begins
A reads serial 0 and plans
A sends serial 1
the lock of A expires
B begins
B reads serial 0 and plans
B sends serial 1
serial 1 of A arrives
serial 1 of B arrives: an update is lost: [a1] became [b1]";
    assert_eq!(story, expected);
}

#[test]
fn a_look_before_the_write_is_no_conditional_write() {
    let story = counterexample(Lock::Lease, Guard::LookedBefore, true);
    assert!(story.ends_with("serial 1 of B arrives: an update is lost: [a1] became [b1]"), "{story}");
}

#[test]
fn even_a_lock_that_never_expires_needs_the_conditional_write() {
    let story = counterexample(Lock::Process, Guard::Trusting, true);
    let expected = "\
A begins
A reads serial 0 and plans
A sends serial 1
A crashes
A begins
A reads serial 0 and plans
A sends serial 1
serial 1 of A arrives late
serial 1 of A arrives: an update is lost: [a1] became [a2]";
    assert_eq!(story, expected);
}

#[test]
fn without_the_look_at_the_serial_a_stale_plan_is_applied() {
    let story = counterexample(Lock::Process, Guard::Conditional, false);
    assert!(story.contains("saves a plan and gives the lock back"), "{story}");
    assert!(story.ends_with("a stale plan is applied: made from [], carried out upon [a1]"), "{story}");
}

#[test]
fn a_plan_is_stale_once_serial_or_lineage_is_another() {
    let mark = Mark { operator: 0, run: 0 };
    let (nothing, one) = (plan(&[]), plan(&[mark]));
    assert_eq!(nothing.stale(None), None);
    assert_eq!(one.stale(Some(&state(&[mark]))), None);
    let other = State { lineage: "another".into(), ..state(&[mark]) };
    for (plan, stored, why) in [
        (&one, None, "a state with serial 1, and there is none"),
        (&one, Some(state(&[])), "serial 1 of the state, which is at serial 0"),
        (&nothing, Some(state(&[mark])), "serial 0 of the state, which is at serial 1"),
        (&one, Some(other), "this one has another"),
    ] {
        let told = plan.stale(stored.as_ref()).expect(why);
        assert!(told.contains(why), "{told}");
    }
}
