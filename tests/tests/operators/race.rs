//! Two real executors on one account and one store, one effect at a time, without any lock.
//!
//! Each operator does what the command line tool does: look for what an interrupted run made, read, plan, apply. Who
//! performs the next effect is chosen: every choice for some effects from the moment the second has planned, at
//! whichever point the first stands then, and at random. An effect waits for others of the other operator only, so a
//! call is on its way for some seconds at most; what a longer pause does is told by [`a_pause_beyond_all_patience`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use aloka_core::engine::{Effect, Event, Executor, Outcome};
use aloka_core::plan::Mode;
use aloka_core::session::{self, Inputs};
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::rehearsal::unread;
use aloka_sim::rng::Rng;
use aloka_sim::store::{MemoryStore, Store};
use aloka_sim::world::{Latency, World};
use aloka_tests::{Bench, LINEAGE, inputs, picture, secrets, variables};

/// From performing one effect to performing the next.
const TURN: Duration = Duration::from_millis(20);
/// No two runs take as many turns.
const TURNS_MAX: u32 = 20_000;
/// Effects whose performer is chosen in every way.
const CHOICES: u32 = 5;

/// What both work on.
#[derive(Clone)]
struct Place {
    account: Account,
    store: MemoryStore,
    now: Instant,
    /// When the store last took a state.
    written: Option<Instant>,
}

impl Place {
    fn of(bench: &Bench) -> Self {
        let (account, store) = (bench.world.account.clone(), bench.store.clone());
        Self { account, store, now: bench.world.now(), written: None }
    }

    /// The same, for one operator alone, after a rest.
    fn bench(self) -> Bench {
        let mut world = World::new(self.account, Latency::default()).at(self.now);
        world.rest(Duration::from_secs(60));
        Bench { world, store: self.store }
    }
}

/// What an operator is at.
#[derive(Clone)]
enum Phase {
    /// Looks for what an interrupted run made.
    Recovering(Box<Executor>),
    /// Reads what a plan needs.
    Reading(Box<Executor>),
    /// Waits before it reads again.
    Resting(Instant),
    /// Carries out its plan.
    Applying(Box<Executor>),
    /// Ended; why not, if it was not done.
    Ended(Result<(), String>),
}

#[derive(Clone)]
struct Operator {
    name: &'static str,
    inputs: Inputs,
    state: State,
    phase: Phase,
    outbox: VecDeque<Effect>,
    /// Why the store refused a write.
    refused: Option<String>,
}

