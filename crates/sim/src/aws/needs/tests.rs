//! What each operation needs, against the Service Authorization Reference.

use std::collections::BTreeMap;

use aloka_core::api::Call;
use aloka_core::value::Value;
use serde_json::{Value as Json, json};

use super::*;
use crate::iam::{Facts, ResourceType};

/// An account in which everything carries the tag `own = yes` but what is called `foreign`.
struct Fixture {
    role: bool,
}

impl Objects for Fixture {
    fn region(&self) -> &str {
        "r"
    }

    fn account_id(&self) -> &str {
        "1"
    }

    fn facts(&self, kind: ResourceType, id: &str) -> Facts {
        if id.ends_with("foreign") || kind == ResourceType::Image {
            return Facts::default();
        }
        let keys = if kind == ResourceType::Subnet {
            vec![("ec2:AvailabilityZone", "ra".to_owned()), ("ec2:Vpc", "arn:aws:ec2:r:1:vpc/vpc-1".to_owned())]
        } else {
            Vec::new()
        };
        Facts { tags: BTreeMap::from([("own".to_owned(), "yes".to_owned())]), keys }
    }

    fn association(&self, id: &str) -> Option<(String, String)> {
        (id == "rtbassoc-1").then(|| ("rtb-1".to_owned(), "subnet-1".to_owned()))
    }

    fn default_group(&self, _: &str) -> Option<String> {
        Some("sg-default".to_owned())
    }

    fn engine_major(&self, version: Option<&str>) -> String {
        version.unwrap_or("17.1").chars().take(2).collect()
    }

    fn has_rds_role(&self) -> bool {
        self.role
    }
}

fn request(operation: Operation, arguments: &Json) -> Request {
    let arguments = arguments.as_object().expect("arguments are an object");
    Request(Call::new(
        operation,
        arguments.iter().map(|(name, value)| {
            let parameter = operation.parameters().iter().find(|parameter| parameter.name == name);
            let parameter = parameter.unwrap_or_else(|| panic!("{operation} has no parameter {name}"));
            (parameter.name, serde_json::from_value::<Value>(value.clone()).expect("a value"))
        }),
    ))
}

/// `action resource`, and ` requested` or ` own` where the tag of the request or of the object can be asked for.
fn told(request: &Request, objects: &dyn Objects) -> Vec<String> {
    let tell = |need: Need| {
        assert_eq!(need.context.get("ec2:Region"), Some(["r".to_owned()].as_slice()));
        let has = |key: &str| need.context.get(key).is_some();
        let requested = if has("aws:RequestTag/own") && has("aws:TagKeys") { " requested" } else { "" };
        let own = if has("aws:ResourceTag/own") { " own" } else { "" };
        let resource = need.resource.replace("arn:aws:", "");
        format!("{} {resource}{requested}{own}", need.action)
    };
    needs(request, objects).into_iter().map(tell).collect()
}

