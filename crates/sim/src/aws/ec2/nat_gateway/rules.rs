//! NAT gateways: what is refused at once, what fails later, and how long one takes and stays listed.

use crate::rules::macros::rules;

rules! {
    CONNECTIVITY: "nat.connectivity" Refusal [Ec2::CreateNatGateway] "InvalidParameterValue" => "Value ({}) for parameter connectivityType is invalid.";
        "the connectivity of a NAT gateway is public or private"; [ServiceModel, Experience];
    PRIVATE_ADDRESS: "nat.private-address" Refusal [Ec2::CreateNatGateway] "InvalidParameterCombination" => "An Elastic IP address is only for NAT gateways with connectivity type public";
        "a private NAT gateway has no Elastic IP address"; [ServiceModel, Experience];
    CONNECTIVITY_DEFAULT: "nat.connectivity-default" Default [Ec2::CreateNatGateway];
        "a NAT gateway is public unless it is to be private"; [ServiceModel];
    QUOTA: "nat.quota" Quota [Ec2::CreateNatGateway] "NatGatewayLimitExceeded" => "Performing this operation would exceed the limit of {} NAT gateways";
        "an Availability Zone has 5 NAT gateways of an account that are pending, available or deleting, whatever their VPC; failed and deleted ones do not count"; [Recorded, UserGuide, PublicLogs];
    STATE: "nat.state" Transition [Ec2::CreateNatGateway];
        "a NAT gateway is pending, and available after one and a half to two minutes"; [ServiceModel, PublicLogs];
    ADDRESSES: "nat.addresses" Transition [Ec2::DescribeNatGateways];
        "a NAT gateway shows its addresses and its network interface once it is available; when they show exactly is not sure"; [Experience];
    NEEDS_GATEWAY: "nat.needs-gateway" Transition [Ec2::CreateNatGateway];
        "a public NAT gateway in a VPC without an internet gateway is accepted, and fails with Gateway.NotAttached"; [PublicLogs, ServiceModel];
    ADDRESS_TAKEN: "nat.address-taken" Transition [Ec2::CreateNatGateway];
        "a NAT gateway whose address is another's is accepted, and fails with Resource.AlreadyAssociated; so does the second of one creation sent twice with two tokens"; [ServiceModel];
    SUBNET_FULL: "nat.subnet-full" Transition [Ec2::CreateNatGateway];
        "a NAT gateway in a subnet without a free address is accepted, and fails with InsufficientFreeAddressesInSubnet"; [ServiceModel];
    ADDRESS_LOST: "nat.address-lost" Transition [Ec2::CreateNatGateway];
        "a NAT gateway whose address AWS does not find later fails with InvalidAllocationID.NotFound; the account lets it fail so only when told, and refuses an unknown address at once"; [ServiceModel];
    SUBNET_LOST: "nat.subnet-lost" Transition [Ec2::CreateNatGateway];
        "a NAT gateway whose subnet AWS does not find later fails with InvalidSubnetID.NotFound; the account lets it fail so only when told, and refuses an unknown subnet at once"; [ServiceModel];
    INTERNAL_ERROR: "nat.internal-error" Transition [Ec2::CreateNatGateway];
        "a NAT gateway may fail with InternalError for a reason of AWS's own, and another one created then may not"; [ServiceModel];
    FAILED_HOLDS: "nat.failed-holds-nothing" Transition [Ec2::CreateNatGateway];
        "a NAT gateway that failed holds neither its address nor an address of its subnet"; [UserGuide, Experience];
    FAILED_LISTED: "nat.failed-listed" Delay [Ec2::DescribeNatGateways];
        "a NAT gateway that failed stays listed for about an hour, then it is gone"; [UserGuide];
    DELETING: "nat.deleting" Transition [Ec2::DeleteNatGateway];
        "a NAT gateway is deleting for about a minute, then deleted"; [ServiceModel, PublicLogs];
    DELETE_FAILED: "nat.delete-failed" Transition [Ec2::DeleteNatGateway];
        "a NAT gateway that failed can be deleted, and is deleted at once"; [UserGuide, Experience];
    DELETE_AGAIN: "nat.delete-again" Default [Ec2::DeleteNatGateway];
        "deleting a NAT gateway that is deleting or deleted changes nothing, as long as it is listed"; [Experience];
    DELETED_LISTED: "nat.deleted-listed" Delay [Ec2::DescribeNatGateways, Ec2::DeleteNatGateway];
        "a NAT gateway that was deleted stays listed for about an hour, then it is gone"; [UserGuide];
}
