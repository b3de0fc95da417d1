//! What its owner or AWS does with an object is no interrupted run: nothing is awaited, started or replaced for it.

use std::time::Duration;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode, Occasion, Reason, Step};
use aloka_core::plan::{Planned, Problem};
use aloka_core::resource::DB_STUCK;
use aloka_core::value::Value;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, secrets, variables};

const DATABASE: &str = "aws_db_instance.postgres";
const SERVER: &str = "aws_instance.app";
/// Statuses that a database shows while RDS is at work on it.
const AT_WORK: [&str; 16] = [
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "maintenance",
    "modifying",
    "moving-to-vpc",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "stopping",
    "storage-config-upgrade",
    "storage-initialization",
    "upgrading",
    "of-a-later-year",
];
const MENDABLE: [&str; 2] = ["incompatible-network", "incompatible-parameters"];

fn standing(tfvars: &str) -> Bench {
    let mut bench = Bench::new(81, Durations::Median);
    bench.apply(&variables(tfvars), Mode::Apply);
    bench.world.rest(Duration::from_secs(3600));
    bench
}

/// Makes the database show this status, as no run of ours did.
fn shows(bench: &mut Bench, status: &str) {
    edit_databases(bench, |database| {
        database["failure"] = serde_json::json!({ "code": status, "message": "" });
    });
}

fn edit_databases(bench: &mut Bench, edit: impl Fn(&mut serde_json::Value)) {
    let mut account = serde_json::to_value(&bench.world.account).expect("JSON");
    account["db_instances"].as_object_mut().expect("databases").values_mut().for_each(edit);
    bench.world.account = serde_json::from_value(account).expect("an account");
}

fn send(bench: &mut Bench, operation: Operation) {
    let id = bench.state().attribute(&Address::root(Kind::Instance, "app"), "id").cloned().expect("recorded");
    let call = Call::new(operation, [("InstanceIds", Value::List(vec![id]))]);
    let now = bench.world.now();
    bench.world.account.call(now, &Request(call), &secrets()).expect("accepted");
}

fn server(bench: &mut Bench, field: &str) -> String {
    let now = bench.world.now();
    let call = Call::new(Ec2::DescribeInstances, []);
    let reply = bench.world.account.call(now, &Request(call), &secrets()).expect("a list");
    reply.at(&format!("Instances.0.{field}")).and_then(Value::as_str).expect("text").to_owned()
}

fn told(planned: &Planned, start: &str) -> bool {
    planned.warnings.iter().any(|warning| warning.starts_with(start))
}

fn mutating(planned: &Planned) -> Vec<Operation> {
    let calls = planned.plan.calls().filter(|(_, _, occasion)| *occasion == Occasion::Always);
    calls.map(|(_, call, _)| call.operation).collect()
}

