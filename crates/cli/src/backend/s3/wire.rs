//! The requests an S3 backend sends, each sent once. What follows from an answer is decided elsewhere; behind this
//! trait is the AWS SDK, or a bucket in memory.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aloka_core::api::{ApiError, ErrorClass};

use crate::backend::Version;

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

    /// The attribute of an item.
    fn item(&self, id: &str, attribute: &'static str) -> Result<Option<String>, ApiError>;

    /// Stores an item with this attribute. False if the condition does not hold.
    fn put_item(
        &self,
        id: &str,
        attribute: &'static str,
        text: &str,
        condition: Condition<'_>,
    ) -> Result<bool, ApiError>;

    /// Deletes an item if its attribute is this. False if the condition does not hold.
    fn delete_item(&self, id: &str, attribute: &'static str, text: &str) -> Result<bool, ApiError>;
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
