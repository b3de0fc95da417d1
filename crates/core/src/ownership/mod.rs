//! Whose a recorded object is: the one place that decides it. Everything else asks here.
//!
//! An address alone makes nothing ours. People bring states that Terraform wrote, copies of states, states beside which
//! other things are recorded; what such a state names was made by somebody who did not ask aloka to change it. So an object
//! is ours only if it says so itself, by its tag, or if this state's own section claims it. The other way round, losing a
//! claim fails safe: what is unclaimed is changed in place at most, and is never destroyed.
//!
//! | declarable | tag of the object | recorded elsewhere | claimed | owner |
//! |---|---|---|---|---|
//! | no | any | any | any | foreign |
//! | yes | another lineage | any | any | foreign |
//! | yes | none or ours | yes | any | unclaimed |
//! | yes | ours | no | any | ours |
//! | yes | none | no | yes | ours |
//! | yes | none | no | no | unclaimed |
//!
//! Routes and associations carry no tags and are whose their route table or their subnet is.

mod elsewhere;

pub(crate) mod mirror;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use self::elsewhere::{Direction, Elsewhere, RecordedRoute, RecordedRule};
use crate::address::Address;
use crate::declarable;
use crate::kind::Kind;
use crate::state::{State, Target};
use crate::value::{Value, ValueMap};

/// Whose an object is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Somebody else's: kept as it is recorded, never planned, never counted.
    Foreign(Foreign),
    /// Perhaps somebody else's: changed in place if the variables declare it, never replaced, never destroyed.
    Unclaimed(Unclaimed),
    /// This state's.
    Ours(Ours),
}

/// Why an object is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// No valid variables declare its address.
    NotDeclarable,
    /// Its tag names another lineage.
    Lineage(Arc<str>),
}

/// Why it is not known whose an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclaimed {
    /// Neither its tags nor the state's section claim it: Terraform made it, or wrote the state last.
    NoClaim,
    /// The state records it at this address as well, which is not of this stack.
    Elsewhere(Arc<str>),
}

/// Why an object is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ours {
    /// Its tag names this lineage.
    Tag,
    /// The state's section claims its identifier for its address.
    Claim,
    /// It belongs to this object, which is ours.
    With(Address),
}

/// `unclaimed (no tag and no claim)`
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(Foreign::NotDeclarable) => f.write_str("foreign (not of this stack)"),
            Self::Foreign(Foreign::Lineage(lineage)) => write!(f, "foreign (its tag names lineage {lineage})"),
            Self::Unclaimed(Unclaimed::NoClaim) => f.write_str("unclaimed (no tag and no claim)"),
            Self::Unclaimed(Unclaimed::Elsewhere(address)) => {
                write!(f, "unclaimed (the state records it at {address} as well)")
            }
            Self::Ours(Ours::Tag) => f.write_str("ours (by its tag)"),
            Self::Ours(Ours::Claim) => f.write_str("ours (by the state's claim)"),
            Self::Ours(Ours::With(address)) => write!(f, "ours (with {address})"),
        }
    }
}

/// What is known of one recorded object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Some valid variables declare its address.
    pub declarable: bool,
    /// The lineage that its tag names; `None` if it has none, or was not found.
    pub tag: Option<&'a str>,
    /// This state's lineage.
    pub lineage: &'a str,
    /// Another address at which the state records the same object.
    pub elsewhere: Option<&'a str>,
    /// The state's section claims it. A deposed object has the claim of its own address as well.
    pub claimed: bool,
}

impl Facts<'_> {
    /// Whose it is. Every case has an answer.
    pub fn owner(&self) -> Owner {
        if !self.declarable {
            return Owner::Foreign(Foreign::NotDeclarable);
        }
        match (self.tag, self.elsewhere) {
            (Some(tag), _) if tag != self.lineage => Owner::Foreign(Foreign::Lineage(Arc::from(tag))),
            (_, Some(address)) => Owner::Unclaimed(Unclaimed::Elsewhere(Arc::from(address))),
            (Some(_), None) => Owner::Ours(Ours::Tag),
            (None, None) if self.claimed => Owner::Ours(Ours::Claim),
            (None, None) => Owner::Unclaimed(Unclaimed::NoClaim),
        }
    }
}

