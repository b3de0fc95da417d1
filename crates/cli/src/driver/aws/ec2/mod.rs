//! EC2 operations, one function each, by the kind of object.

pub(super) mod attachment;
pub(super) mod endpoint;
pub(super) mod gateway;
pub(super) mod instance;
pub(super) mod interface;
pub(super) mod route;
pub(super) mod security_group;
pub(super) mod tags;
pub(super) mod vpc;
