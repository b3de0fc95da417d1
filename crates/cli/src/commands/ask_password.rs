//! The password, asked for at a terminal where nothing sets it.

use aloka_core::kind::Kind;
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::variables::Needs;

use super::{flow, store};
use crate::args::CloudArg;
use crate::config::{Config, Sources};
use crate::error::{CommandError, Errors};
use crate::io::{Io, Typed};
use crate::request::PlanRequest;
use crate::view::human;

/// So often a password that RDS does not take may be typed.
const TRIES: u32 = 3;

/// Variables and secrets, and whether the password was typed just now.
pub struct Loaded {
    /// The variables.
    pub config: Config,
    /// The secrets.
    pub secrets: Secrets,
    /// True if nothing but the user's fingers gave the password.
    pub is_typed: bool,
}

/// Reads the variables; a password that is needed and missing is asked for, if there is somebody to ask.
///
/// # Errors
/// Every problem found, together.
pub fn load(io: &mut Io, request: &PlanRequest, cloud: Option<CloudArg>, needs: Needs) -> Result<Loaded, Errors> {
    let sources = Sources::of(&request.variables);
    if needs.password && sources.lack_password() {
        if rds_manages_it(cloud) {
            return Err(managed().into());
        }
        if request.input && !request.json && io.can_hide() {
            return ask(io, &sources, needs);
        }
    }
    let (config, secrets) = sources.load(needs, None)?;
    Ok(Loaded { config, secrets, is_typed: false })
}

/// True if the state says that RDS makes the password: then what is missing is the variable that says so. A state that
/// cannot be read says nothing here; whoever needs it tells why.
fn rds_manages_it(cloud: Option<CloudArg>) -> bool {
    let Ok(cloud) = flow::choose_cloud(cloud) else { return false };
    let state = store::open_quietly(Some(cloud), &[]).ok().and_then(|(backend, _)| store::read(&*backend).ok()?);
    let resources = state.into_iter().flat_map(|state| state.resources);
    let mut databases = resources.filter(|(address, _)| address.kind == Kind::DbInstance);
    databases.any(|(_, database)| {
        database.attributes.get("manage_master_user_password").is_some_and(|v| v.as_bool() == Some(true))
    })
}

fn managed() -> CommandError {
    CommandError::config("db_password is not set, and RDS manages the password of the recorded database")
        .hint("to leave it so, write this line into terraform.tfvars: db_manage_master_user_password = true")
        .hint("to have a password of your own again, set TF_VAR_db_password")
}

fn ask(io: &mut Io, sources: &Sources, needs: Needs) -> Result<Loaded, Errors> {
    io.err_line("db_password, the password of the database, is not set. It is kept in no file.");
    io.err_line("(TF_VAR_db_password, or db_manage_master_user_password = true, saves typing it.)");
    let mut tries = 1;
    loop {
        let typed = typed(io, "Password, not shown as you type: ")?;
        match sources.load(needs, Some(&typed)) {
            Ok((config, secrets)) => return Ok(Loaded { config, secrets, is_typed: true }),
            Err(errors) if tries == TRIES => return Err(errors),
            Err(Errors(errors)) => {
                for error in errors {
                    // Where it is from is known: it was typed.
                    let plain = CommandError { lines: Vec::new(), ..error };
                    human::error(
                        io,
                        &plain.hint("RDS takes 8 to 128 printable ASCII characters other than / \" @ and space"),
                    );
                }
                tries += 1;
            }
        }
    }
}

/// Asks for it once more before it becomes that of a database, as nobody saw what was typed.
///
/// # Errors
/// When it is another.
pub fn confirm(io: &mut Io, secrets: &Secrets) -> Result<(), CommandError> {
    let again = typed(io, "The database gets this password. Type it once more: ")?;
    if secrets.get(DB_PASSWORD).is_some_and(|secret| secret.expose() == again.expose()) {
        return Ok(());
    }
    Err(CommandError::user("what was typed the second time is not the same; nothing was changed")
        .hint("run the command again"))
}

fn typed(io: &mut Io, question: &str) -> Result<Secret, CommandError> {
    match io.read_hidden(question) {
        Ok(Typed::Line(line)) => Ok(Secret::new(line)),
        Ok(Typed::Stopped) => Err(CommandError::user("stopped; nothing was changed")),
        Ok(Typed::End) => Err(CommandError::user("no password was typed; nothing was changed")
            .hint("set TF_VAR_db_password, or run the command again")),
        Err(error) => Err(CommandError::user(format!("the password cannot be read from the terminal: {error}"))
            .hint("set TF_VAR_db_password")),
    }
}
