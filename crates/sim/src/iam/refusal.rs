//! What AWS says to those who may not.

use aloka_core::api::{Operation, Rds, Service};

use super::need::{CREATE_ROLE, Need};
use super::policy::Decision;
use crate::rng::fnv128;
use crate::rules::{Refusal, access as rule};

/// The answer to a call that lacks a permission.
///
/// Codes are from the error references of the services; the words are those of published answers. EC2's encoded
/// message can be decoded by AWS alone; the one here only tells refusals apart.
pub(crate) fn refusal(operation: Operation, principal: &str, need: &Need, decision: Decision) -> Refusal {
    if need.action == CREATE_ROLE {
        return no_role(operation);
    }
    let on = if need.resource == "*" { String::new() } else { format!(" on resource: {}", need.resource) };
    let because = match decision {
        Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::NotAllowed | Decision::Allowed => {
            format!("because no identity-based policy allows the {} action", need.action)
        }
    };
    let what = format!("User: {principal} is not authorized to perform: {}{on} {because}", need.action);
    match operation.service() {
        Service::Ec2 => rule::PERMISSION_EC2.refuse([&what, &format_args!("{:032x}", fnv128(what.as_bytes()))]),
        Service::Rds | Service::Sts => rule::PERMISSION_RDS.refuse([&what]),
        Service::Ssm => rule::PERMISSION_SSM.refuse([&what]),
    }
}

/// RDS could not make the role it needs once in every account, and says so in words of its own.
fn no_role(operation: Operation) -> Refusal {
    let rule = if operation == Operation::Rds(Rds::CreateDBSubnetGroup) {
        &rule::ROLE_SUBNET_GROUP
    } else {
        &rule::ROLE_INSTANCE
    };
    rule.refuse([])
}

#[cfg(test)]
mod tests {
    use aloka_core::api::{Ec2, Ssm};

    use aloka_core::api::{ApiError, ErrorClass};

    use super::*;
    use crate::iam::Context;

    #[test]
    fn each_service_has_its_code() {
        let need = |action: &str, resource: &str| Need {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: Context::new(),
        };
        let user = "arn:aws:iam::123456789012:user/aloka";
        let db = "arn:aws:rds:us-east-1:123456789012:db:x";
        let refused = |operation, need: &Need| ApiError::from(refusal(operation, user, need, Decision::NotAllowed));
        let error = refused(Operation::Rds(Rds::CreateDBInstance), &need("rds:CreateDBInstance", db));
        assert_eq!(error.code, "AccessDenied");
        assert_eq!(error.class, ErrorClass::Unauthorized);
        assert_eq!(
            error.message,
            "User: arn:aws:iam::123456789012:user/aloka is not authorized to perform: rds:CreateDBInstance on resource: \
             arn:aws:rds:us-east-1:123456789012:db:x because no identity-based policy allows the rds:CreateDBInstance \
             action"
        );
        let error = refused(Operation::Ec2(Ec2::DescribeVpcs), &need("ec2:DescribeVpcs", "*"));
        assert_eq!((error.code.as_str(), error.class), ("UnauthorizedOperation", ErrorClass::Unauthorized));
        assert!(error.message.contains("perform: ec2:DescribeVpcs because"), "{error}");
        assert!(error.message.contains("Encoded authorization failure message: "), "{error}");
        let error =
            refused(Operation::Ssm(Ssm::GetParameter), &need("ssm:GetParameter", "arn:aws:ssm:us-east-1::parameter/x"));
        assert_eq!((error.code.as_str(), error.class), ("AccessDeniedException", ErrorClass::Unauthorized));
        let error = refused(Operation::Rds(Rds::CreateDBSubnetGroup), &need(CREATE_ROLE, "*"));
        assert_eq!((error.code.as_str(), error.class), ("InvalidParameterValue", ErrorClass::Refused));
        let denied = refusal(Operation::Ec2(Ec2::DescribeVpcs), user, &need("ec2:DescribeVpcs", "*"), Decision::Denied);
        let denied = ApiError::from(denied);
        assert!(denied.message.contains("with an explicit deny in an identity-based policy"), "{denied}");
    }
}