impl Operator {
    fn new(name: &'static str, command: &Command, place: &Place) -> Self {
        let state = place.store.state(LINEAGE);
        let inputs = inputs(command.0.clone(), command.1, &state);
        let executor = Executor::new(session::recovery(&state, inputs.mode), state.clone(), place.now);
        let phase = Phase::Recovering(Box::new(executor));
        Self { name, inputs, state, phase, outbox: VecDeque::new(), refused: None }
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    fn is_planning(&self) -> bool {
        !matches!(self.phase, Phase::Applying(_) | Phase::Ended(_))
    }

    fn executor(&mut self) -> Option<&mut Executor> {
        match &mut self.phase {
            Phase::Recovering(executor) | Phase::Reading(executor) | Phase::Applying(executor) => Some(executor),
            Phase::Resting(_) | Phase::Ended(_) => None,
        }
    }

    fn wakeup(&mut self) -> Option<Instant> {
        match self.phase {
            Phase::Resting(until) => Some(until),
            _ => self.executor().and_then(|executor| executor.next_wakeup()),
        }
    }

    /// Gets its next effect ready. False if it has none now.
    fn ready(&mut self, place: &Place) -> bool {
        loop {
            if !self.outbox.is_empty() {
                return true;
            }
            if let Phase::Resting(until) = self.phase
                && until <= place.now
            {
                self.read(place);
            }
            let Some(executor) = self.executor() else { return false };
            let effects = executor.poll(place.now);
            let _news = executor.take_notices();
            self.outbox.extend(effects);
            if self.outbox.is_empty() {
                let Some(outcome) = self.executor().and_then(|executor| executor.outcome()) else { return false };
                self.advance(outcome, place);
            }
        }
    }

    /// Performs its next effect. False if it has none now.
    fn turn(&mut self, place: &mut Place) -> bool {
        if !self.ready(place) {
            return false;
        }
        let Some(effect) = self.outbox.pop_front() else { return false };
        let event = match effect {
            Effect::Send { ticket, request } => {
                let is_change = request.operation().is_mutating();
                assert!(!is_change || self.refused.is_none(), "{} sends {request} after {:?}", self.name, self.refused);
                assert!(!is_change || !self.is_planning(), "{} sends {request} while it plans", self.name);
                Event::Replied { ticket, reply: place.account.call(place.now, &request, &secrets()) }
            }
            Effect::Persist { state } => match place.store.write(&state) {
                Ok(()) => {
                    place.written = Some(place.now);
                    Event::Persisted { serial: state.serial }
                }
                Err(message) => {
                    self.refused = Some(message.clone());
                    Event::PersistFailed { serial: state.serial, message }
                }
            },
        };
        let now = place.now;
        self.executor().expect("it has effects").on_event(now, event);
        place.now = now + TURN;
        true
    }

    fn read(&mut self, place: &Place) {
        let nodes = session::discovery(&self.state, &self.inputs);
        self.phase = Phase::Reading(Box::new(Executor::new(nodes, self.state.clone(), place.now)));
    }

    fn advance(&mut self, outcome: Outcome, place: &Place) {
        let ended = |why: String| Phase::Ended(Err(why));
        match std::mem::replace(&mut self.phase, Phase::Ended(Ok(()))) {
            Phase::Recovering(executor) => {
                let problems = unread(&executor, &outcome);
                match session::adopt(&mut self.state, &executor.replies()) {
                    Ok(_) if problems.is_empty() => self.read(place),
                    result => self.phase = ended(format!("{result:?} {problems:?}")),
                }
            }
            Phase::Reading(executor) => {
                let problems = unread(&executor, &outcome);
                let replies = executor.into_replies();
                let age = place.written.map(|written| place.now.since(written));
                let again = age.and_then(|age| session::look_again(&self.state, &self.inputs, &replies, age));
                self.phase = match again {
                    _ if !problems.is_empty() => ended(format!("{problems:?}")),
                    Some(wait) => Phase::Resting(place.now + wait),
                    None => match session::plan(self.state.clone(), &self.inputs, replies) {
                        Ok(planned) => Phase::Applying(Box::new(Executor::for_plan(&planned, place.now))),
                        Err(problems) => ended(format!("{problems:?}")),
                    },
                };
            }
            Phase::Applying(_) if outcome == Outcome::Done => {}
            Phase::Applying(_) => self.phase = ended(format!("{outcome:?}")),
            Phase::Resting(_) | Phase::Ended(_) => unreachable!("these have no executor"),
        }
    }
}

/// A turn of the one that is preferred, or of the other if that one waits; time passes if both do.
fn turn(operators: &mut [Operator; 2], prefer: usize, place: &mut Place) {
    if operators[prefer].turn(place) || operators[1 - prefer].turn(place) || operators.iter().all(Operator::is_over) {
        return;
    }
    let next = operators.iter_mut().filter_map(Operator::wakeup).min().expect("nobody is stuck");
    place.now = next.max(place.now + Duration::from_millis(1));
}

/// Both to their ends; `prefer` says whose turn it is.
fn play(operators: &mut [Operator; 2], place: &mut Place, mut prefer: impl FnMut() -> usize) {
    let mut turns = 0;
    while !operators.iter().all(Operator::is_over) {
        turn(operators, prefer(), place);
        turns += 1;
        assert!(turns < TURNS_MAX, "no end");
    }
}

/// Variables and mode.
type Command = (Variables, Mode);

/// Where they begin, and what each wants.
struct Scenario {
    name: &'static str,
    start: Bench,
    commands: [Command; 2],
}

fn scenarios() -> Vec<Scenario> {
    let empty = Bench::new(61, Durations::Median);
    let mut standing = empty.clone();
    standing.apply(&variables(""), Mode::Apply);
    let apply = |tfvars: &str| (variables(tfvars), Mode::Apply);
    let scenario = |name, start: &Bench, commands| Scenario { name, start: start.clone(), commands };
    let [servers, rules] = ["app_instance_count = 2", "app_ingress = [{ port = 8443 }]\ntags = { Team = \"b\" }\n"];
    vec![
        scenario("both create the same", &empty, [apply(""), apply("")]),
        scenario("each makes a change of its own", &standing, [apply(servers), apply(rules)]),
        scenario("one destroys, one changes", &standing, [(variables(""), Mode::Destroy), apply(rules)]),
    ]
}

impl Scenario {
    /// What the account holds when the second command was carried out alone.
    fn wanted(&self) -> BTreeMap<(String, String), u32> {
        let mut calm = self.start.clone();
        calm.apply(&self.commands[1].0, self.commands[1].1);
        picture(&calm.world)
    }

