//! A state in another form than ours: what is read of it is what it says, and what cannot be read is told by name.

use std::collections::BTreeSet;

use aloka_core::kind::Kind;
use aloka_core::plan::saved::differences;
use aloka_core::plan::{Mode, Plan};
use aloka_core::render::{Options, plan_text};
use aloka_core::state::{State, file};
use aloka_sim::aws::Durations;
use aloka_sim::store::MemoryStore;
use aloka_tests::forms::{flattened, forms};
use aloka_tests::{Bench, MANAGED, any_tfvars, variables};
use proptest::prelude::*;
use serde_json::Value;

/// The state without what is null: a flat one has no place for it.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn planned(bench: &Bench, state: State, tfvars: &str, mode: Mode) -> Plan {
    let mut bench = bench.clone();
    bench.store = MemoryStore::holding(state);
    bench.plan(&variables(tfvars), mode).unwrap_or_else(|problems| panic!("{problems:?}")).plan
}

fn numbers(seed: u32) -> impl FnMut() -> u32 {
    let mut last = seed;
    move || {
        last = last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        last
    }
}

/// Plans of the same stack from both forms are the same. Returns the kinds that were flat.
fn same_plans(before: &str, after: &str, seed: u32) -> BTreeSet<Kind> {
    let mut bench = Bench::new(u64::from(seed), Durations::Instant);
    bench.apply(&variables(before), Mode::Apply);
    let state = bench.state();
    let text = file::write(&state);
    let mut plain: Value = serde_json::from_str(&text).expect("JSON");
    without_nulls(&mut plain);
    let plain = file::read(&plain.to_string()).expect("a state");
    let flat = flattened(&text, &mut numbers(seed));
    assert!(!flat.contains("\"attributes\""));
    let flat = file::read(&flat).unwrap_or_else(|error| panic!("{error}: {flat}"));
    for (tfvars, mode) in
        [(before, Mode::Apply), (after, Mode::Apply), (before, Mode::Destroy), (before, Mode::RefreshOnly)]
    {
        let from = |state: &State| planned(&bench, state.clone(), tfvars, mode);
        let (usual, now) = (from(&state), from(&flat));
        assert_eq!(differences(&from(&plain), &now), [], "{mode:?}");
        let shown = |plan: &Plan| plan_text(plan, Options { show_all: true }).plain();
        assert_eq!(shown(&now), shown(&usual), "{mode:?}");
        assert_eq!(now.is_empty(), usual.is_empty());
    }
    // It is written as everything is, and says the same.
    let written = file::write(&flat);
    assert!(written.contains("\"attributes\"") && !written.contains("attributes_flat"));
    assert_eq!(file::read(&written).expect("a state"), flat);
    flat.resources.keys().map(|address| address.kind).collect()
}

#[test]
fn every_kind_is_read_from_flat_attributes() {
    let mut kinds = same_plans("", "db_allocated_storage = 50\napp_instance_type = \"t3.large\"\n", 1);
    kinds.extend(same_plans(MANAGED, "app_instance_count = 3\n", 2));
    kinds.extend(same_plans("enable_s3_endpoint = true\n", "single_nat_gateway = false\n", 3));
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), Kind::ALL);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A server, a rule, a tag more or less: plans do not tell the forms apart.
    #[test]
    fn plans_from_flat_attributes_are_those_from_attributes(before in any_tfvars(), seed in 1_u32..1000) {
        same_plans(&before, &before, seed);
    }
}

/// The schema version is the one recorded: the attributes are of it, and its provider upgrades them.
#[test]
fn the_schema_version_of_flat_attributes_stays() {
    for (recorded, expected) in
        [("\"schema_version\":0,", 0), ("\"schema_version\":1,", 1), ("\"schema_version\":2,", 2), ("", 0)]
    {
        let text = format!(
            r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"aws_db_instance","name":"postgres","provider":"p",
            "instances":[{{{recorded}"attributes_flat":{{"id":"x","port":"5432","password":"S3cret-in-clear"}}}}]}}]}}"#
        );
        let state = file::read(&text).expect("a state");
        assert!(state.has_clear_password());
        let written: Value = serde_json::from_str(&file::write(&state)).expect("JSON");
        let instance = &written["resources"][0]["instances"][0];
        assert_eq!(instance["schema_version"], expected, "{recorded}");
        assert_eq!(
            instance["attributes"],
            serde_json::json!({ "id": "x", "port": 5432 }),
            "the password is not written"
        );
    }
}

/// Objects of others are kept to the byte, and known by their identifiers.
#[test]
fn flat_attributes_of_others_are_left_as_they_are() {
    let theirs = r#"{"mode":"managed","type":"aws_security_group_rule","name":"x","provider":"p","instances":[{"schema_version":2,"attributes_flat":{"id":"sgrule-1","from_port":"80","cidr_blocks.#":"1","cidr_blocks.0":"10.0.0.0/8","odd.x":"1"}}]}"#;
    let text = format!(r#"{{"version":4,"serial":1,"lineage":"l","resources":[{theirs}]}}"#);
    let state = file::read(&text).expect("a state");
    let compact: Value = serde_json::from_str(&file::write(&state)).expect("JSON");
    assert_eq!(compact["resources"][0], serde_json::from_str::<Value>(theirs).expect("JSON"));
    assert_eq!(state.foreign_instances()[0].id(), Some("sgrule-1"));
    let whole = file::read(&text.replace(r#","odd.x":"1""#, "")).expect("a state");
    assert_eq!(whole.foreign_instances()[0].attributes.get("from_port"), Some(&80.into()));
}

#[test]
fn every_form_is_known_by_name() {
    let mut bench = Bench::new(1, Durations::Instant);
    bench.apply(&variables(""), Mode::Apply);
    let good = file::write(&bench.state());
    for form in forms(&good) {
        let error = file::read_bytes(&form.bytes).expect_err(form.name);
        assert!(error.to_string().contains(form.told), "{}: {error}", form.name);
        let way = error.way().unwrap_or_default();
        assert!(way.contains(form.way) && way.is_empty() == form.way.is_empty(), "{}: {way}", form.name);
    }
    for mark in ["", "\u{feff}"] {
        let read = file::read_bytes(format!("{mark}{good}").as_bytes()).expect("a state");
        assert_eq!(file::write(&read), good, "written back without the mark");
    }
}

/// The mark is of the address: of an object that takes the place of another one, the same is not shown.
#[test]
fn marks_outlive_a_replacement() {
    let mut bench = Bench::new(3, Durations::Instant);
    bench.apply(&variables(""), Mode::Apply);
    let mut state: Value = serde_json::from_str(&file::write(&bench.state())).expect("JSON");
    let marks = serde_json::json!([[{ "type": "get_attr", "value": "username" }]]);
    for resource in state["resources"].as_array_mut().expect("a list") {
        if resource["type"] == "aws_db_instance" {
            resource["instances"][0]["sensitive_attributes"] = marks.clone();
        }
    }
    bench.store = MemoryStore::holding(file::read(&state.to_string()).expect("a state"));
    let planned = bench.apply(&variables("db_username = \"another\"\n"), Mode::Apply);
    assert_eq!(planned.plan.counts(), (1, 0, 1), "it is replaced");
    let state: Value = serde_json::from_str(&file::write(&bench.state())).expect("JSON");
    let resources = state["resources"].as_array().expect("a list");
    let database = resources.iter().find(|resource| resource["type"] == "aws_db_instance").expect("a database");
    assert_eq!(database["instances"][0]["attributes"]["username"], "another");
    assert_eq!(database["instances"][0]["sensitive_attributes"], marks);
}
