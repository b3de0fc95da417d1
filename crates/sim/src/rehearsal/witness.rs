//! What is seen while a rehearsal runs: every call, every notice, every state written.

use std::collections::BTreeMap;
use std::sync::Arc;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, ErrorClass, Operation, Rds, Reply, Request};
use aloka_core::engine::{News, Notice};
use aloka_core::identity::{LATER_TOKENS_MAX, later_token};
use aloka_core::kind::Kind;
use aloka_core::plan::{Mode, Node, Plan, Step, Verb};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::state::{State, file};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_core::variables::{IngressRule, Variables};

use super::span::{Span, critical_path};
use crate::audit::{self, Expected, Ports};
use crate::aws::Account;
use crate::store::{MemoryStore, Store};
use crate::world::{Watch, World};

/// The port of PostgreSQL.
const DB_PORT: u16 = 5432;
/// How many findings of one sort are kept.
const FINDINGS_MAX: usize = 20;

/// Which half of a stack's life it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Apply,
    Destroy,
}

/// When the account is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audits {
    /// After each call that can change who reaches whom.
    EachCall,
    /// When apply and destroy have ended.
    Ends,
    /// Not at all.
    Never,
}

/// What was seen.
pub(super) struct Witness {
    pub(super) phase: Phase,
    pub(super) when: Audits,
    pub(super) audits: u64,
    /// Who reaches what they must not, with the time.
    pub(super) violations: Vec<String>,
    /// The way from the servers to the database was there once.
    pub(super) path_seen: bool,
    /// The run under way replaces the database.
    path_may_go: bool,
    /// What the plan of this run may read besides its steps.
    around: Arc<[Node]>,
    /// It was gone later, before destroy began.
    pub(super) path_lost: Option<String>,
    /// Mutating calls that AWS refused because something was not there, or still in use.
    pub(super) refusals: Vec<String>,
    /// How often AWS answered `DependencyViolation` while destroying.
    pub(super) dependency_violations: u64,
    /// Calls that are not in the plan.
    pub(super) unplanned: Vec<String>,
    /// Calls that the executor announced, and calls that AWS got.
    pub(super) announced: u64,
    pub(super) arrived: u64,
    /// Of the run under way, by node.
    running: BTreeMap<usize, Span>,
    spans: Vec<Span>,
    pub(super) apply_calls: BTreeMap<Operation, u64>,
    pub(super) destroy_calls: BTreeMap<Operation, u64>,
    expected: Expected,
    audit_secrets: Secrets,
}

impl Witness {
    pub(super) fn new(plan: &Plan, variables: &Variables, when: Audits) -> Self {
        let group_name = |name: &str| {
            let address = Address::root(Kind::SecurityGroup, name);
            let change = plan.changes.iter().find(|change| change.target.address == address);
            let name = change.and_then(|change| change.after.get("name")).and_then(Value::as_str);
            name.unwrap_or_default().to_owned()
        };
        let ports = |rule: &IngressRule| match rule.protocol.as_str() {
            "tcp" => Some(Ports::tcp(rule.from_port, rule.to_port)),
            "udp" => Some(Ports::udp(rule.from_port, rule.to_port)),
            _ => None,
        };
        let expected = Expected {
            app_ports: variables.app_ingress.iter().filter_map(ports).collect(),
            db_port: DB_PORT,
            app_group_name: group_name("app"),
            db_group_name: group_name("db"),
        };
        Self {
            phase: Phase::Apply,
            when,
            audits: 0,
            violations: Vec::new(),
            path_seen: false,
            path_may_go: false,
            around: Arc::default(),
            path_lost: None,
            refusals: Vec::new(),
            dependency_violations: 0,
            unplanned: Vec::new(),
            announced: 0,
            arrived: 0,
            running: BTreeMap::new(),
            spans: Vec::new(),
            apply_calls: BTreeMap::new(),
            destroy_calls: BTreeMap::new(),
            expected,
            audit_secrets: Secrets::default(),
        }
    }

    /// Audits the account as it stands.
    pub(super) fn look(&mut self, world: &mut World, phase: Phase) {
        self.phase = phase;
        if self.when != Audits::Never {
            let now = world.now();
            self.audit(now, &mut world.account, "the end of the run");
        }
    }

    /// A run of this plan begins. A database that it replaces takes the way to it along: its user has to name it.
    pub(super) fn begin_run(&mut self, plan: &Plan) {
        self.around = plan.around.clone();
        self.path_may_go = plan.mode == Mode::Apply && plan.data_loss().takes_a_database();
        if self.path_may_go {
            self.path_seen = false;
        }
    }

