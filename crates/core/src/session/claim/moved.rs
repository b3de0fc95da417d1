//! The stack at other addresses: a module was moved, got an index, or was never the one the stack has. The same matcher that
//! finds a stack in AWS finds it among what the state records elsewhere, and the moves that bring it home are told.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Inputs, Problem};
use super::place::Claims;
use super::seen::Seen;
use crate::address::{Address, VPC_MODULE};
use crate::kind::Kind;
use crate::plan::Mode;
use crate::resource::{self, Place};
use crate::shell::Command;
use crate::stack::{self, ANYWHERE};
use crate::state::State;
use crate::state::foreign::ForeignInstance;
use crate::value::{Value, ValueMap};

/// A recorded object of a kind of the stack, wherever it is recorded.
struct Recorded {
    address: String,
    kind: Kind,
    attributes: ValueMap,
}

impl Recorded {
    fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// As look-ups know it.
    fn id(&self) -> &str {
        self.text(self.kind.key_attribute())
    }
}

fn recorded(state: &State) -> Vec<Recorded> {
    let foreign = state.foreign_instances().into_iter();
    let foreign = foreign.filter(|instance| instance.is_managed && instance.deposed.is_none());
    let foreign = foreign.filter_map(|ForeignInstance { address, kind, attributes, .. }| {
        Some(Recorded { address, kind: Kind::from_terraform_type(&kind)?, attributes })
    });
    let own = state.resources.iter().map(|(address, resource)| Recorded {
        address: address.to_string(),
        kind: address.kind,
        attributes: ValueMap::clone(&resource.attributes),
    });
    foreign.chain(own).collect()
}

/// A record and the address that it stands for.
type Move = (String, Address);

/// The moves for the stack in this VPC; `None` if too little of one is there.
fn moves(all: &[Recorded], inputs: &Inputs, vpc: &str) -> Option<Vec<Move>> {
    let records: Vec<(Kind, ValueMap)> = all.iter().map(|one| (one.kind, one.attributes.clone())).collect();
    let described = |one: &Recorded| {
        let record = resource::Recorded { kind: one.kind, id: one.id(), attributes: &one.attributes, all: &records };
        (one.kind.definition().describe)(&record)
    };
    let objects: Vec<(&Recorded, Value)> = all.iter().filter_map(|one| Some((one, described(one)?))).collect();
    let seen: Vec<Seen<'_>> = objects
        .iter()
        .filter(|(_, object)| object.at("VpcId").is_none_or(|other| other.as_str() == Some(vpc)))
        .map(|(one, object)| {
            // A default group is a group here, as AWS lists it.
            let kind = one.kind.definition().listing.kind;
            // Whose it was is not asked of what is recorded here.
            Seen { kind, id: one.id(), object, tags: &Value::Null }
        })
        .collect();
    let place = Place::default();
    let mut claims = Claims::new(seen, &place, BTreeSet::new(), None);
    claims.by_place(&inputs.variables, vpc);
    let (found, _ambiguous) = claims.finish();
    let mut moves = Vec::new();
    let (mut kinds, mut tiers) = (BTreeSet::new(), BTreeSet::new());
    for (target, (attributes, _)) in &found {
        let address = &target.address;
        kinds.insert(address.kind);
        if address.kind == Kind::Subnet {
            tiers.insert(address.name.clone());
        }
        let text = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_it = |one: &&Recorded| match address.kind {
            Kind::Route => {
                one.kind == Kind::Route
                    && one.text("route_table_id") == text("route_table_id")
                    && one.text("destination_cidr_block") == ANYWHERE
            }
            Kind::RouteTableAssociation => {
                one.kind == Kind::RouteTableAssociation && one.text("subnet_id") == text("subnet_id")
            }
            kind => one.kind == kind && one.id() == text(kind.key_attribute()),
        };
        if let Some(one) = all.iter().find(is_it)
            && one.address != address.to_string()
        {
            moves.push((one.address.clone(), address.clone()));
        }
    }
    let has_core = [Kind::SecurityGroup, Kind::Instance, Kind::DbInstance].iter().any(|kind| kinds.contains(kind));
    (kinds.contains(&Kind::Vpc) && tiers.len() == 2 && has_core && !moves.is_empty()).then_some(moves)
}

/// The commands: one for a module that moves as a whole, one for each object otherwise.
fn commands(moves: &[Move]) -> Option<Vec<Command>> {
    let mut modules: BTreeMap<&str, bool> = BTreeMap::new();
    for (from, to) in moves {
        let to = to.to_string();
        let rest = to.strip_prefix(VPC_MODULE).unwrap_or_default();
        let whole = from.strip_suffix(rest).filter(|module| !rest.is_empty() && module.starts_with("module."));
        let module = module_of(from);
        let fits = whole == Some(module) && !module.is_empty();
        modules.entry(module).and_modify(|all| *all &= fits).or_insert(fits);
    }
    let command = |from: &str, to: &str| Command::new("aloka state mv").recorded(from)?.recorded(to);
    let whole = modules.iter().filter(|(_, fits)| **fits).map(|(module, _)| command(module, VPC_MODULE));
    let single = moves.iter().filter(|(from, _)| modules.get(module_of(from)) != Some(&true));
    whole.chain(single.map(|(from, to)| command(from, &to.to_string()))).collect()
}

/// The module of an address: `module.a["x"].module.b` of `module.a["x"].module.b.aws_vpc.this`.
fn module_of(address: &str) -> &str {
    // A name in brackets may hold dots; the type never does, and begins with `aws_`.
    address.rfind(".aws_").and_then(|end| address.get(..end)).unwrap_or_default()
}

/// Why nothing is planned: the stack is recorded at other addresses.
pub(in super::super) fn problem(state: &State, inputs: &Inputs) -> Option<Problem> {
    let is_home = state.resources.contains_key(&stack::vpc());
    if inputs.mode != Mode::Apply || inputs.consent.beside || is_home || state.foreign.is_empty() {
        return None;
    }
    let all = recorded(state);
    let vpcs = all.iter().filter(|one| one.kind == Kind::Vpc).map(Recorded::id);
    let found = vpcs.filter_map(|vpc| Some((vpc, moves(&all, inputs, vpc)?)));
    let (vpc, moves) = found.max_by_key(|(_, moves)| moves.len())?;
    Some(Problem::Elsewhere {
        summary: format!(
            "the state records this stack at other addresses, in {vpc}: a plan would build a second network beside it; nothing is \
             planned"
        ),
        commands: commands(&moves),
    })
}
