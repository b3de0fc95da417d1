//! `aws_db_subnet_group`: the subnets that a database may be in.

use super::attribute::{TAGS, attribute, computed, create_only, replace};
use super::context::{AT_ONCE, always_ready, call, equals, is_changed, nothing, object};
use super::schema::{Type::Texts, Types};
use super::{
    Attribute, AttributeChange, Attributes, Compare, Context, Definition, Found, Import, Listing, Network, OnChange,
    Origin, Phase, Place, Recorded, Swept, Tagging, Use,
};
use crate::api::{Call, Operation, Rds};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    create_only("description"),
    computed("id"),
    replace("name"),
    attribute("subnet_ids", OnChange::InPlace, Compare::Set),
    TAGS,
    computed("vpc_id"),
];

const TYPES: Types = &[("subnet_ids", Texts), ("supported_network_types", Texts)];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 0,
    provider_settings: &[],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[Origin { name: "", attribute: "name", variable: "project_name" }],
    name_attribute: Some("name"),
    reference: "name",
    id_prefix: None,
    derived_id: None,
    import: Import::By("name"),
    listing: Listing {
        kind: Kind::DbSubnetGroup,
        operation: Operation::Rds(Rds::DescribeDBSubnetGroups),
        argument: "DBSubnetGroupName",
        filter: None,
        beside: None,
        list: "DBSubnetGroups",
        first: "DBSubnetGroups.0",
        id: "DBSubnetGroupName",
        attribute: "name",
    },
    in_vpc: None,
    also_read,
    made_by: &[(Operation::Rds(Rds::CreateDBSubnetGroup), "DBSubnetGroupName")],
    told_apart_by: Some(&["name"]),
    found: Found::ByTagsOfName,
    tagging: Tagging::RdsApart,
    swept: &[Swept {
        terraform_type: "aws_db_subnet_group",
        operation: Operation::Rds(Rds::ListTagsForResource),
        list: "",
        id: "",
        remove: "aws rds delete-db-subnet-group --db-subnet-group-name",
    }],
    observe,
    describe,
    phase: always_ready,
    create,
    settle,
    finish: nothing,
    update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::Held,
    network: Network::Nothing,
};

/// The ARN of a subnet group of this name; null while the account is unknown.
pub fn arn(place: &Place, name: &str) -> Value {
    place.arn("rds", &format!("subgrp:{name}"))
}

/// Its tags.
fn also_read(attributes: &ValueMap, id: &str, place: &Place) -> Vec<Call> {
    let recorded = attributes.get("arn").filter(|arn| !arn.is_null());
    let arn = recorded.cloned().unwrap_or_else(|| arn(place, id));
    let read = (!arn.is_null()).then(|| Call::new(Rds::ListTagsForResource, [("ResourceName", arn)]));
    read.into_iter().collect()
}

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("arn", "DBSubnetGroupArn"),
        ("description", "DBSubnetGroupDescription"),
        ("id", "DBSubnetGroupName"),
        ("name", "DBSubnetGroupName"),
        ("subnet_ids", "SubnetIds"),
        ("vpc_id", "VpcId"),
    ]);
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([("DBSubnetGroupName", of.id()), ("VpcId", of.value("vpc_id"))]))
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [
        ("DBSubnetGroupName", of.get("name")),
        ("DBSubnetGroupDescription", of.get("description")),
        ("SubnetIds", of.get("subnet_ids")),
    ];
    vec![of.create_call(Operation::Rds(Rds::CreateDBSubnetGroup), object("DBSubnetGroup"), args)]
}

fn settle(of: &Context<'_>) -> Vec<Step> {
    vec![of.wait_for(vec![equals("DBSubnetGroups.0.SubnetGroupStatus", "Complete", true)], AT_ONCE)]
}

fn update(of: &Context<'_>, changes: &[AttributeChange], _: bool) -> Vec<Step> {
    if !is_changed(changes, "subnet_ids") {
        return Vec::new();
    }
    let args = [("DBSubnetGroupName", of.get("name")), ("SubnetIds", of.get("subnet_ids"))];
    std::iter::once(call(Operation::Rds(Rds::ModifyDBSubnetGroup), args)).chain(settle(of)).collect()
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![call(Operation::Rds(Rds::DeleteDBSubnetGroup), [("DBSubnetGroupName", of.old("name"))])]
}
