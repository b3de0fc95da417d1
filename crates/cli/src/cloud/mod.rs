//! The cloud a command talks to, AWS or the simulated one: each is a loop around the executor.
//!
//! A loop performs effects and reports events; it never decides what to send, when to retry or what an answer means.

#[cfg(feature = "aws")]
mod aws;
pub(crate) mod signals;
mod sim;

use std::path::PathBuf;
use std::time::SystemTime;

use aloka_core::engine::{Executor, Notice, Outcome};
use aloka_core::plan::Node;
use aloka_core::secret::Secrets;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::variables::Variables;

use crate::backend::Backend;

/// Where the simulated account is kept, beside the state.
pub const SIM_ACCOUNT_FILE: &str = ".aloka/sim-account.json";

/// Which sort of cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudKind {
    /// The simulated account of this directory.
    Sim,
    /// AWS, or what `AWS_ENDPOINT_URL` names.
    Aws,
}

/// Which cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudSettings {
    /// Which sort.
    pub kind: CloudKind,
    /// The Region.
    pub region: String,
    /// The profile of the AWS configuration files; `None` for the default chain.
    pub profile: Option<String>,
    /// Where the simulated account is kept.
    pub account_file: PathBuf,
}

impl CloudSettings {
    /// The cloud of this sort that the variables name.
    pub fn new(kind: CloudKind, variables: &Variables) -> Self {
        Self {
            kind,
            region: variables.aws_region.clone(),
            profile: variables.aws_profile.clone(),
            account_file: PathBuf::from(SIM_ACCOUNT_FILE),
        }
    }
}

/// Who is told of a run while it goes on.
pub trait Observer {
    /// Something happened.
    fn notice(&mut self, nodes: &[Node], notice: &Notice);

    /// Time passed: about once a second.
    fn tick(&mut self, nodes: &[Node], now: Instant) {
        let _ignored = (nodes, now);
    }

    /// Something is worth a line that concerns no node.
    fn remark(&mut self, text: &str) {
        let _ignored = text;
    }
}

/// Why a cloud could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// There is no driver for AWS in this program.
    #[error("this build of aloka has no driver for AWS, only the simulated cloud")]
    NotBuilt,
    /// The operating system gave no timer, signal or thread.
    #[error("cannot listen for signals and timers: {0}")]
    Runtime(#[from] std::io::Error),
    /// The profile of the AWS configuration files cannot be used.
    #[error("{problem}")]
    Profile {
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: String,
    },
    /// The simulated account could not be read or kept.
    #[error("simulated account {}: {problem}", .path.display())]
    AccountFile {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The executor had nothing under way and no outcome.
    #[error("invariant violated: the executor waits for nothing and has not ended")]
    Stuck,
}

impl CloudError {
    /// What to do about it, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotBuilt => Some("give `--cloud sim`, or build with the feature `aws`".to_owned()),
            Self::AccountFile { path, .. } => {
                Some(format!("remove {} to begin with an empty simulated account", path.display()))
            }
            Self::Profile { hint, .. } => Some(hint.clone()),
            Self::Runtime(_) => None,
            Self::Stuck => Some("this is a bug in aloka: please report it".to_owned()),
        }
    }
}

/// An open cloud.
pub enum Cloud {
    /// The simulated account of a directory.
    Sim(Box<sim::SimCloud>),
    /// AWS.
    #[cfg(feature = "aws")]
    Aws(Box<aws::AwsCloud>),
}

impl Cloud {
    /// Opens it. AWS is not called yet; the simulated account is read, or a new one begun.
    ///
    /// # Errors
    /// See [`CloudError`].
    pub fn open(settings: &CloudSettings) -> Result<Self, CloudError> {
        match settings.kind {
            CloudKind::Sim => Ok(Self::Sim(Box::new(sim::SimCloud::open(settings)?))),
            #[cfg(feature = "aws")]
            CloudKind::Aws => Ok(Self::Aws(Box::new(aws::AwsCloud::open(settings)?))),
            #[cfg(not(feature = "aws"))]
            CloudKind::Aws => Err(CloudError::NotBuilt),
        }
    }

    /// The time that executors run in this cloud are told.
    pub fn now(&self) -> Instant {
        match self {
            Self::Sim(cloud) => cloud.now(),
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => cloud.now(),
        }
    }

    /// Runs `executor`, made at [`Cloud::now`], to its end. Without a backend a state that it wants written counts as
    /// not written: only graphs that read can run so.
    ///
    /// # Errors
    /// When the run could not be carried out at all; what AWS refuses is an [`Outcome`].
    pub fn run(
        &mut self,
        executor: &mut Executor,
        backend: Option<&mut dyn Backend>,
        secrets: &Secrets,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, CloudError> {
        match self {
            Self::Sim(cloud) => cloud.run(executor, backend, secrets, observer),
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => cloud.run(executor, backend, secrets, observer),
        }
    }

    /// What `task` gives, done on another thread if need be; `None` if this process is told to stop before. The task
    /// then goes on unheard until the process ends.
    pub fn unless_stopped<T: Send + 'static>(&mut self, task: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let listener = match self {
            Self::Sim(cloud) => cloud.listener(),
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => cloud.listener(),
        };
        listener.unless_stopped(task)
    }

    /// True if this process was told to stop, even if the run that heard it had nothing left to send.
    pub fn is_stopping(&self) -> bool {
        match self {
            Self::Sim(cloud) => cloud.is_stopping(),
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => cloud.is_stopping(),
        }
    }

    /// True if its reads may be from before a change that was made a moment ago.
    pub fn shows_late(&self) -> bool {
        match self {
            Self::Sim(_) => false,
            #[cfg(feature = "aws")]
            Self::Aws(_) => true,
        }
    }

    /// When the credentials expire that calls are signed with; `None` if they do not, or nobody says.
    pub fn credentials_expiry(&self) -> Option<SystemTime> {
        match self {
            Self::Sim(_) => None,
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => cloud.credentials_expiry(),
        }
    }

    /// Whose credentials are used, as far as no call is needed to know.
    pub fn whose(&self) -> Whose {
        match self {
            Self::Sim(_) => Whose::of(CloudKind::Sim, None),
            #[cfg(feature = "aws")]
            Self::Aws(cloud) => Whose::of(CloudKind::Aws, cloud.profile()),
        }
    }
}

/// Whose credentials a command uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Which sort of cloud.
    pub kind: CloudKind,
    /// The profile, if one is named by the variables or the environment.
    pub profile: Option<String>,
}

impl Whose {
    /// With the profile that the variables name, if they do.
    pub fn of(kind: CloudKind, profile: Option<&str>) -> Self {
        #[cfg(feature = "aws")]
        let profile = crate::driver::aws::profile::used(profile).filter(|_| kind == CloudKind::Aws);
        #[cfg(not(feature = "aws"))]
        let profile = profile.map(str::to_owned).filter(|_| kind == CloudKind::Aws);
        Self { kind, profile }
    }
}

/// Writes a state, and says in the words of a backend why not.
fn write(backend: &mut Option<&mut dyn Backend>, state: &State) -> Result<(), String> {
    match backend {
        Some(backend) => backend.write(state).map_err(|error| error.to_string()),
        None => Err("this run has no place to write the state to".to_owned()),
    }
}
