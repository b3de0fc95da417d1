//! Runs scenarios on a cloud, and on the simulated account in particular.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::api::{ApiError, Call, Operation, Reply, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde_json::Value as Json;

use super::{Act, Condition, Scenario, Test};
use crate::aws::{Account, Durations, ForeignInterface, Options, Protection};
use crate::iam::Policy;
use crate::rules::Rule;

/// How often `until` looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a scenario asks of the simulated account alone.
#[derive(Clone, Debug)]
pub enum Setting<'a> {
    /// An option or a quota, by name.
    Set {
        /// Its name.
        name: &'a str,
        /// Its new value.
        value: &'a Json,
    },
    /// The next such call fails after it was accepted, or is refused for want of room.
    Fail {
        /// The operation.
        operation: Operation,
        /// The failure code.
        code: &'a str,
        /// The failure message.
        message: &'a str,
    },
}

/// Where scenarios run.
pub trait Cloud {
    /// Sends a call.
    fn call(&mut self, request: &Request) -> Reply;

    /// Asks whether a call would be carried out; `None` on a cloud that cannot be asked.
    fn dry_run(&mut self, request: &Request) -> Option<ApiError>;

    /// For how long `until` waits here.
    fn patience(&self) -> Duration;

    /// Lets time pass; on a cloud that takes no time, nothing.
    fn wait(&mut self, time: Duration);

    /// Changes something about the cloud.
    ///
    /// # Errors
    /// Why it cannot be changed.
    fn set(&mut self, setting: Setting<'_>) -> Result<(), String>;

    /// The rule that refused the last call, if that is known.
    fn refused_by(&self) -> Option<&'static Rule>;
}

/// What a scenario that ran to its end met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How many calls were sent.
    pub calls: usize,
    /// How many conditions were held against answers.
    pub checks: usize,
    /// The rules that refused, in order; empty if the cloud does not tell.
    pub refused_by: Vec<&'static Rule>,
}

/// Where a cloud did not do what a scenario says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The line of the statement.
    pub line: usize,
    /// What was expected: a code, `ok`, or a condition.
    pub expected: String,
    /// What was answered instead: a code, `ok`, or a value.
    pub got: String,
    /// More about it: the error's message.
    pub detail: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, expected, got, detail } = self;
        write!(f, "line {line}: expected {expected}, got {got}")?;
        if detail.is_empty() { Ok(()) } else { write!(f, " ({detail})") }
    }
}

/// Runs a scenario up to its first difference.
///
/// # Errors
/// The statement that went otherwise.
pub fn run(scenario: &Scenario, cloud: &mut dyn Cloud) -> Result<Ran, Failed> {
    let mut runner = Runner { cloud, names: BTreeMap::new(), last: Value::Null, tokens: 0, ran: Ran::default() };
    for statement in &scenario.statements {
        let line = statement.line;
        runner.act(&statement.act).map_err(|(expected, got, detail)| Failed { line, expected, got, detail })?;
    }
    Ok(runner.ran)
}

struct Runner<'a> {
    cloud: &'a mut dyn Cloud,
    names: BTreeMap<String, String>,
    last: Value,
    tokens: usize,
    ran: Ran,
}

/// Expected, got, detail.
type Mismatch = (String, String, String);

