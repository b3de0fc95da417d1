//! The loop around AWS: effects become requests and writes, answers, signals and timers become events.
//!
//! The simulator runs the same executor in a loop of the same shape. Whatever is decided here would be tested nowhere,
//! so nothing is. States are written by a thread of their own, beside the calls, as a store may be far away.

use std::sync::{Arc, mpsc};
use std::thread::Scope;
use std::time::{Duration, SystemTime};

use aloka_core::api::Reply;
use aloka_core::engine::{Effect, Event, Executor, Outcome, Ticket};
use aloka_core::secret::Secrets;
use aloka_core::state::State;
use aloka_core::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::signals::{Listener, Signals, said};
use super::{CloudError, CloudSettings, Observer, write};
use crate::backend::Backend;
use crate::driver::aws::{AwsClient, Settings};

/// How often people are told how long things have been going on.
const TICK: Duration = Duration::from_secs(1);

/// AWS as one set of credentials sees it.
pub struct AwsCloud {
    listener: Listener,
    client: AwsClient,
    settings: Settings,
    began: tokio::time::Instant,
}

impl AwsCloud {
    pub(super) fn open(settings: &CloudSettings) -> Result<Self, CloudError> {
        let settings = Settings { region: settings.region.clone(), profile: settings.profile.clone() };
        let listener = Listener::new()?;
        let client = listener
            .runtime
            .block_on(AwsClient::connect(&settings))
            .map_err(|error| CloudError::Profile { hint: error.hint(), problem: error.to_string() })?;
        Ok(Self { listener, client, settings, began: tokio::time::Instant::now() })
    }

    pub(super) fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    pub(super) fn profile(&self) -> Option<&str> {
        self.settings.profile.as_deref()
    }

    pub(super) fn run(
        &mut self,
        executor: &mut Executor,
        backend: Option<&mut dyn Backend>,
        secrets: &Secrets,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, CloudError> {
        let Self { listener: Listener { runtime, signals }, client, settings: _, began } = self;
        let wire = Wire { client, began: *began, secrets: Arc::new(secrets.clone()) };
        // Its end waits for the write under way, if there is one.
        std::thread::scope(|scope| {
            let mut writer = Writer::begin(scope, backend);
            runtime.block_on(wire.drive(executor, &mut writer, signals, observer))
        })
    }

    pub(super) fn credentials_expiry(&self) -> Option<SystemTime> {
        self.listener.runtime.block_on(self.client.credentials_expiry())
    }

    pub(super) fn listener(&mut self) -> &mut Listener {
        &mut self.listener
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.listener.is_stopping()
    }
}

/// What the loop needs beside the executor.
struct Wire<'a> {
    client: &'a AwsClient,
    began: tokio::time::Instant,
    secrets: Arc<Secrets>,
}

impl Wire<'_> {
    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    async fn drive(
        &self,
        executor: &mut Executor,
        writer: &mut Writer,
        signals: &mut Signals,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, CloudError> {
        let mut calls = JoinSet::new();
        // A signal that came since the last loop, before anything is sent.
        tokio::task::yield_now().await;
        if let Some(event) = signals.pending().await {
            observer.remark(said(&event));
            executor.on_event(self.now(), event);
        }
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            for effect in executor.poll(self.now()) {
                match effect {
                    Effect::Send { ticket, request } => {
                        let (client, secrets) = (self.client.clone(), Arc::clone(&self.secrets));
                        calls.spawn(async move { (ticket, client.send(&request, &secrets).await) });
                    }
                    Effect::Persist { state } => writer.write(state),
                }
            }
            tell(executor, observer);
            if let Some(outcome) = executor.outcome() {
                return Ok(outcome);
            }
            let wakeup = executor.next_wakeup();
            if calls.is_empty() && wakeup.is_none() && !writer.is_writing() {
                return Err(CloudError::Stuck);
            }
            let timer = async {
                match wakeup {
                    Some(at) => sleep_until(self.began + at.since(Instant::ZERO)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = signals.next() => {
                    observer.remark(said(&event));
                    executor.on_event(self.now(), event);
                }
                event = writer.written() => executor.on_event(self.now(), event),
                Some(joined) = calls.join_next() => {
                    let (ticket, reply) = answer(joined);
                    executor.on_event(self.now(), Event::Replied { ticket, reply });
                }
                () = timer => {}
                _ = tick.tick() => observer.tick(executor.nodes(), self.now()),
            }
        }
    }
}

/// Writes states one after the other, on a thread that ends when this is dropped.
struct Writer {
    states: mpsc::Sender<Arc<State>>,
    events: UnboundedReceiver<Event>,
    /// The serial under way.
    writing: Option<u64>,
}

impl Writer {
    fn begin<'scope, 'backend: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut backend: Option<&'backend mut (dyn Backend + 'backend)>,
    ) -> Self {
        let (states, asked) = mpsc::channel::<Arc<State>>();
        let (told, events) = unbounded_channel();
        scope.spawn(move || {
            for state in asked {
                let serial = state.serial;
                let event = match write(&mut backend, &state) {
                    Ok(()) => Event::Persisted { serial },
                    Err(message) => Event::PersistFailed { serial, message },
                };
                if told.send(event).is_err() {
                    return;
                }
            }
        });
        Self { states, events, writing: None }
    }

    fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    fn write(&mut self, state: Arc<State>) {
        self.writing = Some(state.serial);
        // A thread that is gone is told by what `written` gives.
        let _gone = self.states.send(state);
    }

    /// What became of the write under way; for ever if there is none.
    async fn written(&mut self) -> Event {
        let Some(serial) = self.writing else { return std::future::pending().await };
        let event = self.events.recv().await;
        self.writing = None;
        let message = "invariant violated: the thread that writes the state has ended".to_owned();
        event.unwrap_or(Event::PersistFailed { serial, message })
    }
}

fn tell(executor: &mut Executor, observer: &mut dyn Observer) {
    for notice in executor.take_notices() {
        observer.notice(executor.nodes(), &notice);
    }
}

/// A task is never cancelled while it is waited for, so all it can have done instead of answering is to panic.
fn answer(joined: Result<(Ticket, Reply), JoinError>) -> (Ticket, Reply) {
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
