//! Intents of creations that came to nothing: they go when nobody takes them up.

use aloka_core::api::{Ec2, Operation, Rds};
use aloka_core::plan::Mode;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, variables};

/// A run of apply that dies before this creation is sent, its intent written.
fn died_before(operation: Operation, tfvars: &str) -> Bench {
    let mut bench = Bench::new(61, Durations::Median);
    let planned = bench.plan(&variables(tfvars), Mode::Apply).expect("a plan");
    let when = When::Call { operation: Some(operation), nth: 1 };
    bench.world.faults = FaultPlan(vec![(when, Fault::CrashBefore)]);
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Crashed);
    bench.world.faults = FaultPlan::none();
    let intents = bench.state().private.intents;
    assert!(intents.values().any(|intent| intent.operation == operation), "{intents:?}");
    bench
}

#[test]
fn destroy_leaves_no_intent() {
    for operation in
        [Operation::Ec2(Ec2::CreateVpc), Operation::Ec2(Ec2::RunInstances), Operation::Rds(Rds::CreateDBInstance)]
    {
        let mut bench = died_before(operation, "");
        bench.apply(&variables(""), Mode::Destroy);
        assert!(bench.state().is_empty(), "{operation}: {:?}", bench.state().private.intents);
    }
}

#[test]
fn apply_leaves_no_intent_of_what_is_not_declared_any_more() {
    for (operation, before, after) in [
        (Operation::Ec2(Ec2::RunInstances), "", "app_instance_count = 0\n"),
        (Operation::Ec2(Ec2::CreateNatGateway), "", "enable_nat_gateway = false\n"),
    ] {
        let mut bench = died_before(operation, before);
        bench.apply(&variables(after), Mode::Apply);
        assert!(bench.state().private.intents.is_empty(), "{operation}: {:?}", bench.state().private.intents);
    }
}

/// What is taken up keeps its intent: the same token must be sent again. To refresh takes nothing up and drops nothing.
#[test]
fn what_is_taken_up_keeps_its_intent() {
    let mut bench = died_before(Operation::Ec2(Ec2::RunInstances), "");
    let intents = bench.state().private.intents;
    for mode in [Mode::Apply, Mode::RefreshOnly] {
        let planned = bench.plan(&variables(""), mode).expect("a plan");
        let kept: Vec<_> = intents.iter().filter(|(_, intent)| intent.operation.is_creating()).collect();
        let planned: Vec<_> = planned.state.private.intents.iter().collect();
        assert!(planned.iter().all(|intent| kept.contains(intent)) && !planned.is_empty(), "{mode:?}: {planned:?}");
    }
}
