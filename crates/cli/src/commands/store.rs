//! Where this directory's state lives, and reading it for commands that only look.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aloka_core::identity::sha256;
use aloka_core::state::{State, file};
use aloka_core::variables::backend::{self, Backend as Configured};
use serde::{Deserialize, Serialize};

use super::clear_text::{self, Place};
use crate::args::CloudArg;
use crate::backend::atomic::write_new;
use crate::backend::lock::host;
use crate::backend::{Backend, BackendError, LocalBackend};
use crate::cloud::SIM_ACCOUNT_FILE;
use crate::config::from_diagnostic;
use crate::endpoint;
use crate::error::{CommandError, ErrorKind, Errors};
use crate::files;
use crate::io::Io;
use crate::output::{Content, resolve};
use crate::trust::{self, Trust, Yes};

/// The state file of a directory, as Terraform has it.
pub const STATE_FILE: &str = "terraform.tfstate";
/// The state of the simulated account where AWS's is in S3.
const SIM_STATE_FILE: &str = ".aloka/sim.tfstate";
/// What `aloka init` decided about the backend.
const RECORD_FILE: &str = ".aloka/backend.json";
/// The format of it.
const RECORD_VERSION: u32 = 1;
/// A longer one is refused.
const RECORD_MAX: u64 = 1 << 20;
/// As many bytes are read of all configuration files together.
const CONFIGURATION_MAX: u64 = 16 << 20;
/// The workspace of a directory that chose none.
const DEFAULT_WORKSPACE: &str = "default";
/// As many bytes are read of the file that names a workspace.
const WORKSPACE_MAX: u64 = 4 << 10;
/// Where a state goes that its store did not take, as Terraform calls it.
const ERRORED_FILE: &str = "errored.tfstate";
/// As many are kept side by side.
const ERRORED_MAX: u32 = 1000;
/// Where Terraform notes which workspace is chosen.
const WORKSPACE_FILE: &str = ".terraform/environment";

/// What `aloka init` was told, so that other commands need not be. It is the word of who gave that command, on that
/// machine: what came along with a directory counts as none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    format_version: u32,
    /// Who wrote it.
    #[serde(default)]
    user: Option<u32>,
    /// Where, see [`machine`].
    #[serde(default)]
    machine: Option<String>,
    /// `-backend-config`, the last of a key alone.
    pub given: Vec<String>,
    /// What came of it and the configuration.
    pub backend: Configured,
}

impl Record {
    /// Of these settings; a key given twice counts as given last.
    pub fn new(given: &[String], backend: Configured) -> Self {
        let key = |text: &String| text.split('=').next().unwrap_or_default().trim().to_owned();
        let last: BTreeMap<String, &String> = given.iter().map(|text| (key(text), text)).collect();
        Self {
            format_version: RECORD_VERSION,
            user: Some(rustix::process::geteuid().as_raw()),
            machine: Some(machine()),
            given: last.into_values().cloned().collect(),
            backend,
        }
    }

    /// True if this user wrote it, on this machine.
    fn is_ours(&self) -> bool {
        self.user.is_some_and(trust::is_ours) && self.machine.as_deref() == Some(&machine())
    }

    /// The record of this directory, if `aloka init` left one here.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load() -> Result<Option<Self>, CommandError> {
        Ok(Self::read()?.filter(Self::is_ours))
    }

    /// The same, whoever wrote it.
    fn read() -> Result<Option<Self>, CommandError> {
        let path = Path::new(RECORD_FILE);
        files::implied(path, RECORD_MAX)?.map(|bytes| Self::parse(&bytes)).transpose()
    }

    /// Reads what [`Record::save`] wrote.
    ///
    /// # Errors
    /// When it is none of this release.
    pub fn parse(bytes: &[u8]) -> Result<Self, CommandError> {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(record) if record.format_version == RECORD_VERSION => Ok(record),
            Ok(_) | Err(_) => Err(CommandError::config(format!("{RECORD_FILE} was not written by this release"))
                .hint("run: aloka init -reconfigure")),
        }
    }

    /// Writes it beside the simulated account.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> Result<(), CommandError> {
        let path = Path::new(RECORD_FILE);
        files::replace_implied(path, |new| Ok(serde_json::to_writer_pretty(new, self)?))
            .map_err(|error| CommandError::file("write", path, &error))
    }
}

