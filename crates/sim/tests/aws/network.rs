//! VPCs, subnets, gateways, addresses, NAT gateways, routes and interfaces: what scenarios do not show.

use aloka_core::api::Ec2::*;
use aloka_core::api::Sts::*;
use aloka_core::value::Value;
use aloka_core::value::ValueMap;
use aloka_sim::aws::{AttachmentKind, ForeignInterface, Options, Quotas};
use serde_json::json;

use crate::cloud::{Cloud, NOWHERE, Network};

#[test]
fn a_customer_does_not_find_what_comes_with_a_vpc() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    assert_eq!(cloud.account.objects(cloud.now).len(), 1);
    cloud.ok(DeleteVpc, json!({"VpcId": vpc}));
    assert!(cloud.account.is_empty(cloud.now));
}

#[test]
fn filters_have_wildcards_and_are_known() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let found = cloud.ok(DescribeVpcs, json!({"Filters": {"cidr": ["10.*"]}}));
    assert_eq!(found.at("Vpcs.0.VpcId"), Some(&vpc.into()));
    cloud.table(&[(DescribeVpcs, json!({"Filters": {"colour": ["red"]}}), "InvalidParameterValue")]);
}

/// Programs compare messages, if only those who read them do so rightly.
#[test]
fn messages_are_those_of_aws() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let table = cloud.route_table(&network.vpc, "t");
    let Network { vpc, gateway, public: [subnet, _], .. } = &network;
    let zones = "us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f";
    let cases = [
        (
            CreateSubnet,
            json!({"VpcId": vpc, "CidrBlock": "10.0.3.0/24", "AvailabilityZone": "us-east-1z", "Tags": {}}),
            format!(
                "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created \
                 in the following availability zones: {zones}."
            ),
        ),
        (DeleteVpc, json!({"VpcId": vpc}), format!("The vpc '{vpc}' has dependencies and cannot be deleted.")),
        (
            AttachInternetGateway,
            json!({"InternetGatewayId": gateway, "VpcId": vpc}),
            format!("resource {gateway} is already attached to network {vpc}"),
        ),
        (
            DeleteRoute,
            json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}),
            format!("no route with destination-cidr-block 0.0.0.0/0 in route table {table}"),
        ),
        (
            DeleteSubnet,
            json!({"SubnetId": format!("subnet-{NOWHERE}")}),
            format!("The subnet ID 'subnet-{NOWHERE}' does not exist"),
        ),
    ];
    for (operation, arguments, expected) in cases {
        assert_eq!(cloud.send(operation, &arguments).expect_err("refused").message, expected);
    }
    let quotas = Quotas { nat_gateways: 0, ..Quotas::default() };
    cloud.account = cloud.account.clone().with_quotas(quotas);
    let address = cloud.address();
    let create = json!({"SubnetId": subnet, "AllocationId": address, "ClientToken": "n", "Tags": {}});
    let error = cloud.send(CreateNatGateway, &create).expect_err("refused");
    assert_eq!(error.message, "Performing this operation would exceed the limit of 0 NAT gateways");
}

#[test]
fn a_nat_gateway_takes_as_long_as_usual() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let address = cloud.address();
    let nat = cloud.nat(&network.public[0], &address, "n");
    let state = |cloud: &mut Cloud| cloud.described_nat(&nat).get("State").clone();
    cloud.wait(104);
    assert_eq!(state(&mut cloud), "pending".into());
    cloud.wait(1);
    let described = cloud.described_nat(&nat);
    assert_eq!(described.get("State"), &"available".into());
    let ip = described.at("NatGatewayAddresses.0.PrivateIp").and_then(Value::as_str).expect("an address");
    assert!(ip.starts_with("10.0.1."), "{ip}");
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": nat}));
    cloud.wait(60);
    assert_eq!(state(&mut cloud), "deleting".into());
    cloud.wait(1);
    assert_eq!(state(&mut cloud), "deleted".into());
    cloud.wait(3599);
    assert_eq!(state(&mut cloud), "deleted".into());
    cloud.wait(1);
    assert_eq!(cloud.code(DescribeNatGateways, &json!({"NatGatewayIds": [nat]})), "NatGatewayNotFound");
}

