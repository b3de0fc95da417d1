//! Rules of DB subnet groups.

use crate::rules::macros::rules;

rules! {
    NAME_BLANK: "db-subnet-group.name-given" Refusal [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "The parameter DBSubnetGroupName must be provided and must not be blank.";
        "a group has a name"; [Experience];
    NAME_FORM: "db-subnet-group.name-form" Refusal [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "The parameter DBSubnetGroupName is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, periods, underscores, spaces and hyphens: {}";
        "a name begins with a letter and holds letters, digits, periods, underscores, spaces and hyphens"; [ServiceModel];
    NAME_LENGTH: "db-subnet-group.name-length" Limit [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "The parameter DBSubnetGroupName must have at most 255 characters.";
        "a name has at most 255 characters"; [ServiceModel];
    NAME_DEFAULT: "db-subnet-group.name-default" Refusal [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "The parameter DBSubnetGroupName must not be default.";
        "no group is called default, in whichever case: that is the name of AWS's own"; [ServiceModel];
    NAME_CASE: "db-subnet-group.name-case" Default [Rds::CreateDBSubnetGroup, Rds::DescribeDBSubnetGroups];
        "names are kept in lower case, and found in any case"; [ServiceModel];
    DESCRIPTION_BLANK: "db-subnet-group.description-given" Refusal [Rds::CreateDBSubnetGroup] "InvalidParameterValue" => "The parameter DBSubnetGroupDescription must be provided and must not be blank.";
        "a group has a description"; [ServiceModel, Experience];
    TAKEN: "db-subnet-group.name-taken" Refusal [Rds::CreateDBSubnetGroup] "DBSubnetGroupAlreadyExists" => "The DB subnet group '{}' already exists.";
        "no two groups of an account in a Region share a name"; [ServiceModel];
    NOT_FOUND: "db-subnet-group.exists" Refusal [Rds::DescribeDBSubnetGroups, Rds::ModifyDBSubnetGroup, Rds::DeleteDBSubnetGroup, Rds::CreateDBInstance, Rds::AddTagsToResource, Rds::RemoveTagsFromResource, Rds::ListTagsForResource] "DBSubnetGroupNotFoundFault" 404 => "DB subnet group '{}' does not exist.";
        "a call that names a group needs it to exist"; [ServiceModel];
    NO_SUBNETS: "db-subnet-group.subnets-given" Refusal [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "InvalidParameterValue" => "The parameter SubnetIds must not be empty.";
        "a group has subnets"; [ServiceModel, Experience];
    SUBNET_FORM: "db-subnet-group.subnet-form" Refusal [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "InvalidParameterValue" => "Invalid subnet ID: {}";
        "subnets are named by their identifiers"; [PublicLogs, Experience];
    SUBNET_EXISTS: "db-subnet-group.subnet-exists" Refusal [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "InvalidParameterValue" => "Some input subnets in :[{}] are invalid.";
        "the subnets of a group exist, and RDS has heard of them, which it may later than EC2 shows them"; [Recorded, PublicLogs];
    SUBNET_TWICE: "db-subnet-group.subnets-once" Unmodelled [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "InvalidParameterValue" => "The subnet {} is given twice.";
        "a subnet is given once"; [Simulator];
    ONE_VPC: "db-subnet-group.one-vpc" Refusal [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "InvalidSubnet" => "The new subnets are not all in the same VPC.";
        "the subnets of a group are all in one VPC"; [ServiceModel, PublicLogs];
    COVERAGE: "db-subnet-group.two-zones" Refusal [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "DBSubnetGroupDoesNotCoverEnoughAZs" => "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {}. Add subnets to cover at least 2 AZs.";
        "the subnets of a group are in two Availability Zones at least, even for an instance in one"; [Recorded, ServiceModel, PublicLogs];
    SUBNETS: "db-subnet-group.subnet-quota" Limit [Rds::CreateDBSubnetGroup, Rds::ModifyDBSubnetGroup] "DBSubnetQuotaExceededFault" => "The request would result in the user exceeding the allowed number of subnets in a DB subnet group.";
        "a group has at most 20 subnets"; [ServiceModel, Documentation];
    GROUPS: "db-subnet-group.quota" Quota [Rds::CreateDBSubnetGroup] "DBSubnetGroupQuotaExceeded" => "The request would result in the user exceeding the allowed number of DB subnet groups.";
        "an account has 50 groups in a Region by default"; [ServiceModel, Documentation];
    OTHER_VPC: "db-subnet-group.stays-in-vpc" Refusal [Rds::ModifyDBSubnetGroup] "InvalidSubnet" => "The new subnets are not in the same VPC as the existing subnet group.";
        "a group stays in its VPC; not documented for a group without instances, where the stricter is assumed"; [ServiceModel, Experience];
    SUBNET_IN_USE: "db-subnet-group.subnet-in-use" Refusal [Rds::ModifyDBSubnetGroup] "SubnetAlreadyInUse" => "Some of the subnets to be deleted are currently in use: {}";
        "a subnet that an instance is in stays in the group"; [ServiceModel];
    IN_USE: "db-subnet-group.in-use" Refusal [Rds::DeleteDBSubnetGroup] "InvalidDBSubnetGroupStateFault" => "Cannot delete the subnet group '{}' because at least one database instance: {} is still using it.";
        "a group stays until the last of its instances is deleted, and not just being deleted"; [ServiceModel, PublicLogs];
    COMPLETE: "db-subnet-group.complete" Transition [Rds::CreateDBSubnetGroup, Rds::DeleteDBSubnetGroup];
        "a group is Complete at once, and deleted at once"; [PublicLogs];
    REPLACED: "db-subnet-group.subnets-replaced" Transition [Rds::ModifyDBSubnetGroup];
        "the subnets given replace all the group had"; [ServiceModel];
    HOLDS_NOTHING: "db-subnet-group.holds-no-subnet" Transition [Ec2::DeleteSubnet];
        "a group does not keep its subnets from being deleted, an instance in them does"; [Experience];
}
