//! What aloka chooses when it makes a server or a database, and that it is forced on nothing that is there: not on what
//! an earlier release made, what Terraform made, nor on what its owner has set since.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::boot;
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Plan, Step};
use aloka_core::state::file;
use aloka_core::value::Value;
use aloka_sim::aws::Durations;
use aloka_sim::store::MemoryStore;
use aloka_tests::{Bench, secrets, variables};
use serde_json::Value as Json;

/// As releases made a stack that knew none of this.
const BEFORE: &str =
    "app_metadata_hop_limit = 2\ndb_copy_tags_to_snapshot = false\ndb_enabled_cloudwatch_logs_exports = []\n";

fn describe(bench: &mut Bench, operation: Operation, path: &str) -> Value {
    let now = bench.world.now();
    let reply = bench.world.account.call(now, &Request(Call::new(operation, [])), &secrets());
    reply.unwrap_or_else(|error| panic!("{error}")).at(path).cloned().unwrap_or_default()
}

fn logs(bench: &mut Bench) -> Value {
    describe(bench, Operation::Rds(Rds::DescribeDBInstances), "DBInstances.0.EnabledCloudwatchLogsExports")
}

fn copies_tags(bench: &mut Bench) -> Value {
    describe(bench, Operation::Rds(Rds::DescribeDBInstances), "DBInstances.0.CopyTagsToSnapshot")
}

fn hops(bench: &mut Bench) -> Value {
    describe(bench, Operation::Ec2(Ec2::DescribeInstances), "Instances.0.MetadataOptions.HttpPutResponseHopLimit")
}

/// The calls that change something, without their arguments.
fn changing(plan: &Plan) -> Vec<Operation> {
    let calls = plan.nodes.iter().flat_map(|node| node.steps.iter().flat_map(Step::calls));
    let operations = calls.map(|(call, _)| call.operation);
    operations.filter(|operation| !operation.name().starts_with("Describe")).collect()
}

fn nothing_to_do(bench: &mut Bench, tfvars: &str) {
    let planned = bench.plan(&variables(tfvars), Mode::Apply).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(planned.plan.is_empty(), "{tfvars}: {:?}", planned.plan.nodes);
    assert!(planned.plan.drift.is_empty(), "{tfvars}: {:?}", planned.plan.drift);
}

#[test]
fn what_is_made_is_made_carefully() {
    let mut bench = Bench::new(51, Durations::Median);
    bench.apply(&variables(""), Mode::Apply);
    assert_eq!(logs(&mut bench), Value::list(["postgresql", "upgrade"]));
    assert_eq!(copies_tags(&mut bench), Value::from(true));
    assert_eq!(hops(&mut bench), Value::from(1));
    let tokens = describe(&mut bench, Operation::Ec2(Ec2::DescribeInstances), "Instances.0.MetadataOptions.HttpTokens");
    assert_eq!(tokens, Value::str("required"));
    let state = bench.state();
    let recorded = |name| state.attribute(&Address::root(Kind::DbInstance, "postgres"), name).cloned();
    assert_eq!(recorded("copy_tags_to_snapshot"), Some(true.into()));
    assert_eq!(recorded("enabled_cloudwatch_logs_exports"), Some(Value::list(["postgresql", "upgrade"])));
    nothing_to_do(&mut bench, "");
}

#[test]
fn what_is_there_is_left_as_it_is() {
    let mut bench = Bench::new(52, Durations::Median);
    bench.apply(&variables(BEFORE), Mode::Apply);
    // An earlier release recorded nothing of it, and another boot script.
    let mut state: Json = serde_json::from_str(&file::write(&bench.state())).expect("JSON");
    for resource in state["resources"].as_array_mut().expect("resources") {
        let kind = resource["type"].clone();
        let attributes = &mut resource["instances"][0]["attributes"];
        if kind == "aws_instance" {
            attributes["user_data"] = "da39a3ee5e6b4b0d3255bfef95601890afd80709".into();
        } else if kind == "aws_db_instance" {
            let attributes = attributes.as_object_mut().expect("attributes");
            assert!(attributes.remove("copy_tags_to_snapshot").is_some());
            assert!(attributes.remove("enabled_cloudwatch_logs_exports").is_some());
        }
    }
    bench.store = MemoryStore::holding(file::read(&state.to_string()).expect("a state"));
    nothing_to_do(&mut bench, "");
    // Nor is it taken for changed when something else changes.
    bench.apply(&variables("tags = { Team = \"x\" }\n"), Mode::Apply);
    nothing_to_do(&mut bench, "tags = { Team = \"x\" }\n");
    assert_eq!(logs(&mut bench), Value::EMPTY_LIST);
    assert_eq!(copies_tags(&mut bench), Value::from(false));
    assert_eq!(hops(&mut bench), Value::from(2));
}

#[test]
fn a_variable_changes_what_is_there_in_place() {
    let mut bench = Bench::new(53, Durations::Median);
    bench.apply(&variables(BEFORE), Mode::Apply);
    for (tfvars, expected, copies) in [
        ("db_enabled_cloudwatch_logs_exports = [\"upgrade\", \"postgresql\"]", vec!["postgresql", "upgrade"], false),
        (
            "db_copy_tags_to_snapshot = true\ndb_enabled_cloudwatch_logs_exports = [\"iam-db-auth-error\", \"upgrade\"]",
            vec!["iam-db-auth-error", "upgrade"],
            true,
        ),
        ("db_enabled_cloudwatch_logs_exports = []", vec![], true),
    ] {
        let planned = bench.plan(&variables(tfvars), Mode::Apply).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(changing(&planned.plan), [Operation::Rds(Rds::ModifyDBInstance)], "{tfvars}");
        bench.apply(&variables(tfvars), Mode::Apply);
        assert_eq!(logs(&mut bench), Value::list(expected), "{tfvars}");
        assert_eq!(copies_tags(&mut bench), Value::from(copies), "{tfvars}");
        nothing_to_do(&mut bench, tfvars);
    }
    // The hop limit is that of new servers alone.
    nothing_to_do(&mut bench, "app_metadata_hop_limit = 1");
    assert_eq!(hops(&mut bench), Value::from(2));
}

/// Another release of Docker Compose is for servers that are made from now on.
#[test]
fn another_boot_script_replaces_no_server() {
    let mut bench = Bench::new(54, Durations::Median);
    bench.apply(&variables("app_instance_count = 2"), Mode::Apply);
    let digest = "0123456789abcdef".repeat(4);
    let other = format!(
        "app_docker_compose_version = \"2.40.3\"\n\
         app_docker_compose_sha256 = {{ x86_64 = \"{digest}\", aarch64 = \"{digest}\" }}\n"
    );
    nothing_to_do(&mut bench, &format!("app_instance_count = 2\n{other}"));
    let more = variables(&format!("app_instance_count = 3\n{other}"));
    let planned = bench.plan(&more, Mode::Apply).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(changing(&planned.plan), [Operation::Ec2(Ec2::RunInstances)]);
    let calls = planned.plan.nodes.iter().flat_map(|node| node.steps.iter().flat_map(Step::calls));
    let sent: Vec<&Call> =
        calls.map(|(call, _)| call).filter(|call| call.operation == Operation::Ec2(Ec2::RunInstances)).collect();
    let script = sent[0].arg("UserData").as_str().expect("a script");
    assert_eq!(script, boot::script(&more));
    assert!(script.contains("compose_version=2.40.3\n") && script.contains(&digest), "{script}");
}
