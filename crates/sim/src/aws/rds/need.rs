//! What several kinds of RDS need.

use crate::iam::{CREATE_ROLE, Needs, ResourceType};

/// A read: of the object that an argument names, or of all, without a name.
pub(crate) fn read(needs: &mut Needs<'_>, kind: ResourceType, parameter: &str) {
    if needs.request.text(parameter).is_empty() {
        needs.push(needs.arn(kind, "*"), needs.plain());
    } else {
        needs.named(kind, parameter);
    }
}

/// The role that RDS makes itself at its first use in an account.
pub(crate) fn role(needs: &mut Needs<'_>) {
    if needs.objects.has_rds_role() {
        return;
    }
    let account = needs.objects.account_id();
    let role = format!("arn:aws:iam::{account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS");
    let context = needs.plain().with("iam:AWSServiceName", "rds.amazonaws.com");
    needs.push_action(CREATE_ROLE, role, context);
}
