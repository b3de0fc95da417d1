//! Settings that protect data are the owner's: no call of a plan weakens one that the variables do not set, and where data
//! goes, the plan asks for its name.
//!
//! The oracle reads the arguments of calls, knows what RDS does with them, and nothing of how they came about.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aloka_core::address::Address;
use aloka_core::api::{Call, Operation, Rds, Request};
use aloka_core::engine::{Cause, Outcome};
use aloka_core::kind::Kind;
use aloka_core::plan::saved::differences;
use aloka_core::plan::{Lost, Mode, Occasion, Plan};
use aloka_core::plan::{Planned, Problem};
use aloka_core::render::{Options, Text, plan_text};
use aloka_core::value::Value;
use aloka_sim::aws::{Durations, ObjectKind};
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::store::MemoryStore;
use aloka_sim::trace::Trace;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, secrets, variables};
use proptest::prelude::*;
use serde_json::json;

const ID: &str = "aloka-dev-db";
const DATABASE: &str = "aws_db_instance.postgres";

/// A setting: its variable, and lines that leave it strong, make it weaker, and make it stronger than [`STRONG`] has it.
struct Setting {
    variable: &'static str,
    strong: &'static str,
    weaker: &'static str,
    stronger: &'static str,
}

const SETTINGS: [Setting; 9] = [
    Setting { variable: "db_backup_retention_days", strong: "7", weaker: "0", stronger: "9" },
    Setting { variable: "db_copy_tags_to_snapshot", strong: "true", weaker: "false", stronger: "true" },
    Setting { variable: "db_delete_automated_backups", strong: "false", weaker: "true", stronger: "false" },
    Setting { variable: "db_deletion_protection", strong: "true", weaker: "false", stronger: "true" },
    Setting {
        variable: "db_enabled_cloudwatch_logs_exports",
        strong: "[\"postgresql\"]",
        weaker: "[]",
        stronger: "[\"postgresql\", \"upgrade\"]",
    },
    Setting {
        variable: "db_final_snapshot_identifier",
        strong: "\"keep-me\"",
        weaker: "\"other\"",
        stronger: "\"keep-me\"",
    },
    Setting { variable: "db_max_allocated_storage", strong: "100", weaker: "0", stronger: "200" },
    Setting { variable: "db_multi_az", strong: "true", weaker: "false", stronger: "true" },
    Setting { variable: "db_skip_final_snapshot", strong: "false", weaker: "true", stronger: "false" },
];

/// What a variables file says of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Null,
    Weaker,
    Same,
    Stronger,
}

const SAID: [Said; 5] = [Said::Nothing, Said::Null, Said::Weaker, Said::Same, Said::Stronger];

fn line(setting: &Setting, said: Said) -> String {
    let value = match said {
        Said::Nothing => return String::new(),
        Said::Null => "null",
        Said::Weaker => setting.weaker,
        Said::Same => setting.strong,
        Said::Stronger => setting.stronger,
    };
    format!("{} = {value}\n", setting.variable)
}

fn all_strong() -> String {
    SETTINGS.iter().map(|setting| line(setting, Said::Same)).collect()
}

/// What a command does with the database.
const DEEDS: [(&str, &str, Mode); 3] = [
    ("change", "db_instance_class = \"db.t3.small\"\n", Mode::Apply),
    ("replace", "db_name = \"other\"\n", Mode::Apply),
    ("destroy", "", Mode::Destroy),
];

/// A database whose owner has made every setting strong.
fn standing() -> Bench {
    let mut bench = Bench::new(91, Durations::Instant);
    bench.apply(&variables(&all_strong()), Mode::Apply);
    bench.world.rest(Duration::from_secs(3600));
    bench
}

