//! The state as an object in S3, where Terraform's S3 backend keeps it, with its locks and its digest.
//!
//! What keeps an update from being lost is the condition of each write: the version it follows must still be stored
//! ([`aloka_core::remote`]). The lock (`lease`) saves work. Requests are sent by a `Wire`; nothing here knows the
//! AWS SDK but `sdk` and `create`.
//!
//! With a table, Terraform compares each state it reads with a digest kept there, and refuses one that differs. A run
//! that ends between writing the object and its digest leaves such a pair. Each object written here names the digest
//! of the one it followed; if that is the digest in the table, the object is the interrupted write's, and the next
//! run that holds the lock completes it.

pub(crate) mod create;
mod lease;
mod owner;
mod sdk;
#[cfg(test)]
pub(super) mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aloka_core::api::{ApiError, ErrorClass};
use aloka_core::remote::{self, Answer, Attempt, Found, LEASE, Next};
use aloka_core::shell::Command;
use aloka_core::state::{State, file};
use aloka_core::variables::backend;
use md5::{Digest as _, Md5};

use self::lease::{Held, Locker, Slot};
use self::wire::{Condition, Item, Object, Wire, is_uncertain, patiently, pause};
use super::{Backend, BackendError, Head, Version};
use crate::advice;
use crate::driver::aws::profile;
use crate::io::Still;

/// User metadata: which write made an object.
const MARK: &str = "aloka-write";
/// User metadata: the digest of the object that this one followed.
const FOLLOWS: &str = "aloka-follows-md5";
/// The attribute of a digest item.
const DIGEST: &str = "Digest";
/// How often a state is read until its digest agrees: a writer may stand between the two.
const DIGEST_READS: u32 = 4;
/// How many versions are looked at to find one that is whole.
const VERSIONS_LOOKED_AT: usize = 10;
/// Seconds that a lock lives after its last sign of life, instead of a minute.
const LEASE_VARIABLE: &str = "ALOKA_LOCK_LEASE";

/// Where it all is.
#[derive(Debug)]
pub(super) struct Place {
    bucket: String,
    key: String,
    table: Option<String>,
    /// The profile whose credentials are used, if one is named.
    profile: Option<String>,
    /// What Terraform writes into the lock, and what the item of the lock is called.
    lock_path: String,
}

impl Place {
    fn describe(&self) -> String {
        format!("state object s3://{}/{}", self.bucket, self.key)
    }

    fn digest_id(&self) -> String {
        format!("{}-md5", self.lock_path)
    }

    /// What a request could not do.
    fn failed(&self, action: &'static str, error: ApiError) -> BackendError {
        let hint = match (error.code.as_str(), error.class) {
            (_, ErrorClass::Credentials) => {
                let hint = Some(advice::credentials(&error, self.profile.as_deref()));
                return BackendError::Remote { action, place: self.describe(), error: Box::new(error), hint };
            }
            _ if advice::network(&error).is_some() => advice::network(&error),
            ("NoSuchBucket" | "ResourceNotFoundException", _) => {
                Some("check bucket, dynamodb_table and region, or make them with: aloka init -create-backend")
            }
            ("PermanentRedirect" | "AuthorizationHeaderMalformed", _) => {
                Some("the bucket is in another Region: check region of the backend block")
            }
            (_, ErrorClass::Unauthorized) => Some(
                "allow s3:GetObject and s3:PutObject on the key, for a lock file s3:DeleteObject too, for a table \
                 dynamodb:GetItem, PutItem and DeleteItem, to list workspaces s3:ListBucket",
            ),
            (_, ErrorClass::Unknown | ErrorClass::Throttled) => {
                Some("S3 or DynamoDB could not be reached: try again when they can")
            }
            (
                _,
                ErrorClass::NotFound
                | ErrorClass::AlreadyExists
                | ErrorClass::Conflict
                | ErrorClass::Capacity
                | ErrorClass::Quota
                | ErrorClass::NotImplemented
                | ErrorClass::Refused,
            ) => None,
        };
        // S3 says the same of what is not allowed and of a bucket that is somebody else's.
        let is_refused = matches!(error.class, ErrorClass::Unauthorized) || error.code == "HTTP403";
        let hint = match (hint, is_refused) {
            (Some(hint), true) => Some(format!("{hint}; {}", owner::hint())),
            (None, true) => Some(owner::hint()),
            (hint, false) => hint.map(str::to_owned),
        };
        BackendError::Remote { action, place: self.describe(), error: Box::new(error), hint }
    }
}

