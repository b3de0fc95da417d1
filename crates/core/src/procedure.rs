//! Procedures as data: calls, waiters, lookups. Nothing here decides; the engine interprets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{self, Call, ErrorClass, Reply};
use crate::identity;
use crate::value::{Value, ValueMap};

/// One step of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Sends a call.
    Call {
        /// What to send.
        call: Call,
        /// What to record of the reply.
        save: Save,
        /// How to find out what became of the call when its answer was lost or says that the object is there.
        recover: Option<Lookup>,
        /// What is done if AWS refuses the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        way_back: Option<Box<WayBack>>,
    },
    /// Reads until something has come about.
    Wait(Waiter),
}

/// Takes back what was done before a call that AWS refused, so that the object works as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// In order; the first that fails ends it.
    pub steps: Vec<Step>,
    /// How the object is once they are done, for the error.
    pub done: Arc<str>,
    /// How the object is if one of them fails, for the error.
    pub left: Arc<str>,
}

/// What to record of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Save {
    /// Nothing.
    #[default]
    Nothing,
    /// The attributes of the object at this path.
    Object(Arc<str>),
    /// The text at `path` as this attribute.
    Field {
        /// Path in the reply.
        path: Arc<str>,
        /// Attribute to set.
        attribute: Arc<str>,
    },
}

/// A read that finds an object by our tags or by its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The read.
    pub call: Call,
    /// Path of the list of objects in the reply; the first is taken. Empty: the reply itself is the object.
    pub list: Arc<str>,
    /// Tags the object must have to be ours; empty if its place alone tells.
    pub tags: ValueMap,
}

/// A read that is repeated until its reply is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The read.
    pub call: Call,
    /// What replies mean; the first that matches decides, none means wait on.
    pub accept: Vec<Accept>,
    /// What to record of the accepted reply.
    pub save: Save,
    /// How long it usually takes.
    pub pace: Pace,
    /// What the object may come to rest as instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Box<Short>>,
}

/// How an object may come to rest short of what was asked for: it works, and stays recorded as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    /// Which replies show it.
    pub expect: Expect,
    /// It may look so in passing: it counts when it has looked so for this long.
    pub lasting_ms: u64,
    /// How the object is, for the error.
    pub told: Arc<str>,
}

/// What one kind of reply means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// Which replies.
    pub expect: Expect,
    /// True: done. False: it failed and will not recover.
    pub success: bool,
}

/// A test of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// The value at `path` is this.
    Equals {
        /// Path in the reply.
        path: Arc<str>,
        /// The value.
        value: Value,
    },
    /// All of these at once.
    All(Vec<Self>),
    /// Something is at this path.
    Present {
        /// Path in the reply.
        path: Arc<str>,
    },
    /// Every object in the list at `path` has this value in `field`. An empty list passes.
    Each {
        /// Path of the list.
        path: Arc<str>,
        /// Name of the field.
        field: Arc<str>,
        /// The value.
        value: Value,
    },
    /// The values that the objects in the list at `path` have in `field` are exactly these, in any order.
    Exactly {
        /// Path of the list.
        path: Arc<str>,
        /// Name of the field.
        field: Arc<str>,
        /// The values.
        values: Vec<Value>,
    },
    /// Nothing is at this path, or AWS says it does not exist.
    Absent {
        /// Path in the reply.
        path: Arc<str>,
    },
    /// Nothing in this list carries the lineage's tag, but for what is on its way out; or AWS says that what was asked
    /// for does not exist.
    NoneOf {
        /// Path of the list; empty if the reply tells of one object.
        list: Arc<str>,
        /// The tag's value.
        lineage: Arc<str>,
    },
}

/// How long something usually takes, which is what the times of looking follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// It is hardly ever ready sooner.
    pub least_ms: u64,
    /// It is ready by then about half of the time; shown to people.
    pub usual_ms: u64,
    /// Given up after this.
    pub deadline_ms: u64,
}

impl Pace {
    /// From seconds.
    pub const fn seconds(least: u64, usual: u64, deadline: u64) -> Self {
        Self { least_ms: least * 1000, usual_ms: usual * 1000, deadline_ms: deadline * 1000 }
    }

    /// Of two things, one after the other.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        Self {
            least_ms: self.least_ms.saturating_add(next.least_ms),
            usual_ms: self.usual_ms.saturating_add(next.usual_ms),
            deadline_ms: self.deadline_ms.saturating_add(next.deadline_ms),
        }
    }

    /// How long to wait before looking again, `elapsed` after the first look. The first look is at once. Looks are
    /// sparse until the least time has passed; after it each adds at most three per cent.
    pub fn next_look(self, elapsed: Duration) -> Duration {
        const SHORTEST_MS: u64 = 250;
        const LONGEST_MS: u64 = 15_000;
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let wait = if elapsed < self.least_ms {
            (elapsed / 2).max(SHORTEST_MS).min(self.least_ms - elapsed)
        } else {
            (elapsed / 33).max(SHORTEST_MS)
        };
        Duration::from_millis(wait.clamp(SHORTEST_MS, LONGEST_MS.max(self.least_ms / 4)))
    }
}

/// When a planned call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Once, or again if it was throttled or its answer was lost.
    Always,
    /// Until what it waits for has come about.
    Poll,
    /// Only when an answer was lost or says that the object exists, or AWS refused the call that it takes back, or
    /// something holds what is to be deleted.
    Recovery,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "call",
            Self::Poll => "wait",
            Self::Recovery => "may",
        })
    }
}