fn sent(plan: &Plan) -> Vec<Call> {
    let calls =
        plan.calls().filter(|(_, call, occasion)| *occasion == Occasion::Always && call.operation.is_mutating());
    calls.map(|(_, call, _)| call.clone()).filter(|call| call.operation.name().contains("DBInstance")).collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_list().unwrap_or_default().iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Variables of the settings that these calls weaken, of a database that is as [`standing`] makes it.
fn weakened(calls: &[Call]) -> BTreeSet<&'static str> {
    let mut weak = BTreeSet::new();
    let mut unprotected = false;
    for call in calls {
        let (flag, number) = (|name: &str| call.arg(name).as_bool(), |name: &str| call.arg(name).as_i64());
        let made = call.operation == Operation::Rds(Rds::CreateDBInstance);
        match call.operation {
            Operation::Rds(Rds::ModifyDBInstance) | Operation::Rds(Rds::CreateDBInstance) => {
                // What a creation does not say is what RDS has by default: off, and backups of a day.
                let days = number("BackupRetentionPeriod").or(made.then_some(1));
                let limit = number("MaxAllocatedStorage").or(made.then_some(0));
                if days.is_some_and(|days| days < 7) {
                    weak.insert("db_backup_retention_days");
                }
                if limit.is_some_and(|limit| limit < 100) {
                    weak.insert("db_max_allocated_storage");
                }
                for (name, variable) in [
                    ("CopyTagsToSnapshot", "db_copy_tags_to_snapshot"),
                    ("DeletionProtection", "db_deletion_protection"),
                    ("MultiAZ", "db_multi_az"),
                ] {
                    if flag(name).or(made.then_some(false)) == Some(false) {
                        weak.insert(variable);
                    }
                }
                let logs = call.arg("CloudwatchLogsExportConfiguration").get("DisableLogTypes").clone();
                let ends = texts(&logs).contains("postgresql");
                if ends || (made && !texts(call.arg("EnableCloudwatchLogsExports")).contains("postgresql")) {
                    weak.insert("db_enabled_cloudwatch_logs_exports");
                }
                unprotected |= flag("DeletionProtection") == Some(false);
            }
            Operation::Rds(Rds::DeleteDBInstance) => {
                let snapshot = call.arg("FinalDBSnapshotIdentifier").as_str();
                if flag("SkipFinalSnapshot") != Some(false) || snapshot.is_none() {
                    weak.insert("db_skip_final_snapshot");
                } else if snapshot != Some("keep-me") {
                    weak.insert("db_final_snapshot_identifier");
                }
                if flag("DeleteAutomatedBackups") != Some(false) {
                    weak.insert("db_delete_automated_backups");
                }
                // AWS would refuse it.
                assert!(unprotected, "a protected database is to be deleted: {call}");
            }
            other => panic!("{other}"),
        }
    }
    weak
}

/// What the data of these calls is, that goes.
fn lost(calls: &[Call]) -> BTreeMap<String, Lost> {
    let mut lost = BTreeMap::new();
    for call in calls {
        let id = call.arg("DBInstanceIdentifier").as_str().expect("a name").to_owned();
        if call.operation == Operation::Rds(Rds::DeleteDBInstance) {
            lost.insert(id, Lost::Database);
        } else if call.operation == Operation::Rds(Rds::ModifyDBInstance)
            && *call.arg("BackupRetentionPeriod") == Value::from(0)
        {
            lost.entry(id).or_insert(Lost::Backups);
        }
    }
    lost
}

fn text(plan: &Plan) -> String {
    let text: Text = plan_text(plan, Options::default());
    text.plain()
}

