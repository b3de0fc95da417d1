//! Refusals that many operations share, and the formats of identifiers.

use aloka_core::api::{ApiError, Operation, Request, Service};
use aloka_core::value::Value;

/// A refusal. Not executed.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::answered(code, message, Some(400))
}

/// `InvalidParameterValue`, in EC2's words.
pub(crate) fn invalid_value(value: &str, parameter: &str, why: &str) -> ApiError {
    refuse("InvalidParameterValue", format!("Value ({value}) for parameter {parameter} is invalid. {why}"))
}

/// Something else still needs the object.
pub(crate) fn dependency(noun: &str, id: &str) -> ApiError {
    refuse("DependencyViolation", format!("The {noun} '{id}' has dependencies and cannot be deleted."))
}

/// The same token with other parameters.
pub(crate) fn token_mismatch() -> ApiError {
    let message = "The provided client token was already used with different parameters. Use a different client token \
                   or the parameters of the first request.";
    refuse("IdempotentParameterMismatch", message)
}

/// Refuses parameters that the operation does not have or lacks, and arguments that are not plain values. Secrets are
/// plain where a password is expected.
pub(crate) fn check_arguments(request: &Request) -> Result<(), ApiError> {
    let operation = request.operation();
    let parameters = operation.parameters();
    for (name, value) in &request.0.args {
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            return Err(refuse("UnknownParameter", format!("The parameter {name} is not recognized")));
        }
        let is_password = *name == "MasterUserPassword" && matches!(value, Value::Secret(_));
        if !is_password && !value.is_literal() {
            return Err(refuse("InvalidParameterValue", format!("Value for parameter {name} is not a plain value")));
        }
    }
    let lacks = |name: &str| request.arg(name).is_null();
    match parameters.iter().find(|parameter| parameter.required && lacks(parameter.name)) {
        Some(missing) => Err(missing_parameter(operation, missing.name)),
        None => Ok(()),
    }
}

fn missing_parameter(operation: Operation, name: &str) -> ApiError {
    let code = match operation.service() {
        Service::Ec2 | Service::Rds => "MissingParameter",
        Service::Ssm | Service::Sts => "ValidationException",
    };
    refuse(code, format!("The request must contain the parameter {name}"))
}

/// How identifiers of a kind of object look, and what AWS says of bad ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdFormat {
    pub(crate) prefix: &'static str,
    pub(crate) malformed: &'static str,
    pub(crate) not_found: &'static str,
    /// `{}` stands for the identifier.
    pub(crate) message: &'static str,
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $malformed:literal $not_found:literal $message:literal;)*) => {
        impl IdFormat {
            $($(#[$doc])* pub(crate) const $name: Self =
                Self { prefix: $prefix, malformed: $malformed, not_found: $not_found, message: $message };)*
        }
    };
}

formats! {
    VPC "vpc-" "InvalidVpcID.Malformed" "InvalidVpcID.NotFound" "The vpc ID '{}' does not exist";
    SUBNET "subnet-" "InvalidSubnetID.Malformed" "InvalidSubnetID.NotFound" "The subnet ID '{}' does not exist";
    GATEWAY "igw-" "InvalidInternetGatewayId.Malformed" "InvalidInternetGatewayID.NotFound" "The internetGateway ID '{}' does not exist";
    ADDRESS "eipalloc-" "InvalidAllocationID.Malformed" "InvalidAllocationID.NotFound" "The allocation ID '{}' does not exist";
    NAT "nat-" "NatGatewayMalformed" "NatGatewayNotFound" "The Nat Gateway {} was not found";
    /// As a route's target, a NAT gateway that is not there has another code.
    ROUTE_TO_NAT "nat-" "InvalidNatGatewayID.Malformed" "InvalidNatGatewayID.NotFound" "The natGateway ID '{}' does not exist";
    ROUTE_TO_GATEWAY "igw-" "InvalidGatewayID.NotFound" "InvalidGatewayID.NotFound" "The gateway ID '{}' does not exist";
    ROUTE_TABLE "rtb-" "InvalidRouteTableId.Malformed" "InvalidRouteTableID.NotFound" "The routeTable ID '{}' does not exist";
    ASSOCIATION "rtbassoc-" "InvalidAssociationID.Malformed" "InvalidAssociationID.NotFound" "The association ID '{}' does not exist";
    GROUP "sg-" "InvalidGroupId.Malformed" "InvalidGroup.NotFound" "The security group '{}' does not exist";
    INSTANCE "i-" "InvalidInstanceID.Malformed" "InvalidInstanceID.NotFound" "The instance ID '{}' does not exist";
    INTERFACE "eni-" "InvalidNetworkInterfaceID.Malformed" "InvalidNetworkInterfaceID.NotFound" "The networkInterface ID '{}' does not exist";
    VOLUME "vol-" "InvalidVolumeID.Malformed" "InvalidVolume.NotFound" "The volume '{}' does not exist.";
    IMAGE "ami-" "InvalidAMIID.Malformed" "InvalidAMIID.NotFound" "The image id '[{}]' does not exist";
}

impl IdFormat {
    /// Refuses what is no identifier of this kind: the prefix, then 8 (before 2016) or 17 hexadecimal digits.
    pub(crate) fn check(self, id: &str) -> Result<(), ApiError> {
        let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        match id.strip_prefix(self.prefix) {
            Some(digits) if matches!(digits.len(), 8 | 17) && digits.chars().all(hexadecimal) => Ok(()),
            Some(_) | None => {
                Err(refuse(self.malformed, format!("Invalid id: \"{id}\" (expecting \"{}...\")", self.prefix)))
            }
        }
    }

    /// There is no such object, or not yet.
    pub(crate) fn missing(self, id: &str) -> ApiError {
        refuse(self.not_found, self.message.replace("{}", id))
    }
}
