//! Tests with hand-made replies: the stack of the seed, what breaks it, and what only nearly does.

use aloka_core::api::{ApiError, Ec2, Operation, Rds, Reply, Request};
use aloka_core::value::Value;
use serde_json::{Value as Json, json};

use super::*;

mod books;

fn expected() -> Expected {
    Expected {
        app_ports: vec![Ports::tcp(80, 80), Ports::tcp(443, 443)],
        db_port: 5432,
        app_group_name: "aloka-app-sg".to_owned(),
        db_group_name: "aloka-db-sg".to_owned(),
    }
}

fn tags(address: &str) -> Json {
    json!({"aloka-lineage": "L", "aloka-address": address, "aloka-generation": "1", "Project": "aloka"})
}

fn open(protocol: &str, from: i64, to: i64, blocks: &[&str], groups: &[&str]) -> Json {
    let blocks: Vec<_> = blocks.iter().map(|block| json!({"CidrIp": block})).collect();
    let groups: Vec<_> = groups.iter().map(|group| json!({"GroupId": group})).collect();
    json!({
        "IpProtocol": protocol, "FromPort": from, "ToPort": to, "IpRanges": blocks, "Ipv6Ranges": [],
        "UserIdGroupPairs": groups, "PrefixListIds": [],
    })
}

fn all(blocks: &[&str], groups: &[&str]) -> Json {
    let mut rule = open("-1", 0, 0, blocks, groups);
    let fields = rule.as_object_mut().expect("a map");
    fields.remove("FromPort");
    fields.remove("ToPort");
    rule
}

fn table(id: &str, name: &str, subnets: &[&str], default: Option<(&str, &str)>) -> Json {
    let mut routes = vec![json!({
        "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable",
    })];
    if let Some((key, target)) = default {
        let mut route = json!({"DestinationCidrBlock": "0.0.0.0/0", "State": "active", "Origin": "CreateRoute"});
        route[key] = target.into();
        routes.push(route);
    }
    let associations = subnets.iter().map(|subnet| {
        json!({"RouteTableAssociationId": format!("a-{subnet}"), "RouteTableId": id, "SubnetId": subnet, "Main": false,
               "State": "associated"})
    });
    json!({"RouteTableId": id, "VpcId": "vpc-1", "Routes": routes, "Associations": associations.collect::<Vec<_>>(),
           "Tags": tags(name)})
}

