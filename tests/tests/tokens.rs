//! Client tokens: AWS remembers what each made, also when that is gone. No run ends because of it.

use std::collections::BTreeMap;

use aloka_core::api::Operation;
use aloka_core::plan::{Action, Mode};
use aloka_core::state::State;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::FaultPlan;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, picture, variables};
use proptest::prelude::*;

fn servers(count: u32) -> Variables {
    variables(&format!("app_instance_count = {count}\n"))
}

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
            let launches = bench.world.calls().get(&Operation::RunInstances).copied().unwrap_or(0);
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
