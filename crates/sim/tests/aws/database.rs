//! Database subnet groups and database instances.

use aloka_core::api::Operation::*;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, NOWHERE, Network, database, with};

fn subnet_group(name: &str, subnets: &[&str]) -> Json {
    json!({"DBSubnetGroupName": name, "DBSubnetGroupDescription": "d", "SubnetIds": subnets, "Tags": {}})
}

#[test]
fn subnet_group_rules() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let [a, b] = [network.private[0].as_str(), network.private[1].as_str()];
    let other = cloud.vpc("10.0.0.0/16");
    let foreign = cloud.subnet(&other, "10.0.1.0/24", "us-east-1c");
    network.subnet_group(&mut cloud, "there");
    let nowhere = format!("subnet-{NOWHERE}");
    let modify = |subnets: &[&str]| json!({"DBSubnetGroupName": "there", "SubnetIds": subnets});
    cloud.table(&[
        (CreateDBSubnetGroup, subnet_group("db", &[a, b]), "ok"),
        (CreateDBSubnetGroup, subnet_group("There", &[a, b]), "DBSubnetGroupAlreadyExists"),
        (CreateDBSubnetGroup, subnet_group("db", &[a, &network.public[0]]), "DBSubnetGroupDoesNotCoverEnoughAZs"),
        (CreateDBSubnetGroup, subnet_group("db", &[a, &network.public[1]]), "ok"),
        (CreateDBSubnetGroup, subnet_group("db", &[a]), "DBSubnetGroupDoesNotCoverEnoughAZs"),
        (CreateDBSubnetGroup, subnet_group("db", &[a, &nowhere]), "InvalidSubnet"),
        (CreateDBSubnetGroup, subnet_group("db", &[a, &foreign]), "InvalidSubnet"),
        (CreateDBSubnetGroup, subnet_group("db", &[a, "b"]), "InvalidParameterValue"),
        (CreateDBSubnetGroup, subnet_group("1db", &[a, b]), "InvalidParameterValue"),
        (CreateDBSubnetGroup, subnet_group("default", &[a, b]), "InvalidParameterValue"),
        (CreateDBSubnetGroup, subnet_group("d.b_1 -x", &[a, b]), "ok"),
        (
            CreateDBSubnetGroup,
            with(subnet_group("db", &[a, b]), json!({"Tags": {"address": "x[0]"}})),
            "InvalidParameterValue",
        ),
        (CreateDBSubnetGroup, with(subnet_group("db", &[a, b]), json!({"Tags": {"address": "x/0"}})), "ok"),
        (DescribeDBSubnetGroups, json!({"DBSubnetGroupName": "THERE"}), "ok"),
        (DescribeDBSubnetGroups, json!({"DBSubnetGroupName": "db"}), "DBSubnetGroupNotFoundFault"),
        (ModifyDBSubnetGroup, modify(&[a, &network.public[1]]), "ok"),
        (ModifyDBSubnetGroup, modify(&[a]), "DBSubnetGroupDoesNotCoverEnoughAZs"),
        (DeleteDBSubnetGroup, json!({"DBSubnetGroupName": "there"}), "ok"),
        (DeleteDBSubnetGroup, json!({"DBSubnetGroupName": "db"}), "DBSubnetGroupNotFoundFault"),
        // Nothing is in the subnet, so nothing holds it.
        (DeleteSubnet, json!({"SubnetId": a}), "ok"),
    ]);
    cloud.ok(CreateDBInstance, database("main", "there", &network.group));
    cloud.table(&[
        (DeleteDBSubnetGroup, json!({"DBSubnetGroupName": "there"}), "InvalidDBSubnetGroupStateFault"),
        (ModifyDBSubnetGroup, modify(&[&network.public[0], &network.public[1]]), "SubnetAlreadyInUse"),
        (ModifyDBSubnetGroup, modify(&[a, b, &network.public[1]]), "ok"),
    ]);
    cloud.ok(DeleteSubnet, json!({"SubnetId": network.public[0]}));
    let blocked = [a, b].map(|id| cloud.clone().code(DeleteSubnet, &json!({"SubnetId": id})));
    assert_eq!(blocked.iter().filter(|code| *code == "DependencyViolation").count(), 1, "{blocked:?}");
}