/// The account after a successful apply of the seed: what each Describe call answers.
fn seed() -> Json {
    let subnet = |id: &str, block: &str, name: &str, free: i64| {
        json!({"SubnetId": id, "VpcId": "vpc-1", "CidrBlock": block,
        "AvailableIpAddressCount": free, "Tags": tags(name)})
    };
    let group = |id: &str, name: &str, ingress: Vec<Json>| {
        json!({"GroupId": id, "GroupName": name, "VpcId": "vpc-1", "IpPermissions": ingress,
               "IpPermissionsEgress": [all(&["0.0.0.0/0"], &[])], "Tags": tags(&format!("aws_security_group.{name}"))})
    };
    json!({
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": false,
                  "Tags": tags("module.vpc.aws_vpc.this/0")}],
        "Subnets": [
            subnet("subnet-pub0", "10.0.1.0/24", "module.vpc.aws_subnet.public/0", 249),
            subnet("subnet-pub1", "10.0.2.0/24", "module.vpc.aws_subnet.public/1", 251),
            subnet("subnet-pri0", "10.0.10.0/24", "module.vpc.aws_subnet.private/0", 250),
            subnet("subnet-pri1", "10.0.11.0/24", "module.vpc.aws_subnet.private/1", 251),
        ],
        "InternetGateways": [{"InternetGatewayId": "igw-1", "Tags": tags("module.vpc.aws_internet_gateway.this/0"),
                              "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}],
        "Volumes": [{"VolumeId": "vol-1", "Size": 8, "VolumeType": "gp3", "State": "in-use", "InstanceId": "i-1",
                     "Tags": tags("aws_instance.i-1")}],
        "Addresses": [{"AllocationId": "eipalloc-1", "PublicIp": "52.1.1.1", "Domain": "vpc",
                       "AssociationId": "eipassoc-1",
                       "Tags": tags("module.vpc.aws_eip.nat/0")}],
        "NatGateways": [{"NatGatewayId": "nat-1", "SubnetId": "subnet-pub0", "VpcId": "vpc-1", "State": "available",
                         "NatGatewayAddresses": [{"AllocationId": "eipalloc-1", "PublicIp": "52.1.1.1"}],
                         "Tags": tags("module.vpc.aws_nat_gateway.this/0")}],
        "RouteTables": [
            {"RouteTableId": "rtb-main", "VpcId": "vpc-1", "Tags": {}, "Associations": [
                {"RouteTableAssociationId": "a-main", "RouteTableId": "rtb-main", "Main": true, "State": "associated"}],
             "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}]},
            table("rtb-pub", "module.vpc.aws_route_table.public/0", &["subnet-pub0", "subnet-pub1"],
                  Some(("GatewayId", "igw-1"))),
            table("rtb-pri", "module.vpc.aws_route_table.private/0", &["subnet-pri0", "subnet-pri1"],
                  Some(("NatGatewayId", "nat-1"))),
        ],
        "SecurityGroups": [
            {"GroupId": "sg-default", "GroupName": "default", "VpcId": "vpc-1", "IpPermissions": [],
             "IpPermissionsEgress": [], "Tags": tags("module.vpc.aws_default_security_group.this/0")},
            group("sg-app", "aloka-app-sg", vec![
                open("tcp", 80, 80, &["0.0.0.0/0"], &[]),
                open("tcp", 443, 443, &["0.0.0.0/0"], &[]),
                all(&[], &["sg-app"]),
            ]),
            group("sg-db", "aloka-db-sg", vec![open("tcp", 5432, 5432, &[], &["sg-app"])]),
        ],
        "Instances": [instance("i-1", "subnet-pub0", "10.0.1.4", Some("54.1.1.1"), "sg-app")],
        "NetworkInterfaces": [
            {"NetworkInterfaceId": "eni-nat", "VpcId": "vpc-1", "InterfaceType": "nat_gateway",
             "Attachment": {"InstanceOwnerId": "amazon-aws"}},
            {"NetworkInterfaceId": "eni-app", "VpcId": "vpc-1", "InterfaceType": "interface",
             "Attachment": {"InstanceId": "i-1", "InstanceOwnerId": "111122223333"}},
            {"NetworkInterfaceId": "eni-db", "VpcId": "vpc-1", "InterfaceType": "interface",
             "Description": "RDSNetworkInterface", "Attachment": {"InstanceOwnerId": "amazon-rds"}},
        ],
        "DBSubnetGroups": [{"DBSubnetGroupName": "aloka-db", "VpcId": "vpc-1", "DBSubnetGroupArn": "arn:subgrp",
                            "SubnetIds": ["subnet-pri0", "subnet-pri1"]}],
        "DBInstances": [{"DBInstanceIdentifier": "aloka-db", "DBInstanceStatus": "available", "VpcId": "vpc-1",
                         "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "StorageType": "gp3", "MultiAZ": false,
                         "PubliclyAccessible": false, "DBSubnetGroupName": "aloka-db",
                         "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db", "Status": "active"}], "Endpoint": {"Address": "x", "Port": 5432},
                         "Tags": tags("aws_db_instance.postgres")}],
        "Tags": tags("aws_db_subnet_group.main"),
    })
}

fn instance(id: &str, subnet: &str, private: &str, public: Option<&str>, group: &str) -> Json {
    let mut instance = json!({
        "InstanceId": id, "InstanceType": "t3.small", "State": "running", "SubnetId": subnet, "VpcId": "vpc-1", "PrivateIpAddress": private,
        "SecurityGroups": [{"GroupId": group, "GroupName": group}], "Tags": tags(&format!("aws_instance.{id}")),
    });
    if let Some(public) = public {
        instance["PublicIpAddress"] = public.into();
    }
    instance
}

