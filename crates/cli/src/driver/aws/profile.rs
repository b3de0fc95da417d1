//! Where credentials come from: the environment and the shared configuration files, unless a profile is named.
//!
//! As for Terraform and the AWS CLI, a profile that is named comes before keys in the environment, which may be another
//! account's, and it has to exist, also if it is `AWS_PROFILE` that names it. The SDK asks the environment first, and does
//! without a profile that does not exist. The same files may name the certificates to trust (`ca_bundle`), so that the HTTP
//! client is chosen here, too.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{self, ProfileFileCredentialsProvider, ProfileFileLoadError, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{ConfigLoader, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};

use super::credentials;
use super::error::reason;
use super::https::{self, NetworkError};
use super::settings::{self, SettingError, Sources};
use crate::files;

/// The most of a shared configuration file.
const FILE_MAX: u64 = 4 << 20;

/// Names the one file.
const CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// Names the other.
const CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// Why the shared configuration files are of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No file holds a profile of that name.
    #[error("the AWS profile `{name}` is neither in {} nor in {}", .files.config, .files.credentials)]
    Missing {
        /// Its name.
        name: String,
        /// The setting that names it.
        setting: &'static str,
        /// Where it was looked for.
        files: Files,
    },
    /// A file cannot be read, or is not a profile file.
    #[error("cannot read the AWS configuration in {} and {}: {problem}", .files.config, .files.credentials)]
    Unreadable {
        /// What is wrong.
        problem: String,
        /// Where it was looked for.
        files: Files,
    },
    /// What is said of the network cannot be followed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A setting of the environment or of the profile is broken.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

impl ProfileError {
    /// What to do about it, one line.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { name, setting, files: Files { config, credentials } } => {
                format!("correct {setting}, or add [profile {name}] to {config} or [{name}] to {credentials}")
            }
            Self::Unreadable { .. } => "correct what the message names".to_owned(),
            Self::Network(error) => error.hint(),
            Self::Setting(error) => error.hint.clone(),
        }
    }
}

/// The shared configuration files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    config: String,
    credentials: String,
}

impl Files {
    fn of_environment() -> Self {
        // The SDK takes an empty variable at its word: there is no file.
        let file = |name: &str, usual: &str| match std::env::var(name) {
            Ok(path) if path.is_empty() => format!("{name} (empty)"),
            Ok(path) => path,
            Err(_) => usual.to_owned(),
        };
        Self { config: file(CONFIG_FILE, "~/.aws/config"), credentials: file(CREDENTIALS_FILE, "~/.aws/credentials") }
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The profile whose credentials are used, if one is named.
pub(crate) fn used(profile: Option<&str>) -> Option<String> {
    let keys = variable("AWS_ACCESS_KEY_ID").is_some();
    profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE").filter(|_| !keys))
}

/// Loads the configuration, with the credentials of `profile` if there is one; `setting` is what names it. Nothing is sent
/// yet.
///
/// # Errors
/// A profile that is named does not exist, or the files that are needed cannot be read.
pub(crate) async fn load(
    loader: ConfigLoader,
    profile: Option<&str>,
    setting: &'static str,
) -> Result<SdkConfig, ProfileError> {
    let contents = without_empty_endpoints();
    let there = match &contents {
        // The file system, the environment and the files there are.
        None => profile::load(&Default::default(), &Default::default(), &Default::default(), None).await,
        Some(contents) => profile::load(&Default::default(), &Default::default(), contents, None).await,
    };
    let files = check(profile, setting, there)?;
    let name = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
    let section = files.as_ref().and_then(|files| files.get_profile(&name));
    let property = |name: &str| section?.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let retries = settings::check(&Sources { variable: &variable, profile: (&name, &property) })?;
    let loader = loader.retry_config(retries.clone()).http_client(https::client(bundle(&property))?);
    let loader = match &contents {
        Some(contents) => loader.profile_files(contents.clone()),
        None => loader,
    };
    let Some(profile) = profile else {
        let config = loader.load().await;
        settings::check_endpoints(&config)?;
        return Ok(credentials::shared(config));
    };
    let config = loader.profile_name(profile).load().await;
    settings::check_endpoints(&config)?;
    let mut provider = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack())
        .with_retry_config(retries);
    if let Some(client) = config.http_client() {
        provider = provider.with_http_client(client);
    }
    if let Some(timeouts) = config.timeout_config() {
        provider = provider.with_timeout_config(timeouts.clone());
    }
    let mut chain = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile);
    if let Some(contents) = contents {
        chain = chain.profile_files(contents);
    }
    let credentials = OfProfile { profile: profile.to_owned(), chain: chain.build(), provider };
    let config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
    Ok(credentials::shared(config))
}

