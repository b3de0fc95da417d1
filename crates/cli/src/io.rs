//! The streams a command may use and what is known of them. A reader that went away is no error.

use std::io::{self, BufRead, IsTerminal, Write};

/// Standard input, output and error of one command.
pub struct Io {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    stdin: Box<dyn BufRead + Send>,
    /// True if a person can answer questions.
    pub stdin_is_terminal: bool,
    /// True if a person sees progress.
    pub stderr_is_terminal: bool,
    stdout_color: bool,
    stderr_color: bool,
    write_error: Option<io::Error>,
}

/// True if the environment lets terminals have colour (<https://no-color.org>).
fn environment_allows_color() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Io {
    /// The streams of this process.
    pub fn process() -> Self {
        let color = environment_allows_color();
        let (stdout, stderr, stdin) = (io::stdout(), io::stderr(), io::stdin());
        Self {
            stdin_is_terminal: stdin.is_terminal(),
            stderr_is_terminal: stderr.is_terminal(),
            stdout_color: color && stdout.is_terminal(),
            stderr_color: color && stderr.is_terminal(),
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

    /// True if data may be coloured.
    pub fn stdout_color(&self) -> bool {
        self.stdout_color
    }

    /// True if messages may be coloured.
    pub fn stderr_color(&self) -> bool {
        self.stderr_color
    }

    /// Writes data.
    pub fn out(&mut self, text: &str) {
        let result = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush());
        self.note(result);
    }

    /// Writes data and ends the line.
    pub fn out_line(&mut self, line: &str) {
        self.out(&format!("{line}\n"));
    }

    /// Writes progress or a message.
    pub fn err(&mut self, text: &str) {
        let result = self.stderr.write_all(text.as_bytes()).and_then(|()| self.stderr.flush());
        // Nobody is left to tell that standard error is gone.
        drop(result);
    }

    /// Writes progress or a message and ends the line.
    pub fn err_line(&mut self, line: &str) {
        self.err(&format!("{line}\n"));
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

    /// The same for another thread, which may wait in vain: standard input is empty from here on.
    pub fn last_line(&mut self) -> impl FnOnce() -> Option<String> + Send + use<> {
        let mut stdin = std::mem::replace(&mut self.stdin, Box::new(io::empty()));
        move || read_line(&mut *stdin)
    }
}

fn read_line(stdin: &mut dyn BufRead) -> Option<String> {
    let mut line = String::new();
    match stdin.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}
