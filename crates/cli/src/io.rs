//! The streams a command may use and what is known of them. A reader that went away is no error.
//!
//! Nothing else of this program writes to them, and nothing reaches them but a [`Text`], a line or a JSON value, each
//! made printable here at the latest (`aloka_core::printable`): no text of anybody else moves a terminal's cursor, hides,
//! or begins a line. What a script reads byte by byte goes out as it is, but not to a terminal.

mod hidden;
mod wrap;

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use aloka_core::printable;
use aloka_core::render::{Style, Text};
use aloka_core::time::Human;
use clap::builder::StyledStr;
use serde_json::Value as Json;

pub(crate) use hidden::Typed;

/// Standard input, output and error of one command.
pub struct Io {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    stdin: Box<dyn BufRead + Send>,
    /// True if a person can answer questions.
    pub stdin_is_terminal: bool,
    /// True if a person sees progress.
    pub stderr_is_terminal: bool,
    stdout_is_terminal: bool,
    stdout_color: bool,
    stderr_color: bool,
    write_error: Option<io::Error>,
}

/// Which streams the environment lets have colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colors {
    None,
    /// Terminals alone.
    Terminals,
    /// A pipe, too, as whoever reads it shows colours.
    All,
}

impl Colors {
    /// As the environment says: `NO_COLOR` (<https://no-color.org>) before `CLICOLOR_FORCE` (<https://bixense.com/clicolors>)
    /// and `FORCE_COLOR` (<https://force-color.org>).
    fn of(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let forced = |name| variable(name).is_some_and(|value| !value.is_empty() && value != "0");
        if set("NO_COLOR") {
            Self::None
        } else if forced("CLICOLOR_FORCE") || forced("FORCE_COLOR") {
            Self::All
        } else if variable("TERM").is_some_and(|term| term == "dumb") {
            Self::None
        } else {
            Self::Terminals
        }
    }

    const fn for_stream(self, is_terminal: bool) -> bool {
        match self {
            Self::None => false,
            Self::Terminals => is_terminal,
            Self::All => true,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "everything that is printed goes through this file")]
mod streams {
    use std::io::{Stderr, Stdout};

    pub(super) fn stdout() -> Stdout {
        std::io::stdout()
    }

    pub(super) fn stderr() -> Stderr {
        std::io::stderr()
    }
}

impl Io {
    /// The streams of this process.
    pub fn process() -> Self {
        let colors = Colors::of(|name| std::env::var_os(name));
        let (stdout, stderr, stdin) = (streams::stdout(), streams::stderr(), io::stdin());
        let stdout_is_terminal = stdout.is_terminal();
        Self {
            stdin_is_terminal: stdin.is_terminal(),
            stderr_is_terminal: stderr.is_terminal(),
            stdout_is_terminal,
            stdout_color: colors.for_stream(stdout_is_terminal),
            stderr_color: colors.for_stream(stderr.is_terminal()),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            stdin: Box::new(io::BufReader::new(stdin)),
            write_error: None,
        }
    }

    /// No colour from here on.
    pub fn disable_color(&mut self) {
        self.stdout_color = false;
        self.stderr_color = false;
    }

    /// True if messages may be coloured.
    pub fn stderr_color(&self) -> bool {
        self.stderr_color
    }

    /// Columns of the terminal that data goes to, if it goes to one that says.
    pub fn stdout_columns(&self) -> Option<usize> {
        columns(streams::stdout())
    }

    /// Columns of the terminal that messages go to, if they go to one that says.
    pub fn stderr_columns(&self) -> Option<usize> {
        columns(streams::stderr())
    }

    /// Writes data for people, with as much colour as the reader wants.
    pub fn out_text(&mut self, text: &Text) {
        let fitted = fitted(text, if self.stdout_is_terminal { self.stdout_columns() } else { None });
        let text = fitted.as_ref().unwrap_or(text);
        let text = if self.stdout_color { text.ansi() } else { text.plain() };
        self.write_out(&text);
    }

    /// Writes a line of data.
    pub fn out_line(&mut self, line: &str) {
        let mut text = Text::new();
        text.say(Style::Plain, line);
        self.out_text(&text);
    }

    /// Writes a question; the answer is given on its last line.
    pub fn ask(&mut self, question: &Text) {
        self.write_out(question.plain().trim_end_matches('\n'));
    }

    /// Writes a JSON value on one line.
    pub fn out_json(&mut self, json: &Json) {
        self.write_out(&printable::json(format!("{json}\n")));
    }

    /// Writes a JSON value, indented.
    pub fn out_json_pretty(&mut self, json: &Json) {
        self.write_out(&printable::json(format!("{json:#}\n")));
    }

    /// Writes what a script reads: as it is, but for a terminal.
    pub fn out_raw(&mut self, text: &str) {
        if self.stdout_is_terminal {
            self.write_out(&printable::document(text));
        } else {
            self.write_out(text);
        }
    }

