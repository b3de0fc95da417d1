//! AWS's rate limits: a run alone keeps below them, two at once meet them and get done all the same.
//!
//! The simulated account counts by its own table, second by second, and shares no figure with the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::{ErrorClass, Reply, Request};
use aloka_core::engine::{Effect, Event, Executor, Outcome, Ticket};
use aloka_core::plan::Mode;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations, Options};
use aloka_sim::rehearsal::plan_round;
use aloka_sim::store::{MemoryStore, Store};
use aloka_sim::trace::Trace;
use aloka_sim::world::{Latency, RunEnd, Watch, World};
use aloka_tests::{Bench, inputs, secrets, variables};

fn limited(seed: u64) -> Options {
    Options { seed, durations: Durations::Median, throttling: true, ..Options::default() }
}

fn many(count: u32) -> Variables {
    variables(&format!(
        "vpc_cidr = \"10.0.0.0/16\"\npublic_subnet_cidrs = [\"10.0.0.0/18\", \"10.0.64.0/18\"]\n\
         private_subnet_cidrs = [\"10.0.128.0/24\", \"10.0.129.0/24\"]\napp_instance_count = {count}\n"
    ))
}

/// Calls that were throttled, by operation.
#[derive(Default)]
struct Throttled(BTreeMap<String, u64>);

impl Throttled {
    fn note(&mut self, request: &Request, reply: &Reply) {
        if reply.as_ref().is_err_and(|error| error.class == ErrorClass::Throttled) {
            *self.0.entry(request.operation().to_string()).or_default() += 1;
        }
    }
}

impl Watch for Throttled {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        self.note(request, reply);
    }
}

/// A whole life, each command following at once upon the other. What was throttled, by command.
fn alone(stack: &Variables) -> Vec<(Mode, BTreeMap<String, u64>)> {
    let mut bench = Bench::with(limited(41));
    let mut all = Vec::new();
    for mode in [Mode::Apply, Mode::Destroy] {
        bench.world.trace = Trace::on();
        let planned = bench.plan(stack, mode).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut throttled = Throttled::default();
        let trace = bench.world.trace.entries().iter();
        for entry in trace.filter(|entry| entry.what.contains("imit exceeded") || entry.what.contains("Rate exceeded"))
        {
            *throttled.0.entry(format!("planning: {}", entry.what)).or_default() += 1;
        }
        bench.world.trace = Trace::off();
        assert_eq!(bench.run(&planned, &mut throttled), RunEnd::Outcome(Outcome::Done), "{mode:?}");
        all.push((mode, throttled.0));
    }
    assert!(bench.world.account.is_empty(bench.world.now()));
    all
}

#[test]
fn a_run_alone_is_never_throttled() {
    for stack in [variables(""), many(200)] {
        for (mode, throttled) in alone(&stack) {
            assert_eq!(throttled, BTreeMap::new(), "{mode:?} of {} servers", stack.app_instance_count);
        }
    }
}

/// Somebody at work: an executor, its state, and what is on the wire.
struct Operator {
    lineage: &'static str,
    variables: Variables,
    store: MemoryStore,
    executor: Option<Executor>,
    wire: BTreeMap<(Instant, Ticket), Wire>,
}

enum Wire {
    There(Request),
    Back(Reply),
}

impl Operator {
    fn new(lineage: &'static str, project: &str, count: u32) -> Self {
        let servers = format!("app_instance_count = {count}\nproject_name = \"{project}\"\n");
        Self {
            lineage,
            variables: variables(&servers),
            store: MemoryStore::new(),
            executor: None,
            wire: BTreeMap::new(),
        }
    }

    /// Plans, and is ready to begin.
    fn plan(&mut self, world: &mut World, mode: Mode) -> bool {
        let state = self.store.state(self.lineage);
        let inputs = inputs(self.variables.clone(), mode, &state);
        let planned = plan_round(world, &mut self.store, &secrets(), state, &inputs);
        let planned = planned.unwrap_or_else(|why| panic!("{}: {why:?}", self.lineage));
        let is_empty = planned.plan.is_empty();
        self.executor = Some(Executor::for_plan(&planned, world.now()));
        is_empty
    }

    /// Does what is due at `now`; tells when something is due again, and `None` when it is done.
    fn work(&mut self, now: Instant, account: &mut Account, throttled: &mut Throttled) -> Option<Instant> {
        let half_way = Duration::from_millis(50);
        let executor = self.executor.as_mut().expect("a plan");
        loop {
            let effects = executor.poll(now);
            let idle = effects.is_empty();
            for effect in effects {
                match effect {
                    Effect::Send { ticket, request } => {
                        self.wire.insert((now + half_way, ticket), Wire::There(request));
                    }
                    Effect::Persist { state } => {
                        self.store.write(&state).expect("written");
                        executor.on_event(now, Event::Persisted { serial: state.serial });
                    }
                }
            }
            let _news = executor.take_notices();
            if let Some(outcome) = executor.outcome() {
                assert_eq!(outcome, Outcome::Done, "{}", self.lineage);
                return None;
            }
            let due = self.wire.first_entry().filter(|entry| entry.key().0 <= now);
            match due.map(|entry| entry.remove_entry()) {
                Some(((_, ticket), Wire::There(request))) => {
                    let reply = account.call(now, &request, &secrets());
                    throttled.note(&request, &reply);
                    self.wire.insert((now + half_way, ticket), Wire::Back(reply));
                }
                Some(((_, ticket), Wire::Back(reply))) => executor.on_event(now, Event::Replied { ticket, reply }),
                None if idle => break,
                None => {}
            }
        }
        let next = self.wire.keys().map(|(at, _)| *at).chain(executor.next_wakeup()).min().expect("not stuck");
        Some(next.max(now + Duration::from_millis(1)))
    }
}

/// Both operators run what they planned, in turns, until both are done.
fn together(operators: &mut [Operator; 2], world: &mut World) -> BTreeMap<String, u64> {
    let mut throttled = Throttled::default();
    let mut now = world.now();
    let mut due = [Some(now); 2];
    while let Some(next) = due.iter().flatten().min() {
        now = *next;
        for (operator, due) in operators.iter_mut().zip(&mut due) {
            if due.is_some_and(|at| at <= now) {
                *due = operator.work(now, &mut world.account, &mut throttled);
            }
        }
    }
    *world = World::new(world.account.clone(), Latency::default()).at(now);
    throttled.0
}

#[test]
fn two_at_once_are_throttled_and_get_done() {
    let account = Account::new(limited(42));
    let mut world = World::new(account, Latency::default());
    let mut operators = [
        Operator::new("0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0001", "ours", 60),
        Operator::new("0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0002", "theirs", 60),
    ];
    for operator in &mut operators {
        assert!(!operator.plan(&mut world, Mode::Apply));
    }
    let throttled = together(&mut operators, &mut world);
    assert!(throttled.contains_key("ec2:RunInstances"), "{throttled:?}");
    world.rest(Duration::from_secs(60));
    for operator in &mut operators {
        assert!(operator.plan(&mut world, Mode::Apply), "{}: something is left to do", operator.lineage);
        world.rest(Duration::from_secs(60));
        assert!(!operator.plan(&mut world, Mode::Destroy));
    }
    let throttled = together(&mut operators, &mut world);
    assert!(!throttled.is_empty());
    assert!(world.account.is_empty(world.now()));
}
