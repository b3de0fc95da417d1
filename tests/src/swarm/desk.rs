//! Everybody around a run: the judge who sees every call and every write, the meddler, the second operator.
//!
//! It is the watch and the store of the world at once. The judge decides by calls, replies and what is in the account,
//! never by what the planner thinks; only what was planned is asked of the plan.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::{Operation, Rds, Reply, Request};
use aloka_core::engine::{News, Notice};
use aloka_core::plan::Password;
use aloka_core::plan::{Mode, Node, Plan, Step, Verb};
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;
use aloka_sim::audit::{self, Expected};
use aloka_sim::aws::{Account, ObjectKind};
use aloka_sim::rehearsal::{is_planned, may_open_or_close};
use aloka_sim::rng::Rng;
use aloka_sim::store::Store;
use aloka_sim::world::Watch;

use super::books::{Books, Class, Finding, recorded};
use super::meddler::{Deed, Meddler, Moment};
use super::neighbour::Neighbours;
use super::settings::Settings;
use super::story::Other;
use crate::operator::{Operator, Phase, Place};
use crate::{LINEAGE, secrets};

/// Who runs the commands of a story.
pub(super) const THE_RUN: &str = "the run";
/// Who runs one beside.
const THE_SECOND: &str = "the second operator";

/// One call in so many that may open or close something is followed by an audit.
const AUDITED_ONE_IN: u64 = 32;
/// No second operator takes as many turns.
const TURNS_MAX: u32 = 50_000;

/// The desk, shared by those who look on and those who write.
#[derive(Clone)]
pub(super) struct Desk(Rc<RefCell<Inner>>);

/// What is on it.
pub(super) struct Inner {
    pub(super) books: Books,
    pub(super) meddler: Meddler,
    pub(super) neighbours: Neighbours,
    /// What users want: settings and variables.
    wishes: Rc<[(Settings, Variables)]>,
    /// The virtual time: a store is not told.
    now: Instant,
    /// The running command names the database.
    named: bool,
    /// Calls of the running command that have arrived.
    arrived: u64,
    /// Calls that its executors announced.
    announced: u64,
    /// What the plan of each user may read beside its steps, if an object is held.
    around: BTreeMap<&'static str, Arc<[Node]>>,
    deeds: Vec<Deed>,
    /// Comes when enough calls have arrived.
    other: Option<Other>,
    second: Option<Second>,
    audit: Option<(Vec<Expected>, Rng)>,
    /// Calls of the running command that changed something, by operation and whether they were refused.
    changes: BTreeMap<(&'static str, Option<String>), u32>,
    /// Effects seen: calls arrived and writes.
    pub(super) calls: u64,
    /// Runs of the second operator that made a plan and ended.
    pub(super) second_cycles: u64,
}

/// The second operator at work.
struct Second {
    operator: Operator,
    named: bool,
    next: Instant,
    turn: Duration,
    left: Option<u32>,
    turns: u32,
}

impl Desk {
    pub(super) fn new(books: Books, wishes: Rc<[(Settings, Variables)]>, audit: Option<(Vec<Expected>, Rng)>) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            books,
            meddler: Meddler::default(),
            neighbours: Neighbours::default(),
            wishes,
            now: Instant::ZERO,
            named: false,
            arrived: 0,
            announced: 0,
            around: BTreeMap::new(),
            deeds: Vec::new(),
            other: None,
            second: None,
            audit,
            changes: BTreeMap::new(),
            calls: 0,
            second_cycles: 0,
        })))
    }

    pub(super) fn open(&self) -> RefMut<'_, Inner> {
        self.0.borrow_mut()
    }
}

impl Inner {
    /// A command begins.
    pub(super) fn begin(&mut self, now: Instant, named: bool, deeds: &[Deed], other: Option<Other>) {
        self.now = now;
        self.named = named;
        self.arrived = 0;
        self.announced = 0;
        self.changes.clear();
        self.deeds = deeds.to_vec();
        self.other = other;
    }