/// What is known to be stored.
#[derive(Clone, Debug)]
enum Known {
    /// Nothing is known.
    Unread,
    /// Nothing is stored.
    Nothing,
    /// This is.
    Stored { tag: String, head: Head, md5: String, modified: Option<SystemTime> },
}

impl Known {
    fn head(&self) -> Option<&Head> {
        match self {
            Self::Unread | Self::Nothing => None,
            Self::Stored { head, .. } => Some(head),
        }
    }
}

/// A state in S3.
pub struct S3Backend {
    place: Arc<Place>,
    locker: Locker,
    wire: Arc<dyn Wire>,
    known: Mutex<Known>,
    held: Option<Held>,
}

impl S3Backend {
    /// The state of `workspace` as the settings say; nothing is sent yet.
    ///
    /// # Errors
    /// When there is no Region, or the operating system gives no thread.
    pub fn open(settings: &backend::S3, workspace: &str) -> Result<Self, BackendError> {
        let seconds = std::env::var(LEASE_VARIABLE).ok().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        let lease = seconds.map_or(LEASE, remote::lease);
        let place = Self::place(settings, workspace);
        let wire = sdk::Sdk::connect(settings, &place)?;
        Ok(Self::on(Arc::new(wire), settings, workspace, lease))
    }

    fn place(settings: &backend::S3, workspace: &str) -> Place {
        let (bucket, key) = (settings.bucket.clone(), settings.state_key(workspace));
        let lock_path = format!("{bucket}/{key}");
        let profile = profile::used(settings.profile.as_deref());
        Place { bucket, key, table: settings.dynamodb_table.clone(), profile, lock_path }
    }

    fn on(wire: Arc<dyn Wire>, settings: &backend::S3, workspace: &str, lease: Duration) -> Self {
        let place = Arc::new(Self::place(settings, workspace));
        let file = settings.use_lockfile.then(|| Slot::File { key: format!("{}.tflock", place.key) });
        let item = place.table.is_some().then(|| Slot::Item { id: place.lock_path.clone() });
        let slots = file.into_iter().chain(item).collect();
        let locker = Locker { wire: Arc::clone(&wire), slots, place: Arc::clone(&place), lease, began: Instant::now() };
        Self { place, locker, wire, known: Mutex::new(Known::Unread), held: None }
    }

    /// The workspaces, but for the default one, that have a state there.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn workspaces(&self, settings: &backend::S3) -> Result<Vec<String>, BackendError> {
        let keys = self.again("list the workspaces beside", || self.wire.keys(&settings.workspaces()))?;
        Ok(keys.iter().filter_map(|key| settings.workspace_of(key)).map(str::to_owned).collect())
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Tells of a wait for S3 or DynamoDB, as long as it is held.
    fn still(&self, action: &str) -> Still {
        Still::begin(format!("trying to {action} the {}", self.place.describe()))
    }

    /// Sends a read until it is answered, but not for ever.
    fn again<T>(&self, action: &'static str, send: impl Fn() -> Result<T, ApiError>) -> Result<T, BackendError> {
        let _still = self.still(action);
        patiently(send).map_err(|error| self.place.failed(action, error))
    }

    /// The object stored, once its digest says that it is the one last written.
    fn fetch(&self) -> Result<Option<Object>, BackendError> {
        let mut reads = 0;
        loop {
            let object = self.again("read", || self.wire.get(&self.place.key, None))?;
            if self.place.table.is_none() {
                return Ok(object);
            }
            let id = self.place.digest_id();
            let stored = self.again("read", || self.wire.item(&id, DIGEST))?;
            let stored = stored.and_then(Item::text).filter(|digest| !digest.is_empty());
            let calculated = object.as_ref().map(|object| md5_hex(&object.body));
            // Terraform accepts any state without a digest, and writes one next time.
            let Some(stored) = stored.filter(|stored| calculated.as_ref() != Some(stored)) else { return Ok(object) };
            let interrupted = object.as_ref().is_some_and(|object| object.metadata.get(FOLLOWS) == Some(&stored));
            if let Some(calculated) = calculated.as_deref().filter(|_| interrupted) {
                if self.held.is_some() {
                    let complete = || self.wire.put_item(&id, DIGEST, calculated, Condition::Is(&stored));
                    let _completed_or_by_another = self.again("complete the digest of", complete)?;
                }
                return Ok(object);
            }
            reads += 1;
            if reads >= DIGEST_READS {
                let restore = self.restore();
                let calculated = calculated.unwrap_or_default();
                return Err(BackendError::Digest { place: self.place.describe(), id, calculated, stored, restore });
            }
            pause(reads);
        }
    }

