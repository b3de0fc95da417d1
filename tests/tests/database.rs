//! What RDS shows of a database before it is so: a standby that is being made, or that does not come, and security groups
//! on their way. The run waits for what was asked for, and records what there is.

use std::time::Duration;

use aloka_core::api::{Call, Operation, Rds, Request};
use aloka_core::engine::{Cause, Outcome};
use aloka_core::plan::{Action, Mode, Reason};
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Durations, Options};
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, secrets, variables};

const DATABASE: &str = "aws_db_instance.postgres";

fn described(bench: &mut Bench) -> Value {
    let now = bench.world.now();
    let call = Call::new(Rds::DescribeDBInstances, [("DBInstanceIdentifier", "aloka-dev-db".into())]);
    let reply = bench.world.account.call(now, &Request(call), &secrets());
    reply.ok().and_then(|reply| reply.at("DBInstances.0").cloned()).unwrap_or_default()
}

fn recorded(bench: &Bench, attribute: &str) -> Option<Value> {
    bench.state().attribute(&DATABASE.parse().expect("an address"), attribute).cloned()
}

fn fails(operation: Operation, code: &str) -> FaultPlan {
    let when = When::Call { operation: Some(operation), nth: 1 };
    FaultPlan(vec![(when, Fault::Failed { code: code.to_owned() })])
}

/// What the next plan does with the database: the action, the reason, and the attributes that change.
fn next(bench: &mut Bench, variables: &Variables) -> (Action, Reason, Vec<String>) {
    let planned = bench.plan(variables, Mode::Apply).expect("a plan");
    assert!(
        planned.plan.drift.iter().all(|drift| drift.attribute.as_deref() != Some("multi_az")),
        "{:?}",
        planned.plan.drift
    );
    let change = planned.plan.changes.iter().find(|change| change.target.to_string() == DATABASE).expect("a database");
    let attributes = change.attributes.iter().map(|attribute| attribute.name.to_string()).collect();
    (change.action, change.reason.clone(), attributes)
}

#[test]
fn a_database_with_a_standby_is_waited_for_until_the_standby_is_there() {
    for retention in [0, 7] {
        let with = variables(&format!("db_multi_az = true\ndb_backup_retention_days = {retention}\n"));
        let mut bench = Bench::new(1, Durations::Median);
        bench.apply(&with, Mode::Apply);
        let database = described(&mut bench);
        assert_eq!(database.get("MultiAZ"), &Value::from(true), "{retention}: {database}");
        assert_eq!(database.get("DBInstanceStatus").as_str(), Some("available"));
        assert!(bench.plan(&with, Mode::Apply).expect("a plan").plan.is_empty());
    }
}

/// Wherever the run is cut short, the next plan finds nothing to change of what is under way.
#[test]
fn a_run_that_is_cut_short_while_the_standby_is_made_changes_nothing_next_time() {
    let with = variables("db_multi_az = true\ndb_backup_retention_days = 7\n");
    let mut seen = 0;
    for nth in 1..40 {
        let mut bench = Bench::new(2, Durations::Median);
        let planned = bench.plan(&with, Mode::Apply).expect("a plan");
        let when = When::Call { operation: Some(Operation::Rds(Rds::DescribeDBInstances)), nth: nth * 3 };
        bench.world.faults = FaultPlan(vec![(when, Fault::CrashBefore)]);
        let end = bench.run(&planned, &mut Unwatched);
        bench.world.faults = FaultPlan::none();
        bench.world.rest(Duration::from_secs(40));
        let database = described(&mut bench);
        if end == RunEnd::Outcome(Outcome::Done) {
            break;
        }
        if database.get("DBInstanceStatus").as_str() != Some("modifying") {
            continue;
        }
        assert_eq!(database.get("MultiAZ"), &Value::from(false), "{database}");
        let (action, reason, attributes) = next(&mut bench, &with);
        assert_eq!((action, attributes), (Action::Update, Vec::new()), "{nth}: {reason:?}");
        assert_eq!(reason, Reason::Unsettled);
        bench.apply(&with, Mode::Apply);
        assert_eq!(described(&mut bench).get("MultiAZ"), &Value::from(true));
        seen += 1;
    }
    assert!(seen > 2, "{seen} runs ended while the standby was made");
}

#[test]
fn a_standby_that_does_not_come_is_told_and_recorded_as_it_is() {
    let with = variables("db_multi_az = true\n");
    let mut bench = Bench::new(3, Durations::Median);
    let planned = bench.plan(&with, Mode::Apply).expect("a plan");
    bench.world.faults = fails(Operation::Rds(Rds::CreateDBInstance), "no-standby");
    let start = bench.world.now();
    let end = bench.run(&planned, &mut Unwatched);
    let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{end:?}") };
    let told: Vec<&Cause> = failures.iter().map(|failure| &failure.cause).collect();
    assert!(matches!(told[..], [Cause::Short { told, .. }] if told.contains("multi_az is false")), "{told:?}");
    assert!(bench.world.now() - start < Duration::from_secs(1800), "{:?}", bench.world.now() - start);
    assert_eq!(recorded(&bench, "multi_az"), Some(false.into()), "as it is");
    // It works, and is changed in place.
    let (action, _, attributes) = next(&mut bench, &with);
    assert_eq!((action, attributes), (Action::Update, vec!["multi_az".to_owned()]));
    bench.apply(&with, Mode::Apply);
    assert_eq!(recorded(&bench, "multi_az"), Some(true.into()));
    assert!(bench.plan(&with, Mode::Apply).expect("a plan").plan.is_empty());
}

