//! The variables of this directory: which files, environment variables and flags count, in Terraform's order.
//!
//! Files are read here; what they mean is decided by [`aloka_core::variables`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::variables::configuration as declared;
use aloka_core::variables::{self, Diagnostic, Evaluated, Needs, Severity, Source, Variables};
use aloka_core::{boot, credentials};

use serde_json::Value as Json;

use crate::args::GivenVariable;
use crate::configuration;
use crate::error::{CommandError, ErrorKind, Errors};
use crate::files;
use crate::line;

/// What the names of variables in the environment begin with.
const ENVIRONMENT_PREFIX: &str = "TF_VAR_";
/// The most user data EC2 takes, bytes before encoding.
const USER_DATA_MAX: usize = 16 << 10;

/// As many bytes are read of all variables files that nobody named.
const DIRECTORY_MAX: u64 = 16 << 20;
/// Set to 1, user data may hold what looks like credentials.
const ALLOW_CREDENTIALS: &str = "ALOKA_ALLOW_CREDENTIALS_IN_USER_DATA";

/// The most of a file that is read; the longest variables file has half of it.
const VARIABLES_MAX: u64 = 2 << 20;

/// As many names that have no part in the stack are told.
const UNUSED_TOLD: usize = 10;

/// Variables that are not in the environment any more, see [`keep_secrets_from_children`].
static TAKEN: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();

/// Takes the `TF_VAR_*` of sensitive variables, and arguments, out of the environment of this process, for no child to inherit. They count
/// as before. To be called before any thread is started.
pub fn keep_secrets_from_children() {
    let is_sensitive = |name: &str| {
        let variable = name.strip_prefix(ENVIRONMENT_PREFIX).unwrap_or_default();
        variables::definitions().iter().any(|definition| definition.sensitive && definition.name == variable)
    };
    // Arguments may set a sensitive variable as well.
    let is_taken = |name: &str| is_sensitive(name) || name.starts_with(line::EXTRA_PREFIX);
    // Whoever calls it twice has nothing to take the second time.
    let _first = TAKEN.set(aloka_environment::take(is_taken));
}

/// Takes a variable `AWS_*` that is empty for one that is not set, and leaves out white space around its value: CI systems
/// set variables to nothing, and their secrets end with a line break. The SDK takes either at its word, and panics at some.
/// To be called before any thread is started.
pub fn tidy_variables_of_aws() {
    // Of these, to be empty says that there is no file.
    let is_file = |name: &str| ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].contains(&name);
    aloka_environment::tidy(|name| name.starts_with("AWS_") && !is_file(name));
}

/// A variable of the environment, as the process was given it.
pub fn variable(name: &str) -> Option<OsString> {
    let taken = TAKEN.get().into_iter().flatten().find(|(taken, _)| taken == name);
    taken.map(|(_, value)| value.clone()).or_else(|| std::env::var_os(name))
}

/// Everything the directory and the command line say.
#[derive(Debug)]
pub struct Config {
    /// The variables, complete and valid.
    pub variables: Variables,
    /// Contents of the file `app_user_data` names.
    pub user_data: Option<String>,
    /// Where each variable was set, by name.
    pub origins: BTreeMap<String, String>,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
    /// What the directory says that has no part in the stack.
    pub notes: Vec<String>,
}

/// Reads everything.
///
/// # Errors
/// Every problem found, together.
pub fn load(given: &[GivenVariable], needs: Needs) -> Result<(Config, Secrets), Errors> {
    Sources::of(given).load(needs, None)
}

/// Everything that was read, a pipe only once.
pub struct Sources {
    read: Vec<Source>,
    /// The `.tf` files of the directory, by name.
    configuration: Vec<(String, String)>,
    errors: Vec<CommandError>,
}

impl Sources {
    /// Reads the environment, the directory and what the command line names.
    pub fn of(given: &[GivenVariable]) -> Self {
        let mut errors = Vec::new();
        let configuration = configuration::files().unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        let mut read: Vec<Source> = region().into_iter().collect();
        let source = |(path, contents): &(String, String)| Source::Configuration {
            path: path.clone(),
            contents: contents.clone(),
        };
        read.extend(configuration.iter().map(source));
        read.extend(environment());
        read.extend(files(&mut errors));
        read.extend(command_line(given, &mut errors));
        Self { read, configuration, errors }
    }

    /// True if everything is there but a password, which nobody else makes.
    pub fn lack_password(&self) -> bool {
        let evaluated = variables::evaluate(&self.read, Needs { password: false });
        let lacks = |evaluated: Evaluated| {
            evaluated.secrets.get(DB_PASSWORD).is_none() && !evaluated.variables.db_manage_master_user_password
        };
        self.errors.is_empty() && evaluated.is_ok_and(lacks)
    }