/// Judges one plan: what it weakens was set to be weaker, and what it loses has to be named.
fn judge(planned: &Planned, set_weaker: &BTreeSet<&str>, what: &str) -> BTreeSet<&'static str> {
    let calls = sent(&planned.plan);
    let weak = weakened(&calls);
    let unasked: Vec<_> = weak.iter().filter(|variable| !set_weaker.contains(*variable)).collect();
    assert!(unasked.is_empty(), "{what}: {unasked:?} were weakened by {calls:?}");
    let lost = lost(&calls);
    assert_eq!(planned.plan.data_loss().databases, lost, "{what}");
    // And it is told, with the name of the snapshot that is made.
    let shown = text(&planned.plan);
    for (id, lost) in lost {
        let told = match lost {
            Lost::Database => format!("This plan destroys the data of database \"{id}\"."),
            Lost::Backups => format!("This plan deletes the automated backups of database \"{id}\"."),
        };
        assert!(shown.contains(&told), "{what}: {shown}");
    }
    for call in calls.iter().filter(|call| call.operation == Operation::Rds(Rds::DeleteDBInstance)) {
        let told = match call.arg("FinalDBSnapshotIdentifier").as_str() {
            Some(name) => format!("a final snapshot of it is made before it is deleted, called {name}"),
            None => "no final snapshot of it is made before it is deleted".to_owned(),
        };
        assert!(shown.contains(&told), "{what}: {shown}");
        let backups = if *call.arg("DeleteAutomatedBackups") == Value::from(false) {
            "outlive it"
        } else {
            "are deleted with it"
        };
        assert!(shown.contains(backups), "{what}: {shown}");
    }
    weak
}

/// Each setting with each thing that a variables file can say of it, for each deed; the others are not set, or all are.
#[test]
fn no_setting_is_weakened_unless_the_variables_say_so() {
    let standing = standing();
    for (deed, more, mode) in DEEDS {
        // A destroy never turns the protection off: it is refused.
        let unprotected = "db_deletion_protection = false\n";
        let mut bench = standing.clone();
        if mode == Mode::Destroy {
            bench.apply(&variables(unprotected), Mode::Apply);
        }
        for (setting, said) in SETTINGS.iter().flat_map(|setting| SAID.map(|said| (setting, said))) {
            let what = format!("{deed}, {} {said:?}", setting.variable);
            let own = line(setting, said);
            let is_protection = setting.variable == "db_deletion_protection";
            // Who replaces it has to turn its protection off.
            let open = if deed == "replace" && !is_protection { unprotected } else { "" };
            let mut weaker: BTreeSet<&str> = BTreeSet::new();
            weaker.extend((said == Said::Weaker).then_some(setting.variable));
            weaker.extend((!open.is_empty()).then_some("db_deletion_protection"));
            match bench.plan(&variables(&format!("{more}{open}{own}")), mode) {
                Ok(planned) => {
                    let weak = if mode == Mode::Destroy {
                        // Nothing of the calls tells of a protection that is off already.
                        judge_destroy(&planned, &weaker, &what)
                    } else {
                        judge(&planned, &weaker, &what)
                    };
                    let is_sent = match (setting.variable, deed) {
                        (
                            "db_skip_final_snapshot" | "db_final_snapshot_identifier" | "db_delete_automated_backups",
                            "change",
                        ) => false,
                        (_, "destroy") => {
                            setting.variable.contains("snapshot_identifier")
                                || setting.variable.contains("skip")
                                || setting.variable.contains("delete_auto")
                        }
                        (_, _) => true,
                    };
                    let wanted = said == Said::Weaker && is_sent;
                    assert_eq!(weak.contains(setting.variable), wanted, "{what}: {weak:?}");
                }
                Err(problems) => {
                    let stays = deed == "replace" && is_protection && said != Said::Weaker;
                    assert!(
                        stays && format!("{problems:?}").contains("deletion protection is on"),
                        "{what}: {problems:?}"
                    );
                }
            }
        }
    }
}

