//! What the deployment guide of the Terraform configuration that aloka replaces says about time: figures to compare a
//! forecast with. They are its author's estimates, in whole minutes.

use aloka_core::kind::Kind;

/// Where the figures are from.
pub const ORIGIN: &str = "deployment timeline of the Terraform guide for this stack";

/// One line of the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// What it is about, in its words.
    pub what: &'static str,
    /// The objects that are made meanwhile; none for the whole of it.
    pub kinds: &'static [Kind],
    /// At least, minutes.
    pub from_minutes: u64,
    /// At most, minutes.
    pub to_minutes: u64,
}

/// The lines that give a time.
pub const ESTIMATES: [Estimate; 7] = [
    Estimate { what: "VPC", kinds: &[Kind::Vpc], from_minutes: 1, to_minutes: 2 },
    Estimate { what: "Subnets", kinds: &[Kind::Subnet], from_minutes: 1, to_minutes: 1 },
    Estimate { what: "NAT Gateway", kinds: &[Kind::NatGateway], from_minutes: 5, to_minutes: 10 },
    Estimate { what: "Security Groups", kinds: &[Kind::SecurityGroup], from_minutes: 1, to_minutes: 1 },
    Estimate { what: "RDS Instance", kinds: &[Kind::DbInstance], from_minutes: 10, to_minutes: 15 },
    Estimate { what: "EC2 Instance", kinds: &[Kind::Instance], from_minutes: 2, to_minutes: 3 },
    Estimate { what: "total", kinds: &[], from_minutes: 15, to_minutes: 20 },
];
