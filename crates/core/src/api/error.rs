//! Errors of calls, classed by what the engine may do about them (aws-behaviour.md, 1.3, 1.6 to 1.9).

use serde::{Deserialize, Serialize};

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

/// Codes that AWS answers with to more than one thing, which its words tell apart: the code, words of the message, and what
/// they mean. The words are of answers that real accounts got and people kept.
const BY_WORDS: [(&str, &str, ErrorClass); 4] = [
    // Usually of somebody without credentials; here of an owner whose address or interface AWS still holds for a NAT gateway
    // or a database,
    ("AuthFailure", "permission to access the specified resource", ErrorClass::Conflict),
    // and of an image that its owner does not share.
    ("AuthFailure", "Not authorized for images", ErrorClass::Refused),
    // RDS learns of EC2's subnets and security groups later than EC2 shows them, and has no code of its own for that.
    ("InvalidParameterValue", "Some input subnets in :[", ErrorClass::NotFound),
    ("InvalidParameterValue", "Invalid security group , groupId=", ErrorClass::NotFound),
];

/// The class of an answer whose code does not tell it.
fn by_words(code: &str, message: &str) -> Option<ErrorClass> {
    let row = BY_WORDS.into_iter().find(|(of, words, _)| *of == code && message.contains(words));
    row.map(|(_, _, class)| class)
}

/// The class of an error code. Codes are compared without regard to case, as documentation and API disagree on it
/// (aws-behaviour.md, 5).
fn classify(code: &str, status: Option<u16>) -> ErrorClass {
    let lower = code.to_ascii_lowercase();
    match lower.as_str() {
        "requestlimitexceeded"
        | "throttling"
        | "throttlingexception"
        | "throttledexception"
        | "toomanyrequestsexception"
        | "slowdown"
        | "ec2throttledexception"
        | "requestthrottled"
        | "requestthrottledexception"
        | "bandwidthlimitexceeded" => ErrorClass::Throttled,
        "insufficientinstancecapacity"
        | "insufficientaddresscapacity"
        | "insufficienthostcapacity"
        | "insufficientdbinstancecapacity" => ErrorClass::Capacity,
        "unauthorizedoperation" | "accessdenied" | "accessdeniedexception" => ErrorClass::Unauthorized,
        // Not of the caller but of the object: no policy allows it (an instance that is protected).
        "operationnotpermitted" => ErrorClass::Refused,
        "authfailure"
        | "invalidclienttokenid"
        | "signaturedoesnotmatch"
        | "missingauthenticationtoken"
        | "incompletesignature"
        | "requestexpired"
        | "expiredtoken"
        | "expiredtokenexception"
        // Of the clock of whoever signs, and of a signature that S3 and DynamoDB do not accept.
        | "requesttimetooskewed"
        | "requestinthefuture"
        | "invalidsignatureexception"
        | "unrecognizedclientexception"
        | "invalidaccesskeyid"
        | "optinrequired"
        | "pendingverification"
        | "nocredentials" => ErrorClass::Credentials,
        "vcpulimitexceeded"
        | "instancequotaexceeded"
        | "storagequotaexceeded"
        | "rulespersecuritygrouplimitexceeded" => ErrorClass::Quota,
        "dependencyviolation"
        | "invalidgroup.inuse"
        | "invalidipaddress.inuse"
        | "invaliddbsubnetgroupstatefault"
        | "invaliddbinstancestate"
        | "invaliddbinstancestatefault"
        | "incorrectinstancestate"
        | "incorrectmodificationstate"
        | "invalidnetworkinterface.inuse"
        | "incorrectstate" => ErrorClass::Conflict,
        "resource.alreadyassociated"
        | "invalidgroup.duplicate"
        | "invalidpermission.duplicate"
        | "routealreadyexists"
        // Of a client token: an earlier run made the object, with other parameters; or it is gone, and the next token is
        // tried (`engine::node::spent`).
        | "idempotentparametermismatch"
        | "idempotentinstanceterminated"
        | "invalidsubnet.conflict"
        | "dbinstancealreadyexists"
        | "dbsnapshotalreadyexists"
        | "dbsnapshotalreadyexistsfault"
        | "dbinstancealreadyexistsfault"
        | "dbsubnetgroupalreadyexists"
        | "dbsubnetgroupalreadyexistsfault" => ErrorClass::AlreadyExists,
        "gateway.notattached"
        | "dbinstancenotfound"
        | "dbsnapshotnotfound"
        | "dbsnapshotnotfoundfault"
        | "dbinstancenotfoundfault"
        | "dbsubnetgroupnotfoundfault"
        | "natgatewaynotfound"
        | "parameternotfound" => ErrorClass::NotFound,
        "invalidaction" | "unknownoperationexception" | "notimplemented" => ErrorClass::NotImplemented,
        "internalerror" | "internalfailure" | "serviceunavailable" | "unavailable" | "internalservererror" => {
            if status == Some(501) { ErrorClass::NotImplemented } else { ErrorClass::Unknown }
        }
        "requesttimeout" | "requesttimeoutexception" => ErrorClass::Unknown,
        _ if lower.ends_with(".notfound") => ErrorClass::NotFound,
        _ if lower.ends_with("limitexceeded") || lower.ends_with("quotaexceeded") => ErrorClass::Quota,
        _ => match status {
            Some(501) => ErrorClass::NotImplemented,
            Some(429) => ErrorClass::Throttled,
            Some(500..) => ErrorClass::Unknown,
            Some(_) | None => ErrorClass::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
