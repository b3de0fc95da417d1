//! Who else would be touched: before a plan takes away a subnet, a table, a gateway or a group, what others have around it is
//! read, and nothing of theirs is cut off without their owner's word.
//!
//! AWS refuses to delete what something uses, so that a plan would stop half way; and it does not refuse to take a route or
//! a gateway away from somebody else's server, which would go silent. Both are told before the first call.

use std::collections::BTreeSet;

use super::neighbours::{self, Doomed, Loss, Neighbour, Surroundings};
use crate::address::Address;
use crate::api::{Ec2, ErrorClass, Operation};
use crate::consent::{Consent, UNKNOWN};
use crate::kind::Kind;
use crate::plan::reads::Replies;
use crate::plan::{Action, Change, Mode, Node};
use crate::plan::{Planned, Problem};
use crate::resource::Use;
use crate::shell;
use crate::stack;
use crate::state::State;
use crate::value::Value;

/// What a plan takes away.
fn doomed(planned: &Planned) -> Doomed {
    let mut doomed = Doomed::default();
    for change in &planned.plan.changes {
        let kind = change.target.address.kind;
        let text = |name: &str| change.before.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let goes = matches!(change.action, Action::Delete | Action::Replace(_));
        match kind.definition().used_by_others {
            Use::Held | Use::CutOff if goes => {
                doomed.ids.insert(text(kind.key_attribute()), (change.target.address.clone(), kind));
            }
            Use::Way if goes => {
                let place = (text("route_table_id"), text("destination_cidr_block"));
                doomed.routes.insert(place, change.target.address.clone());
            }
            Use::Table if goes => {
                doomed.associations.insert(text("subnet_id"));
            }
            Use::Network if goes => doomed.vpc = Some(text("id")),
            Use::Rules => {
                let is_emptied = change.attributes.iter().any(|a| matches!(&*a.name, "ingress" | "egress"));
                if change.action == Action::Create || (change.action == Action::Update && is_emptied) {
                    doomed.emptied = Some(text("id"));
                }
            }
            Use::Nothing | Use::Held | Use::CutOff | Use::Way | Use::Table | Use::Network => {}
        }
    }
    // What has no identifier yet is used by nobody.
    doomed.ids.remove("");
    doomed
}

/// The identifier of the VPC the stack is in, if it stands.
fn vpc(planned: &Planned) -> Option<&str> {
    planned.state.attribute(&stack::vpc(), "id").and_then(Value::as_str)
}

/// The reads that tell who else is there; none if the plan takes nothing away that others could use.
pub(crate) fn reads(planned: &Planned) -> Vec<Node> {
    let doomed = doomed(planned);
    let Some(vpc) = vpc(planned).filter(|_| !doomed.is_empty()) else { return Vec::new() };
    neighbours::reads(vpc, doomed.vpc.is_some())
}

/// What is known of the surroundings.
struct Around<'a, 'r> {
    planned: &'a Planned,
    replies: &'a Replies<'r>,
    doomed: &'a Doomed,
    vpc: &'a str,
    consent: &'a Consent,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

/// Refuses the plan if it would cut somebody off, or stop half way because of somebody. Returns what was not checked.
pub(crate) fn judge(planned: &Planned, consent: &Consent, replies: &Replies<'_>) -> Result<Vec<String>, Vec<Problem>> {
    let doomed = doomed(planned);
    let Some(vpc) = vpc(planned) else { return Ok(Vec::new()) };
    let ours = recorded(&planned.plan.changes, &planned.state);
    let mut surroundings = Surroundings { state: &planned.state, replies, doomed: &doomed, vpc, ours, by_tag: true };
    let more = surroundings.own_and_going();
    surroundings.ours.extend(more);
    let mut around =
        Around { planned, replies, doomed: &doomed, vpc, consent, problems: Vec::new(), notes: Vec::new() };
    around.unread();
    surroundings.neighbours().iter().for_each(|neighbour| around.refuse(neighbour));
    around.routes();
    let Around { problems, notes, .. } = around;
    if problems.is_empty() { Ok(notes) } else { Err(problems) }
}

/// Identifiers of everything recorded that a plan with these changes may act on, and of what is claimed and it keeps.
pub(crate) fn recorded<'a>(changes: &'a [Change], state: &'a State) -> BTreeSet<&'a str> {
    let texts = ["id", "identifier", "network_interface_id", "primary_network_interface_id"];
    let changed = changes.iter().map(|change| &change.before).filter(|before| !before.is_empty());
    let claimed = state.objects().filter(|(_, object)| object.claimed).map(|(_, object)| &object.attributes);
    changed.chain(claimed).flat_map(|object| texts.iter().filter_map(|name| object.get(*name)?.as_str())).collect()
}

impl Around<'_, '_> {
    fn is_allowed(&self, id: &str) -> bool {
        self.consent.cutting_off.contains(id)
    }

