//! A call that is refused changes nothing: checked on every refusal of every scenario.

use aloka_core::api::{Call, Operation, Reply, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::time::Instant;
use aloka_sim::aws::{Account, Options};
use aloka_sim::rules::Rule;
use aloka_sim::scenario::{Cloud, Setting, library, run};
use serde_json::json;

/// Refusals that are ordered by `fail`.
const ORDERED: [&str; 3] = ["db-instance.capacity", "db-instance.free-plan", "db-instance.service-linked-role"];

/// A simulated account that is looked at before and after every call.
struct Watched {
    account: Account,
    now: Instant,
    secrets: Secrets,
    refusals: usize,
    changed: Vec<String>,
}

impl Default for Watched {
    fn default() -> Self {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse"));
        let account = Account::new(Options::default());
        Self { account, now: Instant::ZERO, secrets, refusals: 0, changed: Vec::new() }
    }
}

impl Cloud for Watched {
    fn call(&mut self, request: &Request) -> Reply {
        // What is gone by now is removed at the next call, whatever it is.
        let idle = Request(Call::new(Operation::GetCallerIdentity, []));
        self.account.call(self.now, &idle, &self.secrets)?;
        let save = |account: &Account| serde_json::to_string(account).expect("saved");
        let before = save(&self.account);
        let reply = self.account.call(self.now, request, &self.secrets);
        if let Err(error) = &reply {
            self.refusals += 1;
            // That a failure was ordered is forgotten with the call it makes fail.
            let is_ordered = self.account.refused_by().is_some_and(|rule| ORDERED.contains(&rule.id));
            if before != save(&self.account) && !is_ordered {
                self.changed.push(format!("{request}: {error}"));
            }
            if error.message.is_empty() || error.message.contains("{}") {
                self.changed.push(format!("{request}: {}, in the words {:?}", error.code, error.message));
            }
        }
        reply
    }

    fn wait(&mut self, time: std::time::Duration) {
        self.now = self.now + time;
    }

    fn set(&mut self, setting: Setting<'_>) -> Result<(), String> {
        let merged = |before: serde_json::Value, name: &str, value: &serde_json::Value| {
            let mut after = before;
            after[name] = value.clone();
            after
        };
        match setting {
            Setting::Fail { operation, code, message } => self.account.fail_next(operation, code, message),
            Setting::Set { name, value } => match name.strip_prefix("quota.") {
                Some(quota) => {
                    let quotas = merged(json!(self.account.quotas()), quota, value);
                    let quotas = serde_json::from_value(quotas).map_err(|error| error.to_string())?;
                    self.account = self.account.clone().with_quotas(quotas);
                }
                None => {
                    let options = merged(json!(self.account.options()), name, value);
                    let options = serde_json::from_value(options).map_err(|error| error.to_string())?;
                    self.account = Account::new(options).with_quotas(self.account.quotas().clone());
                }
            },
        }
        Ok(())
    }

    fn refused_by(&self) -> Option<&'static Rule> {
        self.account.refused_by()
    }
}

#[test]
fn refused_calls_change_nothing_and_say_why() {
    let (mut refusals, mut changed) = (0, Vec::new());
    for scenario in library().expect("scenarios").scenarios {
        let mut cloud = Watched::default();
        // Whether it goes as it says is another test's.
        if run(&scenario, &mut cloud).is_ok() {
            refusals += cloud.refusals;
        }
        changed.extend(cloud.changed.into_iter().map(|what| format!("{}: {what}", scenario.name)));
    }
    assert!(changed.is_empty(), "{} refused calls:\n{}", changed.len(), changed.join("\n"));
    assert!(refusals > 100, "{refusals} refusals are few");
}
