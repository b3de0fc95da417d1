//! Recording one object under an address, as Terraform's import does. The ordinary reads and the ordinary plan tell
//! whether it is there and fits.

use std::sync::Arc;

use super::super::{Planned, Problem};
use crate::address::Address;
use crate::declarable;
use crate::intern::key;
use crate::kind::Kind;
use crate::plan::{Action, AttributeChange, Reason};
use crate::resource::{self, Import};
use crate::shell::Command;
use crate::stack;
use crate::state::{Resource, State};
use crate::value::{Value, ValueMap};

/// The identifier in the form that Terraform's import wants, from any that plans, states and AWS show: an ARN, the identifier of
/// a route or an association as it is recorded.
fn plain(state: &State, address: &Address, id: &str) -> String {
    let id = match id.strip_prefix("arn:") {
        Some(_) => id.rsplit([':', '/']).next().unwrap_or(id),
        None => id,
    };
    let recorded = |address: &Address| state.attribute(address, "id").and_then(Value::as_str).map(str::to_owned);
    match address.kind {
        Kind::Route if id.starts_with("r-") => {
            let tables = state.resources.keys().filter(|other| other.kind == Kind::RouteTable);
            let table = tables.filter_map(recorded).find(|table| resource::route_id(table) == id);
            table.map_or_else(|| id.to_owned(), |table| format!("{table}_{}", stack::ANYWHERE))
        }
        Kind::RouteTableAssociation if id.starts_with("rtbassoc-") => {
            // An association has the name of its subnet; which table it is with, AWS tells.
            let subnet = recorded(&Address { kind: Kind::Subnet, ..address.clone() });
            let mut tables = state.resources.keys().filter(|other| other.kind == Kind::RouteTable);
            let table = tables.find(|other| other.name == address.name).and_then(recorded);
            subnet.zip(table).map_or_else(|| id.to_owned(), |(subnet, table)| format!("{subnet}/{table}"))
        }
        _ => id.to_owned(),
    }
}

/// The state with what `id` tells of the object at `address`. Identifiers are those of Terraform's import.
///
/// # Errors
/// An address that is taken; an identifier of another form.
pub fn add(state: &State, address: &Address, id: &str) -> Result<State, Problem> {
    if let Some(recorded) = state.resources.get(address) {
        return Err(Problem::Impossible {
            summary: format!("{address} is recorded already, as {}", recorded.id().unwrap_or("an unknown object")),
            hint: format!("forget that first: {}", Command::new("aloka state rm").address(address)),
        });
    }
    if !declarable::is_declarable(address) {
        return Err(Problem::Impossible {
            summary: format!("{address} is not an address of this stack: no variables declare it"),
            hint: "aloka graph    shows every address of the stack".to_owned(),
        });
    }
    let id = &*plain(state, address, id);
    let wrong = |form: &str| Problem::Impossible {
        summary: format!("`{id}` is not a valid {} ID", address.kind),
        hint: format!("write it as {form}"),
    };
    let attributes: ValueMap = match address.kind.definition().import {
        Import::By(name) => ValueMap::from([(key(name), Value::str(id))]),
        Import::Pair { separator, names, form } => {
            let (first, second) = id.split_once(separator).ok_or_else(|| wrong(form))?;
            names.into_iter().zip([first, second]).map(|(name, value)| (key(name), Value::str(value))).collect()
        }
    };
    let mut state = state.clone();
    let resource = Resource { attributes: Arc::new(attributes), claimed: true, ..Resource::default() };
    state.resources.insert(address.clone(), Arc::new(resource));
    Ok(state)
}

/// Whether the object that [`add`] named is there and may be the object of its address. `planned` is the plan with it.
///
/// # Errors
/// Why not.
pub fn check(planned: &Planned, address: &Address, id: &str) -> Result<(), Problem> {
    let misfit = |why: String, hint: &str| Problem::Impossible {
        summary: format!("{id} cannot be {address}: {why}"),
        hint: hint.to_owned(),
    };
    let Some(found) = planned.state.resources.get(address) else {
        return Err(Problem::Impossible {
            summary: format!("there is no {} {id} in {}", address.kind, planned.plan.region),
            hint: "check the ID, and that aws_region and the credentials are those of its Region and account"
                .to_owned(),
        });
    };
    let text = |name: &str| found.attributes.get(name).and_then(Value::as_str);
    let vpc = planned.state.attribute(&Address::vpc(Kind::Vpc, "this", 0), "id").and_then(Value::as_str);
    if let (Some(there), Some(ours)) = (text("vpc_id").filter(|there| !there.is_empty()), vpc)
        && there != ours
    {
        return Err(misfit(format!("it is in {there}, the stack is in {ours}"), "choose an object of that VPC"));
    }
    if address.kind == Kind::DefaultSecurityGroup && text("name") != Some("default") {
        let name = text("name").unwrap_or_default();
        return Err(misfit(format!("its name is \"{name}\""), "import the group that came with the VPC"));
    }
    let replaced = planned.plan.changes.iter().filter(|change| matches!(change.action, Action::Replace(_)));
    for other in replaced.filter(|change| change.target.address != *address) {
        // What is recorded refers to another object where this address stands.
        let own = ["id", "name"].map(|name| found.attributes.get(name).filter(|value| value.as_str().is_some()));
        let is_it = |value: &Value| own.iter().flatten().any(|own| *own == value);
        let refers = |attribute: &&AttributeChange| attribute.forces_replacement && is_it(&attribute.after);
        if let Some(attribute) = other.attributes.iter().find(refers) {
            let why = format!("{} is recorded with {} {}", other.target, attribute.name, attribute.before);
            return Err(misfit(
                why,
                "choose the object that is recorded there: the next apply would replace what uses it",
            ));
        }
    }
    let change = planned.plan.changes.iter().find(|change| change.target.address == *address);
    match change {
        Some(change) if change.reason == Reason::Undeclared => Err(misfit(
            "these variables declare no such resource, so the next apply would destroy it".to_owned(),
            "aloka graph    shows every address of the stack",
        )),
        Some(change) if matches!(change.action, Action::Replace(_)) => {
            // What it refers to may be imported later.
            let (forced, open): (Vec<_>, Vec<_>) = change
                .attributes
                .iter()
                .filter(|attribute| attribute.forces_replacement)
                .partition(|attribute| attribute.after.is_literal());
            if forced.is_empty() && !open.is_empty() {
                return Ok(());
            }
            let listed = forced.iter().map(|a| format!("{} is {}, declared is {}", a.name, a.before, a.after));
            let mut why = listed.collect::<Vec<_>>().join("; ");
            if why.is_empty() {
                why = "it has failed, or is being deleted".to_owned();
            }
            Err(misfit(why, "correct the variables, or choose another object: the next apply would replace this one"))
        }
        Some(_) | None => Ok(()),
    }
}