    /// The second operator begins when the first has performed so many effects, and plans; `None` if the first is
    /// done by then.
    fn met(&self, after: u32) -> Option<([Operator; 2], Place)> {
        let mut place = Place::of(&self.start);
        let mut first = Operator::new("A", &self.commands[0], &place);
        for _ in 0..after {
            while !first.turn(&mut place) {
                let next = first.wakeup()?;
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        let second = Operator::new("B", &self.commands[1], &place);
        let mut operators = [first, second];
        while operators[1].is_planning() {
            turn(&mut operators, 1, &mut place);
        }
        Some((operators, place))
    }

    /// What must be true once both have ended, and after the second ran once more. True if a write was refused.
    fn judge(
        &self,
        story: &str,
        operators: &[Operator; 2],
        place: Place,
        wanted: &BTreeMap<(String, String), u32>,
    ) -> bool {
        let story = format!("{}, {story}", self.name);
        let refused: Vec<_> = operators.iter().filter_map(|operator| operator.refused.as_deref()).collect();
        assert!(refused.len() < 2, "{story}: both were refused: {refused:?}");
        for operator in operators {
            let Phase::Ended(end) = &operator.phase else { panic!("{story}: not ended") };
            match (&operator.refused, end) {
                (Some(why), Err(end)) => {
                    assert!(why.starts_with("the store holds serial "), "{story}: {why}");
                    assert!(end.contains("StoreFailed") && end.contains(why), "{story}: {end}");
                }
                (None, Ok(())) => {}
                // Whoever destroys under another's hands may make a call of that one fail.
                (None, Err(end)) => assert!(end.starts_with("Failed"), "{story}: {}: {end}", operator.name),
                (Some(why), Ok(())) => panic!("{story}: {} went on although {why}", operator.name),
            }
        }
        let mut bench = place.bench();
        let (variables, mode) = &self.commands[1];
        bench.apply(variables, *mode);
        assert_eq!(picture(&bench.world), *wanted, "{story}");
        assert!(bench.plan(variables, *mode).expect("a plan").plan.is_empty(), "{story}: something is left to do");
        assert!(bench.state().private.intents.is_empty(), "{story}");
        !refused.is_empty()
    }
}

#[test]
fn whoever_is_overtaken_stops_and_nothing_is_made_twice() {
    for scenario in scenarios() {
        let wanted = scenario.wanted();
        let (mut runs, mut refused, mut after) = (0, 0, 0);
        while let Some((operators, place)) = scenario.met(after) {
            for choices in 0..1_u32 << CHOICES {
                let (mut operators, mut place) = (operators.clone(), place.clone());
                let mut made = 0;
                // Then by turns.
                play(&mut operators, &mut place, || {
                    made += 1;
                    usize::from(if made <= CHOICES { choices >> (made - 1) & 1 == 1 } else { made % 2 == 1 })
                });
                let story = format!("B begins after {after} effects of A, choices {choices:05b} (last first; 1 is B)");
                refused += u32::from(scenario.judge(&story, &operators, place, &wanted));
                runs += 1;
            }
            after += 3;
        }
        println!("{}: {runs} schedules, {refused} with a refused write", scenario.name);
        assert!(runs > 500 && refused > runs / 2, "{}: {refused} of {runs}", scenario.name);
    }
}

#[test]
fn the_same_at_random() {
    const SEEDS: u64 = 150;
    for scenario in scenarios() {
        let (wanted, mut refused) = (scenario.wanted(), 0);
        for seed in 0..SEEDS {
            let mut rng = Rng::stream(seed, "operators", 0);
            let mut place = Place::of(&scenario.start);
            let [a, b] = &scenario.commands;
            let mut operators = [Operator::new("A", a, &place), Operator::new("B", b, &place)];
            // Bursts, from single effects to whole runs.
            let (mut left, mut who, patience) = (0, 0, 1 << rng.below(8));
            play(&mut operators, &mut place, || {
                if left == 0 {
                    (left, who) = (rng.between(1, patience), 1 - who);
                }
                left -= 1;
                who
            });
            refused += u32::from(scenario.judge(&format!("seed {seed}"), &operators, place, &wanted));
        }
        println!("{}: {refused} of {SEEDS} seeds with a refused write", scenario.name);
        assert!(refused > 0, "{}", scenario.name);
    }
}

/// The limit: a process that pauses between its decision to send a creation and the sending, for longer than anybody
/// waits for what it sends to show (30 s), makes a second object when it wakes, if a second operator went on
/// meanwhile. Only where AWS knows neither token nor name, and only without a lock, or with one that expires. The
/// state stays whole.
#[test]
fn a_pause_beyond_all_patience() {
    let scenario = &scenarios()[0];
    let wanted = scenario.wanted();
    let (mut after, mut paused, mut doubled) = (0, 0, BTreeSet::new());
    loop {
        let mut place = Place::of(&scenario.start);
        let mut first = Operator::new("A", &scenario.commands[0], &place);
        let mut done = 0;
        while done < after && !first.is_over() {
            if first.turn(&mut place) {
                done += 1;
            } else if let Some(next) = first.wakeup() {
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        if first.is_over() {
            break;
        }
        // What it would do next is decided, and waits.
        let _decided = first.ready(&place);
        let mut second = Operator::new("B", &scenario.commands[1], &place);
        while !second.is_over() {
            if !second.turn(&mut place)
                && let Some(next) = second.wakeup()
            {
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        let Phase::Ended(end) = &second.phase else { unreachable!("it is over") };
        assert_eq!(*end, Ok(()), "B after {after} effects of A");
        let before = place.store.state(LINEAGE);
        while !first.is_over() {
            if !first.turn(&mut place)
                && let Some(next) = first.wakeup()
            {
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        assert!(first.refused.is_some() || before == place.store.state(LINEAGE), "A overwrote B after {after} effects");
        let mut bench = place.bench();
        bench.apply(&scenario.commands[1].0, Mode::Apply);
        for (what, count) in picture(&bench.world) {
            if wanted.get(&what) != Some(&count) {
                doubled.insert(what.0);
            }
        }
        paused += 1;
        after += 1;
    }
    println!("{paused} pauses; made twice by some: {doubled:?}");
    let unique_by_nothing = ["Resource(Eip)", "Resource(InternetGateway)", "Resource(Vpc)"];
    assert_eq!(doubled, BTreeSet::from(unique_by_nothing.map(str::to_owned)));
}
