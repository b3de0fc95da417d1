//! What is known of the password: the one given, the hash that is recorded, and what Terraform recorded in clear. A run
//! computes one hash, as that takes a few tenths of a second.

use aloka_core::fingerprint::{self, Compared, Cost};
use aloka_core::kind::Kind;
use aloka_core::plan::Mode;
use aloka_core::plan::Password;
use aloka_core::resource::PASSWORD;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::state::State;

use crate::error::CommandError;

/// Set by tests that hash what protects nothing, a thousand times. A release does not know it.
const CHEAP: &str = "ALOKA_TEST_CHEAP_HASH";

fn cost() -> Cost {
    let is_cheap = cfg!(debug_assertions) && std::env::var_os(CHEAP).is_some();
    if is_cheap { Cost::TRIFLE } else { Cost::USUAL }
}

/// The password that Terraform recorded.
fn clear(state: &State) -> Option<Secret> {
    let database = state.resources.iter().find(|(address, _)| address.kind == Kind::DbInstance);
    database.and_then(|(_, resource)| resource.attributes.get(PASSWORD)?.as_str()).map(Secret::new)
}

/// Terraform records the password in clear, aloka its hash: with that, a password that is the same is known to be. True
/// if it was in clear.
///
/// # Errors
/// Without randomness.
pub fn hash_clear(state: &mut State) -> Result<bool, CommandError> {
    let Some(clear) = clear(state) else { return Ok(false) };
    // Where it is in clear, Terraform wrote last, and may have sent another one than aloka did.
    let recorded = state.private.secrets.get(DB_PASSWORD);
    let hash = match recorded.map(|recorded| fingerprint::compare(&clear, recorded, cost())) {
        Some(Compared::Same) => return Ok(true),
        Some(Compared::Other(Some(hash))) => hash,
        Some(Compared::Cheap | Compared::Other(None)) | None => hash(&clear)?,
    };
    state.private.secrets.insert(DB_PASSWORD.into(), hash.into());
    Ok(true)
}

/// As it is written: no password in it, but its hash. Under the salt that `other`, which may be a copy of it, has.
///
/// # Errors
/// Without randomness.
pub fn without_clear(mut state: State, other: Option<&State>) -> Result<State, CommandError> {
    let hash = other.and_then(|other| other.private.secrets.get(DB_PASSWORD));
    if let Some(hash) = hash.filter(|_| clear(&state).is_some()) {
        state.private.secrets.entry(DB_PASSWORD.into()).or_insert_with(|| hash.clone());
    }
    hash_clear(&mut state)?;
    state.forget_passwords();
    Ok(state)
}

/// What is known of the password that is given, for a state that went through [`hash_clear`]. A hash of an earlier release,
/// which costs less to guess at, is renewed by a run that `writes` the state; to others it is as good as any.
///
/// # Errors
/// Without randomness.
pub fn known(secrets: &Secrets, state: &State, mode: Mode, writes: bool) -> Result<Password, CommandError> {
    let given = match mode {
        Mode::Apply => secrets.get(DB_PASSWORD),
        // Of no consequence.
        Mode::Destroy | Mode::RefreshOnly => None,
    };
    let Some(secret) = given else { return Ok(Password::Absent) };
    if clear(state).is_some_and(|clear| clear.expose() == secret.expose()) {
        return Ok(Password::Unchanged);
    }
    let recorded = state.private.secrets.get(DB_PASSWORD);
    Ok(match recorded.map(|recorded| fingerprint::compare(secret, recorded, cost())) {
        Some(Compared::Same) => Password::Unchanged,
        Some(Compared::Cheap) if writes => Password::Known(hash(secret)?),
        Some(Compared::Cheap) => Password::Unchanged,
        Some(Compared::Other(Some(hash))) => Password::New(hash),
        Some(Compared::Other(None)) | None => Password::New(hash(secret)?),
    })
}

fn hash(secret: &Secret) -> Result<String, CommandError> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| CommandError::config(format!("no randomness to hash the password with: {error}")))?;
    Ok(fingerprint::hash(secret, &salt, cost()))
}