fn push(account: &mut Json, path: &str, item: Json) {
    account.pointer_mut(path).and_then(Json::as_array_mut).expect(path).push(item);
}

fn set(account: &mut Json, path: &str, value: Json) {
    *account.pointer_mut(path).expect(path) = value;
}

const APP_RULES: &str = "/SecurityGroups/1/IpPermissions";
const DB_RULES: &str = "/SecurityGroups/2/IpPermissions";

fn answer(account: &Json, request: &Request) -> Reply {
    request.0.check().expect("a request AWS would take");
    assert!(!request.operation().is_mutating(), "{request}");
    let name = request.operation().name();
    let key = name.strip_prefix("Describe").unwrap_or("Tags");
    Ok(Value::from(json!({key: account[key].clone()})))
}

fn read(account: &Json) -> World {
    audit(&mut |request| answer(account, request))
}

/// The routes that make the database's subnets public.
fn public_routes(account: &mut Json) {
    set(
        account,
        "/RouteTables/2/Routes/1",
        json!({
            "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active",
        }),
    );
}

fn public_database(account: &mut Json) {
    public_routes(account);
    set(account, "/DBInstances/0/PubliclyAccessible", true.into());
}

/// An instance in no group of the stack, in a group `sg-other`.
fn stranger(account: &mut Json) {
    let group = json!({"GroupId": "sg-other", "GroupName": "other", "VpcId": "vpc-1", "IpPermissions": [],
                       "IpPermissionsEgress": [all(&["0.0.0.0/0"], &[])], "Tags": tags("other")});
    push(account, "/SecurityGroups", group);
    push(account, "/Instances", instance("i-other", "subnet-pri0", "10.0.10.77", None, "sg-other"));
}

#[test]
fn the_seed_is_clean() {
    let world = read(&seed());
    assert_eq!(world.unread, Vec::<String>::new());
    assert_eq!(world.violations(&expected()), Vec::<String>::new());
    assert!(world.path_exists(&expected()));
    assert!(world.untagged().is_empty() && world.duplicates().is_empty());
    assert!(world.leaks().is_empty() && world.defects().is_empty());
    assert_eq!(world.owned_by("L").count(), 16);
    let to_database: Vec<_> = world.exposure().into_iter().filter(|exposure| exposure.to == "aloka-db").collect();
    let only = Exposure {
        from: Sender::Instance("i-1".to_owned()),
        to: "aloka-db".to_owned(),
        protocol: 6,
        ports: BTreeSet::from([5432]),
    };
    assert_eq!(to_database, [only]);
}