#[test]
fn a_dangling_subnet_group_makes_no_instance() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    cloud.ok(DeleteSubnet, json!({"SubnetId": network.private[0]}));
    assert_eq!(cloud.code(CreateDBInstance, &database("main", "db", &network.group)), "InvalidSubnet");
}

#[test]
fn instance_rules() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    let other = cloud.vpc("10.0.0.0/16");
    let foreign = cloud.group(&other, "app");
    let base = database("main", "db", &network.group);
    let refused = |changes: Json, code: &'static str| (CreateDBInstance, with(base.clone(), changes), code);
    let (value, combination) = ("InvalidParameterValue", "InvalidParameterCombination");
    cloud.table(&[
        refused(json!({}), "ok"),
        refused(json!({"DBInstanceIdentifier": "a".repeat(63)}), "ok"),
        refused(json!({"DBInstanceIdentifier": "a".repeat(64)}), value),
        refused(json!({"DBInstanceIdentifier": "1a"}), value),
        refused(json!({"DBInstanceIdentifier": "a-"}), value),
        refused(json!({"DBInstanceIdentifier": "a--b"}), value),
        refused(json!({"DBInstanceIdentifier": "a-b"}), "ok"),
        refused(json!({"DBInstanceIdentifier": "a_b"}), value),
        refused(json!({"Engine": "postgresql"}), value),
        refused(json!({"EngineVersion": "15.4"}), combination),
        refused(json!({"EngineVersion": "15.13"}), "ok"),
        refused(json!({"EngineVersion": "15"}), "ok"),
        refused(json!({"EngineVersion": "12"}), combination),
        refused(json!({"DBInstanceClass": "db.t9.micro"}), value),
        refused(json!({"DBInstanceClass": "t3.micro"}), value),
        refused(json!({"DBInstanceClass": "db.t2.micro"}), combination),
        refused(json!({"DBInstanceClass": "db.t4g.micro"}), "ok"),
        refused(json!({"AllocatedStorage": 19}), combination),
        refused(json!({"AllocatedStorage": 65_536}), "ok"),
        refused(json!({"AllocatedStorage": 65_537}), combination),
        refused(json!({"StorageType": "io1"}), combination),
        refused(json!({"StorageType": "ssd"}), value),
        refused(json!({"DBName": "my-db"}), value),
        refused(json!({"DBName": "my_db"}), "ok"),
        refused(json!({"DBName": "1db"}), value),
        refused(json!({"MasterUsername": "admin"}), value),
        refused(json!({"MasterUsername": "postgres"}), "ok"),
        refused(json!({"MasterUsername": "a".repeat(17)}), value),
        refused(json!({"MasterUserPassword": "1234567"}), value),
        refused(json!({"MasterUserPassword": "12345678"}), "ok"),
        refused(json!({"MasterUserPassword": "p".repeat(129)}), value),
        refused(json!({"MasterUserPassword": "p".repeat(128)}), "ok"),
        refused(json!({"MasterUserPassword": "with/slash"}), value),
        refused(json!({"MasterUserPassword": "with@sign"}), value),
        refused(json!({"MasterUserPassword": "with\"quote"}), value),
        refused(json!({"MasterUserPassword": "with space"}), value),
        refused(json!({"MasterUserPassword": "with-umlaut-ä"}), value),
        refused(json!({"MasterUserPassword": "all!#$%^&*()the-rest"}), "ok"),
        refused(json!({"MasterUserPassword": {"$secret": "unknown"}}), value),
        refused(json!({"BackupRetentionPeriod": 36}), value),
        refused(json!({"BackupRetentionPeriod": 35}), "ok"),
        refused(json!({"DBSubnetGroupName": "nowhere"}), "DBSubnetGroupNotFoundFault"),
        refused(json!({"VpcSecurityGroupIds": [foreign]}), combination),
        refused(json!({"VpcSecurityGroupIds": [format!("sg-{NOWHERE}")]}), value),
        refused(json!({"PubliclyAccessible": true}), "InvalidVPCNetworkStateFault"),
        refused(json!({"Tags": {"a": "[0]"}}), value),
    ]);
    cloud.ok(ModifyVpcAttribute, json!({"VpcId": network.vpc, "EnableDnsHostnames": true}));
    let public = || json!({"PubliclyAccessible": true});
    cloud.table(&[refused(public(), "ok")]);
    let mut inside = cloud.clone();
    let detach = json!({"InternetGatewayId": network.gateway, "VpcId": network.vpc});
    inside.ok(DetachInternetGateway, detach.clone());
    inside.table(&[refused(public(), "InvalidVPCNetworkStateFault")]);
    cloud.ok(CreateDBInstance, with(base.clone(), public()));
    assert_eq!(cloud.code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.table(&[refused(json!({"DBInstanceIdentifier": "MAIN"}), "DBInstanceAlreadyExists")]);
}

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
        (DeleteSubnet, json!({"SubnetId": network.private[0]}), "ok"),
        (DeleteSubnet, json!({"SubnetId": network.private[1]}), "ok"),
    ]);
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
fn change_rules() {
    let (cloud, _) = running();
    let (value, combination) = ("InvalidParameterValue", "InvalidParameterCombination");
    let row = |changes: Json, code: &'static str| (ModifyDBInstance, modify(changes), code);
    cloud.table(&[
        row(json!({}), "ok"),
        row(json!({"DBInstanceClass": "db.t3.small"}), "ok"),
        row(json!({"DBInstanceClass": "db.t3.tiny"}), value),
        row(json!({"AllocatedStorage": 19}), combination),
        row(json!({"AllocatedStorage": 20}), "ok"),
        row(json!({"AllocatedStorage": 22}), "ok"),
        row(json!({"EngineVersion": "15.13"}), combination),
        row(json!({"EngineVersion": "15.15"}), "ok"),
        row(json!({"EngineVersion": "15"}), "ok"),
        row(json!({"EngineVersion": "16.9"}), combination),
        row(json!({"EngineVersion": "15.4"}), combination),
        row(json!({"MasterUserPassword": "short"}), value),
        row(json!({"BackupRetentionPeriod": 36}), value),
        row(json!({"VpcSecurityGroupIds": [format!("sg-{NOWHERE}")]}), value),
        row(json!({"PubliclyAccessible": true}), "InvalidVPCNetworkStateFault"),
    ]);
}

