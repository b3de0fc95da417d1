//! Lines at the bottom of a terminal that tell what runs now; redrawn in place. Never used when nobody looks.

use std::time::Duration;

use aloka_core::plan::Node;
use aloka_core::printable;
use aloka_core::render::{Style, Text};
use aloka_core::time::{Human, Instant};

use super::progress::{Progress, doing};

/// More lines than these would push away what the reader looks at.
const LINES_MAX: usize = 12;
/// A terminal of unknown width.
const COLUMNS: usize = 80;

/// The block on the screen.
#[derive(Debug, Default)]
pub struct Live {
    shown: usize,
}

impl Live {
    /// How many lines to take away.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.shown)
    }

    /// The block as it is now; [`Live::clear`] it first.
    pub fn draw(&mut self, progress: &Progress, nodes: &[Node], now: Instant, columns: Option<usize>) -> Text {
        let mut text = Text::new();
        block(progress, nodes, now, columns.unwrap_or(COLUMNS)).iter().for_each(|line| text.say(Style::Plain, line));
        self.shown = text.lines().len();
        text
    }
}

/// One line for each node that runs, the longest first.
fn block(progress: &Progress, nodes: &[Node], now: Instant, columns: usize) -> Vec<String> {
    let running = progress.running();
    let mut running: Vec<_> = running.iter().filter_map(|(index, r)| Some((nodes.get(*index)?, r))).collect();
    running.sort_by_key(|(_, running)| running.since);
    let more = running.len().saturating_sub(LINES_MAX);
    let mut lines: Vec<String> = Vec::new();
    for (node, running) in running.into_iter().take(LINES_MAX) {
        let elapsed = Duration::from_secs(now.since(running.since).as_secs());
        let usual = running.usual.map(|usual| format!(", usually {}", Human(usual))).unwrap_or_default();
        let line = format!("  {} {} {}{usual}", node.target, doing(node.verb), Human(elapsed));
        // As it will be shown: a line that wraps could not be taken away.
        lines.push(printable::line(&line).chars().take(columns.saturating_sub(1)).collect());
    }
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}
