//! SDK errors as core errors.

use std::error::Error;

use aloka_core::api::{ApiError, ErrorClass};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::https::{Insecure, NoWay, NobodyListens, ProxyRefused, Untrusted};
use crate::advice::NOT_AWS;

/// The most characters of one text of an answer that are kept.
const TEXT_MAX: usize = 2000;

/// The error as the engine knows it: AWS's own code and message if AWS answered, what went wrong if not.
pub(crate) fn api_error<E>(error: SdkError<E, HttpResponse>) -> ApiError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => service_error(answer.err(), answer.raw()),
        SdkError::ResponseError(answer) => unreadable(answer.raw(), &error),
        SdkError::TimeoutError(_) => ApiError::timeout(reason(&error)),
        SdkError::DispatchFailure(failure) => {
            let cause: &(dyn Error + 'static) = match failure.as_connector_error() {
                Some(cause) => cause,
                None => &error,
            };
            not_sent(cause, failure.is_timeout())
        }
        // The SDK could not make a request of the arguments, so nothing was sent.
        _ => ApiError::answered("InvalidParameterValue", reason(&error), None),
    }
}

/// Why nothing came back, and mostly nothing was sent.
fn not_sent(cause: &(dyn Error + 'static), is_timeout: bool) -> ApiError {
    if let Some(cause) = found::<CredentialsError>(cause) {
        // Whoever hands them out was not there: an outage like any other.
        let is_away = found::<ConnectorError>(cause).is_some_and(|error| error.is_io() || error.is_timeout());
        // The SDK lists where it looked, one a line.
        let told = reason(cause).lines().map(str::trim).collect::<Vec<_>>().join(" ");
        return match cause {
            CredentialsError::ProviderError(_) if is_away => ApiError::connection(told),
            _ => ApiError::answered("NoCredentials", told, None),
        };
    }
    let certain = |code: &str, cause: &dyn Error| ApiError::answered(code, reason(cause), None);
    if let Some(cause) = found::<Insecure>(cause) {
        certain("InsecureEndpoint", cause)
    } else if let Some(cause) = found::<Untrusted>(cause) {
        certain("UntrustedCertificate", cause)
    } else if let Some(cause) = found::<ProxyRefused>(cause) {
        certain("ProxyRefused", cause)
    } else if let Some(cause) = found::<NoWay>(cause) {
        ApiError::connection(reason(cause))
    } else if let Some(cause) = found::<NobodyListens>(cause) {
        ApiError { code: "ConnectionRefused".to_owned(), ..ApiError::connection(reason(cause)) }
    } else if is_timeout {
        ApiError::timeout(reason(cause))
    } else {
        ApiError::connection(reason(cause))
    }
}

/// An answer that is an error, or is no answer of AWS at all: proxies and load balancers answer with pages of their
/// own, which have no error code.
fn service_error(error: &(impl Error + ProvideErrorMetadata), raw: &HttpResponse) -> ApiError {
    let status = raw.status().as_u16();
    match error.code() {
        Some(code) => ApiError::answered(&cut(code), cut(error.message().unwrap_or("(no message)")), Some(status)),
        None if (300..400).contains(&status) => redirected(raw),
        // A success that cannot be read, or a request that got lost half-way.
        None if status < 400 || status == 408 => unreadable(raw, error),
        None => {
            let stranger = match stranger(raw) {
                Some(told) => format!(": {told}"),
                None if is_amazons(raw) => String::new(),
                None => server(raw),
            };
            let message = format!("HTTP status {status} and no error code{stranger}");
            ApiError::answered(&format!("HTTP{status}"), message, Some(status))
        }
    }
}

/// An answer that sends whoever asks elsewhere. S3 does so for a bucket of another Region, and nobody else of AWS.
fn redirected(raw: &HttpResponse) -> ApiError {
    let status = raw.status().as_u16();
    if let Some(region) = raw.headers().get("x-amz-bucket-region") {
        let message = format!("HTTP status {status}: the bucket is in the Region {}", cut(region));
        return ApiError::answered("PermanentRedirect", message, Some(status));
    }
    let to = raw.headers().get("location").map(|to| format!(" to {}", cut(to))).unwrap_or_default();
    let message = format!("HTTP status {status}{to}, and nothing is sent there: {NOT_AWS}{}", server(raw));
    ApiError::answered("Redirected", message, Some(status))
}

/// Who answered, if it was not AWS as far as one can see: AWS answers programs with no pages for people.
fn stranger(raw: &HttpResponse) -> Option<String> {
    if is_amazons(raw) {
        return None;
    }
    let is_page = raw.headers().get("content-type").is_some_and(|kind| kind.trim_start().starts_with("text/html"))
        || is_page(raw.body().bytes().unwrap_or_default());
    is_page.then(|| format!("an HTML page; {NOT_AWS}{}", server(raw)))
}

/// True of an answer with a header of AWS's own, which proxies have none of.
fn is_amazons(raw: &HttpResponse) -> bool {
    raw.headers().iter().any(|(name, _)| name.starts_with("x-amz"))
}

/// As much of an answer shows what it is.
const BEGIN_MAX: usize = 256;

/// True of a page for people.
pub(crate) fn is_page(bytes: &[u8]) -> bool {
    let begin = String::from_utf8_lossy(bytes.get(..BEGIN_MAX).unwrap_or(bytes)).trim_start().to_ascii_lowercase();
    begin.starts_with("<!doctype html") || begin.starts_with("<html")
}

/// A page in place of what was asked for.
pub(crate) fn page() -> ApiError {
    ApiError {
        code: "UnreadableAnswer".to_owned(),
        message: format!("an HTML page; {NOT_AWS}"),
        class: ErrorClass::Unknown,
    }
}

/// What whoever answered calls itself.
fn server(raw: &HttpResponse) -> String {
    let name = ["server", "via"].into_iter().find_map(|name| raw.headers().get(name));
    name.filter(|name| !name.is_empty()).map(|name| format!(" ({})", cut(name))).unwrap_or_default()
}

fn unreadable(raw: &HttpResponse, error: &dyn Error) -> ApiError {
    let told = stranger(raw).unwrap_or_else(|| reason(error));
    ApiError {
        code: "UnreadableAnswer".to_owned(),
        message: format!("HTTP status {}: {told}", raw.status().as_u16()),
        class: ErrorClass::Unknown,
    }
}

/// The cause, if one is of this type: there are no credentials to sign the request with, for example, and nothing was sent.
pub(crate) fn found<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(link) = next {
        if let Some(found) = link.downcast_ref() {
            return Some(found);
        }
        next = link.source();
    }
    None
}

/// The error and its causes, outermost first. The SDK's own rendering adds a dump of its internals.
pub(super) fn reason(error: &dyn Error) -> String {
    let mut text = cut(&error.to_string());
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cut(&cause.to_string()));
        next = cause.source();
    }
    text
}

/// No more of a text from elsewhere than a person reads.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
