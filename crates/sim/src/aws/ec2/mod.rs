//! EC2 as the account has it: a directory a kind, with the object, its operations and its rules.

pub(crate) mod attachment;
pub(crate) mod eip;
pub(crate) mod filter;
pub(crate) mod instance;
pub(crate) mod internet_gateway;
pub(crate) mod launch;
pub(crate) mod nat_gateway;
pub(crate) mod network_interface;
pub(crate) mod permission;
pub(crate) mod route_table;
pub(crate) mod security_group;
pub(crate) mod subnet;
pub(crate) mod tags;
pub(crate) mod volume;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;
