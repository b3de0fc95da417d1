//! Every interleaving of two operators on a bucket, request by request, with a lease and a clock.
//!
//! An operator takes the lock object, reads the state, writes it, and gives the lock back; in between it shows signs of
//! life, or sleeps for as long as it likes, or dies. A write of the state is on the wire before it arrives, may arrive
//! after its sender is gone or has sent it once more, and its answer may get lost. Time passes at any moment.
//!
//! What decides is the tool's own: [`Attempt`] what follows from an answer, [`Watch`] when a lock may be taken over,
//! [`Bucket`] whether a condition holds.

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::remote::{Answer, Attempt, Found, Next, Verdict, Watch};
use aloka_core::time::Instant;
use aloka_sim::bucket::{Bucket, Condition};

use crate::search::{Explored, Steps, search};

const STATE: &str = "state";
const LOCK: &str = "lock";
const NAMES: [&str; 2] = ["A", "B"];
/// The metadata that names a write.
const MARK: &str = "mark";
/// How long a lock lives, in ticks of the clock; a tick is a second.
const LEASE: u64 = 2;
/// The clock stops here: later, nothing new can happen.
const TICKS: u64 = 4;
/// Signs of life of each operator.
const BEATS: u8 = 1;

/// What is being searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rules {
    /// Writes of each operator's run.
    writes: u8,
    /// Answers that may get lost, of both operators together.
    losses: u8,
    /// The state is written on condition that the version it follows is stored.
    conditional: bool,
    /// A lock is taken over on condition that it is still the one that was watched.
    careful: bool,
    /// Its own writes are told from others by their marks, not by their bytes.
    marked: bool,
    /// A lock without a lease is not taken over.
    foreign: bool,
    /// Both write the very same bytes, as two runs with one intent do.
    alike: bool,
}

const REAL: Rules =
    Rules { writes: 1, losses: 1, conditional: true, careful: true, marked: true, foreign: false, alike: false };

/// Where an operator stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Wants the lock, and watches whoever holds it.
    Outside(Watch),
    /// Saw it expire, and is about to take it over.
    Taking { tag: String, seen: String },
    /// Has the lock, or believes so, and has read nothing yet.
    Inside,
    /// Knows the version stored, and its history.
    Ready { tag: Option<String>, history: String, left: u8 },
    /// Waits for the answer to a write.
    Waiting { attempt: Attempt, content: String, left: u8 },
    /// Has to look what became of it.
    Looking { attempt: Attempt, content: String, left: u8 },
    /// Has to send it once more.
    Resending { attempt: Attempt, content: String, left: u8 },
    /// Has nothing left to do but to give the lock back.
    Over,
    /// Gone.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Operator {
    step: Step,
    /// The lock as it wrote it last, and when it sent that.
    held: Option<(String, u64)>,
    beats: u8,
    /// True once it learned that the lock is lost.
    lost: bool,
}

/// A write of the state under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    by: usize,
    follows: Option<String>,
    content: String,
    mark: String,
    /// Which sending of the same write, as [`Attempt::tries`] counts.
    copy: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    bucket: Bucket,
    now: u64,
    /// When the lock object was written last.
    locked_at: u64,
    wire: BTreeSet<Sent>,
    losses: u8,
    operators: [Operator; 2],
    /// Marks of writes whose sender was told that they would never be stored.
    denied: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    /// Both believe to hold the lock.
    TwoHolders,
    /// A lock whose holder slept or died was taken over.
    TakenOver,
    /// Two watched, and the second found that the first had been faster.
    TakenBefore,
    /// A holder learned that it had lost the lock before it wrote.
    LossNoticed,
    /// A write of somebody who slept past the lease was refused.
    PausedRefused,
    /// A write that arrived without anybody waiting for it was refused.
    LateRefused,
    /// And one was taken.
    LateTaken,
    /// A lost answer turned out to have been a success.
    FoundItsOwn,
    /// A lost write was sent once more.
    SentAgain,
    /// The first sending arrived after the second, and was refused.
    EchoRefused,
}

fn moment(tick: u64) -> Instant {
    Instant(tick * 1000)
}

impl World {
    fn new() -> Self {
        let operator = Operator { step: Step::Outside(Watch::default()), held: None, beats: 0, lost: false };
        Self {
            bucket: Bucket::unversioned(),
            now: 0,
            locked_at: 0,
            wire: BTreeSet::new(),
            losses: 0,
            operators: [operator.clone(), operator],
            denied: BTreeSet::new(),
        }
    }

    fn with(&self, number: usize, step: Step) -> Self {
        let mut world = self.clone();
        world.operators[number].step = step;
        world
    }

    fn body(&self, key: &str) -> Option<(String, String)> {
        let object = self.bucket.get(key)?;
        Some((String::from_utf8(object.body.clone()).expect("text"), object.tag.clone()))
    }