    /// What the sources say. A password that was typed counts as if it were in the environment.
    ///
    /// # Errors
    /// Every problem found, together.
    pub fn load(&self, needs: Needs, typed: Option<&Secret>) -> Result<(Config, Secrets), Errors> {
        let mut errors = self.errors.clone();
        let typed = typed.map(|typed| Source::Environment {
            name: format!("{ENVIRONMENT_PREFIX}{DB_PASSWORD}"),
            value: typed.expose().to_owned(),
        });
        let mut sources = self.read.clone();
        // Before the files, which count more than the environment.
        let before = sources.iter().position(|source| matches!(source, Source::File { .. })).unwrap_or(sources.len());
        sources.splice(before..before, typed);
        let evaluated = match variables::evaluate(&sources, needs) {
            Ok(evaluated) if errors.is_empty() => evaluated,
            Ok(_) => return Err(Errors(errors)),
            Err(diagnostics) => {
                errors.extend(diagnostics.into_iter().map(from_diagnostic));
                return Err(Errors(errors));
            }
        };
        let Evaluated { variables, secrets, origins, by_file, unused, mut warnings } = evaluated;
        let mut notes = declared::beside(&self.configuration);
        if !unused.is_empty() {
            let names: Vec<&str> = unused.iter().take(UNUSED_TOLD).map(String::as_str).collect();
            let more = if unused.len() > UNUSED_TOLD { ", …" } else { "" };
            notes.push(format!(
                "set here, declared by this directory, and no part of this stack: {}{more}",
                names.join(", ")
            ));
        }
        warnings.extend(overridden(&variables, &secrets, &origins, &by_file));
        let named_by_file = by_file.contains("app_user_data");
        let user_data = variables.app_user_data.as_deref();
        let user_data = user_data.map(|path| self::user_data(Path::new(path), named_by_file)).transpose()?;
        let name = variables.app_user_data.as_deref().unwrap_or_default();
        warnings.extend(user_data.as_deref().and_then(|text| windows_endings(name, text)));
        Ok((Config { variables, user_data, origins, warnings, notes }, secrets))
    }
}

fn warning(summary: String, hint: String) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, summary, detail: None, hint: Some(hint), location: None }
}

/// Variables of the environment that a file sets to something else: files count more, which whoever set them may not know.
fn overridden(
    variables: &Variables,
    secrets: &Secrets,
    origins: &BTreeMap<String, String>,
    by_file: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    // Texts, numbers and lists of them: serialising them has no way to fail.
    let values = serde_json::to_value(variables).unwrap_or_default();
    let mut found = Vec::new();
    for name in by_file {
        let environment = format!("{ENVIRONMENT_PREFIX}{name}");
        let (Some(set), Some(place)) = (variable(&environment), origins.get(name)) else { continue };
        let is_same = match (name == DB_PASSWORD, values.get(name)) {
            (true, _) => secrets.get(DB_PASSWORD).is_some_and(|secret| set == secret.expose()),
            (false, Some(Json::String(text))) => set == text.as_str(),
            (false, Some(value)) => set == value.to_string().as_str(),
            (false, None) => false,
        };
        if !is_same && !set.is_empty() {
            let hint = match name == DB_PASSWORD {
                true => "delete that line: the variable keeps the password out of files".to_owned(),
                false => format!("delete that line, or unset {environment}"),
            };
            found.push(warning(format!("{place} overrides {environment}, which is set"), hint));
        }
    }
    found
}

/// A script that was saved on Windows does not run on Linux.
fn windows_endings(path: &str, text: &str) -> Option<Diagnostic> {
    boot::has_windows_endings(text).then(|| {
        let hint =
            "save it with Unix line endings (LF), as a shell script does not run with a carriage return in each line";
        warning(format!("{path}, which app_user_data names, has Windows line endings (CRLF)"), hint.to_owned())
    })
}

/// The Region AWS's own tools would use, below everything else as it is only a default. Their profile, `AWS_PROFILE`, is
/// heard when credentials are looked for: unlike `aws_profile`, it comes after keys in the environment.
fn region() -> Option<Source> {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let region = text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION"));
    region.map(|value| Source::Environment { name: "TF_VAR_aws_region".to_owned(), value })
}

/// `TF_VAR_*`
fn environment() -> Vec<Source> {
    let taken = TAKEN.get().into_iter().flatten().cloned();
    let mut named: Vec<(String, String)> = std::env::vars_os()
        .chain(taken)
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
        .collect();
    named.sort();
    named.into_iter().map(|(name, value)| Source::Environment { name, value }).collect()
}

