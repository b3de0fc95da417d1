//! What goes wrong, told so that the reader knows what to do next. Secrets never come here.

use std::fmt;

use aloka_core::render::{Style, Text};
use aloka_core::shell::Command;
use aloka_core::state::Target;
use aloka_core::variables::Diagnostic;

use crate::files::Refused;

/// The longest message, in characters.
const MESSAGE_MAX: usize = 8192;

/// Whose concern an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked on the command line cannot be done.
    User,
    /// The variables or a file cannot be used.
    Config,
    /// AWS refused, or did not answer.
    Aws,
    /// Somebody else holds the lock, or has changed what this command started from.
    Conflict,
    /// A bug of this program.
    Internal,
}

/// One error with hints that name the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// Whose concern it is.
    pub kind: ErrorKind,
    /// The object concerned, if there is one.
    pub address: Option<Box<Target>>,
    /// What went wrong, on one line: lower case, no full stop. A line break in it is from somebody else, and is shown as
    /// `\n`.
    pub message: String,
    /// Lines below it.
    pub lines: Vec<String>,
    /// What to do, one sentence each.
    pub hints: Vec<Hint>,
    /// True if it was found together with errors, but would not stop a command by itself.
    pub is_warning: bool,
    /// The problem with a variable that it tells of, for machines.
    pub diagnostic: Option<Box<Diagnostic>>,
}

impl CommandError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            address: None,
            message: no_longer(message.into()),
            lines: Vec::new(),
            hints: Vec::new(),
            is_warning: false,
            diagnostic: None,
        }
    }

    /// An error in what was asked.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::User, message)
    }

    /// An error in a file or a variable.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An answer of AWS, or none.
    pub fn aws(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Aws, message)
    }

    /// Somebody else was there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// A bug.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, format!("invariant violated: {}", message.into()))
    }

    /// A file that cannot be read or written.
    pub fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let told = Self::config(format!("cannot {what} {}: {error}", path.display()));
        match Refused::of(error) {
            Some(refused) => refused.hinted(told),
            None => told,
        }
    }

    /// With one more line below the message.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(no_longer(line.into()));
        self
    }

    /// With one more hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.hint_commands(hint, &[])
    }

    /// With one more hint that ends with commands, each on a line of its own.
    #[must_use]
    pub fn hint_commands(mut self, hint: impl Into<String>, commands: &[Command]) -> Self {
        let commands = commands.iter().map(ToString::to_string).collect();
        self.hints.push(Hint { text: hint.into(), commands });
        self
    }

    /// About this object.
    #[must_use]
    pub fn about(mut self, object: &Target) -> Self {
        self.address = Some(Box::new(object.clone()));
        self
    }
}

impl CommandError {
    /// `error: ADDRESS: MESSAGE`, then a `hint:` line for each hint.
    pub fn to_text(&self) -> Text {
        let Self { kind: _, address, message, lines, hints, is_warning, diagnostic: _ } = self;
        let word = if *is_warning { (Style::Warning, "warning:") } else { (Style::Error, "error:") };
        let address = address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let mut text = Text::new();
        text.line([word, (Style::Plain, &format!(" {address}{message}"))]);
        lines.iter().for_each(|line| text.say(Style::Plain, line));
        for line in hints.iter().flat_map(Hint::lines) {
            text.say(Style::Plain, line);
        }
        text
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// A sentence.
    pub text: String,
    /// Commands to give, if they stand on lines of their own.
    pub commands: Vec<String>,
}

impl Hint {
    fn lines(&self) -> impl Iterator<Item = String> {
        let commands = self.commands.iter().map(|command| format!("  {command}"));
        std::iter::once(format!("hint: {}", self.text)).chain(commands)
    }
}

/// A message may quote a file that anybody could have written: no more of it than can be read.
fn no_longer(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_MAX) {
        message.truncate(end);
        message.push('…');
    }
    message
}

/// [`CommandError::to_text`], the last line without its end.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text().plain();
        f.write_str(text.strip_suffix('\n').unwrap_or(&text))
    }
}

/// Everything that went wrong; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<CommandError>);

impl From<CommandError> for Errors {
    fn from(error: CommandError) -> Self {
        Self(vec![error])
    }
}

/// What a command ends with: an exit code, or errors (exit code 1).
pub type CommandResult = Result<u8, Errors>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tame_whatever_it_quotes() {
        let error = CommandError::config(format!("a\u{1b}[31m\nhint: b{}", "x".repeat(10_000)));
        assert!(error.to_string().starts_with("error: a\\u001b[31m\\nhint: bx"), "{error}");
        assert!(error.message.ends_with("x…") && error.message.chars().count() == MESSAGE_MAX + 1);
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    #[test]
    fn what_has_lines_of_its_own_keeps_them() {
        let command = Command::new("aloka state rm").id("x").expect("an identifier");
        let error = CommandError::user("no").line("  a: b\nc").hint("first").hint_commands("then:", &[command]);
        assert_eq!(error.to_string(), "error: no\n  a: b\\nc\nhint: first\nhint: then:\n  aloka state rm x");
    }

    #[test]
    fn names_the_object_and_the_next_step() {
        let target = Target::current("aws_vpc.x".parse().expect("an address"));
        let error = CommandError::aws("VpcLimitExceeded: too many").about(&target).hint("raise the quota");
        assert_eq!(error.to_string(), "error: aws_vpc.x: VpcLimitExceeded: too many\nhint: raise the quota");
    }
}
