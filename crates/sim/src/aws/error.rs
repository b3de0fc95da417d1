//! Refusals that many operations share, and the formats of identifiers.

use aloka_core::api::{Operation, Request, Service};
use aloka_core::value::Value;

use crate::rules::{Refusal, Rule, identifier, request as rule};

/// What a call is answered with, inside the account.
pub(crate) type Answer = Result<Value, Refusal>;

/// Refuses parameters that the operation does not have or lacks, and arguments that are not plain values. Secrets are
/// plain where a password is expected.
pub(crate) fn check_arguments(request: &Request) -> Result<(), Refusal> {
    let operation = request.operation();
    let parameters = operation.parameters();
    for (name, value) in &request.0.args {
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            return Err(rule::UNKNOWN_PARAMETER.refuse([name]));
        }
        let is_password = *name == "MasterUserPassword" && matches!(value, Value::Secret(_));
        if !is_password && !value.is_literal() {
            return Err(rule::NOT_PLAIN.refuse([name]));
        }
    }
    let lacks = |name: &str| request.arg(name).is_null();
    match parameters.iter().find(|parameter| parameter.required && lacks(parameter.name)) {
        Some(missing) => Err(missing_parameter(operation, missing.name)),
        None => Ok(()),
    }
}

fn missing_parameter(operation: Operation, name: &str) -> Refusal {
    let rule = match operation.service() {
        Service::Ec2 | Service::Rds => &rule::MISSING_PARAMETER,
        Service::Ssm | Service::Sts => &rule::MISSING_PARAMETER_JSON,
    };
    rule.refuse([&name])
}

/// How identifiers of a kind of object look, and what AWS says of bad ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdFormat {
    pub(crate) prefix: &'static str,
    malformed: &'static Rule,
    not_found: &'static Rule,
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $malformed:ident $not_found:ident;)*) => {
        impl IdFormat {
            $($(#[$doc])* pub(crate) const $name: Self =
                Self { prefix: $prefix, malformed: &identifier::$malformed, not_found: &identifier::$not_found };)*
        }
    };
}

formats! {
    VPC "vpc-" VPC_MALFORMED VPC_NOT_FOUND;
    SUBNET "subnet-" SUBNET_MALFORMED SUBNET_NOT_FOUND;
    GATEWAY "igw-" GATEWAY_MALFORMED GATEWAY_NOT_FOUND;
    ADDRESS "eipalloc-" ADDRESS_MALFORMED ADDRESS_NOT_FOUND;
    NAT "nat-" NAT_MALFORMED NAT_NOT_FOUND;
    /// As a route's target, a NAT gateway that is not there has another code.
    ROUTE_TO_NAT "nat-" ROUTE_NAT_MALFORMED ROUTE_NAT_NOT_FOUND;
    ROUTE_TO_GATEWAY "igw-" ROUTE_GATEWAY_NOT_FOUND ROUTE_GATEWAY_NOT_FOUND;
    ENDPOINT "vpce-" ENDPOINT_MALFORMED ENDPOINT_NOT_FOUND;
    ROUTE_TABLE "rtb-" ROUTE_TABLE_MALFORMED ROUTE_TABLE_NOT_FOUND;
    ASSOCIATION "rtbassoc-" ASSOCIATION_MALFORMED ASSOCIATION_NOT_FOUND;
    GROUP "sg-" GROUP_MALFORMED GROUP_NOT_FOUND;
    INSTANCE "i-" INSTANCE_MALFORMED INSTANCE_NOT_FOUND;
    INTERFACE "eni-" INTERFACE_MALFORMED INTERFACE_NOT_FOUND;
    VOLUME "vol-" VOLUME_MALFORMED VOLUME_NOT_FOUND;
    IMAGE "ami-" IMAGE_MALFORMED IMAGE_NOT_FOUND;
}

impl IdFormat {
    /// Refuses what is no identifier of this kind: the prefix, then 8 (before 2016) or 17 hexadecimal digits.
    pub(crate) fn check(self, id: &str) -> Result<(), Refusal> {
        let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        match id.strip_prefix(self.prefix) {
            Some(digits) if matches!(digits.len(), 8 | 17) && digits.chars().all(hexadecimal) => Ok(()),
            Some(_) | None => Err(self.malformed.refuse([&id])),
        }
    }

    /// There is no such object, or not yet.
    pub(crate) fn missing(self, id: &str) -> Refusal {
        self.not_found.refuse([&id])
    }
}
