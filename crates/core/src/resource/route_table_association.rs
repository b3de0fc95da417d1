//! `aws_route_table_association`: which table a subnet has.

use super::attribute::{computed, in_place, replace};
use super::context::{always_ready, id_at, in_another, no_reads, nothing};
use super::route_table;
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::procedure::Step;
use crate::value::ValueMap;

const ATTRIBUTES: &[Attribute] = &[computed("id"), in_place("route_table_id"), replace("subnet_id")];

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
    derived_id: None,
    import: Import::Pair { separator: '/', names: ["subnet_id", "route_table_id"], form: "subnet-0123/rtb-0123" },
    listing: Listing { attribute: "route_table_id", ..route_table::LISTING },
    in_vpc: None,
    also_read: no_reads,
    made_by: &[
        (Operation::Ec2(Ec2::AssociateRouteTable), "AssociationId"),
        (Operation::Ec2(Ec2::ReplaceRouteTableAssociation), "NewAssociationId"),
    ],
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
    part_of: Some("subnet_id"),
    ties: &[],
    used_by_others: Use::Table,
    network: Network::Nothing,
};

fn observe(a: &mut Attributes<'_>, known: &ValueMap) -> Option<()> {
    let subnet = known.get("subnet_id")?;
    let associations = a.object.get("Associations").as_list()?;
    a.object = associations.iter().find(|association| association.get("SubnetId") == subnet)?;
    a.copy(&[("id", "RouteTableAssociationId"), ("route_table_id", "RouteTableId"), ("subnet_id", "SubnetId")]);
    Some(())
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [("RouteTableId", of.get("route_table_id")), ("SubnetId", of.get("subnet_id"))];
    vec![of.placed_call(Operation::Ec2(Ec2::AssociateRouteTable), id_at("AssociationId"), args)]
}

fn update(of: &Context<'_>, _: &[AttributeChange], _: bool) -> Vec<Step> {
    let args = [("AssociationId", of.id()), ("RouteTableId", of.get("route_table_id"))];
    vec![of.placed_call(Operation::Ec2(Ec2::ReplaceRouteTableAssociation), id_at("NewAssociationId"), args)]
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.by_id(Operation::Ec2(Ec2::DisassociateRouteTable), "AssociationId")]
}
