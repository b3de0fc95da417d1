//! What the stack can declare, whatever the variables: its addresses, its outputs, and how many of each there may be.

use crate::address::Address;
use crate::model::Kind;

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
struct Indices {
    /// True if it can stand without one.
    single: bool,
    /// All are below this.
    below: u32,
}

/// Two private subnets at least, perhaps no public one, and together no more than a VPC may have.
const PUBLIC_MAX: u32 = SUBNETS_MAX - 2;
const PRIVATE_MAX: u32 = SUBNETS_MAX;

fn indices(in_vpc_module: bool, kind: Kind, name: &str) -> Option<Indices> {
    let single = Some(Indices { single: true, below: 0 });
    let counted = |below| Some(Indices { single: false, below });
    match (in_vpc_module, kind, name) {
        (true, Kind::Vpc | Kind::InternetGateway | Kind::DefaultSecurityGroup, "this") => counted(1),
        (true, Kind::Subnet | Kind::RouteTableAssociation, "public") => counted(PUBLIC_MAX),
        (true, Kind::Subnet | Kind::RouteTableAssociation, "private") => counted(PRIVATE_MAX),
        (true, Kind::RouteTable, "public") | (true, Kind::Route, "public_internet_gateway") => counted(1),
        (true, Kind::Eip, "nat")
        | (true, Kind::NatGateway, "this")
        | (true, Kind::RouteTable, "private")
        | (true, Kind::Route, "private_nat_gateway") => counted(ZONES_MAX),
        (false, Kind::SecurityGroup, "app" | "db")
        | (false, Kind::DbSubnetGroup, "main")
        | (false, Kind::DbInstance, "postgres") => single,
        (false, Kind::Instance, "app") => Some(Indices { single: true, below: INSTANCES_MAX }),
        (
            true | false,
            Kind::DbInstance
            | Kind::DbSubnetGroup
            | Kind::DefaultSecurityGroup
            | Kind::Eip
            | Kind::Instance
            | Kind::InternetGateway
            | Kind::NatGateway
            | Kind::Route
            | Kind::RouteTable
            | Kind::RouteTableAssociation
            | Kind::SecurityGroup
            | Kind::Subnet
            | Kind::Vpc,
            _,
        ) => None,
    }
}
