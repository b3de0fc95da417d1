//! Secrets: held in memory, named in values, never shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

/// What stands in place of a secret.
pub const SENSITIVE: &str = "(sensitive value)";

/// The name of the only secret of the stack, the database's master password.
pub const DB_PASSWORD: &str = "db_password";

/// A secret text. It has no `Display`, `Debug` or `Serialize`, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one who must send it or check it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Secrets by name.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<Arc<str>, Secret>);

impl Secrets {
    /// Adds or replaces a secret.
    pub fn insert(&mut self, name: &str, secret: Secret) {
        self.0.insert(Arc::from(name), secret);
    }

    /// The secret called `name`.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }
}