fn judge_destroy(planned: &Planned, weaker: &BTreeSet<&str>, what: &str) -> BTreeSet<&'static str> {
    let mut calls = sent(&planned.plan);
    let off = [
        ("DBInstanceIdentifier", Value::str(ID)),
        ("DeletionProtection", false.into()),
        ("ApplyImmediately", true.into()),
    ];
    assert_eq!(lost(&calls), planned.plan.data_loss().databases, "{what}");
    calls.insert(0, Call::new(Rds::ModifyDBInstance, off));
    let mut weak = weakened(&calls);
    weak.remove("db_deletion_protection");
    assert!(weak.iter().all(|variable| weaker.contains(variable)), "{what}: {weak:?}");
    weak
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![3 => Just(Said::Nothing), 1 => Just(Said::Null), 2 => Just(Said::Weaker), 1 => Just(Said::Same), 1 => Just(Said::Stronger)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any of them at once; then it is carried out, and there is nothing left to do.
    #[test]
    fn no_settings_are_weakened_unless_the_variables_say_so(
        words in proptest::collection::vec(said(), SETTINGS.len()),
        replaces in any::<bool>(),
    ) {
        let mut bench = standing();
        let lines: String = SETTINGS.iter().zip(&words).map(|(setting, said)| line(setting, *said)).collect();
        let more = if replaces { "db_name = \"other\"\n" } else { "" };
        let asked = variables(&format!("{lines}{more}"));
        let weaker: BTreeSet<&str> = SETTINGS.iter().zip(&words).filter(|(_, said)| **said == Said::Weaker).map(|(setting, _)| setting.variable).collect();
        if let Ok(planned) = bench.plan(&asked, Mode::Apply) {
            judge(&planned, &weaker, &lines);
            bench.apply(&asked, Mode::Apply);
            let again = bench.plan(&asked, Mode::Apply).expect("a plan");
            prop_assert!(again.plan.is_empty(), "{lines}: {:?}", again.plan.nodes);
            // Who then sets nothing has what is there.
            let again = bench.plan(&variables(more), Mode::Apply).expect("a plan");
            prop_assert!(again.plan.is_empty(), "{lines}: {:?}", again.plan.nodes);
        } else {
            prop_assert!(replaces && !weaker.contains("db_deletion_protection"), "{lines}");
        }
    }
}

fn edit_database(bench: &mut Bench, field: &str, value: &serde_json::Value) {
    let mut account = serde_json::to_value(&bench.world.account).expect("JSON");
    for database in account["db_instances"].as_object_mut().expect("databases").values_mut() {
        database[field] = value.clone();
    }
    bench.world.account = serde_json::from_value(account).expect("an account");
}

fn edit_record(bench: &mut Bench, attribute: &str, value: Value) {
    let mut state = bench.state();
    let address: Address = DATABASE.parse().expect("an address");
    let resource = std::sync::Arc::make_mut(state.resources.get_mut(&address).expect("recorded"));
    std::sync::Arc::make_mut(&mut resource.attributes).insert(aloka_core::intern::key(attribute), value);
    bench.store = MemoryStore::holding(state);
}

/// What the owner set in the console or another tool recorded, and aloka never heard of.
#[test]
fn what_was_set_elsewhere_stays_and_is_told() {
    let changes: [(&str, serde_json::Value, &str); 5] = [
        ("retention", json!(7), "backup_retention_period = 7 (db_backup_retention_days)"),
        ("multi_az", json!(true), "multi_az = true (db_multi_az)"),
        ("protected", json!(true), "db_deletion_protection is not set"),
        ("max_storage", json!(100), "max_allocated_storage = 100 (db_max_allocated_storage)"),
        ("storage", json!(26), "allocated_storage = 26 (db_allocated_storage)"),
    ];
    let mut fresh = Bench::new(92, Durations::Instant);
    fresh.apply(&variables(""), Mode::Apply);
    for (field, value, told) in changes {
        let mut bench = fresh.clone();
        edit_database(&mut bench, field, &value);
        for _ in 0..2 {
            let planned = bench.apply(&variables(""), Mode::Apply);
            assert!(planned.plan.is_empty(), "{field}: {:?}", planned.plan.nodes);
            assert!(planned.warnings.iter().any(|line| line.contains(told)), "{field}: {:?}", planned.warnings);
        }
    }
    let records = [
        ("skip_final_snapshot", Value::from(false), "skip_final_snapshot = false (db_skip_final_snapshot)"),
        ("delete_automated_backups", false.into(), "delete_automated_backups = false (db_delete_automated_backups)"),
    ];
    for (attribute, value, told) in records {
        let mut bench = fresh.clone();
        edit_record(&mut bench, attribute, value.clone());
        let planned = bench.apply(&variables(""), Mode::Apply);
        assert!(planned.plan.is_empty(), "{attribute}: {:?}", planned.plan.nodes);
        assert!(planned.warnings.iter().any(|line| line.contains(told)), "{attribute}: {:?}", planned.warnings);
        let address = Address::root(Kind::DbInstance, "postgres");
        assert_eq!(bench.state().attribute(&address, attribute), Some(&value), "{attribute}");
    }
}