#[test]
fn a_class_changes_in_a_while() {
    let (mut cloud, _) = running();
    let reply = cloud.ok(ModifyDBInstance, modify(json!({"DBInstanceClass": "db.t3.small"})));
    assert_eq!(reply.at("DBInstance.DBInstanceClass"), Some(&"db.t3.micro".into()));
    assert_eq!(reply.at("DBInstance.PendingModifiedValues.DBInstanceClass"), Some(&"db.t3.small".into()));
    assert_eq!(reply.at("DBInstance.DBInstanceStatus"), Some(&"available".into()), "it shows a little later");
    assert_eq!(next_status(&mut cloud, "main"), "modifying");
    let delete = json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true});
    assert_eq!(cloud.code(DeleteDBInstance, &delete), "InvalidDBInstanceState");
    assert_eq!(next_status(&mut cloud, "main"), "available");
    let changed = cloud.described_db("main");
    assert_eq!(changed.get("DBInstanceClass"), &"db.t3.small".into());
    assert_eq!(changed.at("PendingModifiedValues.DBInstanceClass"), None);
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

#[test]
fn storage_is_optimised_and_then_left_alone() {
    let (mut cloud, _) = running();
    cloud.ok(ModifyDBInstance, modify(json!({"AllocatedStorage": 21})));
    assert_eq!(next_status(&mut cloud, "main"), "modifying");
    assert_eq!(next_status(&mut cloud, "main"), "storage-optimization");
    assert_eq!(cloud.described_db("main").get("AllocatedStorage"), &22.into(), "a tenth more at least");
    let more = modify(json!({"AllocatedStorage": 30}));
    cloud.table(&[
        (ModifyDBInstance, more.clone(), "InvalidParameterCombination"),
        (ModifyDBInstance, modify(json!({"DeletionProtection": true})), "ok"),
    ]);
    assert_eq!(next_status(&mut cloud, "main"), "available");
    assert_eq!(cloud.clone().code(ModifyDBInstance, &more), "InvalidParameterCombination");
    cloud.wait(6 * 3600);
    assert_eq!(cloud.code(ModifyDBInstance, &more), "ok");
}