#[test]
fn each_planted_breach_is_found() {
    type Change = fn(&mut Json);
    let table: [(&str, Change, &str); 16] = [
        (
            "an open database",
            |a| {
                public_database(a);
                push(a, DB_RULES, open("tcp", 5432, 5432, &["0.0.0.0/0"], &[]));
            },
            "database aloka-db is reached from the internet",
        ),
        (
            "a database open to one network",
            |a| {
                public_database(a);
                push(a, DB_RULES, open("tcp", 5432, 5432, &["198.51.100.0/28"], &[]));
            },
            "database aloka-db is reached from the internet (198.51.100.0)",
        ),
        (
            "a database open to half the internet",
            |a| {
                public_database(a);
                push(a, DB_RULES, open("tcp", 1, 65535, &["0.0.0.0/1"], &[]));
            },
            "database aloka-db is reached from the internet (1.0.0.0)",
        ),
        (
            "one of its subnets is enough",
            |a| {
                set(a, "/DBInstances/0/PubliclyAccessible", true.into());
                set(a, "/DBSubnetGroups/0/SubnetIds/1", "subnet-pub1".into());
                push(a, DB_RULES, open("tcp", 5432, 5432, &["203.0.113.0/24"], &[]));
            },
            "database aloka-db is reached from the internet (203.0.113.0)",
        ),
        (
            "another group",
            |a| {
                stranger(a);
                push(a, DB_RULES, open("tcp", 5432, 5432, &[], &["sg-other"]));
            },
            "database aloka-db is reached from i-other on tcp 5432",
        ),
        (
            "a neighbour's address",
            |a| {
                stranger(a);
                push(a, DB_RULES, open("tcp", 5432, 5432, &["10.0.10.77/32"], &[]));
            },
            "database aloka-db is reached from i-other on tcp 5432",
        ),
        (
            "part of a subnet",
            |a| push(a, DB_RULES, open("tcp", 5432, 5432, &["10.0.2.64/27"], &[])),
            "database aloka-db is reached from 10.0.2.64 in subnet-pub1",
        ),
        (
            "a second port for the app",
            |a| push(a, DB_RULES, open("tcp", 6000, 6001, &[], &["sg-app"])),
            "database aloka-db is reached from i-1 on tcp 6000, 6001",
        ),
        (
            "a wider range for the app",
            |a| set(a, "/SecurityGroups/2/IpPermissions/0/ToPort", 5433.into()),
            "database aloka-db is reached from i-1 on tcp 5433",
        ),
        (
            "udp",
            |a| push(a, DB_RULES, open("udp", 5432, 5432, &[], &["sg-app"])),
            "database aloka-db is reached from i-1 on udp 5432",
        ),
        (
            "a protocol nobody tries",
            |a| push(a, DB_RULES, open("47", 0, 0, &[], &["sg-app"])),
            "database aloka-db is reached from i-1 on protocol 47",
        ),
        (
            "the app's own group on the database",
            |a| {
                // Until it is gone it is in effect.
                push(
                    a,
                    "/DBInstances/0/VpcSecurityGroups",
                    json!({"VpcSecurityGroupId": "sg-app", "Status": "removing"}),
                );
            },
            "database aloka-db is reached from i-1 on",
        ),
        (
            "behind the NAT to its public address",
            |a| {
                public_database(a);
                stranger(a);
                set(a, "/Instances/1/SubnetId", "subnet-nat".into());
                push(
                    a,
                    "/Subnets",
                    json!({"SubnetId": "subnet-nat", "VpcId": "vpc-1", "CidrBlock": "10.0.12.0/24",
                                       "Tags": tags("nat")}),
                );
                push(
                    a,
                    "/RouteTables",
                    self::table("rtb-nat", "nat", &["subnet-nat"], Some(("NatGatewayId", "nat-1"))),
                );
                push(a, DB_RULES, open("tcp", 5432, 5432, &["52.1.1.1/32"], &[]));
            },
            "database aloka-db is reached from i-other on tcp 5432",
        ),
        (
            "ssh to the world",
            |a| push(a, APP_RULES, open("tcp", 22, 22, &["0.0.0.0/0"], &[])),
            "instance i-1 is reached from the internet",
        ),
        (
            "a range with its ends listed",
            |a| push(a, APP_RULES, open("tcp", 80, 443, &["0.0.0.0/0"], &[])),
            "instance i-1 is reached from the internet",
        ),
        (
            "ping",
            |a| push(a, APP_RULES, open("icmp", 8, -1, &["0.0.0.0/0"], &[])),
            "instance i-1 is reached from the internet",
        ),
    ];
    for (name, change, expected_text) in table {
        let mut account = seed();
        change(&mut account);
        let violations = read(&account).violations(&expected());
        assert!(violations.iter().any(|text| text.starts_with(expected_text)), "{name}: {violations:#?}");
    }
}

#[test]
fn ports_are_expected_of_their_own_protocol_alone() {
    for (protocol, other, ports) in [("udp", "tcp", Ports::udp(5060, 5061)), ("tcp", "udp", Ports::tcp(5060, 5061))] {
        let mut expected = expected();
        expected.app_ports.push(ports);
        let mut account = seed();
        push(&mut account, APP_RULES, open(protocol, 5060, 5061, &["0.0.0.0/0"], &[]));
        assert_eq!(read(&account).violations(&expected), Vec::<String>::new(), "{protocol}");
        push(&mut account, APP_RULES, open(other, 5061, 5061, &["0.0.0.0/0"], &[]));
        let violations = read(&account).violations(&expected);
        assert!(violations.iter().any(|text| text.ends_with(&format!("on {other} 5061"))), "{violations:#?}");
        assert!(!violations.iter().any(|text| text.contains(&format!("on {protocol}"))), "{violations:#?}");
    }
}