/// Names of the snapshots that there are.
fn snapshots(bench: &Bench) -> Vec<String> {
    let objects = bench.world.account.objects(bench.world.now()).into_iter();
    objects.filter(|object| object.kind == ObjectKind::DbSnapshot).map(|object| object.id).collect()
}

fn backups(bench: &Bench) -> usize {
    let objects = bench.world.account.objects(bench.world.now()).into_iter();
    objects.filter(|object| object.kind == ObjectKind::DbBackups).count()
}

#[test]
fn a_destroy_makes_the_snapshot_and_keeps_the_backups_that_the_state_records() {
    for (retention, keeps, kept) in [(7, false, 1), (7, true, 0), (0, false, 0)] {
        let mut bench = Bench::new(93, Durations::Instant);
        let made = format!(
            "db_skip_final_snapshot = false\ndb_backup_retention_days = {retention}\ndb_delete_automated_backups = {keeps}\n"
        );
        bench.apply(&variables(&made), Mode::Apply);
        bench.apply(&variables(""), Mode::Destroy);
        assert!(bench.state().is_empty() && bench.world.account.is_empty(bench.world.now()));
        assert_eq!(snapshots(&bench), ["aloka-dev-db-final"]);
        assert_eq!(backups(&bench), kept, "{made}");
        bench.world.rest(Duration::from_secs(8 * 86_400));
        assert_eq!(backups(&bench), 0, "they are as old as they get");
    }
}

/// The next database of this name ends under another name; a name of the owner's is not exchanged for another.
#[test]
fn a_name_that_is_taken_is_not_used() {
    let mut bench = Bench::new(94, Durations::Instant);
    for names in [&["aloka-dev-db-final"][..], &["aloka-dev-db-final", "aloka-dev-db-final-2"]] {
        bench.apply(&variables("db_skip_final_snapshot = false\n"), Mode::Apply);
        bench.world.rest(Duration::from_secs(60));
        bench.apply(&variables(""), Mode::Destroy);
        assert_eq!(snapshots(&bench), names);
    }
    bench.apply(&variables("db_final_snapshot_identifier = \"Aloka-dev-db-FINAL\"\n"), Mode::Apply);
    bench.world.rest(Duration::from_secs(60));
    for said in ["", "db_final_snapshot_identifier = \"aloka-dev-db-final-2\"\n"] {
        match bench.plan(&variables(said), Mode::Destroy).expect_err("taken").as_slice() {
            [Problem::Impossible { summary, hint }] => {
                assert!(summary.contains("there is a snapshot of that name"), "{summary}");
                assert!(hint.contains("db_final_snapshot_identifier"), "{hint}");
            }
            other => panic!("{other:?}"),
        }
    }
    bench.apply(&variables("db_final_snapshot_identifier = \"free\"\n"), Mode::Destroy);
    assert_eq!(snapshots(&bench), ["aloka-dev-db-final", "aloka-dev-db-final-2", "free"]);
}

