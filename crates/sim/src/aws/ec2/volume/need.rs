//! What calls about volumes need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::DescribeVolumes), &[Ask::Any]),
    (Operation::Ec2(Ec2::ModifyVolume), &[Ask::Named(T::Volume, "VolumeId")]),
];
