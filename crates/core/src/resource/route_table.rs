//! `aws_route_table`: where the traffic of subnets goes.

use super::attribute::{TAGS, computed, replace};
use super::context::{always_ready, no_reads, no_update, nothing, object};
use super::schema::{
    Type::{Blocks, Texts},
    Types,
};
use super::{
    Attribute, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Recorded, Swept, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[computed("arn"), computed("id"), computed("owner_id"), TAGS, replace("vpc_id")];

pub(super) const LISTING: Listing = Listing {
    kind: Kind::RouteTable,
    operation: Operation::Ec2(Ec2::DescribeRouteTables),
    argument: "RouteTableIds",
    filter: Some("route-table-id"),
    beside: None,
    list: "RouteTables",
    first: "RouteTables.0",
    id: "RouteTableId",
    attribute: "id",
};

const TYPES: Types = &[("propagating_vgws", Texts), ("route", Blocks(&[]))];

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
    id_prefix: Some("rtb"),
    derived_id: None,
    import: Import::By("id"),
    listing: LISTING,
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateRouteTable), "RouteTableId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_route_table",
        operation: Operation::Ec2(Ec2::DescribeRouteTables),
        list: "RouteTables",
        id: "RouteTableId",
        remove: "aws ec2 delete-route-table --route-table-id",
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
    a.copy(&[("id", "RouteTableId"), ("owner_id", "OwnerId"), ("vpc_id", "VpcId")]);
    a.ec2_arn("route-table");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    let listed = |kind: Kind, field: &'static str, attribute: &str| {
        let others = of.others(kind, "route_table_id", of.id);
        Value::List(others.map(|other| Value::map([(field, other.value(attribute))])).collect())
    };
    Some(Value::map([
        ("RouteTableId", of.id()),
        ("VpcId", of.value("vpc_id")),
        ("Associations", listed(Kind::RouteTableAssociation, "SubnetId", "subnet_id")),
        ("Routes", listed(Kind::Route, "DestinationCidrBlock", "destination_cidr_block")),
    ]))
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [("VpcId", of.get("vpc_id")), ("ClientToken", of.token())];
    vec![of.create_call(Operation::Ec2(Ec2::CreateRouteTable), object("RouteTable"), args)]
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.by_id(Operation::Ec2(Ec2::DeleteRouteTable), "RouteTableId")]
}
