//! What to do about an answer of AWS, or about none: the next step, in words.

use aloka_core::api::{ApiError, ErrorClass};
use aloka_core::shell::Command;

use crate::error::CommandError;

/// Who sends pages to those who ask AWS, in the message of an error.
pub(crate) const NOT_AWS: &str = "not AWS answered, but a proxy, a gateway or the login page of a network on the way";

/// What a proxy says that cannot help, in the message of an error.
pub(crate) const NO_WAY: &str = "the proxy of the environment (HTTPS_PROXY) finds no way";
/// Answers whose words tell more than their class, or whose class would send somebody astray: the code, words of the message
/// (none for any), and what to do.
const BY_WORDS: [(&str, &str, &str); 6] = [
    (
        "AuthFailure",
        "Not authorized for images",
        "the owner of the image does not share it with this account: choose another app_ami_id, or ask the owner to share it",
    ),
    (
        "InvalidParameterCombination",
        "eligible for Free Tier",
        "the account is on AWS's Free plan, which has only some types: choose a smaller app_instance_type, such as t3.micro or \
         t3.small, or upgrade the plan in the AWS console under Billing and Cost Management",
    ),
    (
        "FreeTierRestrictionError",
        "",
        "the account is on AWS's Free plan, which does not have this: ask for less, or upgrade the plan in the AWS console under \
         Billing and Cost Management",
    ),
    (
        "PendingVerification",
        "",
        "AWS is verifying the account, which takes minutes, seldom hours, and tells its owner by e-mail: run the command again then",
    ),
    (
        "OptInRequired",
        "",
        "the account is not signed up for this service or Region: sign up or enable the Region in the AWS console, or choose another \
         aws_region",
    ),
    ("Blocked", "", "AWS has blocked the account: its owner has to ask AWS Support why"),
];

/// What protects an instance, and the command that ends it.
const PROTECTIONS: [(&str, &str, &str); 2] = [
    (
        "disableApiTermination",
        "termination protection",
        "aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id",
    ),
    ("disableApiStop", "stop protection", "aws ec2 modify-instance-attribute --no-disable-api-stop --instance-id"),
];

/// The error with what to do about an answer of AWS.
pub(crate) fn advised(error: CommandError, answer: &ApiError, profile: Option<&str>) -> CommandError {
    let protection = PROTECTIONS
        .into_iter()
        .find(|(attribute, ..)| answer.code == "OperationNotPermitted" && answer.message.contains(attribute));
    let Some((_, protection, command)) = protection else { return error.hint(hint_for(answer, profile)) };
    let how = format!(
        "somebody turned on {protection} for the server, and no permission overrides it: if the server is to go all the same, \
         turn the protection off in the EC2 console"
    );
    let id = answer.message.split('\'').nth(1).filter(|id| id.starts_with("i-"));
    match id.and_then(|id| Command::new(command).id(id)) {
        Some(command) => {
            error.hint_commands(format!("{how} or with this command, then run the command again:"), &[command])
        }
        None => error.hint(format!("{how}, then run the command again")),
    }
}

/// What to do about an answer that is the same whatever was asked. `profile` is that of the credentials, if one is used.
fn hint_for(error: &ApiError, profile: Option<&str>) -> String {
    let told = |(code, words, _): &(&str, &str, &str)| *code == error.code && error.message.contains(words);
    if let Some((.., hint)) = BY_WORDS.into_iter().find(told) {
        return hint.to_owned();
    }
    let hint = match error.class {
        ErrorClass::Credentials => return credentials(error, profile),
        ErrorClass::Throttled => "AWS limits the rate of calls: run the command again in a minute",
        ErrorClass::Unknown => network(error).unwrap_or(
            "AWS did not answer: check the network and https://health.aws.amazon.com, then run the command again",
        ),
        ErrorClass::NotFound => {
            "somebody may have removed the object meanwhile: run `aloka plan` to see where things stand"
        }
        ErrorClass::AlreadyExists if error.code.starts_with("DBSnapshot") => {
            "somebody took the name of the final snapshot, and nothing was deleted: run the command again, with \
             db_final_snapshot_identifier set to a name that is free if it was set"
        }
        ErrorClass::AlreadyExists => {
            "record the other object with `aloka import` if it is this stack's, or choose another `project_name` or `environment`"
        }
        ErrorClass::Conflict => {
            "something aloka does not manage still uses the object: remove that first, then run the command again"
        }
        ErrorClass::Capacity => "AWS has no room for it now: try later, or choose another type or another zone",
        ErrorClass::Quota => {
            "a quota of the account is used up: ask for more in Service Quotas, then run the command again"
        }
        ErrorClass::Unauthorized => {
            "allow this action to the caller in IAM; `aloka plan -calls` lists every action needed"
        }
        ErrorClass::NotImplemented => "this endpoint does not know the operation; emulators know only a part of AWS",
        ErrorClass::Refused => network(error).unwrap_or("correct what the message names, then run `aloka plan`"),
    };
    hint.to_owned()
}

