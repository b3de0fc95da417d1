//! `aws_subnet`: a part of the network in one Availability Zone.

use super::attribute::{TAGS, computed, replace};
use super::context::{AT_ONCE, equals, no_reads, no_update, nothing, object};
use super::schema::{
    Type::{Bool, Number as Num},
    Types,
};
use super::vpc;
use super::{
    Attribute, Attributes, Context, Definition, Found, Import, Listing, Network, Origin, Phase, Recorded, Swept,
    Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    replace("availability_zone"),
    computed("availability_zone_id"),
    replace("cidr_block"),
    computed("id"),
    computed("map_public_ip_on_launch"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

const TYPES: Types = &[
    ("assign_ipv6_address_on_creation", Bool),
    ("enable_dns64", Bool),
    ("enable_lni_at_device_index", Num),
    ("enable_resource_name_dns_a_record_on_launch", Bool),
    ("enable_resource_name_dns_aaaa_record_on_launch", Bool),
    ("ipv6_native", Bool),
    ("map_customer_owned_ip_on_launch", Bool),
    ("map_public_ip_on_launch", Bool),
];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 1,
    provider_settings: &[],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[
        Origin { name: "public", attribute: "cidr_block", variable: "public_subnet_cidrs" },
        Origin { name: "private", attribute: "cidr_block", variable: "private_subnet_cidrs" },
        Origin { name: "", attribute: "availability_zone", variable: "availability_zones" },
    ],
    name_attribute: None,
    reference: "id",
    id_prefix: Some("subnet"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::Subnet,
        operation: Operation::Ec2(Ec2::DescribeSubnets),
        argument: "SubnetIds",
        filter: Some("subnet-id"),
        beside: None,
        list: "Subnets",
        first: "Subnets.0",
        id: "SubnetId",
        attribute: "id",
    },
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateSubnet), "SubnetId")],
    told_apart_by: Some(&["cidr_block"]),
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_subnet",
        operation: Operation::Ec2(Ec2::DescribeSubnets),
        list: "Subnets",
        id: "SubnetId",
        remove: "aws ec2 delete-subnet --subnet-id",
    }],
    observe,
    describe,
    phase: vpc::phase,
    create,
    settle,
    finish: nothing,
    update: no_update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::Held,
    network: Network::Nothing,
};

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("availability_zone", "AvailabilityZone"),
        ("availability_zone_id", "AvailabilityZoneId"),
        ("cidr_block", "CidrBlock"),
        ("id", "SubnetId"),
        ("map_public_ip_on_launch", "MapPublicIpOnLaunch"),
        ("owner_id", "OwnerId"),
        ("vpc_id", "VpcId"),
    ]);
    a.ec2_arn("subnet");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([
        ("SubnetId", of.id()),
        ("VpcId", of.value("vpc_id")),
        ("CidrBlock", of.value("cidr_block")),
        ("AvailabilityZone", of.value("availability_zone")),
    ]))
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [
        ("VpcId", of.get("vpc_id")),
        ("CidrBlock", of.get("cidr_block")),
        ("AvailabilityZone", of.get("availability_zone")),
    ];
    vec![of.create_call(Operation::Ec2(Ec2::CreateSubnet), object("Subnet"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    vec![of.wait_for(vec![equals("Subnets.0.State", "available", true)], AT_ONCE)]
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.interfaces_gone("subnet-id"), of.by_id(Operation::Ec2(Ec2::DeleteSubnet), "SubnetId")]
}
