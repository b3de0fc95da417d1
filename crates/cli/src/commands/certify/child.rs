//! This program, started again for one step: in a directory of its own, with nothing of its user's variables.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aloka_core::time::Human;
use rustix::process::{Pid, Signal, kill_process};

use crate::args::CloudArg;
use crate::backend::atomic::MODE;
use crate::cloud::signals::Listener;
use crate::error::CommandError;
use crate::io::Io;

/// The pause between two looks at a child.
const LOOK: Duration = Duration::from_millis(50);
/// The same where it is to be killed at a moment.
const CLOSE_LOOK: Duration = Duration::from_millis(2);
/// Virtual seconds that pass in a real one while a run on the simulated AWS is to be killed: else there would be no middle.
const PACE: &str = "100";
/// What a receipt's line of a call that changes something begins with.
const SENT: &str = "{\"sent\":";
/// As many lines of a log are told where the log itself goes.
const LOG_LINES: usize = 20;
/// The password has as many bytes of randomness.
const PASSWORD_BYTES: usize = 16;

/// How a child ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Its exit code.
    pub(super) code: Option<i32>,
    /// True if it was killed in its midst, as it was to be.
    pub(super) is_killed: bool,
    /// Calls that it sent and that change something.
    pub(super) sent: u64,
    /// How long it ran.
    pub(super) time: Duration,
    /// The last line it wrote that tells of an error.
    pub(super) last_words: String,
    /// Its last lines.
    pub(super) log: Vec<String>,
}

impl Ended {
    /// For people.
    pub(super) fn told(&self) -> String {
        let time = Human(Duration::from_millis(u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX)));
        match (self.is_killed, self.code) {
            (true, _) => format!("killed after {time}"),
            (false, Some(code)) => format!("exit code {code} after {time}"),
            (false, None) => format!("ended by a signal after {time}"),
        }
    }
}

/// Starts children and waits for them.
pub(super) struct Children<'a> {
    pub(super) io: &'a mut Io,
    pub(super) directory: PathBuf,
    /// Receipts so far, in the order of their runs.
    pub(super) receipts: Vec<PathBuf>,
    cloud: CloudArg,
    program: PathBuf,
    listener: Listener,
    is_stopped: bool,
    password: String,
}

impl<'a> Children<'a> {
    pub(super) fn new(
        io: &'a mut Io,
        cloud: CloudArg,
        directory: PathBuf,
        listener: Listener,
    ) -> Result<Self, CommandError> {
        let program = std::env::current_exe()
            .map_err(|error| CommandError::internal(format!("this program cannot be found: {error}")))?;
        let (receipts, password) = (Vec::new(), String::new());
        let mut children = Self { io, directory, receipts, cloud, program, listener, is_stopped: false, password };
        children.new_password()?;
        Ok(children)
    }

    /// Another password for the database, which nobody else knows, and which is written nowhere.
    pub(super) fn new_password(&mut self) -> Result<(), CommandError> {
        let mut bytes = [0_u8; PASSWORD_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| CommandError::internal(format!("no randomness: {error}")))?;
        self.password = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(())
    }

    /// True once this process was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// What comes now is to be done although this process was told to stop; being told once more ends that, too.
    pub(super) fn forget_signals(&mut self) {
        self.is_stopped = false;
    }

    /// What the user answers; `None` at the end of input, or if this process is told to stop.
    pub(super) fn answer(&mut self) -> Option<String> {
        let line = self.io.last_line();
        self.listener.unless_stopped(line).flatten()
    }

    /// Runs a command to its end, or until it has sent `kill_at` calls that change something.
    pub(super) fn run(&mut self, name: &str, words: &[String], kill_at: Option<u64>) -> Result<Ended, CommandError> {
        let stem = format!("{:02}-{name}", self.receipts.len() + 1);
        let (receipt, log) = (self.directory.join(format!("{stem}.jsonl")), self.directory.join(format!("{stem}.log")));
        self.receipts.push(receipt.clone());
        let failed = |error: std::io::Error| CommandError::file("write", &log, &error);
        let out = OpenOptions::new().append(true).create_new(true).mode(MODE).open(&log).map_err(failed)?;
        let errors = out.try_clone().map_err(failed)?;
        let mut command = self.command(words.iter().map(OsStr::new));
        command.arg(format!("-receipt={stem}.jsonl")).arg("-input=false").stdout(out).stderr(errors);
        if kill_at.is_some() {
            command.env("ALOKA_SIM_PACE", PACE);
        }
        let began = Instant::now();
        let mut child = command.spawn().map_err(|error| CommandError::file("start", &self.program, &error))?;
        let waiting = |error: std::io::Error| CommandError::internal(format!("a child cannot be waited for: {error}"));
        let mut is_killed = false;
        let code = loop {
            if let Some(status) = child.try_wait().map_err(waiting)? {
                break status.code();
            }
            if kill_at.is_some_and(|at| !is_killed && sent(&receipt) >= at) {
                child.kill().map_err(waiting)?;
                is_killed = true;
            }
            let pause = if kill_at.is_some() { CLOSE_LOOK } else { LOOK };
            if self.listener.sleep(pause).is_some() {
                self.is_stopped = true;
                // If it is gone, the next look tells.
                let _gone = kill_process(Pid::from_child(&child), Signal::INT);
            }
        };
        // It may have ended before.
        is_killed &= code.is_none();
        let text = File::open(&log).and_then(std::io::read_to_string).unwrap_or_default();
        let time = began.elapsed();
        let (last_words, log) = (last_words(&text), last_lines(&text));
        Ok(Ended { code, is_killed, sent: sent(&receipt), time, last_words, log })
    }

    /// The lines that a command prints.
    pub(super) fn output(&self, words: &[&OsStr]) -> Vec<String> {
        let output = self.command(words.iter().copied()).stderr(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn command<'w>(&self, words: impl Iterator<Item = &'w OsStr>) -> Command {
        let mut command = Command::new(&self.program);
        // Variables and flags that are meant for other stacks.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"TF_") {
                command.env_remove(name);
            }
        }
        let mut chdir = std::ffi::OsString::from("-chdir=");
        chdir.push(&self.directory);
        command.arg(chdir).arg(format!("-cloud={}", self.cloud.name())).arg("-no-color").args(words);
        // A signal from the terminal is for this process alone, which passes it on.
        command.env("TF_VAR_db_password", &self.password).stdin(Stdio::null()).process_group(0);
        command
    }
}

/// How many calls that change something a receipt tells of.
fn sent(receipt: &Path) -> u64 {
    let text = std::fs::read_to_string(receipt).unwrap_or_default();
    text.lines().filter(|line| line.starts_with(SENT)).count().try_into().unwrap_or(u64::MAX)
}

/// The last line of a log that tells of an error, or just the last.
fn last_words(log: &str) -> String {
    let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty()).rev();
    let last = lines.clone().next().unwrap_or_default();
    lines.find(|line| line.starts_with("error:")).unwrap_or(last).to_owned()
}

fn last_lines(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(LOG_LINES)).map(|line| (*line).to_owned()).collect()
}
