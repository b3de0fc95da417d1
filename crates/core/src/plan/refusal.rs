//! What is refused because it may be somebody else's, in words: the object, both values, and the way on.

use std::collections::BTreeMap;

use super::Problem;
use super::{AttributeChange, Reason};
use crate::address::Address;
use crate::kind::Kind;
use crate::ownership::{Foreign, Unclaimed};
use crate::shell::{Command, flag_at};
use crate::state::Target;

/// At most so many addresses stand in a sentence.
const NAMED_MAX: usize = 3;

/// The first addresses, and how many more there are.
pub fn listed(addresses: &[String]) -> String {
    let named = addresses.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match addresses.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// The variables declare an address at which somebody else's object is recorded.
pub(super) fn foreign(address: &Address, why: &Foreign) -> Problem {
    match why {
        Foreign::NotDeclarable => Problem::Impossible {
            summary: format!("invariant violated: {address} is declared and not declarable"),
            hint: "this is a bug in aloka; please report it".to_owned(),
        },
        Foreign::Lineage(lineage) => Problem::Impossible {
            summary: format!(
                "{address} is recorded here, but the object's tag names lineage {lineage}, which is another state: nothing is \
                 planned for it"
            ),
            hint: format!(
                "work with the state of that lineage; if this one is to have an object of its own there, forget the other: {}",
                Command::new("aloka state rm").address(address)
            ),
        },
    }
}

/// An object that nothing claims would be replaced.
pub(super) fn replaced(
    target: &Target,
    why: &Unclaimed,
    reason: &Reason,
    attributes: &[AttributeChange],
    origins: &BTreeMap<String, String>,
) -> Problem {
    let address = &target.address;
    let forced: Vec<&AttributeChange> = attributes.iter().filter(|change| change.forces_replacement).collect();
    let differences = forced.iter().map(|change| {
        let variable = variable(address, &change.name).map(|name| match origins.get(name) {
            Some(origin) => format!(" ({name}, {origin})"),
            None => format!(" ({name}, which has its default)"),
        });
        format!("{} is {}, declared is {}{}", change.name, change.before, change.after, variable.unwrap_or_default())
    });
    let mut differences: Vec<String> = differences.collect();
    if differences.is_empty() {
        differences.push(match reason {
            Reason::Tainted(why) => format!("it is not good: {why}"),
            Reason::Deleting => "AWS is deleting it".to_owned(),
            Reason::Unchanged
            | Reason::New
            | Reason::Gone
            | Reason::Changed
            | Reason::Unsettled
            | Reason::Undeclared
            | Reason::Deposed
            | Reason::Destroy => "it has to change with what it is made of".to_owned(),
        });
    }
    let claim = match why {
        Unclaimed::NoClaim => "nothing says that it is this state's".to_owned(),
        Unclaimed::Elsewhere(other) => format!("the state records it at {other} as well"),
    };
    let loss = if address.kind == Kind::DbInstance { ", which loses its data," } else { "" };
    let told = forced.iter().filter(|change| change.before.is_literal());
    let set = told.into_iter().find_map(|change| Some((variable(address, &change.name)?, &change.before)));
    let set = set.map_or_else(String::new, |(name, before)| format!("set {name} to {before}, or "));
    Problem::Impossible {
        summary: format!("{address} would be replaced, and {claim}: {}", differences.join("; ")),
        hint: format!("{set}accept the replacement{loss} with {}", flag_at("-allow-replace", address)),
    }
}

/// A destroy met objects that nothing claims.
pub(super) fn destroyed(unclaimed: &[Target]) -> Problem {
    let addresses: Vec<String> = unclaimed.iter().map(ToString::to_string).collect();
    let mut named: Vec<&Address> = unclaimed.iter().map(|target| &target.address).collect();
    named.dedup();
    let command = named.into_iter().fold(Command::new("aloka adopt -from-state"), Command::address);
    let is_one = addresses.len() == 1;
    Problem::Impossible {
        summary: format!(
            "nothing says that {} this state's to destroy: {}",
            if is_one { "this object is".to_owned() } else { format!("these {} objects are", addresses.len()) },
            listed(&addresses)
        ),
        hint: format!(
            "if {} yours, say so first, which sends nothing: {command}",
            if is_one { "it is" } else { "they are" },
        ),
    }
}

/// Objects of the stack that the variables do not declare and nothing claims.
pub(super) fn left_alone(unclaimed: &[Target]) -> String {
    let addresses: Vec<String> = unclaimed.iter().map(ToString::to_string).collect();
    format!(
        "left alone, as the variables do not declare them and nothing says that they are this state's: {}; to let aloka manage \
         them: aloka adopt -from-state ADDRESS",
        listed(&addresses)
    )
}

/// The variable that an attribute of a resource follows from, if it is one alone.
fn variable(address: &Address, attribute: &str) -> Option<&'static str> {
    let origins = address.kind.definition().variables.iter();
    let mut fitting = origins.filter(|origin| origin.attribute == attribute);
    fitting.find(|origin| origin.name.is_empty() || *origin.name == *address.name).map(|origin| origin.variable)
}