    /// Writes a JSON document that somebody stores: as it is, but for a terminal, where it is equal when parsed.
    pub fn out_raw_json(&mut self, document: String) {
        self.write_out(&if self.stdout_is_terminal { printable::json(document) } else { document });
    }

    /// Writes a help text of ours, with as much colour as the reader wants.
    pub fn out_help(&mut self, help: &StyledStr) {
        self.write_out(&if self.stdout_color { help.ansi().to_string() } else { help.to_string() });
    }

    fn write_out(&mut self, text: &str) {
        let result = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush());
        self.note(result);
    }

    /// Writes a message, with as much colour as the reader wants.
    pub fn err_text(&mut self, text: &Text) {
        let fitted = fitted(text, if self.stderr_is_terminal { self.stderr_columns() } else { None });
        let text = fitted.as_ref().unwrap_or(text);
        let text = if self.stderr_color { text.ansi() } else { text.plain() };
        self.write_err(&text);
    }

    /// Writes a line of progress or a message.
    pub fn err_line(&mut self, line: &str) {
        let mut text = Text::new();
        text.say(Style::Plain, line);
        self.err_text(&text);
    }

    /// Takes the last lines of standard error away again. Only for a terminal.
    pub fn err_erase(&mut self, lines: usize) {
        if lines > 0 && self.stderr_is_terminal {
            self.write_err(&format!("\x1b[{lines}A\x1b[J"));
        }
    }

    fn write_err(&mut self, text: &str) {
        let result = self.stderr.write_all(text.as_bytes()).and_then(|()| self.stderr.flush());
        // Nobody is left to tell that standard error is gone.
        drop(result);
    }

    /// Keeps the first failure, except that a reader that has seen enough is none.
    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
            && self.write_error.is_none()
        {
            self.write_error = Some(error);
        }
    }

    /// Why data could not be written, if so.
    pub fn take_write_error(&mut self) -> Option<io::Error> {
        self.write_error.take()
    }

    /// One line of standard input without its end; `None` at the end of input.
    pub fn read_line(&mut self) -> Option<String> {
        read_line(&mut *self.stdin)
    }

    /// True if a person can type what is not shown.
    pub fn can_hide(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }

    /// Asks for one line that is not shown as it is typed. Only for a terminal.
    pub(crate) fn read_hidden(&mut self, question: &str) -> io::Result<Typed> {
        let Self { stdin, stderr, .. } = self;
        let typed = hidden::read(&mut **stdin, || {
            // Nobody is left to tell that standard error is gone.
            drop(stderr.write_all(printable::line(question).as_bytes()).and_then(|()| stderr.flush()));
        });
        self.write_err("\n");
        typed
    }

    /// The same for another thread, which may wait in vain: standard input is empty from here on.
    pub fn last_line(&mut self) -> impl FnOnce() -> Option<String> + Send + use<> {
        let mut stdin = std::mem::replace(&mut self.stdin, Box::new(io::empty()));
        move || read_line(&mut *stdin)
    }
}

/// How often it is said that a wait goes on.
const STILL: Duration = Duration::from_secs(10);

