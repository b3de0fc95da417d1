//! A store that looks at every state it is given: well-formed at every instant, not only at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aloka_core::identity;
use aloka_core::state::{State, file};
use aloka_sim::store::{MemoryStore, Store};

use super::stand::PASSWORDS;

/// A store, and what was wrong with the states it was given.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: MemoryStore,
    /// States that were looked at before and found good, by serial.
    known: Arc<BTreeMap<u64, Arc<State>>>,
    /// States that were good, to be known.
    good: Vec<Arc<State>>,
    /// States looked at.
    pub looked_at: u64,
    /// What was wrong, one sentence each.
    pub wrong: Vec<String>,
}

/// What every state of the sweep records beside the stack: kept to the digit by every write.
const BESIDE: &str = r#"{"version":4,"lineage":"x","outputs":{"theirs":{"value":0.10,"type":"number","sensitive":true}},
  "resources":[
    {"mode":"data","type":"aws_ami","name":"al2","instances":[{"attributes":{"id":"ami-1","z":1e2,"a":[]}}]},
    {"mode":"managed","type":"aws_instance","name":"app","instances":[
      {"index_key":"blue","attributes":{"id":"i-00000000000000001","n":12345678901234567890.10}}]},
    {"mode":"managed","type":"aws_instance","name":"bastion","instances":[{"attributes":{"id":"i-00000000000000002"}}]},
    {"module":"module.vpc","mode":"managed","type":"aws_subnet","name":"intra","instances":[
      {"index_key":0,"attributes":{"id":"subnet-00000000000000001"}}]},
    {"mode":"managed","type":"aws_s3_bucket","name":"logs","instances":[{"attributes":{"id":"logs","b":1,"a":2}}]}
  ]}"#;

/// A state of nothing but what is recorded beside the stack.
fn beside() -> State {
    file::read(BESIDE).unwrap_or_default()
}

impl Default for Ledger {
    fn default() -> Self {
        let inner = MemoryStore::new();
        Self { inner, known: Arc::default(), good: Vec::new(), looked_at: 0, wrong: Vec::new() }
    }
}

impl Ledger {
    /// The state held; if there is none, one of `lineage` that records nothing of the stack.
    pub fn state(&self, lineage: &str) -> State {
        match self.inner.last() {
            Some(_) => self.inner.state(lineage),
            None => State { lineage: Arc::from(lineage), ..beside() },
        }
    }

    /// The same store, which does not look again at what this one found good.
    pub(super) fn knowing(&self, other: &Self) -> Self {
        let known = other.good.iter().map(|state| (state.serial, Arc::clone(state))).collect();
        Self { known: Arc::new(known), ..self.clone() }
    }

    fn look(&mut self, state: &Arc<State>) {
        self.looked_at += 1;
        if self.known.get(&state.serial) == Some(state) {
            return;
        }
        let mut wrong = faults_of(state);
        if let Some(held) = self.inner.last() {
            for (address, generation) in &held.private.generations {
                let now = state.private.generations.get(address);
                if now < Some(generation) {
                    wrong.push(format!("{address} was created {generation} times, and now {now:?}"));
                }
            }
        }
        if wrong.is_empty() && self.known.is_empty() {
            self.good.push(Arc::clone(state));
        }
        self.wrong.extend(wrong.into_iter().map(|what| format!("serial {}: {what}", state.serial)));
    }
}

impl Store for Ledger {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        self.look(state);
        self.inner.write(state)
    }

    fn overtake(&mut self) {
        self.inner.overtake();
    }
}

/// What is wrong with a state by itself, one sentence each.
fn faults_of(state: &State) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = file::write(state);
    if PASSWORDS.iter().any(|password| text.contains(password)) {
        wrong.push("the password is in it".to_owned());
    }
    match file::read(&text) {
        Ok(read) if read == *state => {}
        Ok(_) => wrong.push("it reads back as another".to_owned()),
        Err(error) => wrong.push(format!("it does not read back: {error}")),
    }
    let State { foreign, foreign_outputs, .. } = beside();
    if (foreign, foreign_outputs) != (state.foreign.clone(), state.foreign_outputs.clone()) {
        wrong.push("what is recorded beside the stack is another".to_owned());
    }
    let mut ids = BTreeSet::new();
    for (target, resource) in state.objects() {
        if let Some(open) = resource.attributes.iter().find(|(_, value)| !value.is_literal()) {
            wrong.push(format!("{target}.{} is {}", open.0, open.1));
        }
        if let Some(id) = resource.id()
            && !ids.insert((target.address.kind, id))
        {
            wrong.push(format!("{target} has the id {id} of another"));
        }
        let last = state.private.generations.get(&target.address).copied();
        if identity::generation(&resource.attributes).is_some_and(|own| last.is_some_and(|last| own > last)) {
            wrong.push(format!("{target} is of a generation after {last:?}"));
        }
    }
    for (address, intent) in &state.private.intents {
        let last = state.private.generations.get(address).copied();
        if intent.operation.is_creating() && last < Some(intent.generation) {
            wrong.push(format!("{address} is begun as generation {}, after {last:?}", intent.generation));
        }
    }
    wrong
}
