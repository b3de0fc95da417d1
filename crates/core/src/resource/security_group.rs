//! `aws_security_group`: what may reach the servers, or the database.

use super::attribute::{EGRESS, INGRESS, TAGS, computed, create_only, replace};
use super::context::{always_ready, id_at, no_reads, nothing};
use super::group_rules;
use super::schema::{
    GROUP_RULE,
    Type::{Blocks, Bool},
    Types,
};
use super::{
    Attribute, Context, Definition, Found, Import, Listing, Network, Origin, Phase, Recorded, Swept, Tagging, Use,
};
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::procedure::Step;
use crate::rules;
use crate::value::Value;

const ATTRIBUTES: &[Attribute] = &[
    computed("arn"),
    create_only("description"),
    EGRESS,
    computed("id"),
    INGRESS,
    replace("name"),
    computed("owner_id"),
    TAGS,
    replace("vpc_id"),
];

pub(super) const LISTING: Listing = Listing {
    kind: Kind::SecurityGroup,
    operation: Operation::Ec2(Ec2::DescribeSecurityGroups),
    argument: "GroupIds",
    filter: Some("group-id"),
    beside: None,
    list: "SecurityGroups",
    first: "SecurityGroups.0",
    id: "GroupId",
    attribute: "id",
};

const TYPES: Types =
    &[("egress", Blocks(GROUP_RULE)), ("ingress", Blocks(GROUP_RULE)), ("revoke_rules_on_delete", Bool)];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 1,
    provider_settings: &[("revoke_rules_on_delete", false)],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[],
    recorded_only: &[],
    variables: &[Origin { name: "", attribute: "name", variable: "project_name" }],
    name_attribute: None,
    reference: "id",
    id_prefix: Some("sg"),
    derived_id: None,
    import: Import::By("id"),
    listing: LISTING,
    in_vpc: Some("vpc-id"),
    also_read: no_reads,
    made_by: &[(Operation::Ec2(Ec2::CreateSecurityGroup), "GroupId")],
    told_apart_by: Some(&["name"]),
    found: Found::ByTags,
    tagging: Tagging::Ec2,
    swept: &[Swept {
        terraform_type: "aws_security_group",
        operation: Operation::Ec2(Ec2::DescribeSecurityGroups),
        list: "SecurityGroups",
        id: "GroupId",
        remove: "aws ec2 delete-security-group --group-id",
    }],
    observe: group_rules::observe,
    describe,
    phase: always_ready,
    create,
    settle: nothing,
    finish: nothing,
    update: group_rules::update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: true,
    part_of: None,
    ties: &[],
    used_by_others: Use::Held,
    network: Network::Group,
};

/// A new group has the egress rule the stack wants, `-1` to anywhere, from AWS.
fn create(of: &Context<'_>) -> Vec<Step> {
    let args = [("GroupName", of.get("name")), ("Description", of.get("description")), ("VpcId", of.get("vpc_id"))];
    let create = of.create_call(Operation::Ec2(Ec2::CreateSecurityGroup), id_at("GroupId"), args);
    let ingress = rules::explode(&of.get("ingress"), None);
    let open = group_rules::call_for(of, Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), &ingress);
    std::iter::once(create).chain(open).collect()
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    Some(Value::map([("GroupId", of.id()), ("GroupName", of.value("name")), ("VpcId", of.value("vpc_id"))]))
}

fn delete(of: &Context<'_>, _: Option<&Phase>) -> Vec<Step> {
    vec![of.interfaces_gone("group-id"), of.by_id(Operation::Ec2(Ec2::DeleteSecurityGroup), "GroupId")]
}
