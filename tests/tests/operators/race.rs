//! Two real executors on one account and one store, one effect at a time, without any lock.
//!
//! Each operator does what the command line tool does: look for what an interrupted run made, read, plan, apply. Who
//! performs the next effect is chosen: every choice for some effects from the moment the second has planned, at
//! whichever point the first stands then, and at random. An effect waits for others of the other operator only, so a
//! call is on its way for some seconds at most; what a longer pause does is told by [`a_pause_beyond_all_patience`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::{Reply, Request};
use aloka_core::plan::Mode;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::rng::Rng;
use aloka_sim::store::{MemoryStore, Store};
use aloka_sim::world::{Latency, World};
use aloka_tests::operator::{Operator, Phase, Place};
use aloka_tests::{Bench, LINEAGE, inputs, picture, secrets, variables};

/// From performing one effect to performing the next.
const TURN: Duration = Duration::from_millis(20);
/// No two runs take as many turns.
const TURNS_MAX: u32 = 20_000;
/// Effects whose performer is chosen in every way.
const CHOICES: u32 = 5;

/// What both work on.
#[derive(Clone)]
struct Desk {
    account: Account,
    store: MemoryStore,
    now: Instant,
    /// When the store last took a state.
    written: Option<Instant>,
}

impl Desk {
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

impl Place for Desk {
    fn now(&self) -> Instant {
        self.now
    }

    fn call(&mut self, request: &Request) -> Reply {
        self.account.call(self.now, request, &secrets())
    }

    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        self.store.write(state)?;
        self.written = Some(self.now);
        Ok(())
    }

    fn state(&self) -> State {
        self.store.state(LINEAGE)
    }

    fn since_written(&self) -> Option<Duration> {
        self.written.map(|written| self.now.since(written))
    }
}

/// An operator with this command.
fn operator(name: &'static str, command: &Command, place: &Desk) -> Operator {
    Operator::new(name, inputs(command.0.clone(), command.1, &place.state()), place)
}

/// One effect, which takes its time. False if there is none now.
fn step(operator: &mut Operator, place: &mut Desk) -> bool {
    let done = operator.turn(place);
    if done {
        place.now = place.now + TURN;
    }
    done
}

/// A turn of the one that is preferred, or of the other if that one waits; time passes if both do.
fn turn(operators: &mut [Operator; 2], prefer: usize, place: &mut Desk) {
    let [preferred, other] = [prefer, 1 - prefer];
    if step(&mut operators[preferred], place)
        || step(&mut operators[other], place)
        || operators.iter().all(Operator::is_over)
    {
        return;
    }
    let next = operators.iter_mut().filter_map(Operator::wakeup).min().expect("nobody is stuck");
    place.now = next.max(place.now + Duration::from_millis(1));
}

/// Both to their ends; `prefer` says whose turn it is.
fn play(operators: &mut [Operator; 2], place: &mut Desk, mut prefer: impl FnMut() -> usize) {
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
    fn met(&self, after: u32) -> Option<([Operator; 2], Desk)> {
        let mut place = Desk::of(&self.start);
        let mut first = operator("A", &self.commands[0], &place);
        for _ in 0..after {
            while !step(&mut first, &mut place) {
                let next = first.wakeup()?;
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        let second = operator("B", &self.commands[1], &place);
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
        place: Desk,
        wanted: &BTreeMap<(String, String), u32>,
    ) -> bool {
        let story = format!("{}, {story}", self.name);
        let refused: Vec<_> = operators.iter().filter_map(|operator| operator.refused.as_deref()).collect();
        assert!(refused.len() < 2, "{story}: both were refused: {refused:?}");
        for operator in operators {
            assert_eq!(operator.breaches, Vec::<String>::new(), "{story}");
            let Phase::Ended(end) = &operator.phase else { panic!("{story}: not ended") };
            match (&operator.refused, end) {
                (Some(why), Err(end)) => {
                    assert!(why.starts_with("the store holds serial "), "{story}: {why}");
                    assert!(end.contains("StoreFailed") && end.contains(why), "{story}: {end}");
                }
                (None, Ok(())) => {}
                // Whoever destroys under another's hands may make a call of that one fail.
                // Whoever read an empty state and then finds what the other has made plans nothing.
                (None, Err(end)) if end.contains("the state records nothing, but objects") => {}
                // The same if the state it read records less than the other has made by now.
                (None, Err(end)) if end.contains("carries this state's tags and is not recorded") => {}
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
            let mut place = Desk::of(&scenario.start);
            let [a, b] = &scenario.commands;
            let mut operators = [operator("A", a, &place), operator("B", b, &place)];
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
        let mut place = Desk::of(&scenario.start);
        let mut first = operator("A", &scenario.commands[0], &place);
        let mut done = 0;
        while done < after && !first.is_over() {
            if step(&mut first, &mut place) {
                done += 1;
            } else if let Some(next) = first.wakeup() {
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        if first.is_over() {
            break;
        }
        // What it would do next is decided, and waits.
        let _decided = first.ready(&mut place);
        let mut second = operator("B", &scenario.commands[1], &place);
        while !second.is_over() {
            if !step(&mut second, &mut place)
                && let Some(next) = second.wakeup()
            {
                place.now = next.max(place.now + Duration::from_millis(1));
            }
        }
        let Phase::Ended(end) = &second.phase else { unreachable!("it is over") };
        assert_eq!(*end, Ok(()), "B after {after} effects of A");
        let before = place.store.state(LINEAGE);
        while !first.is_over() {
            if !step(&mut first, &mut place)
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
