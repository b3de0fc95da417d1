//! The life of database instances, and their maintenance windows. What they are refused is in the scenarios.

use std::collections::BTreeSet;

use aloka_core::api::Ec2::*;
use aloka_core::api::Rds::*;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_sim::aws::Options;
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, Network, database, with};

#[test]
fn the_password_is_looked_at_and_not_kept() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    let arguments = database("main", "db", &network.group);
    let mut short = Secrets::default();
    short.insert(DB_PASSWORD, Secret::new("short"));
    let mut other = cloud.clone();
    other.secrets = short;
    let error = other.send(CreateDBInstance, &arguments).expect_err("too short");
    assert_eq!(
        error.message,
        "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
    );
    cloud.ok(CreateDBInstance, arguments);
    let literal =
        json!({"DBInstanceIdentifier": "main", "MasterUserPassword": "literal-password", "ApplyImmediately": true});
    cloud.ok(ModifyDBInstance, literal);
    let saved = serde_json::to_string(&cloud.account).expect("an account");
    assert!(!saved.contains("correct-horse") && !saved.contains("literal-password"));
}

/// Waits, in steps of five seconds, until the status is another; answers it.
fn next_status(cloud: &mut Cloud, name: &str) -> String {
    let status = |cloud: &mut Cloud| cloud.described_db(name).get("DBInstanceStatus").as_str().map(str::to_owned);
    let before = status(cloud);
    for _ in 0..1000 {
        cloud.wait(5);
        let after = status(cloud);
        if after != before {
            return after.expect("a status");
        }
    }
    panic!("{name} stays {before:?}");
}

#[test]
fn a_database_comes_and_goes() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    let reply = cloud.ok(CreateDBInstance, database("Main", "db", &network.group));
    let created = reply.get("DBInstance");
    assert_eq!(created.get("DBInstanceIdentifier"), &"main".into());
    assert_eq!(created.get("DBInstanceStatus"), &"creating".into());
    assert!(created.get("Endpoint").is_null());
    let resource = created.get("DbiResourceId").as_str().expect("an identifier");
    assert!(resource.len() == 29 && resource.starts_with("db-"), "{resource}");
    let modify = |changes: Json| with(json!({"DBInstanceIdentifier": "main", "ApplyImmediately": true}), changes);
    let delete = json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true});
    let busy = [
        (ModifyDBInstance, modify(json!({"DeletionProtection": true})), "InvalidDBInstanceState"),
        (DeleteDBInstance, delete.clone(), "InvalidDBInstanceState"),
        (DeleteDBSubnetGroup, json!({"DBSubnetGroupName": "db"}), "InvalidDBSubnetGroupStateFault"),
        (CreateDBInstance, database("main", "db", &network.group), "DBInstanceAlreadyExists"),
    ];
    cloud.table(&busy);
    assert_eq!(next_status(&mut cloud, "main"), "backing-up");
    cloud.table(&busy);
    let endpoint = cloud.described_db("main").at("Endpoint.Address").cloned().expect("an address");
    let endpoint = endpoint.as_str().expect("a text");
    assert!(endpoint.starts_with("main.") && endpoint.ends_with(".us-east-1.rds.amazonaws.com"), "{endpoint}");
    assert_eq!(next_status(&mut cloud, "main"), "available");
    assert_eq!(cloud.now.0 / 1000, 390, "as long as usual");
    assert_eq!(cloud.described_db("main").get("PendingModifiedValues"), &aloka_core::value::Value::Map([].into()));

    cloud.ok(ModifyDBInstance, modify(json!({"DeletionProtection": true})));
    assert_eq!(cloud.code(DeleteDBInstance, &delete), "InvalidParameterCombination");
    cloud.ok(ModifyDBInstance, modify(json!({"DeletionProtection": false})));
    let named = |skip: bool, name: &str| json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": skip, "FinalDBSnapshotIdentifier": name});
    cloud.table(&[
        (
            DeleteDBInstance,
            json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": false}),
            "InvalidParameterCombination",
        ),
        (DeleteDBInstance, named(true, "last"), "InvalidParameterCombination"),
        (DeleteDBInstance, named(false, "last"), "ok"),
        (DeleteDBInstance, named(false, "la--st"), "InvalidParameterValue"),
        (DeleteDBInstance, json!({"DBInstanceIdentifier": "other", "SkipFinalSnapshot": true}), "DBInstanceNotFound"),
    ]);
    let mut snapshot = cloud.clone();
    snapshot.ok(DeleteDBInstance, named(false, "last"));
    snapshot.wait(1000);
    snapshot.ok(CreateDBInstance, database("main", "db", &network.group));
    snapshot.wait(1000);
    snapshot.table(&[
        (DeleteDBInstance, named(false, "last"), "DBSnapshotAlreadyExists"),
        (DeleteDBInstance, named(false, "last-2"), "ok"),
    ]);

    cloud.ok(DeleteDBInstance, delete.clone());
    cloud.table(&busy);
    assert_eq!(cloud.described_db("main").get("DBInstanceStatus"), &"deleting".into());
    cloud.wait(179);
    cloud.table(&busy);
    cloud.wait(1);
    cloud.table(&[
        (DescribeDBInstances, json!({"DBInstanceIdentifier": "main"}), "DBInstanceNotFound"),
        (DeleteDBInstance, delete, "DBInstanceNotFound"),
        (DeleteDBSubnetGroup, json!({"DBSubnetGroupName": "db"}), "ok"),
        (CreateDBInstance, database("main", "db", &network.group), "ok"),
    ]);
    cloud.table(&network.private.clone().map(|subnet| (DeleteSubnet, json!({"SubnetId": subnet}), "ok")));
}