    /// Writes the lock object; `None` if the condition does not hold.
    fn lock(&self, text: &str, condition: Condition<'_>) -> Option<Self> {
        let mut world = self.clone();
        world.bucket.put(LOCK, text.as_bytes().to_vec(), BTreeMap::new(), condition).ok()?;
        world.locked_at = world.now;
        Some(world)
    }

    /// The same, and the operator knows that it has it.
    fn locked(&self, number: usize, text: String, condition: Condition<'_>, step: Step) -> Option<Self> {
        let mut world = self.lock(&text, condition)?;
        world.operators[number].held = Some((text, self.now));
        world.operators[number].step = step;
        Some(world)
    }

    fn text(&self, number: usize) -> String {
        // The time of the sign of life makes each another text, as `Renewed` does.
        format!("{} {}.{}", NAMES[number], self.now, self.operators[number].beats)
    }

    fn believes(&self, number: usize) -> bool {
        self.operators[number].held.is_some() && !self.operators[number].lost
    }

    fn steps(&self, rules: Rules, sights: &mut BTreeSet<Sight>) -> Steps<Self> {
        if self.believes(0) && self.believes(1) {
            sights.insert(Sight::TwoHolders);
        }
        let mut all = Vec::new();
        for number in 0..2 {
            self.operator_steps(number, rules, sights, &mut all);
        }
        for sent in &self.wire {
            all.extend(self.arrival(sent, rules, sights));
        }
        if self.now < TICKS {
            all.push(("a second passes".to_owned(), Ok(Self { now: self.now + 1, ..self.clone() })));
        }
        all
    }

    fn operator_steps(&self, number: usize, rules: Rules, sights: &mut BTreeSet<Sight>, all: &mut Steps<Self>) {
        let (name, operator) = (NAMES[number], &self.operators[number]);
        let mut add = |what: String, world: Result<Self, String>| all.push((format!("{name} {what}"), world));
        match &operator.step {
            Step::Gone => return,
            Step::Outside(watch) => {
                if let Some(world) = self.locked(number, self.text(number), Condition::Absent, Step::Inside) {
                    add("takes the lock".to_owned(), Ok(world));
                } else if let Some((seen, tag)) = self.body(LOCK) {
                    let mut watch = watch.clone();
                    let lease = (!rules.foreign).then_some(LEASE);
                    let now = moment(self.now);
                    match watch.see(now, now, &seen, lease) {
                        Verdict::Held => {
                            add(format!("sees the lock {seen}"), Ok(self.with(number, Step::Outside(watch))));
                        }
                        Verdict::Expired => {
                            let taking = Step::Taking { tag, seen };
                            add("sees that it expired".to_owned(), Ok(self.with(number, taking)));
                        }
                    }
                }
            }
            Step::Taking { tag, seen } => {
                let condition = if rules.careful { Condition::Is(tag) } else { Condition::Always };
                match self.locked(number, self.text(number), condition, Step::Inside) {
                    Some(world) => {
                        sights.insert(Sight::TakenOver);
                        // The promise: nobody who showed a sign of life within a lease loses the lock.
                        let alive = self.body(LOCK).is_some() && self.now - self.locked_at < LEASE;
                        let broken = || format!("a living lock is taken, {seen} or its successor");
                        add("takes it over".to_owned(), if alive { Err(broken()) } else { Ok(world) });
                    }
                    None => {
                        sights.insert(Sight::TakenBefore);
                        let again = self.with(number, Step::Outside(Watch::default()));
                        add("is too late to take it over".to_owned(), Ok(again));
                    }
                }
            }
            Step::Inside => {
                let (history, tag) = self.body(STATE).unzip();
                let history = history.unwrap_or_default();
                let ready = Step::Ready { tag, history, left: rules.writes };
                add("reads the state".to_owned(), Ok(self.with(number, ready)));
            }
            Step::Ready { left: 0, .. } => add("is done".to_owned(), Ok(self.with(number, Step::Over))),
            Step::Ready { tag, history, left } => {
                // Who slept past the lease asks the store first.
                let slept = operator.held.as_ref().is_some_and(|(_, alive)| self.now - alive >= LEASE);
                if operator.lost {
                    sights.insert(Sight::LossNoticed);
                    add("has lost the lock and stops".to_owned(), Ok(self.with(number, Step::Over)));
                } else if !slept || self.renewal_is_certain(number) {
                    let content =
                        format!("{history}{}", if rules.alike { "x".to_owned() } else { name.to_lowercase() });
                    let attempt = Attempt::new(format!("{name}{left}"), tag.clone());
                    add("sends a write".to_owned(), Ok(self.sending(number, attempt, content, *left)));
                }
            }
            Step::Waiting { attempt, content, left } => {
                if self.losses < rules.losses {
                    let mut attempt = attempt.clone();
                    let next = attempt.answered(&Answer::Unknown);
                    let mut world = self.next(number, next, attempt, content.clone(), *left);
                    world.losses += 1;
                    add("gets no answer".to_owned(), Ok(world));
                }
            }
            Step::Looking { attempt, content, left } => {
                let mut attempt = attempt.clone();
                let stored = self.bucket.get(STATE);
                let found = stored.map(|object| {
                    let same_bytes = object.body == content.as_bytes();
                    let theirs = object.metadata.get(MARK).cloned();
                    let mark = if rules.marked { theirs } else { same_bytes.then(|| attempt.mark().to_owned()) };
                    Found { tag: object.tag.clone(), mark }
                });
                let next = attempt.found(found.as_ref());
                let claims = matches!(next, Next::Done { .. });
                let own =
                    stored.is_some_and(|object| object.metadata.get(MARK).map(String::as_str) == Some(attempt.mark()));
                if claims {
                    sights.insert(Sight::FoundItsOwn);
                }
                let world = self.next(number, next, attempt, content.clone(), *left);
                let broken = || "it takes the write of another for its own".to_owned();
                add("looks".to_owned(), if claims && !own { Err(broken()) } else { Ok(world) });
            }
            Step::Resending { attempt, content, left } => {
                sights.insert(Sight::SentAgain);
                let world = self.sending(number, attempt.clone(), content.clone(), *left);
                add("sends it once more".to_owned(), Ok(world));
            }
            Step::Over => {
                let mut world = self.with(number, Step::Gone);
                if let Some((text, _)) = &operator.held
                    && let Some((seen, tag)) = self.body(LOCK)
                    && seen == *text
                {
                    world.bucket.delete(LOCK, Condition::Is(&tag)).expect("just seen");
                }
                world.operators[number].held = None;
                add("gives the lock back".to_owned(), Ok(world));
            }
        }
        if let Some((text, _)) = operator.held.as_ref().filter(|_| !operator.lost && operator.beats < BEATS) {
            let mut world = self.clone();
            world.operators[number].beats += 1;
            match self.body(LOCK).filter(|(seen, _)| seen == text) {
                Some((_, tag)) => {
                    let new = world.text(number);
                    let mut world = world.lock(&new, Condition::Is(&tag)).expect("just seen");
                    world.operators[number].held = Some((new, self.now));
                    add("shows a sign of life".to_owned(), Ok(world));
                }
                None => {
                    world.operators[number].lost = true;
                    add("finds that its lock is gone".to_owned(), Ok(world));
                }
            }
        }
        if operator.held.is_some() {
            let mut world = self.with(number, Step::Gone);
            world.operators[number].held = None;
            add("dies".to_owned(), Ok(world));
        }
    }

