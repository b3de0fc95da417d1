//! The loop itself, around a graph of three networks that need each other in a row.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2};
use aloka_core::identity;
use aloka_core::kind::Kind;
use aloka_core::plan::{Lookup, Save, Step};
use aloka_core::state::Target;
use aloka_core::value::Value;

use super::*;
use crate::aws::Options;
use crate::store::MemoryStore;

const LINEAGE: &str = "6f3c4a55-5d1c-4a53-9a2a-3f0c8b1f6a11";
const COUNT: u32 = 3;

fn node(index: u32) -> Node {
    let address = Address::vpc(Kind::Vpc, "this", index);
    let tags = Value::Map(identity::tags(&Arc::from(LINEAGE), &address, 1));
    let filters = identity::tags(&Arc::from(LINEAGE), &address, 1);
    let filters = filters.iter().map(|(key, value)| (format!("tag:{key}"), Value::list([value.clone()])));
    let lookup = Lookup {
        call: Call::new(Ec2::DescribeVpcs, [("Filters", Value::map(filters))]),
        list: "Vpcs".into(),
        tags: identity::tags(&Arc::from(LINEAGE), &address, 1).into_iter().collect(),
    };
    let block = Value::str(format!("10.{index}.0.0/16"));
    let call = Call::new(Ec2::CreateVpc, [("CidrBlock", block), ("Tags", tags)]);
    Node {
        target: Target::current(address),
        verb: Verb::Create,
        steps: vec![Step::Call { call, save: Save::Object("Vpc".into()), recover: Some(lookup), way_back: None }],
        needs: index.checked_sub(1).into_iter().collect(),
        generation: 1,
        after: Default::default(),
        dependencies: std::sync::Arc::default(),
    }
}

fn nodes() -> Vec<Node> {
    (0..COUNT).map(node).collect()
}

fn world() -> World {
    World::new(Account::new(Options::default()), Latency::default()).traced()
}

fn run(world: &mut World, store: &mut MemoryStore) -> RunEnd {
    let mut executor = Executor::new(nodes(), store.state(LINEAGE), world.now());
    world.run(&mut executor, store, &Secrets::default(), &mut Unwatched)
}

fn made(world: &World) -> usize {
    world.account.objects(world.now()).len()
}

#[test]
fn effects_take_their_time_and_the_end_is_stored() {
    #[derive(Default)]
    struct Seen {
        sent: Vec<Instant>,
        acted: Vec<Instant>,
    }
    impl Watch for Seen {
        fn notice(&mut self, _nodes: &[Node], notice: &Notice) {
            if let News::Sent { .. } = notice.news {
                self.sent.push(notice.at);
            }
        }
        fn after_call(&mut self, now: Instant, _account: &mut Account, _request: &Request, reply: &Reply) {
            assert!(reply.is_ok());
            self.acted.push(now);
        }
    }
    let (mut world, mut store, mut seen) = (world(), MemoryStore::new(), Seen::default());
    let mut executor = Executor::new(nodes(), State::new(LINEAGE), world.now());
    let end = world.run(&mut executor, &mut store, &Secrets::default(), &mut seen);
    assert_eq!(end, RunEnd::Outcome(Outcome::Done));
    assert_eq!(made(&world), 3);
    let last = store.last().expect("a state");
    assert_eq!((last.resources.len(), last.serial), (3, store.writes()));
    assert_eq!(**last, executor.into_state());
    let half = Duration::from_millis(Latency::default().call_ms / 2);
    let expected: Vec<_> = seen.sent.iter().map(|sent| *sent + half).collect();
    assert_eq!(seen.acted, expected, "AWS acts half way");
    assert!(seen.sent.is_sorted_by(|a, b| *a + half + half <= *b), "each waits for the answer to the one before");
    assert_eq!(world.calls().values().sum::<u64>() + store.writes(), world.effects());
}

/// What comes from outside comes at its time: nothing is sent after it, and what is under way is recorded.
#[test]
fn an_interruption_stops_a_run_as_a_fault_does() {
    struct Interrupting {
        events: Vec<(Instant, Event)>,
        heard: Vec<Instant>,
    }
    impl Watch for Interrupting {
        fn interrupt(&mut self, _nodes: &[Node], from: Instant, to: Instant) -> Option<(Instant, Event)> {
            let (at, _) = *self.events.first().filter(|(at, _)| *at <= to)?;
            let (_, event) = self.events.remove(0);
            self.heard.push(at.max(from));
            Some((at, event))
        }
    }
    let at = |ms: u64| Instant::ZERO + Duration::from_millis(ms);
    for (events, left_behind) in [
        // Before anything is sent.
        (vec![(at(0), Event::Stop)], 0),
        // While the first call is on the wire: its answer is waited for and recorded.
        (vec![(at(40), Event::Stop)], 1),
        // Its answer is not waited for: the intent is recorded, and AWS acts all the same.
        (vec![(at(40), Event::Stop), (at(45), Event::Abandon)], 1),
    ] {
        let abandoned = events.len() > 1;
        let (mut world, mut store) = (world(), MemoryStore::new());
        let mut watch = Interrupting { events, heard: Vec::new() };
        let mut executor = Executor::new(nodes(), State::new(LINEAGE), world.now());
        let end = world.run(&mut executor, &mut store, &Secrets::default(), &mut watch);
        let RunEnd::Outcome(Outcome::Stopped { unfinished }) = end else { panic!("{end:?}") };
        assert!(watch.events.is_empty(), "all were heard: {:?}", watch.heard);
        assert_eq!(made(&world), left_behind);
        let recorded = executor.state().resources.len();
        assert_eq!(recorded, if abandoned { 0 } else { left_behind }, "{unfinished:?}");
        if abandoned {
            // Who plans next looks for it: executors alone do not.
            assert_eq!(executor.state().private.intents.len(), 1);
            continue;
        }
        // A plain run of what is left goes on from there.
        let behind = u32::try_from(left_behind).expect("few");
        let rest = nodes().split_off(left_behind).into_iter().map(|mut node| {
            node.needs = node.needs.iter().filter_map(|need| need.checked_sub(behind)).collect();
            node
        });
        let mut executor = Executor::new(rest.collect::<Vec<_>>(), store.state(LINEAGE), world.now());
        let end = world.run(&mut executor, &mut store, &Secrets::default(), &mut Unwatched);
        assert_eq!((end, made(&world)), (RunEnd::Outcome(Outcome::Done), 3));
    }
}

