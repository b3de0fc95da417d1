//! `aws_nat_gateway`: the way from private subnets to the internet.

use super::attribute::{TAGS, computed, replace};
use super::context::{absent, equals, no_reads, no_update, nothing, object, wait};
use super::schema::{
    Type::{Number as Num, Texts},
    Types,
};
use super::{
    Attribute, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Recorded, Swept, Tagging, Tie,
    Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::{Accept, Pace, Save, Step};
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    replace("allocation_id"),
    computed("association_id"),
    replace("connectivity_type"),
    computed("id"),
    computed("network_interface_id"),
    computed("private_ip"),
    computed("public_ip"),
    replace("subnet_id"),
    TAGS,
];

const TYPES: Types = &[
    ("secondary_allocation_ids", Texts),
    ("secondary_private_ip_address_count", Num),
    ("secondary_private_ip_addresses", Texts),
];

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
    id_prefix: Some("nat"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::NatGateway,
        operation: Operation::Ec2(Ec2::DescribeNatGateways),
        argument: "NatGatewayIds",
        filter: Some("nat-gateway-id"),
        beside: None,
        list: "NatGateways",
        first: "NatGateways.0",
        id: "NatGatewayId",
        attribute: "id",
    },
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateNatGateway), "NatGatewayId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_nat_gateway",
        operation: Operation::Ec2(Ec2::DescribeNatGateways),
        list: "NatGateways",
        id: "NatGatewayId",
        remove: "aws ec2 delete-nat-gateway --nat-gateway-id",
    }],
    observe,
    describe,
    phase,
    create,
    settle,
    finish: nothing,
    update: no_update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[Tie::InternetGateways],
    used_by_others: Use::CutOff,
    network: Network::Nothing,
};

const AVAILABLE: Pace = Pace::seconds(80, 105, 900);
const DELETED: Pace = Pace::seconds(36, 61, 1800);

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[("connectivity_type", "ConnectivityType"), ("id", "NatGatewayId"), ("subnet_id", "SubnetId")]);
    // Others can be added to it, in no order.
    let primary = a.keyed("NatGatewayAddresses", "IsPrimary", &true.into());
    for (name, field) in [
        ("allocation_id", "AllocationId"),
        ("association_id", "AssociationId"),
        ("network_interface_id", "NetworkInterfaceId"),
        ("private_ip", "PrivateIp"),
        ("public_ip", "PublicIp"),
    ] {
        a.set(name, primary.map(|address| address.get(field).clone()).unwrap_or_default());
    }
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    let addresses = Value::List(vec![Value::map([("AllocationId", of.value("allocation_id"))])]);
    Some(Value::map([
        ("NatGatewayId", of.id()),
        ("SubnetId", of.value("subnet_id")),
        ("NatGatewayAddresses", addresses),
    ]))
}

fn phase(object: &Value) -> Phase {
    let text = |path: &str| object.at(path).and_then(Value::as_str).unwrap_or_default();
    match text("State") {
        "pending" => Phase::Settling,
        "failed" => Phase::Failed(format!("{}: {}", text("FailureCode"), text("FailureMessage"))),
        "deleting" => Phase::Deleting,
        "deleted" => Phase::Gone,
        _ => Phase::Ready,
    }
}

fn state(value: &str, success: bool) -> Accept {
    equals("NatGateways.0.State", value, success)
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [
        ("SubnetId", of.get("subnet_id")),
        ("AllocationId", of.get("allocation_id")),
        ("ConnectivityType", of.get("connectivity_type")),
        ("ClientToken", of.token()),
    ];
    vec![of.create_call(Operation::Ec2(Ec2::CreateNatGateway), object("NatGateway"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    vec![of.wait_for(vec![state("available", true), state("failed", false), state("deleted", false)], AVAILABLE)]
}

/// What an earlier run began to delete is only waited for.
fn delete(of: &Context<'_>, phase: Option<&Phase>) -> Vec<Step> {
    let delete =
        (phase != Some(&Phase::Deleting)).then(|| of.by_id(Operation::Ec2(Ec2::DeleteNatGateway), "NatGatewayId"));
    let gone = vec![state("deleted", true), absent("NatGateways.0")];
    delete.into_iter().chain([wait(of.read().0, gone, Save::Nothing, DELETED)]).collect()
}
