//! Phases: what an interrupted or failed command leaves is being created, being deleted, failed or deposed.

use aloka_core::api::{Ec2, Operation, Rds};
use aloka_core::engine::Outcome;
use aloka_core::kind::Kind;
use aloka_core::plan::Mode;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Durations, Options};
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::rehearsal::plan_round;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, inputs, secrets, variables};

use crate::bench::finishes;

/// One command, planning included, with these faults; however it ends.
fn disturbed(bench: &mut Bench, variables: &Variables, mode: Mode, faults: FaultPlan) {
    bench.world.faults = faults;
    let state = bench.state();
    let inputs = inputs(variables.clone(), mode, &state);
    if let Ok(planned) = plan_round(&mut bench.world, &mut bench.store, &secrets(), state, &inputs) {
        let _however = bench.run(&planned, &mut Unwatched);
    }
    bench.world.faults = FaultPlan::none();
}

/// Cut short at every effect, then destroyed in one run.
fn sweep(start: &Bench, variables: &Variables, mode: Mode) -> u64 {
    let mut calm = start.clone();
    disturbed(&mut calm, variables, mode, FaultPlan::none());
    let mut worlds = 0;
    for effect in start.world.effects()..calm.world.effects() {
        for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::LostReply, Fault::Stop, Fault::Abandon] {
            worlds += 1;
            let story = format!("{mode:?}, {fault:?} at effect {effect}");
            let mut bench = start.clone();
            disturbed(&mut bench, variables, mode, FaultPlan::at(effect, fault));
            finishes(&mut bench, variables).unwrap_or_else(|why| panic!("{story}: {why}"));
        }
    }
    worlds
}

fn made(seed: u64, variables: &Variables) -> Bench {
    let mut bench = Bench::new(seed, Durations::Median);
    bench.apply(variables, Mode::Apply);
    bench
}

#[test]
fn an_apply_cut_short_anywhere_is_destroyed() {
    let worlds = sweep(&Bench::new(41, Durations::Median), &variables(""), Mode::Apply);
    assert!(worlds > 300, "{worlds}");
}

#[test]
fn a_destroy_cut_short_anywhere_is_finished() {
    let variables = variables("");
    let worlds = sweep(&made(42, &variables), &variables, Mode::Destroy);
    assert!(worlds > 200, "{worlds}");
}

/// Another name makes other security groups before the old ones go: until then the old ones are deposed.
#[test]
fn a_replacement_cut_short_anywhere_is_destroyed() {
    let start = made(43, &variables(""));
    let changed = variables("project_name = \"other\"\napp_instance_type = \"t3.medium\"\n");
    let mut deposed = 0;
    let mut calm = start.clone();
    disturbed(&mut calm, &changed, Mode::Apply, FaultPlan::none());
    for effect in start.world.effects()..calm.world.effects() {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let story = format!("{fault:?} at effect {effect}");
            let mut bench = start.clone();
            disturbed(&mut bench, &changed, Mode::Apply, FaultPlan::at(effect, fault));
            deposed += u64::from(!bench.state().deposed.is_empty());
            finishes(&mut bench, &changed).unwrap_or_else(|why| panic!("{story}: {why}"));
        }
    }
    assert!(deposed > 10, "{deposed} of these worlds had deposed objects");
}

#[test]
fn what_failed_is_destroyed() {
    for (operation, code) in [
        (Operation::Ec2(Ec2::CreateNatGateway), "InsufficientFreeAddressesInSubnet"),
        (Operation::Ec2(Ec2::CreateNatGateway), "Gateway.NotAttached"),
        (Operation::Rds(Rds::CreateDBInstance), "failed"),
        (Operation::Rds(Rds::CreateDBInstance), "incompatible-network"),
        (Operation::Rds(Rds::CreateDBInstance), "storage-full"),
        (Operation::Ec2(Ec2::RunInstances), "Server.InternalError"),
    ] {
        let variables = variables("");
        let mut bench = Bench::new(44, Durations::Median);
        let when = When::Call { operation: Some(operation), nth: 1 };
        let faults = FaultPlan(vec![(when, Fault::Failed { code: code.to_owned() })]);
        disturbed(&mut bench, &variables, Mode::Apply, faults);
        finishes(&mut bench, &variables).unwrap_or_else(|why| panic!("{operation} {code}: {why}"));
    }
}

