//! Elastic IP addresses: allocating and releasing, and who holds one for how long.

use crate::rules::macros::rules;

rules! {
    DOMAIN: "address.domain" Refusal [Ec2::AllocateAddress] "InvalidParameterValue" => "Value ({}) for parameter domain is invalid. Use vpc.";
        "an Elastic IP address is for VPCs; those for EC2-Classic are no more"; [ServiceModel, Experience];
    QUOTA: "address.quota" Quota [Ec2::AllocateAddress] "AddressLimitExceeded" => "The maximum number of addresses has been reached.";
        "an account has 5 Elastic IP addresses in a Region, used or not"; [UserGuide, ErrorCodes];
    POOL: "address.pool" Default [Ec2::AllocateAddress];
        "an Elastic IP address is of Amazon's pool, and can be used in the whole Region"; [ServiceModel];
    TAKEN: "address.taken" Transition [Ec2::CreateNatGateway, Ec2::DescribeAddresses];
        "a NAT gateway takes its address when it is created, and has it until it is deleted"; [ServiceModel, UserGuide];
    HELD: "address.held" Refusal [Ec2::ReleaseAddress] "AuthFailure" => "You do not have permission to access the specified resource.";
        "an address that a NAT gateway holds is not released; the API reference has InvalidIPAddress.InUse for addresses in use"; [Recorded, PublicLogs, ServiceModel];
    FREED: "address.freed" Delay [Ec2::DeleteNatGateway, Ec2::ReleaseAddress];
        "the address of a NAT gateway is free when the NAT gateway is deleted, not while it is deleting, and is not released with it"; [ServiceModel, UserGuide, PublicLogs];
}
