//! The signals that ask a command to stop, heard alike in every cloud: the first stops it, the next stops its waiting.

use std::time::Duration;

use aloka_core::engine::Event;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears signals as long as a cloud is open.
pub(crate) struct Listener {
    pub(crate) runtime: Runtime,
    pub(crate) signals: Signals,
}

impl Listener {
    /// From here on, no signal ends the process by itself.
    pub(crate) fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = runtime.block_on(async { Signals::new() })?;
        Ok(Self { runtime, signals })
    }

    /// True if this process was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.signals.stopping
    }

    /// Lets real time pass. The event of a signal that came, if one did.
    pub(crate) fn sleep(&mut self, pause: Duration) -> Option<Event> {
        let Self { runtime, signals } = self;
        runtime.block_on(async {
            // The driver of signals has to have its turn.
            tokio::task::yield_now().await;
            if pause.is_zero() {
                return signals.pending().await;
            }
            tokio::select! {
                biased;
                event = signals.next() => Some(event),
                () = tokio::time::sleep(pause) => None,
            }
        })
    }

    /// What `task` gives, done on another thread; `None` if a signal comes before. The task then goes on unheard until the
    /// process ends.
    pub(crate) fn unless_stopped<T: Send + 'static>(&mut self, task: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let Self { runtime, signals } = self;
        let (done, result) = tokio::sync::oneshot::channel();
        // Not a task of the runtime, whose end would wait for it.
        std::thread::spawn(move || {
            // Nobody waits any more: then nobody misses it.
            let _unheard = done.send(task());
        });
        runtime.block_on(async {
            tokio::select! {
                biased;
                _stop = signals.next() => None,
                result = result => result.ok(),
            }
        })
    }
}

/// What people are told when a signal comes.
pub(crate) fn said(event: &Event) -> &'static str {
    match event {
        Event::Stop => "stopping: no new calls; waiting for those under way (once more to stop waiting)",
        Event::Abandon => "no longer waiting; recording what is known",
        Event::Replied { .. } | Event::Persisted { .. } | Event::PersistFailed { .. } => "",
    }
}

/// The signals that end a run: the first asks to stop, the next to stop waiting. Kept as long as the cloud is open: a
/// signal that comes while no loop runs is found by the next, as the handler of the process is never taken away.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    stopping: bool,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            stopping: false,
        })
    }

    /// The event a signal stands for that has come already.
    pub(crate) async fn pending(&mut self) -> Option<Event> {
        tokio::select! {
            biased;
            event = self.next() => Some(event),
            () = std::future::ready(()) => None,
        }
    }

    /// The event the next signal stands for. A terminal that goes away asks to stop, however often it says so.
    pub(crate) async fn next(&mut self) -> Event {
        let insists = tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hangup.recv() => false,
        };
        let event = if self.stopping && insists { Event::Abandon } else { Event::Stop };
        self.stopping = true;
        event
    }
}
