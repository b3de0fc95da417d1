//! What a plan says of its usual duration, against a run in which everything takes as long as usual.

use aloka_core::engine::Outcome;
use aloka_core::plan::Mode;
use aloka_sim::aws::Durations;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, variables};

/// Plans and runs; the seconds that were foretold, and those that it took.
fn foretold_and_taken(bench: &mut Bench, tfvars: &str, mode: Mode) -> (u64, u64) {
    let planned = bench.plan(&variables(tfvars), mode).unwrap_or_else(|problems| panic!("{problems:?}"));
    let start = bench.world.now();
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(Outcome::Done), "{tfvars}");
    (planned.plan.usual_duration().as_secs(), bench.world.now().since(start).as_secs())
}

#[test]
fn a_plan_usually_takes_as_long_as_it_says() {
    let mut bench = Bench::new(5, Durations::Median);
    let steps = [
        ("create", "", Mode::Apply),
        ("no-op", "", Mode::Apply),
        ("another port", "app_ingress = [{ port = 8080 }]", Mode::Apply),
        ("a larger server", "app_ingress = [{ port = 8080 }]\napp_instance_type = \"t3.large\"", Mode::Apply),
        ("a larger database", "db_instance_class = \"db.t3.small\"", Mode::Apply),
        ("backups", "db_instance_class = \"db.t3.small\"\ndb_backup_retention_days = 7", Mode::Apply),
        ("destroy", "db_instance_class = \"db.t3.small\"", Mode::Destroy),
    ];
    for (what, tfvars, mode) in steps {
        let (foretold, taken) = foretold_and_taken(&mut bench, tfvars, mode);
        println!("{what}: {foretold} s foretold, {taken} s taken");
        // Calls are moments and not foretold, nor is the time from one look to the next.
        assert!(foretold.abs_diff(taken) <= taken / 5, "{what}: {foretold} s foretold, {taken} s taken");
    }
}