    /// What may not be read is not known to be free: a destroy wants the user's word for it.
    fn unread(&mut self) {
        let unread: BTreeSet<String> = self
            .replies
            .calls()
            .filter_map(|(call, reply)| Some((call, reply.err()?)))
            .filter(|(_, error)| error.class != ErrorClass::NotFound)
            .map(|(call, error)| format!("{} ({})", call.operation, error.code))
            .collect();
        if unread.is_empty() {
            return;
        }
        let what = unread.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("whether anything of others is in {} could not be read: {what}", self.vpc);
        if self.planned.plan.mode == Mode::Destroy && !self.is_allowed(UNKNOWN) {
            self.problems.push(Problem::Impossible {
                summary: text,
                hint: format!("allow these reads, or go on without them: -allow-cutting-off={UNKNOWN}"),
            });
        } else {
            self.notes.push(format!("not checked: {text}"));
        }
    }

    fn refuse(&mut self, neighbour: &Neighbour) {
        let Neighbour { id, who, losses } = neighbour;
        let open: Vec<&Loss> = losses.iter().filter(|loss| loss.is_refused_by_aws || !self.is_allowed(id)).collect();
        if open.is_empty() {
            return;
        }
        let what: BTreeSet<&str> = open.iter().map(|loss| loss.what.as_str()).collect();
        let is_refused = open.iter().any(|loss| loss.is_refused_by_aws);
        let keep: BTreeSet<&Address> = open.iter().filter_map(|loss| loss.keep.as_ref()).collect();
        let is_destroy = self.planned.plan.mode == Mode::Destroy;
        let exclude: Vec<String> = keep.iter().map(|address| shell::flag_at("-exclude", address)).collect();
        let mut ways = Vec::new();
        if !is_refused {
            ways.push(format!("let it be cut off: {}", shell::flag("-allow-cutting-off", id)));
        }
        if is_destroy && !exclude.is_empty() {
            ways.push(format!("keep what it uses: {}", exclude.join(" ")));
        }
        if !is_destroy && !keep.is_empty() {
            let addresses: Vec<String> = keep.iter().map(ToString::to_string).collect();
            ways.push(format!("keep {} in the variables", addresses.join(", ")));
        }
        ways.push(format!("remove {id} first, if nobody needs it"));
        let end = if is_refused { "AWS would refuse this plan half way" } else { "it would be cut off" };
        self.problems.push(Problem::Impossible {
            summary: format!(
                "{id}, {who}, is not of this stack: {}; {end}, so nothing was changed",
                what.into_iter().collect::<Vec<_>>().join(", ")
            ),
            hint: ways.join("; or "),
        });
    }

    /// Tables with routes that nobody recorded here: somebody put them there, and they would go with their table.
    fn routes(&mut self) {
        let recorded: BTreeSet<(&str, &str)> = self
            .planned
            .plan
            .changes
            .iter()
            .filter(|change| change.target.address.kind == Kind::Route)
            .filter_map(|change| {
                let text = |name: &str| change.before.get(name).and_then(Value::as_str);
                Some((text("route_table_id")?, text("destination_cidr_block")?))
            })
            .collect();
        for table in self.replies.items(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables") {
            let id = table.get("RouteTableId").as_str().unwrap_or_default();
            let Some(address) = self.doomed.has(id) else { continue };
            let routes = table.get("Routes").as_list().unwrap_or_default().iter();
            let others = routes.filter(|route| route.get("Origin").as_str() == Some("CreateRoute"));
            let others = others.filter_map(|route| route.get("DestinationCidrBlock").as_str());
            let others: Vec<&str> = others.filter(|destination| !recorded.contains(&(id, destination))).collect();
            if !others.is_empty() && !self.is_allowed(id) {
                self.problems.push(Problem::Impossible {
                    summary: format!(
                        "{address} ({id}) would be deleted with routes that are not of this stack: {}; nothing was changed",
                        others.join(", ")
                    ),
                    hint: format!("if nobody needs them: {}", shell::flag("-allow-cutting-off", id)),
                });
            }
        }
    }
}
