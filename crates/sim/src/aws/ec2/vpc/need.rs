//! What calls about VPCs need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::CreateVpc), &[Ask::New(T::Vpc)]),
    (Operation::Ec2(Ec2::DescribeVpcs), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeVpcAttribute), &[Ask::Named(T::Vpc, "VpcId")]),
    (Operation::Ec2(Ec2::ModifyVpcAttribute), &[Ask::Named(T::Vpc, "VpcId")]),
    (Operation::Ec2(Ec2::DeleteVpc), &[Ask::Named(T::Vpc, "VpcId")]),
];
