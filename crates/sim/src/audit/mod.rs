//! An independent auditor: what is in the account, who reaches what, and what lost its owner.
//!
//! It knows the account only through Describe calls, has its own model, and shares no code with the planner's own
//! decision (`aloka_core::network`): that one reasons over sets, this one walks packets one at a time. Where both
//! agree, a mistake would have to be made twice. It must not use anything of `aloka_core` but requests, replies and
//! values, nor look into the simulator.

mod cost;
mod defect;
mod leak;
mod packet;
mod promise;
mod read;
mod tags;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

pub use self::cost::{Bill, Charge, Line, Meter, Usd};
pub use self::packet::{Exposure, Sender};
pub use self::promise::{Expected, Ports};
pub use self::read::audit;
pub use self::tags::Object;

/// An account as the auditor sees it.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Every object that exists, AWS's own excepted: default VPCs and what is in them, main route tables, default
    /// security groups, what is deleted and only still listed.
    pub objects: Vec<Object>,
    /// What could not be read or understood; while there is any, nothing is proven.
    pub unread: Vec<String>,
    /// VPC ids with their blocks.
    vpcs: BTreeMap<String, Vec<Ipv4Net>>,
    subnets: BTreeMap<String, Subnet>,
    tables: Vec<Table>,
    /// Internet gateway ids with the VPCs they are attached to.
    gateways: BTreeMap<String, Vec<String>>,
    nats: BTreeMap<String, Nat>,
    groups: BTreeMap<String, Group>,
    hosts: Vec<Host>,
    addresses: Vec<Address>,
    volumes: Vec<Volume>,
    db_subnet_groups: Vec<DbSubnetGroup>,
    /// How many network interfaces should be in each VPC: those of what stands in it.
    interfaces: BTreeMap<String, u64>,
    /// What is billed at this instant.
    charges: Vec<Charge>,
}

#[derive(Clone, Debug)]
struct Subnet {
    vpc: String,
    block: Ipv4Net,
    /// How many of its addresses no interface has; `None` if the reply does not tell.
    free: Option<u64>,
    /// What VPC Block Public Access stops at its internet gateway.
    closed: Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    No,
    /// What comes in; NAT gateways send and get their answers.
    Ingress,
    Bidirectional,
}

/// An Elastic IP address.
#[derive(Clone, Debug)]
struct Address {
    id: String,
    /// Something holds it.
    associated: bool,
}

#[derive(Clone, Debug)]
struct Volume {
    id: String,
    /// Nothing holds it.
    free: bool,
}

#[derive(Clone, Debug)]
struct DbSubnetGroup {
    name: String,
    subnets: Vec<String>,
}

#[derive(Clone, Debug)]
struct Table {
    id: String,
    vpc: String,
    main: bool,
    subnets: BTreeSet<String>,
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    destination: Ipv4Net,
    target: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Local,
    InternetGateway(String),
    Nat(String),
    Blackhole,
    /// Something the auditor cannot follow.
    Strange(String),
}

#[derive(Clone, Debug)]
struct Nat {
    subnet: String,
    public: Option<Ipv4Addr>,
    working: bool,
    /// AWS's code, if it failed.
    failure: Option<String>,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    vpc: String,
    ingress: Vec<Permission>,
    egress: Vec<Permission>,
}

/// A permission of a group. IPv6 ranges are left out: nothing in the replies can give a subnet IPv6.
#[derive(Clone, Debug)]
struct Permission {
    /// `None`: every protocol.
    protocol: Option<u8>,
    /// `None`: every port.
    ports: Option<(u16, u16)>,
    blocks: Vec<Ipv4Net>,
    groups: Vec<String>,
    prefix_lists: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostKind {
    Database,
    Instance,
}

/// Something that sends and receives: an instance, or a database in each subnet it may stand in.
#[derive(Clone, Debug)]
struct Host {
    kind: HostKind,
    id: String,
    vpc: String,
    /// Where it may stand: subnet and private address.
    places: Vec<(String, Ipv4Addr)>,
    public: Option<Ipv4Addr>,
    groups: Vec<String>,
    /// It is up: an instance that runs, a database with an endpoint.
    up: bool,
    /// It is an instance that is starting.
    pending: bool,
}
