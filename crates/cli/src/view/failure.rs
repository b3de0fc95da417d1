//! How a run ended, as errors with the next step in each.

use aloka_core::api::{ApiError, ErrorClass, Operation};
use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::observe::DB_STUCK;
use aloka_core::session::Problem;
use aloka_core::session::sweep::{Leftover, Swept};
use aloka_core::shell::{Command, flag_at};

use crate::error::CommandError;

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
fn advised(error: CommandError, answer: &ApiError) -> CommandError {
    let protection = PROTECTIONS
        .into_iter()
        .find(|(attribute, ..)| answer.code == "OperationNotPermitted" && answer.message.contains(attribute));
    let Some((_, protection, command)) = protection else { return error.hint(hint_for(answer)) };
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

/// What to do about an answer of AWS.
fn hint_for(error: &ApiError) -> &'static str {
    let told = |(code, words, _): &(&str, &str, &str)| *code == error.code && error.message.contains(words);
    if let Some((.., hint)) = BY_WORDS.into_iter().find(told) {
        return hint;
    }
    match error.class {
        ErrorClass::Throttled => "AWS limits the rate of calls: run the command again in a minute",
        ErrorClass::Unknown => {
            "AWS did not answer: check the network and https://health.aws.amazon.com, then run the command again"
        }
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
        ErrorClass::Credentials => {
            "check the credentials with `aws sts get-caller-identity`; set AWS_PROFILE or log in again"
        }
        ErrorClass::NotImplemented => "this endpoint does not know the operation; emulators know only a part of AWS",
        ErrorClass::Refused => "correct what the message names, then run `aloka plan`",
    }
}

fn from_failure(failure: &Failure) -> CommandError {
    let Failure { node: _, target, cause } = failure;
    let error = CommandError::aws(cause.to_string()).about(target);
    match cause {
        Cause::Call { operation: _, error: answer } | Cause::Refused { operation: _, error: answer, told: _ } => {
            advised(error, answer)
        }
        Cause::WaitFailed { detail, .. } if DB_STUCK.contains(&detail.as_str()) => {
            error.hint("it was made and is recorded; see to it in the AWS console, then run `aloka plan`")
        }
        Cause::Short { .. } => error.hint("it works and is recorded as it is: the next `aloka apply` asks for the rest again"),
        Cause::WaitFailed { .. } => error.hint("the next `aloka apply` replaces the object"),
        Cause::WaitTimedOut { operation, .. } if *operation == Operation::DescribeNetworkInterfaces.to_string() => {
            error.hint("AWS still holds network interfaces in it: run the command again in some minutes")
        }
        Cause::Held { .. } => error
            .hint("if nobody needs what is named, remove it and run the command again")
            .hint(format!("if it is to stay, keep {}: in the variables, or with `aloka destroy {}`", target.address, flag_at("-exclude", &target.address))),
        Cause::WaitTimedOut { .. } => error.hint("it may still come about: the next `aloka apply` waits for it again"),
        Cause::SlowStore { .. } => error.hint("run the command again when the store of the state answers faster"),
        Cause::Foreign { .. } => error
            .hint("if it is this stack's, record it: aloka import ADDRESS ID; if the state records it elsewhere: aloka state mv")
            .hint("if it is somebody else's, choose another `project_name` or `environment`"),
        Cause::Bug { detail: _ } => {
            error.hint("this is a bug of aloka: please report it with the output of this command")
        }
    }
}

/// The errors of a run that changes something; empty if it is done. `store` says where the state lives.
pub fn of_outcome(outcome: &Outcome, store: &str) -> Vec<CommandError> {
    match outcome {
        Outcome::Done => Vec::new(),
        Outcome::Failed { failures, skipped: _ } => failures.iter().map(from_failure).collect(),
        Outcome::Stopped { unfinished } => {
            let left = unfinished.len();
            let message = format!("stopped with {left} action{} to go", if left == 1 { "" } else { "s" });
            vec![CommandError::user(message).hint("run the command again to go on from here")]
        }
        Outcome::StoreFailed { message } => {
            let error = CommandError::conflict(format!("the {store} could not be written: {message}"));
            vec![
                error.hint(
                    "nothing more was sent; mend this and run the command again, here or elsewhere: it finds what was made by its tags",
                ),
            ]
        }
    }
}

/// What a sweep found, and what it could not read.
pub fn of_sweep(swept: &Swept) -> Vec<CommandError> {
    let left = swept.left.iter().map(|Leftover { kind, id, address, remove }| {
        let address = address.as_deref().unwrap_or("of no address");
        let message =
            format!("{kind} {id}, tagged {address}, carries this state's tags and is not in it; it was left alone");
        let with =
            remove.as_ref().map_or_else(|| "in the AWS console".to_owned(), |command| format!("with `{command}`"));
        CommandError::conflict(message)
            .hint(format!("if nobody needs it, remove it {with}, then run `aloka destroy` again"))
    });
    left.chain(swept.unread.iter().map(of_problem)).collect()
}

/// Why there is no plan.
pub fn of_problem(problem: &Problem) -> CommandError {
    match problem {
        Problem::Read { call: _, error } => advised(CommandError::aws(problem.to_string()), error),
        Problem::Impossible { summary, hint } => {
            let error = CommandError::config(summary.clone());
            if hint.is_empty() { error } else { error.hint(hint.clone()) }
        }
        Problem::Elsewhere { summary, commands } => {
            let error = CommandError::config(summary.clone());
            let home = "bring it to the addresses of the stack, which changes nothing in AWS";
            match commands {
                Some(commands) => error.hint_commands(format!("{home}:"), commands),
                None => {
                    error.hint(format!("{home}, with `aloka state mv`: `aloka state list` shows where each object is"))
                }
            }
            .hint("or build a new one beside it: aloka plan -beside")
        }
    }
}