/// The seed with servers that differ in nothing but their addresses.
fn crowd(account: &mut Json, count: usize) {
    for index in 0..count {
        let (id, own) = (format!("i-crowd-{index}"), format!("10.0.1.{}", 16 + index));
        let public = format!("54.2.2.{index}");
        push(account, "/Instances", instance(&id, "subnet-pub0", &own, Some(&public), "sg-app"));
    }
}

#[test]
fn one_of_a_crowd_speaks_for_all_but_not_for_who_differs() {
    type Change = fn(&mut Json);
    let table: [(&str, Change, &str); 5] = [
        (
            "all of them",
            |a| push(a, DB_RULES, open("tcp", 22, 22, &[], &["sg-app"])),
            "database aloka-db is reached from i-1 and 9 more like it on tcp 22",
        ),
        (
            "one private address",
            |a| push(a, DB_RULES, open("tcp", 22, 22, &["10.0.1.18/32"], &[])),
            "database aloka-db is reached from i-crowd-2 on tcp 22",
        ),
        (
            "one public address",
            |a| {
                public_database(a);
                push(a, DB_RULES, open("tcp", 22, 22, &["54.2.2.5/32"], &[]));
            },
            "database aloka-db is reached from i-crowd-5 on tcp 22",
        ),
        (
            "one in another group besides",
            |a| {
                stranger(a);
                push(a, "/Instances/3/SecurityGroups", json!({"GroupId": "sg-other"}));
                push(a, DB_RULES, open("tcp", 22, 22, &[], &["sg-other"]));
            },
            "database aloka-db is reached from i-crowd-2 on tcp 22",
        ),
        (
            "all of them from outside",
            |a| push(a, APP_RULES, open("tcp", 22, 22, &["0.0.0.0/0"], &[])),
            "instance i-1 and 9 more like it is reached from the internet",
        ),
    ];
    for (name, change, expected_text) in table {
        let mut account = seed();
        crowd(&mut account, 9);
        assert_eq!(read(&account).violations(&expected()), Vec::<String>::new(), "{name}");
        change(&mut account);
        let violations = read(&account).violations(&expected());
        assert!(violations.iter().any(|text| text.starts_with(expected_text)), "{name}: {violations:#?}");
    }
    // Members of a crowd send to each other.
    let mut account = seed();
    crowd(&mut account, 1);
    let among = |exposure: &Exposure| matches!(&exposure.from, Sender::Instance(id) if *id != exposure.to);
    let found = read(&account).exposure();
    assert!(found.iter().any(|exposure| exposure.to.starts_with("i-") && among(exposure)), "{found:#?}");
}

#[test]
fn one_server_cut_off_is_seen_in_a_crowd() {
    let mut account = seed();
    crowd(&mut account, 9);
    assert!(read(&account).path_exists(&expected()));
    set(&mut account, "/SecurityGroups/2/IpPermissions", json!([]));
    push(&mut account, DB_RULES, open("tcp", 5432, 5432, &["10.0.1.0/29", "10.0.1.16/29", "10.0.1.24/32"], &[]));
    assert!(read(&account).path_exists(&expected()));
    set(&mut account, "/SecurityGroups/2/IpPermissions/0/IpRanges/2/CidrIp", "10.0.1.25/32".into());
    assert!(!read(&account).path_exists(&expected()));
}