    /// The state stored, and what is to be known of it.
    fn load(&self) -> Result<Option<State>, BackendError> {
        let Some(object) = self.fetch()? else {
            self.know(Known::Nothing);
            return Ok(None);
        };
        let unusable =
            |source| BackendError::Unusable { place: self.place.describe(), source, restore: self.restore() };
        if object.body.trim_ascii().is_empty() && self.whole().flatten().is_some() {
            return Err(unusable(file::ReadError::Emptied));
        }
        let state = parse(&object.body).map_err(unusable)?;
        let (tag, modified) = (object.tag, object.modified);
        self.know(Known::Stored { tag, head: Head::of(&state), md5: md5_hex(&object.body), modified });
        Ok(Some(state))
    }

    /// The newest older version that is whole, and its serial; nothing if the versions cannot be listed.
    fn whole(&self) -> Option<Option<(Version, u64)>> {
        let versions = self.wire.versions(&self.place.key).ok()?;
        let mut older = versions.into_iter().filter(|version| !version.is_current).take(VERSIONS_LOOKED_AT);
        Some(older.find_map(|version| {
            let object = self.wire.get(&self.place.key, Some(&version.id)).ok()??;
            let state = parse(&object.body).ok().filter(|state| !state.lineage.is_empty())?;
            Some((version, state.serial))
        }))
    }

    /// How to get back the newest version that is whole. Best effort: it is a hint, not an answer.
    fn restore(&self) -> Option<Box<str>> {
        let Place { bucket, key, .. } = &*self.place;
        let text = match self.whole()? {
            Some((Version { id, written, .. }, serial)) => {
                let source = format!("{bucket}/{key}?versionId={id}");
                let command = Command::new("aws s3api copy-object").value("--bucket", bucket);
                let command = command.and_then(|command| command.value("--key", key)?.value("--copy-source", &source));
                let with = command.map_or_else(|| "aws s3api copy-object".to_owned(), |command| command.to_string());
                format!("version {id} of {written} is whole, serial {serial}; restore it with: {with}")
            }
            None => {
                "the bucket keeps no older version that is whole: put back a copy that somebody has, with: aws s3 cp"
                    .to_owned()
            }
        };
        Some(text.into())
    }

    /// Checks what is stored; looks again before it says no, as what is known may be old.
    fn guard(&self, check: impl Fn(Option<&Head>) -> Result<(), BackendError>) -> Result<Known, BackendError> {
        let known = self.known();
        let unread = matches!(known, Known::Unread);
        if !unread && check(known.head()).is_ok() {
            return Ok(known);
        }
        let _state = self.load()?;
        let known = self.known();
        check(known.head()).map(|()| known)
    }

    fn store(
        &mut self,
        state: &State,
        check: impl Fn(Option<&Head>) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        if let Some(held) = &self.held {
            held.check()?;
        }
        let known = self.guard(&check)?;
        let (follows, follows_md5) = match known {
            Known::Unread | Known::Nothing => (None, None),
            Known::Stored { tag, md5, .. } => (Some(tag), Some(md5)),
        };
        let body = file::write(state).into_bytes();
        let md5 = md5_hex(&body);
        let mut metadata = BTreeMap::from([(MARK.to_owned(), super::lock::random_id())]);
        metadata.extend(follows_md5.filter(|_| self.place.table.is_some()).map(|md5| (FOLLOWS.to_owned(), md5)));
        let Some(tag) = self.send(&body, &metadata, follows)? else {
            // Somebody else wrote: by what they wrote it can be told who is behind.
            let _state = self.load()?;
            let known = self.known();
            check(known.head())?;
            let stored = Head::told(known.head());
            let expected = "what this run read before".to_owned();
            return Err(BackendError::Changed { place: self.place.describe(), stored, expected });
        };
        self.know(Known::Stored { tag, head: Head::of(state), md5: md5.clone(), modified: Some(SystemTime::now()) });
        if self.place.table.is_some() {
            let id = self.place.digest_id();
            self.again("write the digest of", || self.wire.put_item(&id, DIGEST, &md5, Condition::Always))?;
        }
        Ok(())
    }

