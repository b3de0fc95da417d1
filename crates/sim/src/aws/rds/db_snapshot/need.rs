//! What calls about snapshots need.

use aloka_core::api::{Operation, Rds};

use crate::aws::rds::need as rds;
use crate::iam::{Ask, Asks, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[(
    Operation::Rds(Rds::DescribeDBSnapshots),
    &[Ask::By(|needs| rds::read(needs, T::DbSnapshot, "DBSnapshotIdentifier"))],
)];
