//! What AWS would refuse, round up or never finish is told before any call, or as soon as AWS tells.

use std::time::Duration;

use aloka_core::api::{Call, Ec2, ErrorClass, Operation, Rds, Request};
use aloka_core::engine::{Cause, Outcome};
use aloka_core::plan::Mode;
use aloka_core::plan::Problem;
use aloka_core::resource::{DB_FAILED, DB_STUCK};
use aloka_core::value::Value;
use aloka_sim::aws::{Durations, Options, Protection};
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, secrets, variables};

fn summaries(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// A database cannot leave the subnet it is in: refused at plan time exactly where RDS would refuse.
#[test]
fn a_subnet_that_holds_the_database_stays() {
    let three = "private_subnet_cidrs = [\"10.0.101.0/24\", \"10.0.102.0/24\", \"10.0.103.0/24\"]\n";
    let two = "private_subnet_cidrs = [\"10.0.101.0/24\", \"10.0.102.0/24\"]\n";
    for multi_az in [false, true] {
        let with = |subnets: &str| variables(&format!("{subnets}db_multi_az = {multi_az}\n"));
        let (mut refused, mut done) = (0, 0);
        for seed in 0..16 {
            let mut bench = Bench::new(seed, Durations::Median);
            bench.apply(&with(three), Mode::Apply);
            let third = bench
                .state()
                .attribute(&"module.vpc.aws_subnet.private[2]".parse().expect("an address"), "id")
                .cloned();
            let third = third.expect("recorded");
            match bench.plan(&with(two), Mode::Apply) {
                Err(problems) => {
                    refused += 1;
                    let told = format!(
                        "aws_db_subnet_group.main: subnet_ids cannot lose module.vpc.aws_subnet.private[2] ({}): \
                         the database's network interface is in it",
                        third.as_str().expect("text")
                    );
                    assert_eq!(summaries(&problems), [told]);
                    // RDS says so, too.
                    let group = bench.state();
                    let group = group
                        .resources
                        .iter()
                        .find(|(a, _)| a.to_string() == "aws_db_subnet_group.main")
                        .expect("recorded")
                        .1
                        .clone();
                    let subnets =
                        group.attributes.get("subnet_ids").and_then(Value::as_list).expect("subnets").to_vec();
                    let fewer: Vec<Value> = subnets.into_iter().filter(|id| *id != third).collect();
                    let name = group.attributes.get("name").cloned().expect("a name");
                    let call = Call::new(
                        Operation::Rds(Rds::ModifyDBSubnetGroup),
                        [("DBSubnetGroupName", name), ("SubnetIds", Value::List(fewer))],
                    );
                    let now = bench.world.now();
                    let answer = bench.world.account.call(now, &Request(call), &secrets());
                    assert_eq!(answer.expect_err("refused").code, "SubnetAlreadyInUse");
                }
                Ok(_) => {
                    done += 1;
                    bench.apply(&with(two), Mode::Apply);
                    assert!(bench.plan(&with(two), Mode::Apply).expect("a plan").plan.is_empty());
                }
            }
        }
        assert!(refused > 0 && done > 0, "multi_az = {multi_az}: {refused} refused, {done} done");
    }
}

#[test]
fn storage_grows_by_a_tenth_or_not_at_all() {
    let with = |size: u32| variables(&format!("db_allocated_storage = {size}\n"));
    let mut bench = Bench::new(71, Durations::Median);
    bench.apply(&with(40), Mode::Apply);
    for (size, told) in [
        (43, "cannot change from 40 to 43: RDS grows storage by a tenth at least"),
        (36, "cannot change from 40 to 36: AWS can only make it larger"),
    ] {
        let problems = bench.plan(&with(size), Mode::Apply).expect_err("refused");
        assert_eq!(summaries(&problems), [format!("aws_db_instance.postgres: allocated_storage {told}")]);
    }
    // Asked for 43 all the same, RDS makes 44 of it. Whoever declares what was asked for has it.
    let args = [
        ("DBInstanceIdentifier", Value::str("aloka-dev-db")),
        ("AllocatedStorage", 43.into()),
        ("ApplyImmediately", true.into()),
    ];
    let now = bench.world.now();
    bench.world.account.call(now, &Request(Call::new(Rds::ModifyDBInstance, args)), &secrets()).expect("accepted");
    bench.world.rest(Duration::from_secs(8 * 3600));
    let planned = bench.apply(&with(43), Mode::Apply);
    assert!(planned.plan.nodes.is_empty(), "{:?}", planned.plan.nodes);
    let recorded =
        bench.state().attribute(&"aws_db_instance.postgres".parse().expect("an address"), "allocated_storage").cloned();
    assert_eq!(recorded, Some(44.into()));
    assert!(bench.plan(&with(44), Mode::Apply).expect("a plan").plan.is_empty());
    bench.plan(&with(40), Mode::Apply).expect_err("40 is what it was");
    bench.apply(&with(49), Mode::Apply);
}

/// A creation that ends in a status which does not pass by itself has failed; it is not waited for.
#[test]
fn a_database_that_needs_its_owner_is_not_waited_for() {
    for status in DB_FAILED.into_iter().chain(DB_STUCK) {
        let mut bench = Bench::new(72, Durations::Median);
        let when = When::Call { operation: Some(Operation::Rds(Rds::CreateDBInstance)), nth: 1 };
        let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
        bench.world.faults = FaultPlan(vec![(when, Fault::Failed { code: status.to_owned() })]);
        let start = bench.world.now();
        let end = bench.run(&planned, &mut Unwatched);
        let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{status}: {end:?}") };
        assert!(bench.world.now() - start < Duration::from_secs(900), "{status}: {:?}", bench.world.now() - start);
        let told: Vec<&Cause> = failures.iter().map(|failure| &failure.cause).collect();
        assert!(matches!(told[..], [Cause::WaitFailed { detail, .. }] if detail == status), "{status}: {told:?}");
    }
}

/// Somebody turned on termination or stop protection: nothing that IAM could allow.
#[test]
fn a_protected_server_stays_and_the_failure_is_no_matter_of_permissions() {
    let termination = Protection { termination: true, ..Protection::default() };
    let stop = Protection { stop: true, ..Protection::default() };
    let larger = "app_instance_type = \"t3.medium\"\n";
    for (lines, mode, protection, operation) in [
        ("", Mode::Destroy, termination, Operation::Ec2(Ec2::TerminateInstances)),
        ("", Mode::Destroy, stop, Operation::Ec2(Ec2::TerminateInstances)),
        (larger, Mode::Apply, stop, Operation::Ec2(Ec2::StopInstances)),
    ] {
        let mut bench = Bench::new(72, Durations::Median);
        bench.apply(&variables(""), Mode::Apply);
        let id = bench.state().attribute(&"aws_instance.app".parse().expect("an address"), "id").cloned();
        let id = id.as_ref().and_then(Value::as_str).expect("recorded").to_owned();
        assert!(bench.world.account.protect_instance(&id, protection));
        let wanted = variables(lines);
        let planned = bench.plan(&wanted, mode).expect("a plan");
        let end = bench.run(&planned, &mut Unwatched);
        let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{end:?}") };
        let [failure] = &failures[..] else { panic!("{failures:?}") };
        let Cause::Call { operation: refused, error } = &failure.cause else { panic!("{failure:?}") };
        assert_eq!(refused.to_string(), operation.to_string());
        assert_eq!((error.code.as_str(), error.class), ("OperationNotPermitted", ErrorClass::Refused), "{error}");
        assert!(error.message.contains(&id), "{error}");
        // Its owner lets it go.
        assert!(bench.world.account.protect_instance(&id, Protection::default()));
        bench.apply(&wanted, mode);
        assert!(bench.plan(&wanted, mode).expect("a plan").plan.is_empty());
    }
}

#[test]
fn an_account_on_the_free_plan_has_few_types_of_servers() {
    let options = Options { seed: 73, durations: Durations::Median, free_plan: true, ..Options::default() };
    let mut bench = Bench::with(options);
    let larger = variables("app_instance_type = \"t3.medium\"\n");
    let planned = bench.plan(&larger, Mode::Apply).expect("a plan");
    let end = bench.run(&planned, &mut Unwatched);
    let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{end:?}") };
    let told: Vec<String> = failures.iter().map(|failure| failure.cause.to_string()).collect();
    assert!(matches!(&told[..], [told] if told.contains("not eligible for Free Tier")), "{told:?}");
    bench.apply(&variables(""), Mode::Apply);
}

/// Databases and NAT gateways are not to be had in local zones.
#[test]
fn zones_are_those_of_the_region() {
    let chosen = |local_zones: bool| {
        let options = Options { seed: 74, durations: Durations::Instant, local_zones, ..Options::default() };
        Bench::with(options).apply(&variables(""), Mode::Apply).plan.choices.availability_zones
    };
    assert_eq!(chosen(true), chosen(false));
    assert_eq!(chosen(true), ["us-east-1a", "us-east-1b"]);
}
