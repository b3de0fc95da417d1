//! A backend in memory, to check the contract itself against.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aloka_core::state::{State, file};

use super::{Backend, BackendError, Head, LockInfo, Version};

#[derive(Default)]
struct Shared {
    /// Oldest first.
    versions: Vec<String>,
    lock: Option<LockInfo>,
}

/// One handle; clones share what is stored.
#[derive(Clone, Default)]
pub(super) struct MemoryBackend {
    shared: Arc<Mutex<Shared>>,
    held: Option<String>,
}

impl MemoryBackend {
    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn store(
        &self,
        state: &State,
        check: impl FnOnce(Option<&Head>) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        self.with(|shared| {
            let stored = shared.versions.last().map(|text| file::read(text)).transpose();
            let place = self.describe();
            let stored = stored.map_err(|source| BackendError::Unusable { place, source, restore: None })?;
            check(stored.as_ref().map(Head::of).as_ref())?;
            shared.versions.push(file::write(state));
            Ok(())
        })
    }

    /// Puts something there that no backend wrote.
    pub(super) fn spoil(&self, bytes: &[u8]) {
        self.with(|shared| shared.versions.push(String::from_utf8_lossy(bytes).into_owned()));
    }

    /// Another handle on the same storage.
    pub(super) fn other(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), held: None }
    }
}

impl Backend for MemoryBackend {
    fn read(&self) -> Result<Option<State>, BackendError> {
        let text = self.with(|shared| shared.versions.last().cloned());
        text.map(|text| {
            file::read(&text).map_err(|source| BackendError::Unusable { place: self.describe(), source, restore: None })
        })
        .transpose()
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
        self.with(|shared| shared.versions.clear());
        Ok(())
    }

    fn lock(&mut self, operation: &str, _timeout: Duration, _tell: &mut dyn FnMut(&str)) -> Result<(), BackendError> {
        let info = LockInfo::new(operation, "memory");
        let id = info.id.clone();
        let place = self.describe();
        self.with(|shared| match &shared.lock {
            Some(holder) => Err(BackendError::Locked { place, info: Some(Box::new(holder.clone())) }),
            None => {
                shared.lock = Some(info);
                Ok(())
            }
        })?;
        self.held = Some(id);
        Ok(())
    }

    fn unlock(&mut self) -> Option<BackendError> {
        if self.held.take().is_some() {
            self.with(|shared| shared.lock = None);
        }
        None
    }

    fn force_unlock(&mut self, id: &str) -> Result<(), BackendError> {
        let place = self.describe();
        self.with(|shared| match shared.lock.take() {
            Some(info) => {
                let info = Some(Box::new(info));
                let alive = info.as_ref().is_some_and(|info| info.id == id);
                shared.lock = info.as_deref().cloned();
                Err(if alive {
                    BackendError::Locked { place, info }
                } else {
                    BackendError::LockId { place, given: id.to_owned(), info }
                })
            }
            None => Err(BackendError::LockId { place, given: id.to_owned(), info: None }),
        })
    }

    fn versions(&self) -> Result<Vec<Version>, BackendError> {
        let told = |(number, text): (usize, &String)| Version {
            id: number.to_string(),
            written: "1970-01-01T00:00:00Z".to_owned(),
            size: text.len().try_into().unwrap_or(u64::MAX),
            is_current: false,
        };
        let mut versions: Vec<_> = self.with(|shared| shared.versions.iter().enumerate().map(told).rev().collect());
        if let Some(first) = versions.first_mut() {
            first.is_current = true;
        }
        Ok(versions)
    }

    fn age(&self) -> Option<std::time::Duration> {
        None
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