/// What to do where it was not AWS that answered, or nobody; `None` if it may be AWS.
pub(crate) fn network(error: &ApiError) -> Option<&'static str> {
    match error.code.as_str() {
        "ConnectionRefused" => Some(
            "start what should listen there, or correct the endpoint: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SERVICE, or \
             endpoint_url of the AWS profile",
        ),
        "UntrustedCertificate" => Some(
            "if a proxy of your company looks into TLS, name the file with the certificate of its authority: AWS_CA_BUNDLE, \
             or ca_bundle of the AWS profile; if not, somebody is on the way",
        ),
        "ProxyRefused" => Some("write them into the URL of the proxy: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"),
        "InsecureEndpoint" => Some("use https"),
        _ if error.message.contains(NO_WAY) => Some(
            "check HTTPS_PROXY, and with whoever runs the proxy whether it may reach AWS; NO_PROXY names hosts that need none",
        ),
        _ if error.message.contains(NOT_AWS) => Some(
            "open a page in a browser to see whether this network wants a login; check HTTPS_PROXY, NO_PROXY and the \
             endpoints (AWS_ENDPOINT_URL), then run the command again",
        ),
        _ => None,
    }
}

/// What to do about credentials that are missing, or that AWS does not accept.
pub(crate) fn credentials(error: &ApiError, profile: Option<&str>) -> String {
    let code = error.code.to_ascii_lowercase();
    let said = format!("{code} {}", error.message.to_ascii_lowercase());
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let login = login(profile);
    if says(&["requesttimetooskewed", "requestinthefuture", "requestexpired", "signature expired", "signature not yet"])
    {
        return "AWS's clock and that of this machine differ: set the clock (`timedatectl` shows whether it is kept right), \
                then run the command again"
            .to_owned();
    }
    if says(&["was not defined", "could not find profile", "source_profile"]) {
        return "correct the spelling of the profile; `aws configure list-profiles` lists those there are".to_owned();
    }
    if says(&["sso", "identity center"]) {
        return format!("log in again: {login}");
    }
    if says(&["expiredtoken", "token has expired", "session has expired", "token included in the request is expired"]) {
        return format!("the session is over: get new credentials, by {login} if they are of IAM Identity Center");
    }
    match code.as_str() {
        "nocredentials" if profile.is_some() => format!(
            "put keys, a role or a login into the profile, or name another one: aws_profile, or AWS_PROFILE; for IAM Identity \
             Center, log in: {login}"
        ),
        "nocredentials" => format!(
            "name a profile (aws_profile, or AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for IAM \
             Identity Center, log in: {login}"
        ),
        "signaturedoesnotmatch" | "incompletesignature" | "invalidsignatureexception" => {
            "the secret access key is not that of the access key ID, or the clock of this machine is wrong: compare both"
                .to_owned()
        }
        _ => format!(
            "AWS does not know this key, or not any more: check it with `aws sts get-caller-identity{}`, and the clock of \
             this machine; a temporary key needs its AWS_SESSION_TOKEN",
            profile.and_then(|name| Command::new("").value("--profile", name)).map(|text| text.to_string()).unwrap_or_default()
        ),
    }
}

/// The command that begins a session.
fn login(profile: Option<&str>) -> String {
    let command = Command::new("aws sso login");
    match profile.map(|name| command.clone().value("--profile", name)) {
        None => command.to_string(),
        Some(Some(command)) => command.to_string(),
        Some(None) => "aws sso login, with --profile and its name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_with_credentials_has_its_own_next_step() {
        let cases = [
            (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                "clock",
            ),
            ("RequestExpired", "Request has expired.", "clock"),
            (
                "SignatureDoesNotMatch",
                "Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z",
                "clock",
            ),
            ("InvalidSignatureException", "Signature not yet current", "clock"),
            ("NoCredentials", "profile `prd` was not defined: profile not found", "list-profiles"),
            ("NoCredentials", "an error occurred: the SSO token is expired", "aws sso login --profile stage"),
            ("ExpiredToken", "The security token included in the request is expired", "aws sso login --profile stage"),
            ("InvalidClientTokenId", "The security token included in the request is invalid.", "--profile stage"),
            ("AuthFailure", "AWS was not able to validate the provided access credentials", "clock"),
            ("SignatureDoesNotMatch", "The request signature we calculated does not match", "secret access key"),
            ("NoCredentials", "the credential provider was not enabled", "into the profile"),
        ];
        for (code, message, step) in cases {
            let error = ApiError::answered(code, message, Some(403));
            assert_eq!(error.class, ErrorClass::Credentials, "{code}");
            let hint = hint_for(&error, Some("stage"));
            assert!(hint.contains(step), "{code}: {hint}");
            let without = hint_for(&error, None);
            assert!(!without.contains("--profile"), "{without}");
            // A name that would be another command is not written into one.
            assert!(!hint_for(&error, Some("x; rm -rf ~")).contains(" x; rm"), "{code}");
        }
    }
}