/// Says every ten seconds, on standard error, what is waited for, until it is dropped: for waits in which nothing else is
/// written. The first line comes after ten seconds, so that a wait that is none says nothing.
pub(crate) struct Still {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Still {
    /// `what` completes the sentence "still …".
    pub(crate) fn begin(what: String) -> Self {
        let (over, ended) = mpsc::channel();
        let tell = move || {
            let mut waited = STILL;
            while ended.recv_timeout(STILL) == Err(RecvTimeoutError::Timeout) {
                late_line(&format!("still {what}... [{} elapsed]", Human(waited)));
                waited = waited.saturating_add(STILL);
            }
        };
        // Without a thread it is silent, and nothing else is lost.
        let thread = std::thread::Builder::new().name("still".to_owned()).spawn(tell).ok();
        Self { over: Some(over), thread }
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// Writes a line to standard error where the streams of the command are not at hand: from a thread, or at the very end.
pub(crate) fn late_line(line: &str) {
    let mut text = Text::new();
    text.say(Style::Plain, line);
    // Nobody is left to tell that standard error is gone.
    let _gone = streams::stderr().write_all(text.plain().as_bytes());
}

/// The text as it fits into a terminal; `None` where it goes to none that says how wide it is.
fn fitted(text: &Text, columns: Option<usize>) -> Option<Text> {
    columns.map(|columns| wrap::wrap(text, columns))
}

fn columns(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Standard output or error as a file, to write where it stands: 1 or 2, as the shell numbers them.
pub(crate) fn descriptor(number: u32) -> Option<io::Result<File>> {
    match number {
        1 => Some(streams::stdout().as_fd().try_clone_to_owned().map(File::from)),
        2 => Some(streams::stderr().as_fd().try_clone_to_owned().map(File::from)),
        _ => None,
    }
}

/// Writes a JSON document into a file that is open: as it is, but for a terminal, where it is equal when parsed.
pub(crate) fn write_json(file: &mut File, document: &[u8]) -> io::Result<()> {
    if file.is_terminal() {
        file.write_all(printable::json(String::from_utf8_lossy(document).into_owned()).as_bytes())
    } else {
        file.write_all(document)
    }
}

fn read_line(stdin: &mut dyn BufRead) -> Option<String> {
    let mut line = String::new();
    match stdin.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;
    use crate::error::CommandError;

    /// Everything that a terminal acts on, in every kind of text.
    const BAD: &str = "a\x1b]52;c;cHduZWQ=\x07\r\nerror: forged\u{9b}1A\u{7f}\u{202e}\u{200b}\u{e0041}";

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(is_terminal: bool, write: impl FnOnce(&mut Io)) -> String {
        let all = Written::default();
        let mut io = Io {
            stdout: Box::new(all.clone()),
            stderr: Box::new(all.clone()),
            stdin: Box::new(io::empty()),
            stdin_is_terminal: is_terminal,
            stderr_is_terminal: is_terminal,
            stdout_is_terminal: is_terminal,
            stdout_color: is_terminal,
            stderr_color: is_terminal,
            write_error: None,
        };
        write(&mut io);
        let bytes = all.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Harmful characters that are not our own colours and line breaks.
    fn harmful(text: &str) -> bool {
        let colours = ["\x1b[31m", "\x1b[0m"];
        let text = colours.iter().fold(text.to_owned(), |text, colour| text.replace(colour, ""));
        text.replace('\n', "").contains(printable::is_harmful)
    }

    #[test]
    fn nothing_harmful_is_written_whichever_way() {
        let ways: [fn(&mut Io); 7] = [
            |io| io.out_line(BAD),
            |io| io.err_line(BAD),
            |io| {
                let mut text = Text::new();
                text.line([(Style::Error, BAD), (Style::Plain, BAD)]);
                io.out_text(&text);
                io.err_text(&text);
                io.ask(&text);
            },
            |io| io.out_json(&json!({ BAD: BAD })),
            |io| io.out_json_pretty(&json!({ BAD: [BAD] })),
            |io| crate::view::human::error(io, &CommandError::config(BAD).line(BAD).hint(BAD)),
            |io| crate::view::json::write(io, &crate::view::json::error(&CommandError::config(BAD).hint(BAD))),
        ];
        for (way, write) in ways.into_iter().enumerate() {
            for is_terminal in [false, true] {
                let text = written(is_terminal, write);
                assert!(!harmful(&text), "way {way}: {text:?}");
                assert!(text.contains("forged"), "way {way}: {text:?}");
                assert!(!text.lines().any(|line| line.starts_with("error: forged")), "way {way}: {text}");
            }
        }
        let value = json!({ BAD: [BAD] });
        let text = written(true, |io| io.out_json(&value));
        assert_eq!(serde_json::from_str::<Json>(&text).expect("JSON"), value);
    }

    #[test]
    fn what_a_script_reads_is_as_it_is_but_not_on_a_terminal() {
        assert_eq!(written(false, |io| io.out_raw(BAD)), BAD);
        let shown = written(true, |io| io.out_raw("#!/bin/sh\n\techo \x1b[2J"));
        assert_eq!(shown, "#!/bin/sh\n\techo \\u001b[2J");
        let document = format!("{:#}\n", json!({ "a": BAD }));
        assert_eq!(written(false, |io| io.out_raw_json(document.clone())), document);
        let shown = written(true, |io| io.out_raw_json(document.clone()));
        assert!(!harmful(&shown), "{shown:?}");
        assert_eq!(serde_json::from_str::<Json>(&shown).ok(), serde_json::from_str(&document).ok());
    }

    #[test]
    fn colour_is_what_the_environment_says() {
        let of = |pairs: &[(&str, &str)]| {
            Colors::of(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
        };
        assert_eq!(of(&[]), Colors::Terminals);
        assert_eq!(of(&[("TERM", "dumb")]), Colors::None);
        for name in ["CLICOLOR_FORCE", "FORCE_COLOR"] {
            assert_eq!(of(&[(name, "1")]), Colors::All);
            assert_eq!(of(&[(name, "1"), ("TERM", "dumb")]), Colors::All);
            assert_eq!(of(&[(name, "1"), ("NO_COLOR", "1")]), Colors::None);
            assert_eq!(of(&[(name, "0")]), Colors::Terminals);
            assert_eq!(of(&[(name, "")]), Colors::Terminals);
        }
        assert_eq!(of(&[("NO_COLOR", "")]), Colors::Terminals);
    }

    #[test]
    fn lines_are_taken_away_on_a_terminal_alone() {
        assert_eq!(written(true, |io| io.err_erase(2)), "\x1b[2A\x1b[J");
        assert_eq!(written(true, |io| io.err_erase(0)), "");
        assert_eq!(written(false, |io| io.err_erase(2)), "");
    }
}
