//! Quotas of an account: AWS's defaults, as a value.

use serde::{Deserialize, Serialize};

use crate::rules::{Refusal, Rule};

/// How many of what an account may have in its Region. The defaults are AWS's (VPC, EC2 and RDS quota pages), but for
/// the vCPUs: AWS sets them per account, here they are not limited until they are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotas {
    /// VPCs.
    pub vpcs: usize,
    /// Subnets in a VPC.
    pub subnets: usize,
    /// Internet gateways.
    pub internet_gateways: usize,
    /// Elastic IP addresses.
    pub addresses: usize,
    /// NAT gateways in an Availability Zone; failed and deleted ones do not count.
    pub nat_gateways: usize,
    /// Route tables in a VPC, the main one included.
    pub route_tables: usize,
    /// Routes in a table, the local one included.
    pub routes: usize,
    /// Security groups.
    pub security_groups: usize,
    /// Rules of a security group in one direction, IPv4 and IPv6 apart.
    pub rules: usize,
    /// Gateway endpoints.
    pub gateway_endpoints: usize,
    /// Network interfaces, whoever made them.
    pub network_interfaces: usize,
    /// Security groups on a network interface.
    pub groups_per_interface: usize,
    /// vCPUs of running instances; `None` for no limit.
    pub vcpus: Option<u32>,
    /// Database instances.
    pub db_instances: usize,
    /// Storage of all database instances, in GiB.
    pub db_storage: i64,
    /// Snapshots of databases that were not taken automatically.
    pub db_snapshots: usize,
    /// Database subnet groups.
    pub db_subnet_groups: usize,
    /// Subnets in a database subnet group.
    pub db_subnets: usize,
    /// Tags on an object.
    pub tags: usize,
    /// Objects that one call tags.
    pub tagged_at_once: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            vpcs: 5,
            subnets: 200,
            internet_gateways: 5,
            addresses: 5,
            nat_gateways: 5,
            route_tables: 200,
            gateway_endpoints: 20,
            routes: 500,
            security_groups: 2500,
            rules: 60,
            network_interfaces: 5000,
            groups_per_interface: 5,
            vcpus: None,
            db_instances: 40,
            db_storage: 100_000,
            db_snapshots: 100,
            db_subnet_groups: 50,
            db_subnets: 20,
            tags: 50,
            tagged_at_once: 1000,
        }
    }
}

impl Quotas {
    /// No limits, but for those AWS never lifts: tags, and groups on an interface.
    pub fn unlimited() -> Self {
        Self {
            vpcs: usize::MAX,
            subnets: usize::MAX,
            internet_gateways: usize::MAX,
            addresses: usize::MAX,
            nat_gateways: usize::MAX,
            route_tables: usize::MAX,
            routes: usize::MAX,
            security_groups: usize::MAX,
            rules: usize::MAX,
            network_interfaces: usize::MAX,
            vcpus: None,
            db_instances: usize::MAX,
            db_storage: i64::MAX,
            db_snapshots: usize::MAX,
            db_subnet_groups: usize::MAX,
            ..Self::default()
        }
    }
}

/// Refuses one more when there are as many as allowed already; the rule's message may name the number.
pub(crate) fn room(there: usize, allowed: usize, rule: &'static Rule) -> Result<(), Refusal> {
    if there < allowed { Ok(()) } else { Err(rule.refuse([&allowed])) }
}
