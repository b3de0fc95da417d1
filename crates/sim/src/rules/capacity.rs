//! Room that AWS has not got at the moment. The simulated account has room for everything until a script says otherwise
//! (`Account::fail_next`).

use super::macros::rules;

rules! {
    INSTANCE: "capacity.instance" Refusal [Ec2::RunInstances, Ec2::StartInstances] "InsufficientInstanceCapacity" 500 => "We currently do not have sufficient {} capacity in the Availability Zone you requested ({}). Our system will be working on provisioning additional capacity.";
        "a zone may have no room for instances of a type; nothing is launched or started, and the answer is a server error"; [ErrorCodes, PublicLogs];
    ADDRESS: "capacity.address" Refusal [Ec2::AllocateAddress] "InsufficientAddressCapacity" 500 => "Not enough available addresses to satisfy your minimum request. Reduce the number of addresses you are requesting or wait for additional capacity to become available.";
        "AWS may have no Elastic IP address left; none is allocated, and the answer is a server error"; [ErrorCodes];
}