fn refusal(problems: &[Problem]) -> (&str, &str) {
    match problems {
        [Problem::Impossible { summary, hint }] => (summary, hint),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_of_any_status_of_its_own_is_left_alone() {
    let bench = standing("");
    for status in AT_WORK.into_iter().chain(DB_STUCK).chain(MENDABLE) {
        let mut bench = bench.clone();
        shows(&mut bench, status);
        let planned = bench.apply(&variables(""), Mode::Apply);
        assert!(planned.plan.is_empty() && planned.plan.nodes.is_empty(), "{status}: {:?}", planned.plan.nodes);
        assert!(told(&planned, &format!("{DATABASE} is `{status}`: ")), "{status}: {:?}", planned.warnings);

        // What AWS takes all the same goes on.
        let more = "tags = { Team = \"web\" }\napp_ingress = [{ port = 8080 }]\n";
        bench.apply(&variables(more), Mode::Apply);
        assert!(bench.plan(&variables(more), Mode::Apply).expect("a plan").plan.is_empty(), "{status}");

        // What it takes only when it is done waits for that; what would wait for its owner is refused before any call.
        for change in ["db_instance_class = \"db.t3.small\"", "db_backup_retention_days = 7"] {
            if AT_WORK.contains(&status) {
                let planned = bench.plan(&variables(&format!("{more}{change}\n")), Mode::Apply).expect(status);
                let node =
                    planned.plan.nodes.iter().find(|node| node.target.to_string() == DATABASE).expect("a change");
                assert!(matches!(node.steps.first(), Some(Step::Wait(_))), "{status}: {:?}", node.steps);
                continue;
            }
            let problems = bench.plan(&variables(&format!("{more}{change}\n")), Mode::Apply).expect_err(status);
            let (summary, hint) = refusal(&problems);
            assert!(summary.starts_with(&format!("{DATABASE} is `{status}`: AWS does not change ")), "{summary}");
            assert!(status != "stopped" || hint.contains("start-db-instance"), "{hint}");
        }
        let grown = bench.plan(&variables(&format!("{more}db_allocated_storage = 40\n")), Mode::Apply);
        assert_eq!(grown.is_ok(), status == "storage-full" || AT_WORK.contains(&status), "{status}");
    }
}

#[test]
fn a_database_that_stands_still_can_be_destroyed() {
    for status in DB_STUCK.into_iter().chain(MENDABLE) {
        let mut bench = standing("");
        shows(&mut bench, status);
        bench.apply(&variables(""), Mode::Destroy);
        assert!(bench.state().is_empty(), "{status}");
    }
}

/// Who does not set the variable leaves the protection to the owner; who sets it has it as it says.
#[test]
fn a_protected_database_stays_protected() {
    let mut bench = standing("");
    edit_databases(&mut bench, |database| database["protected"] = true.into());
    for _ in 0..2 {
        let planned = bench.apply(&variables(""), Mode::Apply);
        assert!(planned.plan.is_empty() && told(&planned, &format!("{DATABASE} is protected")), "{planned:?}");
    }
    for (vars, mode) in [("", Mode::Destroy), ("db_name = \"other\"\n", Mode::Apply)] {
        let problems = bench.plan(&variables(vars), mode).expect_err("protected");
        assert!(refusal(&problems).1.contains("db_deletion_protection = false"), "{problems:?}");
    }
    // RDS changes nothing of a stopped database, so its protection cannot be turned off on the way.
    let renamed = variables("db_name = \"other\"\ndb_deletion_protection = false\n");
    bench.plan(&renamed, Mode::Apply).expect("a plan");
    shows(&mut bench, "stopped");
    assert!(refusal(&bench.plan(&renamed, Mode::Apply).expect_err("stopped")).0.contains("is `stopped`"));
}

#[test]
fn a_server_that_its_owner_stopped_stays_stopped() {
    for rest in [0, 3600] {
        let mut bench = standing("");
        send(&mut bench, Operation::Ec2(Ec2::StopInstances));
        bench.world.rest(Duration::from_secs(rest));
        let status = if rest == 0 { "stopping" } else { "stopped" };
        let planned = bench.apply(&variables(""), Mode::Apply);
        assert!(planned.plan.is_empty() && planned.plan.nodes.is_empty(), "{:?}", planned.plan.nodes);
        assert!(told(&planned, &format!("{SERVER} is `{status}`: ")), "{:?}", planned.warnings);

        let larger = variables("app_instance_type = \"t3.medium\"\n");
        if rest == 0 {
            let problems = bench.plan(&larger, Mode::Apply).expect_err("stopping");
            assert!(refusal(&problems).0.starts_with("aws_instance.app is `stopping`"), "{problems:?}");
            continue;
        }
        let planned = bench.apply(&larger, Mode::Apply);
        assert_eq!(mutating(&planned), [Operation::Ec2(Ec2::ModifyInstanceAttribute)]);
        let now = (server(&mut bench, "State"), server(&mut bench, "InstanceType"));
        assert_eq!(now, ("stopped".to_owned(), "t3.medium".to_owned()));
        assert!(bench.plan(&larger, Mode::Apply).expect("a plan").plan.is_empty());

        // Its owner starts it: nothing is left to do but to tell the new address.
        send(&mut bench, Operation::Ec2(Ec2::StartInstances));
        let planned = bench.plan(&larger, Mode::Apply).expect("a plan");
        assert!(planned.plan.nodes.is_empty() && told(&planned, "aws_instance.app is `pending`"));
    }
}

/// The recorded intent tells it apart from one that its owner stopped.
#[test]
fn a_server_that_our_run_stopped_is_started_again() {
    for operation in [Operation::Ec2(Ec2::StopInstances), Operation::Ec2(Ec2::ModifyInstanceAttribute)] {
        for back in [false, true] {
            let mut bench = standing("");
            let larger = variables("app_instance_type = \"t3.medium\"\n");
            let planned = bench.plan(&larger, Mode::Apply).expect("a plan");
            let when = When::Call { operation: Some(operation), nth: 1 };
            bench.world.faults = FaultPlan(vec![(when, Fault::CrashAfter)]);
            assert!(!matches!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(_)));
            bench.world.rest(Duration::from_secs(3600));
            assert_eq!(server(&mut bench, "State"), "stopped");
            let wanted = if back { variables("") } else { larger };
            let planned = bench.apply(&wanted, Mode::Apply);
            let update = planned.plan.changes.iter().find(|change| change.action == Action::Update).expect("an update");
            assert_eq!(update.target.to_string(), SERVER);
            assert_eq!(server(&mut bench, "State"), "running");
            assert!(bench.plan(&wanted, Mode::Apply).expect("a plan").plan.is_empty());
        }
    }
}

/// Whoever waits for a database is cut short as well: what says that it is ours stays until it is there.
#[test]
fn a_database_that_our_run_began_is_awaited_however_often_it_is_killed() {
    let with = |port: u32| variables(&format!("db_backup_retention_days = 7\napp_ingress = [{{ port = {port} }}]\n"));
    let mut bench = Bench::new(83, Durations::Median);
    let planned = bench.plan(&with(80), Mode::Apply).expect("a plan");
    // All but the database is there, and no record of that.
    let when = When::Call { operation: Some(Operation::Rds(Rds::CreateDBInstance)), nth: 1 };
    bench.world.faults = FaultPlan(vec![(when, Fault::CrashAfter)]);
    bench.run(&planned, &mut Unwatched);
    while database_status(&mut bench) != "backing-up" {
        bench.world.rest(Duration::from_secs(5));
    }
    for port in [81, 82] {
        bench.world.faults = FaultPlan::none();
        let planned = bench.plan(&with(port), Mode::Apply).expect("a plan");
        assert_eq!(database_status(&mut bench), "backing-up");
        let database = planned.plan.changes.iter().find(|change| change.target.to_string() == DATABASE);
        assert_eq!(database.map(|change| &change.reason), Some(&Reason::Unsettled));
        // The first such call empties the default group. Dies when the change of the group, and with it the whole state, is written.
        let group =
            When::Call { operation: Some(Operation::Ec2(Ec2::RevokeSecurityGroupIngress)), nth: u64::from(port) - 79 };
        bench.world.faults = FaultPlan(vec![(group, Fault::CrashAfter)]);
        assert!(!matches!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(_)), "{port}");
    }
    bench.apply(&with(83), Mode::Apply);
    assert!(bench.plan(&with(83), Mode::Apply).expect("a plan").plan.is_empty());
}

