//! The data that a plan destroys, which the command line has to name (promise I8).

use std::collections::{BTreeMap, BTreeSet};

use crate::state::Target;

/// What is lost of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// All its automated backups; it stays itself.
    Backups,
    /// All that is in it.
    Database,
}

/// The data that a plan destroys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataLoss {
    /// Databases by identifier, and the most that is lost of each.
    pub databases: BTreeMap<String, Lost>,
    /// Databases whose identifier the plan does not tell: nobody can agree to lose them by name.
    pub unnamed: BTreeSet<Target>,
}

impl DataLoss {
    /// Adds what is lost of the database at `target`.
    pub(super) fn add(&mut self, target: &Target, identifier: Option<&str>, lost: Lost) {
        match identifier.filter(|name| !name.is_empty()) {
            Some(name) => {
                let most = self.databases.entry(name.to_owned()).or_insert(lost);
                *most = (*most).max(lost);
            }
            None => {
                self.unnamed.insert(target.clone());
            }
        }
    }

    /// True if nothing is lost.
    pub fn is_empty(&self) -> bool {
        let Self { databases, unnamed } = self;
        databases.is_empty() && unnamed.is_empty()
    }

    /// True if a database goes with all that is in it, and not some backups alone.
    pub fn takes_a_database(&self) -> bool {
        self.databases.values().any(|lost| *lost == Lost::Database) || !self.unnamed.is_empty()
    }

    /// What is lost, as texts.
    pub fn names(&self) -> Vec<String> {
        self.not_among(&[])
    }

    /// What is lost and not among `allowed`, as texts. What has no name is never among them.
    pub fn not_among(&self, allowed: &[String]) -> Vec<String> {
        let open = self.databases.keys().filter(|name| !allowed.contains(name)).cloned();
        open.chain(self.unnamed.iter().map(|target| format!("of unknown name at {target}"))).collect()
    }
}