impl Step {
    /// The calls the step may send, and when.
    pub fn calls(&self) -> Vec<(&Call, Occasion)> {
        match self {
            Self::Call { call, save: _, recover, way_back } => {
                let lookup = recover.iter().map(|lookup| (&lookup.call, Occasion::Recovery));
                let back = way_back.iter().flat_map(|back| &back.steps).flat_map(Self::calls);
                let back = back.map(|(call, _)| (call, Occasion::Recovery));
                std::iter::once((call, Occasion::Always)).chain(lookup).chain(back).collect()
            }
            Self::Wait(waiter) => vec![(&waiter.call, Occasion::Poll)],
        }
    }
}

impl Expect {
    /// Tests a reply.
    pub fn matches(&self, reply: &Reply) -> bool {
        match (self, reply) {
            (Self::Equals { path, value }, Ok(reply)) => reply.at(path) == Some(value),
            (Self::Equals { .. }, Err(_)) => false,
            (Self::All(all), reply) => all.iter().all(|expect| expect.matches(reply)),
            (Self::Present { path }, Ok(reply)) => reply.at(path).is_some(),
            (Self::Present { .. }, Err(_)) => false,
            (Self::Each { path, field, value }, Ok(reply)) => {
                let items = reply.at(path).and_then(Value::as_list).unwrap_or_default();
                items.iter().all(|item| item.get(field) == value)
            }
            (Self::Exactly { path, field, values }, Ok(reply)) => {
                let items = reply.at(path).and_then(Value::as_list).unwrap_or_default();
                items.iter().all(|item| values.contains(item.get(field)))
                    && values.iter().all(|value| items.iter().any(|item| item.get(field) == value))
            }
            (Self::Each { .. } | Self::Exactly { .. }, Err(_)) => false,
            (Self::Absent { path }, Ok(reply)) => reply.at(path).is_none(),
            (Self::Absent { .. } | Self::NoneOf { .. }, Err(error)) => error.class == ErrorClass::NotFound,
            (Self::NoneOf { list, lineage }, Ok(reply)) => left(reply, list, lineage).next().is_none(),
        }
    }
}

/// States of objects that are on their way out, or are out and still listed (aws-behaviour.md, 1.11).
const GOING: [&str; 5] = ["deleting", "deleted", "shutting-down", "terminated", "delete-precheck"];
/// AWS's own security group of a VPC: it carries our tags, cannot be deleted and goes with the VPC.
const DEFAULT_GROUP: &str = "default";

/// The objects of a reply that are tagged as ours and not on their way out. `list` is their field; empty if the reply is one
/// object. A list that is not there has nothing in it.
pub fn left<'a>(reply: &'a Value, list: &str, lineage: &str) -> impl Iterator<Item = &'a Value> {
    let single = std::slice::from_ref(reply);
    let objects = if list.is_empty() { single } else { reply.get(list).as_list().unwrap_or_default() };
    objects.iter().filter(move |object| {
        let is_going = ["State", "DBInstanceStatus"].iter().any(|field| {
            let state = object.get(field).as_str();
            state.is_some_and(|state| GOING.contains(&state))
        });
        let is_default = object.get("GroupName").as_str() == Some(DEFAULT_GROUP);
        identity::lineage(api::tags(object)) == Some(lineage) && !is_going && !is_default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a thing that is ready at `ready_ms` is seen to be, and after how many looks.
    fn seen(pace: Pace, ready_ms: u64) -> (u64, u32) {
        let (mut at, mut looks) = (0, 1);
        while at < ready_ms {
            at += u64::try_from(pace.next_look(Duration::from_millis(at)).as_millis()).expect("short");
            looks += 1;
        }
        (at, looks)
    }

    #[test]
    fn waiting_adds_a_few_per_cent_at_most() {
        for pace in [
            Pace::seconds(0, 1, 300),
            Pace::seconds(10, 25, 600),
            Pace::seconds(80, 105, 900),
            Pace::seconds(290, 390, 3600),
        ] {
            assert_eq!(seen(pace, 0), (0, 1), "what is ready costs no delay");
            for ready_ms in (pace.least_ms..pace.deadline_ms / 2).step_by(997) {
                let (at, looks) = seen(pace, ready_ms);
                let allowed = (ready_ms / 25).max(250).min(15_000.max(pace.least_ms / 4));
                assert!(at - ready_ms <= allowed, "{pace:?}: ready at {ready_ms}, seen at {at}");
                assert!(looks < 250, "{pace:?}: {looks} looks for {ready_ms}");
            }
            // Sooner than it ever was: half as long again at most.
            for ready_ms in (500..pace.least_ms).step_by(491) {
                assert!(seen(pace, ready_ms).0 <= (ready_ms * 3 / 2).max(ready_ms + 250), "{pace:?}: {ready_ms}");
            }
        }
    }

    #[test]
    fn lists_are_tested_in_any_order() {
        let group = |id: &str, status: &str| Value::map([("Id", id), ("Status", status)]);
        let reply = |groups: Vec<Value>| Ok(Value::map([("Groups", Value::List(groups))]));
        let (path, field): (Arc<str>, Arc<str>) = ("Groups".into(), "Status".into());
        let active = Expect::Each { path: path.clone(), field, value: "active".into() };
        let values = vec!["a".into(), "b".into()];
        let both = Expect::Exactly { path, field: "Id".into(), values };
        let cases = [
            (vec![group("b", "active"), group("a", "active")], true, true),
            (vec![group("a", "active"), group("b", "adding")], false, true),
            (vec![group("a", "active"), group("b", "active"), group("c", "removing")], false, false),
            (vec![group("a", "active")], true, false),
            (Vec::new(), true, false),
        ];
        for (groups, is_active, has_both) in cases {
            let reply = reply(groups);
            assert_eq!((active.matches(&reply), both.matches(&reply)), (is_active, has_both), "{reply:?}");
        }
    }
}