/// RDS refuses to delete what it is still creating: the whole of it is waited for, however long it takes.
#[test]
fn a_database_that_is_being_created_is_waited_for() {
    for seed in 0..30 {
        let variables = variables("");
        let mut bench = Bench::new(seed, Durations::Drawn);
        let when = When::Call { operation: Some(Operation::Rds(Rds::CreateDBInstance)), nth: 1 };
        disturbed(&mut bench, &variables, Mode::Apply, FaultPlan(vec![(when, Fault::CrashAfter)]));
        finishes(&mut bench, &variables).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

/// Interfaces of databases and NAT gateways outlive their owners, and hold subnets and groups.
#[test]
fn lingering_interfaces_are_waited_for() {
    // The interface of an instance is no concern of AWS's alone, and is waited for by trying again.
    let variables = variables("app_instance_count = 0\n");
    for seed in 0..30 {
        let options = Options { seed, durations: Durations::Drawn, interface_linger_ms: 300_000, ..Options::default() };
        let mut bench = Bench::with(options);
        bench.apply(&variables, Mode::Apply);
        let mut again = bench.clone();
        finishes(&mut bench, &variables).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        // The same when the one who knew of the owners is gone.
        let when = When::Call { operation: Some(Operation::Rds(Rds::DeleteDBSubnetGroup)), nth: 1 };
        disturbed(&mut again, &variables, Mode::Destroy, FaultPlan(vec![(when, Fault::CrashBefore)]));
        finishes(&mut again, &variables).unwrap_or_else(|why| panic!("seed {seed}, cut short: {why}"));
    }
}

/// Where nothing lingers, the look costs one read for each subnet and group, and one for the plan.
#[test]
fn looking_for_interfaces_costs_a_read_each() {
    let variables = variables("");
    let mut bench = made(45, &variables);
    let held = bench.state().resources.keys().filter(|a| matches!(a.kind, Kind::Subnet | Kind::SecurityGroup)).count();
    let reads =
        |bench: &Bench| bench.world.calls().get(&Operation::Ec2(Ec2::DescribeNetworkInterfaces)).copied().unwrap_or(0);
    let before = reads(&bench);
    finishes(&mut bench, &variables).expect("destroyed");
    assert_eq!(reads(&bench) - before, u64::try_from(held).expect("few") + 1);
}

/// Reads that lag and go back in time: what was just deleted is no leftover, what was just made is found.
#[test]
fn late_reads_neither_hide_nor_make_leftovers() {
    for seed in 0..60 {
        let variables = variables("");
        let options = Options { seed, durations: Durations::Drawn, visibility_delay_ms: 10_000, ..Options::default() };
        let mut bench = Bench::with(options);
        // Every creation in turn is the last thing the first run did.
        let creations = [
            Operation::Ec2(Ec2::CreateVpc),
            Operation::Ec2(Ec2::CreateSubnet),
            Operation::Ec2(Ec2::CreateRouteTable),
            Operation::Ec2(Ec2::CreateSecurityGroup),
            Operation::Ec2(Ec2::AllocateAddress),
            Operation::Ec2(Ec2::CreateNatGateway),
            Operation::Ec2(Ec2::RunInstances),
            Operation::Rds(Rds::CreateDBSubnetGroup),
            Operation::Rds(Rds::CreateDBInstance),
        ];
        let operation = creations[usize::try_from(seed).expect("small") % creations.len()];
        let when = When::Call { operation: Some(operation), nth: 1 };
        disturbed(&mut bench, &variables, Mode::Apply, FaultPlan(vec![(when, Fault::CrashAfter)]));
        let story = format!("seed {seed}, crashed after {operation}");
        let planned = bench.plan(&variables, Mode::Destroy).unwrap_or_else(|problems| panic!("{story}: {problems:?}"));
        let end = bench.run(&planned, &mut Unwatched);
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{story}");
        let left = bench.world.account.objects(bench.world.now());
        assert!(left.is_empty(), "{story}: {left:?}");
        assert!(bench.state().is_empty(), "{story}");
    }
}
