//! Internet gateways: attaching, detaching, and what keeps one where it is.

use crate::rules::macros::rules;

rules! {
    QUOTA: "gateway.quota" Quota [Ec2::CreateInternetGateway] "InternetGatewayLimitExceeded" => "The maximum number of internet gateways has been reached.";
        "an account has 5 internet gateways in a Region, as many as VPCs"; [UserGuide, ErrorCodes];
    UNATTACHED: "gateway.unattached" Default [Ec2::CreateInternetGateway];
        "a new internet gateway is attached to no VPC"; [ServiceModel];
    ATTACHES: "gateway.attaches" Transition [Ec2::AttachInternetGateway, Ec2::DescribeInternetGateways];
        "an internet gateway is attached at once, and the state of the attachment is available, which the API reference does not list"; [Recorded, TerraformProvider, PublicLogs];
    IN_USE: "gateway.in-use" Refusal [Ec2::AttachInternetGateway] "Resource.AlreadyAssociated" => "resource {} is already attached to network {}";
        "an internet gateway is attached to one VPC; to the same one again is refused too"; [ErrorCodes, PublicLogs];
    VPC_HAS_ONE: "gateway.vpc-has-one" Refusal [Ec2::AttachInternetGateway] "InvalidParameterValue" => "Network {} already has an internet gateway attached";
        "a VPC has one internet gateway"; [PublicLogs];
    NOT_ATTACHED: "gateway.not-attached" Refusal [Ec2::DetachInternetGateway] "Gateway.NotAttached" => "resource {} is not attached to network {}";
        "an internet gateway is detached from the VPC it is attached to"; [ErrorCodes, TerraformProvider];
    MAPPED_NAT: "gateway.mapped-nat" Refusal [Ec2::DetachInternetGateway] "DependencyViolation" => "Network {} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.";
        "an internet gateway stays attached while the VPC has a NAT gateway that is not deleted; one that is still deleting counts"; [ServiceModel, PublicLogs];
    MAPPED_INSTANCE: "gateway.mapped-instance" Refusal [Ec2::DetachInternetGateway] "DependencyViolation" => "Network {} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.";
        "an internet gateway stays attached while an instance in the VPC has a public address"; [ServiceModel, PublicLogs];
    MAPPED_DATABASE: "gateway.mapped-database" Refusal [Ec2::DetachInternetGateway] "DependencyViolation" => "Network {} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.";
        "an internet gateway stays attached while a database instance in the VPC is publicly accessible; not sure, the stricter answer"; [Experience];
    MAPPED_INTERFACE: "gateway.mapped-interface" Refusal [Ec2::DetachInternetGateway] "DependencyViolation" => "Network {} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.";
        "an internet gateway stays attached while a network interface of other people in the VPC, such as a load balancer's, has a public address"; [ServiceModel, PublicLogs];
    ATTACHED: "gateway.attached" Refusal [Ec2::DeleteInternetGateway] "DependencyViolation" => "The internetGateway '{}' has dependencies and cannot be deleted.";
        "an internet gateway that is attached stays"; [Recorded, ErrorCodes, PublicLogs];
}
