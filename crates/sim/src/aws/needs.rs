//! What each operation needs of IAM: the tables of the kinds in one.

use aloka_core::api::{Ec2, Operation, Rds, Request, Ssm, Sts};

use super::{ec2, rds};
use crate::iam::{Ask, Asks, Need, Needs, Objects};

/// What is asked for by operations that are about no kind of object.
const CATALOG: &[Asks] = &[
    // Even a denial does not stop it.
    (Operation::Sts(Sts::GetCallerIdentity), &[]),
    (Operation::Ssm(Ssm::GetParameter), &[Ask::By(public_parameter)]),
    (Operation::Ec2(Ec2::DescribeAvailabilityZones), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeInstanceTypeOfferings), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeImages), &[Ask::Any]),
    (Operation::Rds(Rds::DescribeDBEngineVersions), &[Ask::Any]),
];

/// Public parameters belong to no account.
fn public_parameter(needs: &mut Needs<'_>) {
    let name = needs.request.text("Name").trim_start_matches('/');
    let resource = format!("arn:aws:ssm:{}::parameter/{name}", needs.objects.region());
    needs.push(resource, needs.plain());
}

fn all() -> impl Iterator<Item = &'static Asks> {
    let tables: &[&'static [Asks]] = &[
        CATALOG,
        ec2::vpc::need::NEEDS,
        ec2::subnet::need::NEEDS,
        ec2::internet_gateway::need::NEEDS,
        ec2::eip::need::NEEDS,
        ec2::nat_gateway::need::NEEDS,
        ec2::route_table::need::NEEDS,
        ec2::vpc_endpoint::need::NEEDS,
        ec2::network_interface::need::NEEDS,
        ec2::attachment::NEEDS,
        ec2::security_group::need::NEEDS,
        ec2::permission::need::NEEDS,
        ec2::instance::need::NEEDS,
        ec2::launch::need::NEEDS,
        ec2::volume::need::NEEDS,
        ec2::tags::need::NEEDS,
        rds::db_subnet_group::need::NEEDS,
        rds::db_instance::need::NEEDS,
        rds::db_snapshot::need::NEEDS,
        rds::db_tags::need::NEEDS,
    ];
    tables.iter().flat_map(|table| table.iter())
}

/// Every permission that the request needs, in the order in which AWS looks at them. None for `GetCallerIdentity`. An
/// operation that stood in no table would need nothing; a test holds that each stands in one.
pub fn needs(request: &Request, objects: &dyn Objects) -> Vec<Need> {
    let asks = all().find(|(operation, _)| *operation == request.operation());
    Needs::of(request, objects, asks.map_or(&[], |(_, asks)| asks))
}

#[cfg(test)]
mod tests;
