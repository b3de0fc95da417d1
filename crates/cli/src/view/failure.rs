//! How a run ended, as errors with the next step in each.

use aloka_core::api::{ApiError, ErrorClass, Operation};
use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::observe::DB_STUCK;
use aloka_core::session::Problem;
use aloka_core::session::sweep::{Leftover, Swept};
use aloka_core::shell::flag_at;

use crate::error::CommandError;

/// What to do about an answer of AWS.
pub fn hint_for(error: &ApiError) -> &'static str {
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
            error.hint(hint_for(answer))
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
        Problem::Read { call: _, error } => CommandError::aws(problem.to_string()).hint(hint_for(error)),
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
