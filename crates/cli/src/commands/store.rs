//! Where this directory's state lives, and reading it for commands that only look.

mod initialised;
pub mod workspaces;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aloka_core::identity::sha256;
use aloka_core::state::{State, file};
use aloka_core::variables::backend::{self, Backend as Configured, Given, Need, STATE_FILE};
use aloka_core::workspace::DEFAULT;
use serde::{Deserialize, Serialize};

use self::initialised::{Initialised, initialised};
use super::clear_text::{self, Place};
use crate::args::CloudArg;
use crate::backend::atomic::write_new;
use crate::backend::lock::host;
use crate::backend::{Backend, BackendError, LocalBackend};
use crate::cloud::SIM_ACCOUNT_FILE;
use crate::config::from_diagnostic;
use crate::configuration;
use crate::endpoint;
use crate::error::{CommandError, ErrorKind, Errors};
use crate::files;
use crate::io::{Io, Still, late_line};
use crate::output::{Content, directory_of, resolve};
use crate::trust::{self, Trust, Yes};
use crate::workspace;

/// The state of the simulated account where AWS's is in S3.
const SIM_STATE_FILE: &str = ".aloka/sim.tfstate";
/// The directory of its other workspaces.
const SIM_WORKSPACES: &str = ".aloka/sim.tfstate.d";
/// What `aloka init` decided about the backend.
const RECORD_FILE: &str = ".aloka/backend.json";
/// The format of it.
const RECORD_VERSION: u32 = 1;
/// A longer one is refused.
const RECORD_MAX: u64 = 1 << 20;
/// Where a state goes that its store did not take, as Terraform calls it.
const ERRORED_FILE: &str = "errored.tfstate";
/// As many are kept side by side.
const ERRORED_MAX: u32 = 1000;

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
    /// True if that was not given, but is what `terraform init` left in the directory: then it is the directory's word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_terraform: bool,
    /// What came of it and the configuration.
    pub backend: Configured,
}

impl Record {
    /// Of these settings; a key given twice counts as given last. `of_terraform` tells whether Terraform left them.
    pub fn new(given: &[Given], of_terraform: bool, backend: Configured) -> Self {
        Self {
            format_version: RECORD_VERSION,
            user: Some(rustix::process::geteuid().as_raw()),
            machine: Some(machine()),
            given: backend::settings(given),
            of_terraform,
            backend,
        }
    }

    /// What was given, to be given again.
    pub fn settings(&self) -> Vec<Given> {
        self.given.iter().cloned().map(Given::Setting).collect()
    }

