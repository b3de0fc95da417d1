//! I4: whatever goes wrong at whichever effect, a plain re-run reaches the world of an undisturbed run.

use aloka_core::address::Address;
use aloka_core::api::{Call, Operation, Request};
use aloka_core::engine::Outcome;
use aloka_core::model::Kind;
use aloka_core::plan::{Action, Mode};
use aloka_core::state::file;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::rehearsal::{NotPlanned, plan_round};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, PASSWORD, inputs, picture, secrets, variables};

const FAULTS: [Fault; 9] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::LostReply,
    Fault::Throttled,
    Fault::ServerError { acted: true },
    Fault::ServerError { acted: false },
    Fault::StoreFailed,
    Fault::Stop,
    Fault::Abandon,
];

/// One command, which may be cut short at any effect, planning included.
fn attempt(bench: &mut Bench, variables: &Variables, mode: Mode) -> bool {
    let state = bench.state();
    let inputs = inputs(variables.clone(), mode, &state);
    let planned = match plan_round(&mut bench.world, &mut bench.store, &secrets(), state, &inputs) {
        Ok(planned) => planned,
        Err(NotPlanned::Ended(_)) => return false,
        Err(NotPlanned::Problems(problems)) => panic!("{problems:?}"),
    };
    match bench.run(&planned, &mut Unwatched) {
        RunEnd::Outcome(Outcome::Done) => true,
        RunEnd::Outcome(Outcome::Stopped { .. } | Outcome::StoreFailed { .. }) | RunEnd::Crashed => false,
        end @ (RunEnd::Outcome(Outcome::Failed { .. }) | RunEnd::Stuck) => panic!("{end:?}"),
    }
}

/// Every fault at every effect of one command; `start` is the world it begins in.
fn sweep(start: &Bench, variables: &Variables, mode: Mode) -> u64 {
    let mut calm = start.clone();
    assert!(attempt(&mut calm, variables, mode));
    let (first, last) = (start.world.effects(), calm.world.effects());
    let wanted = picture(&calm.world);
    let mut schedules = 0;
    for effect in first..last {
        for fault in &FAULTS {
            schedules += 1;
            let story = format!("{mode:?}, {fault:?} at effect {effect}");
            let mut bench = start.clone();
            bench.world.faults = FaultPlan::at(effect, fault.clone());
            let mut done = attempt(&mut bench, variables, mode);
            bench.world.faults = FaultPlan::none();
            let mut runs = 1;
            while !done {
                runs += 1;
                assert!(runs <= 3, "{story}: not done after {runs} runs");
                let text = file::write(&bench.state());
                assert!(!text.contains(PASSWORD), "{story}: the password is in the state");
                file::read(&text).unwrap_or_else(|error| panic!("{story}: {error}"));
                done = attempt(&mut bench, variables, mode);
            }
            assert_eq!(picture(&bench.world), wanted, "{story}");
            let again = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{story}: {problems:?}"));
            let left: Vec<_> =
                again.plan.nodes.iter().map(|node| format!("{} {:?}", node.target, node.after)).collect();
            let outputs: Vec<_> = again.plan.outputs.iter().filter(|output| output.before != output.after).collect();
            assert!(again.plan.is_empty(), "{story}: {left:?} {outputs:?}");
            assert!(bench.state().private.intents.is_empty(), "{story}: {:?}", bench.state().private.intents);
        }
    }
    schedules
}

#[test]
fn apply_converges_whatever_happens() {
    let start = Bench::new(11, Durations::Median);
    let schedules = sweep(&start, &variables(""), Mode::Apply);
    assert!(schedules > 500, "{schedules}");
}

#[test]
fn destroy_converges_whatever_happens() {
    let variables = variables("");
    let mut start = Bench::new(12, Durations::Median);
    start.apply(&variables, Mode::Apply);
    let schedules = sweep(&start, &variables, Mode::Destroy);
    assert!(schedules > 300, "{schedules}");
}

#[test]
fn a_change_converges_whatever_happens() {
    let mut start = Bench::new(13, Durations::Median);
    start.apply(&variables(""), Mode::Apply);
    let changed = variables(
        "app_instance_type = \"t3.medium\"\napp_ingress = [{ port = 443 }, { port = 8443 }]\n\
         app_instance_count = 2\napp_root_volume_gib = 30\ndb_allocated_storage = 40\nenable_nat_gateway = false\n",
    );
    let schedules = sweep(&start, &changed, Mode::Apply);
    assert!(schedules > 200, "{schedules}");
}

/// What an interrupted run made is finished, not made again.
#[test]
fn a_gateway_that_was_not_attached_yet_is_attached() {
    let variables = variables("");
    let mut bench = Bench::new(14, Durations::Median);
    let attach = When::Call { operation: Some(Operation::AttachInternetGateway), nth: 1 };
    bench.world.faults = FaultPlan(vec![(attach, Fault::CrashBefore)]);
    assert!(!attempt(&mut bench, &variables, Mode::Apply));
    // What was on the wire when the process died has arrived; somebody undoes it.
    let gateway = Address::vpc(Kind::InternetGateway, "this", 0);
    let id = bench.state().attribute(&gateway, "id").cloned().expect("recorded");
    let vpc = bench.state().attribute(&Address::vpc(Kind::Vpc, "this", 0), "id").cloned().expect("recorded");
    let detach = Call::new(Operation::DetachInternetGateway, [("InternetGatewayId", id.clone()), ("VpcId", vpc)]);
    let now = bench.world.now();
    let _attached_or_not = bench.world.account.call(now, &Request(detach), &secrets());
    let planned = bench.apply(&variables, Mode::Apply);
    let change = planned.plan.changes.iter().find(|c| c.target.address == gateway).expect("a change");
    assert_eq!(change.action, Action::Update);
    assert_eq!(bench.state().attribute(&gateway, "id"), Some(&id));
}
