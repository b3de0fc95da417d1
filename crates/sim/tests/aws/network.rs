//! VPCs, subnets, gateways, addresses, NAT gateways and routes.

use aloka_core::api::Operation::{self, *};
use aloka_core::value::Value;
use serde_json::{Value as Json, json};

use crate::cloud::{Cloud, NOWHERE, Network};

#[test]
fn vpc_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let create = |cidr: &str| json!({"CidrBlock": cidr, "Tags": {}});
    cloud.table(&[
        (CreateVpc, create("10.0.0.0/15"), "InvalidVpc.Range"),
        (CreateVpc, create("10.0.0.0/16"), "ok"),
        (CreateVpc, create("10.0.0.0/28"), "ok"),
        (CreateVpc, create("10.0.0.0/29"), "InvalidVpc.Range"),
        (CreateVpc, create("10.0.0/16"), "InvalidParameterValue"),
        (CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {}, "InstanceTenancy": "dedicated"}), "ok"),
        (
            CreateVpc,
            json!({"CidrBlock": "10.0.0.0/16", "Tags": {}, "InstanceTenancy": "host"}),
            "InvalidParameterValue",
        ),
        (CreateVpc, json!({"CidrBlock": "10.0.0.0/16"}), "MissingParameter"),
        (DescribeVpcs, json!({"VpcIds": [vpc]}), "ok"),
        (DescribeVpcs, json!({"VpcIds": [format!("vpc-{NOWHERE}")]}), "InvalidVpcID.NotFound"),
        (DescribeVpcs, json!({"VpcIds": ["vpc-xyz"]}), "InvalidVpcID.Malformed"),
        (DescribeVpcs, json!({"VpcIds": [NOWHERE]}), "InvalidVpcID.Malformed"),
        (DescribeVpcs, json!({"Filters": {"cidr": ["10.*"]}}), "ok"),
        (DescribeVpcs, json!({"Filters": {"colour": ["red"]}}), "InvalidParameterValue"),
        (ModifyVpcAttribute, json!({"VpcId": vpc, "EnableDnsHostnames": true}), "ok"),
        (
            ModifyVpcAttribute,
            json!({"VpcId": vpc, "EnableDnsHostnames": true, "EnableDnsSupport": true}),
            "InvalidParameterCombination",
        ),
        (ModifyVpcAttribute, json!({"VpcId": vpc}), "MissingParameter"),
        (DescribeVpcAttribute, json!({"VpcId": vpc, "Attribute": "enableDnsSupport"}), "ok"),
        (DescribeVpcAttribute, json!({"VpcId": vpc, "Attribute": "EnableDnsSupport"}), "InvalidParameterValue"),
        (DeleteVpc, json!({"VpcId": vpc}), "ok"),
        (DeleteVpc, json!({"VpcId": format!("vpc-{NOWHERE}")}), "InvalidVpcID.NotFound"),
    ]);
    cloud.ok(ModifyVpcAttribute, json!({"VpcId": vpc, "EnableDnsSupport": false}));
    cloud.table(&[
        (ModifyVpcAttribute, json!({"VpcId": vpc, "EnableDnsHostnames": true}), "InvalidParameterCombination"),
        (ModifyVpcAttribute, json!({"VpcId": vpc, "EnableDnsHostnames": false}), "ok"),
    ]);
}

#[test]
fn host_bits_of_blocks_are_masked() {
    let mut cloud = Cloud::instant();
    let reply = cloud.ok(CreateVpc, json!({"CidrBlock": "10.77.3.9/16", "Tags": {}}));
    assert_eq!(reply.at("Vpc.CidrBlock"), Some(&"10.77.0.0/16".into()));
    let vpc = reply.at("Vpc.VpcId").and_then(Value::as_str).expect("an identifier").to_owned();
    let reply = cloud.ok(CreateSubnet, json!({"VpcId": vpc, "CidrBlock": "10.77.1.7/24", "Tags": {}}));
    assert_eq!(reply.at("Subnet.CidrBlock"), Some(&"10.77.1.0/24".into()));
}

