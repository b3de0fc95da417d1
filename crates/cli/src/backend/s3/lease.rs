//! The locks of an S3 backend: Terraform's lock object, its item in DynamoDB, or both, with a lease.
//!
//! Names, contents and order are Terraform 1.11's, so that either tool respects the other's. What is added is a
//! lease: the holder rewrites its lock several times in it, and one that stood unchanged for a whole lease under the
//! eyes of somebody who waits is taken over, by a conditional write on exactly what was seen. A lock without a lease
//! is Terraform's and never expires.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use aloka_core::api::ApiError;
use aloka_core::remote::{ATTEMPTS, BEATS_PER_LEASE, Silence, Verdict, Watch};
use aloka_core::time::Instant as Moment;

use super::Place;
use super::wire::{Condition, Item, Wire, is_uncertain, patiently, pause};
use crate::backend::lock::WAITING;
use crate::backend::{BackendError, LockInfo};
use crate::io::late_line;
use crate::rfc3339;

/// The attribute of a lock item.
const INFO: &str = "Info";
/// The first pause between two attempts at the lock; doubled up to [`PAUSE_MAX`], as Terraform does.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause between two attempts at the lock.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// So often in all a lock is found to be held and then gone, before that counts as no answer.
const FREE_MAX: u32 = 8;

/// A place for one lock. Its token names what was seen there, for a conditional request.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// An object; the token is its ETag.
    File { key: String },
    /// An item; the token is its text.
    Item { id: String },
}

/// What stands in a slot: its text, and what a conditional request needs to know of it. The text of an item without one is
/// empty.
type Seen = (String, Item);

impl Slot {
    /// Where it is, for people.
    fn describe(&self, place: &Place) -> String {
        match self {
            Self::File { key } => format!("the object s3://{}/{key}", place.bucket),
            Self::Item { id } => format!("the item {id} of the table {}", place.table.as_deref().unwrap_or_default()),
        }
    }

    /// What giving it back takes, in IAM's words.
    const fn removal(&self) -> &'static str {
        match self {
            Self::File { .. } => "s3:DeleteObject",
            Self::Item { .. } => "dynamodb:DeleteItem",
        }
    }

    fn look_once(&self, wire: &dyn Wire) -> Result<Option<Seen>, ApiError> {
        match self {
            Self::File { key } => {
                let object = wire.get(key, None)?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Ok(object.map(|object| (text(&object.body), Item::Text(object.tag))))
            }
            Self::Item { id } => Ok(wire.item(id, INFO)?.map(|item| (item.clone().text().unwrap_or_default(), item))),
        }
    }

    fn look(&self, wire: &dyn Wire) -> Result<Option<Seen>, ApiError> {
        patiently(|| self.look_once(wire))
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
        let is_unsure = Cell::new(false);
        let stored = patiently(|| {
            let answer = self.put(wire, text, condition);
            is_unsure.set(is_unsure.get() || answer.as_ref().is_err_and(is_uncertain));
            answer
        })?;
        if stored.is_none() && is_unsure.get() {
            let found = self.look(wire)?.filter(|(found, _)| found == text);
            return Ok(found.and_then(|(_, token)| token.text()));
        }
        Ok(stored)
    }

    fn remove(&self, wire: &dyn Wire, token: &Item) -> Result<bool, ApiError> {
        match (self, token) {
            (Self::File { key }, Item::Text(tag)) => wire.delete(key, tag),
            // An object has a tag.
            (Self::File { .. }, Item::Formless) => Ok(false),
            (Self::Item { id }, token) => wire.delete_item(id, INFO, token),
        }
    }

    /// Removes the lock, as it may stand now, if its text is the one meant. False if it is not there.
    fn release(&self, wire: &dyn Wire, is_meant: &dyn Fn(&str) -> bool) -> Result<bool, ApiError> {
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            let result = self.look_once(wire).and_then(|found| match found.filter(|(text, _)| is_meant(text)) {
                None => Ok(None),
                Some((_, token)) => self.remove(wire, &token).map(Some),
            });
            match result {
                Ok(None) => return Ok(false),
                Ok(Some(true)) => return Ok(true),
                // A sign of life came between.
                Ok(Some(false)) => {}
                Err(error) if is_uncertain(&error) => {
                    last = Some(error);
                    pause(attempt);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| ApiError::timeout("the lock could not be removed")))
    }
}

