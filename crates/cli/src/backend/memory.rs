//! A backend in memory, to check the contract itself against.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aloka_core::state::{State, file};

use super::{Backend, BackendError, Head, LockInfo, Version};

#[derive(Default)]
struct Shared {
    text: Option<String>,
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

    /// Another handle on the same storage.
    pub(super) fn other(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), held: None }
    }
}

impl Backend for MemoryBackend {
    fn read(&self) -> Result<Option<State>, BackendError> {
        let text = self.with(|shared| shared.text.clone());
        text.map(|text| file::read(&text).map_err(|source| BackendError::Unusable { place: self.describe(), source }))
            .transpose()
    }

    fn write(&mut self, state: &State) -> Result<(), BackendError> {
        let stored = self.read()?;
        Head::check_successor(stored.as_ref().map(Head::of).as_ref(), state, &self.describe())?;
        self.with(|shared| shared.text = Some(file::write(state)));
        Ok(())
    }

    fn replace(&mut self, state: &State, over: Option<&Head>) -> Result<(), BackendError> {
        let stored = self.read()?;
        Head::check_same(stored.as_ref().map(Head::of).as_ref(), over, &self.describe())?;
        self.with(|shared| shared.text = Some(file::write(state)));
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

    fn unlock(&mut self) {
        if self.held.take().is_some() {
            self.with(|shared| shared.lock = None);
        }
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
        Ok(Vec::new())
    }

    fn age(&self) -> Option<std::time::Duration> {
        None
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
