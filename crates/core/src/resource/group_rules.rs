//! What the two kinds of security groups have in common: their description, and how their rules change.

use super::context::{call, is_changed};
use super::{AttributeChange, Attributes, Context};
use crate::api::{Ec2, Operation};
use crate::procedure::Step;
use crate::rules;
use crate::value::{Value, ValueMap};

/// A direction: the attribute, the field of the description, the calls that open and close.
struct Side {
    attribute: &'static str,
    field: &'static str,
    authorize: Operation,
    revoke: Operation,
}

const SIDES: [Side; 2] = [
    Side {
        attribute: "ingress",
        field: "IpPermissions",
        authorize: Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
        revoke: Operation::Ec2(Ec2::RevokeSecurityGroupIngress),
    },
    Side {
        attribute: "egress",
        field: "IpPermissionsEgress",
        authorize: Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress),
        revoke: Operation::Ec2(Ec2::RevokeSecurityGroupEgress),
    },
];

pub(super) fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("description", "Description"),
        ("id", "GroupId"),
        ("name", "GroupName"),
        ("owner_id", "OwnerId"),
        ("vpc_id", "VpcId"),
    ]);
    let own = a.object.get("GroupId").as_str().unwrap_or_default();
    for Side { attribute, field, .. } in &SIDES {
        if let Some(permissions) = a.object.at(field) {
            a.set(attribute, rules::from_permissions(permissions, own));
        }
    }
    a.ec2_arn("security-group");
    Some(())
}

/// The call with these rules; `None` if there are none.
pub(super) fn call_for(of: &Context<'_>, operation: Operation, rules: &[rules::Rule]) -> Option<Step> {
    let permissions = || rules::permissions(rules, &of.id());
    (!rules.is_empty()).then(|| call(operation, [("GroupId", of.id()), ("IpPermissions", permissions())]))
}

/// Opens before it closes, so that a path that stays is never cut.
pub(super) fn update(of: &Context<'_>, changes: &[AttributeChange], _: bool) -> Vec<Step> {
    let own = of.before.get("id").and_then(Value::as_str);
    let changed = SIDES.iter().filter(|side| is_changed(changes, side.attribute));
    let calls = changed.flat_map(|Side { attribute, authorize, revoke, .. }| {
        let desired = rules::explode(&of.get(attribute), own);
        let present = rules::explode(&of.old(attribute), own);
        let (missing, extra) = rules::difference(&desired, &present);
        [call_for(of, *authorize, &missing), call_for(of, *revoke, &extra)]
    });
    calls.flatten().collect()
}