/// A plan without a final snapshot asks for no snapshots.
#[test]
fn snapshots_are_read_only_for_a_plan_that_makes_one() {
    for (lines, more, mode, reads) in [
        ("", "", Mode::Destroy, false),
        ("db_skip_final_snapshot = false\n", "", Mode::Apply, false),
        ("db_skip_final_snapshot = false\n", "db_name = \"other\"\n", Mode::Apply, true),
        ("db_skip_final_snapshot = false\n", "", Mode::Destroy, true),
        ("db_skip_final_snapshot = false\n", "db_skip_final_snapshot = true\n", Mode::Destroy, false),
    ] {
        let mut bench = Bench::new(95, Durations::Instant);
        bench.apply(&variables(lines), Mode::Apply);
        bench.world.trace = Trace::on();
        let asked = |bench: &Bench| {
            let entries = bench.world.trace.entries().iter();
            entries.filter(|entry| entry.operation == Some(Operation::Rds(Rds::DescribeDBSnapshots))).count()
        };
        bench.plan(&variables(more), mode).expect("a plan");
        assert_eq!(asked(&bench) > 0, reads, "{lines}{more}{mode:?}");
    }
}

/// Somebody takes the name between plan and apply: nothing is deleted, and the failure says why.
#[test]
fn a_name_that_is_taken_meanwhile_deletes_nothing() {
    let mut bench = Bench::new(96, Durations::Instant);
    bench.apply(&variables("db_skip_final_snapshot = false\n"), Mode::Apply);
    let planned = bench.plan(&variables(""), Mode::Destroy).expect("a plan");
    let mut account = serde_json::to_value(&bench.world.account).expect("JSON");
    account["snapshots"] =
        json!({ "aloka-dev-db-final": { "database": "other", "resource_id": "db-OTHER", "ready": 0 } });
    bench.world.account = serde_json::from_value(account).expect("an account");
    // A saved plan is stale by that.
    let now = bench.plan(&variables(""), Mode::Destroy).expect("a plan");
    assert!(!differences(&planned.plan, &now.plan).is_empty());
    let RunEnd::Outcome(Outcome::Failed { failures, .. }) = bench.run(&planned, &mut Unwatched) else { panic!("done") };
    let Cause::Call { error, .. } = &failures[0].cause else { panic!("{failures:?}") };
    assert_eq!(error.code, "DBSnapshotAlreadyExists");
    assert_eq!(database(&mut bench, "DBInstanceStatus").as_deref(), Some("available"));
    // The next run chooses another.
    bench.apply(&variables(""), Mode::Destroy);
    assert_eq!(snapshots(&bench), ["aloka-dev-db-final", "aloka-dev-db-final-2"]);
}

fn database(bench: &mut Bench, field: &str) -> Option<String> {
    let now = bench.world.now();
    let reply = bench.world.account.call(now, &Request(Call::new(Rds::DescribeDBInstances, [])), &secrets());
    reply.expect("a list").at(&format!("DBInstances.0.{field}")).and_then(Value::as_str).map(str::to_owned)
}

/// Killed around the deletion, a plain re-run makes the snapshot once, under the name of the first plan.
#[test]
fn a_deletion_that_was_cut_short_makes_one_snapshot() {
    for name in ["", "db_final_snapshot_identifier = \"keep-me\"\n"] {
        for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::CrashAnswered, Fault::LostReply] {
            for delay in [0, 10_000] {
                let options = aloka_sim::aws::Options {
                    seed: 97,
                    durations: Durations::Median,
                    visibility_delay_ms: delay,
                    ..aloka_sim::aws::Options::default()
                };
                let mut bench = Bench::with(options);
                bench.apply(&variables(&format!("db_skip_final_snapshot = false\n{name}")), Mode::Apply);
                bench.world.rest(Duration::from_secs(3600));
                let planned = bench.plan(&variables(""), Mode::Destroy).expect("a plan");
                let when = When::Call { operation: Some(Operation::Rds(Rds::DeleteDBInstance)), nth: 1 };
                bench.world.faults = FaultPlan(vec![(when, fault.clone())]);
                let _cut = bench.run(&planned, &mut Unwatched);
                for _ in 0..2 {
                    bench.apply(&variables(""), Mode::Destroy);
                }
                let wanted = if name.is_empty() { "aloka-dev-db-final" } else { "keep-me" };
                assert_eq!(snapshots(&bench), [wanted], "{name}{fault:?} {delay}");
                assert!(bench.state().is_empty());
            }
        }
    }
}