#[test]
fn what_comes_with_a_vpc() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let tables = cloud.ok(DescribeRouteTables, json!({"Filters": {"vpc-id": [vpc], "association.main": ["true"]}}));
    let table = tables.at("RouteTables.0").expect("a main table").clone();
    assert_eq!(table.at("Routes.0.GatewayId"), Some(&"local".into()));
    assert_eq!(table.at("Routes.0.DestinationCidrBlock"), Some(&"10.0.0.0/16".into()));
    assert_eq!(table.at("Associations.0.Main"), Some(&true.into()));
    let groups = cloud.ok(DescribeSecurityGroups, json!({"Filters": {"vpc-id": [vpc], "group-name": ["default"]}}));
    let group = groups.at("SecurityGroups.0").expect("a default group").clone();
    assert_eq!(group.at("IpPermissions.0.UserIdGroupPairs.0.GroupId"), group.at("GroupId"));
    assert_eq!(group.at("IpPermissionsEgress.0.IpRanges.0.CidrIp"), Some(&"0.0.0.0/0".into()));
    // A customer does not find them.
    assert_eq!(cloud.account.objects(cloud.now).len(), 1);

    let table = table.at("RouteTableId").and_then(Value::as_str).expect("an identifier");
    let association = tables.at("RouteTables.0.Associations.0.RouteTableAssociationId").cloned();
    let association = association.as_ref().and_then(Value::as_str).expect("an identifier");
    let group = group.at("GroupId").and_then(Value::as_str).expect("an identifier");
    cloud.table(&[
        (DeleteRouteTable, json!({"RouteTableId": table}), "DependencyViolation"),
        (DeleteSecurityGroup, json!({"GroupId": group}), "CannotDelete"),
        (DisassociateRouteTable, json!({"AssociationId": association}), "InvalidParameterValue"),
        (DeleteVpc, json!({"VpcId": vpc}), "ok"),
    ]);
    cloud.ok(DeleteVpc, json!({"VpcId": vpc}));
    assert_eq!(cloud.code(DescribeRouteTables, &json!({"RouteTableIds": [table]})), "InvalidRouteTableID.NotFound");
    assert_eq!(cloud.code(DescribeSecurityGroups, &json!({"GroupIds": [group]})), "InvalidGroup.NotFound");
}

#[test]
fn what_blocks_the_deletion_of_a_vpc() {
    type Maker = fn(&mut Cloud, &str);
    let makers: [(&str, Maker); 5] = [
        ("a subnet", |cloud, vpc| drop(cloud.subnet(vpc, "10.0.1.0/24", "us-east-1a"))),
        ("a gateway", |cloud, vpc| drop(cloud.gateway(vpc))),
        ("a group", |cloud, vpc| drop(cloud.group(vpc, "app"))),
        ("a table", |cloud, vpc| drop(cloud.route_table(vpc, "t"))),
        ("nothing", |_, _| {}),
    ];
    for (name, make) in makers {
        let mut cloud = Cloud::instant();
        let vpc = cloud.vpc("10.0.0.0/16");
        let other = cloud.vpc("10.0.0.0/16");
        make(&mut cloud, &vpc);
        let expected = if name == "nothing" { "ok" } else { "DependencyViolation" };
        cloud.table(&[(DeleteVpc, json!({"VpcId": vpc}), expected), (DeleteVpc, json!({"VpcId": other}), "ok")]);
    }
}