impl Runner<'_> {
    fn act(&mut self, act: &Act) -> Result<(), Mismatch> {
        match act {
            Act::Call { times, operation, arguments, refused } => {
                for index in 0..*times {
                    let expected = refused.as_deref().filter(|_| index + 1 == *times);
                    self.names.insert("i".to_owned(), index.to_string());
                    self.call(*operation, arguments, expected)?;
                }
                Ok(())
            }
            Act::DryRun { operation, arguments, code } => self.dry_run(*operation, arguments, code),
            Act::Let { name, path } => {
                let text = self.last.at(path).and_then(Value::as_str).map(str::to_owned);
                let missing = || (format!("a text at {path}"), "none".to_owned(), self.last.to_string());
                self.names.insert(name.clone(), text.ok_or_else(missing)?);
                Ok(())
            }
            Act::Expect(condition) => self.check(condition),
            Act::Wait(time) => {
                self.cloud.wait(*time);
                Ok(())
            }
            Act::Until { operation, arguments, condition } => {
                let mut waited = Duration::ZERO;
                loop {
                    self.call(*operation, arguments, None)?;
                    match self.check(condition) {
                        Err(_) if waited < self.cloud.patience() => self.cloud.wait(LOOK_EVERY),
                        result => return result,
                    }
                    waited += LOOK_EVERY;
                }
            }
            Act::Set { name, value } => {
                let value = self.filled(value);
                self.set(&Setting::Set { name, value: &value })
            }
            Act::Fail { operation, code, message } => self.set(&Setting::Fail { operation: *operation, code, message }),
        }
    }

    fn set(&mut self, setting: &Setting<'_>) -> Result<(), Mismatch> {
        self.cloud.set(setting.clone()).map_err(|why| ("a setting".to_owned(), "none".to_owned(), why))
    }

    fn call(&mut self, operation: Operation, arguments: &Json, expected: Option<&str>) -> Result<(), Mismatch> {
        let wanted = expected.unwrap_or("ok").to_owned();
        let request =
            self.request(operation, arguments).map_err(|why| (wanted.clone(), "no request".to_owned(), why))?;
        self.ran.calls += 1;
        let reply = self.cloud.call(&request);
        match (reply, expected) {
            (Ok(value), None) => {
                self.last = value;
                Ok(())
            }
            (Err(ApiError { code, .. }), Some(expected)) if code == expected => {
                self.ran.refused_by.extend(self.cloud.refused_by());
                Ok(())
            }
            (Ok(_), Some(_)) => Err((wanted, "ok".to_owned(), request.to_string())),
            (Err(error), _) => Err((wanted, error.code, error.message)),
        }
    }

    fn dry_run(&mut self, operation: Operation, arguments: &Json, code: &str) -> Result<(), Mismatch> {
        let none = |why: String| (code.to_owned(), "no request".to_owned(), why);
        let request = self.request(operation, arguments).map_err(none)?;
        self.ran.calls += 1;
        let error = self.cloud.dry_run(&request).ok_or_else(|| none("it cannot be asked".to_owned()))?;
        if error.code != code {
            return Err((code.to_owned(), error.code, error.message));
        }
        self.ran.refused_by.extend(self.cloud.refused_by());
        Ok(())
    }

    fn request(&mut self, operation: Operation, arguments: &Json) -> Result<Request, String> {
        let Json::Object(arguments) = self.filled(arguments) else { return Err("no arguments".to_owned()) };
        let mut args = Vec::new();
        for (name, value) in arguments {
            let known = operation.parameters().iter().find(|parameter| parameter.name == name);
            // One of them shows what AWS says of a parameter it does not know.
            let known = known.map_or("Unknown", |parameter| parameter.name);
            let value = serde_json::from_value::<Value>(value).map_err(|error| format!("{name}: {error}"))?;
            args.push((known, value));
        }
        for parameter in operation.parameters().iter().filter(|parameter| parameter.required) {
            let value = match parameter.name {
                "Tags" => Value::map::<&str, Value>([]),
                "ClientToken" => {
                    self.tokens += 1;
                    format!("token-{}", self.tokens).into()
                }
                _ => continue,
            };
            if args.iter().all(|(name, _)| *name != parameter.name) {
                args.push((parameter.name, value));
            }
        }
        Ok(Request(Call::new(operation, args)))
    }

    /// The value with `$name` in its texts replaced.
    fn filled(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.filled_text(text)),
            Json::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Json::Object(map) => map.iter().map(|(key, item)| (self.filled_text(key), self.filled(item))).collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
        }
    }

    /// Names are replaced longest first, so that `$vpc2` is not `$vpc` and a 2. `$$` and `$secret` stay.
    fn filled_text(&self, text: &str) -> String {
        if let Some(count) = text.strip_prefix("$x*").and_then(|count| count.parse().ok()) {
            return "x".repeat(count);
        }
        let mut text = text.to_owned();
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in names {
            text = text.replace(&format!("${name}"), value);
        }
        text
    }

    fn check(&mut self, condition: &Condition) -> Result<(), Mismatch> {
        self.ran.checks += 1;
        let Condition { path, test } = condition;
        let found = self.last.at(path).cloned().filter(|value| !value.is_null());
        let shown = found.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let (holds, expected) = match test {
            Test::Equals(value) => self.compare(found.as_ref(), value, "=="),
            Test::Differs(value) => {
                let (equal, expected) = self.compare(found.as_ref(), value, "!=");
                (!equal, expected)
            }
            Test::Absent => (found.is_none(), "nothing".to_owned()),
            Test::Present => (found.is_some(), "something".to_owned()),
            Test::Has(count) => {
                let there = found.as_ref().and_then(|value| match value {
                    Value::List(items) => Some(items.len()),
                    Value::Map(map) => Some(map.len()),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Str(_)
                    | Value::Ref(..)
                    | Value::Secret(_) => None,
                });
                (there.unwrap_or(0) == *count, format!("{count} items"))
            }
        };
        if holds { Ok(()) } else { Err((format!("{path} {expected}"), shown, String::new())) }
    }

    fn compare(&self, found: Option<&Value>, value: &Json, sign: &str) -> (bool, String) {
        let value = self.filled(value);
        let wanted = serde_json::from_value::<Value>(value.clone()).ok();
        (found == wanted.as_ref(), format!("{sign} {value}"))
    }
}

