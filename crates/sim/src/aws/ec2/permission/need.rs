//! What calls about the rules of security groups need: permissions on the rules are needed only to tag them.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), &[Ask::Named(T::SecurityGroup, "GroupId")]),
    (Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress), &[Ask::Named(T::SecurityGroup, "GroupId")]),
    (Operation::Ec2(Ec2::RevokeSecurityGroupIngress), &[Ask::Named(T::SecurityGroup, "GroupId")]),
    (Operation::Ec2(Ec2::RevokeSecurityGroupEgress), &[Ask::Named(T::SecurityGroup, "GroupId")]),
];