#[test]
fn subnet_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let other = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.1.0/24", "us-east-1a");
    let create = |vpc: &str, cidr: &str, zone: &str| json!({"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": zone, "Tags": {}});
    cloud.table(&[
        (CreateSubnet, create(&vpc, "10.0.1.0/24", "us-east-1b"), "InvalidSubnet.Conflict"),
        (CreateSubnet, create(&vpc, "10.0.1.128/25", "us-east-1a"), "InvalidSubnet.Conflict"),
        (CreateSubnet, create(&vpc, "10.0.0.0/23", "us-east-1a"), "InvalidSubnet.Conflict"),
        (CreateSubnet, create(&vpc, "10.0.2.0/24", "us-east-1a"), "ok"),
        (CreateSubnet, create(&other, "10.0.1.0/24", "us-east-1a"), "ok"),
        (CreateSubnet, create(&vpc, "10.1.0.0/24", "us-east-1a"), "InvalidSubnet.Range"),
        (CreateSubnet, create(&vpc, "10.0.2.0/29", "us-east-1a"), "InvalidSubnet.Range"),
        (CreateSubnet, create(&vpc, "10.0.2.0/28", "us-east-1a"), "ok"),
        (CreateSubnet, create(&vpc, "10.0.2/24", "us-east-1a"), "InvalidParameterValue"),
        (CreateSubnet, create(&vpc, "10.0.2.0/24", "us-east-1z"), "InvalidParameterValue"),
        (CreateSubnet, create(&vpc, "10.0.2.0/24", "us-east-1f"), "ok"),
        (CreateSubnet, create(&format!("vpc-{NOWHERE}"), "10.0.2.0/24", "us-east-1a"), "InvalidVpcID.NotFound"),
        (DescribeSubnets, json!({"SubnetIds": [subnet]}), "ok"),
        (DescribeSubnets, json!({"SubnetIds": ["subnet-1"]}), "InvalidSubnetID.Malformed"),
        (DeleteSubnet, json!({"SubnetId": subnet}), "ok"),
        (DeleteSubnet, json!({"SubnetId": format!("subnet-{NOWHERE}")}), "InvalidSubnetID.NotFound"),
    ]);
    let error = cloud.send(CreateSubnet, &create(&vpc, "10.0.2.0/24", "us-east-1z")).expect_err("no such zone");
    let expected = "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be \
                    created in the following availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, \
                    us-east-1e, us-east-1f.";
    assert_eq!(error.message, expected);
}

#[test]
fn gateway_rules() {
    let mut cloud = Cloud::instant();
    let vpc = cloud.vpc("10.0.0.0/16");
    let other = cloud.vpc("10.0.0.0/16");
    let attached = cloud.gateway(&vpc);
    let free = cloud.text(CreateInternetGateway, json!({"Tags": {}}), "InternetGateway.InternetGatewayId");
    let pair = |gateway: &str, vpc: &str| json!({"InternetGatewayId": gateway, "VpcId": vpc});
    let nowhere = format!("igw-{NOWHERE}");
    cloud.table(&[
        (AttachInternetGateway, pair(&attached, &vpc), "Resource.AlreadyAssociated"),
        (AttachInternetGateway, pair(&attached, &other), "Resource.AlreadyAssociated"),
        (AttachInternetGateway, pair(&free, &vpc), "InvalidParameterValue"),
        (AttachInternetGateway, pair(&free, &other), "ok"),
        (AttachInternetGateway, pair(&nowhere, &other), "InvalidInternetGatewayID.NotFound"),
        (AttachInternetGateway, pair("igw-", &other), "InvalidInternetGatewayId.Malformed"),
        (DetachInternetGateway, pair(&free, &vpc), "Gateway.NotAttached"),
        (DetachInternetGateway, pair(&attached, &other), "Gateway.NotAttached"),
        (DetachInternetGateway, pair(&attached, &vpc), "ok"),
        (DeleteInternetGateway, json!({"InternetGatewayId": attached}), "DependencyViolation"),
        (DeleteInternetGateway, json!({"InternetGatewayId": free}), "ok"),
        (DeleteInternetGateway, json!({"InternetGatewayId": nowhere}), "InvalidInternetGatewayID.NotFound"),
    ]);
}

#[test]
fn public_addresses_block_the_detachment_of_a_gateway() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let detach = json!({"InternetGatewayId": network.gateway, "VpcId": network.vpc});
    let address = cloud.address();
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "ok", "an idle address maps nothing");
    let nat = cloud.nat(&network.public[0], &address, "n");
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.wait(200);
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": nat}));
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.wait(49);
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.wait(1);
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "ok");

    let instance = cloud.instance(&network.public[0], &network.group, "i");
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.wait(100);
    cloud.ok(TerminateInstances, json!({"InstanceIds": [instance]}));
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "DependencyViolation");
    cloud.wait(30);
    assert_eq!(cloud.clone().code(DetachInternetGateway, &detach), "ok");
}