#[test]
fn every_operation() {
    let tags = json!({ "own": "yes" });
    let vpc = json!({ "VpcId": "vpc-1" });
    let group = json!({ "GroupId": "sg-1", "IpPermissions": [] });
    let instances = json!({ "InstanceIds": ["i-1", "i-foreign"] });
    let table = json!({ "RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0" });
    let gateway = json!({ "InternetGatewayId": "igw-1", "VpcId": "vpc-foreign" });
    let none = json!({});
    use Operation as O;
    let cases: Vec<(Operation, Json, Vec<&str>)> = vec![
        (O::Sts(Sts::GetCallerIdentity), none.clone(), vec![]),
        (
            O::Ssm(Ssm::GetParameter),
            json!({ "Name": "/aws/service/x" }),
            vec!["ssm:GetParameter ssm:r::parameter/aws/service/x"],
        ),
        (O::Ec2(Ec2::DescribeAvailabilityZones), none.clone(), vec!["ec2:DescribeAvailabilityZones *"]),
        (O::Ec2(Ec2::DescribeInstanceTypeOfferings), none.clone(), vec!["ec2:DescribeInstanceTypeOfferings *"]),
        (O::Ec2(Ec2::DescribeImages), json!({ "ImageIds": ["ami-1"] }), vec!["ec2:DescribeImages *"]),
        (
            O::Ec2(Ec2::CreateVpc),
            json!({ "CidrBlock": "10.0.0.0/16", "Tags": tags }),
            vec!["ec2:CreateVpc ec2:r:1:vpc/* requested", "ec2:CreateTags ec2:r:1:vpc/* requested"],
        ),
        (O::Ec2(Ec2::DescribeVpcs), json!({ "VpcIds": ["vpc-1"] }), vec!["ec2:DescribeVpcs *"]),
        (O::Ec2(Ec2::DescribeVpcAttribute), vpc.clone(), vec!["ec2:DescribeVpcAttribute ec2:r:1:vpc/vpc-1 own"]),
        (O::Ec2(Ec2::ModifyVpcAttribute), vpc.clone(), vec!["ec2:ModifyVpcAttribute ec2:r:1:vpc/vpc-1 own"]),
        (O::Ec2(Ec2::DeleteVpc), json!({ "VpcId": "vpc-foreign" }), vec!["ec2:DeleteVpc ec2:r:1:vpc/vpc-foreign"]),
        (
            O::Ec2(Ec2::CreateSubnet),
            json!({ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "Tags": tags }),
            vec![
                "ec2:CreateSubnet ec2:r:1:subnet/* requested",
                "ec2:CreateTags ec2:r:1:subnet/* requested",
                "ec2:CreateSubnet ec2:r:1:vpc/vpc-1 own",
            ],
        ),
        (O::Ec2(Ec2::DescribeSubnets), none.clone(), vec!["ec2:DescribeSubnets *"]),
        (
            O::Ec2(Ec2::DeleteSubnet),
            json!({ "SubnetId": "subnet-1" }),
            vec!["ec2:DeleteSubnet ec2:r:1:subnet/subnet-1 own"],
        ),
        (
            O::Ec2(Ec2::CreateInternetGateway),
            json!({ "Tags": tags }),
            vec![
                "ec2:CreateInternetGateway ec2:r:1:internet-gateway/* requested",
                "ec2:CreateTags ec2:r:1:internet-gateway/* requested",
            ],
        ),
        (O::Ec2(Ec2::DescribeInternetGateways), none.clone(), vec!["ec2:DescribeInternetGateways *"]),
        (
            O::Ec2(Ec2::CreateVpcEndpoint),
            json!({ "VpcId": "vpc-1", "ServiceName": "s3", "RouteTableIds": ["rtb-1", "rtb-foreign"], "Tags": tags }),
            vec![
                "ec2:CreateVpcEndpoint ec2:r:1:vpc-endpoint/* requested",
                "ec2:CreateTags ec2:r:1:vpc-endpoint/* requested",
                "ec2:CreateVpcEndpoint ec2:r:1:vpc/vpc-1 own",
                "ec2:CreateVpcEndpoint ec2:r:1:route-table/rtb-1 own",
                "ec2:CreateVpcEndpoint ec2:r:1:route-table/rtb-foreign",
            ],
        ),
        (O::Ec2(Ec2::DescribeVpcEndpoints), none.clone(), vec!["ec2:DescribeVpcEndpoints *"]),
        (
            O::Ec2(Ec2::ModifyVpcEndpoint),
            json!({ "VpcEndpointId": "vpce-1", "AddRouteTableIds": ["rtb-1"], "RemoveRouteTableIds": ["rtb-2"] }),
            vec![
                "ec2:ModifyVpcEndpoint ec2:r:1:vpc-endpoint/vpce-1 own",
                "ec2:ModifyVpcEndpoint ec2:r:1:route-table/rtb-1 own",
                "ec2:ModifyVpcEndpoint ec2:r:1:route-table/rtb-2 own",
            ],
        ),
        (
            O::Ec2(Ec2::DeleteVpcEndpoints),
            json!({ "VpcEndpointIds": ["vpce-1"] }),
            vec!["ec2:DeleteVpcEndpoints ec2:r:1:vpc-endpoint/vpce-1 own"],
        ),
        (O::Ec2(Ec2::DescribeVpcPeeringConnections), none.clone(), vec!["ec2:DescribeVpcPeeringConnections *"]),
        (O::Ec2(Ec2::DescribeVpnGateways), none.clone(), vec!["ec2:DescribeVpnGateways *"]),
        (O::Ec2(Ec2::DescribeNetworkAcls), none.clone(), vec!["ec2:DescribeNetworkAcls *"]),
        (
            O::Ec2(Ec2::DescribeEgressOnlyInternetGateways),
            none.clone(),
            vec!["ec2:DescribeEgressOnlyInternetGateways *"],
        ),
        (O::Ec2(Ec2::DescribeTags), none.clone(), vec!["ec2:DescribeTags *"]),
        (
            O::Ec2(Ec2::AttachInternetGateway),
            gateway.clone(),
            vec![
                "ec2:AttachInternetGateway ec2:r:1:internet-gateway/igw-1 own",
                "ec2:AttachInternetGateway ec2:r:1:vpc/vpc-foreign",
            ],
        ),
        (
            O::Ec2(Ec2::DetachInternetGateway),
            gateway,
            vec![
                "ec2:DetachInternetGateway ec2:r:1:internet-gateway/igw-1 own",
                "ec2:DetachInternetGateway ec2:r:1:vpc/vpc-foreign",
            ],
        ),
        (
            O::Ec2(Ec2::DeleteInternetGateway),
            json!({ "InternetGatewayId": "igw-1" }),
            vec!["ec2:DeleteInternetGateway ec2:r:1:internet-gateway/igw-1 own"],
        ),
        // Without tags there is nothing to tag.
        (
            O::Ec2(Ec2::AllocateAddress),
            json!({ "Domain": "vpc", "Tags": {} }),
            vec!["ec2:AllocateAddress ec2:r:1:elastic-ip/*"],
        ),
        (O::Ec2(Ec2::DescribeAddresses), none.clone(), vec!["ec2:DescribeAddresses *"]),
        (
            O::Ec2(Ec2::ReleaseAddress),
            json!({ "AllocationId": "eipalloc-1" }),
            vec!["ec2:ReleaseAddress ec2:r:1:elastic-ip/eipalloc-1 own"],
        ),
        (
            O::Ec2(Ec2::CreateNatGateway),
            json!({ "SubnetId": "subnet-1", "AllocationId": "eipalloc-1", "Tags": tags }),
            vec![
                "ec2:CreateNatGateway ec2:r:1:natgateway/* requested",
                "ec2:CreateTags ec2:r:1:natgateway/* requested",
                "ec2:CreateNatGateway ec2:r:1:subnet/subnet-1 own",
                "ec2:CreateNatGateway ec2:r:1:elastic-ip/eipalloc-1 own",
            ],
        ),
        (O::Ec2(Ec2::DescribeNatGateways), none.clone(), vec!["ec2:DescribeNatGateways *"]),
        (O::Ec2(Ec2::DescribeNetworkInterfaces), none.clone(), vec!["ec2:DescribeNetworkInterfaces *"]),
        (
            O::Ec2(Ec2::DeleteNatGateway),
            json!({ "NatGatewayId": "nat-1" }),
            vec!["ec2:DeleteNatGateway ec2:r:1:natgateway/nat-1 own"],
        ),
        (
            O::Ec2(Ec2::CreateRouteTable),
            json!({ "VpcId": "vpc-1", "Tags": tags }),
            vec![
                "ec2:CreateRouteTable ec2:r:1:route-table/* requested",
                "ec2:CreateTags ec2:r:1:route-table/* requested",
                "ec2:CreateRouteTable ec2:r:1:vpc/vpc-1 own",
            ],
        ),
        (O::Ec2(Ec2::DescribeRouteTables), none.clone(), vec!["ec2:DescribeRouteTables *"]),
        (
            O::Ec2(Ec2::DeleteRouteTable),
            json!({ "RouteTableId": "rtb-1" }),
            vec!["ec2:DeleteRouteTable ec2:r:1:route-table/rtb-1 own"],
        ),
        (O::Ec2(Ec2::CreateRoute), table.clone(), vec!["ec2:CreateRoute ec2:r:1:route-table/rtb-1 own"]),
        (O::Ec2(Ec2::ReplaceRoute), table.clone(), vec!["ec2:ReplaceRoute ec2:r:1:route-table/rtb-1 own"]),
        (O::Ec2(Ec2::DeleteRoute), table, vec!["ec2:DeleteRoute ec2:r:1:route-table/rtb-1 own"]),
        (
            O::Ec2(Ec2::AssociateRouteTable),
            json!({ "RouteTableId": "rtb-1", "SubnetId": "subnet-1" }),
            vec![
                "ec2:AssociateRouteTable ec2:r:1:route-table/rtb-1 own",
                "ec2:AssociateRouteTable ec2:r:1:subnet/subnet-1 own",
            ],
        ),
        (
            O::Ec2(Ec2::ReplaceRouteTableAssociation),
            json!({ "AssociationId": "rtbassoc-1", "RouteTableId": "rtb-foreign" }),
            vec![
                "ec2:ReplaceRouteTableAssociation ec2:r:1:route-table/rtb-foreign",
                "ec2:ReplaceRouteTableAssociation ec2:r:1:subnet/subnet-1 own",
            ],
        ),
        (
            O::Ec2(Ec2::DisassociateRouteTable),
            json!({ "AssociationId": "rtbassoc-1" }),
            vec![
                "ec2:DisassociateRouteTable ec2:r:1:route-table/rtb-1 own",
                "ec2:DisassociateRouteTable ec2:r:1:subnet/subnet-1 own",
            ],
        ),
        (
            O::Ec2(Ec2::CreateSecurityGroup),
            json!({ "GroupName": "g", "Description": "d", "VpcId": "vpc-1", "Tags": tags }),
            vec![
                "ec2:CreateSecurityGroup ec2:r:1:security-group/* requested",
                "ec2:CreateTags ec2:r:1:security-group/* requested",
                "ec2:CreateSecurityGroup ec2:r:1:vpc/vpc-1 own",
            ],
        ),
        (O::Ec2(Ec2::DescribeSecurityGroups), none.clone(), vec!["ec2:DescribeSecurityGroups *"]),
        (
            O::Ec2(Ec2::DeleteSecurityGroup),
            json!({ "GroupId": "sg-1" }),
            vec!["ec2:DeleteSecurityGroup ec2:r:1:security-group/sg-1 own"],
        ),
        (
            O::Ec2(Ec2::AuthorizeSecurityGroupIngress),
            group.clone(),
            vec!["ec2:AuthorizeSecurityGroupIngress ec2:r:1:security-group/sg-1 own"],
        ),
        (
            O::Ec2(Ec2::AuthorizeSecurityGroupEgress),
            group.clone(),
            vec!["ec2:AuthorizeSecurityGroupEgress ec2:r:1:security-group/sg-1 own"],
        ),
        (
            O::Ec2(Ec2::RevokeSecurityGroupIngress),
            group.clone(),
            vec!["ec2:RevokeSecurityGroupIngress ec2:r:1:security-group/sg-1 own"],
        ),
        (
            O::Ec2(Ec2::RevokeSecurityGroupEgress),
            group,
            vec!["ec2:RevokeSecurityGroupEgress ec2:r:1:security-group/sg-1 own"],
        ),
        (
            O::Ec2(Ec2::RunInstances),
            json!({
                "ImageId": "ami-1", "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "Tags": tags,
                "NetworkInterfaces": [{ "SubnetId": "subnet-1", "Groups": ["sg-1", "sg-foreign"] }],
            }),
            vec![
                "ec2:RunInstances ec2:r::image/ami-1",
                "ec2:RunInstances ec2:r:1:instance/* requested",
                "ec2:CreateTags ec2:r:1:instance/* requested",
                "ec2:RunInstances ec2:r:1:volume/* requested",
                "ec2:CreateTags ec2:r:1:volume/* requested",
                "ec2:RunInstances ec2:r:1:network-interface/*",
                "ec2:RunInstances ec2:r:1:subnet/subnet-1 own",
                "ec2:RunInstances ec2:r:1:security-group/sg-1 own",
                "ec2:RunInstances ec2:r:1:security-group/sg-foreign",
            ],
        ),
        (O::Ec2(Ec2::DescribeInstances), none.clone(), vec!["ec2:DescribeInstances *"]),
        (
            O::Ec2(Ec2::ModifyInstanceAttribute),
            json!({ "InstanceId": "i-1", "Groups": ["sg-1"] }),
            vec![
                "ec2:ModifyInstanceAttribute ec2:r:1:instance/i-1 own",
                "ec2:ModifyInstanceAttribute ec2:r:1:security-group/sg-1 own",
            ],
        ),
        (
            O::Ec2(Ec2::StopInstances),
            instances.clone(),
            vec!["ec2:StopInstances ec2:r:1:instance/i-1 own", "ec2:StopInstances ec2:r:1:instance/i-foreign"],
        ),
        (
            O::Ec2(Ec2::StartInstances),
            instances.clone(),
            vec!["ec2:StartInstances ec2:r:1:instance/i-1 own", "ec2:StartInstances ec2:r:1:instance/i-foreign"],
        ),
        (
            O::Ec2(Ec2::TerminateInstances),
            instances,
            vec![
                "ec2:TerminateInstances ec2:r:1:instance/i-1 own",
                "ec2:TerminateInstances ec2:r:1:instance/i-foreign",
            ],
        ),
        (O::Ec2(Ec2::DescribeVolumes), none.clone(), vec!["ec2:DescribeVolumes *"]),
        (O::Ec2(Ec2::ModifyVolume), json!({ "VolumeId": "vol-1" }), vec!["ec2:ModifyVolume ec2:r:1:volume/vol-1 own"]),
        (
            O::Ec2(Ec2::CreateTags),
            json!({ "Resources": ["sg-1", "vpc-foreign"], "Tags": tags }),
            vec![
                "ec2:CreateTags ec2:r:1:security-group/sg-1 requested own",
                "ec2:CreateTags ec2:r:1:vpc/vpc-foreign requested",
            ],
        ),
        (
            O::Ec2(Ec2::DeleteTags),
            json!({ "Resources": ["igw-1"], "TagKeys": ["own"] }),
            vec!["ec2:DeleteTags ec2:r:1:internet-gateway/igw-1 own"],
        ),
        (
            O::Rds(Rds::CreateDBSubnetGroup),
            json!({ "DBSubnetGroupName": "Group", "Tags": tags }),
            vec![
                "rds:CreateDBSubnetGroup rds:r:1:subgrp:group requested",
                "rds:AddTagsToResource rds:r:1:subgrp:group requested",
            ],
        ),
        (O::Rds(Rds::DescribeDBSubnetGroups), none.clone(), vec!["rds:DescribeDBSubnetGroups rds:r:1:subgrp:*"]),
        (
            O::Rds(Rds::ModifyDBSubnetGroup),
            json!({ "DBSubnetGroupName": "group" }),
            vec!["rds:ModifyDBSubnetGroup rds:r:1:subgrp:group own"],
        ),
        (
            O::Rds(Rds::DeleteDBSubnetGroup),
            json!({ "DBSubnetGroupName": "foreign" }),
            vec!["rds:DeleteDBSubnetGroup rds:r:1:subgrp:foreign"],
        ),
        (
            O::Rds(Rds::CreateDBInstance),
            json!({
                "DBInstanceIdentifier": "Db", "DBSubnetGroupName": "group", "EngineVersion": "15.13", "Tags": tags,
            }),
            vec![
                "rds:CreateDBInstance rds:r:1:db:db requested",
                "rds:AddTagsToResource rds:r:1:db:db requested",
                "rds:CreateDBInstance rds:r:1:subgrp:group own",
                "rds:CreateDBInstance rds:r:1:pg:default.postgres15 own",
                "rds:CreateDBInstance rds:r:1:og:default:postgres-15 own",
            ],
        ),
        (
            O::Rds(Rds::DescribeDBInstances),
            json!({ "DBInstanceIdentifier": "db" }),
            vec!["rds:DescribeDBInstances rds:r:1:db:db own"],
        ),
        (
            O::Rds(Rds::ModifyDBInstance),
            json!({ "DBInstanceIdentifier": "db", "ManageMasterUserPassword": true }),
            vec![
                "rds:ModifyDBInstance rds:r:1:db:db own",
                "kms:DescribeKey kms:r:1:key/*",
                "secretsmanager:CreateSecret secretsmanager:r:1:secret:rds!db-*",
                "secretsmanager:TagResource secretsmanager:r:1:secret:rds!db-*",
            ],
        ),
        (
            O::Rds(Rds::ModifyDBInstance),
            json!({ "DBInstanceIdentifier": "db" }),
            vec!["rds:ModifyDBInstance rds:r:1:db:db own"],
        ),
        (
            O::Rds(Rds::DeleteDBInstance),
            json!({ "DBInstanceIdentifier": "db", "SkipFinalSnapshot": true }),
            vec!["rds:DeleteDBInstance rds:r:1:db:db own"],
        ),
        (
            O::Rds(Rds::DeleteDBInstance),
            json!({ "DBInstanceIdentifier": "db", "FinalDBSnapshotIdentifier": "last" }),
            vec![
                "rds:DeleteDBInstance rds:r:1:db:db own",
                "rds:CreateDBSnapshot rds:r:1:snapshot:last own",
                "rds:CreateDBSnapshot rds:r:1:db:db own",
            ],
        ),
        (O::Rds(Rds::DescribeDBEngineVersions), none.clone(), vec!["rds:DescribeDBEngineVersions *"]),
        (
            O::Rds(Rds::DescribeDBSnapshots),
            json!({ "SnapshotType": "manual" }),
            vec!["rds:DescribeDBSnapshots rds:r:1:snapshot:*"],
        ),
        (
            O::Rds(Rds::DescribeDBSnapshots),
            json!({ "DBSnapshotIdentifier": "Last" }),
            vec!["rds:DescribeDBSnapshots rds:r:1:snapshot:last own"],
        ),
        (
            O::Rds(Rds::AddTagsToResource),
            json!({ "ResourceName": "arn:aws:rds:r:1:db:db", "Tags": tags }),
            vec!["rds:AddTagsToResource rds:r:1:db:db requested own"],
        ),
        (
            O::Rds(Rds::RemoveTagsFromResource),
            json!({ "ResourceName": "arn:aws:rds:r:1:subgrp:foreign", "TagKeys": ["own"] }),
            vec!["rds:RemoveTagsFromResource rds:r:1:subgrp:foreign"],
        ),
        (
            O::Rds(Rds::ListTagsForResource),
            json!({ "ResourceName": "arn:aws:rds:r:1:db:db" }),
            vec!["rds:ListTagsForResource rds:r:1:db:db own"],
        ),
    ];
    for (operation, arguments, expected) in &cases {
        assert_eq!(told(&request(*operation, arguments), &Fixture { role: true }), *expected, "{operation}");
    }
    for operation in Operation::ALL {
        assert!(cases.iter().any(|(known, _, _)| known == operation), "{operation} is not tested");
        // Whatever is left out of a request, it never needs nothing.
        let bare = told(&request(*operation, &none), &Fixture { role: true });
        assert_eq!(bare.is_empty(), *operation == Operation::Sts(Sts::GetCallerIdentity), "{operation}");
    }
}