/// The files that count without being named.
fn files(errors: &mut Vec<CommandError>) -> Vec<Source> {
    let entries = match fs::read_dir(".") {
        Ok(entries) => entries,
        Err(error) => {
            errors.push(CommandError::file("list", Path::new("."), &error));
            return Vec::new();
        }
    };
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let mut left = DIRECTORY_MAX;
    let mut read = |name: String| {
        let path = Path::new(&name);
        let source = file(path, files::within_text(path, VARIABLES_MAX.min(left)), errors)?;
        if let Source::File { contents, path: _ } = &source {
            left = left.saturating_sub(u64::try_from(contents.len()).unwrap_or(u64::MAX));
        }
        Some(source)
    };
    variables::auto_loaded(&names).into_iter().filter_map(&mut read).collect()
}

fn file(path: &Path, contents: Result<String, CommandError>, errors: &mut Vec<CommandError>) -> Option<Source> {
    match contents {
        Ok(contents) => Some(Source::File { path: path.display().to_string(), contents }),
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn command_line(given: &[GivenVariable], errors: &mut Vec<CommandError>) -> Vec<Source> {
    let mut sources = Vec::new();
    for variable in given {
        match variable {
            GivenVariable::File(path) => sources.extend(file(path, files::named_text(path, VARIABLES_MAX), errors)),
            GivenVariable::Var(text) => match text.split_once('=') {
                Some((name, value)) => {
                    sources.push(Source::CommandLine { name: name.trim().to_owned(), value: value.to_owned() });
                }
                None => errors.push(no_value()),
            },
        }
    }
    sources
}

/// Without a `=` there is no telling name from value, so the text is not shown: it may be a secret.
pub fn no_value() -> CommandError {
    CommandError::user("-var needs NAME=VALUE").hint("for example: -var 'environment=prod'")
}

/// A path whose `~` stands for the home directory, as Terraform's `pathexpand` has it: a shell leaves it inside of quotes.
fn at_home(path: &Path) -> Result<PathBuf, CommandError> {
    match path.strip_prefix("~") {
        Ok(rest) => match std::env::home_dir().filter(|home| home.is_absolute()) {
            Some(home) => Ok(home.join(rest)),
            None => {
                let message = format!("{} begins with ~, and there is no home directory", path.display());
                Err(CommandError::config(message).hint("set HOME, or write the whole path"))
            }
        },
        Err(_) => Ok(path.to_owned()),
    }
}

/// The boot script. A variables file names only what is in its directory: that is somebody's data, and what it names is
/// sent to AWS. The command line and the environment are the user's own word.
fn user_data(path: &Path, named_by_file: bool) -> Result<String, CommandError> {
    let own_word = "to take a file from elsewhere, say so yourself: -var 'app_user_data=PATH', or TF_VAR_app_user_data";
    let bytes = if !named_by_file {
        files::named(&at_home(path)?, VARIABLES_MAX)
    } else if path.starts_with("~") {
        let message =
            format!("{} is in a home directory, and a variables file names only files beside it", path.display());
        Err(CommandError::config(message).hint(own_word))
    } else if path.is_relative() {
        files::within(path, VARIABLES_MAX).map_err(|error| error.hint(own_word))
    } else {
        let message =
            format!("{} is an absolute path, and a variables file names only files beside it", path.display());
        Err(CommandError::config(message).hint(own_word))
    };
    let bytes = bytes.map_err(|error| error.hint("the variable `app_user_data` names this file"))?;
    if bytes.len() > USER_DATA_MAX {
        let message =
            format!("{} has {} bytes, EC2 takes {USER_DATA_MAX} bytes of user data", path.display(), bytes.len());
        return Err(CommandError::config(message).hint("let the script download what it needs"));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| CommandError::config(format!("{} is not UTF-8 text", path.display())))?;
    let allowed = std::env::var_os(ALLOW_CREDENTIALS).is_some_and(|value| value == "1");
    match credentials::found(&text).filter(|_| !allowed) {
        None => Ok(text),
        Some(what) => Err(CommandError::config(format!(
            "{} holds what looks like {what}, and whoever may look at an instance may read its user data",
            path.display()
        ))
        .hint("the variable `app_user_data` names this file")
        .hint("let the script fetch secrets when it runs, with the instance's own role")
        .hint(format!("if it is no secret, or has to be there, set {ALLOW_CREDENTIALS}=1"))),
    }
}

/// A problem with a variable, with its source line.
pub fn from_diagnostic(diagnostic: Diagnostic) -> CommandError {
    let mut error = CommandError::new(ErrorKind::Config, &*diagnostic.summary);
    error.lines = diagnostic.details();
    error.is_warning = diagnostic.severity == Severity::Warning;
    error.diagnostic = Some(Box::new(diagnostic));
    error
}
