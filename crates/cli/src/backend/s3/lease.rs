//! The locks of an S3 backend: Terraform's lock object, its item in DynamoDB, or both, with a lease.
//!
//! Names, contents and order are Terraform 1.11's, so that either tool respects the other's. What is added is a
//! lease: the holder rewrites its lock several times in it, and one that stood unchanged for a whole lease under the
//! eyes of somebody who waits is taken over, by a conditional write on exactly what was seen. A lock without a lease
//! is Terraform's and never expires.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use aloka_core::api::ApiError;
use aloka_core::remote::{ATTEMPTS, BEATS_PER_LEASE, Silence, Verdict, Watch};
use aloka_core::time::Instant as Moment;

use super::wire::{Condition, Wire, is_uncertain};
use super::{Place, pause};
use crate::backend::lock::WAITING;
use crate::backend::{BackendError, LockInfo};
use crate::rfc3339;

/// The attribute of a lock item.
const INFO: &str = "Info";
/// The first pause between two attempts at the lock; doubled up to [`PAUSE_MAX`], as Terraform does.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause between two attempts at the lock.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A place for one lock. Its token names what was seen there, for a conditional request.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// An object; the token is its ETag.
    File { key: String },
    /// An item; the token is its text.
    Item { id: String },
}

impl Slot {
    fn look(&self, wire: &dyn Wire) -> Result<Option<(String, String)>, ApiError> {
        match self {
            Self::File { key } => {
                let object = wire.get(key, None)?;
                Ok(object.map(|object| (String::from_utf8_lossy(&object.body).into_owned(), object.tag)))
            }
            Self::Item { id } => Ok(wire.item(id, INFO)?.map(|text| (text.clone(), text))),
        }
    }

    /// Sends a write once; the token of what was written, or `None` if the condition does not hold.
    fn put(&self, wire: &dyn Wire, text: &str, condition: Condition<'_>) -> Result<Option<String>, ApiError> {
        match self {
            Self::File { key } => wire.put(key, text.as_bytes().to_vec(), [].into(), condition),
            Self::Item { id } => Ok(wire.put_item(id, INFO, text, condition)?.then(|| text.to_owned())),
        }
    }

    /// The same until it is certain what became of it. No two texts are the same, so that what is found tells.
    pub(super) fn settle(
        &self,
        wire: &dyn Wire,
        text: &str,
        condition: Condition<'_>,
    ) -> Result<Option<String>, ApiError> {
        let mut unsure = None;
        for attempt in 0..ATTEMPTS {
            match self.put(wire, text, condition) {
                Ok(None) if unsure.is_some() => {
                    return Ok(self.look(wire)?.filter(|(found, _)| found == text).map(|(_, token)| token));
                }
                Ok(token) => return Ok(token),
                Err(error) if is_uncertain(&error) => {
                    unsure = Some(error);
                    pause(attempt);
                }
                Err(error) => return Err(error),
            }
        }
        Err(unsure.unwrap_or_else(|| ApiError::timeout("no attempt was made")))
    }

    fn remove(&self, wire: &dyn Wire, token: &str) -> Result<bool, ApiError> {
        match self {
            Self::File { key } => wire.delete(key, token),
            Self::Item { id } => wire.delete_item(id, INFO, token),
        }
    }

