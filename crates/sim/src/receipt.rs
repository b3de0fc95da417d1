//! Lays receipts of runs beside the simulated account: what it would not have answered, and how long things took.
//!
//! The calls of a receipt are sent to a simulated account in their order. What a call made there is bound to the name
//! that the receipt has for it, so that later calls are about the same objects. Where an answer was lost, or the run killed
//! before it came, the call counts as carried out once that alone explains what is seen later. Where AWS was faster or
//! slower than the account, the account is asked at other times: a state counts as different only if the account never
//! shows it, and how long it took is judged by the table of durations alone.

mod compare;
mod durations;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::api::{ApiError, Call, ErrorClass, Operation, Reply, Request};
use aloka_core::receipt::{Answer, Exchange, Receipt, Sent, is_public, made, named};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::time::Instant;
use aloka_core::value::Value;

use self::compare::{Bindings, Difference, compare};
pub use self::durations::{Measured, Simulated, begun_by, measure};
use crate::aws::durations::Transition;
use crate::aws::{Account, Durations, Options, all_rules};
use crate::rules;

/// Seconds by which the account is asked earlier or later than AWS was: close enough to meet a first backup, far enough for
/// the slowest database.
fn offsets() -> impl DoubleEndedIterator<Item = Duration> {
    [1, 2, 5, 10, 20].into_iter().chain((2..=240).map(|quarter| quarter * 15)).map(Duration::from_secs)
}

/// How long nothing was done between two runs. Where time is virtual, none passes between them, whatever the clocks say.
fn between(before: &Receipt, after: &Receipt) -> Duration {
    if before.header.cloud == "sim" && after.header.cloud == "sim" {
        return Duration::ZERO;
    }
    let last = before.exchanges.iter().map(|exchange| exchange.at_ms.saturating_add(exchange.took_ms)).max();
    let last = last.max(before.end.as_ref().map(|end| end.at_ms)).unwrap_or(0);
    let (Some(began), Some(next)) = (before.header.began_seconds(), after.header.began_seconds()) else {
        return Duration::ZERO;
    };
    let rest = Duration::from_secs(next.saturating_sub(began)).saturating_sub(Duration::from_millis(last));
    // In days nothing is under way any more.
    rest.min(Duration::from_secs(86_400))
}

/// A password that RDS takes, in the place of the one that no receipt has.
const PASSWORD: &str = "Receipt-0-password";

/// Something that the simulated account would not have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The receipt it is in: 0 for the first.
    pub receipt: usize,
    /// When, in milliseconds since the run began.
    pub at_ms: u64,
    /// The object.
    pub address: String,
    /// The call.
    pub operation: Operation,
    /// What is different.
    pub what: What,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// AWS accepted it, the account refuses it by this rule.
    Accepted {
        /// The rule.
        rule: &'static str,
        /// The code that the account refuses it with.
        code: String,
    },
    /// AWS refused it, the account does not, or with another code.
    Refused {
        /// AWS's code.
        code: String,
        /// What the account answers: a code, or `ok`.
        simulated: String,
    },
    /// The reply has another value.
    Value {
        /// Where in the reply.
        path: String,
        /// AWS's.
        recorded: String,
        /// The account's.
        simulated: String,
    },
    /// It took shorter or longer than ever known.
    Duration {
        /// What took so long, one after the other.
        transitions: Vec<Transition>,
        /// It took longer than this.
        longer_than: Duration,
        /// And no longer than this; `None` if the end was not seen.
        no_longer_than: Option<Duration>,
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { rule, code } => {
                write!(f, "AWS accepted it; the simulator refuses it with {code}, by its rule {rule}")
            }
            Self::Refused { code, simulated } => {
                write!(f, "AWS refused it with {code}; the simulator answers {simulated}")
            }
            Self::Value { path, recorded, simulated } => {
                write!(f, "{path} is {recorded}; the simulator has {simulated}")
            }
            Self::Duration { transitions, longer_than, no_longer_than } => {
                let Simulated { shortest_ms, longest_ms, source, .. } = Simulated::of(transitions);
                let seconds = |duration: &Duration| duration.as_secs_f64();
                write!(f, "it took longer than {:.0} s", seconds(longer_than))?;
                if let Some(most) = no_longer_than {
                    write!(f, " and no longer than {:.0} s", seconds(most))?;
                }
                write!(f, "; the simulator takes {} s to {} s ({})", shortest_ms / 1000, longest_ms / 1000, source)
            }
        }
    }
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is different, in the order of the calls, durations last.
    pub findings: Vec<Finding>,
    /// Calls that were laid beside the account.
    pub checked: usize,
    /// Calls that were not, by reason.
    pub unchecked: BTreeMap<&'static str, usize>,
}

