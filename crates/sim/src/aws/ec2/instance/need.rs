//! What calls about instances need.

use aloka_core::api::{Ec2, Operation};

use crate::iam::{Ask, Asks, Needs, ResourceType as T};

pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::DescribeInstances), &[Ask::Any]),
    (Operation::Ec2(Ec2::ModifyInstanceAttribute), &[Ask::By(modify_instance)]),
    (Operation::Ec2(Ec2::StopInstances), &[Ask::Each(T::Instance, "InstanceIds")]),
    (Operation::Ec2(Ec2::StartInstances), &[Ask::Each(T::Instance, "InstanceIds")]),
    (Operation::Ec2(Ec2::TerminateInstances), &[Ask::Each(T::Instance, "InstanceIds")]),
];

/// The server is asked for with the attribute that changes, as EC2's query parameters call it; the groups it gets are
/// not (contexts of refused calls that AWS decoded, in public logs).
fn modify_instance(needs: &mut Needs<'_>) {
    let id = needs.request.text("InstanceId");
    let mut context = needs.known(T::Instance, id);
    for (parameter, attribute) in [("InstanceType", "InstanceType"), ("Groups", "GroupId")] {
        if !needs.request.arg(parameter).is_null() {
            context.add("ec2:Attribute", attribute);
        }
    }
    let resource = needs.arn(T::Instance, id);
    needs.push(resource, context);
    needs.all(T::SecurityGroup, "Groups");
}
