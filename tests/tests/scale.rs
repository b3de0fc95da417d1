//! A large stack: nothing may grow faster than it.

use aloka_core::plan::Mode;
use aloka_sim::aws::Durations;
use aloka_tests::{Bench, variables};

fn tfvars(count: u32) -> String {
    format!(
        "vpc_cidr = \"10.0.0.0/16\"\npublic_subnet_cidrs = [\"10.0.0.0/18\", \"10.0.64.0/18\"]\n\
         private_subnet_cidrs = [\"10.0.128.0/24\", \"10.0.129.0/24\"]\napp_instance_count = {count}\n"
    )
}

/// Writes and calls of a whole life of `count` servers.
fn effort(count: u32) -> (u64, u64) {
    let vars = variables(&tfvars(count));
    let mut bench = Bench::new(7, Durations::Median);
    let planned = bench.apply(&vars, Mode::Apply);
    assert_eq!(planned.plan.counts().0, usize::try_from(count).expect("small") + 21);
    let again = bench.plan(&vars, Mode::Apply).expect("a plan");
    assert!(again.plan.is_empty());
    let calls = bench.world.calls().values().sum();
    (bench.store.writes(), calls)
}

#[test]
fn work_grows_with_the_stack_and_not_faster() {
    let (small_writes, small_calls) = effort(500);
    let (large_writes, large_calls) = effort(1000);
    assert!(large_calls < small_calls * 5 / 2, "{small_calls} calls for 500 servers, {large_calls} for 1000");
    // A large state is written more rarely, so that the bytes written do not grow with the square.
    assert!(large_writes < small_writes * 2, "{small_writes} writes for 500 servers, {large_writes} for 1000");
}
