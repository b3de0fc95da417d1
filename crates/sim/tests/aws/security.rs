//! Security groups, their rules, and tags.

use aloka_core::api::Operation::{self, *};
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, NOWHERE, Network, database};

fn tcp(port: i64, cidr: &str) -> Json {
    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]})
}

fn from_group(port: i64, group: &str) -> Json {
    json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group}]})
}

#[test]
fn group_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let other = cloud.vpc("10.0.0.0/16");
    let group = cloud.group(&vpc, "web");
    let create = |vpc: &str, name: &str| json!({"GroupName": name, "Description": "d", "VpcId": vpc, "Tags": {}});
    cloud.table(&[
        (CreateSecurityGroup, create(&vpc, "web"), "InvalidGroup.Duplicate"),
        (CreateSecurityGroup, create(&vpc, "WEB"), "InvalidGroup.Duplicate"),
        (CreateSecurityGroup, create(&vpc, "web2"), "ok"),
        (CreateSecurityGroup, create(&other, "web"), "ok"),
        (CreateSecurityGroup, create(&vpc, "sg-web"), "InvalidParameterValue"),
        (CreateSecurityGroup, create(&vpc, "web-sg"), "ok"),
        (CreateSecurityGroup, create(&vpc, "default"), "InvalidGroup.Reserved"),
        (CreateSecurityGroup, create(&vpc, "default-2"), "ok"),
        (CreateSecurityGroup, create(&vpc, "wéb"), "InvalidParameterValue"),
        (CreateSecurityGroup, create(&vpc, &"x".repeat(256)), "InvalidParameterValue"),
        (CreateSecurityGroup, create(&vpc, &"x".repeat(255)), "ok"),
        (CreateSecurityGroup, create(&format!("vpc-{NOWHERE}"), "x"), "InvalidVpcID.NotFound"),
        (DescribeSecurityGroups, json!({"GroupIds": ["web"]}), "InvalidGroupId.Malformed"),
        (DescribeSecurityGroups, json!({"GroupIds": [format!("sg-{NOWHERE}")]}), "InvalidGroup.NotFound"),
        (DeleteSecurityGroup, json!({"GroupId": group}), "ok"),
        (DeleteSecurityGroup, json!({"GroupId": format!("sg-{NOWHERE}")}), "InvalidGroup.NotFound"),
    ]);
    let described = cloud.described(DescribeSecurityGroups, "GroupIds", &group, "SecurityGroups");
    assert_eq!(described.get("IpPermissions").as_list().map(<[_]>::len), Some(0));
    assert_eq!(described.at("IpPermissionsEgress.0.IpProtocol"), Some(&"-1".into()));
}

