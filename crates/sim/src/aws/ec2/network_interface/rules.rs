//! Network interfaces: what they show of whose they are, and how long they last.

use crate::rules::macros::rules;

rules! {
    QUOTA: "interface.quota" Quota [Ec2::CreateNatGateway, Ec2::RunInstances] "NetworkInterfaceLimitExceeded" => "The maximum number of network interfaces has been reached.";
        "an account has 5000 network interfaces in a Region; that it stops NAT gateways as it stops instances is not sure"; [UserGuide, ErrorCodes];
    OF_NAT: "interface.of-nat" Default [Ec2::CreateNatGateway, Ec2::DescribeNetworkInterfaces];
        "the network interface of a NAT gateway is AWS's: of type nat_gateway (natGateway in the service model), described by the NAT gateway's identifier, without security groups"; [Recorded, PublicLogs, ServiceModel];
    OF_INSTANCE: "interface.of-instance" Default [Ec2::RunInstances, Ec2::DescribeNetworkInterfaces];
        "the network interface of an instance is the customer's, and goes with the instance unless it is to stay"; [UserGuide, ServiceModel];
    OF_DATABASE: "interface.of-database" Default [Rds::CreateDBInstance, Ec2::DescribeNetworkInterfaces];
        "the network interface of a database instance is RDS's, is described as RDSNetworkInterface and carries the instance's security groups"; [Recorded, PublicLogs];
    OF_OTHERS: "interface.of-others" Default [Ec2::DescribeNetworkInterfaces];
        "the network interface of a load balancer, a function or a task is described by its maker, is of the customer's account, and its attachment is of AWS's"; [ServiceModel, PublicLogs];
    PUBLIC_ADDRESS: "interface.public-address" Transition [Ec2::DescribeNetworkInterfaces];
        "a network interface shows the public address of its instance or NAT gateway once that shows it, and an allocation if it is an Elastic IP address"; [ServiceModel, PublicLogs];
    GOES: "interface.goes" Transition [Ec2::DeleteNatGateway, Ec2::TerminateInstances, Rds::DeleteDBInstance, Ec2::DescribeNetworkInterfaces];
        "the network interface of a NAT gateway, an instance or a database instance goes with it, when that is gone and not before"; [UserGuide, PublicLogs];
    KEPT: "interface.kept" Transition [Ec2::TerminateInstances, Ec2::DescribeNetworkInterfaces];
        "a network interface that is not to go with its instance stays, available to others"; [UserGuide];
    LINGERS: "interface.lingers" Delay [Ec2::DeleteNatGateway, Ec2::TerminateInstances, Rds::DeleteDBInstance, Ec2::DescribeNetworkInterfaces];
        "a network interface may outlive its owner by minutes, available, and blocks its subnet and security groups until it is gone"; [TerraformProvider, PublicLogs];
}