/// Names this machine, and tells nobody who sees it anything about it.
fn machine() -> String {
    let file = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|path| file(path));
    let name = id.filter(|id| !id.is_empty()).unwrap_or_else(host);
    sha256(&format!("aloka {name}"))
}

/// What the configuration of this directory says, with `given` on top.
///
/// # Errors
/// Every problem with it.
pub fn configured(given: &[String]) -> Result<Configured, Errors> {
    let here = Path::new(".");
    let entries = fs::read_dir(here).map_err(|error| CommandError::file("list", here, &error))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| backend::is_configuration(name));
    names.sort();
    let (mut sources, mut left) = (Vec::new(), CONFIGURATION_MAX);
    for name in names {
        let bytes = files::within(Path::new(&name), left)?;
        left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        sources.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    backend::read(&sources, given).map_err(|problems| Errors(problems.into_iter().map(from_diagnostic).collect()))
}

/// Where a backend is, in few words.
pub fn told(backend: &Configured) -> String {
    match backend {
        Configured::Local(local) => format!("the local file {}", local_path(local).display()),
        Configured::S3(s3) => {
            format!("s3://{}/{}", s3.bucket, told_key(s3))
        }
    }
}

/// The key of a state, for people: a workspace that cannot be read is told of by whoever opens the state.
fn told_key(s3: &backend::S3) -> String {
    s3.state_key(&workspace().unwrap_or_else(|_| DEFAULT_WORKSPACE.to_owned()))
}

/// The file of a local backend.
pub fn local_path(local: &backend::Local) -> PathBuf {
    PathBuf::from(local.path.as_deref().unwrap_or(STATE_FILE))
}

/// The workspace that is chosen, as Terraform finds it.
///
/// # Errors
/// When the file that says so cannot be read: another workspace is another state.
fn workspace() -> Result<String, CommandError> {
    let chosen = |text: String| Some(text.trim().to_owned()).filter(|name| !name.is_empty());
    if let Some(name) = std::env::var("TF_WORKSPACE").ok().and_then(chosen) {
        return Ok(name);
    }
    let path = Path::new(WORKSPACE_FILE);
    let noted = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Ok(_) | Err(_) => chosen(files::within_text(path, WORKSPACE_MAX)?),
    };
    Ok(noted.unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned()))
}

/// What the configuration of this directory says, with what `aloka init` was told before on top, if there still is
/// a block that it belongs to.
///
/// # Errors
/// Every problem with it.
pub fn configured_as(record: Option<&Record>) -> Result<Configured, Errors> {
    match (configured(&[]), record) {
        (alone @ Ok(Configured::Local(_)), _) | (alone, None) => alone,
        (Ok(Configured::S3(_)) | Err(_), Some(record)) => configured(&record.given),
    }
}

/// The backend that the configuration and `aloka init` agree on.
fn agreed() -> Result<Configured, Errors> {
    let record = Record::load()?;
    let configured = configured_as(record.as_ref())?;
    if let Some(was) = record.map(|record| record.backend).filter(|was| *was != configured) {
        let (was, is) = (told(&was), told(&configured));
        let what = if was == is {
            format!("the settings of {is} have changed")
        } else {
            format!("the state was in {was}, the configuration says {is} now")
        };
        return Err(CommandError::conflict(what)
            .hint("aloka init -migrate-state    moves the state there")
            .hint("aloka init -reconfigure      takes what is there already")
            .into());
    }
    Ok(configured)
}

/// The backend of this directory, for a command that talks to `cloud`. Where a state in S3 is, if that is not AWS, is told.
///
/// # Errors
/// When the directory's configuration names a backend that cannot be used, or not before something is decided.
pub fn open(io: &mut Io, cloud: Option<CloudArg>) -> Result<Box<dyn Backend>, Errors> {
    let (backend, lines) = open_quietly(cloud, &[])?;
    lines.iter().for_each(|line| io.err_line(line));
    Ok(backend)
}

/// The same with the lines to tell. `given` are the settings of this command line.
///
/// # Errors
/// See [`open`].
pub fn open_quietly(cloud: Option<CloudArg>, given: &[String]) -> Result<(Box<dyn Backend>, Vec<String>), Errors> {
    let mut lines = Vec::new();
    if Record::read()?.is_some_and(|record| !record.is_ours()) {
        lines.push(format!("{RECORD_FILE} was written by another user or on another machine, and counts as none"));
    }
    let hint = |error: CommandError| match lines.first() {
        Some(line) => error.hint(format!("{line}: write your own with aloka init")),
        None => error,
    };
    let configured = agreed().map_err(|Errors(errors)| Errors(errors.into_iter().map(hint).collect()))?;
    let is_asked = cloud != Some(CloudArg::Sim);
    lines.extend(if is_asked { destinations(&configured, given)? } else { Vec::new() });
    Ok((choose(&configured, cloud)?, lines))
}