    /// What users want: the settings and variables of a wish.
    pub(super) fn wish(&self, number: usize) -> (Settings, Variables) {
        let wish = self.wishes.get(number).or_else(|| self.wishes.last()).cloned();
        wish.unwrap_or_else(|| (Settings::default(), Settings::default().variables()))
    }

    /// The inputs of a command on this state.
    pub(super) fn inputs(&self, wish: Option<usize>, mode: Mode, state: &State) -> Inputs {
        let (settings, variables) = self.wish(wish.unwrap_or(usize::MAX));
        let hash = settings.password_hash();
        let recorded = state.private.secrets.get(aloka_core::secret::DB_PASSWORD);
        let password = match recorded {
            Some(recorded) if **recorded == *hash => Password::Unchanged,
            _ if mode != Mode::Apply => Password::Absent,
            Some(_) | None => Password::New(hash),
        };
        Inputs::new(variables, mode, password)
    }

    /// The meddler's deeds of this moment.
    pub(super) fn meddle(&mut self, moment: Moment, account: &mut Account, now: Instant) {
        let due = |deed: &Deed| match (deed.when, moment) {
            (Moment::AfterCall(number), Moment::AfterCall(arrived)) => number <= arrived,
            (when, moment) => when == moment,
        };
        if !self.deeds.iter().any(due) {
            return;
        }
        let (now_due, later) = self.deeds.iter().partition(|deed| due(deed));
        self.deeds = later;
        let acts: Vec<Deed> = now_due;
        for Deed { act, .. } in acts {
            let state = self.books.state();
            let told = self.meddler.act(act, account, now, &state);
            if told.is_empty() {
                self.books.tell(now, format_args!("   the meddler {act}: there is none"));
            }
            for call in told {
                self.books.tell(now, format_args!("   the meddler {act}: {call}"));
            }
        }
    }

    /// The second operator's turns up to `to`.
    fn others_turn(&mut self, account: &mut Account, from: Instant, to: Instant) {
        if let Some(other) = self.other.filter(|other| other.after_calls <= self.arrived) {
            self.other = None;
            let mode = if other.wish.is_some() { Mode::Apply } else { Mode::Destroy };
            let inputs = self.inputs(other.wish, mode, &self.books.state());
            let seat = Seat { account, inner: self, now: from, named: other.named };
            let operator = Operator::new(THE_SECOND, inputs, &seat);
            let what = other.wish.map_or_else(|| "destroy".to_owned(), |wish| format!("apply of wish {wish}"));
            self.books.tell(from, format_args!("   the second operator begins: {what}"));
            let turn = Duration::from_millis(other.turn_ms);
            self.second =
                Some(Second { operator, named: other.named, next: from, turn, left: other.dies_after, turns: 0 });
        }
        let Some(mut second) = self.second.take() else { return };
        while second.next <= to {
            let now = second.next;
            if second.left == Some(0) || second.operator.is_over() || self.books.finding.is_some() {
                return self.end_second(now, &second);
            }
            let mut seat = Seat { account, inner: self, now, named: second.named };
            let did = second.operator.turn(&mut seat);
            second.turns += 1;
            second.next = if did {
                second.left = second.left.map(|left| left - 1);
                now + second.turn
            } else if second.operator.is_over() {
                now
            } else {
                match second.operator.wakeup() {
                    Some(at) => at.max(now + Duration::from_millis(1)),
                    None => {
                        self.books.find(now, Class::Liveness, "I11 termination", "the second operator is stuck");
                        return self.end_second(now, &second);
                    }
                }
            };
            if second.turns > TURNS_MAX {
                self.books.find(now, Class::Liveness, "I11 termination", "the second operator does not end");
                return self.end_second(now, &second);
            }
        }
        self.second = Some(second);
    }

    fn end_second(&mut self, now: Instant, second: &Second) {
        let how = match &second.operator.phase {
            Phase::Ended(Ok(())) => "is done".to_owned(),
            Phase::Ended(Err(why)) => format!("ends: {why}"),
            Phase::Reading(_) | Phase::Resting(_) | Phase::Planned(_) | Phase::Applying(_) => "dies".to_owned(),
        };
        if !second.operator.is_planning() {
            self.second_cycles += 1;
        }
        self.books.tell(now, format_args!("   the second operator {how}"));
        if let Some(breach) = second.operator.breaches.first() {
            self.books.find(now, Class::Safety, "I7 one writer", breach.clone());
        }
    }