#[test]
fn an_address_is_the_nat_gateways_until_it_is_deleted() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let address = cloud.address();
    let release = json!({"AllocationId": address});
    let subnet = &network.public[0];
    let nat = cloud.nat(subnet, &address, "n");
    let described = cloud.described(DescribeAddresses, "AllocationIds", &address, "Addresses");
    assert!(!described.get("AssociationId").is_null(), "{described}");
    assert_eq!(cloud.described_nat(&nat).get("State"), &"pending".into());
    assert!(cloud.described_nat(&nat).at("NatGatewayAddresses.0.PrivateIp").is_none());
    cloud.wait(104);
    assert_eq!(cloud.described_nat(&nat).get("State"), &"pending".into());
    cloud.wait(1);
    let described = cloud.described_nat(&nat);
    assert_eq!(described.get("State"), &"available".into());
    let ip = described.at("NatGatewayAddresses.0.PrivateIp").and_then(Value::as_str).expect("an address");
    assert!(ip.starts_with("10.0.1."), "{ip}");
    let blocked = [
        (ReleaseAddress, release.clone(), "AuthFailure"),
        (DeleteSubnet, json!({"SubnetId": subnet}), "DependencyViolation"),
    ];
    cloud.table(&blocked);
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": nat}));
    assert_eq!(cloud.described_nat(&nat).get("State"), &"deleting".into());
    cloud.table(&blocked);
    cloud.wait(50);
    assert_eq!(cloud.described_nat(&nat).get("State"), &"deleted".into());
    cloud.table(&[
        (ReleaseAddress, release, "ok"),
        (ReleaseAddress, json!({"AllocationId": format!("eipalloc-{NOWHERE}")}), "InvalidAllocationID.NotFound"),
        (ReleaseAddress, json!({"AllocationId": "eip-1"}), "InvalidAllocationID.Malformed"),
        (DeleteSubnet, json!({"SubnetId": subnet}), "ok"),
        (DeleteNatGateway, json!({"NatGatewayId": nat}), "ok"),
        (AllocateAddress, json!({"Domain": "standard", "Tags": {}}), "InvalidParameterValue"),
    ]);
    cloud.wait(3599);
    cloud.described_nat(&nat);
    cloud.wait(1);
    cloud.table(&[
        (DescribeNatGateways, json!({"NatGatewayIds": [nat]}), "NatGatewayNotFound"),
        (DeleteNatGateway, json!({"NatGatewayId": nat}), "NatGatewayNotFound"),
        (DescribeNatGateways, json!({"NatGatewayIds": ["nat-?"]}), "NatGatewayMalformed"),
    ]);
}

/// Creates a NAT gateway, and answers its failure code once it is settled.
fn failure(cloud: &mut Cloud, subnet: &str, address: &str, token: &str) -> Option<String> {
    let nat = cloud.nat(subnet, address, token);
    assert_eq!(cloud.described_nat(&nat).get("State"), &"pending".into(), "failures come later");
    cloud.wait(200);
    let described = cloud.described_nat(&nat);
    let code = described.get("FailureCode").as_str().map(str::to_owned);
    assert_eq!(described.get("State"), &if code.is_some() { "failed" } else { "available" }.into());
    code
}