/// Lines about the places that requests about the state go to, if they are not AWS's.
///
/// # Errors
/// One is named by the directory alone, and the user did not agree to it.
pub fn destinations(configured: &Configured, given: &[String]) -> Result<Vec<String>, CommandError> {
    match configured {
        Configured::Local(_) => Ok(Vec::new()),
        Configured::S3(settings) => endpoint::of_state(settings, given),
    }
}

fn choose(configured: &Configured, cloud: Option<CloudArg>) -> Result<Box<dyn Backend>, Errors> {
    match (configured, cloud) {
        (Configured::Local(_), _) => at(configured),
        (Configured::S3(_), Some(CloudArg::Sim)) => {
            let path = Path::new(SIM_STATE_FILE);
            let made = files::make_directory_of(path).and_then(|()| files::check_implied(path));
            made.map_err(|error| CommandError::file("use", path, &error))?;
            Ok(Box::new(LocalBackend::new(path)))
        }
        (Configured::S3(_), Some(CloudArg::Aws) | None) => {
            if Record::load()?.is_none() {
                check_left_behind(configured)?;
            }
            at(configured)
        }
    }
}

/// What the state of this directory is kept in, for a command that talks to `cloud`.
///
/// # Errors
/// As [`open`].
pub fn place(cloud: Option<CloudArg>) -> Result<Place, Errors> {
    Ok(match (agreed()?, cloud) {
        (Configured::S3(_), Some(CloudArg::Sim)) => Place::File(PathBuf::from(SIM_STATE_FILE)),
        (configured, _) => place_of(configured, false),
    })
}

/// What a state is kept in by this configuration, or was, if it has `moved`.
pub fn place_of(configured: Configured, moved: bool) -> Place {
    match configured {
        Configured::Local(local) => Place::File(local_path(&local)),
        Configured::S3(s3) => {
            let key = told_key(&s3);
            Place::Object { bucket: s3.bucket, key, region: s3.region, profile: s3.profile, moved }
        }
    }
}

/// Refuses to begin with nothing in S3 while a local file still records a stack: it would be made a second time.
///
/// # Errors
/// When that is so, or cannot be found out.
pub fn check_left_behind(configured: &Configured) -> Result<(), Errors> {
    let left = read(&local(Path::new(STATE_FILE))?)?.filter(|state| state.objects().next().is_some());
    if left.is_none() || read(&*at(configured)?)?.is_some() {
        return Ok(());
    }
    let message = format!("{STATE_FILE} records objects, and there is no state in {}", told(configured));
    Err(CommandError::conflict(message)
        .hint("aloka init -migrate-state    moves it there")
        .hint(format!("aloka show {STATE_FILE}    shows what it records"))
        .into())
}

/// The state file that the configuration of this directory names. Out of the directory, by its path or by links, it has
/// to be a state already: nobody but the user says that a file is made elsewhere.
fn local(path: &Path) -> Result<LocalBackend, CommandError> {
    let failed = |error: io::Error| CommandError::file("use", path, &error);
    let real = resolve(path).map_err(failed)?;
    let here = fs::canonicalize(".").map_err(failed)?;
    // What is not a file, or cannot be opened, is told of by whoever opens it.
    let is_state = |path: &Path| {
        fs::metadata(path).is_ok_and(|data| data.is_file()) && matches!(Content::of(path), Ok(Content::State))
    };
    let told = real.to_str().unwrap_or_default();
    // Where its directory is not there either, nothing can be made.
    if real.is_relative() || real.starts_with(&here) || is_state(&real) || Trust::load()?.contains(Yes::State, told) {
        return Ok(LocalBackend::new(path));
    }
    let message = format!(
        "the state file {} would be {}, outside of this directory, and holds no state yet",
        path.display(),
        real.display()
    );
    let error = CommandError::config(message);
    Err(match trust::command(Yes::State, told) {
        Some(command) => error.hint(format!("if that is what you want, say so: {command}")),
        None => error.hint("name a file of this directory"),
    })
}

