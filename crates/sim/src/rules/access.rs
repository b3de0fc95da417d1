//! Rules of every call: rate limits, permissions, and calls that only ask.

use super::macros::rules;

rules! {
    RATE_EC2: "access.rate-ec2" Limit [] "RequestLimitExceeded" 503 => "Request limit exceeded.";
        "calls of EC2 draw from token buckets by category, filled up once a second"; [Throttling, ErrorCodes, PublicLogs];
    RATE_RDS: "access.rate-rds" Limit [] "Throttling" => "Rate exceeded";
        "calls of RDS and STS have rate limits; RDS publishes no figures, those here are assumed"; [PublicLogs, Experience];
    RATE_SSM: "access.rate-ssm" Limit [Ssm::GetParameter] "ThrottlingException" => "Rate exceeded";
        "GetParameter is answered 40 times a second"; [Documentation];
    PERMISSION_EC2: "access.permission-ec2" Refusal [] "UnauthorizedOperation" 403 => "You are not authorized to perform this operation. {}. Encoded authorization failure message: {}";
        "a call of EC2 needs its actions on its resources allowed, tagging on creation included"; [Authorization, ErrorCodes];
    PERMISSION_RDS: "access.permission-rds" Refusal [] "AccessDenied" 403 => "{}";
        "a call of RDS needs its actions on its resources allowed, tagging on creation included"; [Authorization, PublicLogs];
    PERMISSION_SSM: "access.permission-ssm" Refusal [Ssm::GetParameter] "AccessDeniedException" => "{}";
        "a parameter is read by who may read it"; [Authorization, Experience];
    ROLE_SUBNET_GROUP: "access.rds-role-subnet-group" Refusal [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "Missing necessary credentials. Please check http://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html";
        "at its first use RDS makes its service-linked role, which the caller must be allowed"; [UserGuide, PublicLogs];
    ROLE_INSTANCE: "access.rds-role-instance" Refusal [Rds::CreateDBInstance] "InvalidParameterValue" => "Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again later";
        "at its first use RDS makes its service-linked role, which the caller must be allowed"; [UserGuide, PublicLogs];
    DRY_RUN: "access.dry-run" Refusal [] "DryRunOperation" 412 => "Request would have succeeded, but DryRun flag is set.";
        "a call with DryRun that is permitted and well formed is refused so, and nothing is done"; [ServiceModel, ErrorCodes];
    NO_DRY_RUN: "access.no-dry-run" Refusal [Ec2::ModifyVpcAttribute] "UnknownParameter" => "The parameter DryRun is not recognized";
        "ModifyVpcAttribute, and the calls of other services, have no DryRun; what they say of it is assumed"; [ServiceModel];
}
