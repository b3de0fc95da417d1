//! States as Terraform writes them: taken as they are, and nothing of them lost.

use aloka_core::plan::{Action, Mode};
use aloka_core::state::{State, file};
use aloka_sim::aws::Durations;
use aloka_sim::store::MemoryStore;
use aloka_tests::{Bench, variables};
use serde_json::{Value as Json, json};

/// A standing stack and its state file, all that AWS tells of it included.
fn standing() -> (Bench, Json) {
    let mut bench = Bench::new(41, Durations::Median);
    bench.apply(&variables(""), Mode::Apply);
    let refreshed = bench.plan(&variables(""), Mode::RefreshOnly).expect("a plan");
    let text = file::write(&refreshed.state);
    (bench, serde_json::from_str(&text).expect("JSON"))
}

fn resource<'a>(state: &'a mut Json, kind: &str, name: &str) -> &'a mut Json {
    let resources = state["resources"].as_array_mut().expect("resources");
    resources.iter_mut().find(|r| r["type"] == kind && r["name"] == name).expect("a resource")
}

/// Puts the state in the store and plans.
fn plan(bench: &mut Bench, state: &Json) -> aloka_core::plan::Planned {
    let read: State = file::read(&state.to_string()).expect("a state");
    bench.store = MemoryStore::holding(read);
    bench.plan(&variables(""), Mode::Apply).expect("a plan")
}

fn to_do(planned: &aloka_core::plan::Planned) -> Vec<String> {
    let changes = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.map(|change| format!("{:?} {} {:?}", change.action, change.target, change.attributes)).collect()
}

