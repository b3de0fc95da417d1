//! `aws_vpc`: the network that all the rest is in.

use super::attribute::{TAGS, computed, create_only, in_place, replace};
use super::context::{AT_ONCE, call, equals, is_changed, object};
use super::schema::{
    Type::{Bool, Number as Num},
    Types,
};
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Found, Import, Listing, Network, Origin, Phase, Place,
    Recorded, Swept, Tagging, Use,
};
use crate::api::{Call, Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    replace("cidr_block"),
    computed("default_network_acl_id"),
    computed("default_route_table_id"),
    computed("default_security_group_id"),
    computed("dhcp_options_id"),
    in_place("enable_dns_hostnames"),
    in_place("enable_dns_support"),
    computed("id"),
    create_only("instance_tenancy"),
    computed("main_route_table_id"),
    computed("owner_id"),
    TAGS,
];

const TYPES: Types = &[
    ("assign_generated_ipv6_cidr_block", Bool),
    ("enable_classiclink", Bool),
    ("enable_classiclink_dns_support", Bool),
    ("enable_dns_hostnames", Bool),
    ("enable_dns_support", Bool),
    ("enable_network_address_usage_metrics", Bool),
    ("ipv4_netmask_length", Num),
    ("ipv6_netmask_length", Num),
];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 1,
    provider_settings: &[],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[Origin { name: "", attribute: "cidr_block", variable: "vpc_cidr" }],
    name_attribute: None,
    reference: "id",
    id_prefix: Some("vpc"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::Vpc,
        operation: Operation::Ec2(Ec2::DescribeVpcs),
        argument: "VpcIds",
        filter: Some("vpc-id"),
        beside: None,
        list: "Vpcs",
        first: "Vpcs.0",
        id: "VpcId",
        attribute: "id",
    },
    in_vpc: None,
    also_read,
    made_by: &[(Operation::Ec2(Ec2::CreateVpc), "VpcId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_vpc",
        operation: Operation::Ec2(Ec2::DescribeVpcs),
        list: "Vpcs",
        id: "VpcId",
        remove: "aws ec2 delete-vpc --vpc-id",
    }],
    observe,
    describe,
    phase,
    create,
    settle,
    finish,
    update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::Network,
    network: Network::Nothing,
};

/// What `DescribeVpcs` does not tell.
fn also_read(_: &ValueMap, id: &str, _: &Place) -> Vec<Call> {
    let of = |attribute| [("VpcId", Value::str(id)), ("Attribute", Value::str(attribute))];
    ["enableDnsHostnames", "enableDnsSupport"].map(|name| Call::new(Ec2::DescribeVpcAttribute, of(name))).into()
}

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("cidr_block", "CidrBlock"),
        ("dhcp_options_id", "DhcpOptionsId"),
        ("id", "VpcId"),
        ("instance_tenancy", "InstanceTenancy"),
        ("owner_id", "OwnerId"),
        ("enable_dns_hostnames", "EnableDnsHostnames"),
        ("enable_dns_support", "EnableDnsSupport"),
    ]);
    a.ec2_arn("vpc");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([("VpcId", of.id()), ("CidrBlock", of.value("cidr_block"))]))
}

/// Of what EC2 makes in a moment, and may fail to make.
pub(super) fn phase(object: &Value) -> Phase {
    match object.at("State").and_then(Value::as_str).unwrap_or_default() {
        "pending" => Phase::Settling,
        state @ ("failed" | "failed-insufficient-capacity") => Phase::Failed(state.to_owned()),
        _ => Phase::Ready,
    }
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [("CidrBlock", of.get("cidr_block")), ("InstanceTenancy", of.get("instance_tenancy"))];
    vec![of.create_call(Operation::Ec2(Ec2::CreateVpc), object("Vpc"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    vec![of.wait_for(vec![equals("Vpcs.0.State", "available", true)], AT_ONCE)]
}

/// Support is on by default; hostnames are not (VPC user guide, DNS attributes).
fn finish(of: &Context<'_>) -> Vec<Step> {
    vec![set(of, "enable_dns_hostnames", "EnableDnsHostnames")]
}

fn set(of: &Context<'_>, attribute: &str, argument: &'static str) -> Step {
    call(Operation::Ec2(Ec2::ModifyVpcAttribute), [("VpcId", of.id()), (argument, of.get(attribute))])
}

/// Hostnames need support.
fn update(of: &Context<'_>, changes: &[AttributeChange], _: bool) -> Vec<Step> {
    let attributes =
        [("enable_dns_support", "EnableDnsSupport"), ("enable_dns_hostnames", "EnableDnsHostnames")].into_iter();
    let changed = attributes.filter(|(name, _)| is_changed(changes, name));
    changed.map(|(name, argument)| set(of, name, argument)).collect()
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.by_id(Operation::Ec2(Ec2::DeleteVpc), "VpcId")]
}
