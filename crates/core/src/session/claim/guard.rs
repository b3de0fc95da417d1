//! Does a state that records nothing stand beside a stack that exists? Then it was lost, and a plan made from it would
//! make everything twice, or leave everything standing when it should be destroyed.

use super::super::{Inputs, Problem, Replies};
use super::seen::{self, Seen};
use crate::kind::Kind;
use crate::plan::{Mode, Node};
use crate::stack;
use crate::state::State;

/// The reads that tell; none if the state records something, or nothing is going to be made or destroyed.
pub(in super::super) fn reads(state: &State, inputs: &Inputs) -> Vec<Node> {
    match inputs.mode {
        Mode::Apply | Mode::Destroy if state.is_empty() => {
            super::tagged(&inputs.variables).into_iter().chain([super::database(&inputs.variables)]).collect()
        }
        Mode::Apply | Mode::Destroy | Mode::RefreshOnly => Vec::new(),
    }
}

/// Objects that are of the stack, for people: `vpc-0123 (module.vpc.aws_vpc.this[0])`.
pub(in super::super) fn strangers(state: &State, inputs: &Inputs, replies: &Replies<'_>) -> Vec<String> {
    if !state.is_empty() {
        return Vec::new();
    }
    let ours = stack::tags(&inputs.variables, "");
    let database = stack::db_identifier(&inputs.variables);
    let of_stack = |seen: &Seen<'_>| {
        let tagged = ["Project", "Environment"].iter().all(|name| Some(seen.tags.get(name)) == ours.get(name));
        (tagged && seen.address().is_some()) || (seen.kind == Kind::DbInstance && seen.id == database)
    };
    let seen = seen::all(replies);
    let described = |seen: &Seen<'_>| match seen.address() {
        Some(address) => format!("{} ({address})", seen.id),
        None => format!("{} ({})", seen.id, seen.kind),
    };
    seen.iter().filter(|seen| of_stack(seen)).map(described).collect()
}

/// Why nothing is planned.
pub(in super::super) fn problem(inputs: &Inputs, strangers: &[String]) -> Problem {
    let variables = &inputs.variables;
    let what = match inputs.mode {
        Mode::Destroy => "destroy would leave them standing",
        Mode::Apply | Mode::RefreshOnly => "apply would make them a second time",
    };
    Problem::Impossible {
        summary: format!(
            "the state records nothing, but objects of project \"{}\", environment \"{}\" exist: {}; {what}",
            variables.project_name,
            variables.environment,
            strangers.join(", ")
        ),
        hint:
            "bring the state back from its backup, or rebuild it: aloka state recover; if they are of another stack, \
               choose another project_name or environment"
                .to_owned(),
    }
}
