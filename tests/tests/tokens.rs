//! Client tokens: AWS remembers what each made, also when that is gone. No run ends because of it.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::{Call, Ec2, Operation, Request};
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode};
use aloka_core::state::State;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Durations, ObjectKind};
use aloka_sim::fault::FaultPlan;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, picture, secrets, variables};
use proptest::prelude::*;

fn servers(count: u32) -> Variables {
    variables(&format!("app_instance_count = {count}\n"))
}

/// One run of apply that dies.
fn cut_short(bench: &mut Bench, variables: &Variables, faults: &str) {
    bench.world.faults = FaultPlan::none();
    let planned = bench.plan(variables, Mode::Apply).expect("a plan");
    bench.world.faults = faults.parse().expect("faults");
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Crashed);
}

/// Somebody removes every object of this kind, with this call that names it so, and `later` has passed.
fn removed(bench: &mut Bench, kind: Kind, (operation, parameter): (Operation, &'static str), later: Duration) {
    let now = bench.world.now();
    let objects = bench.world.account.objects(now);
    let ids: Vec<String> = objects
        .into_iter()
        .filter(|object| object.kind == ObjectKind::Resource(kind))
        .map(|object| object.id)
        .collect();
    assert!(!ids.is_empty(), "{kind:?} is there");
    for id in ids {
        let value = if parameter.ends_with('s') { Value::list([id.as_str()]) } else { Value::from(id) };
        let reply = bench.world.account.call(now, &Request(Call::new(operation, [(parameter, value)])), &secrets());
        assert!(reply.is_ok(), "{reply:?}");
    }
    bench.world.rest(later);
}

const TERMINATE: (Operation, &str) = (Operation::Ec2(Ec2::TerminateInstances), "InstanceIds");

/// Applies, and there is what a first apply would have made, and nothing more to do.
fn converges(bench: &mut Bench, variables: &Variables) {
    bench.apply(variables, Mode::Apply);
    let mut other = Bench::new(1, Durations::Median);
    other.apply(variables, Mode::Apply);
    assert_eq!(picture(&bench.world), picture(&other.world));
    let again = bench.plan(variables, Mode::Apply).expect("a plan");
    let changes: Vec<_> = again.plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    assert!(changes.is_empty(), "{changes:#?}");
}

/// How often each address was created never falls.
fn none_is_forgotten(before: &State, after: &State) {
    let of = |state: &State| state.private.generations.clone();
    let fallen: BTreeMap<_, _> = of(before)
        .into_iter()
        .filter(|(address, generation)| after.private.generations.get(address) < Some(generation))
        .collect();
    assert!(fallen.is_empty(), "{fallen:?} fell in {:?}", of(after));
}

/// A server gets or loses its index with the count. The address it had before has made it all the same.
#[test]
fn the_address_that_a_server_had_before_makes_another() {
    let mut bench = Bench::new(14, Durations::Median);
    for count in [1, 2, 0, 1, 0, 2, 1, 0, 2, 0, 1] {
        let before = bench.state();
        bench.apply(&servers(count), Mode::Apply);
        none_is_forgotten(&before, &bench.state());
    }
    converges(&mut bench, &servers(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the number of servers and their image, whatever dies: a run that does not die ends well.
    #[test]
    fn a_run_that_does_not_die_ends_well(
        seed in any::<u64>(),
        steps in proptest::collection::vec((0_u32..=3, any::<bool>(), 1_u64..4, any::<bool>()), 2..7),
    ) {
        let mut bench = Bench::new(seed, Durations::Median);
        for (count, is_other, nth, before) in steps {
            let family = if is_other { "al2023" } else { "amazon-linux-2" };
            let variables = variables(&format!("app_instance_count = {count}\napp_ami_family = \"{family}\"\n"));
            let state = bench.state();
            bench.world.faults = FaultPlan::none();
            let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
            let launches = bench.world.calls().get(&Operation::Ec2(Ec2::RunInstances)).copied().unwrap_or(0);
            let fault = if before { "crash-before" } else { "crash-after" };
            bench.world.faults = format!("RunInstances#{}={fault}", launches + nth).parse().expect("faults");
            if bench.run(&planned, &mut Unwatched) == RunEnd::Crashed {
                none_is_forgotten(&state, &bench.state());
            }
            bench.apply(&variables, Mode::Apply);
            none_is_forgotten(&state, &bench.state());
        }
    }
}

/// A server that nobody recorded is terminated: as long as it is listed, when it is no longer, and if meanwhile another is
/// asked for.
#[test]
fn a_server_that_is_gone_before_it_was_recorded_is_made_again() {
    for later in [Duration::from_secs(300), Duration::from_secs(7200)] {
        for tfvars in ["", "app_instance_type = \"t3.medium\"\n"] {
            let mut bench = Bench::new(14, Durations::Median);
            cut_short(&mut bench, &variables(""), "RunInstances#1=crash-after");
            removed(&mut bench, Kind::Instance, TERMINATE, later);
            converges(&mut bench, &variables(tfvars));
        }
    }
}

/// What the next token made is found by whoever comes after: it asks in the same order.
#[test]
fn a_run_that_dies_after_the_next_token_leaves_no_second_server() {
    let variables = variables("");
    for fault in ["crash-before", "crash-after", "crash-answered"] {
        let mut bench = Bench::new(14, Durations::Median);
        cut_short(&mut bench, &variables, "RunInstances#1=crash-after");
        removed(&mut bench, Kind::Instance, TERMINATE, Duration::from_secs(300));
        cut_short(&mut bench, &variables, &format!("RunInstances#3={fault}"));
        converges(&mut bench, &variables);
    }
}

/// Each is gone as well: several tokens were spent.
#[test]
fn as_many_tokens_are_tried_as_were_spent() {
    let variables = variables("");
    let mut bench = Bench::new(14, Durations::Median);
    for nth in [1, 3, 6] {
        cut_short(&mut bench, &variables, &format!("RunInstances#{nth}=crash-after"));
        removed(&mut bench, Kind::Instance, TERMINATE, Duration::from_secs(300));
    }
    converges(&mut bench, &variables);
}

#[test]
fn a_gateway_that_is_gone_before_it_was_recorded_is_made_again() {
    for later in [Duration::from_secs(300), Duration::from_secs(7200)] {
        for tfvars in ["", "tags = { Owner = \"other\" }\n"] {
            let mut bench = Bench::new(14, Durations::Median);
            cut_short(&mut bench, &variables(""), "CreateNatGateway#1=crash-after");
            removed(&mut bench, Kind::NatGateway, (Operation::Ec2(Ec2::DeleteNatGateway), "NatGatewayId"), later);
            converges(&mut bench, &variables(tfvars));
        }
    }
}

#[test]
fn a_route_table_that_is_gone_before_it_was_recorded_is_made_again() {
    for tfvars in ["", "tags = { Owner = \"other\" }\n"] {
        let mut bench = Bench::new(14, Durations::Median);
        cut_short(&mut bench, &variables(""), "CreateRouteTable#1=crash-after");
        removed(
            &mut bench,
            Kind::RouteTable,
            (Operation::Ec2(Ec2::DeleteRouteTable), "RouteTableId"),
            Duration::from_secs(60),
        );
        converges(&mut bench, &variables(tfvars));
    }
}
