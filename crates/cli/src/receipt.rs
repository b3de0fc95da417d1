//! Keeps receipts: what a command sent and heard, in the file that `-receipt` names, and in this directory whenever it changed
//! something in AWS.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aloka_core::engine::{News, Notice, Outcome};
use aloka_core::plan::{Mode, Node};
use aloka_core::receipt::{FORMAT_VERSION, Header, Line, Writer};
use aloka_core::state::State;
use aloka_core::time::Instant;

use crate::cloud::{CloudKind, Observer};
use crate::error::CommandError;
use crate::files;
use crate::io::Io;
use crate::output::{Kind, Output};
use crate::rfc3339;
use crate::view::human;

/// Where receipts of runs on AWS are kept, beside what else a directory keeps.
const DIRECTORY: &str = ".aloka/receipts";
/// As many are kept there.
const KEPT: usize = 10;
/// The end of their names.
const ENDING: &str = ".jsonl";

/// Who is to have a receipt of a command.
#[derive(Clone, Debug)]
pub struct Order {
    /// The file that the command line names.
    pub named: Option<PathBuf>,
    /// The command.
    pub command: &'static str,
}

impl Order {
    /// That of a command with this mode.
    pub fn new(named: Option<PathBuf>, mode: Mode, writes: bool) -> Self {
        let command = match (mode, writes) {
            (_, false) => "plan",
            (Mode::Apply, true) => "apply",
            (Mode::Destroy, true) => "destroy",
            (Mode::RefreshOnly, true) => "refresh",
        };
        Self { named, command }
    }
}

/// A receipt that is being written.
pub(crate) struct Receipt {
    named: Option<PathBuf>,
    kept: Vec<PathBuf>,
    header: Header,
    writer: Option<Writer>,
    lines: Vec<String>,
    /// True once a call was sent that changes something.
    changes: bool,
    outcome: &'static str,
    last: Instant,
}

impl Receipt {
    /// Begins one, if somebody is to have it. `kept` are the files that states are written to.
    ///
    /// # Errors
    /// When the file that the command line names may not be written over.
    pub(crate) fn begin(
        order: &Order,
        (cloud, region): (CloudKind, &str),
        is_elsewhere: bool,
        kept: Vec<PathBuf>,
    ) -> Result<Option<Self>, CommandError> {
        if order.named.is_none() && cloud == CloudKind::Sim {
            return Ok(None);
        }
        if let Some(path) = &order.named {
            let _checked = Output::new(path, Kind::Receipt, &kept)?;
        }
        let cloud = match cloud {
            CloudKind::Sim => "sim",
            CloudKind::Aws if is_elsewhere => "emulator",
            CloudKind::Aws => "aws",
        };
        let header = Header {
            format_version: FORMAT_VERSION,
            aloka: env!("CARGO_PKG_VERSION").to_owned(),
            command: order.command.to_owned(),
            cloud: cloud.to_owned(),
            region: region.to_owned(),
            began: rfc3339::seconds(SystemTime::now()),
        };
        let named = order.named.clone();
        let (lines, outcome) = (Vec::new(), "stopped");
        Ok(Some(Self { named, kept, header, writer: None, lines, changes: false, outcome, last: Instant::ZERO }))
    }

    /// A graph of calls is about to run, from this state.
    pub(crate) fn graph(&mut self, state: &State, now: Instant) {
        match &mut self.writer {
            Some(writer) => {
                writer.next_graph();
                writer.learn(state);
            }
            None => self.writer = Some(Writer::new(state, now)),
        }
        self.last = now;
    }

    /// How it ended, as far as is known.
    pub(crate) fn outcome(&mut self, outcome: &Outcome) {
        self.outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Failed { .. } => "failed",
            Outcome::Stopped { .. } => "stopped",
            Outcome::StoreFailed { .. } => "store-failed",
        };
    }

    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        self.last = notice.at;
        self.changes |= matches!(&notice.news, News::Sent { request, .. } if request.operation().is_mutating());
        if let Some(line) = self.writer.as_mut().and_then(|writer| writer.notice(nodes, notice)) {
            self.lines.push(line.to_json());
        }
    }

    fn text(&self) -> String {
        let header = Line::Receipt(self.header.clone()).to_json();
        let end = self.writer.as_ref().map(|writer| writer.end(self.last, self.outcome).to_json());
        let mut text = String::new();
        for line in std::iter::once(&header).chain(&self.lines).chain(&end) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Writes it where it belongs, and tells if it cannot. The state is not locked any more: see [`Output::write`].
    pub(crate) fn write(&self, io: &mut Io) {
        let text = self.text();
        let named = self
            .named
            .as_deref()
            .map(|path| Output::new(path, Kind::Receipt, &self.kept).and_then(|output| output.write(text.as_bytes())));
        // Who was told what would be done, and did not do it, finds nothing new in the directory.
        let implied = (self.header.cloud != "sim" && self.changes).then(|| self.keep(&text));
        for written in named.into_iter().chain(implied) {
            if let Err(error) = written {
                human::warning(io, &format!("there is no receipt of this run: {error}"));
            }
        }
    }

    /// Writes it to this directory, in the place of the oldest ones.
    fn keep(&self, text: &str) -> Result<(), CommandError> {
        let Header { began, command, .. } = &self.header;
        let stem = began.replace(':', "");
        let path = PathBuf::from(format!("{DIRECTORY}/{stem}-{command}-{}{ENDING}", std::process::id()));
        let failed = |error: std::io::Error| CommandError::file("write", &path, &error);
        files::make_directory_of(Path::new(DIRECTORY)).map_err(failed)?;
        files::replace_implied(&path, |new| new.write_all(text.as_bytes())).map_err(failed)?;
        let mut kept: Vec<PathBuf> = std::fs::read_dir(DIRECTORY)
            .map_err(failed)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ENDING)))
            .collect();
        kept.sort();
        // Names begin with the time.
        for old in kept.iter().rev().skip(KEPT) {
            // Another run may have removed it.
            let _gone = std::fs::remove_file(old);
        }
        Ok(())
    }
}

/// Passes on what an observer is told, and writes down what belongs in a receipt.
pub(crate) struct Recording<'a, O> {
    /// Who is told.
    pub(crate) observer: &'a mut O,
    /// What is written, if it is.
    pub(crate) receipt: Option<&'a mut Receipt>,
}

impl<O: Observer> Observer for Recording<'_, O> {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        if let Some(receipt) = &mut self.receipt {
            receipt.notice(nodes, notice);
        }
        self.observer.notice(nodes, notice);
    }

    fn tick(&mut self, nodes: &[Node], now: Instant) {
        self.observer.tick(nodes, now);
    }

    fn remark(&mut self, text: &str) {
        self.observer.remark(text);
    }
}