    /// True if a sign of life sent now would find the lock its own: then a write may be sent.
    fn renewal_is_certain(&self, number: usize) -> bool {
        let held = self.operators[number].held.as_ref();
        held.is_some_and(|(text, _)| self.body(LOCK).is_some_and(|(seen, _)| seen == *text))
    }

    fn sending(&self, number: usize, attempt: Attempt, content: String, left: u8) -> Self {
        let mut world = self.clone();
        let (follows, mark, copy) = (attempt.follows().map(str::to_owned), attempt.mark().to_owned(), attempt.tries());
        world.wire.insert(Sent { by: number, follows, content: content.clone(), mark, copy });
        world.operators[number].step = Step::Waiting { attempt, content, left };
        world
    }

    /// What the operator does after an answer or a look.
    fn next(&self, number: usize, next: Next, attempt: Attempt, content: String, left: u8) -> Self {
        let step = match next {
            Next::Send => Step::Resending { attempt, content, left },
            Next::Look => Step::Looking { attempt, content, left },
            Next::Done { tag } => Step::Ready { tag: Some(tag), history: content, left: left - 1 },
            Next::Overtaken => {
                let mut world = self.with(number, Step::Over);
                world.denied.insert(attempt.mark().to_owned());
                return world;
            }
            Next::GiveUp => Step::Over,
        };
        self.with(number, step)
    }