    /// The second operator goes on alone until it ends; the time it is then.
    pub(super) fn let_second_end(&mut self, account: &mut Account, from: Instant) -> Instant {
        self.other = None;
        let mut now = from;
        while let Some(second) = &self.second {
            now = now.max(second.next);
            self.others_turn(account, now, now);
        }
        now
    }

    /// Calls that changed something since the command began, for people.
    pub(super) fn changes_text(&self) -> String {
        let text = |((name, refused), count): (&(&'static str, Option<String>), &u32)| {
            let refused = refused.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            if *count == 1 { format!("{name}{refused}") } else { format!("{count} {name}{refused}") }
        };
        self.changes.iter().map(text).collect::<Vec<_>>().join(", ")
    }

    /// A call has arrived, whoever sent it.
    fn judge_call(
        &mut self,
        now: Instant,
        who: &str,
        named: bool,
        account: &mut Account,
        request: &Request,
        reply: &Reply,
    ) {
        self.calls += 1;
        let operation = request.operation();
        if !operation.is_mutating() {
            return;
        }
        if self.neighbours.touched_by(request) {
            let what = format!("{who} sends {request}, which is about somebody else's");
            self.books.find(now, Class::Safety, "nothing not ours is touched", what);
        }
        let ends_backups = operation == Operation::Rds(Rds::ModifyDBInstance)
            && request.arg("BackupRetentionPeriod").as_i64() == Some(0);
        if (operation == Operation::Rds(Rds::DeleteDBInstance) || ends_backups) && !named {
            let what = format!("{who} sends {request}, and nobody named the database");
            self.books.find(now, Class::Safety, "I8 no data is lost unnamed", what);
        }
        if reply.is_ok() && may_open_or_close(operation) {
            self.audit_now_and_then(now, account, operation);
        }
    }

    fn audit_now_and_then(&mut self, now: Instant, account: &mut Account, after: Operation) {
        let Some((expected, rng)) = &mut self.audit else { return };
        if !rng.one_in(AUDITED_ONE_IN) {
            return;
        }
        let seen = audit::audit(&mut |request| account.call(now, request, &secrets()));
        let violation = expected.iter().find_map(|expected| seen.violations(expected).into_iter().next());
        if let Some(violation) = violation {
            let what = format!("after {}: {violation}", after.name());
            self.books.find(now, Class::Safety, "I2 isolation", what);
        }
    }

    /// The user is about to carry out a plan that may read this if an object is held.
    pub(super) fn may_ask(&mut self, who: &'static str, around: &Arc<[Node]>) {
        self.around.insert(who, around.clone());
    }

    fn judge_sent(&mut self, now: Instant, who: &str, nodes: &[Node], notice: &Notice) {
        let News::Sent { request, .. } = &notice.news else { return };
        let planned = nodes.get(notice.node).is_some_and(|node| {
            let asked = self.around.get(who).filter(|_| node.verb == Verb::Delete);
            let around = asked.into_iter().flat_map(|around| around.iter());
            let all = std::iter::once(node).chain(around);
            let mut calls = all.flat_map(|node| node.steps.iter().flat_map(Step::calls));
            calls.any(|(call, _)| is_planned(call, request))
        });
        if !planned {
            let what = format!("{who} sends {request}, which no step has");
            self.books.find(now, Class::Safety, "I5 the plan is the program", what);
        }
    }

    /// Looks at what is there when nobody runs: every object of ours can be found by a re-run, and none is there twice.
    pub(super) fn judge_objects(&mut self, account: &Account, now: Instant) {
        let state = self.books.state();
        self.books.read_back(now, &state);
        let recorded = recorded(&state);
        let intended = |address: &str, generation: &str| {
            let intents = state.private.intents.iter();
            let mut fit = intents
                .filter(|(own, intent)| own.tag_value() == address && intent.generation.to_string() == generation);
            fit.any(|(_, intent)| intent.operation.is_creating())
        };
        let mut same: BTreeMap<(String, String), String> = BTreeMap::new();
        for object in account.objects(now) {
            let ObjectKind::Resource(kind) = object.kind else { continue };
            let is_known = self.neighbours.has(&object.id) || self.meddler.made.contains(&object.id);
            if is_known || self.meddler.untagged.contains(&object.id) {
                continue;
            }
            let tag = |name: &str| object.tags.get(name).map(String::as_str).unwrap_or_default();
            let (lineage, address, generation) = (tag("aloka-lineage"), tag("aloka-address"), tag("aloka-generation"));
            if lineage != LINEAGE || address.is_empty() || generation.is_empty() {
                let what = format!("{kind} {} is there, and says neither whose nor what it is", object.id);
                return self.books.find(now, Class::Safety, "everything is tagged", what);
            }
            if !recorded.contains(&object.id) && !intended(address, generation) {
                let what = format!(
                    "{kind} {} ({address}, generation {generation}) is neither recorded nor intended",
                    object.id
                );
                return self.books.find(now, Class::Safety, "I4 no orphan", what);
            }
            if let Some(twin) = same.insert((address.to_owned(), generation.to_owned()), object.id.clone()) {
                let what = format!("{twin} and {} are both {address}, generation {generation}", object.id);
                return self.books.find(now, Class::Safety, "I4 no duplicate", what);
            }
        }
    }

    /// The first thing found.
    pub(super) fn finding(&self) -> Option<&Finding> {
        self.books.finding.as_ref()
    }
}

impl Watch for Desk {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let mut inner = self.open();
        if let News::Sent { .. } = notice.news {
            inner.announced += 1;
        }
        if let (News::Failed { cause }, Some(node)) = (&notice.news, nodes.get(notice.node)) {
            inner.books.tell(notice.at, format_args!("   {} fails: {cause}", node.target));
        }
        inner.judge_sent(notice.at, THE_RUN, nodes, notice);
    }

