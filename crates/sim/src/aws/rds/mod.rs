//! RDS as the account has it: a directory a kind, with the object, its operations and its rules.

pub(crate) mod db_instance;
pub(crate) mod db_snapshot;
pub(crate) mod db_subnet_group;
pub(crate) mod db_tags;
pub(crate) mod need;