#[test]
fn nat_gateways_fail_after_they_were_accepted() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let (subnet, address) = (&network.public[0], cloud.address());
    let lonely = cloud.vpc("10.0.0.0/16");
    let lonely = cloud.subnet(&lonely, "10.0.1.0/24", "us-east-1a");
    assert_eq!(failure(&mut cloud, &lonely, &address, "a").as_deref(), Some("Gateway.NotAttached"));
    assert_eq!(cloud.clone().code(ReleaseAddress, &json!({"AllocationId": address})), "ok");
    assert_eq!(cloud.clone().code(DeleteSubnet, &json!({"SubnetId": lonely})), "ok");
    assert_eq!(failure(&mut cloud, subnet, &address, "b"), None);
    assert_eq!(failure(&mut cloud, subnet, &address, "c").as_deref(), Some("Resource.AlreadyAssociated"));

    cloud.account.fail_next(CreateNatGateway, "InternalError", "Network interface eni-x is in invalid state.");
    let other = cloud.address();
    assert_eq!(failure(&mut cloud, subnet, &other, "d").as_deref(), Some("InternalError"));
    assert_eq!(failure(&mut cloud, subnet, &other, "e"), None);
    let create = |subnet: &str, address: &str| json!({"SubnetId": subnet, "AllocationId": address, "ClientToken": "x", "Tags": {}});
    cloud.table(&[
        (CreateNatGateway, create(subnet, &format!("eipalloc-{NOWHERE}")), "InvalidAllocationID.NotFound"),
        (CreateNatGateway, create(&format!("subnet-{NOWHERE}"), &address), "InvalidSubnetID.NotFound"),
    ]);
    // A failed one is an object until it vanishes, or is deleted.
    let nats = cloud.ok(DescribeNatGateways, json!({"Filters": {"state": ["failed"]}}));
    let failed = nats.at("NatGateways.0.NatGatewayId").and_then(Value::as_str).expect("one failed").to_owned();
    let count = |cloud: &Cloud| cloud.account.objects(cloud.now).iter().filter(|o| o.id.starts_with("nat-")).count();
    assert_eq!(count(&cloud), 5);
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": failed}));
    assert_eq!(cloud.described_nat(&failed).get("State"), &"deleted".into());
    assert_eq!(count(&cloud), 4);
}

#[test]
fn nat_gateways_and_route_tables_are_made_once_for_a_token() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let address = cloud.address();
    let create = json!({"SubnetId": network.public[0], "AllocationId": address, "ClientToken": "n", "Tags": {}});
    let first = cloud.text(CreateNatGateway, create.clone(), "NatGateway.NatGatewayId");
    assert_eq!(cloud.text(CreateNatGateway, create, "NatGateway.NatGatewayId"), first);
    let other = json!({"SubnetId": network.public[1], "AllocationId": address, "ClientToken": "n", "Tags": {}});
    assert_eq!(cloud.code(CreateNatGateway, &other), "IdempotentParameterMismatch");
    let table = cloud.route_table(&network.vpc, "n");
    assert_eq!(cloud.route_table(&network.vpc, "n"), table);
    assert_ne!(cloud.route_table(&network.vpc, "m"), table);
    let other = json!({"VpcId": network.vpc, "ClientToken": "n", "Tags": {"a": "b"}});
    assert_eq!(cloud.code(CreateRouteTable, &other), "IdempotentParameterMismatch");
}

/// The state of the route to everywhere.
fn default_route(cloud: &mut Cloud, table: &str) -> String {
    let described = cloud.described_table(table);
    let routes = described.get("Routes").as_list().expect("routes");
    let route = routes.iter().find(|route| route.get("DestinationCidrBlock").as_str() == Some("0.0.0.0/0"));
    route.expect("a default route").get("State").as_str().expect("a state").to_owned()
}