/// What its owner made of the database survives its replacement, also one that was cut short in between.
#[test]
fn a_replacement_has_the_settings_of_its_predecessor() {
    let made = "db_backup_retention_days = 7\ndb_multi_az = true\ndb_skip_final_snapshot = false\ndb_max_allocated_storage = 100\n\
                db_enabled_cloudwatch_logs_exports = [\"upgrade\"]\ndb_allocated_storage = 40\n";
    for cut in [false, true] {
        let mut bench = Bench::new(98, Durations::Instant);
        bench.apply(&variables(made), Mode::Apply);
        let other = variables("db_name = \"other\"\n");
        if cut {
            let planned = bench.plan(&other, Mode::Apply).expect("a plan");
            let when = When::Call { operation: Some(Operation::Rds(Rds::CreateDBInstance)), nth: 2 };
            bench.world.faults = FaultPlan(vec![(when, Fault::CrashBefore)]);
            assert!(!matches!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(_)));
        }
        bench.apply(&other, Mode::Apply);
        let address = Address::root(Kind::DbInstance, "postgres");
        let state = bench.state();
        for (attribute, wanted) in [
            ("backup_retention_period", Value::from(7)),
            ("multi_az", true.into()),
            ("skip_final_snapshot", false.into()),
            ("max_allocated_storage", 100.into()),
            ("enabled_cloudwatch_logs_exports", Value::list(["upgrade"])),
            ("allocated_storage", 40.into()),
        ] {
            assert_eq!(state.attribute(&address, attribute), Some(&wanted), "{attribute}, cut: {cut}");
        }
        assert!(bench.plan(&other, Mode::Apply).expect("a plan").plan.is_empty());
        assert_eq!(snapshots(&bench), ["aloka-dev-db-final"]);
    }
    // Somebody deleted it: it is made as it was.
    let mut bench = Bench::new(98, Durations::Instant);
    bench.apply(&variables(made), Mode::Apply);
    let mut account = serde_json::to_value(&bench.world.account).expect("JSON");
    account["db_instances"] = json!({});
    bench.world.account = serde_json::from_value(account).expect("an account");
    bench.apply(&variables(""), Mode::Apply);
    let state = bench.state();
    let retention = state.attribute(&Address::root(Kind::DbInstance, "postgres"), "backup_retention_period").cloned();
    assert_eq!(retention, Some(7.into()));
    // Who destroyed it begins anew.
    let mut bench = Bench::new(98, Durations::Instant);
    bench.apply(&variables(made), Mode::Apply);
    bench.apply(&variables(""), Mode::Destroy);
    bench.apply(&variables(""), Mode::Apply);
    let state = bench.state();
    let retention = state.attribute(&Address::root(Kind::DbInstance, "postgres"), "backup_retention_period").cloned();
    assert_eq!(retention, Some(0.into()));
}

/// RDS makes none of a database that is lost: whoever wants one is told before anything goes.
#[test]
fn a_final_snapshot_that_rds_would_not_make_is_refused_when_it_is_planned() {
    for status in ["failed", "incompatible-restore", "incompatible-network", "incompatible-option-group"] {
        let mut bench = Bench::new(99, Durations::Instant);
        bench.apply(&variables("db_skip_final_snapshot = false\n"), Mode::Apply);
        edit_database(&mut bench, "failure", &json!({ "code": status, "message": "" }));
        let problems = bench.plan(&variables(""), Mode::Destroy).expect_err(status);
        assert!(format!("{problems:?}").contains("RDS makes no final snapshot of it"), "{status}: {problems:?}");
        bench.apply(&variables("db_skip_final_snapshot = true\n"), Mode::Destroy);
        assert!(bench.state().is_empty() && snapshots(&bench).is_empty(), "{status}");
    }
    // Of one that is stopped or full it does.
    for status in ["stopped", "storage-full"] {
        let mut bench = Bench::new(99, Durations::Instant);
        bench.apply(&variables("db_skip_final_snapshot = false\n"), Mode::Apply);
        edit_database(&mut bench, "failure", &json!({ "code": status, "message": "" }));
        bench.apply(&variables(""), Mode::Destroy);
        assert_eq!(snapshots(&bench).len(), 1, "{status}");
    }
    // One that never came to work has nothing in it.
    let mut bench = Bench::new(99, Durations::Instant);
    let wanted = variables("db_skip_final_snapshot = false\n");
    bench.world.account.fail_next(Operation::Rds(Rds::CreateDBInstance), "failed", "");
    let planned = bench.plan(&wanted, Mode::Apply).expect("a plan");
    bench.run(&planned, &mut Unwatched);
    let planned = bench.apply(&wanted, Mode::Apply);
    assert!(text(&planned.plan).contains("as it never came to work"), "{}", text(&planned.plan));
    assert!(snapshots(&bench).is_empty());
}

