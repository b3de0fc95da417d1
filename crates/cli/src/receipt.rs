//! Keeps receipts: what a command sent and heard, in the file that `-receipt` names, and in this directory whenever it changed
//! something in AWS.

use std::fs::File;
use std::io::Write as _;
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
use crate::output::{Kind, Output, Place};
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

/// A receipt that is being written. It grows with every call, so that a run that is killed leaves what it knew.
pub(crate) struct Receipt {
    named: Option<Named>,
    /// The copy in this directory, once a call was sent that changes something.
    implied: Option<Copy>,
    kept: Vec<PathBuf>,
    header: Header,
    writer: Option<Writer>,
    lines: Vec<String>,
    outcome: &'static str,
    last: Instant,
}

/// The file that the command line names.
enum Named {
    /// One that is written when the run is over: a device, a pipe, or a file that somebody opened.
    AtTheEnd(PathBuf),
    /// One that grows, from the first call on.
    Growing { place: Place, copy: Option<Copy> },
}

/// A file with a receipt that grows.
struct Copy {
    path: PathBuf,
    /// `None` once it could not be written.
    file: Result<File, Option<CommandError>>,
    /// As many lines are in it.
    written: usize,
}

impl Copy {
    fn new(path: &Path, file: Result<File, CommandError>, written: usize) -> Self {
        Self { path: path.to_owned(), file: file.map_err(Some), written }
    }

    /// Writes the lines that are not in it yet, in one piece.
    fn grow(&mut self, lines: &[String]) {
        let Ok(file) = &mut self.file else { return };
        let new = text(lines.get(self.written..).unwrap_or_default());
        self.written = lines.len();
        if let Err(error) = file.write_all(new.as_bytes()) {
            self.file = Err(Some(CommandError::file("write", &self.path, &error)));
        }
    }

    /// Why it is not whole, told once.
    fn take_problem(&mut self) -> Option<CommandError> {
        self.file.as_mut().err()?.take()
    }
}

/// Lines with their ends.
fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

impl Receipt {
    /// Begins one, if somebody is to have it. `kept` finds the files that states are written to; none of them is locked yet.
    ///
    /// # Errors
    /// When the file that the command line names may not be written over.
    pub(crate) fn begin(
        order: &Order,
        (cloud, region): (CloudKind, &str),
        is_elsewhere: bool,
        kept: impl FnOnce() -> Vec<PathBuf>,
    ) -> Result<Option<Self>, CommandError> {
        if order.named.is_none() && cloud == CloudKind::Sim {
            return Ok(None);
        }
        let kept = kept();
        let named = order.named.as_ref().map(|path| {
            let place = Output::new(path, Kind::Receipt, &kept)?.place()?;
            Ok::<_, CommandError>(match place {
                Some(place) => Named::Growing { place, copy: None },
                None => Named::AtTheEnd(path.clone()),
            })
        });
        let named = named.transpose()?;
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
        let lines = vec![Line::Receipt(header.clone()).to_json()];
        let (writer, outcome, last) = (None, "stopped", Instant::ZERO);
        Ok(Some(Self { named, implied: None, kept, header, writer, lines, outcome, last }))
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
        self.grow();
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
        let Some(line) = self.writer.as_mut().and_then(|writer| writer.notice(nodes, notice)) else { return };
        // Who was told what would be done, and did not do it, finds nothing new in the directory.
        let changes = matches!(&notice.news, News::Sent { request, .. } if request.operation().is_mutating());
        self.lines.push(line.to_json());
        if changes && self.implied.is_none() && self.header.cloud != "sim" {
            self.implied = Some(self.keep());
        }
        self.grow();
    }

    /// Writes what is not written yet to the files that grow.
    fn grow(&mut self) {
        let Self { named, implied, lines, .. } = self;
        let named = match named {
            Some(Named::Growing { place, copy }) => Some(
                copy.get_or_insert_with(|| Copy::new(place.named(), place.begin(text(lines).as_bytes()), lines.len())),
            ),
            Some(Named::AtTheEnd(_)) | None => None,
        };
        named.into_iter().chain(implied).for_each(|copy| copy.grow(lines));
    }

    /// Writes its last line, and tells of what could not be written. The state is not locked any more: see
    /// [`Output::write`].
    pub(crate) fn end(&mut self, io: &mut Io) {
        if let Some(writer) = &self.writer {
            self.lines.push(writer.end(self.last, self.outcome).to_json());
        }
        self.grow();
        let named = match &mut self.named {
            Some(Named::AtTheEnd(path)) => Output::new(path, Kind::Receipt, &self.kept)
                .and_then(|output| output.write(text(&self.lines).as_bytes()))
                .err(),
            Some(Named::Growing { copy, .. }) => copy.as_mut().and_then(Copy::take_problem),
            None => None,
        };
        let implied = self.implied.as_mut().and_then(Copy::take_problem);
        for error in named.into_iter().chain(implied) {
            human::warning(io, &format!("there is no whole receipt of this run: {error}"));
        }
    }

    /// Begins the copy in this directory, in the place of the oldest ones.
    fn keep(&self) -> Copy {
        let Header { began, command, .. } = &self.header;
        let stem = began.replace(':', "");
        let path = PathBuf::from(format!("{DIRECTORY}/{stem}-{command}-{}{ENDING}", std::process::id()));
        let begun = files::make_directory_of(Path::new(DIRECTORY))
            .and_then(|()| files::begin_implied(&path, text(&self.lines).as_bytes()))
            .map_err(|error| CommandError::file("write", &path, &error));
        // Names begin with the time.
        for old in names().iter().rev().skip(KEPT) {
            // Another run may have removed it.
            let _gone = std::fs::remove_file(old);
        }
        Copy::new(&path, begun, self.lines.len())
    }
}

/// The receipts that this directory keeps, the oldest first.
pub(crate) fn names() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(DIRECTORY).into_iter().flatten();
    let mut names: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ENDING)))
        .collect();
    names.sort();
    names
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