/// The shared configuration files without the lines that say that an endpoint is nothing, which for other AWS tools says
/// nothing: the SDK takes it for a URL, and panics. `None` if there are no such lines.
#[expect(deprecated, reason = "the one way to give the SDK what is not in a file")]
fn without_empty_endpoints() -> Option<aws_config::profile::profile_file::ProfileFiles> {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};

    let is_empty = |line: &&str| {
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "endpoint_url" && value.trim().is_empty())
    };
    let mut builder = ProfileFiles::builder();
    let mut is_cleaned = false;
    for (name, usual, kind) in [
        (CONFIG_FILE, ".aws/config", ProfileFileKind::Config),
        (CREDENTIALS_FILE, ".aws/credentials", ProfileFileKind::Credentials),
    ] {
        let home = || variable("HOME").map(PathBuf::from);
        let path = match std::env::var(name) {
            Ok(path) => match path.strip_prefix("~/") {
                Some(rest) => home()?.join(rest),
                None => path.into(),
            },
            Err(_) => home()?.join(usual),
        };
        // A pipe is read once, and who cannot read it is told by the SDK.
        if !path.is_file() {
            continue;
        }
        let Some(text) = files::named(&path, FILE_MAX).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        is_cleaned |= text.lines().any(|line| is_empty(&line));
        let kept: Vec<&str> = text.lines().filter(|line| !is_empty(line)).collect();
        builder = builder.with_contents(kind, kept.join("\n"));
    }
    is_cleaned.then(|| builder.build())
}

/// The file of certificates to trust, and what names it: the environment, or a property of the profile.
fn bundle(property: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, PathBuf)> {
    if let Some(path) = variable("AWS_CA_BUNDLE") {
        return Some(("AWS_CA_BUNDLE", path.into()));
    }
    let path = property("ca_bundle")?;
    let path = match (path.strip_prefix("~/"), variable("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    };
    Some(("ca_bundle of the AWS profile", path))
}

/// The shared configuration files, if they can be read or are needed. `there` is what came of reading them.
fn check(
    profile: Option<&str>,
    setting: &'static str,
    there: Result<ProfileSet, ProfileFileLoadError>,
) -> Result<Option<ProfileSet>, ProfileError> {
    let of_environment = || Some((variable("AWS_PROFILE")?, "AWS_PROFILE"));
    let named = profile.map(|name| (name.to_owned(), setting)).or_else(of_environment);
    let files = Files::of_environment();
    if named.is_none() && variable("AWS_ACCESS_KEY_ID").is_some() {
        // The files are not needed.
        return Ok(there.ok());
    }
    match (there, named) {
        (Err(error), _) => Err(ProfileError::Unreadable { problem: reason(&error), files }),
        (Ok(there), Some((name, setting))) if there.get_profile(&name).is_none() => {
            Err(ProfileError::Missing { name, setting, files })
        }
        (Ok(there), _) => Ok(Some(there)),
    }
}

/// The credentials of a profile; if it says nothing of any, those of the container or the instance this runs on. Never
/// those of the environment.
struct OfProfile {
    profile: String,
    chain: ProfileFileCredentialsProvider,
    provider: ProviderConfig,
}

/// What was read of the files is not for logs.
impl fmt::Debug for OfProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfProfile").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl OfProfile {
    async fn provide(&self) -> Provided {
        match self.chain.provide_credentials().await {
            // Without a cause: the profile says nothing of credentials.
            Err(error @ CredentialsError::CredentialsNotLoaded(_)) if error.source().is_none() => {}
            provided => return provided,
        }
        let chain = CredentialsProviderChain::first_try(
            "EcsContainer",
            EcsCredentialsProvider::builder().configure(&self.provider).build(),
        )
        .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(&self.provider).build());
        chain.provide_credentials().await.map_err(|error| match error {
            CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(format!(
                "the AWS profile `{}` has no credentials, and neither has the machine this runs on",
                self.profile
            )),
            other => other,
        })
    }
}

impl ProvideCredentials for OfProfile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}