#[test]
fn what_waits_for_the_window_goes_with_the_next_immediate_change() {
    let (mut cloud, network) = running();
    let later = with(
        modify(json!({"MultiAZ": true, "VpcSecurityGroupIds": [network.group]})),
        json!({"ApplyImmediately": false}),
    );
    cloud.ok(ModifyDBInstance, later);
    cloud.wait(10_000);
    let described = cloud.described_db("main");
    assert_eq!(described.get("MultiAZ"), &false.into());
    assert_eq!(described.at("PendingModifiedValues.MultiAZ"), Some(&true.into()));
    cloud.ok(ModifyDBInstance, modify(json!({"DBInstanceClass": "db.t3.small"})));
    cloud.wait(1000);
    let described = cloud.described_db("main");
    assert_eq!((described.get("MultiAZ"), described.get("DBInstanceClass")), (&true.into(), &"db.t3.small".into()));
    // A standby has an interface of its own.
    cloud.table(&[
        (DeleteSubnet, json!({"SubnetId": network.private[0]}), "DependencyViolation"),
        (DeleteSubnet, json!({"SubnetId": network.private[1]}), "DependencyViolation"),
    ]);
}

#[test]
fn groups_and_protection_change_at_once() {
    let (mut cloud, network) = running();
    let other = cloud.group(&network.vpc, "other");
    let changes = json!({"VpcSecurityGroupIds": [other], "DeletionProtection": true, "BackupRetentionPeriod": 9});
    let reply = cloud.ok(ModifyDBInstance, modify(changes));
    assert_eq!(reply.at("DBInstance.VpcSecurityGroupIds.0"), Some(&other.as_str().into()));
    assert_eq!(reply.at("DBInstance.DeletionProtection"), Some(&true.into()));
    assert_eq!(reply.at("DBInstance.BackupRetentionPeriod"), Some(&9.into()));
    cloud.table(&[
        (DeleteSecurityGroup, json!({"GroupId": network.group}), "ok"),
        (DeleteSecurityGroup, json!({"GroupId": other}), "DependencyViolation"),
    ]);
}

#[test]
fn a_creation_may_fail_later() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    cloud.account.fail_next(CreateDBInstance, "incompatible-network", "no room");
    cloud.ok(CreateDBInstance, database("main", "db", &network.group));
    assert_eq!(next_status(&mut cloud, "main"), "incompatible-network");
    cloud.wait(10_000);
    let delete = |skip: Json| with(json!({"DBInstanceIdentifier": "main"}), skip);
    cloud.table(&[
        (ModifyDBInstance, modify(json!({"DeletionProtection": true})), "InvalidDBInstanceState"),
        (
            DeleteDBInstance,
            delete(json!({"SkipFinalSnapshot": false, "FinalDBSnapshotIdentifier": "x"})),
            "InvalidDBInstanceState",
        ),
        (DeleteDBInstance, delete(json!({"SkipFinalSnapshot": true})), "ok"),
    ]);
}

#[test]
fn tags_are_found_by_name() {
    let (mut cloud, _) = running();
    let arn = cloud.described_db("main").get("DBInstanceArn").as_str().expect("an ARN").to_owned();
    let groups = cloud.ok(DescribeDBSubnetGroups, json!({}));
    let group = groups.at("DBSubnetGroups.0.DBSubnetGroupArn").cloned().expect("an ARN");
    for arn in [arn.as_str(), group.as_str().expect("a text")] {
        let add = |tags: Json| json!({"ResourceName": arn, "Tags": tags});
        cloud.ok(AddTagsToResource, add(json!({"a": "1", "b": "2"})));
        cloud.ok(RemoveTagsFromResource, json!({"ResourceName": arn, "TagKeys": ["a", "c"]}));
        let tags = cloud.ok(ListTagsForResource, json!({"ResourceName": arn}));
        assert_eq!(tags.get("Tags").to_string(), r#"{b="2"}"#);
        let rename = |from: &str, to: &str| arn.replace(from, to);
        cloud.table(&[
            (AddTagsToResource, add(json!({"aws:a": "1"})), "InvalidParameterValue"),
            (AddTagsToResource, add(json!({"a": "x(1)"})), "InvalidParameterValue"),
            (ListTagsForResource, json!({"ResourceName": rename("us-east-1", "us-east-2")}), "InvalidParameterValue"),
            (ListTagsForResource, json!({"ResourceName": "arn:aws:rds"}), "InvalidParameterValue"),
        ]);
    }
    let gone = arn.replace(":main", ":other");
    cloud.table(&[(ListTagsForResource, json!({"ResourceName": gone}), "DBInstanceNotFound")]);
}