/// Lays the receipts of one stack, in their order, beside one simulated account.
pub fn check(receipts: &[Receipt]) -> Report {
    let region = receipts.first().map(|receipt| receipt.header.region.clone()).unwrap_or_default();
    let options = Options { region, durations: Durations::Longest, ..Options::default() };
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    let mut checker = Checker {
        receipt: 0,
        account: Account::new(options),
        now: Instant::ZERO,
        before: Vec::new(),
        changes: 0,
        changed: BTreeMap::new(),
        bindings: Bindings::default(),
        secrets,
        unknown: Vec::new(),
        report: Report::default(),
    };
    for (index, receipt) in receipts.iter().enumerate() {
        checker.receipt = index;
        if let Some(before) = index.checked_sub(1).and_then(|before| receipts.get(before)) {
            checker.now = checker.now + between(before, receipt);
        }
        let began = checker.now;
        checker.bindings.next_receipt();
        // AWS acted somewhere between.
        let acted = |exchange: &Exchange| exchange.at_ms.saturating_add(exchange.took_ms / 2);
        let answered = receipt.exchanges.iter().map(|exchange| (acted(exchange), Ok(exchange)));
        let unanswered = receipt.unanswered.iter().map(|sent| (sent.at_ms, Err(sent)));
        let mut calls: Vec<_> = answered.chain(unanswered).collect();
        calls.sort_by_key(|(at, _)| *at);
        for (at, call) in calls {
            checker.now = checker.now.max(began + Duration::from_millis(at));
            match call {
                Ok(exchange) => checker.likely(exchange),
                Err(Sent { address, operation, arguments, .. }) => {
                    checker.lose(address, *operation, arguments);
                    checker.unchecked("no answer came");
                }
            }
        }
        checker.report.findings.extend(durations::judge(receipts.get(..=index).unwrap_or_default()));
    }
    checker.report
}

/// True if the answer does not tell whether AWS carried out the call.
fn is_lost(answer: &Answer) -> bool {
    match answer {
        Answer::Error { answered: false, .. } => true,
        Answer::Error { code, .. } => ApiError::answered(code, String::new(), None).class == ErrorClass::Unknown,
        Answer::Reply(_) => false,
    }
}

