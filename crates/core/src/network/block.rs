//! VPC Block Public Access: what an account keeps from its internet gateways, whatever routes and security groups say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// The attribute of a subnet from which [`report`](super::report) reads its mode: none of Terraform's, and never recorded.
pub const BLOCK_MODE: &str = "block_public_access";

/// What VPC Block Public Access stops at the internet gateway of a subnet (service model of EC2, `BlockPublicAccessMode`; user
/// guide of VPC, "Block public access to VPCs and subnets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// What comes in, and every answer; only what NAT gateways send goes out.
    BlockIngress,
    /// Everything, in and out, that of NAT gateways included.
    BlockBidirectional,
}

/// Subnets with a mode that is not `off`, by identifier.
pub type Blocked = BTreeMap<Arc<str>, Block>;

impl Block {
    /// The mode of a subnet as `DescribeSubnets` has it; `None` if nothing is blocked, and if it is not told.
    pub fn of(subnet: &Value) -> Option<Self> {
        match subnet.at("BlockPublicAccessStates.InternetGatewayBlockMode")?.as_str()? {
            "block-ingress" => Some(Self::BlockIngress),
            "block-bidirectional" => Some(Self::BlockBidirectional),
            _ => None,
        }
    }

    /// As AWS writes it.
    pub const fn mode(self) -> &'static str {
        match self {
            Self::BlockIngress => "block-ingress",
            Self::BlockBidirectional => "block-bidirectional",
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mode())
    }
}
