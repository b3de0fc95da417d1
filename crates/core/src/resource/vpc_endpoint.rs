//! `aws_vpc_endpoint`: a gateway endpoint, by which route tables lead to a service of AWS without a NAT gateway.

use super::attribute::{TAGS, attribute, computed, replace};
use super::context::{absent, call, equals, is_changed, no_reads, nothing, object, text_list, wait};
use super::schema::{
    Type::{Blocks, Bool, Map, Texts},
    Types,
};
use super::{
    Attribute, AttributeChange, Attributes, Compare, Context, Definition, Found, Import, Listing, Network, OnChange,
    Phase, Recorded, Swept, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::{Accept, Pace, Save, Step};
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    computed("id"),
    computed("owner_id"),
    computed("private_dns_enabled"),
    computed("requester_managed"),
    attribute("route_table_ids", OnChange::InPlace, Compare::Set),
    replace("service_name"),
    computed("state"),
    TAGS,
    replace("vpc_endpoint_type"),
    replace("vpc_id"),
];

const TYPES: Types = &[
    ("auto_accept", Bool),
    ("cidr_blocks", Texts),
    ("dns_entry", Blocks(&[])),
    ("dns_options", Blocks(&[("private_dns_only_for_inbound_resolver_endpoint", Bool)])),
    ("network_interface_ids", Texts),
    ("private_dns_enabled", Bool),
    ("requester_managed", Bool),
    ("route_table_ids", Texts),
    ("security_group_ids", Texts),
    ("subnet_configuration", Blocks(&[])),
    ("subnet_ids", Texts),
    ("timeouts", Map),
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
    id_prefix: Some("vpce"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::VpcEndpoint,
        operation: Operation::Ec2(Ec2::DescribeVpcEndpoints),
        argument: "VpcEndpointIds",
        filter: Some("vpc-endpoint-id"),
        beside: None,
        list: "VpcEndpoints",
        first: "VpcEndpoints.0",
        id: "VpcEndpointId",
        attribute: "id",
    },
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateVpcEndpoint), "VpcEndpointId")],
    // A VPC may have interface endpoints for the same service as well.
    told_apart_by: Some(&["service_name", "vpc_endpoint_type"]),
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_vpc_endpoint",
        operation: Operation::Ec2(Ec2::DescribeVpcEndpoints),
        list: "VpcEndpoints",
        id: "VpcEndpointId",
        remove: "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids",
    }],
    observe,
    describe,
    phase,
    create,
    settle,
    finish: nothing,
    update,
    delete,
    is_aws_own: false,
    // A route table has one route to a service.
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::CutOff,
    network: Network::Routes { tables: "route_table_ids", destination: None },
};

/// Ready within seconds, as a rule (logs of Terraform runs: 5 to 10 s).
const AVAILABLE: Pace = Pace::seconds(0, 6, 600);
const DELETED: Pace = Pace::seconds(0, 6, 600);

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("id", "VpcEndpointId"),
        ("owner_id", "OwnerId"),
        ("private_dns_enabled", "PrivateDnsEnabled"),
        ("requester_managed", "RequesterManaged"),
        ("route_table_ids", "RouteTableIds"),
        ("service_name", "ServiceName"),
        ("state", "State"),
        ("vpc_endpoint_type", "VpcEndpointType"),
        ("vpc_id", "VpcId"),
    ]);
    a.ec2_arn("vpc-endpoint");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([
        ("VpcEndpointId", of.id()),
        ("VpcEndpointType", of.value("vpc_endpoint_type")),
        ("ServiceName", of.value("service_name")),
        ("VpcId", of.value("vpc_id")),
    ]))
}

/// AWS writes states with a capital in some replies and without in others.
fn phase(object: &Value) -> Phase {
    let state = object.get("State").as_str().unwrap_or_default();
    match state.to_ascii_lowercase().as_str() {
        "pending" => Phase::Settling,
        "failed" | "rejected" | "expired" => Phase::Failed(state.to_owned()),
        "deleting" => Phase::Deleting,
        "deleted" => Phase::Gone,
        _ => Phase::Ready,
    }
}

fn state(values: [&str; 2], success: bool) -> impl Iterator<Item = Accept> {
    values.map(|value| equals("VpcEndpoints.0.State", value, success)).into_iter()
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [
        ("VpcId", of.get("vpc_id")),
        ("ServiceName", of.get("service_name")),
        ("VpcEndpointType", of.get("vpc_endpoint_type")),
        ("RouteTableIds", of.get("route_table_ids")),
        ("ClientToken", of.token()),
    ];
    vec![of.create_call(Operation::Ec2(Ec2::CreateVpcEndpoint), object("VpcEndpoint"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    let ends = state(["failed", "Failed"], false).chain(state(["deleted", "Deleted"], false));
    vec![of.wait_for(state(["available", "Available"], true).chain(ends).collect(), AVAILABLE)]
}

/// Tables that come are added before tables that go are taken away, each in a call of its own: so a call that is sent again
/// says by its code alone that it was carried out before.
fn update(of: &Context<'_>, changes: &[AttributeChange], _: bool) -> Vec<Step> {
    if !is_changed(changes, "route_table_ids") {
        return Vec::new();
    }
    let (after, before) = (of.get("route_table_ids"), of.old("route_table_ids"));
    let (after, before) = (after.as_list().unwrap_or_default(), before.as_list().unwrap_or_default());
    let less = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    let modify = |argument: &'static str, tables: Vec<Value>| {
        let args = [("VpcEndpointId", of.id()), (argument, Value::List(tables))];
        call(Operation::Ec2(Ec2::ModifyVpcEndpoint), args)
    };
    let added = Some(less(after, before)).filter(|tables| !tables.is_empty());
    let removed = Some(less(before, after)).filter(|tables| !tables.is_empty());
    let added = added.map(|tables| modify("AddRouteTableIds", tables));
    let removed = removed.map(|tables| modify("RemoveRouteTableIds", tables));
    added.into_iter().chain(removed).chain(settle(of)).collect()
}

/// What an earlier run began to delete is only waited for.
fn delete(of: &Context<'_>, phase: Option<&Phase>) -> Vec<Step> {
    let args = [("VpcEndpointIds", text_list(of.id()))];
    let delete = (phase != Some(&Phase::Deleting)).then(|| call(Operation::Ec2(Ec2::DeleteVpcEndpoints), args));
    let gone = state(["deleted", "Deleted"], true).chain([absent("VpcEndpoints.0")]).collect();
    delete.into_iter().chain([wait(of.read().0, gone, Save::Nothing, DELETED)]).collect()
}