#[test]
fn a_failed_nat_gateway_is_found_until_it_is_deleted_or_vanishes() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let address = cloud.address();
    let count = |cloud: &Cloud| cloud.account.objects(cloud.now).iter().filter(|o| o.id.starts_with("nat-")).count();
    let mut nats = Vec::new();
    for token in ["a", "b"] {
        cloud.account.fail_next(
            CreateNatGateway.into(),
            "InternalError",
            "Network interface eni-x is in invalid state.",
        );
        nats.push(cloud.nat(&network.public[0], &address, token));
    }
    cloud.wait(60);
    assert_eq!(cloud.described_nat(&nats[1]).get("State"), &"failed".into());
    assert_eq!(count(&cloud), 2);
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": nats[0]}));
    assert_eq!(count(&cloud), 1);
    cloud.wait(3600);
    cloud.ok(GetCallerIdentity, json!({}));
    assert_eq!(count(&cloud), 0);
}

/// Never shorter than its owner, never longer than allowed, and not always the same.
#[test]
fn an_interface_lingers_for_a_drawn_time() {
    let mut lingered = Vec::new();
    for (seed, longest) in (0..12).map(|seed| (seed, if seed % 3 == 0 { 0 } else { 90 })) {
        let mut cloud = Cloud::new(Options { seed, interface_linger_ms: longest * 1000, ..Options::default() });
        let network = Network::new(&mut cloud);
        let instance = cloud.instance(&network.public[0], &network.group, "i");
        cloud.wait(60);
        cloud.ok(TerminateInstances, json!({"InstanceIds": [instance]}));
        let group = json!({"Filters": {"group-id": [network.group]}});
        let interfaces = |cloud: &mut Cloud| {
            let reply = cloud.ok(DescribeNetworkInterfaces, group.clone());
            reply.get("NetworkInterfaces").as_list().map_or(0, <[Value]>::len)
        };
        while cloud.described_instance(&instance).get("State") != &"terminated".into() {
            assert_eq!(interfaces(&mut cloud), 1, "seed {seed}: gone before its instance");
            cloud.wait(1);
        }
        let mut seconds = 0;
        while interfaces(&mut cloud) > 0 {
            let delete = json!({"GroupId": network.group});
            assert_eq!(cloud.clone().code(DeleteSecurityGroup, &delete), "DependencyViolation");
            // It is nothing a customer would be left with.
            assert!(cloud.account.objects(cloud.now).iter().all(|object| !object.id.starts_with("eni-")));
            cloud.wait(1);
            seconds += 1;
        }
        assert!(seconds <= longest, "seed {seed}: {seconds} of {longest} seconds");
        cloud.ok(DeleteSecurityGroup, json!({"GroupId": network.group}));
        lingered.push(seconds);
    }
    lingered.sort_unstable();
    lingered.dedup();
    assert!(lingered.len() > 4, "{lingered:?}");
}

#[test]
fn quotas_can_be_lifted() {
    let mut cloud = Cloud::instant();
    for _ in 0..5 {
        cloud.vpc("10.0.0.0/16");
    }
    let create = [(CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {}}), "VpcLimitExceeded")];
    cloud.table(&create);
    cloud.account = cloud.account.clone().with_quotas(Quotas::unlimited());
    cloud.vpc("10.0.0.0/16");
}

/// What was saved before there was an option or a quota is loaded with its default.
#[test]
fn accounts_saved_before_are_loaded() {
    let mut cloud = Cloud::instant();
    cloud.vpc("10.0.0.0/16");
    let mut saved = serde_json::to_value(&cloud.account).expect("saved");
    let options = saved["options"].as_object_mut().expect("options");
    options.remove("interface_linger_ms").expect("the option");
    let quotas = saved["quotas"].as_object_mut().expect("quotas");
    quotas.remove("network_interfaces").expect("the quota");
    let loaded: aloka_sim::aws::Account = serde_json::from_value(saved).expect("loaded");
    assert_eq!(loaded.quotas(), cloud.account.quotas());
    assert_eq!(loaded.options(), cloud.account.options());
}

/// The reads that list what other people have on a VPC, and the list in the reply.
const OTHERS: [(aloka_core::api::Ec2, &str); 5] = [
    (DescribeVpcEndpoints, "VpcEndpoints"),
    (DescribeVpcPeeringConnections, "VpcPeeringConnections"),
    (DescribeVpnGateways, "VpnGateways"),
    (DescribeNetworkAcls, "NetworkAcls"),
    (DescribeEgressOnlyInternetGateways, "EgressOnlyInternetGateways"),
];

