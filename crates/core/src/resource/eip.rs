//! `aws_eip`: a public address, for a NAT gateway.

use super::attribute::{TAGS, computed, replace};
use super::context::{always_ready, no_reads, no_update, nothing, object};
use super::schema::{Type::Bool, Types};
use super::{
    Attribute, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Recorded, Swept, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    computed("allocation_id"),
    computed("arn"),
    computed("association_id"),
    replace("domain"),
    computed("id"),
    computed("network_border_group"),
    computed("network_interface"),
    computed("private_ip"),
    computed("public_ip"),
    computed("public_ipv4_pool"),
    TAGS,
];

const TYPES: Types = &[("vpc", Bool)];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 0,
    provider_settings: &[],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[],
    name_attribute: None,
    reference: "id",
    id_prefix: Some("eipalloc"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::Eip,
        operation: Operation::Ec2(Ec2::DescribeAddresses),
        argument: "AllocationIds",
        filter: Some("allocation-id"),
        beside: None,
        list: "Addresses",
        first: "Addresses.0",
        id: "AllocationId",
        attribute: "id",
    },
    in_vpc: None,
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::AllocateAddress), "AllocationId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_eip",
        operation: Operation::Ec2(Ec2::DescribeAddresses),
        list: "Addresses",
        id: "AllocationId",
        remove: "aws ec2 release-address --allocation-id",
    }],
    observe,
    describe,
    phase: always_ready,
    create,
    settle: nothing,
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
        ("allocation_id", "AllocationId"),
        ("association_id", "AssociationId"),
        ("domain", "Domain"),
        ("id", "AllocationId"),
        ("network_border_group", "NetworkBorderGroup"),
        ("network_interface", "NetworkInterfaceId"),
        ("private_ip", "PrivateIpAddress"),
        ("public_ip", "PublicIp"),
        ("public_ipv4_pool", "PublicIpv4Pool"),
    ]);
    a.ec2_arn("elastic-ip");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([("AllocationId", of.id())]))
}

fn create(of: &Context<'_>) -> Vec<Step> {
    vec![of.create_call(Operation::Ec2(Ec2::AllocateAddress), object(""), [("Domain", of.get("domain"))])]
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.by_id(Operation::Ec2(Ec2::ReleaseAddress), "AllocationId")]
}
