//! Errors of calls, classed by what the engine may do about them (aws-behaviour.md, 1.3, 1.6 to 1.9).

use serde::{Deserialize, Serialize};

use super::{ec2, rds, ssm, sts};

/// What an error means for the one who sent the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorClass {
    /// AWS did not execute the call because of its rate limits: send it again, later.
    Throttled,
    /// Nobody knows whether AWS executed the call: no answer, a broken connection, a server error.
    Unknown,
    /// The object is not there, or not yet visible.
    NotFound,
    /// What the call asks for is there already.
    AlreadyExists,
    /// Something else still uses the object, or its state forbids the call for now.
    Conflict,
    /// AWS has no room for it now. Not executed.
    Capacity,
    /// A quota of the account is used up. Not executed.
    Quota,
    /// The credentials are good but not allowed to do this.
    Unauthorized,
    /// The credentials are missing, wrong or expired.
    Credentials,
    /// The endpoint does not know this operation (emulators).
    NotImplemented,
    /// Refused for any other reason. Not executed.
    Refused,
}

/// An error answer, or no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code, or `Timeout`, `ConnectionError` when there was no answer.
    pub code: String,
    /// AWS's message, or what went wrong.
    pub message: String,
    /// What it means.
    pub class: ErrorClass,
}

impl ApiError {
    /// The error of an answer with this code; `status` is the HTTP status, if known.
    pub fn answered(code: &str, message: impl Into<String>, status: Option<u16>) -> Self {
        let message = message.into();
        let class = by_words(code, &message).unwrap_or_else(|| classify(code, status));
        Self { code: code.to_owned(), message, class }
    }

    /// No answer within the time allowed.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self { code: "Timeout".to_owned(), message: message.into(), class: ErrorClass::Unknown }
    }

    /// No answer: the connection could not be made or broke.
    pub fn connection(message: impl Into<String>) -> Self {
        Self { code: "ConnectionError".to_owned(), message: message.into(), class: ErrorClass::Unknown }
    }

    /// True if the same request may well be answered in half a minute: nothing came back, or AWS said that it could not.
    /// Not of what is none of AWS's answers (`UnreadableAnswer`), and of a port of this machine on which nobody listens
    /// (`ConnectionRefused`): whoever waits for a plan is told soon.
    pub fn is_outage(&self) -> bool {
        self.class == ErrorClass::Unknown && !matches!(self.code.as_str(), "UnreadableAnswer" | "ConnectionRefused")
    }
}

/// What a service's codes mean.
pub(super) struct Codes {
    /// Codes that AWS answers with to more than one thing, which its words tell apart: the code, words of the message, and
    /// what they mean. The words are of answers that real accounts got and people kept.
    pub(super) by_words: &'static [(&'static str, &'static str, ErrorClass)],
    /// The others.
    pub(super) by_code: &'static [(&'static str, ErrorClass)],
}

/// Every service's. No two of them use one code for two things so far; a test holds that.
const SERVICES: [&Codes; 4] = [&ec2::CODES, &rds::CODES, &ssm::CODES, &sts::CODES];

/// Codes that any service may answer with, S3 and DynamoDB included.
const COMMON: &[(&str, ErrorClass)] = &[
    ("RequestLimitExceeded", ErrorClass::Throttled),
    ("Throttling", ErrorClass::Throttled),
    ("ThrottlingException", ErrorClass::Throttled),
    ("ThrottledException", ErrorClass::Throttled),
    ("TooManyRequestsException", ErrorClass::Throttled),
    ("SlowDown", ErrorClass::Throttled),
    ("EC2ThrottledException", ErrorClass::Throttled),
    ("RequestThrottled", ErrorClass::Throttled),
    ("RequestThrottledException", ErrorClass::Throttled),
    ("BandwidthLimitExceeded", ErrorClass::Throttled),
    ("UnauthorizedOperation", ErrorClass::Unauthorized),
    ("AccessDenied", ErrorClass::Unauthorized),
    ("AccessDeniedException", ErrorClass::Unauthorized),
    ("AuthFailure", ErrorClass::Credentials),
    ("InvalidClientTokenId", ErrorClass::Credentials),
    ("SignatureDoesNotMatch", ErrorClass::Credentials),
    ("MissingAuthenticationToken", ErrorClass::Credentials),
    ("IncompleteSignature", ErrorClass::Credentials),
    ("RequestExpired", ErrorClass::Credentials),
    ("ExpiredToken", ErrorClass::Credentials),
    ("ExpiredTokenException", ErrorClass::Credentials),
    // Of the clock of whoever signs, and of a signature that S3 and DynamoDB do not accept.
    ("RequestTimeTooSkewed", ErrorClass::Credentials),
    ("RequestInTheFuture", ErrorClass::Credentials),
    ("InvalidSignatureException", ErrorClass::Credentials),
    ("UnrecognizedClientException", ErrorClass::Credentials),
    ("InvalidAccessKeyId", ErrorClass::Credentials),
    ("OptInRequired", ErrorClass::Credentials),
    ("PendingVerification", ErrorClass::Credentials),
    ("NoCredentials", ErrorClass::Credentials),
    ("InvalidAction", ErrorClass::NotImplemented),
    ("UnknownOperationException", ErrorClass::NotImplemented),
    ("NotImplemented", ErrorClass::NotImplemented),
    ("InternalError", ErrorClass::Unknown),
    ("InternalFailure", ErrorClass::Unknown),
    ("ServiceUnavailable", ErrorClass::Unknown),
    ("Unavailable", ErrorClass::Unknown),
    ("InternalServerError", ErrorClass::Unknown),
    ("RequestTimeout", ErrorClass::Unknown),
    ("RequestTimeoutException", ErrorClass::Unknown),
];

