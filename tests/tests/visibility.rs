//! A cloud that shows its changes late, and reads that go back in time: I3, I4 and I9 hold all the same.

use std::time::Duration;

use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Durations, Options};
use aloka_sim::fault::{Fault, FaultPlan};
use aloka_sim::rehearsal::{NotPlanned, plan_round};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, inputs, picture, secrets, variables};

/// What AWS's changes take to be seen, at most.
const DELAY_MS: u64 = 10_000;

fn late(seed: u64) -> Bench {
    Bench::with(Options { seed, durations: Durations::Drawn, visibility_delay_ms: DELAY_MS, ..Options::default() })
}

/// One command; false if it was cut short.
fn attempt(bench: &mut Bench, variables: &Variables, mode: Mode, story: &str) -> bool {
    let state = bench.state();
    let inputs = inputs(variables.clone(), mode, &state);
    let planned = match plan_round(&mut bench.world, &mut bench.store, &secrets(), state, &inputs) {
        Ok(planned) => planned,
        Err(NotPlanned::Ended(_)) => return false,
        Err(NotPlanned::Problems(problems)) => panic!("{story}: {problems:?}"),
    };
    match bench.run(&planned, &mut Unwatched) {
        RunEnd::Outcome(Outcome::Done) => true,
        RunEnd::Outcome(Outcome::Stopped { .. } | Outcome::StoreFailed { .. }) | RunEnd::Crashed => false,
        end @ (RunEnd::Outcome(Outcome::Failed { .. }) | RunEnd::Stuck) => panic!("{story}: {end:?}"),
    }
}

#[test]
fn a_life_under_delay_is_the_life_without() {
    let (plain, wide) = (variables(""), variables("app_instance_count = 3\nsingle_nat_gateway = false\n"));
    for seed in 0..60 {
        let mut bench = late(seed);
        let story = format!("seed {seed}");
        for (variables, mode) in [(&plain, Mode::Apply), (&wide, Mode::Apply), (&plain, Mode::Apply)] {
            assert!(attempt(&mut bench, variables, mode, &story), "{story}");
            // At once: what was just made is not taken for gone.
            let planned = bench.plan(variables, mode).unwrap_or_else(|problems| panic!("{story}: {problems:?}"));
            let changes: Vec<_> =
                planned.plan.nodes.iter().map(|node| format!("{:?} {}", node.verb, node.target)).collect();
            assert!(planned.plan.is_empty(), "{story}: {changes:?}");
        }
        assert!(attempt(&mut bench, &plain, Mode::Destroy, &story), "{story}");
        let now = bench.world.now() + Duration::from_secs(7200);
        assert!(bench.world.account.is_empty(now), "{story}: {:?}", bench.world.account.objects(now));
    }
}

#[test]
fn a_crash_under_delay_converges() {
    let variables = variables("");
    let mut schedules = 0;
    for seed in 0..4 {
        let start = late(100 + seed);
        let mut calm = start.clone();
        assert!(attempt(&mut calm, &variables, Mode::Apply, "calm"));
        let wanted = picture(&calm.world);
        for effect in start.world.effects()..calm.world.effects() {
            for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::LostReply, Fault::ServerError { acted: true }] {
                schedules += 1;
                let story = format!("seed {seed}, {fault} at effect {effect}");
                let mut bench = start.clone();
                bench.world.faults = FaultPlan::at(effect, fault);
                let mut done = attempt(&mut bench, &variables, Mode::Apply, &story);
                for _ in 0..3 {
                    if !done {
                        done = attempt(&mut bench, &variables, Mode::Apply, &story);
                    }
                }
                assert!(done, "{story}: not done");
                assert_eq!(picture(&bench.world), wanted, "{story}");
            }
        }
    }
    assert!(schedules > 500, "{schedules}");
}
