//! `aws_route`: the default route of a table.

use super::attribute::{computed, in_place, replace};
use super::context::{always_ready, call, in_another, no_reads, nothing};
use super::route_table;
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::procedure::{Save, Step};
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    replace("destination_cidr_block"),
    in_place("gateway_id"),
    computed("id"),
    in_place("nat_gateway_id"),
    computed("origin"),
    replace("route_table_id"),
    computed("state"),
];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 0,
    provider_settings: &[],
    attributes: ATTRIBUTES,
    types: &[],
    secrets: &[],
    recorded_only: &[],
    variables: &[],
    name_attribute: None,
    reference: "id",
    id_prefix: None,
    derived_id: Some(derived_id),
    import: Import::Pair {
        separator: '_',
        names: ["route_table_id", "destination_cidr_block"],
        form: "rtb-0123_0.0.0.0/0",
    },
    listing: Listing { attribute: "route_table_id", ..route_table::LISTING },
    in_vpc: None,
    also_read: no_reads,
    made_by: &[],
    told_apart_by: None,
    found: Found::ByPlace,
    tagging: Tagging::None,
    swept: &[],
    observe,
    describe: in_another,
    phase: always_ready,
    create,
    settle: nothing,
    finish: nothing,
    update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: Some("route_table_id"),
    ties: &[],
    used_by_others: Use::Way,
    network: Network::Routes { tables: "route_table_id", destination: Some("destination_cidr_block") },
};

/// Terraform's identifier of a default route: the table, and a checksum of `0.0.0.0/0`.
pub fn route_id(table: &str) -> String {
    const CHECKSUM_OF_DEFAULT: u32 = 1_080_289_494;
    format!("r-{table}{CHECKSUM_OF_DEFAULT}")
}

fn derived_id(attributes: &ValueMap) -> Option<String> {
    attributes.get("route_table_id").and_then(Value::as_str).map(route_id)
}

fn observe(a: &mut Attributes<'_>, known: &ValueMap) -> Option<()> {
    let table = a.object;
    let destination = known.get("destination_cidr_block")?;
    let routes = table.get("Routes").as_list()?;
    a.object = routes.iter().find(|route| route.get("DestinationCidrBlock") == destination)?;
    a.copy(&[("destination_cidr_block", "DestinationCidrBlock"), ("origin", "Origin"), ("state", "State")]);
    for (name, field) in [("gateway_id", "GatewayId"), ("nat_gateway_id", "NatGatewayId")] {
        let target = a.object.at(field).cloned().unwrap_or_else(|| Value::str(""));
        a.set(name, target);
    }
    let table = table.get("RouteTableId").clone();
    a.set("id", Value::from(route_id(table.as_str().unwrap_or_default())));
    a.set("route_table_id", table);
    Some(())
}

fn args(of: &Context<'_>) -> [(&'static str, Value); 4] {
    [
        ("RouteTableId", of.get("route_table_id")),
        ("DestinationCidrBlock", of.get("destination_cidr_block")),
        ("GatewayId", of.get("gateway_id")),
        ("NatGatewayId", of.get("nat_gateway_id")),
    ]
}

fn create(of: &Context<'_>) -> Vec<Step> {
    vec![of.placed_call(Operation::Ec2(Ec2::CreateRoute), Save::Nothing, args(of))]
}

fn update(of: &Context<'_>, _: &[AttributeChange], _: bool) -> Vec<Step> {
    vec![call(Operation::Ec2(Ec2::ReplaceRoute), args(of))]
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    let args = [("RouteTableId", of.old("route_table_id")), ("DestinationCidrBlock", of.old("destination_cidr_block"))];
    vec![call(Operation::Ec2(Ec2::DeleteRoute), args)]
}