#[test]
fn what_other_people_have_keeps_a_vpc_until_it_is_removed() {
    for kind in AttachmentKind::ALL.map(Some).into_iter().chain([None]) {
        let mut cloud = Cloud::instant();
        let vpc = cloud.vpc("10.0.0.0/16");
        let tags: ValueMap = [("team".into(), Value::str("data"))].into_iter().collect();
        let id = match kind {
            Some(kind) => cloud.account.attach(cloud.now, kind, &vpc, tags),
            None => cloud.account.attach_endpoint(cloud.now, &vpc, tags),
        };

        // A customer of ours does not count it, a save to a file and back does.
        assert_eq!(cloud.account.objects(cloud.now).len(), 1, "{kind:?}");
        cloud.account = serde_json::from_str(&serde_json::to_string(&cloud.account).expect("saved")).expect("loaded");
        let tag = cloud.ok(DescribeTags, json!({"Filters": {"resource-id": [id]}}));
        assert_eq!(tag.at("Tags.0.Value"), Some(&"data".into()), "{kind:?}");
        let filters = json!({"Filters": {"tag:team": ["data"]}});
        let listed = OTHERS.map(|(operation, list)| cloud.ok(operation, filters.clone()).get(list).clone());
        let listed: Vec<&Value> = listed.iter().flat_map(|list| list.as_list().expect("a list")).collect();
        assert_eq!(listed.len(), 1, "{kind:?}: {listed:?}");
        assert!(listed[0].to_string().contains(&id) && listed[0].to_string().contains(&vpc), "{}", listed[0]);

        assert_eq!(cloud.code(DeleteVpc, &json!({"VpcId": vpc})), "DependencyViolation", "{kind:?}");
        assert!(cloud.account.remove_foreign(&id) && !cloud.account.remove_foreign(&id), "{kind:?}");
        assert_eq!(cloud.code(DeleteVpc, &json!({"VpcId": vpc})), "ok", "{kind:?}");
        let acls = cloud.ok(DescribeNetworkAcls, json!({}));
        assert_eq!(acls.get("NetworkAcls"), &Value::EMPTY_LIST, "{kind:?}");
    }
}

#[test]
fn other_peoples_network_interface_holds_what_it_is_in_until_it_is_removed() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let Network { vpc, gateway, public: [subnet, _], group, .. } = &network;
    let shows = ForeignInterface { public: true, ..ForeignInterface::default() };
    let id = cloud.account.add_interface(subnet, &[group], shows).expect("an address");
    cloud.account = serde_json::from_str(&serde_json::to_string(&cloud.account).expect("saved")).expect("loaded");

    let detach = json!({"InternetGatewayId": gateway, "VpcId": vpc});
    let held = [
        (DeleteSubnet, json!({"SubnetId": subnet})),
        (DeleteSecurityGroup, json!({"GroupId": group})),
        (DetachInternetGateway, detach),
    ];
    for (operation, arguments) in &held {
        assert_eq!(cloud.code(*operation, arguments), "DependencyViolation", "{operation}");
    }
    assert!(cloud.account.remove_foreign(&id));
    for (operation, arguments) in &held {
        assert_eq!(cloud.code(*operation, arguments), "ok", "{operation}");
    }
    assert_eq!(cloud.account.add_interface(subnet, &[], ForeignInterface::default()), None);
}

/// What is ours is not removed as if it were other people's.
#[test]
fn only_what_other_people_have_can_be_removed() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let address = cloud.address();
    cloud.nat(&network.public[0], &address, "n");
    let interfaces = cloud.ok(DescribeNetworkInterfaces, json!({}));
    let id = interfaces.at("NetworkInterfaces.0.NetworkInterfaceId").and_then(Value::as_str).expect("one");
    assert!(!cloud.account.remove_foreign(id));
    assert!(!cloud.account.remove_foreign(&network.vpc));
}

/// Accounts saved before there was any of this.
#[test]
fn an_account_of_an_earlier_release_is_read() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let rule = json!([{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]);
    let rule = json!({"GroupId": network.group, "IpPermissions": rule});
    cloud.ok(AuthorizeSecurityGroupIngress, rule.clone());
    let mut saved = serde_json::to_value(&cloud.account).expect("saved");
    saved.as_object_mut().expect("an account").remove("attachments").expect("a network ACL");
    for group in saved["groups"].as_object_mut().expect("groups").values_mut() {
        for direction in ["ingress", "egress"] {
            for rule in group[direction].as_array_mut().expect("rules") {
                rule.as_object_mut().expect("a rule").remove("id").expect("an identifier");
            }
        }
    }
    cloud.account = serde_json::from_value(saved).expect("loaded");
    assert_eq!(cloud.ok(DescribeNetworkAcls, json!({})).get("NetworkAcls"), &Value::EMPTY_LIST);
    assert_eq!(cloud.code(AuthorizeSecurityGroupIngress, &rule), "InvalidPermission.Duplicate");
    cloud.ok(RevokeSecurityGroupIngress, rule);
}
