//! What tagging needs: the permission to do it to each of the objects, under their own tags and those of the request.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, Needs, ResourceType};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::DescribeTags), &[Ask::Any]),
    (Operation::Ec2(Ec2::CreateTags), &[Ask::By(|needs| tag(needs, true))]),
    (Operation::Ec2(Ec2::DeleteTags), &[Ask::By(|needs| tag(needs, false))]),
];

/// `CreateTags` and `DeleteTags` of objects that are there.
fn tag(needs: &mut Needs<'_>, adds: bool) {
    for id in needs.request.texts("Resources") {
        // The call itself refuses an identifier of no known kind.
        if let Some(kind) = ResourceType::of_id(&id) {
            let context = needs.tagging(needs.known(kind, &id), adds);
            let resource = needs.arn(kind, &id);
            needs.push(resource, context);
        }
    }
}