#[test]
fn near_misses_are_not_found() {
    type Change = fn(&mut Json);
    let table: [(&str, Change); 11] = [
        ("a public database without a rule", public_database),
        ("an open rule and a public route, but no public address", |a| {
            public_routes(a);
            push(a, DB_RULES, open("tcp", 5432, 5432, &["128.0.0.0/1"], &[]));
        }),
        ("an open rule and a public address, but no public route", |a| {
            set(a, "/DBInstances/0/PubliclyAccessible", true.into());
            push(a, DB_RULES, open("tcp", 5432, 5432, &["128.0.0.0/1"], &[]));
        }),
        ("all three, but the gateway is not attached", |a| {
            public_database(a);
            push(a, DB_RULES, open("tcp", 5432, 5432, &["128.0.0.0/1"], &[]));
            set(a, "/InternetGateways/0/Attachments", json!([]));
        }),
        ("all three, but the route is a black hole", |a| {
            public_database(a);
            push(a, DB_RULES, open("tcp", 5432, 5432, &["128.0.0.0/1"], &[]));
            set(a, "/RouteTables/2/Routes/1/State", "blackhole".into());
        }),
        ("all three, but answers to that network go elsewhere", |a| {
            public_database(a);
            push(a, DB_RULES, open("tcp", 5432, 5432, &["198.51.100.0/24"], &[]));
            push(
                a,
                "/RouteTables/2/Routes",
                json!({"DestinationCidrBlock": "198.51.100.0/24", "NatGatewayId": "nat-1",
                                                    "State": "active"}),
            );
        }),
        ("another group, nobody in it", |a| {
            stranger(a);
            a["Instances"].as_array_mut().expect("instances").pop();
            push(a, DB_RULES, open("tcp", 5432, 5432, &[], &["sg-other"]));
        }),
        ("another group that may send nothing", |a| {
            stranger(a);
            push(a, DB_RULES, open("tcp", 5432, 5432, &[], &["sg-other"]));
            set(a, "/SecurityGroups/3/IpPermissionsEgress", json!([]));
        }),
        ("a second instance of the app", |a| {
            push(a, "/Instances", instance("i-2", "subnet-pub1", "10.0.2.4", Some("54.1.1.2"), "sg-app"));
        }),
        ("ssh from a private network that is not here", |a| {
            push(a, APP_RULES, open("tcp", 22, 22, &["192.168.0.0/16"], &[]));
        }),
        ("someone else's open instance in a VPC of his own", |a| {
            push(a, "/Vpcs", json!({"VpcId": "vpc-2", "CidrBlock": "10.9.0.0/16", "IsDefault": true, "Tags": {}}));
            push(
                a,
                "/Subnets",
                json!({"SubnetId": "subnet-9", "VpcId": "vpc-2", "CidrBlock": "10.9.0.0/20", "Tags": {}}),
            );
            push(
                a,
                "/SecurityGroups",
                json!({"GroupId": "sg-9", "GroupName": "his", "VpcId": "vpc-2",
                "IpPermissions": [all(&["0.0.0.0/0"], &[])], "IpPermissionsEgress": [], "Tags": tags("his")}),
            );
            let mut his = instance("i-9", "subnet-9", "10.9.0.9", Some("54.9.9.9"), "sg-9");
            his["VpcId"] = "vpc-2".into();
            push(a, "/Instances", his);
            push(
                a,
                "/RouteTables",
                json!({"RouteTableId": "rtb-9", "VpcId": "vpc-2", "Associations": [{"Main": true}],
                "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-9", "State": "active"}]}),
            );
            push(
                a,
                "/InternetGateways",
                json!({"InternetGatewayId": "igw-9", "Tags": {},
                "Attachments": [{"VpcId": "vpc-2", "State": "available"}]}),
            );
        }),
    ];
    for (name, change) in table {
        let mut account = seed();
        change(&mut account);
        let world = read(&account);
        assert_eq!(world.violations(&expected()), Vec::<String>::new(), "{name}");
        assert!(world.path_exists(&expected()), "{name}");
        assert!(world.untagged().is_empty(), "{name}");
    }
}

/// An instance that can reach the database's public address alone, by the internet gateway, and a rule that names its
/// group or its public address.
fn by_the_front_door(account: &mut Json, rule: Json) {
    public_database(account);
    stranger(account);
    set(account, "/Instances/1", instance("i-other", "subnet-pub1", "10.0.2.77", Some("54.7.7.7"), "sg-other"));
    set(account, "/SecurityGroups/3/IpPermissionsEgress", json!([all(&["192.0.2.0/24"], &[])]));
    push(account, DB_RULES, rule);
}

