//! Security groups, and which ones an interface may have.

use crate::rules::macros::rules;

rules! {
    NAME_MISSING: "group.name-missing" Refusal [Ec2::CreateSecurityGroup] "MissingParameter" => "The request must contain the parameter GroupName";
        "a group has a name that is not empty"; [ServiceModel, Experience];
    NAME_LENGTH: "group.name-length" Limit [Ec2::CreateSecurityGroup] "InvalidParameterValue" => "Value ({}) for parameter GroupName is invalid. Valid names are strings less than 256 characters.";
        "a group's name has at most 255 characters"; [ServiceModel];
    NAME_CHARACTERS: "group.name-characters" Refusal [Ec2::CreateSecurityGroup] "InvalidParameterValue" => "Value ({}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.";
        "a group's name is of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"; [ServiceModel, PublicLogs];
    NAME_PREFIX: "group.name-prefix" Refusal [Ec2::CreateSecurityGroup] "InvalidParameterValue" => "Value ({}) for parameter GroupName is invalid. Group names may not be in the format sg-*.";
        "a group's name does not begin with sg-"; [ServiceModel, PublicLogs];
    NAME_RESERVED: "group.name-reserved" Refusal [Ec2::CreateSecurityGroup] "InvalidGroup.Reserved" => "Cannot use reserved security group name: default";
        "only the group that comes with a VPC is called default"; [ErrorCodes];
    NAME_TRIMMED: "group.name-trimmed" Default [Ec2::CreateSecurityGroup];
        "spaces at the end of a group's name are dropped"; [UserGuide];
    NAME_UNIQUE: "group.name-unique" Refusal [Ec2::CreateSecurityGroup] "InvalidGroup.Duplicate" => "The security group '{}' already exists for VPC '{}'";
        "a VPC has one group of a name, whatever the case of its letters"; [ServiceModel, ErrorCodes, PublicLogs];
    DESCRIPTION_MISSING: "group.description-missing" Refusal [Ec2::CreateSecurityGroup] "MissingParameter" => "The request must contain the parameter GroupDescription";
        "a group has a description that is not empty"; [ServiceModel, PublicLogs];
    DESCRIPTION_LENGTH: "group.description-length" Limit [Ec2::CreateSecurityGroup] "InvalidParameterValue" => "Value ({}) for parameter GroupDescription is invalid. Valid descriptions are strings less than 256 characters.";
        "a group's description has at most 255 characters"; [ServiceModel];
    DESCRIPTION_CHARACTERS: "group.description-characters" Refusal [Ec2::CreateSecurityGroup] "InvalidParameterValue" => "Value ({}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.";
        "a group's description is of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"; [ServiceModel, PublicLogs];
    QUOTA: "group.quota" Quota [Ec2::CreateSecurityGroup] "SecurityGroupLimitExceeded" => "The maximum number of security groups has been reached.";
        "a Region has 2500 groups, the VPCs' own included"; [UserGuide, ErrorCodes];
    NEW: "group.new" Default [Ec2::CreateSecurityGroup];
        "a new group lets nothing in and everything out"; [UserGuide];
    OF_VPC: "group.of-new-vpc" Default [Ec2::CreateVpc];
        "a new VPC has a group called default, which lets in what carries it and lets everything out"; [UserGuide];
    STAYS: "group.default-stays" Refusal [Ec2::DeleteSecurityGroup] "CannotDelete" => "the specified group: \"{}\" name: \"default\" cannot be deleted by a user";
        "the group that came with a VPC goes with it and not before"; [ErrorCodes, PublicLogs];
    IN_USE: "group.in-use" Refusal [Ec2::DeleteSecurityGroup] "DependencyViolation" => "resource {} has a dependent object";
        "a group stays while an interface carries it: an instance's until it is terminated, a database's until it is gone"; [ErrorCodes, PublicLogs, TerraformProvider];
    REFERENCED: "group.referenced" Refusal [Ec2::DeleteSecurityGroup] "DependencyViolation" => "resource {} has a dependent object";
        "a group stays while a rule of another group names it; its own rules may"; [ErrorCodes, PublicLogs, TerraformProvider];
    SAME_NETWORK: "group.same-network" Refusal [Ec2::RunInstances, Ec2::ModifyInstanceAttribute] "InvalidParameter" => "Security group {} and subnet {} belong to different networks.";
        "the groups of an interface are of the VPC of its subnet"; [PublicLogs];
    PER_INTERFACE: "group.per-interface" Quota [Ec2::RunInstances, Ec2::ModifyInstanceAttribute] "SecurityGroupsPerInterfaceLimitExceeded" => "You have exceeded the maximum number of security groups allowed per network interface.";
        "an interface has 5 groups at most"; [UserGuide, ErrorCodes];
}