#[test]
fn permission_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let other_vpc = cloud.vpc("10.0.0.0/16");
    let (group, peer) = (cloud.group(&vpc, "web"), cloud.group(&vpc, "peer"));
    let foreign = cloud.group(&other_vpc, "foreign");
    let rules = |permissions: Json| json!({"GroupId": group, "IpPermissions": permissions});
    let add = AuthorizeSecurityGroupIngress;
    cloud.ok(add, rules(json!([tcp(80, "0.0.0.0/0"), from_group(5432, &peer)])));
    let described = json!({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "other"}]});
    let rows: Vec<(Operation, Json, &str)> = vec![
        (add, rules(json!([tcp(80, "0.0.0.0/0")])), "InvalidPermission.Duplicate"),
        (add, rules(json!([described])), "InvalidPermission.Duplicate"),
        (add, rules(json!([tcp(81, "0.0.0.0/0"), tcp(80, "0.0.0.0/0")])), "InvalidPermission.Duplicate"),
        (add, rules(json!([tcp(80, "10.0.0.0/8")])), "ok"),
        (add, rules(json!([tcp(81, "0.0.0.0/0"), tcp(81, "1.2.3.4/0")])), "InvalidParameterValue"),
        (AuthorizeSecurityGroupEgress, rules(json!([tcp(80, "0.0.0.0/0")])), "ok"),
        (
            AuthorizeSecurityGroupEgress,
            rules(json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])),
            "InvalidPermission.Duplicate",
        ),
        (add, rules(json!([from_group(22, &group)])), "ok"),
        (add, rules(json!([from_group(22, &format!("sg-{NOWHERE}"))])), "InvalidGroup.NotFound"),
        (add, rules(json!([from_group(22, &foreign)])), "InvalidGroup.NotFound"),
        (add, rules(json!([from_group(22, "peer")])), "InvalidGroupId.Malformed"),
        (add, rules(json!([tcp(22, "10.0.0.0/33")])), "InvalidParameterValue"),
        (add, rules(json!([tcp(65536, "10.0.0.0/8")])), "InvalidParameterValue"),
        (add, rules(json!([tcp(65535, "10.0.0.0/8")])), "ok"),
        (
            add,
            rules(json!([{"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])),
            "InvalidParameterValue",
        ),
        (add, rules(json!([{"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])), "InvalidParameterValue"),
        (add, rules(json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])), "ok"),
        (add, rules(json!([{"IpProtocol": "xyz", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])), "InvalidParameterValue"),
        (add, rules(json!([{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}])), "MissingParameter"),
        (add, rules(json!([])), "MissingParameter"),
        (RevokeSecurityGroupIngress, rules(json!([tcp(80, "0.0.0.0/0")])), "ok"),
        (RevokeSecurityGroupIngress, rules(json!([tcp(81, "0.0.0.0/0")])), "InvalidPermission.NotFound"),
        (
            RevokeSecurityGroupIngress,
            rules(json!([tcp(80, "0.0.0.0/0"), tcp(81, "0.0.0.0/0")])),
            "InvalidPermission.NotFound",
        ),
        (RevokeSecurityGroupEgress, rules(json!([tcp(80, "0.0.0.0/0")])), "InvalidPermission.NotFound"),
    ];
    cloud.table(&rows);

    let error = cloud.send(add, &rules(json!([tcp(80, "0.0.0.0/0")]))).expect_err("a duplicate");
    let expected = "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already exists";
    assert_eq!(error.message, expected);
}

#[test]
fn a_group_has_sixty_rules_in_each_direction() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let group = cloud.group(&vpc, "web");
    let many: Vec<Json> = (1..=60).map(|port| tcp(port, "0.0.0.0/0")).collect();
    let one = |permission: Json| json!({"GroupId": group, "IpPermissions": [permission]});
    cloud.ok(AuthorizeSecurityGroupIngress, json!({"GroupId": group, "IpPermissions": many}));
    let v6 = json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]});
    cloud.table(&[
        (AuthorizeSecurityGroupIngress, one(tcp(61, "0.0.0.0/0")), "RulesPerSecurityGroupLimitExceeded"),
        (AuthorizeSecurityGroupIngress, one(v6), "ok"),
        (AuthorizeSecurityGroupEgress, one(tcp(61, "0.0.0.0/0")), "ok"),
    ]);
}

#[test]
fn rules_are_grouped_by_protocol_and_ports() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let (group, peer) = (cloud.group(&vpc, "web"), cloud.group(&vpc, "peer"));
    for permission in [tcp(80, "10.1.2.3/8"), from_group(80, &peer), tcp(443, "0.0.0.0/0")] {
        cloud.ok(AuthorizeSecurityGroupIngress, json!({"GroupId": group, "IpPermissions": [permission]}));
    }
    let described = cloud.described(DescribeSecurityGroups, "GroupIds", &group, "SecurityGroups");
    let permissions = described.get("IpPermissions").as_list().expect("permissions");
    assert_eq!(permissions.len(), 2);
    assert_eq!(permissions[0].at("IpRanges.0.CidrIp"), Some(&"10.0.0.0/8".into()), "host bits are masked");
    assert_eq!(permissions[0].at("UserIdGroupPairs.0.GroupId"), Some(&peer.into()));
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
    // An instance is terminated after 26 seconds, a database deleted after 180.
    cloud.wait(25);
    cloud.table(&[(DeleteSecurityGroup, delete(&app), "DependencyViolation")]);
    cloud.wait(1);
    cloud
        .table(&[(DeleteSecurityGroup, delete(&app), "ok"), (DeleteSecurityGroup, delete(&db), "DependencyViolation")]);
    cloud.wait(154);
    cloud.table(&[(DeleteSecurityGroup, delete(&db), "ok")]);
}

#[test]
fn tag_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let group = cloud.group(&vpc, "web");
    let many = |count: usize| -> Json {
        (0..count).map(|i| (format!("k{i}"), json!("v"))).collect::<serde_json::Map<_, _>>().into()
    };
    let tag = |tags: Json| json!({"Resources": [vpc, group], "Tags": tags});
    cloud.table(&[
        (CreateTags, tag(many(50)), "ok"),
        (CreateTags, tag(many(51)), "TagLimitExceeded"),
        (CreateTags, tag(json!({"aws:x": "v"})), "InvalidParameterValue"),
        (CreateTags, tag(json!({"awsx": "v"})), "ok"),
        (CreateTags, tag(json!({"": "v"})), "InvalidTagKey.Malformed"),
        (CreateTags, tag(json!({"k".repeat(128): "v"})), "ok"),
        (CreateTags, tag(json!({"k".repeat(129): "v"})), "InvalidTagKey.Malformed"),
        (CreateTags, tag(json!({"k": "v".repeat(256)})), "ok"),
        (CreateTags, tag(json!({"k": "v".repeat(257)})), "InvalidParameterValue"),
        (CreateTags, tag(json!({"k": ""})), "ok"),
        (
            CreateTags,
            json!({"Resources": [vpc, format!("vpc-{NOWHERE}")], "Tags": {"a": "b"}}),
            "InvalidVpcID.NotFound",
        ),
        (CreateTags, json!({"Resources": ["x"], "Tags": {"a": "b"}}), "InvalidID"),
        (CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": many(51)}), "TagLimitExceeded"),
        (CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {"aws:x": "v"}}), "InvalidParameterValue"),
        (CreateInternetGateway, json!({"Tags": many(50)}), "ok"),
        (DeleteTags, json!({"Resources": [vpc], "TagKeys": ["not there"]}), "ok"),
        (DeleteTags, json!({"Resources": [format!("sg-{NOWHERE}")], "TagKeys": ["a"]}), "InvalidGroup.NotFound"),
    ]);
    cloud.ok(CreateTags, tag(json!({"a": "1", "b": "2"})));
    cloud.ok(CreateTags, tag(json!({"a": "3"})));
    cloud.ok(DeleteTags, json!({"Resources": [group], "TagKeys": ["b"]}));
    let found = |cloud: &mut Cloud, filters: Json| {
        let reply = cloud.ok(DescribeSecurityGroups, json!({"Filters": filters}));
        reply.get("SecurityGroups").as_list().map_or(0, <[_]>::len)
    };
    assert_eq!(found(&mut cloud, json!({"tag:a": ["3"]})), 1);
    assert_eq!(found(&mut cloud, json!({"tag:a": ["1", "3"], "tag-key": ["a"]})), 1);
    assert_eq!(found(&mut cloud, json!({"tag:a": ["1"]})), 0);
    assert_eq!(found(&mut cloud, json!({"tag:b": ["2"]})), 0);
}