/// The backend of this configuration, whatever else there is.
///
/// # Errors
/// When this build cannot use it.
pub fn at(configured: &Configured) -> Result<Box<dyn Backend>, Errors> {
    match configured {
        Configured::Local(settings) => Ok(Box::new(local(&local_path(settings))?)),
        #[cfg(feature = "aws")]
        Configured::S3(settings) => {
            let backend = crate::backend::s3::S3Backend::open(settings, &workspace()?);
            Ok(Box::new(backend.map_err(|failure| error(&failure))?))
        }
        #[cfg(not(feature = "aws"))]
        Configured::S3(_) => Err(CommandError::user(format!(
            "the state is in {}, and this build has no AWS driver",
            told(configured)
        ))
        .hint(
            "build without --no-default-features, or add -cloud=sim to use the simulated cloud with a state of its own",
        )
        .into()),
    }
}

/// A line about a state that is not where the configuration says; `None` if it is.
///
/// # Errors
/// When the configuration cannot be read.
pub fn aside(cloud: CloudArg) -> Result<Option<String>, Errors> {
    match (cloud, agreed()?) {
        (CloudArg::Sim, configured @ Configured::S3(_)) => Ok(Some(format!(
            "the simulated cloud keeps its state in {SIM_STATE_FILE}; {} is left alone",
            told(&configured)
        ))),
        (CloudArg::Sim | CloudArg::Aws, Configured::Local(_)) | (CloudArg::Aws, Configured::S3(_)) => Ok(None),
    }
}

/// The files that a state of this directory, or what belongs to it, is written to: nothing else may be.
pub fn kept() -> Vec<PathBuf> {
    // A configuration that cannot be read is told of by whoever needs it.
    let configured = Record::load().ok().and_then(|record| configured_as(record.as_ref()).ok());
    let local = match configured {
        Some(Configured::Local(local)) => Some(local_path(&local)),
        Some(Configured::S3(_)) | None => None,
    };
    let states = local.into_iter().chain([STATE_FILE, SIM_STATE_FILE].map(PathBuf::from));
    let files = states.flat_map(|path| LocalBackend::new(path).files());
    let others = [ERRORED_FILE, RECORD_FILE, clear_text::RECORD_FILE, SIM_ACCOUNT_FILE].map(PathBuf::from);
    files.chain(others).filter_map(|path| resolve(&path).ok()).collect()
}

/// Keeps a state that its store did not take, and says where: never in the place of another one.
pub fn keep(state: &State) -> String {
    let text = file::write(state);
    let mut name = ERRORED_FILE.to_owned();
    let mut tried: u32 = 1;
    loop {
        match write_new(Path::new(&name), text.as_bytes()) {
            Ok(()) => {
                return format!(
                    "what is known is kept in {name}; it is not needed for that, and old once that is done"
                );
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < ERRORED_MAX => {
                tried += 1;
                name = format!("errored-{tried}.tfstate");
            }
            Err(error) => return format!("what is known could not be kept in {name} either: {error}"),
        }
    }
}

/// Takes the lock; a wait is told to people.
///
/// # Errors
/// When another holds it for longer than `timeout`.
pub fn lock(io: &mut Io, backend: &mut dyn Backend, operation: &str, timeout: Duration) -> Result<(), CommandError> {
    backend.lock(operation, timeout, &mut |line| io.err_line(line)).map_err(|failure| error(&failure))
}

/// What a backend could not do.
pub fn error(error: &BackendError) -> CommandError {
    let kind = match error {
        BackendError::Io { .. }
        | BackendError::NotOurs { .. }
        | BackendError::Unusable { .. }
        | BackendError::Digest { .. } => ErrorKind::Config,
        BackendError::Remote { .. } => ErrorKind::Aws,
        BackendError::Lineage { .. }
        | BackendError::Serial { .. }
        | BackendError::Changed { .. }
        | BackendError::Locked { .. }
        | BackendError::LockLost { .. }
        | BackendError::LockId { .. } => ErrorKind::Conflict,
    };
    let command = CommandError::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => command.hint(hint),
        None => command,
    }
}

/// The state, if there is one. Needs no lock: a state is replaced whole.
pub fn read(backend: &dyn Backend) -> Result<Option<State>, CommandError> {
    backend.read().map_err(|failure| error(&failure))
}

/// The state of this directory; an empty one if there is none.
pub fn read_here(io: &mut Io, cloud: Option<CloudArg>) -> Result<State, Errors> {
    Ok(read(&*open(io, cloud)?)?.unwrap_or_else(|| State::new("")))
}
