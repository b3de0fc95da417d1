//! What calls about Elastic IP addresses need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::AllocateAddress), &[Ask::New(T::ElasticIp)]),
    (Operation::Ec2(Ec2::DescribeAddresses), &[Ask::Any]),
    (Operation::Ec2(Ec2::ReleaseAddress), &[Ask::Named(T::ElasticIp, "AllocationId")]),
];
