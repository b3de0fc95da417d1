//! Tells of a run while it goes on: lines as Terraform prints them, a live block on a terminal, or Terraform's stream.

use aloka_core::engine::{News, Notice};
use aloka_core::plan::{Node, Verb};
use aloka_core::state::State;
use aloka_core::time::Instant;

use super::live::Live;
use super::progress::{Line, Progress};
use super::{human, json};
use crate::cloud::Observer;
use crate::io::Io;

/// How a run is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text.
    Human,
    /// Terraform's UI stream.
    Json,
}

/// How many objects were added, changed, destroyed.
pub type Counts = (usize, usize, usize);

/// Tells of one run.
pub struct Reporter<'a> {
    io: &'a mut Io,
    format: Format,
    progress: Progress,
    live: Live,
    counts: Counts,
}

impl<'a> Reporter<'a> {
    /// For a run that starts from `state`.
    pub fn new(io: &'a mut Io, format: Format, state: &State) -> Self {
        Self { io, format, progress: Progress::new(state), live: Live::default(), counts: (0, 0, 0) }
    }

    /// How many objects were added, changed, destroyed so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The run ended: nothing stays on the screen that is not true any more.
    pub fn end(&mut self) {
        self.erase();
    }

    fn is_live(&self) -> bool {
        self.format == Format::Human && self.io.stderr_is_terminal && self.io.stderr_color()
    }

    fn erase(&mut self) {
        self.io.err_erase(self.live.clear());
    }

    fn draw(&mut self, nodes: &[Node], now: Instant) {
        if self.is_live() {
            let block = self.live.draw(&self.progress, nodes, now, self.io.stderr_columns());
            self.io.err_text(&block);
        }
    }

    fn count(&mut self, nodes: &[Node], notice: &Notice) {
        if !matches!(notice.news, News::Finished { .. }) {
            return;
        }
        match nodes.get(notice.node).map(|node| node.verb) {
            Some(Verb::Create) => self.counts.0 += 1,
            Some(Verb::Update) => self.counts.1 += 1,
            Some(Verb::Delete) => self.counts.2 += 1,
            Some(Verb::Read | Verb::Forget) | None => {}
        }
    }
}

/// Of a read it is enough to tell that it begins, if it is about an object that exists.
fn wanted(nodes: &[Node], line: &Line, notice: &Notice) -> bool {
    let reads = nodes.get(line.node).is_some_and(|node| node.verb == Verb::Read);
    match notice.news {
        News::Started => !reads || line.id.is_some(),
        News::Finished { .. } => !reads,
        News::Waiting { .. }
        | News::Sent { .. }
        | News::Answered { .. }
        | News::Retry { .. }
        | News::Adopted { .. }
        | News::Failed { .. }
        | News::Skipped => true,
    }
}

/// Prints a warning in either format.
pub fn warn(io: &mut Io, format: Format, text: &str) {
    match format {
        Format::Human => human::warning(io, text),
        Format::Json => json::write(io, &json::warning(text)),
    }
}

impl Observer for Reporter<'_> {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        self.count(nodes, notice);
        let Some(line) = self.progress.notice(nodes, notice) else { return };
        match self.format {
            Format::Human => {
                if wanted(nodes, &line, notice) {
                    self.erase();
                    self.io.err_line(&line.text);
                    self.draw(nodes, notice.at);
                }
            }
            Format::Json => {
                let object = json::line(nodes, &line).or_else(|| json::remark(notice, &line.text));
                if let Some(object) = object {
                    json::write(self.io, &object);
                }
            }
        }
    }

    fn tick(&mut self, nodes: &[Node], now: Instant) {
        if self.is_live() {
            self.erase();
            self.draw(nodes, now);
            return;
        }
        for line in self.progress.still(nodes, now) {
            match self.format {
                Format::Human => self.io.err_line(&line.text),
                Format::Json => {
                    if let Some(object) = json::line(nodes, &line) {
                        json::write(self.io, &object);
                    }
                }
            }
        }
    }

    fn remark(&mut self, text: &str) {
        self.erase();
        match self.format {
            Format::Human => self.io.err_line(text),
            Format::Json => json::write(self.io, &json::warning(text)),
        }
    }
}
