//! The simulated cloud of a directory: an account in a file, so that plan, apply and destroy see the same one.
//!
//! `ALOKA_SIM_PACE` set to a number makes that many virtual seconds pass in one real second, for people to look on;
//! otherwise no real time passes. For tests, `ALOKA_TEST_FLAWS` makes the simulated AWS answer otherwise than it does.

mod flaw;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aloka_core::api::{Reply, Request};
use aloka_core::engine::{Event, Executor, Notice, Outcome};
use aloka_core::plan::Node;
use aloka_core::secret::Secrets;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_sim::aws::{Account, Options};
use aloka_sim::store::Store;
use aloka_sim::world::{Latency, RunEnd, Watch, World};
use serde::{Deserialize, Serialize};

use self::flaw::Flaws;
use super::signals::{Listener, said};
use super::{CloudError, CloudSettings, Observer, write};
use crate::backend::Backend;
use crate::files;

/// The format of the account file.
const FORMAT_VERSION: u32 = 1;
/// Larger files are refused.
const SIZE_MAX: u64 = 256 << 20;
/// Virtual seconds that pass in one real second.
const PACE: &str = "ALOKA_SIM_PACE";
/// Pauses shorter than this add up before they are made.
const PAUSE_LEAST: Duration = Duration::from_millis(20);
/// A longer pause is made in parts, so that people see time pass.
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// The simulated account of a directory.
pub struct SimCloud {
    file: AccountFile,
    world: World,
    pace: Option<u64>,
    listener: Listener,
    flaws: Flaws,
}

/// Where the account is kept.
struct AccountFile(PathBuf);

#[derive(Deserialize)]
struct Saved {
    format_version: u32,
    now: Instant,
    account: Account,
}

#[derive(Serialize)]
struct Saving<'a> {
    format_version: u32,
    now: Instant,
    account: &'a Account,
}

impl SimCloud {
    pub(super) fn open(settings: &CloudSettings) -> Result<Self, CloudError> {
        let file = AccountFile(settings.account_file.clone());
        let pace = std::env::var(PACE).ok().and_then(|text| text.parse().ok()).filter(|pace| *pace > 0);
        let fresh = || Account::new(Options { region: settings.region.clone(), ..Options::default() });
        let (account, now) = match file.load()? {
            Some(Saved { now, account, .. }) if account.options().region == settings.region => (account, now),
            Some(Saved { now, account, .. }) if account.is_empty(now) => (fresh(), now),
            Some(Saved { account, .. }) => {
                let there = &account.options().region;
                return Err(file.error(format!("it is in Region {there}, the variables say {}", settings.region)));
            }
            None => (fresh(), Instant::ZERO),
        };
        let world = World::new(account, Latency::default()).at(now);
        let flaws = Flaws::of_environment().map_err(|problem| file.error(problem))?;
        Ok(Self { file, world, pace, listener: Listener::new()?, flaws })
    }

    pub(super) fn now(&self) -> Instant {
        self.world.now()
    }

    pub(super) fn listener(&mut self) -> &mut Listener {
        &mut self.listener
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.listener.is_stopping()
    }

    pub(super) fn run(
        &mut self,
        executor: &mut Executor,
        backend: Option<&mut dyn Backend>,
        secrets: &Secrets,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, CloudError> {
        let Self { file, world, pace, listener, flaws } = self;
        let mut watch = Onlooker { observer, listener, pace: *pace, owed: Duration::ZERO, file, flaws };
        let end = world.run(executor, &mut BackendStore(backend), secrets, &mut watch);
        // Whatever became of the run, what it did to the account has happened.
        file.save(&world.account, world.now())?;
        match end {
            RunEnd::Outcome(outcome) => Ok(outcome),
            RunEnd::Stuck | RunEnd::Crashed => Err(CloudError::Stuck),
        }
    }
}

impl AccountFile {
    fn error(&self, problem: impl ToString) -> CloudError {
        CloudError::AccountFile { path: self.0.clone(), problem: problem.to_string() }
    }

    fn load(&self) -> Result<Option<Saved>, CloudError> {
        let bytes = files::implied(&self.0, SIZE_MAX).map_err(|error| self.error(error.message))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| self.error(error))?;
        match saved.format_version {
            FORMAT_VERSION => Ok(Some(saved)),
            other => Err(self.error(format!("format version {other}, this release reads {FORMAT_VERSION}"))),
        }
    }

    fn save(&self, account: &Account, now: Instant) -> Result<(), CloudError> {
        let saving = Saving { format_version: FORMAT_VERSION, now, account };
        files::replace_implied(&self.0, |new| Ok(serde_json::to_writer(new, &saving)?))
            .map_err(|error| self.error(error))
    }
}

/// A backend as the store of a simulated world.
struct BackendStore<'a>(Option<&'a mut dyn Backend>);

impl Store for BackendStore<'_> {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        write(&mut self.0, state)
    }
}

/// Passes notices on and, if people are to look on, lets real time pass.
struct Onlooker<'a> {
    observer: &'a mut dyn Observer,
    listener: &'a mut Listener,
    pace: Option<u64>,
    /// Real time that should have passed and has not.
    owed: Duration,
    file: &'a AccountFile,
    flaws: &'a mut Flaws,
}

impl Watch for Onlooker<'_> {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        self.observer.notice(nodes, notice);
    }

    fn after_call(&mut self, now: Instant, account: &mut Account, request: &Request, _reply: &Reply) {
        // A run that takes its time may be killed, and AWS would remember what it did. What cannot be saved now is
        // told of when the run has ended.
        if self.pace.is_some() && request.operation().is_mutating() {
            let _told_later = self.file.save(account, now);
        }
    }

    fn answer(&mut self, request: &Request, reply: &mut Reply) {
        self.flaws.strike(request, reply);
    }

    fn interrupt(&mut self, nodes: &[Node], from: Instant, to: Instant) -> Option<(Instant, Event)> {
        let mut now = from;
        let mut heard = self.listener.sleep(Duration::ZERO);
        if let Some(pace) = self.pace.filter(|_| heard.is_none()) {
            let passing = u64::try_from((to - from).as_micros()).unwrap_or(u64::MAX);
            self.owed += Duration::from_micros(passing / pace);
            let pace = u32::try_from(pace).unwrap_or(u32::MAX);
            while heard.is_none() && self.owed >= PAUSE_LEAST {
                let pause = self.owed.min(PAUSE_MOST);
                let began = std::time::Instant::now();
                heard = self.listener.sleep(pause);
                let passed = if heard.is_some() { began.elapsed().min(pause) } else { pause };
                self.owed -= passed;
                now = (now + passed.saturating_mul(pace)).min(to);
                self.observer.tick(nodes, now);
            }
        }
        let event = heard?;
        // What is not waited for any more is not owed.
        self.owed = Duration::ZERO;
        self.observer.remark(said(&event));
        Some((now, event))
    }
}

#[cfg(test)]
mod tests;