/// `aws_vpc_security_group_ingress_rule`, `aws_vpc_security_group_egress_rule` and `aws_security_group_rule` beside groups
/// that say nothing of their rules: the plan is empty, and the entries stay.
#[test]
fn separate_rules_are_the_rules_of_their_group() {
    let (mut bench, mut state) = standing();
    let group = resource(&mut state, "aws_security_group", "app")["instances"][0]["attributes"]["id"].clone();
    let provider = "provider[\"registry.terraform.io/hashicorp/aws\"]";
    let rule = |kind: &str, name: &str, attributes: Json| {
        json!({"mode": "managed", "type": kind, "name": name, "provider": provider, "instances": [{
            "schema_version": 0, "attributes": attributes, "sensitive_attributes": [], "private": "bnVsbA==",
            "dependencies": ["aws_security_group.app", "module.vpc.aws_vpc.this"],
        }]})
    };
    let rules = [
        rule(
            "aws_vpc_security_group_ingress_rule",
            "http",
            json!({
                "security_group_id": group, "cidr_ipv4": "0.0.0.0/0", "from_port": 80, "to_port": 80, "ip_protocol": "tcp",
                "security_group_rule_id": "sgr-0123456789abcdef0", "id": "sgr-0123456789abcdef0",
            }),
        ),
        rule(
            "aws_vpc_security_group_egress_rule",
            "all",
            json!({
                "security_group_id": group, "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1", "id": "sgr-0123456789abcdef1",
            }),
        ),
        rule(
            "aws_security_group_rule",
            "https",
            json!({
                "security_group_id": group, "type": "ingress", "cidr_blocks": ["0.0.0.0/0"], "from_port": 443,
                "to_port": 443, "protocol": "tcp", "id": "sgrule-1234567890",
            }),
        ),
    ];
    let attributes = &mut resource(&mut state, "aws_security_group", "app")["instances"][0]["attributes"];
    attributes["ingress"] = json!([]);
    attributes["egress"] = json!([]);
    state["resources"].as_array_mut().expect("resources").extend(rules.clone());
    let planned = plan(&mut bench, &state);
    assert!(planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
    let written: Json = serde_json::from_str(&file::write(&planned.state)).expect("JSON");
    let kept = written["resources"].as_array().expect("resources");
    for rule in &rules {
        assert!(kept.contains(rule), "{rule}");
    }
}

/// Terraform 1.11.4 with release 5.100.0 of the provider and terraform-aws-modules/vpc 5.x wrote it, on an emulator.
#[test]
fn of_a_state_that_terraform_wrote_all_is_kept_but_the_password() {
    let text = include_str!("../data/terraform-state.json");
    let state = file::read(text).expect("a state");
    let mut before: Json = serde_json::from_str(text).expect("JSON");
    let mut after: Json = serde_json::from_str(&file::write(&state)).expect("JSON");
    let database = &mut resource(&mut before, "aws_db_instance", "postgres")["instances"][0]["attributes"];
    let database = database.as_object_mut().expect("an object");
    // Never more than null, and a name of the password.
    assert_eq!(database.remove("password_wo"), Some(Json::Null));
    let password = database.remove("password").expect("it has one");
    let password = password.as_str().expect("a text");
    for key in ["terraform_version", "serial", "lineage", "outputs"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    // Terraform sorts them otherwise, and the order means nothing.
    for state in [&mut before, &mut after] {
        let resources = state["resources"].as_array_mut().expect("resources");
        resources.sort_by_key(|r| ["module", "mode", "type", "name"].map(|key| r[key].to_string()));
        resources.iter().for_each(|resource| assert!(!resource.to_string().contains(password), "{resource}"));
    }
    let [before, after] = [&before, &after].map(|state| state["resources"].as_array().expect("resources"));
    assert_eq!(before.len(), after.len());
    before.iter().zip(after).for_each(|(before, after)| assert_eq!(after, before));
}

/// The provider's release 6 writes another schema, a Region and an identity; a configuration may name its provider. The
/// addresses of terraform-aws-modules/vpc 6.x are those of 5.x.
#[test]
fn what_a_later_provider_records_is_kept() {
    let (mut bench, mut state) = standing();
    state.as_object_mut().expect("an object").remove("aloka");
    for resource in state["resources"].as_array_mut().expect("resources") {
        resource["provider"] = json!("provider[\"registry.terraform.io/hashicorp/aws\"].west");
        for instance in resource["instances"].as_array_mut().expect("instances") {
            instance["schema_version"] = json!(7);
            instance["attributes"]["region"] = json!("us-east-1");
            instance["attributes"]["timeouts"] = json!({"create": "5m"});
            instance["identity_schema_version"] = json!(0);
            instance["identity"] = json!({"account_id": "000000000000", "id": "x", "region": "us-east-1"});
            instance["sensitive_attributes"] = json!([[{"type": "get_attr", "value": "password"}]]);
            instance["private"] = json!("bnVsbA==");
        }
    }
    let options = &mut resource(&mut state, "aws_instance", "app")["instances"][0]["attributes"]["metadata_options"][0];
    options["http_protocol_ipv6"] = json!("disabled");
    let planned = plan(&mut bench, &state);
    let only_the_password = |change: &&aloka_core::plan::Change| {
        change.action != Action::NoOp && change.attributes.iter().any(|attribute| &*attribute.name != "password")
    };
    assert_eq!(planned.plan.changes.iter().find(only_the_password), None, "{:?}", to_do(&planned));
    assert!(planned.plan.drift.is_empty(), "{:?}", planned.plan.drift);
    let written: Json = serde_json::from_str(&file::write(&planned.state)).expect("JSON");
    assert_eq!(written["resources"], state["resources"]);
}

/// Terraform drops the section of aloka when it writes, and keeps what the provider recorded for itself: the hash of the
/// password is there, so that the password is not sent again after each of its writes.
#[test]
fn the_hash_of_the_password_outlives_a_write_of_terraform() {
    let (mut bench, mut state) = standing();
    state.as_object_mut().expect("an object").remove("aloka");
    let planned = plan(&mut bench, &state);
    assert!(planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
    assert!(planned.state.private.secrets.contains_key("db_password"));
}