    /// One guarded write, until it is certain what became of it; `None` if another was faster.
    fn send(
        &self,
        body: &[u8],
        metadata: &BTreeMap<String, String>,
        follows: Option<String>,
    ) -> Result<Option<String>, BackendError> {
        let _still = self.still("write");
        let mark = metadata.get(MARK).cloned().unwrap_or_default();
        let mut attempt = Attempt::new(mark, follows);
        let mut next = Next::Send;
        let mut last = ApiError::timeout("no attempt was made");
        loop {
            next = match next {
                Next::Send => {
                    let condition = attempt.follows().map_or(Condition::Absent, Condition::Is);
                    let answer = match self.wire.put(&self.place.key, body.to_vec(), metadata.clone(), condition) {
                        Ok(Some(tag)) => Answer::Taken { tag },
                        Ok(None) => Answer::Overtaken,
                        Err(error) => {
                            let uncertain = is_uncertain(&error);
                            last = error;
                            if uncertain { Answer::Unknown } else { Answer::Refused }
                        }
                    };
                    attempt.answered(&answer)
                }
                Next::Look => {
                    pause(attempt.tries() / 2);
                    match self.wire.get(&self.place.key, None) {
                        Ok(object) => {
                            let found = object.map(|o| Found { tag: o.tag, mark: o.metadata.get(MARK).cloned() });
                            attempt.found(found.as_ref())
                        }
                        Err(error) => {
                            last = error;
                            attempt.not_found_out()
                        }
                    }
                }
                Next::Done { tag } => return Ok(Some(tag)),
                Next::Overtaken => return Ok(None),
                Next::GiveUp => return Err(self.place.failed("write", last)),
            };
        }
    }
}

impl Backend for S3Backend {
    fn read(&self) -> Result<Option<State>, BackendError> {
        self.load()
    }

    fn write(&mut self, state: &State) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_successor(stored, state, &place))
    }

    fn replace(&mut self, state: &State, over: Option<&Head>) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_same(stored, over, &place))
    }

    fn remove(&mut self) -> Result<(), BackendError> {
        if let Some(held) = &self.held {
            held.check()?;
        }
        let Some(object) = self.again("read", || self.wire.get(&self.place.key, None))? else { return Ok(()) };
        let known = match self.known() {
            Known::Stored { tag, .. } => Some(tag),
            Known::Unread | Known::Nothing => None,
        };
        let as_read = known.is_none_or(|tag| tag == object.tag);
        let removed = as_read && self.again("remove", || self.wire.delete(&self.place.key, &object.tag))?;
        // Where an answer was lost, it may be gone already.
        if !removed && (!as_read || self.again("read", || self.wire.get(&self.place.key, None))?.is_some()) {
            let (stored, expected) = ("another state".to_owned(), "what this run read before".to_owned());
            return Err(BackendError::Changed { place: self.place.describe(), stored, expected });
        }
        self.know(Known::Nothing);
        if self.place.table.is_some() {
            let id = self.place.digest_id();
            let digest = Item::Text(md5_hex(&object.body));
            let _gone_or_of_another =
                self.again("remove the digest of", || self.wire.delete_item(&id, DIGEST, &digest))?;
        }
        Ok(())
    }

    fn lock(&mut self, operation: &str, timeout: Duration, tell: &mut dyn FnMut(&str)) -> Result<(), BackendError> {
        // Taken once more it would wait for itself.
        self.held = None;
        self.held = Some(self.locker.acquire(operation, timeout, tell)?);
        Ok(())
    }

    fn unlock(&mut self) -> Option<BackendError> {
        self.held.take().and_then(Held::give_back)
    }

    fn force_unlock(&mut self, id: &str) -> Result<(), BackendError> {
        self.locker.force(id)
    }

    fn versions(&self) -> Result<Vec<Version>, BackendError> {
        self.again("list the versions of", || self.wire.versions(&self.place.key))
    }

    fn age(&self) -> Option<Duration> {
        match self.known() {
            Known::Unread | Known::Nothing => None,
            // A clock that is behind that of S3 makes it look new, which is the safe side.
            Known::Stored { modified, .. } => Some(modified?.elapsed().unwrap_or_default()),
        }
    }

    fn describe(&self) -> String {
        self.place.describe()
    }
}

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(bytes: &[u8]) -> Result<State, file::ReadError> {
    file::read_bytes(bytes)
}
