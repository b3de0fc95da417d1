//! Whose a bucket has to be. Names of buckets are the whole world's: one that was deleted, or was never made, may be
//! anybody's by now, who would be given the state and give another one back. So every request about a bucket names the
//! account that it has to belong to, and S3 refuses it (403) if it is another's.
//!
//! The account is that of the credentials, which some say themselves; the others are asked for it once
//! (`sts:GetCallerIdentity`, which needs no permission). The bucket of another account is named by the environment.

use std::sync::{Mutex, PoisonError};

use aloka_core::api::ApiError;
use aloka_core::endpoint::Endpoint;
use aloka_core::variables::backend;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use crate::driver::aws::error::api_error;
use crate::driver::aws::named_endpoint;

/// The account of the bucket, if it is another one's than the credentials'.
const OWNER_VARIABLE: &str = "ALOKA_BUCKET_OWNER";
/// What names the account in a request.
const HEADER: &str = "x-amz-expected-bucket-owner";
/// The one request about a bucket that nobody owns yet.
const WITHOUT: &str = "CreateBucket";

/// How the account is found out.
#[derive(Debug)]
pub(super) enum Owner {
    /// The environment says.
    Named(String),
    /// The credentials say, or are asked for.
    Caller {
        sts: aws_sdk_sts::Client,
        /// False if the store is not AWS's: it may know nothing of accounts.
        is_needed: bool,
    },
    /// The store is not AWS's, and nobody there could be asked.
    Nobody,
}

impl Owner {
    /// As the environment, the settings and the configuration files say.
    ///
    /// # Errors
    /// The environment names what is no account.
    pub(super) fn new(settings: &backend::S3, config: &SdkConfig) -> Result<Self, ApiError> {
        if let Some(named) = std::env::var(OWNER_VARIABLE).ok().filter(|named| !named.is_empty()) {
            if is_account(&named) {
                return Ok(Self::Named(named));
            }
            let message = format!("{OWNER_VARIABLE} is not the twelve digits of an account");
            return Err(ApiError::answered("InvalidParameterValue", message, None));
        }
        let place = |service: &str, name: &str| {
            let url = settings.endpoints.get(service).cloned().or_else(|| named_endpoint(config, name));
            let is_amazons = |url: &String| Endpoint::parse(url).is_some_and(|endpoint| endpoint.is_amazons(service));
            (url.as_ref().is_none_or(is_amazons), url)
        };
        let ((is_needed, _), (is_sts, url)) = (place("s3", "S3"), place("sts", "STS"));
        // The keys of another store are nothing that AWS's own is to see.
        if !is_needed && is_sts {
            return Ok(Self::Nobody);
        }
        let retries = if is_needed { RetryConfig::standard() } else { RetryConfig::disabled() };
        let mut sts = aws_sdk_sts::config::Builder::from(config).retry_config(retries);
        if let Some(url) = url {
            sts = sts.endpoint_url(url);
        }
        Ok(Self::Caller { sts: aws_sdk_sts::Client::from_conf(sts.build()), is_needed })
    }

    /// The account, if there is a need of one.
    ///
    /// # Errors
    /// It could not be found out.
    pub(super) async fn find(&self, credentials: Option<&Known>) -> Result<Option<String>, ApiError> {
        let (sts, is_needed) = match self {
            Self::Named(account) => return Ok(Some(account.clone())),
            Self::Nobody => return Ok(None),
            Self::Caller { sts, is_needed } => (sts, *is_needed),
        };
        if let Some(account) = known(credentials).await {
            return Ok(Some(account));
        }
        let found = sts.get_caller_identity().send().await.map_err(api_error);
        match found.map(|found| found.account.filter(|account| is_account(account))) {
            Ok(Some(account)) => Ok(Some(account)),
            Ok(None) | Err(_) if !is_needed => Ok(None),
            Ok(None) => Err(ApiError::answered("NoAccount", "AWS does not say whose the credentials are", None)),
            Err(error) => Err(ApiError { message: explained(&error), ..error }),
        }
    }
}

async fn known(credentials: Option<&Known>) -> Option<String> {
    let found = credentials?.look().await.ok()?;
    found.account_id().map(|account| account.as_str().to_owned()).filter(|account| is_account(account))
}

fn explained(error: &ApiError) -> String {
    let ApiError { message, .. } = error;
    format!("{message} (asked for the account that the bucket has to belong to; {OWNER_VARIABLE} saves the question)")
}

/// What to do about a bucket that S3 refuses.
pub(super) fn hint() -> String {
    format!(
        "a bucket of another account than that of the credentials is used only if {OWNER_VARIABLE} names its account"
    )
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Credentials that may be looked at before a request needs them, without being asked for twice.
#[derive(Debug)]
pub(super) struct Known {
    inner: SharedCredentialsProvider,
    seen: Mutex<Option<Credentials>>,
}

impl Known {
    pub(super) fn new(inner: SharedCredentialsProvider) -> Self {
        Self { inner, seen: Mutex::new(None) }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<Credentials>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self) -> Provided {
        let found = self.inner.provide_credentials().await?;
        *self.seen() = Some(found.clone());
        Ok(found)
    }

    async fn provide(&self) -> Provided {
        let seen = self.seen().take();
        match seen {
            Some(seen) => Ok(seen),
            None => self.inner.provide_credentials().await,
        }
    }
}

impl ProvideCredentials for Known {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Names the account in every request of a client.
#[derive(Debug)]
pub(super) struct Expect(pub(super) String);

impl Intercept for Expect {
    fn name(&self) -> &'static str {
        "ExpectedBucketOwner"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<Metadata>().is_none_or(|operation| operation.name() != WITHOUT) {
            context.request_mut().headers_mut().try_insert(HEADER, self.0.clone())?;
        }
        Ok(())
    }
}