#[test]
fn rules_that_name_groups_do_not_apply_to_public_addresses() {
    let mut account = seed();
    by_the_front_door(&mut account, open("tcp", 5432, 5432, &[], &["sg-other"]));
    assert_eq!(read(&account).violations(&expected()), Vec::<String>::new());
    let mut account = seed();
    by_the_front_door(&mut account, open("tcp", 5432, 5432, &["54.7.7.7/32"], &[]));
    let violations = read(&account).violations(&expected());
    assert!(violations.iter().any(|text| text.contains("reached from i-other")), "{violations:#?}");
}

#[test]
fn a_nat_gateway_leads_out_only_while_it_works() {
    for (state, found) in [("available", true), ("pending", false), ("failed", false), ("deleted", false)] {
        let mut account = seed();
        by_the_front_door(&mut account, open("tcp", 5432, 5432, &["52.1.1.1/32"], &[]));
        push(
            &mut account,
            "/RouteTables/1/Routes",
            json!({"DestinationCidrBlock": "192.0.2.0/24", "NatGatewayId": "nat-1"}),
        );
        set(&mut account, "/NatGateways/0/SubnetId", "subnet-nat".into());
        let block =
            json!({"SubnetId": "subnet-nat", "VpcId": "vpc-1", "CidrBlock": "10.0.12.0/24", "Tags": tags("nat")});
        push(&mut account, "/Subnets", block);
        push(&mut account, "/RouteTables", table("rtb-nat", "nat", &["subnet-nat"], Some(("GatewayId", "igw-1"))));
        set(&mut account, "/NatGateways/0/State", state.into());
        let violations = read(&account).violations(&expected());
        assert_eq!(
            violations.iter().any(|text| text.contains("reached from i-other")),
            found,
            "{state}: {violations:#?}"
        );
    }
}