/// A change of what only the state knows sends nothing and is recorded, as Terraform does it.
#[test]
fn how_a_database_ends_is_recorded_without_a_call() {
    let mut bench = Bench::new(100, Durations::Instant);
    bench.apply(&variables(""), Mode::Apply);
    let address = Address::root(Kind::DbInstance, "postgres");
    let recorded = |bench: &Bench, name: &str| bench.state().attribute(&address, name).cloned();
    assert_eq!(recorded(&bench, "skip_final_snapshot"), Some(true.into()));
    assert_eq!(recorded(&bench, "delete_automated_backups"), Some(true.into()));
    let wanted = "db_final_snapshot_identifier = \"keep-me\"\ndb_delete_automated_backups = false\n";
    edit_database(&mut bench, "failure", &json!({ "code": "stopped", "message": "" }));
    let planned = bench.apply(&variables(wanted), Mode::Apply);
    assert_eq!(planned.plan.counts(), (0, 1, 0));
    assert!(sent(&planned.plan).is_empty());
    for (name, value) in [
        ("skip_final_snapshot", Value::from(false)),
        ("final_snapshot_identifier", Value::str("keep-me")),
        ("delete_automated_backups", false.into()),
    ] {
        assert_eq!(recorded(&bench, name), Some(value), "{name}");
    }
    assert!(bench.plan(&variables(wanted), Mode::Apply).expect("a plan").plan.is_empty());
    assert!(bench.plan(&variables(""), Mode::Apply).expect("a plan").plan.is_empty());
}

/// RDS may have grown the storage within its limit, and takes a new one only a tenth above what there is.
#[test]
fn a_limit_of_storage_is_set_changed_and_taken_away() {
    let mut bench = Bench::new(101, Durations::Instant);
    bench.apply(&variables("db_allocated_storage = 20\ndb_max_allocated_storage = 100\n"), Mode::Apply);
    edit_database(&mut bench, "storage", &json!(95));
    for lines in ["db_allocated_storage = 20\ndb_max_allocated_storage = 100\n", "db_allocated_storage = 20\n", ""] {
        assert!(bench.plan(&variables(lines), Mode::Apply).expect(lines).plan.is_empty(), "{lines}");
    }
    let problems = bench.plan(&variables("db_max_allocated_storage = 104\n"), Mode::Apply).expect_err("too low");
    assert!(format!("{problems:?}").contains("95 GiB of storage want 105 or more"), "{problems:?}");
    for (limit, shown) in [(105, Some(105)), (0, None), (200, Some(200))] {
        let wanted = variables(&format!("db_max_allocated_storage = {limit}\n"));
        bench.apply(&wanted, Mode::Apply);
        assert!(bench.plan(&wanted, Mode::Apply).expect("a plan").plan.is_empty(), "{limit}");
        let account = serde_json::to_value(&bench.world.account).expect("JSON");
        assert_eq!(account["db_instances"][ID]["max_storage"].as_i64(), shown, "{limit}");
    }
}