/// A database that is available, in an account with the usual durations.
fn running() -> (Cloud, Network) {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    cloud.ok(CreateDBInstance, database("main", "db", &network.group));
    cloud.wait(1000);
    (cloud, network)
}

fn modify(changes: Json) -> Json {
    with(json!({"DBInstanceIdentifier": "main", "ApplyImmediately": true}), changes)
}

#[test]
fn a_password_changes_soon() {
    let (mut cloud, _) = running();
    let reply = cloud.ok(
        ModifyDBInstance,
        with(modify(json!({"MasterUserPassword": "another-one"})), json!({"ApplyImmediately": false})),
    );
    assert_eq!(reply.at("DBInstance.PendingModifiedValues.MasterUserPassword"), Some(&"****".into()));
    assert_eq!(next_status(&mut cloud, "main"), "resetting-master-credentials");
    assert_eq!(next_status(&mut cloud, "main"), "available");
    assert_eq!(cloud.described_db("main").at("PendingModifiedValues.MasterUserPassword"), None);
}

/// Milliseconds after Monday, midnight, of `sun:05:00`.
fn time_of_week(text: &str) -> u64 {
    let parts: Vec<&str> = text.split(':').collect();
    let [day, hours, minutes] = parts[..] else { panic!("{text} is no time") };
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().position(|name| *name == day).expect("a day");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    ((u64::try_from(day).expect("few") * 24 + number(hours)) * 60 + number(minutes)) * 60_000
}

