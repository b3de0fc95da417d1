//! SDK errors as core errors.

use std::error::Error;

use aloka_core::api::{ApiError, ErrorClass};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::https::Insecure;

/// The most characters of one text of an answer that are kept.
const TEXT_MAX: usize = 2000;

/// The error as the engine knows it: AWS's own code and message if AWS answered, what went wrong if not.
pub(crate) fn api_error<E>(error: SdkError<E, HttpResponse>) -> ApiError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => service_error(answer.err(), answer.raw().status().as_u16()),
        SdkError::ResponseError(answer) => unreadable(answer.raw().status().as_u16(), &error),
        SdkError::TimeoutError(_) => ApiError::timeout(reason(&error)),
        SdkError::DispatchFailure(failure) => {
            let cause: &(dyn Error + 'static) = match failure.as_connector_error() {
                Some(cause) => cause,
                None => &error,
            };
            match found::<CredentialsError>(cause) {
                Some(cause) => ApiError::answered("NoCredentials", reason(cause), None),
                // Nothing was sent.
                None if found::<Insecure>(cause).is_some() => {
                    ApiError::answered("InsecureEndpoint", reason(cause), None)
                }
                None if failure.is_timeout() => ApiError::timeout(reason(cause)),
                None => ApiError::connection(reason(cause)),
            }
        }
        // The SDK could not make a request of the arguments, so nothing was sent.
        _ => ApiError::answered("InvalidParameterValue", reason(&error), None),
    }
}

/// An answer that is an error, or is no answer of AWS at all: proxies and load balancers answer with pages of their
/// own, which have no error code.
fn service_error(error: &(impl Error + ProvideErrorMetadata), status: u16) -> ApiError {
    match error.code() {
        Some(code) => ApiError::answered(&cut(code), cut(error.message().unwrap_or("(no message)")), Some(status)),
        // A success that cannot be read, or a request that got lost half-way.
        None if status < 400 || status == 408 => unreadable(status, error),
        None => ApiError::answered(
            &format!("HTTP{status}"),
            format!("HTTP status {status} and no error code"),
            Some(status),
        ),
    }
}

fn unreadable(status: u16, error: &dyn Error) -> ApiError {
    ApiError {
        code: "UnreadableAnswer".to_owned(),
        message: format!("HTTP status {status}: {}", reason(error)),
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