#[test]
fn a_standby_for_a_database_that_is_there_may_not_come_either() {
    let mut bench = Bench::new(4, Durations::Median);
    bench.apply(&variables(""), Mode::Apply);
    let with = variables("db_multi_az = true\n");
    let planned = bench.plan(&with, Mode::Apply).expect("a plan");
    bench.world.account.fail_next(
        Operation::Rds(Rds::ModifyDBInstance),
        "no-standby",
        "insufficient instance capacity",
    );
    let end = bench.run(&planned, &mut Unwatched);
    let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{end:?}") };
    assert!(matches!(failures[0].cause, Cause::Short { .. }), "{failures:?}");
    assert_eq!(recorded(&bench, "multi_az"), Some(false.into()));
    bench.apply(&with, Mode::Apply);
    assert_eq!(described(&mut bench).get("MultiAZ"), &Value::from(true));
}

/// Another name makes another security group: the run ends when the database has it, and the old one is gone.
#[test]
fn another_security_group_is_waited_for_until_it_is_in_effect() {
    let groups = |database: &Value| {
        let groups = database.get("VpcSecurityGroups").as_list().unwrap_or_default().to_vec();
        groups.into_iter().map(|group| group.get("Status").as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let mut bench = Bench::new(5, Durations::Median);
    bench.apply(&variables(""), Mode::Apply);
    // Somebody adds the group of the servers.
    let group = recorded(&bench, "vpc_security_group_ids").and_then(|groups| groups.at("0").cloned()).expect("a group");
    let other = bench.state().attribute(&"aws_security_group.app".parse().expect("an address"), "id").cloned();
    let worn = Value::List(vec![group, other.expect("a group")]);
    let args = [
        ("DBInstanceIdentifier", "aloka-dev-db".into()),
        ("VpcSecurityGroupIds", worn),
        ("ApplyImmediately", true.into()),
    ];
    let now = bench.world.now();
    let modify = Request(Call::new(Rds::ModifyDBInstance, args));
    bench.world.account.call(now, &modify, &secrets()).expect("accepted");
    bench.world.rest(Duration::from_secs(3600));
    assert_eq!(groups(&described(&mut bench)), ["active", "active"]);
    let (action, _, attributes) = next(&mut bench, &variables(""));
    assert_eq!((action, attributes), (Action::Update, vec!["vpc_security_group_ids".to_owned()]));
    let start = bench.world.now();
    bench.apply(&variables(""), Mode::Apply);
    assert!(bench.world.now() - start > Duration::from_secs(60), "it takes its time");
    assert_eq!(groups(&described(&mut bench)), ["active"]);
    assert!(bench.plan(&variables(""), Mode::Apply).expect("a plan").plan.is_empty());
}

/// RDS may not know for a while what EC2 shows already.
#[test]
fn what_rds_has_not_heard_of_yet_is_sent_again() {
    for seed in 0..12 {
        let options = Options { seed, durations: Durations::Median, visibility_delay_ms: 20_000, ..Options::default() };
        let mut bench = Bench::with(options);
        bench.apply(&variables(""), Mode::Apply);
    }
}

#[test]
fn a_major_version_past_its_standard_support_is_told_with_its_price() {
    let told = |version: &str| {
        let with = variables(&format!("db_engine_version = \"{version}\"\n"));
        let planned = Bench::new(6, Durations::Median).plan(&with, Mode::Apply).expect("a plan");
        planned.warnings.into_iter().filter(|warning| warning.contains("standard support")).collect::<Vec<_>>()
    };
    let [warning] = &told("13")[..] else { panic!("{:?}", told("13")) };
    assert!(warning.starts_with("standard support of PostgreSQL 13 ended on 2026-02-28: "), "{warning}");
    assert!(warning.contains("146 USD a month for a db.t3.micro"), "{warning}");
    assert_eq!(told("13.23").len(), 1);
    for supported in ["14", "15", "17"] {
        assert!(told(supported).is_empty(), "{supported}");
    }
}

/// RDS backs a database up every day, and maintains it now and then: that is no change of anybody's.
#[test]
fn what_rds_does_by_itself_is_no_reason_to_change_anything() {
    let with = variables("db_backup_retention_days = 7\n");
    let options = Options { seed: 7, durations: Durations::Median, db_rounds: true, ..Options::default() };
    let mut bench = Bench::with(options);
    bench.apply(&with, Mode::Apply);
    for (status, note) in [("backing-up", "RDS makes a backup"), ("maintenance", "RDS maintains it")] {
        let mut minutes = 0;
        while described(&mut bench).get("DBInstanceStatus").as_str() != Some(status) {
            bench.world.rest(Duration::from_secs(60));
            minutes += 1;
            assert!(minutes < 8 * 24 * 60, "never {status}");
        }
        let planned = bench.plan(&with, Mode::Apply).expect("a plan");
        let changes: Vec<_> = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
        assert!(planned.plan.is_empty(), "{status}: {changes:?}");
        let notes: Vec<_> = planned.warnings.iter().filter(|warning| warning.contains(status)).collect();
        assert!(matches!(&notes[..], [told] if told.contains(note)), "{notes:?}");
        // What is changed then waits until RDS is done.
        let mut changed = bench.clone();
        let larger = variables("db_backup_retention_days = 7\ndb_instance_class = \"db.t3.small\"\n");
        changed.apply(&larger, Mode::Apply);
        assert!(changed.plan(&larger, Mode::Apply).expect("a plan").plan.is_empty());
    }
}