    /// Removes the lock with this ID as it may stand now. False if it is not there.
    fn release(&self, wire: &dyn Wire, id: &str) -> Result<bool, ApiError> {
        for attempt in 0..ATTEMPTS {
            let found = match self.look(wire) {
                Ok(found) => found,
                Err(error) if is_uncertain(&error) => {
                    pause(attempt);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some((_, token)) = found.filter(|(text, _)| LockInfo::parse(text).is_some_and(|info| info.id == id))
            else {
                return Ok(false);
            };
            match self.remove(wire, &token) {
                Ok(true) => return Ok(true),
                // A sign of life came between.
                Ok(false) => {}
                Err(error) if is_uncertain(&error) => pause(attempt),
                Err(error) => return Err(error),
            }
        }
        Err(ApiError::timeout("the lock could not be removed"))
    }
}

/// Takes and removes the locks of one state.
#[derive(Clone)]
pub(super) struct Locker {
    pub(super) wire: Arc<dyn Wire>,
    /// In the order they are taken and given back.
    pub(super) slots: Arc<[Slot]>,
    pub(super) place: Arc<Place>,
    pub(super) lease: Duration,
    /// What the steady clock counts from.
    pub(super) began: Instant,
}

/// What one attempt at the lock came to.
enum Attempted {
    /// Tokens, and those whose locks were taken over.
    Got(Vec<String>, Vec<LockInfo>),
    /// Somebody holds it. What they wrote.
    Held(String),
}

impl Locker {
    fn failed(&self, action: &'static str) -> impl Fn(ApiError) -> BackendError + '_ {
        move |error| self.place.failed(action, error)
    }

    fn now(&self) -> Moment {
        Moment::ZERO + self.began.elapsed()
    }

    /// Takes all locks, or waits for them up to `timeout`.
    pub(super) fn acquire(
        &self,
        operation: &str,
        timeout: Duration,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Held, BackendError> {
        let mut info = LockInfo::new(operation, &self.place.lock_path);
        info.lease = Some(self.lease.as_secs());
        let mut watches = vec![Watch::default(); self.slots.len()];
        let began = Instant::now();
        let mut patience = timeout;
        let mut wait = PAUSE_MIN.min(self.lease / 2);
        let mut told = false;
        loop {
            info.renewed = Some(rfc3339::micros(SystemTime::now()));
            let sent = Instant::now();
            let text = match self.attempt(&info, &mut watches).map_err(self.failed("lock"))? {
                Attempted::Got(tokens, dead) => {
                    for holder in dead {
                        tell(&expired(&holder));
                    }
                    return Ok(Held::begin(self.clone(), info, tokens, sent));
                }
                // Given back just now.
                Attempted::Held(text) if text.is_empty() => continue,
                Attempted::Held(text) => text,
            };
            let holder = LockInfo::parse(&text);
            if let Some(Silence::Watch(lease)) = holder.as_ref().map(silence) {
                // Whoever would not wait for the living waits for the dead, once.
                let enough = lease.saturating_add(PAUSE_MAX * 2);
                if patience < enough {
                    patience = enough;
                    tell(&format!(
                        "the lock of {} has shown no sign of life since {}: watching it for {}s",
                        holder.as_ref().map(|info| info.who.as_str()).unwrap_or_default(),
                        holder.as_ref().and_then(|info| info.renewed.as_deref()).unwrap_or_default(),
                        lease.as_secs()
                    ));
                    told = true;
                }
            }
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(BackendError::Locked { place: self.place.describe(), info: holder.map(Box::new) });
            }
            if !told {
                tell(WAITING);
                told = true;
            }
            std::thread::sleep(wait.min(left));
            wait = (wait * 2).min(PAUSE_MAX);
        }
    }

    fn attempt(&self, info: &LockInfo, watches: &mut [Watch]) -> Result<Attempted, ApiError> {
        let text = info.to_json();
        let mut tokens = Vec::new();
        let mut dead = Vec::new();
        for (slot, watch) in self.slots.iter().zip(watches) {
            let taken = match slot.settle(&*self.wire, &text, Condition::Absent) {
                Ok(Some(token)) => Ok(token),
                Ok(None) => self.watch(slot, watch, &text, &mut dead),
                Err(error) => Err(Failed::Wire(error)),
            };
            match taken {
                Ok(token) => tokens.push(token),
                Err(failed) => {
                    // All or none, as Terraform does.
                    for (slot, token) in self.slots.iter().zip(&tokens) {
                        let _expires = slot.remove(&*self.wire, token);
                    }
                    return match failed {
                        Failed::Held(text) => Ok(Attempted::Held(text)),
                        Failed::Wire(error) => Err(error),
                    };
                }
            }
        }
        Ok(Attempted::Got(tokens, dead))
    }

    /// Looks at a lock that is held, and takes it over if its holder is dead.
    fn watch(&self, slot: &Slot, watch: &mut Watch, text: &str, dead: &mut Vec<LockInfo>) -> Result<String, Failed> {
        let asked = self.now();
        // Given back meanwhile: the next attempt finds it free.
        let Some((found, token)) = slot.look(&*self.wire).map_err(Failed::Wire)? else {
            return Err(Failed::Held(String::new()));
        };
        let holder = LockInfo::parse(&found);
        let lease = holder.as_ref().and_then(|info| info.lease);
        match watch.see(asked, self.now(), &found, lease) {
            Verdict::Held => Err(Failed::Held(found)),
            Verdict::Expired => match slot.settle(&*self.wire, text, Condition::Is(&token)).map_err(Failed::Wire)? {
                Some(token) => {
                    dead.extend(holder);
                    Ok(token)
                }
                None => Err(Failed::Held(found)),
            },
        }
    }

    /// Removes the lock with this ID, whoever holds it, wherever it stands.
    pub(super) fn force(&self, id: &str) -> Result<(), BackendError> {
        let mut removed = false;
        let mut other = None;
        for slot in self.slots.iter() {
            if slot.release(&*self.wire, id).map_err(self.failed("unlock"))? {
                removed = true;
            } else if let Some((text, _)) = slot.look(&*self.wire).map_err(self.failed("unlock"))? {
                other = LockInfo::parse(&text).map(Box::new);
            }
        }
        if removed {
            return Ok(());
        }
        Err(BackendError::LockId { place: self.place.describe(), given: id.to_owned(), info: other })
    }
}

/// Why a lock was not taken.
enum Failed {
    /// Somebody holds it. What they wrote; empty if it was given back just now.
    Held(String),
    Wire(ApiError),
}

fn silence(info: &LockInfo) -> Silence {
    info.silence(SystemTime::now())
}

fn expired(holder: &LockInfo) -> String {
    let LockInfo { who, operation, created, renewed, .. } = holder;
    let heard = renewed.as_deref().unwrap_or("unknown");
    format!("taking over the lock of {who} for {operation} since {created}: no sign of life since {heard}")
}

/// A lock that is held: kept alive by a thread of its own until it is given back.
pub(super) struct Held {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    locker: Locker,
    holding: Mutex<Holding>,
    ended: Condvar,
}

struct Holding {
    info: LockInfo,
    tokens: Vec<String>,
    /// When the last sign of life that arrived was sent.
    alive: Instant,
    /// Who has the lock instead; `Some(None)` if nobody.
    lost: Option<Option<LockInfo>>,
    over: bool,
}

impl Held {
    fn begin(locker: Locker, info: LockInfo, tokens: Vec<String>, alive: Instant) -> Self {
        let holding = Mutex::new(Holding { info, tokens, alive, lost: None, over: false });
        let shared = Arc::new(Shared { locker, holding, ended: Condvar::new() });
        let beating = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("state lock".to_owned()).spawn(move || beating.beat()).ok();
        Self { shared, thread }
    }

    /// Refuses to go on once the lock is lost. Who slept past the lease, or has no thread, asks the store first.
    pub(super) fn check(&self) -> Result<(), BackendError> {
        let mut holding = self.shared.holding();
        if holding.alive.elapsed() >= self.shared.locker.lease {
            self.shared.renew(&mut holding);
        }
        match &holding.lost {
            None => Ok(()),
            Some(holder) => Err(BackendError::LockLost {
                place: self.shared.locker.place.describe(),
                info: holder.clone().map(Box::new),
            }),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut holding = self.shared.holding();
        holding.over = true;
        let id = holding.info.id.clone();
        drop(holding);
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
        let Locker { wire, slots, .. } = &self.shared.locker;
        for slot in slots.iter() {
            // One that cannot be removed expires.
            let _expires = slot.release(&**wire, &id);
        }
    }
}

impl Shared {
    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        let interval = self.locker.lease / BEATS_PER_LEASE;
        let mut holding = self.holding();
        loop {
            let waited = self.ended.wait_timeout_while(holding, interval, |holding| !holding.over);
            (holding, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if holding.over || holding.lost.is_some() {
                return;
            }
            self.renew(&mut holding);
        }
    }

    /// One sign of life. No answer is no reason to give up: the next one may come through.
    fn renew(&self, holding: &mut Holding) {
        let Locker { wire, slots, .. } = &self.locker;
        let sent = Instant::now();
        holding.info.renewed = Some(rfc3339::micros(SystemTime::now()));
        let text = holding.info.to_json();
        let mut arrived = true;
        for (slot, token) in slots.iter().zip(&mut holding.tokens) {
            match slot.put(&**wire, &text, Condition::Is(token)) {
                Ok(Some(new)) => *token = new,
                // Its own earlier sign, whose answer was lost; or the lock is lost.
                Ok(None) => match slot.look(&**wire) {
                    Ok(found) => {
                        let holder = found.as_ref().and_then(|(text, _)| LockInfo::parse(text));
                        match (found, holder) {
                            (Some((_, seen)), Some(info)) if info.id == holding.info.id => {
                                *token = seen;
                                arrived = false;
                            }
                            (_, holder) => {
                                holding.lost = Some(holder);
                                return;
                            }
                        }
                    }
                    Err(_) => arrived = false,
                },
                Err(_) => arrived = false,
            }
        }
        if arrived {
            holding.alive = sent;
        }
    }
}
