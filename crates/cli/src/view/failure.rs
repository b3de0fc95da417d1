//! How a run ended, as errors with the next step in each.

use aloka_core::api::{ApiError, Ec2, ErrorClass, Operation};
use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::plan::Problem;
use aloka_core::resource::DB_STUCK;
use aloka_core::session::sweep::{Leftover, Swept};
use aloka_core::shell::flag_at;

use crate::advice::{self, advised};
use crate::error::CommandError;

fn from_failure(failure: &Failure, profile: Option<&str>) -> CommandError {
    let Failure { node: _, target, cause } = failure;
    let error = CommandError::aws(cause.to_string()).about(target);
    match cause {
        Cause::Call { operation: _, error: answer } | Cause::Refused { operation: _, error: answer, told: _ } => {
            advised(error, answer, profile)
        }
        Cause::WaitFailed { detail, .. } if DB_STUCK.contains(&detail.as_str()) => {
            error.hint("it was made and is recorded; see to it in the AWS console, then run `aloka plan`")
        }
        Cause::Short { .. } => error.hint("it works and is recorded as it is: the next `aloka apply` asks for the rest again"),
        Cause::WaitFailed { .. } => error.hint("the next `aloka apply` replaces the object"),
        Cause::WaitTimedOut { operation, .. } if *operation == Operation::Ec2(Ec2::DescribeNetworkInterfaces).to_string() => {
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

/// The errors of a run that changes something; empty if it is done. `store` says where the state lives, `profile` is that of
/// the credentials, if one is used.
pub fn of_outcome(outcome: &Outcome, store: &str, profile: Option<&str>) -> Vec<CommandError> {
    match outcome {
        Outcome::Done => Vec::new(),
        Outcome::Failed { failures, skipped: _ } => {
            // Where AWS is away, each call was on its way to something else.
            let group = |failure: &Failure| match &failure.cause {
                Cause::Call { operation: _, error } if error.class == ErrorClass::Credentials => Some(error.class),
                Cause::Call { .. }
                | Cause::Refused { .. }
                | Cause::WaitFailed { .. }
                | Cause::WaitTimedOut { .. }
                | Cause::Short { .. }
                | Cause::Held { .. }
                | Cause::Foreign { .. }
                | Cause::SlowStore { .. }
                | Cause::Bug { .. } => None,
            };
            once(failures, group, |failure| from_failure(failure, profile))
        }
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

/// The class of an error that every call of the moment meets, whatever it asks for: there are no credentials, or nobody is
/// there to answer.
fn of_all(error: &ApiError) -> Option<ErrorClass> {
    let is_of_all = match error.class {
        ErrorClass::Credentials | ErrorClass::Unknown => true,
        ErrorClass::Refused => advice::network(error).is_some(),
        ErrorClass::Throttled
        | ErrorClass::NotFound
        | ErrorClass::AlreadyExists
        | ErrorClass::Conflict
        | ErrorClass::Capacity
        | ErrorClass::Quota
        | ErrorClass::Unauthorized
        | ErrorClass::NotImplemented => false,
    };
    is_of_all.then_some(error.class)
}

/// The errors of these. Those of a group are told by its first, which says how many more there are.
fn once<T>(
    all: &[T],
    group: impl Fn(&T) -> Option<ErrorClass>,
    told: impl Fn(&T) -> CommandError,
) -> Vec<CommandError> {
    let mut groups = Vec::new();
    let mut errors = Vec::new();
    for item in all {
        let Some(class) = group(item) else {
            errors.push(told(item));
            continue;
        };
        if groups.contains(&class) {
            continue;
        }
        groups.push(class);
        let error = told(item);
        errors.push(match all.iter().filter(|other| group(other) == Some(class)).count() {
            0 | 1 => error,
            2 => error.line("  one more call met the same"),
            count => error.line(format!("  {} more calls met the same", count - 1)),
        });
    }
    errors
}

/// What a sweep found, and what it could not read.
pub fn of_sweep(swept: &Swept, profile: Option<&str>) -> Vec<CommandError> {
    let left = swept.left.iter().map(|Leftover { kind, id, address, remove }| {
        let address = address.as_deref().unwrap_or("of no address");
        let message =
            format!("{kind} {id}, tagged {address}, carries this state's tags and is not in it; it was left alone");
        let with =
            remove.as_ref().map_or_else(|| "in the AWS console".to_owned(), |command| format!("with `{command}`"));
        CommandError::conflict(message)
            .hint(format!("if nobody needs it, remove it {with}, then run `aloka destroy` again"))
    });
    left.chain(of_problems(&swept.unread, profile)).collect()
}

/// Why there is no plan, each cause once.
pub fn of_problems(problems: &[Problem], profile: Option<&str>) -> Vec<CommandError> {
    let group = |problem: &Problem| match problem {
        Problem::Read { call: _, error } => of_all(error),
        Problem::Impossible { .. } | Problem::Elsewhere { .. } => None,
    };
    once(problems, group, |problem| of_problem(problem, profile))
}

/// Why there is no plan.
pub fn of_problem(problem: &Problem, profile: Option<&str>) -> CommandError {
    match problem {
        Problem::Read { call: _, error } => advised(CommandError::aws(problem.to_string()), error, profile),
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