    /// A run has ended that ran these nodes.
    pub(super) fn end_run(&mut self, nodes: &[Node]) {
        let mut spans: Vec<Span> = std::mem::take(&mut self.running).into_values().collect();
        let path = critical_path(nodes, &spans);
        self.path_may_go = false;
        for span in &mut spans {
            span.critical = path.contains(&span.node);
        }
        self.spans.extend(spans);
    }

    /// When each node of apply ran, run by run.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.clone()
    }

    fn audit(&mut self, now: Instant, account: &mut Account, after: &str) {
        self.audits += 1;
        let secrets = &self.audit_secrets;
        let seen = audit::audit(&mut |request| account.call(now, request, secrets));
        let at = aloka_core::time::Human(now - Instant::ZERO);
        for violation in seen.violations(&self.expected) {
            keep(&mut self.violations, format!("{at}, after {after}: {violation}"));
        }
        if self.phase == Phase::Apply && !self.path_may_go {
            let there = seen.path_exists(&self.expected);
            if self.path_seen && !there && self.path_lost.is_none() {
                self.path_lost = Some(format!("{at}, after {after}"));
            }
            self.path_seen |= there;
        }
    }
}

impl Watch for Witness {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let Some(node) = nodes.get(notice.node) else { return };
        if self.phase == Phase::Apply {
            if notice.news == News::Started {
                self.running.insert(notice.node, Span::begun(notice.node, node, notice.at));
            } else if let Some(span) = self.running.get_mut(&notice.node) {
                span.notice(notice);
            }
        }
        match &notice.news {
            News::Sent { request, .. } => {
                self.announced += 1;
                // Who holds what is to be deleted may be asked besides.
                let around = self.around.iter().filter(|_| node.verb == Verb::Delete);
                let all = std::iter::once(node).chain(around);
                let mut planned = all.flat_map(|node| node.steps.iter().flat_map(Step::calls));
                if !planned.any(|(call, _)| is_planned(call, request)) {
                    keep(&mut self.unplanned, format!("{}: {request}", node.target));
                }
            }
            News::Started
            | News::Finished { .. }
            | News::Answered { .. }
            | News::Waiting { .. }
            | News::Retry { .. }
            | News::Adopted { .. }
            | News::Failed { .. }
            | News::Skipped => {}
        }
    }

    fn after_call(&mut self, now: Instant, account: &mut Account, request: &Request, reply: &Reply) {
        self.arrived += 1;
        let operation = request.operation();
        let calls = match self.phase {
            Phase::Apply => &mut self.apply_calls,
            Phase::Destroy => &mut self.destroy_calls,
        };
        *calls.entry(operation).or_default() += 1;
        if let Err(error) = reply {
            if operation.is_mutating() && matches!(error.class, ErrorClass::Conflict | ErrorClass::NotFound) {
                keep(&mut self.refusals, format!("{request}: {error}"));
            }
            if self.phase == Phase::Destroy && error.code == "DependencyViolation" {
                self.dependency_violations += 1;
            }
        }
        if self.when == Audits::EachCall && reply.is_ok() && may_open_or_close(operation) {
            self.audit(now, account, operation.name());
        }
    }
}

fn keep(findings: &mut Vec<String>, finding: String) {
    if findings.len() < FINDINGS_MAX {
        findings.push(finding);
    }
}

/// True unless the call cannot change who reaches whom.
pub fn may_open_or_close(operation: Operation) -> bool {
    let harmless = matches!(
        operation,
        Operation::Ec2(Ec2::CreateTags)
            | Operation::Ec2(Ec2::DeleteTags)
            | Operation::Rds(Rds::AddTagsToResource)
            | Operation::Rds(Rds::RemoveTagsFromResource)
            | Operation::Ec2(Ec2::ModifyVolume)
            | Operation::Ec2(Ec2::AllocateAddress)
    );
    operation.is_mutating() && !harmless
}

/// True if `sent` is `planned` with its references resolved. What a client token made may be gone: then the same call goes
/// out with one of those that follow from it.
pub fn is_planned(planned: &Call, sent: &Request) -> bool {
    let sent = &sent.0;
    planned.operation == sent.operation
        && planned.args.len() == sent.args.len()
        && planned.args.iter().all(|(name, value)| {
            sent.args
                .get(name)
                .is_some_and(|sent| resolves_to(value, sent) || (*name == "ClientToken" && is_later_token(value, sent)))
        })
}

fn is_later_token(planned: &Value, sent: &Value) -> bool {
    let (Some(planned), Some(sent)) = (planned.as_str(), sent.as_str()) else { return false };
    (1..=LATER_TOKENS_MAX).any(|spent| later_token(planned, spent) == sent)
}