    fn after_call(&mut self, now: Instant, account: &mut Account, request: &Request, reply: &Reply) {
        let mut inner = self.open();
        inner.arrived += 1;
        if inner.arrived > inner.announced {
            inner.books.find(
                now,
                Class::Safety,
                "I5 the plan is the program",
                format!("{request} was sent unannounced"),
            );
        }
        if inner.books.lines.is_some() && request.operation().is_mutating() {
            let refused = reply.as_ref().err().map(|error| error.code.to_string());
            *inner.changes.entry((request.operation().name(), refused)).or_default() += 1;
        }
        let named = inner.named;
        inner.judge_call(now, THE_RUN, named, account, request, reply);
        let arrived = inner.arrived;
        inner.meddle(Moment::AfterCall(arrived), account, now);
    }

    fn before_advance(&mut self, account: &mut Account, from: Instant, to: Instant) {
        let mut inner = self.open();
        inner.others_turn(account, from, to);
        inner.now = to;
    }
}

impl Store for Desk {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        let mut inner = self.open();
        let now = inner.now;
        inner.books.write(now, THE_RUN, state)
    }
}

/// Where the second operator works.
struct Seat<'a> {
    account: &'a mut Account,
    inner: &'a mut Inner,
    now: Instant,
    named: bool,
}

impl Place for Seat<'_> {
    fn now(&self) -> Instant {
        self.now
    }

    fn call(&mut self, request: &Request) -> Reply {
        let reply = self.account.call(self.now, request, &secrets());
        self.inner.judge_call(self.now, THE_SECOND, self.named, self.account, request, &reply);
        reply
    }

    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        self.inner.books.write(self.now, THE_SECOND, state)
    }

    fn state(&self) -> State {
        self.inner.books.state()
    }

    fn since_written(&self) -> Option<Duration> {
        self.inner.books.since_written(self.now)
    }

    fn approves(&mut self, plan: &Plan) -> bool {
        self.inner.may_ask(THE_SECOND, &plan.around);
        self.named || plan.data_loss().is_empty()
    }

    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        self.inner.judge_sent(notice.at, THE_SECOND, nodes, notice);
    }
}
