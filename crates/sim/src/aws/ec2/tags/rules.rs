//! Tags of EC2 and RDS.

use crate::rules::macros::rules;

rules! {
    COUNT: "tags.count" Limit [Ec2::CreateVpc, Ec2::CreateSubnet, Ec2::CreateInternetGateway, Ec2::AllocateAddress, Ec2::CreateNatGateway, Ec2::CreateRouteTable, Ec2::CreateSecurityGroup, Ec2::RunInstances, Ec2::CreateTags] "TagLimitExceeded" => "The maximum number of Tags for a resource has been reached.";
        "an object of EC2 has at most 50 tags"; [UserGuide, ErrorCodes];
    KEY_LENGTH: "tags.key-length" Limit [Ec2::CreateVpc, Ec2::CreateSubnet, Ec2::CreateInternetGateway, Ec2::AllocateAddress, Ec2::CreateNatGateway, Ec2::CreateRouteTable, Ec2::CreateSecurityGroup, Ec2::RunInstances, Ec2::CreateTags] "InvalidTagKey.Malformed" => "Tag keys must be between 1 and 128 characters in length.";
        "a tag key of EC2 has 1 to 128 characters"; [UserGuide, ErrorCodes];
    VALUE_LENGTH: "tags.value-length" Limit [Ec2::CreateVpc, Ec2::CreateSubnet, Ec2::CreateInternetGateway, Ec2::AllocateAddress, Ec2::CreateNatGateway, Ec2::CreateRouteTable, Ec2::CreateSecurityGroup, Ec2::RunInstances, Ec2::CreateTags] "InvalidParameterValue" => "Tag value exceeds the maximum length of 256 characters";
        "a tag value of EC2 has 0 to 256 characters"; [UserGuide, PublicLogs];
    RESERVED: "tags.reserved-prefix" Refusal [Ec2::CreateVpc, Ec2::CreateSubnet, Ec2::CreateInternetGateway, Ec2::AllocateAddress, Ec2::CreateNatGateway, Ec2::CreateRouteTable, Ec2::CreateSecurityGroup, Ec2::RunInstances, Ec2::CreateTags, Ec2::DeleteTags] "InvalidParameterValue" => "Tag keys starting with 'aws:' are reserved for internal use";
        "a tag key of EC2 that begins with aws:, in whatever case, can be neither set nor deleted"; [UserGuide, PublicLogs];
    PLAIN: "tags.plain-values" Unmodelled [] "InvalidParameterValue" => "Tags must be a map from text to text";
        "tags are written as a map from key to value, both of them texts"; [Simulator];
    MISSING: "tags.missing" Refusal [Ec2::CreateTags] "MissingParameter" => "The request must contain the parameter tagSet";
        "a call that sets tags has at least one"; [ServiceModel, Experience];
    NO_RESOURCES: "tags.resources-missing" Refusal [Ec2::CreateTags, Ec2::DeleteTags] "MissingParameter" => "The request must contain the parameter resourceIdSet";
        "a call that sets or deletes tags names at least one object"; [Recorded, ServiceModel];
    RESOURCES: "tags.resources" Limit [Ec2::CreateTags, Ec2::DeleteTags] "InvalidParameterValue" => "The number of resources is {}, above the maximum of {}";
        "a call that sets or deletes tags names at most 1000 objects; the code is assumed"; [ServiceModel, Experience];
    IDENTIFIER: "tags.identifier" Refusal [Ec2::CreateTags, Ec2::DeleteTags] "InvalidID" => "The ID '{}' is not valid";
        "only what has an identifier of a known kind can be tagged"; [ErrorCodes];
    OVERWRITTEN: "tags.overwritten" Default [Ec2::CreateTags, Rds::AddTagsToResource];
        "a tag that is set again has its new value, and the other tags stay"; [ServiceModel];
    CASE: "tags.case" Default [Ec2::CreateTags];
        "keys and values are case-sensitive"; [UserGuide];
    ABSENT: "tags.absent-key" Default [Ec2::DeleteTags, Rds::RemoveTagsFromResource];
        "deleting a tag that is not there is no error"; [Experience];
    DELETE_ALL: "tags.delete-all" Default [Ec2::DeleteTags];
        "a call that deletes tags and names no key deletes all of the object's tags"; [ServiceModel];
    LISTED: "tags.listed" Default [Ec2::DescribeTags];
        "every tag of EC2 is listed by itself, with its object and the object's type: natgateway, elastic-ip, and the others by their names"; [ServiceModel, Experience];
    LINGER: "tags.linger" Delay [Ec2::DescribeTags];
        "the tags of a terminated instance and of a deleted NAT gateway are listed as long as it is"; [UserGuide];
}