/// True if what differs at one time differs at another as well: there, or what it is in, which may not be there at all.
fn differs_too(found: &Difference, others: &[Difference]) -> bool {
    let holds = |other: &Difference| {
        found.path.strip_prefix(&*other.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    others.iter().any(holds)
}

/// Calls whose answer was lost and that nothing has shown to have been carried out; the oldest are given up beyond this.
const UNKNOWN_MAX: usize = 16;

/// Most accounts that are kept from before the clock was put forward; the oldest go first.
const BEFORE_MAX: usize = 24;

/// The account as it was before its clock was put forward for the sake of another object.
#[derive(Clone)]
struct Before {
    at: Instant,
    account: Account,
    /// How many changes AWS had accepted.
    changes: usize,
}

#[derive(Clone)]
struct Checker {
    /// Which receipt is laid beside it.
    receipt: usize,
    account: Account,
    now: Instant,
    /// The account as it was each time that its clock was put forward.
    before: Vec<Before>,
    /// How many changes AWS has accepted.
    changes: usize,
    /// How many those were at the last one for an address.
    changed: BTreeMap<String, usize>,
    bindings: Bindings,
    secrets: Secrets,
    /// Calls that change something and whose answer nobody knows, each with its object's address. AWS carried them out, or it
    /// did not.
    unknown: Vec<(String, Request)>,
    report: Report,
}

impl Checker {
    fn unchecked(&mut self, why: &'static str) {
        *self.report.unchecked.entry(why).or_default() += 1;
    }

    /// A call whose answer nobody knows.
    fn lose(&mut self, address: &str, operation: Operation, arguments: &Value) {
        let account_id = &self.account.options().account_id;
        if let Some(request) =
            self.bindings.request(operation, arguments, account_id).filter(|_| operation.is_mutating())
        {
            self.unknown.push((address.to_owned(), request));
            let most = self.unknown.len().saturating_sub(UNKNOWN_MAX);
            self.unknown.drain(..most);
        }
    }

    /// An exchange, and what it shows of the calls whose answers nobody knows: those were carried out without which the
    /// account would not have answered so.
    fn likely(&mut self, exchange: &Exchange) {
        let told = |checker: &Self| (checker.report.findings.len(), checker.report.unchecked.values().sum::<usize>());
        let before = told(self);
        let with = |checker: &Self| {
            let mut checker = checker.clone();
            checker.exchange(exchange);
            checker
        };
        if self.unknown.is_empty() {
            return self.exchange(exchange);
        }
        self.carry_out_named(exchange);
        let mut best = with(self);
        while told(&best) > before {
            let carried_out = (0..self.unknown.len()).map(|index| {
                let mut checker = self.clone();
                checker.carry_out_unknown([index]);
                (with(&checker), checker)
            });
            match carried_out.min_by_key(|(after, _)| told(after)).filter(|(after, _)| told(after) < told(&best)) {
                Some((after, checker)) => (best, *self) = (after, checker),
                None => break,
            }
        }
        if told(&best) > before
            && let Some(several) = self.several(|checker| told(&with(checker)) < told(&best))
        {
            best = with(&several);
        }
        *self = best;
    }

    /// What a call names was made, even if the answer to its creation was lost.
    fn carry_out_named(&mut self, exchange: &Exchange) {
        let is_creating = exchange.operation.is_creating();
        let names = exchange.arguments.to_string();
        for name in named(&names) {
            // What a creation is to be called itself says nothing.
            if self.bindings.is_bound(name) || (is_creating && name == exchange.address) {
                continue;
            }
            let is_it = |(address, request): &(String, Request)| address == name && request.operation().is_creating();
            if let Some(index) = self.unknown.iter().position(is_it) {
                self.carry_out_unknown([index]);
            }
        }
    }

    /// With the fewest of the calls whose answers nobody knows that together, and none of them alone, explain what is seen:
    /// all until it is explained, without those that it does not take.
    fn several(&self, is_explained: impl Fn(&Self) -> bool) -> Option<Self> {
        let with = |indices: &[usize]| {
            let mut checker = self.clone();
            checker.carry_out_unknown(indices.iter().copied());
            checker
        };
        let all: Vec<usize> = (0..self.unknown.len()).collect();
        let mut taken = (2..=all.len()).map(|count| &all[..count]).find(|taken| is_explained(&with(taken)))?.to_vec();
        for index in all {
            let fewer: Vec<usize> = taken.iter().copied().filter(|other| *other != index).collect();
            if fewer.len() < taken.len() && is_explained(&with(&fewer)) {
                taken = fewer;
            }
        }
        Some(with(&taken))
    }

    /// Takes these of the calls whose answers nobody knows as carried out, in their order.
    fn carry_out_unknown(&mut self, indices: impl IntoIterator<Item = usize>) {
        for (before, index) in indices.into_iter().enumerate() {
            let (address, request) = self.unknown.remove(index - before);
            let reply = self.carry_out(&request);
            // Later receipts know it by its address.
            if let Some(id) = reply.as_ref().ok().and_then(|reply| made(request.operation(), reply)) {
                self.bindings.know(&address, id);
            }
            self.has_changed(&address);
        }
    }

    fn has_changed(&mut self, address: &str) {
        self.changes += 1;
        self.changed.insert(address.to_owned(), self.changes);
    }

    /// Puts this account in the place of the one so far. If its clock is ahead, the one so far is kept for what it shows of
    /// other objects.
    fn put_forward(&mut self, at: Instant, account: Account) {
        let account = std::mem::replace(&mut self.account, account);
        if at > self.now {
            self.before.push(Before { at: self.now, account, changes: self.changes });
            let most = self.before.len().saturating_sub(BEFORE_MAX);
            self.before.drain(..most);
        }
        self.now = at;
    }

    /// What AWS is taken to have carried out. Where AWS was faster than the account, the account's clock is put forward.
    fn carry_out(&mut self, request: &Request) -> Reply {
        let mut account = self.account.clone();
        for offset in std::iter::once(Duration::ZERO).chain(offsets()) {
            let at = self.now + offset;
            let reply = account.call(at, request, &self.secrets);
            if reply.is_ok() {
                self.put_forward(at, account);
                return reply;
            }
        }
        self.account.call(self.now, request, &self.secrets)
    }

    fn exchange(&mut self, exchange: &Exchange) {
        if is_lost(&exchange.answer) {
            self.lose(&exchange.address, exchange.operation, &exchange.arguments);
            return self.unchecked("no answer came");
        }
        let recorded = match &exchange.answer {
            Answer::Error { code, message, .. } => Err(ApiError::answered(code, message.clone(), None)),
            Answer::Reply(reply) => Ok(reply),
        };
        if recorded.as_ref().is_err_and(|error| error.class == ErrorClass::Throttled) {
            return self.unchecked("AWS was busy");
        }
        let account_id = &self.account.options().account_id;
        let Some(request) = self.bindings.request(exchange.operation, &exchange.arguments, account_id) else {
            return self.unchecked("it names objects that were there before the receipt");
        };
        self.report.checked += 1;
        if exchange.operation.is_mutating() {
            self.change(exchange, &request, recorded);
        } else {
            self.read(exchange, &request, recorded);
        }
    }

    fn find(&mut self, exchange: &Exchange, what: What) {
        let Exchange { at_ms, operation, .. } = *exchange;
        self.report.findings.push(Finding {
            receipt: self.receipt,
            at_ms,
            address: exchange.address.clone(),
            operation,
            what,
        });
    }

    /// The account after the call at `at`, and its answer.
    fn ask(&self, at: Instant, request: &Request) -> (Account, Reply) {
        let mut account = self.account.clone();
        let reply = account.call(at, request, &self.secrets);
        (account, reply)
    }

    /// A call that changes something: where AWS was faster than the account, the account's clock is put forward. What was
    /// made before and is asked for again is answered as it is by now, so that values are a matter of time as well.
    fn change(&mut self, exchange: &Exchange, request: &Request, recorded: Result<&Value, ApiError>) {
        let mut bindings = self.bindings.clone();
        if let Some(name) =
            recorded.as_ref().ok().and_then(|reply| made(exchange.operation, reply)).and_then(|text| named(text).next())
        {
            bindings.forget(name);
        }
        let mut asked: Option<(Instant, Account, Reply, Vec<Difference>)> = None;
        let mut account = self.account.clone();
        let mut is_accepted = false;
        for offset in std::iter::once(Duration::ZERO).chain(offsets()) {
            let at = self.now + offset;
            let reply = account.call(at, request, &self.secrets);
            let differences = match (&reply, &recorded) {
                (Ok(simulated), Ok(recorded)) => Some(compare(recorded, simulated, &mut bindings.clone())),
                (Err(simulated), Err(recorded)) => (simulated.code == recorded.code).then(Vec::new),
                (Ok(_), Err(_)) | (Err(_), Ok(_)) => None,
            };
            let is_refused = reply.is_err();
            match (differences, &mut asked) {
                (Some(differences), _) if differences.is_empty() => {
                    asked = Some((at, account, reply, differences));
                    break;
                }
                (Some(differences), Some((.., still))) => still.retain(|found| differs_too(found, &differences)),
                (Some(differences), None) => asked = Some((at, account.clone(), reply, differences)),
                (None, _) => {}
            }
            if asked.as_ref().is_some_and(|(.., still)| still.is_empty()) {
                break;
            }
            is_accepted |= !is_refused;
            // What is refused changes nothing.
            if !is_refused {
                account = self.account.clone();
            }
        }
        match (asked, recorded) {
            (Some((at, account, Ok(simulated), differences)), Ok(recorded)) => {
                let differences = self.unless_faster(differences, request, recorded, &bindings);
                self.put_forward(at, account);
                self.has_changed(&exchange.address);
                self.bindings = bindings;
                self.values(exchange, differences);
                self.bindings.bind(recorded, &simulated);
            }
            (Some(_), _) => {}
            (None, Ok(_)) => {
                let (account, reply) = self.ask(self.now, request);
                let code = reply.err().map(|error| error.code).unwrap_or_default();
                let rule = account.refused_by().map_or("", |rule| rule.id);
                self.find(exchange, What::Accepted { rule, code });
            }
            (None, Err(recorded)) => {
                // When it is refused so, and for how long, is a matter of time, and the account's time is not AWS's.
                let is_passing = matches!(recorded.class, ErrorClass::Conflict | ErrorClass::NotFound);
                let known =
                    |rule: &rules::Rule| rule.code == recorded.code && rule.operations.contains(&exchange.operation);
                if !(is_passing && all_rules().any(known)) {
                    let refused = self.ask(self.now, request).1.err().filter(|_| !is_accepted);
                    let simulated = refused.map_or_else(|| "ok".to_owned(), |error| error.code);
                    self.find(exchange, What::Refused { code: recorded.code, simulated });
                }
            }
        }
    }

    /// Of what differs in a reply, that which differs from the reply of the fastest account as well: where AWS is ready at
    /// once, it says so in its first reply.
    fn unless_faster(
        &self,
        differences: Vec<Difference>,
        request: &Request,
        recorded: &Value,
        bindings: &Bindings,
    ) -> Vec<Difference> {
        if differences.is_empty() {
            return differences;
        }
        let mut fastest = self.account.clone().lasting(Durations::Shortest);
        match fastest.call(self.now, request, &self.secrets) {
            Ok(simulated) => {
                let others = compare(recorded, &simulated, &mut bindings.clone());
                differences.into_iter().filter(|found| differs_too(found, &others)).collect()
            }
            Err(_) => differences,
        }
    }

    /// A read: the account may show the same a little earlier or later.
    fn read(&mut self, exchange: &Exchange, request: &Request, recorded: Result<&Value, ApiError>) {
        // At its own time first, as that is the time mostly; then from early to late, as what is over goes.
        let now = self.now;
        let earlier = offsets().rev().map(|offset| Instant::ZERO + now.since(Instant::ZERO + offset));
        let later = offsets().map(|offset| now + offset);
        let changed = self.changed.get(&exchange.address).copied().unwrap_or(0);
        let before: Vec<Before> = self.before.iter().filter(|before| before.changes >= changed).cloned().collect();
        let (mut account, secrets) = (self.account.clone(), self.secrets.clone());
        let at_its_time = self.ask(now, request).1;
        let other_times = earlier.chain(later).map(|at| account.call(at, request, &secrets));
        // Then as it was before its clock was put forward for the sake of another object, and after the last change of this one;
        // at that time, and in the minute after it.
        let before = before.into_iter().rev().flat_map(|Before { at, mut account, .. }| {
            let soon = offsets().take_while(|offset| *offset <= Duration::from_secs(60)).map(|offset| at + offset);
            let replies = std::iter::once(at).chain(soon).map(|at| account.call(at, request, &secrets));
            replies.collect::<Vec<_>>()
        });
        let mut least: Option<Vec<Difference>> = None;
        let mut refused = None;
        for reply in std::iter::once(at_its_time).chain(other_times).chain(before) {
            match (reply, &recorded) {
                (Ok(simulated), Ok(recorded)) => {
                    if is_public(exchange.operation) {
                        return self.bindings.bind(recorded, &simulated);
                    }
                    let mut bindings = self.bindings.clone();
                    let differences = compare(recorded, &simulated, &mut bindings);
                    if differences.is_empty() {
                        self.bindings = bindings;
                        return;
                    }
                    // What differs at one time and not at another is a matter of time.
                    match &mut least {
                        Some(least) => least.retain(|found| differs_too(found, &differences)),
                        None => least = Some(differences),
                    }
                    if least.as_ref().is_some_and(Vec::is_empty) {
                        return;
                    }
                }
                (Err(simulated), Err(recorded)) if simulated.code == recorded.code => return,
                (Err(simulated), _) => refused = Some(simulated.code),
                (Ok(_), Err(_)) => {}
            }
        }
        match recorded {
            Ok(_) => match least {
                Some(differences) => self.values(exchange, differences),
                None => {
                    let (account, _) = self.ask(self.now, request);
                    let rule = account.refused_by().map_or("", |rule| rule.id);
                    self.find(exchange, What::Accepted { rule, code: refused.unwrap_or_default() });
                }
            },
            Err(recorded) => {
                if recorded.class != ErrorClass::NotFound {
                    let simulated = refused.unwrap_or_else(|| "ok".to_owned());
                    self.find(exchange, What::Refused { code: recorded.code, simulated });
                }
            }
        }
    }

    fn values(&mut self, exchange: &Exchange, differences: Vec<Difference>) {
        for Difference { path, recorded, simulated } in differences {
            self.find(exchange, What::Value { path, recorded, simulated });
        }
    }
}

impl Bindings {
    /// The call with what is bound in the place of names; `None` if it names something that nothing was bound to.
    fn request(&mut self, operation: Operation, arguments: &Value, account_id: &str) -> Option<Request> {
        let is_creating = operation.is_creating();
        let arguments = arguments.as_map()?;
        let mut args = Vec::new();
        for parameter in operation.parameters() {
            if let Some(value) = arguments.get(parameter.name) {
                // A digest in its place.
                let is_digest = parameter.name == "UserData" && value.as_map().is_some();
                let value = if is_digest {
                    Value::str("I2Nsb3VkLWNvbmZpZwo=")
                } else {
                    self.resolved(value, is_creating, account_id)?
                };
                args.push((parameter.name, value));
            }
        }
        Some(Request(Call::new(operation, args)))
    }
}
