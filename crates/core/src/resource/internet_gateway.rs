//! `aws_internet_gateway`: the way between the network and the internet.

use super::attribute::{TAGS, computed, replace};
use super::context::{always_ready, call, no_reads, nothing, object};
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Found, Import, Listing, Network, Phase, Recorded,
    Swept, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::{Save, Step};
use crate::value::{Value, ValueMap};

const ATTRIBUTES: &[Attribute] = &[computed("arn"), computed("id"), computed("owner_id"), TAGS, replace("vpc_id")];

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
    id_prefix: Some("igw"),
    derived_id: None,
    import: Import::By("id"),
    listing: Listing {
        kind: Kind::InternetGateway,
        operation: Operation::Ec2(Ec2::DescribeInternetGateways),
        argument: "InternetGatewayIds",
        filter: Some("internet-gateway-id"),
        beside: None,
        list: "InternetGateways",
        first: "InternetGateways.0",
        id: "InternetGatewayId",
        attribute: "id",
    },
    in_vpc: Some("attachment.vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateInternetGateway), "InternetGatewayId")],
    told_apart_by: None,
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_internet_gateway",
        operation: Operation::Ec2(Ec2::DescribeInternetGateways),
        list: "InternetGateways",
        id: "InternetGatewayId",
        remove: "aws ec2 delete-internet-gateway --internet-gateway-id",
    }],
    observe,
    describe,
    phase: always_ready,
    create,
    settle: nothing,
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

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[("id", "InternetGatewayId"), ("owner_id", "OwnerId")]);
    if let Some(attachments) = a.object.at("Attachments") {
        let attached = attachments.at("0.VpcId").cloned().unwrap_or_else(|| Value::str(""));
        a.set("vpc_id", attached);
    }
    a.ec2_arn("internet-gateway");
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    let attachments = Value::List(vec![Value::map([("VpcId", of.value("vpc_id"))])]);
    Some(Value::map([("InternetGatewayId", of.id()), ("Attachments", attachments)]))
}

fn attach(of: &Context<'_>) -> Step {
    let args = [("InternetGatewayId", of.id()), ("VpcId", of.get("vpc_id"))];
    of.placed_call(Operation::Ec2(Ec2::AttachInternetGateway), Save::Nothing, args)
}

fn create(of: &Context<'_>) -> Vec<Step> {
    vec![of.create_call(Operation::Ec2(Ec2::CreateInternetGateway), object("InternetGateway"), []), attach(of)]
}

/// One that is attached to nothing is attached again.
fn update(of: &Context<'_>, _: &[AttributeChange], _: bool) -> Vec<Step> {
    let is_detached = of.before.get("vpc_id").and_then(Value::as_str) == Some("");
    is_detached.then(|| attach(of)).into_iter().collect()
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    let is_attached = !matches!(of.before.get("vpc_id").and_then(Value::as_str), None | Some(""));
    let detach = is_attached.then(|| {
        let args = [("InternetGatewayId", of.id()), ("VpcId", of.old("vpc_id"))];
        call(Operation::Ec2(Ec2::DetachInternetGateway), args)
    });
    let delete = of.by_id(Operation::Ec2(Ec2::DeleteInternetGateway), "InternetGatewayId");
    detach.into_iter().chain([delete]).collect()
}
