//! What goes wrong, told so that the reader knows what to do next. Secrets never come here.

use std::fmt;

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
    pub address: Option<Target>,
    /// What went wrong: lower case, no full stop; further lines are shown as they are.
    pub message: String,
    /// What to do, one sentence each.
    pub hints: Vec<String>,
    /// True if it was found together with errors, but would not stop a command by itself.
    pub is_warning: bool,
    /// The problem with a variable that it tells of, for machines.
    pub diagnostic: Option<Box<Diagnostic>>,
}

impl CommandError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = tame(message.into());
        Self { kind, address: None, message, hints: Vec::new(), is_warning: false, diagnostic: None }
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

    /// With one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// About this object.
    #[must_use]
    pub fn about(mut self, object: &Target) -> Self {
        self.address = Some(object.clone());
        self
    }
}

/// A message may quote a file that anybody could have written: no more of it than can be read, and nothing that moves a
/// terminal's cursor.
fn tame(message: String) -> String {
    let replace = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
    let mut tamed: String = message.chars().take(MESSAGE_MAX).map(replace).collect();
    if message.chars().nth(MESSAGE_MAX).is_some() {
        tamed.push('…');
    }
    tamed
}

/// `error: ADDRESS: MESSAGE`, then a `hint:` line for each hint.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_warning {
            f.write_str("error: ")?;
        }
        if let Some(address) = &self.address {
            write!(f, "{address}: ")?;
        }
        f.write_str(&self.message)?;
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
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
        let error = CommandError::config(format!("a\u{1b}[31m\nb{}", "x".repeat(10_000)));
        assert!(error.message.starts_with("a\u{fffd}[31m\nb"), "{}", error.message);
        assert!(error.message.ends_with("x…") && error.message.chars().count() == MESSAGE_MAX + 1);
    }

    #[test]
    fn names_the_object_and_the_next_step() {
        let target = Target::current("aws_vpc.x".parse().expect("an address"));
        let error = CommandError::aws("VpcLimitExceeded: too many").about(&target).hint("raise the quota");
        assert_eq!(error.to_string(), "error: aws_vpc.x: VpcLimitExceeded: too many\nhint: raise the quota");
    }
}
