//! What calls about security groups need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::CreateSecurityGroup), &[Ask::New(T::SecurityGroup), Ask::Named(T::Vpc, "VpcId")]),
    (Operation::Ec2(Ec2::DescribeSecurityGroups), &[Ask::Any]),
    (Operation::Ec2(Ec2::DeleteSecurityGroup), &[Ask::Named(T::SecurityGroup, "GroupId")]),
];