/// True of the lock with this ID.
fn has_id(id: &str) -> impl Fn(&str) -> bool {
    move |text| LockInfo::parse(text).is_some_and(|info| info.id == id)
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
    /// Somebody holds it. What they wrote; `None` if it was given back just now.
    Held(Option<String>),
    /// What is there was not written as a lock by any tool.
    Formless(BackendError),
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
        let mut free = 0;
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
                Attempted::Held(None) if free < FREE_MAX => {
                    pause(free);
                    free += 1;
                    continue;
                }
                Attempted::Held(None) => {
                    let error = ApiError::timeout("the store says that it is held, and shows no lock");
                    return Err(self.failed("lock")(error));
                }
                Attempted::Held(Some(text)) => text,
                // Nobody gives signs of life there, or gives it back: waiting is of no use.
                Attempted::Formless(error) => return Err(error),
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
                        let _expires = slot.remove(&*self.wire, &Item::Text(token.clone()));
                    }
                    return match failed {
                        Failed::Held(text) => Ok(Attempted::Held(text)),
                        Failed::Formless(text) => Ok(Attempted::Formless(self.formless(slot, &text))),
                        Failed::Wire(error) => Err(error),
                    };
                }
            }
        }
        Ok(Attempted::Got(tokens, dead))
    }

    /// Of something that stands in the place of a lock.
    fn formless(&self, slot: &Slot, text: &str) -> BackendError {
        let found = match (slot, text.trim()) {
            (Slot::File { .. }, "") => "it is empty",
            (Slot::Item { .. }, "") => "it has no text named Info",
            _ => "neither Terraform nor aloka writes what it holds",
        };
        let (place, stands, id) = (self.place.describe(), slot.describe(&self.place), self.place.lock_path.clone());
        BackendError::LockForm { place, stands, found, id }
    }

    /// Looks at a lock that is held, and takes it over if its holder is dead.
    fn watch(&self, slot: &Slot, watch: &mut Watch, text: &str, dead: &mut Vec<LockInfo>) -> Result<String, Failed> {
        let asked = self.now();
        // Given back meanwhile: the next attempt finds it free.
        let Some((found, token)) = slot.look(&*self.wire).map_err(Failed::Wire)? else {
            return Err(Failed::Held(None));
        };
        let (Some(holder), Item::Text(token)) = (LockInfo::parse(&found), token) else {
            return Err(Failed::Formless(found));
        };
        match watch.see(asked, self.now(), &found, holder.lease) {
            Verdict::Held => Err(Failed::Held(Some(found))),
            Verdict::Expired => match slot.settle(&*self.wire, text, Condition::Is(&token)).map_err(Failed::Wire)? {
                Some(token) => {
                    dead.push(holder);
                    Ok(token)
                }
                None => Err(Failed::Held(Some(found))),
            },
        }
    }

    /// Removes the lock with this ID, whoever holds it, wherever it stands. One that has none goes by the name of the state:
    /// that is what a message about it says.
    pub(super) fn force(&self, id: &str) -> Result<(), BackendError> {
        let by_id = has_id(id);
        let by_place = |text: &str| LockInfo::parse(text).is_none();
        let is_meant: &dyn Fn(&str) -> bool = if id == self.place.lock_path { &by_place } else { &by_id };
        let mut removed = false;
        let mut other = None;
        let mut formless = None;
        for slot in self.slots.iter() {
            if slot.release(&*self.wire, is_meant).map_err(self.failed("unlock"))? {
                removed = true;
            } else if let Some((text, _)) = slot.look(&*self.wire).map_err(self.failed("unlock"))? {
                match LockInfo::parse(&text) {
                    Some(info) => other = Some(Box::new(info)),
                    None => formless = Some(self.formless(slot, &text)),
                }
            }
        }
        match formless {
            _ if removed => Ok(()),
            Some(error) => Err(error),
            None => Err(BackendError::LockId { place: self.place.describe(), given: id.to_owned(), info: other }),
        }
    }
}

/// Why a lock was not taken.
enum Failed {
    /// Somebody holds it. What they wrote; `None` if it was given back just now.
    Held(Option<String>),
    /// What is there is not a lock.
    Formless(String),
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

impl Held {
    /// Gives the lock back; why not, if it stays.
    pub(super) fn give_back(mut self) -> Option<BackendError> {
        self.end()
    }

    fn end(&mut self) -> Option<BackendError> {
        let mut holding = self.shared.holding();
        if std::mem::replace(&mut holding.over, true) {
            return None;
        }
        let (id, is_lost) = (holding.info.id.clone(), holding.lost.is_some());
        drop(holding);
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
        let Locker { wire, slots, place, lease, .. } = &self.shared.locker;
        let mut stays = None;
        for slot in slots.iter() {
            if let Err(error) = slot.release(&**wire, &has_id(&id)) {
                let (place, stands) = (place.describe(), slot.describe(place));
                let (error, permission, lease) = (Box::new(error), slot.removal(), *lease);
                stays = Some(BackendError::LockStays { place, stands, error, permission, lease, id: id.clone() });
            }
        }
        stays.filter(|_| !is_lost)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever wants to tell it in another way has asked before.
        if let Some(stays) = self.end() {
            late_line(&format!("warning: {stays}"));
            stays.hint().iter().for_each(|hint| late_line(&format!("hint: {hint}")));
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
                Ok(None) => match slot.look_once(&**wire) {
                    Ok(found) => {
                        let holder = found.as_ref().and_then(|(text, _)| LockInfo::parse(text));
                        match (found, holder) {
                            (Some((_, Item::Text(seen))), Some(info)) if info.id == holding.info.id => {
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