#[test]
fn route_rules() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let (table, gateway) = (cloud.route_table(&network.vpc, "t"), &network.gateway);
    let address = cloud.address();
    let nat = cloud.nat(&network.public[0], &address, "n");
    let foreign_vpc = cloud.vpc("10.9.0.0/16");
    let foreign = cloud.gateway(&foreign_vpc);
    let idle = cloud.text(CreateInternetGateway, json!({"Tags": {}}), "InternetGateway.InternetGatewayId");
    let to = |destination: &str, name: &str, id: &str| json!({"RouteTableId": table, "DestinationCidrBlock": destination, name: id});
    let (all, via, via_nat) = ("0.0.0.0/0", "GatewayId", "NatGatewayId");
    let rows: Vec<(Operation, Json, &str)> = vec![
        (CreateRoute, to(all, via, gateway), "ok"),
        (CreateRoute, to(all, via_nat, &nat), "ok"),
        (CreateRoute, to(all, via, "local"), "InvalidGatewayID.NotFound"),
        (CreateRoute, to(all, via, &format!("igw-{NOWHERE}")), "InvalidGatewayID.NotFound"),
        (CreateRoute, to(all, via_nat, &format!("nat-{NOWHERE}")), "InvalidNatGatewayID.NotFound"),
        (CreateRoute, to(all, via_nat, "nat-1"), "InvalidNatGatewayID.Malformed"),
        (CreateRoute, to(all, via, &foreign), "InvalidParameterValue"),
        (CreateRoute, to(all, via, &idle), "InvalidParameterValue"),
        (CreateRoute, to("0.0.0.0/33", via, gateway), "InvalidParameterValue"),
        (CreateRoute, to("10.0.0.0/16", via, gateway), "InvalidParameterValue"),
        (CreateRoute, to("10.0.1.0/24", via, gateway), "InvalidParameterValue"),
        (CreateRoute, to("10.0.0.0/15", via, gateway), "ok"),
        (CreateRoute, json!({"RouteTableId": table, "DestinationCidrBlock": all}), "MissingParameter"),
        (ReplaceRoute, to(all, via, gateway), "InvalidParameterValue"),
        (DeleteRoute, json!({"RouteTableId": table, "DestinationCidrBlock": all}), "InvalidRoute.NotFound"),
        (DeleteRoute, json!({"RouteTableId": table, "DestinationCidrBlock": "10.0.0.0/16"}), "InvalidParameterValue"),
        (DescribeRouteTables, json!({"RouteTableIds": ["rtb-x"]}), "InvalidRouteTableId.Malformed"),
        (DeleteRouteTable, json!({"RouteTableId": table}), "ok"),
        (
            CreateRouteTable,
            json!({"VpcId": format!("vpc-{NOWHERE}"), "ClientToken": "x", "Tags": {}}),
            "InvalidVpcID.NotFound",
        ),
    ];
    cloud.table(&rows);
    cloud.ok(CreateRoute, to(all, via, gateway));
    cloud.table(&[
        (CreateRoute, to(all, via, gateway), "ok"),
        (CreateRoute, to(all, via_nat, &nat), "RouteAlreadyExists"),
        (ReplaceRoute, to(all, via_nat, &nat), "ok"),
        (DeleteRoute, json!({"RouteTableId": table, "DestinationCidrBlock": all}), "ok"),
        (DeleteRouteTable, json!({"RouteTableId": table}), "ok"),
    ]);
}

#[test]
fn routes_to_what_is_gone_are_black_holes() {
    let mut cloud = Cloud::median();
    let network = Network::new(&mut cloud);
    let (public, private) = (cloud.route_table(&network.vpc, "a"), cloud.route_table(&network.vpc, "b"));
    let address = cloud.address();
    let nat = cloud.nat(&network.public[0], &address, "n");
    let all = "0.0.0.0/0";
    cloud.ok(CreateRoute, json!({"RouteTableId": public, "DestinationCidrBlock": all, "GatewayId": network.gateway}));
    let to_nat = json!({"RouteTableId": private, "DestinationCidrBlock": all, "NatGatewayId": nat});
    cloud.ok(CreateRoute, to_nat.clone());
    cloud.wait(200);
    assert_eq!(default_route(&mut cloud, &public), "active");
    assert_eq!(default_route(&mut cloud, &private), "active");
    cloud.ok(DeleteNatGateway, json!({"NatGatewayId": nat}));
    assert_eq!(default_route(&mut cloud, &private), "blackhole");
    assert_eq!(cloud.code(ReplaceRoute, &to_nat), "InvalidNatGatewayID.NotFound");
    cloud.wait(4000);
    assert_eq!(default_route(&mut cloud, &private), "blackhole");
    cloud.ok(DetachInternetGateway, json!({"InternetGatewayId": network.gateway, "VpcId": network.vpc}));
    assert_eq!(default_route(&mut cloud, &public), "blackhole");
}

