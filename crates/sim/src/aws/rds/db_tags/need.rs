//! What tagging needs at RDS, which names the object by its ARN.

use aloka_core::api::{Operation, Rds};

use crate::iam::{Ask, Asks, Context, Needs, ResourceType};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Rds(Rds::AddTagsToResource), &[Ask::By(|needs| tag(needs, true))]),
    (Operation::Rds(Rds::RemoveTagsFromResource), &[Ask::By(|needs| tag(needs, false))]),
    (Operation::Rds(Rds::ListTagsForResource), &[Ask::By(list_tags)]),
];

fn tag(needs: &mut Needs<'_>, adds: bool) {
    let (resource, context) = by_arn(needs);
    let context = needs.tagging(context, adds);
    needs.push(resource, context);
}

fn list_tags(needs: &mut Needs<'_>) {
    let (resource, context) = by_arn(needs);
    needs.push(resource, context);
}

/// The object of RDS that is named by ARN.
fn by_arn(needs: &Needs<'_>) -> (String, Context) {
    let arn = needs.request.text("ResourceName").to_owned();
    let mut parts = arn.splitn(7, ':').skip(5);
    let context = match (parts.next(), parts.next()) {
        (Some("db"), Some(name)) => needs.known(ResourceType::Db, name),
        (Some("subgrp"), Some(name)) => needs.known(ResourceType::DbSubnetGroup, name),
        (Some(_) | None, _) => needs.plain(),
    };
    (arn, context)
}
