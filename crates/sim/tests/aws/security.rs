//! Security groups: what AWS says of a rule that is there, and what holds a group back.

use aloka_core::api::Ec2::*;
use aloka_core::api::Rds::*;
use aloka_sim::aws::durations::Transition;
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, Network, database};

fn tcp(port: i64, cidr: &str) -> Json {
    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]})
}

fn from_group(port: i64, group: &str) -> Json {
    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group}]})
}

#[test]
fn a_rule_that_is_there_is_told() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let group = cloud.group(&vpc, "web");
    let all = json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    for (operation, permission, told) in [
        (AuthorizeSecurityGroupIngress, tcp(80, "0.0.0.0/0"), "0.0.0.0/0, TCP, from port: 80, to port: 80"),
        (AuthorizeSecurityGroupIngress, from_group(22, &group), &format!("{group}, TCP, from port: 22, to port: 22")),
        (AuthorizeSecurityGroupEgress, all, "0.0.0.0/0, ALL"),
    ] {
        let arguments = json!({"GroupId": group, "IpPermissions": [permission]});
        let _first = cloud.send(operation, &arguments);
        let error = cloud.send(operation, &arguments).expect_err("a duplicate");
        assert_eq!(error.message, format!("the specified rule \"peer: {told}, ALLOW\" already exists"));
    }
}

#[test]
fn what_blocks_the_deletion_of_a_group() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    network.subnet_group(&mut cloud, "db");
    let delete = |group: &str| json!({"GroupId": group});
    let (app, db) = (network.group.clone(), cloud.group(&network.vpc, "db"));
    cloud.ok(AuthorizeSecurityGroupIngress, json!({"GroupId": db, "IpPermissions": [from_group(5432, &app)]}));
    cloud.ok(AuthorizeSecurityGroupIngress, json!({"GroupId": db, "IpPermissions": [from_group(1, &db)]}));
    cloud
        .table(&[(DeleteSecurityGroup, delete(&app), "DependencyViolation"), (DeleteSecurityGroup, delete(&db), "ok")]);
    cloud.ok(RevokeSecurityGroupIngress, json!({"GroupId": db, "IpPermissions": [from_group(5432, &app)]}));
    cloud.table(&[(DeleteSecurityGroup, delete(&app), "ok")]);

    let instance = cloud.instance(&network.public[0], &app, "i");
    cloud.ok(CreateDBInstance, database("main", "db", &db));
    cloud.wait(1000);
    cloud.table(&[
        (DeleteSecurityGroup, delete(&app), "DependencyViolation"),
        (DeleteSecurityGroup, delete(&db), "DependencyViolation"),
    ]);
    cloud.ok(TerminateInstances, json!({"InstanceIds": [instance]}));
    cloud.ok(DeleteDBInstance, json!({"DBInstanceIdentifier": "main", "SkipFinalSnapshot": true}));
    let shutting_down = Transition::InstanceTerminate.typical().median_ms / 1000;
    cloud.wait(shutting_down - 1);
    cloud.table(&[(DeleteSecurityGroup, delete(&app), "DependencyViolation")]);
    cloud.wait(1);
    cloud
        .table(&[(DeleteSecurityGroup, delete(&app), "ok"), (DeleteSecurityGroup, delete(&db), "DependencyViolation")]);
    cloud.wait(Transition::DbDelete.typical().median_ms / 1000);
    cloud.table(&[(DeleteSecurityGroup, delete(&db), "ok")]);
}
