//! What the stack can declare, whatever the variables: its addresses, its outputs, and how many of each there may be.

use crate::address::Address;
use crate::kind::Kind;

/// Subnets per VPC (Amazon VPC quotas).
pub const SUBNETS_MAX: u32 = 200;
/// Zones of a Region: one letter names each.
pub const ZONES_MAX: u32 = 26;
/// More application servers than any quota gives.
pub const INSTANCES_MAX: u32 = 20_000;
/// Names of the outputs.
pub const OUTPUTS: [&str; 7] = [
    "app_public_dns",
    "app_public_ip",
    "app_security_group_id",
    "db_endpoint",
    "db_security_group_id",
    "db_subnet_group_name",
    "vpc_id",
];

/// True if some valid variables declare resources of this type and name in this module: at which indices,
/// [`is_declarable`] tells.
pub fn is_declarable_name(in_vpc_module: bool, kind: Kind, name: &str) -> bool {
    indices(in_vpc_module, kind, name).is_some()
}

/// True if some valid variables declare a resource at this address. Whatever is recorded elsewhere is not of this stack.
pub fn is_declarable(address: &Address) -> bool {
    let Some(Indices { single, below }) = indices(address.in_vpc_module, address.kind, &address.name) else {
        return false;
    };
    address.index.map_or(single, |index| index < below)
}

/// The indices that a resource can have.
#[derive(Clone, Copy)]
struct Indices {
    /// True if it can stand without one.
    single: bool,
    /// All are below this.
    below: u32,
}

const fn counted(below: u32) -> Indices {
    Indices { single: false, below }
}

const SINGLE: Indices = Indices { single: true, below: 0 };
/// Two private subnets at least, perhaps no public one, and together no more than a VPC may have.
const PUBLIC: Indices = counted(SUBNETS_MAX - 2);
const PRIVATE: Indices = counted(SUBNETS_MAX);
const ONE: Indices = counted(1);
const EACH_ZONE: Indices = counted(ZONES_MAX);

/// Every resource that some valid variables declare: whether it is in the VPC's module, its kind and its name.
const DECLARABLE: [(bool, Kind, &str, Indices); 19] = [
    (true, Kind::Vpc, "this", ONE),
    (true, Kind::InternetGateway, "this", ONE),
    (true, Kind::DefaultSecurityGroup, "this", ONE),
    (true, Kind::Subnet, "public", PUBLIC),
    (true, Kind::Subnet, "private", PRIVATE),
    (true, Kind::RouteTable, "public", ONE),
    (true, Kind::RouteTable, "private", EACH_ZONE),
    (true, Kind::Route, "public_internet_gateway", ONE),
    (true, Kind::Route, "private_nat_gateway", EACH_ZONE),
    (true, Kind::RouteTableAssociation, "public", PUBLIC),
    (true, Kind::RouteTableAssociation, "private", PRIVATE),
    (true, Kind::Eip, "nat", EACH_ZONE),
    (true, Kind::NatGateway, "this", EACH_ZONE),
    (true, Kind::VpcEndpoint, "s3", ONE),
    (false, Kind::SecurityGroup, "app", SINGLE),
    (false, Kind::SecurityGroup, "db", SINGLE),
    (false, Kind::Instance, "app", Indices { single: true, below: INSTANCES_MAX }),
    (false, Kind::DbSubnetGroup, "main", SINGLE),
    (false, Kind::DbInstance, "postgres", SINGLE),
];

fn indices(in_vpc_module: bool, kind: Kind, name: &str) -> Option<Indices> {
    let is_it = |row: &&(bool, Kind, &str, Indices)| (row.0, row.1, row.2) == (in_vpc_module, kind, name);
    DECLARABLE.iter().find(is_it).map(|(.., indices)| *indices)
}