#[test]
fn the_first_use_of_rds_makes_a_role() {
    let role = "iam:CreateServiceLinkedRole \
                iam::1:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
        .to_owned();
    for operation in Operation::ALL {
        let makes = |has: bool| told(&request(*operation, &json!({})), &Fixture { role: has }).contains(&role);
        let creates =
            matches!(operation, Operation::Rds(Rds::CreateDBSubnetGroup) | Operation::Rds(Rds::CreateDBInstance));
        assert_eq!((makes(false), makes(true)), (creates, false), "{operation}");
    }
}

/// What conditions on a launch can be about.
#[test]
fn a_launch_is_told_in_parts() {
    let launch = request(
        Operation::Ec2(Ec2::RunInstances),
        &json!({
            "ImageId": "ami-1", "InstanceType": "t3.small", "Tags": { "own": "yes" },
            "NetworkInterfaces": [{ "SubnetId": "subnet-1", "AssociatePublicIpAddress": true }],
            "BlockDeviceMappings": [{ "VolumeSize": 30, "VolumeType": "gp3", "Encrypted": true }],
            "MetadataOptions": { "HttpTokens": "required" },
        }),
    );
    let needs = needs(&launch, &Fixture { role: true });
    let value = |kind: &str, action: &str, key: &str| {
        let need = needs.iter().find(|n| n.resource.contains(kind) && n.action == action).expect("a need");
        need.context.get(key).map(|values| values.join(","))
    };
    for (kind, key, expected) in [
        ("instance/", "ec2:InstanceType", Some("t3.small")),
        ("instance/", "ec2:MetadataHttpTokens", Some("required")),
        ("instance/", "ec2:AvailabilityZone", Some("ra")),
        ("instance/", "ec2:VolumeSize", None),
        ("volume/", "ec2:VolumeSize", Some("30")),
        ("volume/", "ec2:VolumeType", Some("gp3")),
        ("volume/", "ec2:Encrypted", Some("true")),
        ("volume/", "ec2:InstanceType", None),
        ("network-interface/", "ec2:AssociatePublicIpAddress", Some("true")),
        ("network-interface/", "ec2:Subnet", Some("arn:aws:ec2:r:1:subnet/subnet-1")),
        ("network-interface/", "ec2:Vpc", Some("arn:aws:ec2:r:1:vpc/vpc-1")),
        ("network-interface/", "aws:RequestTag/own", None),
        ("security-group/sg-default", "aws:ResourceTag/own", Some("yes")),
        ("security-group/sg-default", "ec2:ResourceTag/own", Some("yes")),
    ] {
        assert_eq!(value(kind, "ec2:RunInstances", key).as_deref(), expected, "{kind} {key}");
    }
    assert_eq!(value("volume/", "ec2:CreateTags", "ec2:CreateAction").as_deref(), Some("RunInstances"));
    assert_eq!(value("volume/", "ec2:RunInstances", "ec2:CreateAction"), None);
}

#[test]
fn each_operation_stands_in_one_table() {
    for operation in Operation::ALL.iter().copied() {
        assert_eq!(all().filter(|(other, _)| *other == operation).count(), 1, "{operation}");
    }
}
