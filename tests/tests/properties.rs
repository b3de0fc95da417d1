//! Promises over random variables: each case is a whole life of a stack on a simulated account.

use aloka_core::plan::Password;
use aloka_core::plan::{Action, Mode};
use aloka_core::secret::Secrets;
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_sim::aws::Durations;
use aloka_sim::fault::FaultPlan;
use aloka_sim::rehearsal::{RehearsalOptions, rehearse};
use aloka_tests::{Bench, LINEAGE, any_tfvars, secrets, variables};
use proptest::prelude::*;

fn options(seed: u64) -> RehearsalOptions {
    RehearsalOptions {
        seed,
        keep: false,
        durations: Durations::Drawn,
        region: "us-east-1".to_owned(),
        lineage: LINEAGE.to_owned(),
        faults: FaultPlan::none(),
        long_trace: false,
    }
}

fn inputs(tfvars: &str) -> Inputs {
    Inputs::new(variables(tfvars), Mode::Apply, Password::New("argon2id$test".to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// I1 order, I2 isolation, I3 idempotence, I5 calls sent are calls planned, I6 no secret, I9 destroy finishes,
    /// I10 determinism, I11 termination: all judged by the rehearsal, whose auditor shares no code with the planner.
    #[test]
    fn every_promise_is_held_for_any_variables(tfvars in any_tfvars(), seed in any::<u64>()) {
        let rehearsal = rehearse(&inputs(&tfvars), &secrets(), &options(seed))
            .map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{tfvars}")))?;
        let broken: Vec<_> = rehearsal.promises.iter().filter(|promise| !promise.held).collect();
        prop_assert!(rehearsal.is_good(), "seed {}: {:?}\n{}\n{:?}", seed, broken, tfvars, rehearsal.runs);
        for id in ["I1", "I2", "I3", "I5", "I6", "I9", "I10", "I11"] {
            prop_assert!(rehearsal.promises.iter().any(|promise| promise.id == id), "{id} was not judged");
        }
        let now = aloka_core::time::Instant(u64::MAX / 2);
        prop_assert!(rehearsal.account.is_empty(now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// From any stack to any other: one apply, then nothing left to do; destroy leaves nothing.
    #[test]
    fn any_change_converges(before in any_tfvars(), after in any_tfvars(), seed in any::<u64>()) {
        let mut bench = Bench::new(seed, Durations::Drawn);
        let (before, mut after) = (variables(&before), variables(&after));
        // What AWS never does is refused at plan time, which is another test.
        let storage = before.db_allocated_storage;
        if after.db_allocated_storage < storage.map(|size| size + size.div_ceil(10)) {
            after.db_allocated_storage = storage;
        }
        after.db_engine_version.clone_from(&before.db_engine_version);
        if after.app_root_volume_gib.is_some() && before.app_root_volume_gib.is_some() {
            after.app_root_volume_gib = after.app_root_volume_gib.max(before.app_root_volume_gib);
        }
        // RDS takes no database out of a subnet.
        if before.private_subnet_cidrs.starts_with(&after.private_subnet_cidrs) {
            after.private_subnet_cidrs.clone_from(&before.private_subnet_cidrs);
        }
        bench.apply(&before, Mode::Apply);
        bench.apply(&after, Mode::Apply);
        let again = bench.plan(&after, Mode::Apply).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        let left: Vec<_> = again.plan.changes.iter().filter(|c| c.action != Action::NoOp).collect();
        prop_assert!(again.plan.is_empty(), "{left:?} {:?}", again.plan.outputs);
        bench.apply(&after, Mode::Destroy);
        prop_assert!(bench.world.account.is_empty(bench.world.now()), "{:?}", bench.world.account.objects(bench.world.now()));
        prop_assert!(bench.state().is_empty());
    }

    /// A state survives being written and read.
    #[test]
    fn a_state_is_read_as_it_was_written(tfvars in any_tfvars(), seed in any::<u64>()) {
        let mut bench = Bench::new(seed, Durations::Instant);
        bench.apply(&variables(&tfvars), Mode::Apply);
        let state: State = bench.state();
        let text = aloka_core::state::file::write(&state);
        let read = aloka_core::state::file::read(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, &state);
        prop_assert_eq!(aloka_core::state::file::write(&read), text);
    }
}

/// The seed's own stack, without a word of configuration.
#[test]
fn the_defaults_are_the_seed() {
    let rehearsal = rehearse(&inputs(""), &secrets(), &options(1)).expect("a plan");
    assert!(rehearsal.is_good(), "{:?}", rehearsal.promises);
    let names: Vec<&str> = rehearsal.outputs.keys().map(String::as_str).collect();
    let expected = [
        "app_public_dns",
        "app_public_ip",
        "app_security_group_id",
        "db_endpoint",
        "db_security_group_id",
        "db_subnet_group_name",
        "vpc_id",
    ];
    assert_eq!(names, expected);
    let addresses: Vec<String> = rehearsal.planned.plan.changes.iter().map(|c| c.target.to_string()).collect();
    assert_eq!(addresses.len(), 22);
    let _unused: Secrets = secrets();
}
