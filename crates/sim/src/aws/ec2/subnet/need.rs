//! What calls about subnets need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::CreateSubnet), &[Ask::New(T::Subnet), Ask::Named(T::Vpc, "VpcId")]),
    (Operation::Ec2(Ec2::DescribeSubnets), &[Ask::Any]),
    (Operation::Ec2(Ec2::DeleteSubnet), &[Ask::Named(T::Subnet, "SubnetId")]),
];
