//! The one HTTP client of all requests: whom it believes, by which way it goes, and how much it listens to.
//!
//! TLS is rustls with ring. It trusts the certificates of the machine, or those of `AWS_CA_BUNDLE` in their place.
//! `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured, but for this machine itself and for the places that hand out
//! credentials, which no proxy can reach. Without TLS nothing is sent to another machine. Redirects are answers like any
//! other and never followed, and no answer is read beyond a limit, however it is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aloka_core::endpoint::Endpoint;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use base64ct::{Base64, Encoding as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::error::{found, reason};
use crate::advice;
use crate::endpoint::{Environment, encrypt};
use crate::files;

/// The most of an answer that is read: the longest state, and ten times AWS's longest page.
pub(crate) const ANSWER_MAX: usize = 64 << 20;
/// The most of an answer that says what went wrong.
const ERROR_MAX: usize = 1 << 20;
/// The most of a file of certificates.
const BUNDLE_MAX: u64 = 4 << 20;
/// Where proxies are named, in the order in which they are asked. In lower case, too.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// A setting of the network that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No certificate could be read.
    #[error("cannot use {}, which {setting} names: {problem}", .path.display())]
    Bundle {
        /// What names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A proxy that cannot be asked. Its URL may hold a password and is not shown.
    #[error("{variable} is not the URL of an HTTP proxy")]
    Proxy {
        /// What names it.
        variable: String,
    },
}

impl NetworkError {
    /// What to do about it, one line.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Bundle { setting, .. } => {
                format!("{setting} has to name a file of certificates in PEM form, those of the authorities to trust")
            }
            Self::Proxy { variable } => {
                format!("set {variable} to a URL such as http://proxy.example.com:3128, or unset it")
            }
        }
    }
}

/// Something is sent without TLS that another machine could read.
#[derive(Debug, thiserror::Error)]
#[error("{problem}; {way}")]
pub(crate) struct Insecure {
    problem: String,
    way: String,
}

/// An answer that is not read to its end.
#[derive(Debug, thiserror::Error)]
#[error("the answer is longer than {} MiB, the most that is read", .0 >> 20)]
pub(crate) struct TooLong(usize);

/// Nobody is there to answer, on this very machine.
#[derive(Debug, thiserror::Error)]
#[error("no program listens at {0}")]
pub(crate) struct NobodyListens(Endpoint);

/// Whoever answers is not believed.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of {endpoint} is not to be trusted: {problem}")]
pub(crate) struct Untrusted {
    endpoint: Endpoint,
    problem: String,
}

/// The proxy wants to know who asks.
#[derive(Debug, thiserror::Error)]
#[error("the proxy on the way to {0} wants a user name and a password")]
pub(crate) struct ProxyRefused(Endpoint);

/// The proxy was asked, and there is no way through it now.
#[derive(Debug, thiserror::Error)]
#[error("{} to {endpoint} ({problem})", advice::NO_WAY)]
pub(crate) struct NoWay {
    endpoint: Endpoint,
    problem: String,
}

/// The client; `bundle` is the file of certificates and the setting that names it, if one does. Neither is a connection
/// made yet, nor are the machine's certificates read.
pub(crate) fn client(bundle: Option<(&'static str, PathBuf)>) -> Result<SharedHttpClient, NetworkError> {
    let is_proxied = check_proxies(|name| std::env::var(name).ok())?;
    let context = match bundle {
        Some((setting, path)) => {
            let trust = trust(&path).map_err(|problem| NetworkError::Bundle { setting, path, problem })?;
            // Nothing of it is looked at before a connection is made.
            TlsContext::builder().with_trust_store(trust).build().unwrap_or_default()
        }
        None => TlsContext::default(),
    };
    let made = Mutex::new(BTreeMap::new());
    Ok(SharedHttpClient::new(Client { context, is_proxied, environment: Environment::read(), made }))
}

/// The certificates of a file, in place of the machine's. What is none of rustls' certificates in it is left out, as is done
/// with the machine's.
fn trust(path: &Path) -> Result<TrustStore, String> {
    let bytes = files::named(path, BUNDLE_MAX).map_err(|error| error.message)?;
    let found = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
    let good = found.filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    let mut count = 0;
    let store = good.fold(TrustStore::empty(), |store, certificate| {
        count += 1;
        let text = Base64::encode_string(&certificate);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
        store.with_pem_certificate(format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"))
    });
    if count == 0 { Err("it has no certificate".to_owned()) } else { Ok(store) }
}

/// True if there is a proxy. One that cannot be asked would be passed by.
fn check_proxies(variable: impl Fn(&str) -> Option<String>) -> Result<bool, NetworkError> {
    let mut is_proxied = false;
    for name in PROXIES {
        // As the client reads them: the first that is set counts, also if it is empty.
        let lower = name.to_ascii_lowercase();
        let found = [name, lower.as_str()].into_iter().find_map(|name| Some((name, variable(name)?)));
        let Some((name, url)) = found.filter(|(_, url)| !url.is_empty()) else { continue };
        let with_scheme = if url.contains("://") { url } else { format!("http://{url}") };
        // A user name is what an endpoint may not have.
        let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        if Endpoint::parse(&format!("{scheme}://{host}")).is_none() {
            return Err(NetworkError::Proxy { variable: name.to_owned() });
        }
        is_proxied = true;
    }
    Ok(is_proxied)
}

/// Connection and read timeout.
type Timeouts = (Option<Duration>, Option<Duration>);

/// Makes connectors, one for each pair of timeouts.
struct Client {
    context: TlsContext,
    is_proxied: bool,
    environment: Environment,
    made: Mutex<BTreeMap<Timeouts, SharedHttpConnector>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let builder = || -> ConnectorBuilder<_> {
                let mut builder = Connector::builder()
                    .connector_settings(settings.clone())
                    .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                    .tls_context(self.context.clone());
                builder.set_sleep_impl(components.sleep_impl());
                builder
            };
            let direct = SharedHttpConnector::new(builder().build());
            let proxied = self
                .is_proxied
                .then(|| SharedHttpConnector::new(builder().proxy_config(ProxyConfig::from_env()).build()));
            SharedHttpConnector::new(Careful { direct, proxied, environment: self.environment.clone() })
        };
        made.entry(timeouts).or_insert_with(make).clone()
    }
}