fn resolves_to(planned: &Value, sent: &Value) -> bool {
    match (planned, sent) {
        (Value::Ref(..), sent) => sent.is_literal() && !sent.is_null(),
        (Value::List(planned), Value::List(sent)) => {
            planned.len() == sent.len() && planned.iter().zip(sent).all(|(planned, sent)| resolves_to(planned, sent))
        }
        (Value::Map(planned), Value::Map(sent)) => {
            let same = |(key, value): (&Arc<str>, &Value)| sent.get(key).is_some_and(|sent| resolves_to(value, sent));
            planned.len() == sent.len() && planned.iter().all(same)
        }
        (planned, sent) => planned == sent,
    }
}

/// A store that looks for the password in what it is given.
pub(super) struct GuardedStore {
    inner: MemoryStore,
    needles: Vec<Secret>,
    each_write: bool,
    looked_at: u64,
    leaks: u64,
}

impl GuardedStore {
    pub(super) fn new(inner: MemoryStore, secrets: &Secrets) -> Self {
        Self { inner, needles: needles(secrets), each_write: true, looked_at: 0, leaks: 0 }
    }

    pub(super) fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    pub(super) fn look_at_each_write(&mut self, each_write: bool) {
        self.each_write = each_write;
    }

    pub(super) fn look_at_last(&mut self) {
        if let Some(state) = self.inner.last().cloned() {
            self.look(&state);
        }
    }

    /// In how many states the password was looked for, and in how many of them it was.
    pub(super) fn seen(&self) -> (u64, u64) {
        (self.looked_at, self.leaks)
    }

    fn look(&mut self, state: &State) {
        self.looked_at += 1;
        if holds_any(&file::write(state), &self.needles) {
            self.leaks += 1;
        }
    }
}

impl Store for GuardedStore {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        if self.each_write {
            self.look(state);
        }
        self.inner.write(state)
    }

    fn overtake(&mut self) {
        self.inner.overtake();
    }
}

/// The password, as it is and as JSON writes it; nothing if there is none.
pub(super) fn needles(secrets: &Secrets) -> Vec<Secret> {
    let Some(password) = secrets.get(DB_PASSWORD).filter(|password| !password.expose().is_empty()) else {
        return Vec::new();
    };
    let quoted = serde_json::Value::from(password.expose()).to_string();
    vec![password.clone(), Secret::new(quoted.trim_matches('"'))]
}

pub(super) fn holds_any(text: &str, needles: &[Secret]) -> bool {
    needles.iter().any(|needle| text.contains(needle.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_planned_if_only_references_differ() {
        let group = || Value::reference(Address::root(Kind::SecurityGroup, "app"), "id");
        let rule = |group: Value, port: u16| Value::list([Value::map([("GroupId", group), ("Port", port.into())])]);
        let call = |id: Value, rules: Value| {
            Call::new(Ec2::AuthorizeSecurityGroupIngress, [("GroupId", id), ("IpPermissions", rules)])
        };
        let planned = call(group(), rule(group(), 5432));
        for (id, rules, good) in [
            (Value::str("sg-1"), rule(Value::str("sg-2"), 5432), true),
            (Value::str("sg-1"), rule(Value::str("sg-2"), 5433), false),
            (group(), rule(Value::str("sg-2"), 5432), false),
            (Value::str("sg-1"), rule(group(), 5432), false),
            (Value::str("sg-1"), Value::EMPTY_LIST, false),
            (Value::str("sg-1"), Value::Null, false),
        ] {
            let sent = Request(call(id, rules));
            assert_eq!(is_planned(&planned, &sent), good, "{sent}");
        }
        let other = Request(Call { operation: Operation::Ec2(Ec2::RevokeSecurityGroupIngress), ..planned.clone() });
        assert!(!is_planned(&planned, &other));
    }

    #[test]
    fn a_token_gives_way_to_those_that_follow_from_it_and_to_no_other() {
        let call = |token: &str| Call::new(Operation::Ec2(Ec2::CreateRouteTable), [("ClientToken", Value::str(token))]);
        let planned = call("t");
        let sent = |token: &str| is_planned(&planned, &Request(call(token)));
        assert!(sent("t") && sent(&later_token("t", 1)) && sent(&later_token("t", LATER_TOKENS_MAX)));
        assert!(!sent("u") && !sent(&later_token("u", 1)) && !sent(&later_token("t", LATER_TOKENS_MAX + 1)));
    }

    #[test]
    fn the_password_is_found_as_it_is_and_as_json_has_it() {
        let mut secrets = Secrets::default();
        assert!(!holds_any("anything", &needles(&secrets)));
        secrets.insert(DB_PASSWORD, Secret::new("pass\"word\\1"));
        let needles = needles(&secrets);
        assert!(holds_any("x pass\"word\\1 y", &needles));
        assert!(holds_any(r#"{"password":"pass\"word\\1"}"#, &needles));
        assert!(!holds_any("password1", &needles));
    }
}
