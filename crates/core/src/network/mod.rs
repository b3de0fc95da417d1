//! Who can reach what: one pure function from resources, as planned, recorded or observed.
//!
//! [`report`] decides it from security groups (both directions), route tables, gateways, public addresses and what VPC Block
//! Public Access stops;
//! [`verdict`] holds the result against the promise of the stack; [`describe`] and [`change`] put it into words.
//! Where something is not known - an id of no resource at hand, a prefix list, a route to somewhere else - the answer
//! is the widest that could be true, so that silence means safety. What is *promised to work* ([`Path`]) is the
//! narrowest instead.
//!
//! Not modelled, because nothing in the stack makes them and AWS's defaults let everything through: network ACLs.
//! Nothing here reads AWS or looks at names and tags.

mod block;
mod hosts;
mod names;
mod promise;
mod ranges;
mod reach;
mod routes;
mod rules;
mod space;
mod text;
mod traffic;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use self::block::{BLOCK_MODE, Block, Blocked};
pub use self::promise::{Finding, Promise, Rule, verdict};
pub use self::reach::report;
pub use self::space::Ipv4Set;
pub use self::text::{change, describe};
pub use self::traffic::Traffic;
use crate::address::Address;

/// Who can reach the databases and instances among some resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything that can be reached, databases first.
    pub targets: Vec<Target>,
    /// What can reach them, by target and source. A target and source come together once, or, for a source that is a
    /// set of addresses, once for each different traffic; none is empty.
    pub flows: Vec<Flow>,
    /// From each instance to each database, the traffic that certainly passes, even if that is nothing.
    pub paths: Vec<Path>,
    /// The instances and databases in each security group that has some.
    pub members: BTreeMap<Address, BTreeSet<Address>>,
}

impl Report {
    /// The flows of each target that has some.
    fn by_target(&self) -> BTreeMap<&Address, Vec<&Flow>> {
        let mut flows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for flow in &self.flows {
            flows.entry(&flow.to).or_default().push(flow);
        }
        flows
    }
}

/// A database or an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its address.
    pub address: Address,
    /// The port a database listens on; `None` for an instance.
    pub port: Option<u16>,
    /// Its security groups.
    pub groups: BTreeSet<Address>,
    /// Packets from the internet can come to it, if a rule allows them: it has or may get a public address, and its
    /// subnet has a route to an attached internet gateway that VPC Block Public Access does not close.
    pub public: bool,
    /// Those of its subnets that follow the VPC's main route table, which is not among the resources; it is taken to
    /// hold the local route only, as AWS makes it.
    pub main_route_table: BTreeSet<Address>,
}

/// What a source may send to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// What is reached.
    pub to: Address,
    /// By what.
    pub from: Source,
    /// On which protocols and ports.
    pub traffic: Traffic,
}

/// Where packets come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// These addresses on the internet, by an internet gateway to a public address. Serialized as blocks that hold
    /// these and, of the internet, no others; private and reserved addresses may fill them up.
    #[serde(serialize_with = "Ipv4Set::serialize_internet")]
    Internet(Ipv4Set),
    /// These addresses outside the VPC, by a route whose target is not known here.
    Outside(Ipv4Set),
    /// Whatever has one of these addresses inside the VPC.
    Inside(Ipv4Set),
    /// Whatever is in this security group.
    Group(Address),
    /// A party that no resource at hand accounts for.
    Unknown(Arc<str>),
}

/// What certainly gets from an instance to a database, wherever in their subnets either of them stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// The instance.
    pub from: Address,
    /// The database.
    pub to: Address,
    /// The port the database listens on.
    pub port: u16,
    /// What passes.
    pub traffic: Traffic,
}

/// `the internet`, `10.0.0.0/16 inside the vpc`, `aws_security_group.app`
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(set) if *set == Ipv4Set::internet() => f.write_str("the internet"),
            Self::Internet(set) => write!(f, "the internet ({})", set.internet_text()),
            Self::Outside(set) => write!(f, "outside the vpc by an unknown route ({set})"),
            Self::Inside(set) => write!(f, "{set} inside the vpc"),
            Self::Group(address) => write!(f, "{address}"),
            Self::Unknown(party) => write!(f, "an unknown party ({party})"),
        }
    }
}