#[test]
fn a_subnet_without_a_table_follows_the_main_one_of_its_vpc() {
    let mut account = seed();
    set(&mut account, "/RouteTables/1/Associations", json!([]));
    set(&mut account, "/RouteTables/2/Associations", json!([]));
    let other = json!({"RouteTableId": "rtb-9", "VpcId": "vpc-9", "Associations": [{"Main": true}],
                       "Routes": [{"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "local"}]});
    account["RouteTables"].as_array_mut().expect("tables").insert(0, other);
    let world = read(&account);
    assert!(world.path_exists(&expected()));
    let outside = |exposure: &Exposure| matches!(exposure.from, Sender::Internet(_));
    assert!(!world.exposure().iter().any(outside));
    push(&mut account, "/RouteTables/1/Routes", json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}));
    assert!(read(&account).exposure().iter().any(outside));
}

#[test]
fn a_cut_path_is_seen() {
    type Change = fn(&mut Json);
    let table: [(&str, Change); 8] = [
        ("no rule into the database", |a| set(a, DB_RULES, json!([]))),
        ("no rule out of the app", |a| set(a, "/SecurityGroups/1/IpPermissionsEgress", json!([]))),
        ("a way out to one of the database's subnets alone", |a| {
            set(a, "/SecurityGroups/1/IpPermissionsEgress", json!([all(&["10.0.10.0/24"], &[])]));
        }),
        ("a way out to all but a corner of its subnet", |a| {
            let most = ["10.0.10.0/25", "10.0.10.128/26", "10.0.10.224/27", "10.0.11.0/24"];
            set(a, "/SecurityGroups/1/IpPermissionsEgress", json!([all(&most, &[])]));
        }),
        ("the app takes another way to the database's subnet", |a| {
            push(a, "/RouteTables/1/Routes", json!({"DestinationCidrBlock": "10.0.11.0/24", "NatGatewayId": "nat-1"}));
        }),
        ("the instance has left the app group", |a| set(a, "/Instances/0/SecurityGroups", json!([]))),
        ("the instance is stopped", |a| set(a, "/Instances/0/State", "stopped".into())),
        ("the database is not up", |a| set(a, "/DBInstances/0/Endpoint", Json::Null)),
    ];
    for (name, change) in table {
        let mut account = seed();
        change(&mut account);
        assert!(!read(&account).path_exists(&expected()), "{name}");
    }
}

#[test]
fn what_cannot_be_followed_is_told() {
    type Change = fn(&mut Json);
    let table: [(&str, Change, &str); 5] = [
        (
            "a VPN",
            |a| {
                push(
                    a,
                    "/RouteTables/2/Routes",
                    json!({"DestinationCidrBlock": "192.168.0.0/16", "GatewayId": "vgw-1"}),
                );
            },
            "rtb-pri routes 192.168.0.0/16 to vgw-1",
        ),
        (
            "a prefix list",
            |a| set(a, "/SecurityGroups/2/IpPermissions/0/PrefixListIds", json!([{"PrefixListId": "pl-1"}])),
            "aloka-db lets in prefix list pl-1 by sg-db",
        ),
        (
            "a missing group",
            |a| set(a, "/DBInstances/0/VpcSecurityGroups/0/VpcSecurityGroupId", "sg-gone".into()),
            "sg-gone is not there",
        ),
        ("a missing subnet group", |a| set(a, "/DBSubnetGroups", json!([])), "the subnets of its group `aloka-db`"),
        ("a strange block", |a| set(a, "/Subnets/0/CidrBlock", "x".into()), "is no block of addresses"),
    ];
    for (name, change, expected_text) in table {
        let mut account = seed();
        change(&mut account);
        let violations = read(&account).violations(&expected());
        assert!(violations.iter().any(|text| text.contains(expected_text)), "{name}: {violations:#?}");
    }
    let account = seed();
    for refused in [
        Operation::Ec2(Ec2::DescribeVpcs),
        Operation::Ec2(Ec2::DescribeSecurityGroups),
        Operation::Rds(Rds::DescribeDBInstances),
    ] {
        let world = audit(&mut |request| {
            if request.operation() == refused {
                return Err(ApiError::answered("UnauthorizedOperation", "no", Some(403)));
            }
            answer(&account, request)
        });
        assert!(world.violations(&expected()).iter().any(|text| text.contains(refused.name())), "{refused}");
    }
}

#[test]
fn orphans_and_duplicates_are_found() {
    let paths = ["Vpcs", "Subnets", "InternetGateways", "Addresses", "NatGateways", "Instances", "DBInstances"];
    for key in ["aloka-lineage", "aloka-address", "aloka-generation"] {
        for path in paths {
            let mut account = seed();
            account[path][0]["Tags"].as_object_mut().expect(path).remove(key);
            assert_eq!(read(&account).untagged().len(), 1, "{path} without {key}");
        }
    }
    let mut account = seed();
    set(&mut account, "/Tags", json!({}));
    set(&mut account, "/RouteTables/1/Tags", json!({}));
    set(&mut account, "/SecurityGroups/1/Tags", json!({}));
    let world = read(&account);
    let untagged: Vec<_> = world.untagged().iter().map(|object| object.id.as_str()).collect();
    assert_eq!(untagged, ["rtb-pub", "sg-app", "aloka-db"]);

    let mut account = seed();
    let mut twin = account["Addresses"][0].clone();
    twin["AllocationId"] = "eipalloc-2".into();
    twin["Tags"]["aloka-generation"] = "2".into();
    push(&mut account, "/Addresses", twin);
    let world = read(&account);
    let twins: Vec<_> = world.duplicates().concat().iter().map(|object| object.id.as_str()).collect();
    assert_eq!(twins, ["eipalloc-1", "eipalloc-2"]);

    // What is gone and only still listed is neither.
    let mut account = seed();
    for (path, id, state) in [("Instances", "InstanceId", "terminated"), ("NatGateways", "NatGatewayId", "deleted")] {
        let mut gone = account[path][0].clone();
        gone[id] = "gone".into();
        gone["State"] = state.into();
        push(&mut account, &format!("/{path}"), gone);
    }
    let world = read(&account);
    assert!(world.duplicates().is_empty());
    assert!(world.objects.iter().all(|object| object.id != "gone"));
}
