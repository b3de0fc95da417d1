//! Lock info: who holds a lock, in the JSON Terraform writes and reads, so that either tool can name the other.

use std::fmt::Write as _;
use std::time::SystemTime;

use aloka_core::remote::Silence;
use serde::{Deserialize, Serialize};

use crate::rfc3339;

/// The most of a lock info file that is read.
pub(super) const SIZE_MAX: u64 = 64 << 10;
/// What `Info` of our own locks begins with.
const OURS: &str = "aloka, process ";
/// What people are told when a lock has to be waited for, as Terraform does.
pub(super) const WAITING: &str = "Acquiring state lock. This may take a few moments...";

/// Who holds a lock, since when and for what. Fields and their names are Terraform's; missing ones are read as empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// Names this lock; random.
    #[serde(rename = "ID")]
    pub id: String,
    /// What it is held for, in Terraform's words, such as `OperationTypeApply`.
    pub operation: String,
    /// Anything else worth telling.
    pub info: String,
    /// `user@host`
    pub who: String,
    /// Release of the tool that holds it.
    pub version: String,
    /// When it was taken, RFC 3339 in UTC.
    pub created: String,
    /// What is locked.
    pub path: String,
    /// How long it lives after its last sign of life, in seconds; `None`, as Terraform has it: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u64>,
    /// The last sign of life, RFC 3339 in UTC by the holder's clock: for people, and to make each sign another text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed: Option<String>,
}

impl LockInfo {
    /// The info of a lock taken now by this process.
    pub fn new(operation: &str, path: &str) -> Self {
        Self {
            id: random_id(),
            operation: operation.to_owned(),
            info: format!("{OURS}{}", std::process::id()),
            who: who(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: rfc3339::seconds(SystemTime::now()),
            path: path.to_owned(),
            lease: None,
            renewed: None,
        }
    }

    /// Reads what Terraform or aloka wrote; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|info: &Self| !info.id.is_empty())
    }

    /// True if another tool took it, which gives no signs of life.
    pub fn is_foreign(&self) -> bool {
        !self.info.starts_with(OURS)
    }

    /// Whether its holder has been silent for longer than its lease at `now`, by the word of two clocks. One that says
    /// nothing of signs of life, or nothing that is a time, is not.
    pub fn silence(&self, now: SystemTime) -> Silence {
        Silence::of(self.lease, |age| {
            let heard = self.renewed.as_deref().filter(|heard| rfc3339::is_time(heard));
            let late = now.checked_sub(age).map(rfc3339::micros);
            heard.zip(late.as_deref()).is_some_and(|(heard, late)| heard < late)
        })
    }

    /// One line of JSON, without a newline, as Terraform writes it.
    pub fn to_json(&self) -> String {
        // Texts alone: serialising them has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The end of a sentence that names the holder; empty if nobody is known.
pub(super) fn holder(info: Option<&LockInfo>) -> String {
    let Some(info) = info else { return String::new() };
    let mut text = format!(" by {} since {} for {}", info.who, info.created, info.operation);
    if !info.info.is_empty() {
        // Writing into a String cannot fail.
        let _ok = write!(text, " ({})", info.info);
    }
    if let Some(renewed) = &info.renewed {
        let _ok = write!(text, ", last sign of life {renewed}");
    }
    let _ok = write!(text, ", lock ID {}", info.id);
    text
}

/// A UUID, like no other.
pub(super) fn random_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn who() -> String {
    let from_env = |names: [&str; 2]| names.into_iter().find_map(|name| std::env::var(name).ok());
    let user = from_env(["USER", "LOGNAME"]).unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
    format!("{user}@{}", host())
}

/// The name of this machine.
pub(crate) fn host() -> String {
    let from_file = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let from_env = |name: &str| std::env::var(name).ok();
    let host = from_file("/proc/sys/kernel/hostname").or_else(|| from_file("/etc/hostname"));
    let host = host.or_else(|| from_env("HOSTNAME")).or_else(|| from_env("HOST")).filter(|host| !host.is_empty());
    host.unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_terraform_writes_and_keeps_its_names() {
        let text = r#"{"ID":"e56561b6-cc55-e362-5fe9-07948dc0c55e","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.11.4","Created":"2026-11-22T21:40:05.352206559Z","Path":"terraform.tfstate"}"#;
        let info = LockInfo::parse(text).expect("Terraform's lock info");
        assert_eq!((info.who.as_str(), info.operation.as_str()), ("root@vm", "OperationTypeApply"));
        assert_eq!(info.to_json(), text);
    }

    #[test]
    fn ids_differ() {
        let (one, two) = (LockInfo::new("a", "b"), LockInfo::new("a", "b"));
        assert_ne!(one.id, two.id);
        assert_eq!(one.id.len(), 36);
    }
}