/// Whose everything is that a state records.
#[derive(Clone, Debug, Default)]
pub struct Ownership {
    /// What the state records elsewhere.
    pub elsewhere: Elsewhere,
    /// Objects at declarable addresses that are not ours: the rest is.
    others: BTreeMap<Target, Owner>,
}

impl Ownership {
    /// Decides. `tag` gives the lineage that the tag of an object names, by its kind and its recorded attributes, if the
    /// object was found and has one.
    pub fn of(state: &State, tag: impl Fn(Kind, &ValueMap) -> Option<Arc<str>>) -> Self {
        let elsewhere = Elsewhere::of(state);
        let mut others = BTreeMap::new();
        let is_claimed = |address: &Address| state.resources.get(address).is_some_and(|resource| resource.claimed);
        for (target, resource) in state.objects() {
            let kind = target.address.kind;
            let found = tag(kind, &resource.attributes);
            let facts = Facts {
                declarable: declarable::is_declarable(&target.address),
                tag: found.as_deref(),
                lineage: &state.lineage,
                elsewhere: resource.id().and_then(|id| elsewhere.managed(kind, id)),
                claimed: resource.claimed || (target.deposed.is_some() && is_claimed(&target.address)),
            };
            match facts.owner() {
                Owner::Ours(_) => {}
                other @ (Owner::Foreign(_) | Owner::Unclaimed(_)) => {
                    others.insert(target, other);
                }
            }
        }
        let mut ownership = Self { elsewhere, others };
        ownership.follow(state);
        ownership
    }

    /// Routes and associations are whose their table or subnet is, if that is recorded.
    fn follow(&mut self, state: &State) {
        let mut by_id: BTreeMap<&str, Target> = BTreeMap::new();
        for (target, resource) in state.objects() {
            if let (Kind::RouteTable | Kind::Subnet, Some(id)) = (target.address.kind, resource.id()) {
                by_id.insert(id, target);
            }
        }
        for (target, resource) in state.objects() {
            let Some(holder) = target.address.kind.definition().part_of else { continue };
            let holder = resource.attributes.get(holder).and_then(Value::as_str).and_then(|id| by_id.get(id));
            let Some(holder) = holder else { continue };
            // What is recorded elsewhere as well stays what it is.
            if matches!(self.others.get(&target), Some(Owner::Unclaimed(Unclaimed::Elsewhere(_)))) {
                continue;
            }
            match self.others.get(holder).cloned() {
                Some(owner) => self.others.insert(target, owner),
                None => self.others.remove(&target),
            };
        }
    }

    /// Whose the object is. One that the state does not record is the stack's own, to be made.
    pub fn owner(&self, target: &Target) -> Owner {
        self.others.get(target).cloned().unwrap_or(Owner::Ours(Ours::Claim))
    }

    /// True if the object is ours.
    pub fn is_ours(&self, target: &Target) -> bool {
        !self.others.contains_key(target)
    }

    /// True if the object is somebody else's.
    pub fn is_foreign(&self, target: &Target) -> bool {
        matches!(self.others.get(target), Some(Owner::Foreign(_)))
    }

    /// Why it is not known whose the object is; `None` if it is.
    pub fn unclaimed(&self, target: &Target) -> Option<&Unclaimed> {
        match self.others.get(target)? {
            Owner::Unclaimed(why) => Some(why),
            Owner::Foreign(_) | Owner::Ours(_) => None,
        }
    }

    /// Objects at addresses of the stack that are not ours, with their owners.
    pub fn others(&self) -> impl Iterator<Item = (&Target, &Owner)> {
        self.others.iter()
    }
}