/// The class of an answer whose code does not tell it.
fn by_words(code: &str, message: &str) -> Option<ErrorClass> {
    let mut rows = SERVICES.iter().flat_map(|codes| codes.by_words);
    rows.find(|(of, words, _)| *of == code && message.contains(words)).map(|(_, _, class)| *class)
}

/// The class of an error code. Codes are compared without regard to case, as documentation and API disagree on it
/// (aws-behaviour.md, 5).
fn classify(code: &str, status: Option<u16>) -> ErrorClass {
    let mut rows = SERVICES.iter().flat_map(|codes| codes.by_code).chain(COMMON);
    let known = rows.find(|(of, _)| of.eq_ignore_ascii_case(code)).map(|(_, class)| *class);
    let lower = code.to_ascii_lowercase();
    match (known, status) {
        // An emulator that lacks the operation.
        (Some(ErrorClass::Unknown) | None, Some(501)) => ErrorClass::NotImplemented,
        (Some(class), _) => class,
        (None, _) if lower.ends_with(".notfound") => ErrorClass::NotFound,
        (None, _) if lower.ends_with("limitexceeded") || lower.ends_with("quotaexceeded") => ErrorClass::Quota,
        (None, Some(429)) => ErrorClass::Throttled,
        (None, Some(500..)) => ErrorClass::Unknown,
        (None, Some(_) | None) => ErrorClass::Refused,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_code_means_one_thing_whichever_service_answers_with_it() {
        let mut seen = BTreeMap::new();
        for (code, class) in SERVICES.iter().flat_map(|codes| codes.by_code).chain(COMMON) {
            assert_eq!(seen.insert(code.to_ascii_lowercase(), class), None, "{code} is there twice");
        }
    }

    #[test]
    fn what_rds_does_not_know_yet_is_not_found() {
        let class = |message: &str| ApiError::answered("InvalidParameterValue", message, Some(400)).class;
        assert_eq!(class("Some input subnets in :[subnet-1] are invalid."), ErrorClass::NotFound);
        assert_eq!(class("Invalid security group , groupId= sg-1, groupName=."), ErrorClass::NotFound);
        assert_eq!(class("Invalid DB Instance class: db.t3.tiny"), ErrorClass::Refused);
        assert_eq!(ApiError::answered("InvalidSubnet", "Some input", Some(400)).class, ErrorClass::Refused);
    }

    #[test]
    fn a_code_with_two_meanings_is_told_by_its_words() {
        let class = |code: &str, message: &str| ApiError::answered(code, message, Some(400)).class;
        let held = "You do not have permission to access the specified resource.";
        assert_eq!(class("AuthFailure", held), ErrorClass::Conflict);
        assert_eq!(class("AuthFailure", "Not authorized for images: [ami-1]"), ErrorClass::Refused);
        let unknown = "AWS was not able to validate the provided access credentials";
        assert_eq!(class("AuthFailure", unknown), ErrorClass::Credentials);
        let protected = "The instance 'i-1' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.";
        assert_eq!(class("OperationNotPermitted", protected), ErrorClass::Refused);
        assert_eq!(class("UnauthorizedOperation", protected), ErrorClass::Unauthorized);
    }
}
