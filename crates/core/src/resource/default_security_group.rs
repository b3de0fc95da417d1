//! `aws_default_security_group`: the group that comes with the VPC, taken over and emptied.

use super::attribute::{EGRESS, INGRESS, TAGS, computed, replace};
use super::context::{AT_ONCE, always_ready, call, no_reads, nothing, object, text_list, wait};
use super::schema::{
    GROUP_RULE,
    Type::{Blocks, Bool},
    Types,
};
use super::{Attribute, Context, Definition, Found, Import, Network, Phase, Recorded, Tagging, Use};
use super::{group_rules, security_group};
use crate::api::{Call, Ec2, Operation};
use crate::intern;
use crate::procedure::{Accept, Expect, Step};
use crate::value::Value;

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    computed("description"),
    EGRESS,
    computed("id"),
    INGRESS,
    computed("name"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

const TYPES: Types =
    &[("egress", Blocks(GROUP_RULE)), ("ingress", Blocks(GROUP_RULE)), ("revoke_rules_on_delete", Bool)];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 1,
    provider_settings: &[("revoke_rules_on_delete", false)],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[],
    name_attribute: None,
    reference: "id",
    id_prefix: None,
    derived_id: None,
    import: Import::By("id"),
    listing: security_group::LISTING,
    in_vpc: None,
    also_read: no_reads,
    made_by: &[],
    told_apart_by: None,
    found: Found::ByPlace,
    tagging: Tagging::Ec2,
    swept: &[],
    observe: group_rules::observe,
    describe,
    phase: always_ready,
    create,
    settle: nothing,
    finish: nothing,
    update: group_rules::update,
    delete,
    is_aws_own: true,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::Rules,
    network: Network::Group,
};

/// Any address.
const ANYWHERE: &str = "0.0.0.0/0";

/// The group comes with the VPC: find it, tag it, empty it. It is tagged first, so that permissions to change rules
/// can be limited to what carries our tags.
fn create(of: &Context<'_>) -> Vec<Step> {
    let filters = [("group-name", text_list(Value::str("default"))), ("vpc-id", text_list(of.get("vpc_id")))];
    let find = Call::new(Ec2::DescribeSecurityGroups, [("Filters", Value::map(filters))]);
    let found = Accept { expect: Expect::Present { path: intern::text("SecurityGroups.0") }, success: true };
    let permission = |source: &'static str, value: Value| {
        Value::List(vec![Value::map([("IpProtocol", Value::str("-1")), (source, Value::List(vec![value]))])])
    };
    let itself = permission("UserIdGroupPairs", Value::map([("GroupId", of.id())]));
    let anywhere = permission("IpRanges", Value::map([("CidrIp", Value::str(ANYWHERE))]));
    vec![
        wait(find, vec![found], object("SecurityGroups.0"), AT_ONCE),
        call(Operation::Ec2(Ec2::CreateTags), [("Resources", text_list(of.id())), ("Tags", of.all_tags())]),
        call(Operation::Ec2(Ec2::RevokeSecurityGroupIngress), [("GroupId", of.id()), ("IpPermissions", itself)]),
        call(Operation::Ec2(Ec2::RevokeSecurityGroupEgress), [("GroupId", of.id()), ("IpPermissions", anywhere)]),
    ]
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([("GroupId", of.id()), ("GroupName", Value::str("default")), ("VpcId", of.value("vpc_id"))]))
}

fn delete(_: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    Vec::new()
}
