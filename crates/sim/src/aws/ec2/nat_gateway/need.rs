//! What calls about NAT gateways need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (
        Operation::Ec2(Ec2::CreateNatGateway),
        &[Ask::New(T::NatGateway), Ask::Named(T::Subnet, "SubnetId"), Ask::Named(T::ElasticIp, "AllocationId")],
    ),
    (Operation::Ec2(Ec2::DescribeNatGateways), &[Ask::Any]),
    (Operation::Ec2(Ec2::DeleteNatGateway), &[Ask::Named(T::NatGateway, "NatGatewayId")]),
];
