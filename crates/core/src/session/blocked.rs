//! VPC Block Public Access: AWS accepts every call of the stack, and nobody reaches the application.

use std::sync::Arc;

use super::Replies;
use crate::api::{Ec2, Operation};
use crate::kind::Kind;
use crate::network::{Block, Blocked};
use crate::plan::refusal;
use crate::stack;
use crate::state::State;
use crate::value::Value;

/// The subnets of the stack that it closes, as the replies tell.
pub(super) fn read(state: &State, replies: &Replies<'_>) -> Blocked {
    let blocked = replies.items(Operation::Ec2(Ec2::DescribeSubnets), "Subnets").filter_map(|subnet| {
        let id = subnet.get("SubnetId").as_str()?;
        Some((Arc::<str>::from(id), Block::of(subnet)?))
    });
    let mut blocked: Blocked = blocked.collect();
    let recorded = state.resources.iter().filter(|(address, _)| address.kind == Kind::Subnet);
    let ours: Vec<&str> = recorded.filter_map(|(_, subnet)| subnet.id()).collect();
    blocked.retain(|id, _| ours.contains(&&**id));
    blocked
}

/// What that means for a user, and what to do about it; `None` if it concerns no subnet with a route to the internet.
pub(super) fn warning(state: &State, blocked: &Blocked) -> Option<String> {
    let public =
        state.resources.iter().filter(|(address, _)| address.kind == Kind::Subnet && &*address.name == "public");
    let modes: Vec<_> = public.map(|(address, subnet)| (address, subnet.id().and_then(|id| blocked.get(id)))).collect();
    let closed: Vec<String> =
        modes.iter().filter(|(_, block)| block.is_some()).map(|(address, _)| address.to_string()).collect();
    let block = modes.iter().filter_map(|(_, block)| *block).max()?;
    let whom = if closed.len() == modes.len() { "the application" } else { "a server there" };
    let out = match block {
        Block::BlockIngress => "only what leaves through a NAT gateway gets out",
        Block::BlockBidirectional => "nothing gets out to it, through the NAT gateway neither",
    };
    let vpc = state.attribute(&stack::vpc(), "id").and_then(Value::as_str).map(|id| format!(" {id}"));
    Some(format!(
        "VPC Block Public Access is on for {} ({block}): nobody on the internet reaches {whom}, and {out}, although AWS accepts \
         every call and an apply succeeds; to change that, turn it off for the Region, or exclude the VPC{}, in the AWS console \
         under VPC, Settings, Block Public Access",
        refusal::listed(&closed),
        vpc.unwrap_or_default()
    ))
}