#[test]
fn association_rules() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    let subnet = &network.public[0];
    let (one, two) = (cloud.route_table(&network.vpc, "a"), cloud.route_table(&network.vpc, "b"));
    let other = cloud.vpc("10.0.0.0/16");
    let foreign = cloud.subnet(&other, "10.0.1.0/24", "us-east-1a");
    let association = cloud.associate(&one, subnet);
    let pair = |table: &str, subnet: &str| json!({"RouteTableId": table, "SubnetId": subnet});
    cloud.table(&[
        (AssociateRouteTable, pair(&one, subnet), "Resource.AlreadyAssociated"),
        (AssociateRouteTable, pair(&two, subnet), "Resource.AlreadyAssociated"),
        (AssociateRouteTable, pair(&two, &network.public[1]), "ok"),
        (AssociateRouteTable, pair(&one, &foreign), "InvalidParameterValue"),
        (AssociateRouteTable, pair(&format!("rtb-{NOWHERE}"), subnet), "InvalidRouteTableID.NotFound"),
        (DeleteRouteTable, json!({"RouteTableId": one}), "DependencyViolation"),
        (DeleteRouteTable, json!({"RouteTableId": two}), "ok"),
        (DisassociateRouteTable, json!({"AssociationId": association}), "ok"),
        (
            DisassociateRouteTable,
            json!({"AssociationId": format!("rtbassoc-{NOWHERE}")}),
            "InvalidAssociationID.NotFound",
        ),
        (ReplaceRouteTableAssociation, json!({"AssociationId": association, "RouteTableId": two}), "ok"),
        (
            ReplaceRouteTableAssociation,
            json!({"AssociationId": association, "RouteTableId": format!("rtb-{NOWHERE}")}),
            "InvalidRouteTableID.NotFound",
        ),
    ]);
    let replace = json!({"AssociationId": association, "RouteTableId": two});
    let new = cloud.text(ReplaceRouteTableAssociation, replace.clone(), "NewAssociationId");
    assert_ne!(new, association);
    assert_eq!(cloud.code(ReplaceRouteTableAssociation, &replace), "InvalidAssociationID.NotFound");
    assert_eq!(cloud.clone().code(DeleteRouteTable, &json!({"RouteTableId": two})), "DependencyViolation");
    // The association goes with the subnet.
    cloud.ok(DeleteSubnet, json!({"SubnetId": subnet}));
    assert_eq!(cloud.code(DeleteRouteTable, &json!({"RouteTableId": two})), "ok");
}

#[test]
fn quotas_are_those_of_a_new_account() {
    let mut cloud = Cloud::instant();
    let network = Network::new(&mut cloud);
    for _ in 0..4 {
        cloud.vpc("10.0.0.0/16");
    }
    for _ in 0..5 {
        cloud.address();
    }
    cloud.table(&[
        (CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {}}), "VpcLimitExceeded"),
        (AllocateAddress, json!({"Domain": "vpc", "Tags": {}}), "AddressLimitExceeded"),
    ]);
    let addresses = cloud.ok(DescribeAddresses, json!({}));
    let addresses = addresses.get("Addresses").as_list().expect("addresses");
    for (index, address) in addresses.iter().enumerate() {
        let address = address.get("AllocationId").as_str().expect("an identifier");
        cloud.nat(&network.public[0], address, &format!("n{index}"));
    }
    let address = addresses[0].get("AllocationId").as_str().expect("an identifier");
    let create = |subnet: &str| json!({"SubnetId": subnet, "AllocationId": address, "ClientToken": "x", "Tags": {}});
    cloud.table(&[
        (CreateNatGateway, create(&network.private[0]), "NatGatewayLimitExceeded"),
        (CreateNatGateway, create(&network.public[1]), "ok"),
    ]);
    let unlimited = aloka_sim::aws::Quotas::unlimited();
    cloud.account = cloud.account.clone().with_quotas(unlimited);
    cloud.table(&[(CreateVpc, json!({"CidrBlock": "10.0.0.0/16", "Tags": {}}), "ok")]);
}
