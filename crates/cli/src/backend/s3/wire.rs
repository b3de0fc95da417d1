//! The requests an S3 backend sends, each sent once. What follows from an answer is decided elsewhere; behind this
//! trait is the AWS SDK, or a bucket in memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use aloka_core::api::{ApiError, ErrorClass};
use aloka_core::remote::ATTEMPTS;

use crate::backend::Version;

/// The first pause before something is sent again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// On what a request depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// On nothing.
    Always,
    /// Nothing is there.
    Absent,
    /// Exactly this is there: an ETag, or the text of an item.
    Is(&'a str),
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// What is in it.
    pub(crate) body: Vec<u8>,
    /// Its ETag.
    pub(crate) tag: String,
    /// User metadata.
    pub(crate) metadata: BTreeMap<String, String>,
    /// When it was written, by S3's clock.
    pub(crate) modified: Option<SystemTime>,
}

/// What an item holds beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The text of the attribute that was asked for.
    Text(String),
    /// No such attribute, or one of another type.
    Formless,
}

impl Item {
    /// The text, if it is one.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Formless => None,
        }
    }
}

/// A bucket and a table. A condition that does not hold is an answer, not an error.
pub(crate) trait Wire: Send + Sync {
    /// An object, or an older version of it.
    fn get(&self, key: &str, version: Option<&str>) -> Result<Option<Object>, ApiError>;

    /// Stores an object, and gives its ETag; `None` if the condition does not hold.
    fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: BTreeMap<String, String>,
        condition: Condition<'_>,
    ) -> Result<Option<String>, ApiError>;

    /// Deletes an object if its ETag is this. False if the condition does not hold.
    fn delete(&self, key: &str, tag: &str) -> Result<bool, ApiError>;

    /// The keys of the objects whose keys begin with this.
    fn keys(&self, prefix: &str) -> Result<Vec<String>, ApiError>;

    /// The versions of an object that are no delete markers, the newest first.
    fn versions(&self, key: &str) -> Result<Vec<Version>, ApiError>;

    /// An item, looked at for this attribute.
    fn item(&self, id: &str, attribute: &'static str) -> Result<Option<Item>, ApiError>;

    /// Stores an item with this attribute. False if the condition does not hold.
    fn put_item(
        &self,
        id: &str,
        attribute: &'static str,
        text: &str,
        condition: Condition<'_>,
    ) -> Result<bool, ApiError>;

    /// Deletes an item if its attribute is this. False if the condition does not hold.
    fn delete_item(&self, id: &str, attribute: &'static str, there: &Item) -> Result<bool, ApiError>;
}

/// An outage is waited out for this long, as an apply waits for AWS.
const PATIENCE: Duration = Duration::from_secs(45);

/// Sends something that may be sent again until its answer is certain, but not for ever.
pub(super) fn patiently<T>(send: impl Fn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let began = Instant::now();
    let mut attempt = 0;
    loop {
        let error = match send() {
            Err(error) if is_uncertain(&error) => error,
            certain => return certain,
        };
        let is_away = error.is_outage() || error.class == ErrorClass::Throttled;
        if attempt + 1 >= ATTEMPTS && !(is_away && began.elapsed() < PATIENCE) {
            return Err(error);
        }
        pause(attempt);
        attempt += 1;
    }
}

/// The longer, the more attempts there were.
pub(super) fn pause(attempt: u32) {
    std::thread::sleep(PAUSE.saturating_mul(1 << attempt.min(5)));
}

/// True if nobody knows whether the request was executed, or it was not but may be later: it can be sent again.
pub(super) fn is_uncertain(error: &ApiError) -> bool {
    match error.class {
        ErrorClass::Unknown | ErrorClass::Throttled => true,
        ErrorClass::NotFound
        | ErrorClass::AlreadyExists
        | ErrorClass::Conflict
        | ErrorClass::Capacity
        | ErrorClass::Quota
        | ErrorClass::Unauthorized
        | ErrorClass::Credentials
        | ErrorClass::NotImplemented
        | ErrorClass::Refused => false,
    }
}