fn database_status(bench: &mut Bench) -> String {
    let now = bench.world.now();
    let call = Call::new(Rds::DescribeDBInstances, []);
    let reply = bench.world.account.call(now, &Request(call), &secrets()).expect("a list");
    reply.at("DBInstances.0.DBInstanceStatus").and_then(Value::as_str).expect("text").to_owned()
}

fn failed(end: RunEnd) -> Failure {
    match end {
        RunEnd::Outcome(Outcome::Failed { failures, .. }) if failures.len() == 1 => failures[0].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_of_type_that_aws_refuses_leaves_the_server_running() {
    let codes = ["Unsupported", "InvalidParameterValue", "InsufficientInstanceCapacity", "VcpuLimitExceeded"];
    for operation in [Operation::Ec2(Ec2::ModifyInstanceAttribute), Operation::Ec2(Ec2::StartInstances)] {
        for code in codes.into_iter().chain(["UnauthorizedOperation"]) {
            let mut bench = standing("");
            let larger = variables("app_instance_type = \"t3.medium\"\n");
            let planned = bench.plan(&larger, Mode::Apply).expect("a plan");
            // Of capacity it is asked three times.
            let times = if code == "InsufficientInstanceCapacity" { 3 } else { 1 };
            let refused = |nth| {
                let when = When::Call { operation: Some(operation), nth };
                (when, Fault::Refused { code: code.to_owned() })
            };
            bench.world.faults = FaultPlan((1..=times).map(refused).collect());
            let end = bench.run(&planned, &mut Unwatched);
            let Failure { cause, .. } = failed(end);
            let Cause::Refused { error, told, .. } = &cause else { panic!("{code}: {cause:?}") };
            assert_eq!(error.code, code);
            assert_eq!(told, "instance_type stays t3.small instead of t3.medium, and the server runs again");
            let now = (server(&mut bench, "State"), server(&mut bench, "InstanceType"));
            assert_eq!(now, ("running".to_owned(), "t3.small".to_owned()), "{operation} {code}");
            assert!(bench.state().private.intents.is_empty(), "{operation} {code}");
            assert!(bench.plan(&variables(""), Mode::Apply).expect("a plan").plan.is_empty(), "{operation} {code}");
            bench.apply(&larger, Mode::Apply);
            assert_eq!(server(&mut bench, "InstanceType"), "t3.medium");
        }
    }
}

#[test]
fn a_way_back_that_aws_refuses_as_well_is_told_and_taken_up_again() {
    let mut bench = standing("");
    let larger = variables("app_instance_type = \"t3.medium\"\n");
    let planned = bench.plan(&larger, Mode::Apply).expect("a plan");
    let refused = |nth| {
        let when = When::Call { operation: Some(Operation::Ec2(Ec2::StartInstances)), nth };
        (when, Fault::Refused { code: "UnauthorizedOperation".to_owned() })
    };
    bench.world.faults = FaultPlan(vec![refused(1), refused(2)]);
    let end = bench.run(&planned, &mut Unwatched);
    let Failure { cause, .. } = failed(end);
    assert!(cause.to_string().contains("may be stopped now: the next `aloka apply` starts it"), "{cause}");
    assert_eq!(server(&mut bench, "State"), "stopped");
    bench.apply(&variables(""), Mode::Apply);
    assert_eq!(
        (server(&mut bench, "State"), server(&mut bench, "InstanceType")),
        ("running".into(), "t3.small".into())
    );
}

#[test]
fn a_type_that_aws_does_not_offer_is_refused_before_anything_is_stopped() {
    let mut bench = standing("");
    for kind in ["t3.smal", "t9.big"] {
        let wanted = variables(&format!("app_instance_type = \"{kind}\"\n"));
        let problems = bench.plan(&wanted, Mode::Apply).expect_err(kind);
        let (summary, _) = refusal(&problems);
        assert!(
            summary.contains("does not offer") && summary.contains(kind) && summary.starts_with(SERVER),
            "{summary}"
        );
        let mut fresh = Bench::new(82, Durations::Median);
        fresh.plan(&wanted, Mode::Apply).expect_err(kind);
    }
    // us-east-1e has no t3.
    let zones = "availability_zones = [\"us-east-1e\", \"us-east-1a\"]\n";
    let mut other = Bench::new(82, Durations::Median);
    other.apply(&variables(&format!("{zones}app_instance_type = \"t2.small\"\n")), Mode::Apply);
    let problems = other.plan(&variables(&format!("{zones}app_instance_type = \"t3.small\"\n")), Mode::Apply);
    let problems = problems.expect_err("not there");
    assert!(refusal(&problems).0.contains("is in us-east-1e, where AWS does not offer"), "{problems:?}");

    // Who may not ask goes on with a warning, and the change itself leaves the server running.
    let when = When::Call { operation: Some(Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)), nth: 2 };
    let mut blind = standing("");
    blind.world.faults = FaultPlan(vec![(when, Fault::Refused { code: "UnauthorizedOperation".to_owned() })]);
    let planned = blind.plan(&variables("app_instance_type = \"t3.smal\"\n"), Mode::Apply).expect("a plan");
    assert!(told(&planned, "it is not known whether AWS offers"), "{:?}", planned.warnings);
    blind.world.faults = FaultPlan::none();
    let end = blind.run(&planned, &mut Unwatched);
    let Failure { cause, .. } = failed(end);
    assert!(matches!(cause, Cause::Refused { .. }), "{cause}");
    assert_eq!(server(&mut blind, "State"), "running");
}

/// Who sets no size has the one that is there, however it came about.
#[test]
fn storage_that_rds_has_grown_is_no_change() {
    for (most, is_good) in [(Some(100), true), (Some(26), true), (Some(25), false), (None, false)] {
        let mut bench = standing("");
        edit_databases(&mut bench, |database| {
            database["storage"] = 26.into();
            database["max_storage"] = most.into();
        });
        assert!(bench.plan(&variables(""), Mode::Apply).expect("a plan").plan.is_empty(), "{most:?}");
        match bench.plan(&variables("db_allocated_storage = 20\n"), Mode::Apply) {
            Ok(planned) => assert!(is_good && planned.plan.is_empty(), "{most:?}"),
            Err(problems) => assert!(!is_good && refusal(&problems).0.contains("cannot change from 26 to 20")),
        }
    }
}
