//! Subnets: their block and zone, their addresses, and what keeps one from being deleted.

use crate::rules::macros::rules;

rules! {
    CIDR_FORM: "subnet.cidr-form" Refusal [Ec2::CreateSubnet] "InvalidParameterValue" => "Value ({}) for parameter cidrBlock is invalid. This is not a valid CIDR block.";
        "a subnet's block is an IPv4 address, a slash and a prefix length"; [PublicLogs];
    CIDR_SIZE: "subnet.cidr-size" Refusal [Ec2::CreateSubnet] "InvalidSubnet.Range" => "The CIDR '{}' is invalid.";
        "a subnet's block has a prefix length from 16 to 28"; [UserGuide, ErrorCodes, PublicLogs];
    IN_VPC: "subnet.in-vpc" Refusal [Ec2::CreateSubnet] "InvalidSubnet.Range" => "The CIDR '{}' is invalid.";
        "a subnet's block lies within its VPC's, or is all of it"; [UserGuide, ErrorCodes, PublicLogs];
    CONFLICT: "subnet.conflict" Refusal [Ec2::CreateSubnet] "InvalidSubnet.Conflict" => "The CIDR '{}' conflicts with another subnet";
        "blocks of subnets of one VPC do not overlap; sent twice, a creation is refused therefore"; [UserGuide, ErrorCodes, PublicLogs];
    CIDR_MASKED: "subnet.cidr-masked" Default [Ec2::CreateSubnet];
        "the host bits of a subnet's block are cleared, not refused"; [ServiceModel];
    ZONE: "subnet.zone" Refusal [Ec2::CreateSubnet] "InvalidParameterValue" => "Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.";
        "a subnet is in an Availability Zone of the Region"; [PublicLogs];
    ZONE_DEFAULT: "subnet.zone-default" Default [Ec2::CreateSubnet];
        "AWS picks the Availability Zone of a subnet that does not say"; [ServiceModel];
    QUOTA: "subnet.quota" Quota [Ec2::CreateSubnet] "SubnetLimitExceeded" => "The maximum number of subnets has been reached.";
        "a VPC has 200 subnets"; [UserGuide, ErrorCodes];
    STATE: "subnet.state" Transition [Ec2::CreateSubnet];
        "a new subnet is pending, and available after a second or so; since 2022 AWS has answered available at once, which is not relied upon"; [Recorded, ServiceModel, PublicLogs];
    PUBLIC_IP_DEFAULT: "subnet.public-ip-default" Default [Ec2::CreateSubnet];
        "instances in a new subnet get no public address unless they ask for one"; [UserGuide];
    RESERVED: "subnet.reserved" Default [Ec2::CreateSubnet, Ec2::DescribeSubnets];
        "of a subnet's addresses the first four and the last are AWS's"; [UserGuide];
    FREE_ADDRESSES: "subnet.free-addresses" Transition [Ec2::DescribeSubnets];
        "a network interface takes an address of its subnet, and gives it back when it is gone"; [UserGuide];
    BLOCK_MODE: "subnet.block-mode" Default [Ec2::DescribeSubnets];
        "a subnet shows what VPC Block Public Access stops at its internet gateway; no call is refused for it"; [Recorded, ServiceModel, Documentation];
    HAS_INTERFACE: "subnet.has-interface" Refusal [Ec2::DeleteSubnet] "DependencyViolation" => "The subnet '{}' has dependencies and cannot be deleted.";
        "a subnet with a network interface in it stays: of an instance, a NAT gateway, a database instance or other people"; [Recorded, ErrorCodes, UserGuide, PublicLogs];
    DB_GROUP: "subnet.db-group" Default [Ec2::DeleteSubnet];
        "a database subnet group does not keep its subnets from being deleted; not sure, as only logs of Terraform show it"; [PublicLogs];
    TAKES_ALONG: "subnet.takes-along" Transition [Ec2::DeleteSubnet];
        "a subnet's association with a route table goes with it"; [Experience];
}