/// The simulated account, to run scenarios on.
#[derive(Clone)]
pub struct SimulatedCloud {
    account: Account,
    now: Instant,
    secrets: Secrets,
}

impl Default for SimulatedCloud {
    fn default() -> Self {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse"));
        Self { account: Account::new(Options::default()), now: Instant::ZERO, secrets }
    }
}

impl Cloud for SimulatedCloud {
    fn call(&mut self, request: &Request) -> Reply {
        self.account.call(self.now, request, &self.secrets)
    }

    fn dry_run(&mut self, request: &Request) -> Option<ApiError> {
        Some(self.account.dry_run(self.now, request, &self.secrets))
    }

    /// A day.
    fn patience(&self) -> Duration {
        Duration::from_secs(24 * 3600)
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn set(&mut self, setting: Setting<'_>) -> Result<(), String> {
        match setting {
            Setting::Fail { operation, code, message } => {
                self.account.fail_next(operation, code, message);
                Ok(())
            }
            Setting::Set { name: "policy", value } => {
                let policy = Policy::parse(&value.to_string()).map_err(|error| error.to_string())?;
                self.account = self.account.clone().with_policy(Some(policy));
                Ok(())
            }
            Setting::Set { name, value } => match name.split_once('.') {
                Some(("quota", quota)) => self.set_quota(quota, value),
                Some(("other", kind)) => self.add_foreign(kind, value),
                Some(_) | None => self.set_option(name, value),
            },
        }
    }

    fn refused_by(&self) -> Option<&'static Rule> {
        self.account.refused_by()
    }
}

impl SimulatedCloud {
    /// Quotas are set by the names they have in a saved account.
    fn set_quota(&mut self, name: &str, value: &Json) -> Result<(), String> {
        let mut quotas = serde_json::to_value(self.account.quotas()).map_err(|error| error.to_string())?;
        let quota = quotas.get_mut(name).ok_or_else(|| format!("no quota is called {name}"))?;
        *quota = value.clone();
        let quotas = serde_json::from_value(quotas).map_err(|error| format!("{name}: {error}"))?;
        self.account = self.account.clone().with_quotas(quotas);
        Ok(())
    }

    /// What other people have or did: a network interface, protection of an instance, a block of public access,
    /// or something of a kind that goes on a VPC.
    fn add_foreign(&mut self, kind: &str, value: &Json) -> Result<(), String> {
        let text = |name: &str| value.get(name).and_then(Json::as_str).ok_or_else(|| format!("{kind} lacks {name}"));
        if kind == "interface" {
            let groups = value.get("groups").and_then(Json::as_array).into_iter().flatten();
            let groups: Vec<&str> = groups.filter_map(Json::as_str).collect();
            let shows: ForeignInterface = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
            let id = self.account.add_interface(text("subnet")?, &groups, shows);
            return id.map(drop).ok_or_else(|| "there is no such subnet, or no address left in it".to_owned());
        }
        if kind == "block-public-access" {
            let block = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
            self.account.block_public_access(block);
            return Ok(());
        }
        if kind == "protection" {
            let protection: Protection = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
            let is_there = self.account.protect_instance(text("instance")?, protection);
            return is_there.then_some(()).ok_or_else(|| "there is no such instance".to_owned());
        }
        let tags = value.get("tags").cloned().unwrap_or_else(|| Json::Object(serde_json::Map::new()));
        let tags: Value = serde_json::from_value(tags).map_err(|error| error.to_string())?;
        let tags = tags.as_map().cloned().unwrap_or_default();
        if kind == "endpoint" {
            self.account.attach_endpoint(self.now, text("vpc")?, tags);
            return Ok(());
        }
        let named = serde_json::from_value(kind.into()).map_err(|error| error.to_string())?;
        self.account.attach(self.now, named, text("vpc")?, tags);
        Ok(())
    }

    /// Options are set before the first call: they make a new account.
    fn set_option(&mut self, name: &str, value: &Json) -> Result<(), String> {
        let mut options = serde_json::to_value(self.account.options()).map_err(|error| error.to_string())?;
        let option = options.get_mut(name).ok_or_else(|| format!("no option is called {name}"))?;
        *option = value.clone();
        let options: Options = serde_json::from_value(options).map_err(|error| format!("{name}: {error}"))?;
        if !self.account.is_empty(self.now) {
            return Err(format!("{name} can be set on an empty account only"));
        }
        let quotas = self.account.quotas().clone();
        self.account = Account::new(options).with_quotas(quotas);
        Ok(())
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The same, with everything done at once.
    #[must_use]
    pub fn instant() -> Self {
        let options = Options { durations: Durations::Instant, ..Options::default() };
        Self { account: Account::new(options), ..Self::default() }
    }
}
