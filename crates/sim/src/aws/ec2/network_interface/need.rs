//! What calls about network interfaces need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks};

pub(crate) const NEEDS: &[Asks] = &[(Operation::Ec2(Ec2::DescribeNetworkInterfaces), &[Ask::Any])];