#[test]
fn what_waits_is_done_in_the_window_that_is_shown_and_not_before() {
    const WEEK: u64 = 7 * 24 * 3600 * 1000;
    let mut windows = BTreeSet::new();
    for seed in 0..20 {
        let mut cloud = Cloud::new(Options { seed, ..Options::default() });
        let network = Network::new(&mut cloud);
        network.subnet_group(&mut cloud, "db");
        cloud.ok(CreateDBInstance, database("main", "db", &network.group));
        // Some wait longer than a week, with nothing to do in their first window.
        cloud.wait(3600 + seed * 50_000);
        let later = json!({"DBInstanceClass": "db.t3.small", "MultiAZ": true, "ApplyImmediately": false});
        let asked = cloud.now.0;
        cloud.ok(ModifyDBInstance, with(modify(json!({})), later));
        let shown = cloud.described_db("main");
        let window = shown.get("PreferredMaintenanceWindow").as_str().expect("a window").to_owned();
        let (begin, end) = window.split_once('-').expect("a begin and an end");
        assert_eq!(time_of_week(end) - time_of_week(begin), 30 * 60 * 1000, "{window}");
        let mut status = String::from("available");
        while status == "available" {
            cloud.wait(60);
            assert!(cloud.now.0 <= asked + WEEK + 60_000, "{window}: nothing happened since {asked}");
            status = cloud.described_db("main").get("DBInstanceStatus").as_str().expect("a status").to_owned();
        }
        let into = (cloud.now.0 + WEEK - time_of_week(begin)) % WEEK;
        assert!(into < 60_000, "{window}: {status} {into} ms after it began");
        cloud.wait(3600);
        let changed = cloud.described_db("main");
        assert_eq!((changed.get("DBInstanceClass"), changed.get("MultiAZ")), (&"db.t3.small".into(), &true.into()));
        windows.insert(window);
    }
    assert!(windows.len() > 10, "{windows:?}");
}

/// The window of an instance that is busy when it begins, and of one that was deleted and made anew, is let pass.
#[test]
fn a_window_that_finds_no_one_ready_is_let_pass() {
    let (mut cloud, network) = running();
    let later = |cloud: &mut Cloud, class: &str| {
        cloud.ok(ModifyDBInstance, with(modify(json!({"DBInstanceClass": class})), json!({"ApplyImmediately": false})))
    };
    let window = cloud.described_db("main").get("PreferredMaintenanceWindow").as_str().expect("a window").to_owned();
    let begin = time_of_week(window.split_once('-').expect("a begin").0) / 1000;
    later(&mut cloud, "db.t3.small");
    let mut anew = cloud.clone();

    cloud.wait(begin - cloud.now.0 / 1000 - 10);
    cloud.ok(
        ModifyDBInstance,
        with(modify(json!({"MasterUserPassword": "another-one"})), json!({"ApplyImmediately": false})),
    );
    cloud.wait(3600);
    assert_eq!(cloud.described_db("main").get("DBInstanceClass"), &"db.t3.micro".into());
    cloud.wait(7 * 24 * 3600);
    assert_eq!(cloud.described_db("main").get("DBInstanceClass"), &"db.t3.small".into());

    anew.ok(DeleteDBInstance, json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true}));
    anew.wait(1000);
    anew.ok(CreateDBInstance, database("main", "db", &network.group));
    anew.wait(1000);
    let other = anew.described_db("main").get("PreferredMaintenanceWindow").as_str().expect("a window").to_owned();
    assert_ne!(other, window, "another draw");
    later(&mut anew, "db.t3.medium");
    anew.wait(begin - anew.now.0 / 1000 + 1200);
    let class = anew.described_db("main").get("DBInstanceClass").clone();
    let is_over = time_of_week(other.split_once('-').expect("a begin").0) / 1000 < begin;
    assert_eq!(class, if is_over { "db.t3.medium" } else { "db.t3.micro" }.into());
    anew.wait(7 * 24 * 3600);
    assert_eq!(anew.described_db("main").get("DBInstanceClass"), &"db.t3.medium".into());
}

/// A standby asked for just before a deletion must not outlive it.
#[test]
fn a_change_under_way_ends_with_the_deletion() {
    let (mut cloud, network) = running();
    cloud.ok(ModifyDBInstance, modify(json!({"MultiAZ": true})));
    cloud.ok(DeleteDBInstance, json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true}));
    cloud.wait(1000);
    cloud.table(&[
        (DeleteSubnet, json!({"SubnetId": network.private[0]}), "ok"),
        (DeleteSubnet, json!({"SubnetId": network.private[1]}), "ok"),
        (DeleteSecurityGroup, json!({"GroupId": network.group}), "ok"),
    ]);
}