#[test]
fn the_same_run_leaves_the_same_bytes() {
    let trace = |faults: FaultPlan| {
        let (mut world, mut store) = (world().with_faults(faults), MemoryStore::new());
        let _end = run(&mut world, &mut store);
        world.trace.to_json_lines()
    };
    let faults = || FaultPlan::random(7, 6, 3);
    assert_eq!(trace(faults()), trace(faults()));
    assert_ne!(trace(faults()), trace(FaultPlan::none()));
}

#[test]
fn transient_faults_at_any_effect_are_got_over() {
    let faults =
        [Fault::LostReply, Fault::Throttled, Fault::ServerError { acted: true }, Fault::ServerError { acted: false }];
    for fault in faults {
        for effect in 0..20 {
            let (mut world, mut store) =
                (world().with_faults(FaultPlan::at(effect, fault.clone())), MemoryStore::new());
            assert_eq!(run(&mut world, &mut store), RunEnd::Outcome(Outcome::Done), "{fault} at {effect}");
            assert_eq!(made(&world), 3, "{fault} at {effect}: no more and no less");
            assert_eq!(store.last().map(|state| state.resources.len()), Some(3), "{fault} at {effect}");
        }
    }
}

#[test]
fn a_crash_keeps_what_was_stored_and_what_aws_did() {
    let (mut whole, mut store) = (world(), MemoryStore::new());
    let _end = run(&mut whole, &mut store);
    let (calls, writes) = (whole.calls().values().sum::<u64>(), store.writes());
    let mut reached = (0, 0);
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for effect in 0..whole.effects() {
            let (mut world, mut store) =
                (world().with_faults(FaultPlan::at(effect, fault.clone())), MemoryStore::new());
            assert_eq!(run(&mut world, &mut store), RunEnd::Crashed, "{fault} at {effect}");
            assert_eq!(world.faults_struck(), [(When::Effect(effect), fault.clone())]);
            let recorded = store.last().map_or(0, |state| state.resources.len());
            assert!(recorded <= made(&world), "{fault} at {effect}: nothing is recorded that was not made");
            let acted = world.trace.entries().iter().filter(|entry| entry.kind == TraceKind::Aws).count();
            let kept = if fault == Fault::CrashAfter { effect + 1 } else { effect };
            assert_eq!(u64::try_from(acted).expect("few") + store.writes(), kept, "{fault} at {effect}");
            reached = (reached.0.max(acted), reached.1.max(store.writes()));
        }
    }
    assert_eq!((u64::try_from(reached.0).expect("few"), reached.1), (calls, writes), "every effect was crashed at");
}

#[test]
fn a_store_that_fails_ends_the_run_and_a_stop_is_heeded() {
    for nth in 1..=3 {
        let (mut world, mut store) = (world(), MemoryStore::new());
        store.fail_from(Some(nth));
        assert!(matches!(run(&mut world, &mut store), RunEnd::Outcome(Outcome::StoreFailed { .. })), "write {nth}");
        let faults = FaultPlan(vec![(When::Write { nth }, Fault::StoreFailed)]);
        let (mut other, mut store) = (self::world().with_faults(faults), MemoryStore::new());
        assert!(matches!(run(&mut other, &mut store), RunEnd::Outcome(Outcome::StoreFailed { .. })), "write {nth}");
        assert_eq!(made(&world), made(&other));
    }
    for fault in [Fault::Stop, Fault::Abandon] {
        let first_create = When::Call { operation: Some(Operation::Ec2(Ec2::CreateVpc)), nth: 1 };
        let (mut world, mut store) = (world().with_faults(FaultPlan(vec![(first_create, fault)])), MemoryStore::new());
        assert!(matches!(run(&mut world, &mut store), RunEnd::Outcome(Outcome::Stopped { .. })));
        assert_eq!(made(&world), 1, "what was on the wire arrived, nothing else was sent");
    }
}

#[test]
fn time_never_runs_backwards_and_goes_on_from_run_to_run() {
    let (mut world, mut store) = (world().at(Instant(5_000)), MemoryStore::new());
    let _end = run(&mut world, &mut store);
    let ended = world.now();
    assert!(world.trace.entries().is_sorted_by_key(|entry| entry.at));
    assert!(world.trace.entries().first().is_some_and(|entry| entry.at >= Instant(5_000)));
    world.rest(Duration::from_secs(60));
    assert_eq!(world.now() - ended, Duration::from_secs(60));
}
