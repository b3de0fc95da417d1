//! What calls about subnet groups need.

use aloka_core::api::{Operation, Rds};

use crate::aws::rds::need as rds;
use crate::iam::{Ask, Asks, Needs, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Rds(Rds::CreateDBSubnetGroup), &[Ask::By(create_group), Ask::By(rds::role)]),
    (
        Operation::Rds(Rds::DescribeDBSubnetGroups),
        &[Ask::By(|needs| rds::read(needs, T::DbSubnetGroup, "DBSubnetGroupName"))],
    ),
    (Operation::Rds(Rds::ModifyDBSubnetGroup), &[Ask::Named(T::DbSubnetGroup, "DBSubnetGroupName")]),
    (Operation::Rds(Rds::DeleteDBSubnetGroup), &[Ask::Named(T::DbSubnetGroup, "DBSubnetGroupName")]),
];

fn create_group(needs: &mut Needs<'_>) {
    let name = needs.request.text("DBSubnetGroupName").to_ascii_lowercase();
    needs.create_named(T::DbSubnetGroup, &name, Vec::new());
}