/// Sends what may be sent, by the way it may go, and limits what comes back.
#[derive(Debug)]
struct Careful {
    direct: SharedHttpConnector,
    proxied: Option<SharedHttpConnector>,
    environment: Environment,
}

impl HttpConnector for Careful {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(endpoint) = Endpoint::parse(request.uri()) else {
            let problem = "the request goes to no place that can be named".to_owned();
            let error = Insecure { problem, way: "check the endpoints in the environment".to_owned() };
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        };
        if let Some(problem) = self.environment.unencrypted(&endpoint) {
            let error = Insecure { problem, way: encrypt(&endpoint) };
            return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
        }
        let is_near = endpoint.is_loopback() || endpoint.hands_out_credentials();
        let way = self.proxied.as_ref().filter(|_| !is_near).unwrap_or(&self.direct);
        let answer = way.call(request);
        HttpConnectorFuture::new(async move { answer.await.map(limited).map_err(|error| named(error, endpoint)) })
    }
}

/// An error of a connection by the name of what it is, if that is one that waiting does not mend.
fn named(error: ConnectorError, endpoint: Endpoint) -> ConnectorError {
    let text = reason(&error);
    // Both libraries tell these by words alone: their own errors are within errors that do not lead to them.
    if let Some(at) = text.find("invalid peer certificate") {
        let problem = text.get(at..).unwrap_or_default().to_owned();
        return ConnectorError::user(Untrusted { endpoint, problem }.into());
    }
    if text.contains("proxy authorization required") {
        return ConnectorError::user(ProxyRefused(endpoint).into());
    }
    if let Some(at) = text.find("tunnel error") {
        let problem = text.get(at..).unwrap_or_default().to_owned();
        return ConnectorError::io(NoWay { endpoint, problem }.into());
    }
    let refused = found::<std::io::Error>(&error).is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    if refused && endpoint.is_loopback() {
        return ConnectorError::io(NobodyListens(endpoint).into());
    }
    error
}

fn limited(answer: HttpResponse) -> HttpResponse {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let most = if is_error { ERROR_MAX } else { ANSWER_MAX };
    answer.map(|body| {
        let told = move |error: Box<dyn std::error::Error + Send + Sync>| match error.is::<LengthLimitError>() {
            true => TooLong(most).into(),
            false => error,
        };
        SdkBody::from_body_1_x(Limited::new(body, most).map_err(told))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_cannot_be_asked_is_not_passed_by() {
        let check = |set: &[(&str, &str)]| {
            check_proxies(|name| set.iter().find(|(known, _)| *known == name).map(|(_, url)| (*url).to_owned()))
        };
        assert_eq!(check(&[]), Ok(false));
        assert_eq!(check(&[("HTTPS_PROXY", ""), ("https_proxy", "ftp://x")]), Ok(false));
        for url in ["http://proxy:3128", "proxy:3128", "https://user:p%40ss@proxy.example/", "http://[::1]:1"] {
            for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
                assert_eq!(check(&[(name, url)]), Ok(true), "{name}={url}");
            }
        }
        for url in ["socks5://proxy:1080", "http://", "http://a b", "://", "http://user:secret@"] {
            let error = check(&[("https_proxy", url)]).expect_err(url);
            assert_eq!(error, NetworkError::Proxy { variable: "https_proxy".to_owned() });
            assert!(!format!("{error} {}", error.hint()).contains("secret"));
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("bundle.pem");
        for text in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(trust(&path).err().as_deref(), Some("it has no certificate"), "{text}");
        }
        assert!(trust(dir.path()).is_err() && trust(&dir.path().join("none")).is_err());
    }
}
