//! Credentials as every client of this tool has them: looked up by one at a time, looked at before they sign anything, and
//! where there are none, everybody is told the same.
//!
//! The SDK's own providers tell what is wrong to whoever asks first, and to the others that it was told already; and nine
//! requests at once look up nine times what is not there.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use super::settings::is_key;

/// A `credential_process` may have to ask somebody; who has not answered by then is not there.
const LOOKUP_MAX: Duration = Duration::from_secs(60);
/// So long it is not looked again for what was not to be had: all requests of a moment are told the same. A run of hours
/// gets over it.
const FAILURE_HOLDS: Duration = Duration::from_secs(10);

/// The configuration, with its credentials looked up so.
pub(super) fn shared(config: SdkConfig) -> SdkConfig {
    let Some(inner) = config.credentials_provider() else { return config };
    let provider = Shared { inner, failed: Mutex::new(None) };
    // Beyond the limit here, so that it is this one that counts.
    let cache = IdentityCache::lazy().load_timeout(LOOKUP_MAX.saturating_mul(2)).build();
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).identity_cache(cache).build()
}

/// See the module.
#[derive(Debug)]
struct Shared {
    inner: SharedCredentialsProvider,
    /// Locked as long as somebody looks.
    failed: Mutex<Option<Failed>>,
}

impl Shared {
    async fn provide(&self) -> Provided {
        let mut failed = self.failed.lock().await;
        if let Some(failed) = failed.as_ref().filter(|failed| failed.holds()) {
            return Err(failed.told());
        }
        let found = tokio::time::timeout(LOOKUP_MAX, self.inner.provide_credentials()).await;
        let found = found.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOOKUP_MAX)));
        match found.and_then(checked) {
            Ok(found) => {
                *failed = None;
                Ok(found)
            }
            Err(error) => {
                let new = Failed { error: Arc::new(error), at: Instant::now() };
                let told = new.told();
                *failed = Some(new);
                Err(told)
            }
        }
    }
}

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Why there are none.
#[derive(Debug)]
struct Failed {
    error: Arc<CredentialsError>,
    at: Instant,
}

impl Failed {
    /// True if nobody needs to look again.
    fn holds(&self) -> bool {
        match &*self.error {
            CredentialsError::ProviderError(_) | CredentialsError::ProviderTimedOut(_) => {
                self.at.elapsed() < FAILURE_HOLDS
            }
            // What the files and the environment say does not change while this runs.
            _ => true,
        }
    }

    fn told(&self) -> CredentialsError {
        let again = || Told(Arc::clone(&self.error));
        match &*self.error {
            CredentialsError::CredentialsNotLoaded(_) if self.error.source().is_none() => {
                CredentialsError::not_loaded_no_source()
            }
            CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(again()),
            CredentialsError::ProviderTimedOut(late) => CredentialsError::provider_timed_out(late.timeout_duration()),
            CredentialsError::InvalidConfiguration(_) => CredentialsError::invalid_configuration(again()),
            CredentialsError::ProviderError(_) => CredentialsError::provider_error(again()),
            _ => CredentialsError::unhandled(again()),
        }
    }
}

/// The cause of an error that several are told.
#[derive(Debug)]
struct Told(Arc<CredentialsError>);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source().map_or(Ok(()), |cause| write!(f, "{cause}"))
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()?.source()
    }
}

/// Without white space around them, which files and processes leave there; an error if they could not be sent.
fn checked(found: Credentials) -> Provided {
    let (id, secret) = (found.access_key_id().trim(), found.secret_access_key().trim());
    let token = found.session_token().map(str::trim).filter(|token| !token.is_empty());
    let wrong = |what: &str, problem: &str| {
        Err(CredentialsError::invalid_configuration(format!("the {what} that was found {problem}")))
    };
    let parts = [("access key ID", Some(id)), ("secret access key", Some(secret)), ("session token", token)];
    for (what, part) in parts.into_iter().filter_map(|(what, part)| Some((what, part?))) {
        if part.is_empty() {
            return wrong(what, "is empty");
        }
        if !is_key(part) {
            return wrong(what, "has a blank, a line break or another character in it that no key has");
        }
    }
    let is_same = id == found.access_key_id() && secret == found.secret_access_key() && token == found.session_token();
    if is_same {
        return Ok(found);
    }
    let mut new = Credentials::builder().access_key_id(id).secret_access_key(secret).provider_name("aloka");
    new.set_session_token(token.map(str::to_owned));
    new.set_expiry(found.expiry());
    new.set_account_id(found.account_id().cloned());
    Ok(new.build())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::error::reason;
    use super::*;

    /// Counts who asks.
    #[derive(Debug)]
    struct Source(fn() -> Provided, Arc<AtomicUsize>);

    impl ProvideCredentials for Source {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.1.fetch_add(1, Ordering::SeqCst);
            future::ProvideCredentials::ready((self.0)())
        }
    }

    fn provider(source: fn() -> Provided) -> (SharedCredentialsProvider, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = SharedCredentialsProvider::new(Source(source, Arc::clone(&asked)));
        let config = shared(SdkConfig::builder().credentials_provider(source).build());
        (config.credentials_provider().expect("a provider"), asked)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(future)
    }

    #[test]
    fn all_are_told_the_same_cause_and_it_is_looked_for_once() {
        let sources: [fn() -> Provided; 5] = [
            || Err(CredentialsError::not_loaded_no_source()),
            || Err(CredentialsError::not_loaded("the profile is not there")),
            || Err(CredentialsError::invalid_configuration(CredentialsError::unhandled("a cause of the cause"))),
            || Err(CredentialsError::provider_error("the session is over")),
            || Err(CredentialsError::provider_timed_out(Duration::from_secs(7))),
        ];
        for source in sources {
            let cause = source().expect_err("there are none");
            let (provider, asked) = provider(source);
            for _ in 0..9 {
                let told = run(provider.provide_credentials()).expect_err("there are none");
                assert_eq!(reason(&told), reason(&cause));
                assert_eq!(std::mem::discriminant(&told), std::mem::discriminant(&cause));
            }
            assert_eq!(asked.load(Ordering::SeqCst), 1, "{}", reason(&cause));
        }
    }

    #[test]
    fn a_line_break_at_the_end_of_a_key_is_none_of_it() {
        let (provider, _) = provider(|| {
            let mut found = Credentials::builder();
            found.set_session_token(Some("TOKEN\n".to_owned()));
            Ok(found.access_key_id("KEY\r\n").secret_access_key(" secret").provider_name("test").build())
        });
        let found = run(provider.provide_credentials()).expect("credentials");
        let parts = (found.access_key_id(), found.secret_access_key(), found.session_token());
        assert_eq!(parts, ("KEY", "secret", Some("TOKEN")));
        for source in [
            (|| Ok(Credentials::new("K\rY", "x", None, None, "test"))) as fn() -> Provided,
            || Ok(Credentials::new("KEY", "x\ny", None, None, "test")),
            || Ok(Credentials::new("KEY", "x", Some("a\tb".to_owned()), None, "test")),
            || Ok(Credentials::new("\n", "x", None, None, "test")),
        ] {
            let told = run(self::provider(source).0.provide_credentials()).expect_err("it could not be sent");
            assert!(reason(&told).contains("that was found"), "{}", reason(&told));
        }
    }
}