    fn arrival(&self, sent: &Sent, rules: Rules, sights: &mut BTreeSet<Sight>) -> Steps<Self> {
        let Sent { by, follows, content, mark, copy } = sent;
        let what = format!("a write of {} arrives", NAMES[*by]);
        let mut world = self.clone();
        world.wire.remove(sent);
        let condition = match follows {
            _ if !rules.conditional => Condition::Always,
            Some(tag) => Condition::Is(tag),
            None => Condition::Absent,
        };
        let metadata = BTreeMap::from([(MARK.to_owned(), mark.clone())]);
        let before = self.body(STATE).map(|(history, _)| history).unwrap_or_default();
        let answer = match world.bucket.put(STATE, content.clone().into_bytes(), metadata, condition) {
            Ok(tag) => {
                let extends = content.strip_prefix(&before).is_some_and(|rest| rest.len() == 1);
                if !extends {
                    return vec![(what, Err(format!("an update is lost: [{before}] became [{content}]")))];
                }
                if self.denied.contains(mark) {
                    return vec![(what, Err("a write is stored whose sender was told that it would not".to_owned()))];
                }
                Answer::Taken { tag }
            }
            Err(_refused) => Answer::Overtaken,
        };
        let taken = matches!(answer, Answer::Taken { .. });
        // The answer to an earlier sending is not heard any more.
        let heard = match &self.operators[*by].step {
            Step::Waiting { attempt, content, left } if attempt.mark() == mark && attempt.tries() == *copy => {
                Some((attempt, content, left))
            }
            _ => None,
        };
        let Some((attempt, awaited, left)) = heard else {
            sights.insert(if taken { Sight::LateTaken } else { Sight::LateRefused });
            return vec![(format!("{what} late"), Ok(world))];
        };
        if !taken {
            let own = self.bucket.get(STATE).is_some_and(|object| object.metadata.get(MARK) == Some(mark));
            let slept = self.operators[*by].held.as_ref().is_none_or(|(_, alive)| self.now - alive >= LEASE);
            sights.extend(
                [(own, Sight::EchoRefused), (slept, Sight::PausedRefused)]
                    .into_iter()
                    .filter(|(is, _)| *is)
                    .map(|(_, sight)| sight),
            );
        }
        let mut attempt = attempt.clone();
        let next = attempt.answered(&answer);
        let world = world.next(*by, next, attempt, awaited.clone(), *left);
        vec![(what, Ok(world))]
    }
}

fn explore(rules: Rules) -> (Result<Explored, Vec<String>>, BTreeSet<Sight>) {
    let mut sights = BTreeSet::new();
    let is_end = |world: &World| {
        world
            .operators
            .iter()
            .all(|operator| matches!(operator.step, Step::Gone | Step::Outside(_) | Step::Ready { .. }))
    };
    let result = search(World::new(), |world| world.steps(rules, &mut sights), is_end);
    (result, sights)
}

fn counterexample(rules: Rules) -> String {
    let story = explore(rules).0.expect_err("these rules are broken").join("\n");
    println!("{rules:?}\n{story}\n");
    story
}

#[test]
fn on_a_bucket_nothing_is_lost_and_no_living_lock_is_taken() {
    use Sight::{
        EchoRefused, FoundItsOwn, LateRefused, LateTaken, LossNoticed, PausedRefused, SentAgain, TakenBefore,
        TakenOver, TwoHolders,
    };
    let calm = [TwoHolders, TakenOver, TakenBefore, LossNoticed, PausedRefused, LateRefused, LateTaken];
    let lossy = [FoundItsOwn, SentAgain, EchoRefused];
    for (rules, expected) in
        [(REAL, [&calm[..], &lossy].concat()), (Rules { writes: 2, losses: 0, ..REAL }, calm.to_vec())]
    {
        let (result, sights) = explore(rules);
        let explored = result.unwrap_or_else(|story| panic!("{}", story.join("\n")));
        println!("{rules:?}: {explored:?}, {sights:?}");
        assert!(explored.states > 10_000, "{explored:?}");
        assert_eq!(sights, BTreeSet::from_iter(expected));
    }
}

#[test]
fn a_lock_without_a_lease_is_never_taken_over() {
    let (result, sights) = explore(Rules { foreign: true, ..REAL });
    result.unwrap_or_else(|story| panic!("{}", story.join("\n")));
    assert!(!sights.contains(&Sight::TakenOver) && !sights.contains(&Sight::TwoHolders), "{sights:?}");
}

#[test]
fn a_lease_without_a_conditional_write_loses_an_update() {
    let story = counterexample(Rules { conditional: false, losses: 0, ..REAL });
    assert!(story.contains("an update is lost: [a] became [b]"), "{story}");
}

#[test]
fn a_lock_taken_over_without_condition_may_be_alive() {
    let story = counterexample(Rules { careful: false, ..REAL });
    assert!(story.contains("a living lock is taken"), "{story}");
}

#[test]
fn who_writes_the_same_bytes_is_told_apart_by_its_mark() {
    let alike = Rules { alike: true, ..REAL };
    let (result, _) = explore(alike);
    result.unwrap_or_else(|story| panic!("{}", story.join("\n")));
    let story = counterexample(Rules { marked: false, ..alike });
    assert!(story.ends_with("it takes the write of another for its own"), "{story}");
}