    /// True if it is of the same kind of backend.
    pub fn is_like(&self, configured: &Configured) -> bool {
        std::mem::discriminant(&self.backend) == std::mem::discriminant(configured)
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
pub fn configured(given: &[Given], need: Need) -> Result<Configured, Errors> {
    let told = |problems: Vec<_>| Errors(problems.into_iter().map(from_diagnostic).collect());
    backend::read(&configuration::files()?, given, need).map_err(told)
}

/// What a command that talks to this cloud has to know of the backend.
fn need(cloud: Option<CloudArg>) -> Need {
    match cloud {
        Some(CloudArg::Sim) => Need::Kind,
        Some(CloudArg::Aws) | None => Need::Whole,
    }
}

/// Where a backend is, in few words.
pub fn told(backend: &Configured) -> String {
    told_of(backend, &workspace_told())
}

/// Where a backend has the state of a workspace, in few words.
pub fn told_of(backend: &Configured, workspace: &str) -> String {
    match backend {
        Configured::Local(local) => format!("the local file {}", local.state_path(workspace)),
        Configured::S3(s3) if s3.bucket.is_empty() || s3.key.is_empty() => "backend \"s3\"".to_owned(),
        Configured::S3(s3) => format!("s3://{}/{}", s3.bucket, s3.state_key(workspace)),
    }
}

/// The workspace, for people: one that cannot be read is told of by whoever opens the state.
fn workspace_told() -> String {
    workspace::current().unwrap_or_else(|_| DEFAULT.to_owned())
}

/// The file of a local backend.
pub fn local_path(local: &backend::Local) -> PathBuf {
    PathBuf::from(local.state_path(&workspace_told()))
}

/// The state of the simulated account where AWS's is in S3.
fn simulated() -> backend::Local {
    let (path, workspace_dir) = (Some(SIM_STATE_FILE.to_owned()), Some(SIM_WORKSPACES.to_owned()));
    backend::Local { path, workspace_dir }
}

/// A backend, and what it took beside the configuration to know it.
#[derive(Debug)]
pub struct Settled {
    /// The backend.
    pub backend: Configured,
    /// The settings on top of the configuration.
    pub given: Vec<Given>,
}

/// What the configuration of this directory says, with what `aloka init` was told before on top, if there still is
/// a block that it belongs to; without that, with what Terraform was initialised with.
///
/// # Errors
/// Every problem with it.
pub fn configured_as(record: Option<&Record>, need: Need, lines: &mut Vec<String>) -> Result<Settled, Errors> {
    let alone = configured(&[], need);
    let settled = |backend: Configured| Settled { backend, given: Vec::new() };
    match record {
        Some(record) if alone.as_ref().is_ok_and(|alone| !record.is_like(alone)) => alone.map(settled),
        Some(record) => {
            let given = record.settings();
            configured(&given, need).map(|backend| Settled { backend, given })
        }
        None if need == Need::Kind => alone.map(settled),
        None => match initialised(lines) {
            Some(there) => completed(alone, there, lines),
            None => alone.map(settled),
        },
    }
}

/// The backend with what Terraform was initialised with, where the block does not say it.
fn completed(
    alone: Result<Configured, Errors>,
    there: Initialised,
    lines: &mut Vec<String>,
) -> Result<Settled, Errors> {
    let Initialised { path, kind, given } = there;
    let path = path.display();
    let settled = |backend: Configured| Settled { backend, given: Vec::new() };
    let block = match &alone {
        Ok(configured) => Ok(configured.clone()),
        // Some settings may be missing.
        Err(_) => configured(&[], Need::Kind),
    };
    let is_same = match block {
        Ok(Configured::Local(_)) => kind == "local",
        Ok(Configured::S3(_)) => kind == "s3",
        Err(_) => return alone.map(settled),
    };
    if !is_same {
        lines.push(format!(
            "{path} says that Terraform keeps the state in backend {kind:?}, and the configuration of this directory says \
             another: this run goes by the configuration"
        ));
        return alone.map(settled);
    }
    let with = configured(&given, Need::Whole)?;
    let problems = |problems: Vec<_>| Errors(problems.into_iter().map(from_diagnostic).collect());
    let below = backend::complete(&configuration::files()?, &given, Need::Whole).map_err(problems)?;
    if with != below {
        let (there, here) = (told(&with), told(&below));
        let message = if there == here {
            format!("{path} and the configuration say different settings of the state in {there}")
        } else {
            format!("{path} says that Terraform keeps the state in {there}, the configuration says {here}")
        };
        return Err(CommandError::conflict(message)
            .hint("aloka init -backend-config=…    with what terraform init was given, goes by that")
            .hint("aloka init -reconfigure         goes by the configuration")
            .into());
    }
    if alone.as_ref().is_ok_and(|alone| *alone == with) {
        return Ok(settled(with));
    }
    lines.push(format!("the state is in {}, as Terraform was initialised with ({path})", told(&with)));
    Ok(Settled { backend: with, given })
}

/// The backend that the configuration and `aloka init` agree on, with lines to tell.
fn agreed(cloud: Option<CloudArg>) -> Result<(Configured, Vec<String>), Errors> {
    let mut lines = Vec::new();
    let record = Record::load()?;
    let configured = configured_as(record.as_ref(), need(cloud), &mut lines)?.backend;
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
    Ok((configured, lines))
}

/// What keeps the states of this directory, for a command that talks to `cloud`: workspaces are looked for there.
///
/// # Errors
/// As [`open`].
pub fn kept_by(io: &mut Io, cloud: Option<CloudArg>) -> Result<Configured, Errors> {
    let (configured, mut lines) = agreed(cloud)?;
    if cloud != Some(CloudArg::Sim) {
        lines.extend(destinations(&configured, &[])?);
    }
    lines.iter().for_each(|line| io.err_line(line));
    Ok(match (configured, cloud) {
        (Configured::S3(_), Some(CloudArg::Sim)) => Configured::Local(simulated()),
        (configured, _) => configured,
    })
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
pub fn open_quietly(cloud: Option<CloudArg>, given: &[Given]) -> Result<(Box<dyn Backend>, Vec<String>), Errors> {
    let mut lines = Vec::new();
    if Record::read()?.is_some_and(|record| !record.is_ours()) {
        lines.push(format!("{RECORD_FILE} was written by another user or on another machine, and counts as none"));
    }
    let hint = |error: CommandError| match lines.first() {
        Some(line) => error.hint(format!("{line}: write your own with aloka init")),
        None => error,
    };
    let agreed = agreed(cloud).map_err(|Errors(errors)| Errors(errors.into_iter().map(hint).collect()));
    let (configured, told) = agreed?;
    lines.extend(told);
    let is_asked = cloud != Some(CloudArg::Sim);
    lines.extend(if is_asked { destinations(&configured, given)? } else { Vec::new() });
    Ok((choose(&configured, cloud)?, lines))
}

/// Lines about the places that requests about the state go to, if they are not AWS's.
///
/// # Errors
/// One is named by the directory alone, and the user did not agree to it.
pub fn destinations(configured: &Configured, given: &[Given]) -> Result<Vec<String>, CommandError> {
    match configured {
        Configured::Local(_) => Ok(Vec::new()),
        Configured::S3(settings) => endpoint::of_state(settings, &backend::settings(given)),
    }
}

fn choose(configured: &Configured, cloud: Option<CloudArg>) -> Result<Box<dyn Backend>, Errors> {
    match (configured, cloud) {
        (Configured::Local(_), _) => at(configured),
        (Configured::S3(_), Some(CloudArg::Sim)) => {
            let path = PathBuf::from(simulated().state_path(&workspace::current()?));
            let made = files::make_directory_of(&path).and_then(|()| files::check_implied(&path));
            made.map_err(|error| CommandError::file("use", &path, &error))?;
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
    Ok(match (agreed(cloud)?.0, cloud) {
        (Configured::S3(_), Some(CloudArg::Sim)) => Place::File(local_path(&simulated())),
        (configured, _) => place_of(configured, &workspace::current()?, false),
    })
}

/// What the state of a workspace is kept in by this configuration, or was, if it has `moved`.
pub fn place_of(configured: Configured, workspace: &str, moved: bool) -> Place {
    match configured {
        Configured::Local(local) => Place::File(PathBuf::from(local.state_path(workspace))),
        Configured::S3(s3) => {
            let key = s3.state_key(workspace);
            Place::Object { bucket: s3.bucket, key, region: s3.region, profile: s3.profile, moved }
        }
    }
}

/// Refuses to begin with nothing where the configuration says while a local file still records a stack: it would be made
/// a second time.
///
/// # Errors
/// When that is so, or cannot be found out.
pub fn check_left_behind(configured: &Configured) -> Result<(), Errors> {
    let workspace = workspace::current()?;
    let local = backend::Local::default();
    let path = local.state_path(&workspace);
    if matches!(configured, Configured::Local(there) if there.state_path(&workspace) == path) {
        return Ok(());
    }
    let left = read(&local_file(&local, &workspace, false)?)?.filter(|state| state.objects().next().is_some());
    if left.is_none() || read(&*at(configured)?)?.is_some() {
        return Ok(());
    }
    let message = format!("{path} records objects, and there is no state in {}", told(configured));
    Err(CommandError::conflict(message)
        .hint("aloka init -migrate-state    moves it there")
        .hint(format!("aloka show {STATE_FILE}    shows what it records"))
        .into())
}

/// The state file that the configuration of this directory names. Out of the directory, by its path or by links, it has
/// to be a state already: nobody but the user says that a file is made elsewhere, which is so if it is their `own_word`.
fn local_file(local: &backend::Local, workspace: &str, own_word: bool) -> Result<LocalBackend, CommandError> {
    let path = &PathBuf::from(local.state_path(workspace));
    let failed = |error: io::Error| CommandError::file("use", path, &error);
    let real = really(path).map_err(failed)?;
    let here = fs::canonicalize(".").map_err(failed)?;
    // What is not a file, or cannot be opened, is told of by whoever opens it.
    let is_state = |path: &Path| {
        fs::metadata(path).is_ok_and(|data| data.is_file()) && matches!(Content::of(path), Ok(Content::State))
    };
    let told = real.to_str().unwrap_or_default();
    // Where its directory is not there either, nothing can be made.
    let is_fine = own_word || real.is_relative() || real.starts_with(&here) || is_state(&real);
    if is_fine || Trust::load()?.contains(Yes::State, told) {
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

/// Where `path` leads once every link is followed, also if some of its directories are still to be made.
fn really(path: &Path) -> io::Result<PathBuf> {
    let mut missing = Vec::new();
    let mut there = path;
    while let (Err(_), Some(parent), Some(name)) =
        (fs::canonicalize(directory_of(there)), there.parent(), there.file_name())
    {
        if parent.as_os_str().is_empty() {
            break;
        }
        missing.push(name);
        there = parent;
    }
    let real = resolve(there)?;
    Ok(missing.into_iter().rev().fold(real, |path, name| path.join(name)))
}

/// The backend of this configuration, whatever else there is.
///
/// # Errors
/// When this build cannot use it.
pub fn at(configured: &Configured) -> Result<Box<dyn Backend>, Errors> {
    let workspace = workspace::current()?;
    in_workspace(configured, &workspace, workspaces::is_own_word(configured, &workspace)?)
}

/// True if the place of the local state of a workspace was given on the command line.
pub fn is_own_word(given: &[String], workspace: &str) -> bool {
    let place = if workspace == DEFAULT { "path" } else { "workspace_dir" };
    given.iter().any(|text| text.split('=').next().is_some_and(|key| key.trim() == place))
}

/// The same for another workspace than the one that is chosen. `own_word` tells whether its place was given on the command
/// line.
///
/// # Errors
/// See [`at`].
pub fn in_workspace(configured: &Configured, workspace: &str, own_word: bool) -> Result<Box<dyn Backend>, Errors> {
    match configured {
        Configured::Local(local) => {
            let backend = local_file(local, workspace, own_word)?;
            // Terraform makes it as well when a state is looked for there.
            workspaces::make_directory(local, workspace)?;
            Ok(Box::new(backend))
        }
        #[cfg(feature = "aws")]
        Configured::S3(settings) => {
            let backend = crate::backend::s3::S3Backend::open(settings, workspace);
            Ok(Box::new(backend.map_err(|failure| error(&failure))?))
        }
        #[cfg(not(feature = "aws"))]
        Configured::S3(_) => Err(no_driver(configured).into()),
    }
}

#[cfg(not(feature = "aws"))]
fn no_driver(configured: &Configured) -> CommandError {
    CommandError::user(format!("the state is in {}, and this build has no AWS driver", told(configured))).hint(
        "build without --no-default-features, or add -cloud=sim to use the simulated cloud with a state of its own",
    )
}

/// The workspaces of a backend in S3.
#[cfg(feature = "aws")]
fn s3_ones(configured: &Configured) -> Result<Vec<String>, Errors> {
    let Configured::S3(settings) = configured else { return Ok(Vec::new()) };
    let listed =
        crate::backend::s3::S3Backend::open(settings, DEFAULT).and_then(|backend| backend.workspaces(settings));
    listed.map_err(|failure| error(&failure).into())
}

/// The same for a build that cannot ask.
#[cfg(not(feature = "aws"))]
fn s3_ones(configured: &Configured) -> Result<Vec<String>, Errors> {
    Err(no_driver(configured).into())
}

/// A line about a state that is not where the configuration says; `None` if it is.
///
/// # Errors
/// When the configuration cannot be read.
pub fn aside(cloud: CloudArg) -> Result<Option<String>, Errors> {
    match (cloud, agreed(Some(cloud))?.0) {
        (CloudArg::Sim, configured @ Configured::S3(_)) => Ok(Some(format!(
            "the simulated cloud keeps its state in {}; {} is left alone",
            local_path(&simulated()).display(),
            told(&configured)
        ))),
        (CloudArg::Sim | CloudArg::Aws, Configured::Local(_)) | (CloudArg::Aws, Configured::S3(_)) => Ok(None),
    }
}

/// The files that a state of this directory, or what belongs to it, is written to: nothing else may be.
pub fn kept() -> Vec<PathBuf> {
    // A configuration that cannot be read is told of by whoever needs it.
    let record = Record::load().ok().flatten();
    let configured = configured_as(record.as_ref(), Need::Kind, &mut Vec::new()).ok().map(|settled| settled.backend);
    let local = match configured {
        Some(Configured::Local(local)) => Some(local_path(&local)),
        Some(Configured::S3(_)) | None => None,
    };
    let simulated = [PathBuf::from(SIM_STATE_FILE), local_path(&simulated())];
    let states = local.into_iter().chain([PathBuf::from(STATE_FILE)]).chain(simulated);
    let files = states.flat_map(|path| LocalBackend::new(path).files());
    let others = [ERRORED_FILE, RECORD_FILE, clear_text::RECORD_FILE, SIM_ACCOUNT_FILE].map(PathBuf::from);
    let others = others.into_iter().chain([workspace::data_file("environment")]);
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
    let _still = Still::begin(format!("acquiring the lock of the {}", backend.describe()));
    backend.lock(operation, timeout, &mut |line| io.err_line(line)).map_err(|failure| error(&failure))
}

/// Gives the lock back, and tells if it stays: whoever comes next would meet it.
pub fn unlock(backend: &mut dyn Backend) {
    if let Some(warning) = unlocked(backend) {
        late_line(&warning.to_string());
    }
}

/// Gives the lock back; what is to be told if it stays.
pub fn unlocked(backend: &mut dyn Backend) -> Option<CommandError> {
    let _still = Still::begin(format!("giving back the lock of the {}", backend.describe()));
    backend.unlock().map(|stays| CommandError { is_warning: true, ..error(&stays) })
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
        | BackendError::LockForm { .. }
        | BackendError::LockStays { .. }
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
