//! `aloka init`: checks the directory and says what is where; makes a backend, and moves a state from one to another.
//! Nothing else needs it, as there is nothing to download.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aloka_core::state::State;
use aloka_core::variables;
use aloka_core::variables::backend::{self, Backend as Configured, Given, Local, Need};
use aloka_core::variables::configuration as declared;

use super::clear_text::{self, Place};
use super::password;
use super::store::{self, Record, Settled, workspaces};
use crate::args::{CloudArg, InitArgs};
use crate::backend::{Backend, Head};
use crate::configuration;
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::view::reporter::Format;

/// What the locks of a move are held for, in Terraform's word.
const OPERATION: &str = "init";
const TFVARS: &str = "terraform.tfvars";

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &InitArgs) -> CommandResult {
    if args.example {
        write_example(io)?;
    }
    let given = configuration::given(&args.backend_config)?;
    if args.backend == Some(false) {
        io.out_line("State: not looked at, as -backend=false says.");
    } else {
        settle(io, cloud, args, &given)?;
        let (backend, lines) = store::open_quietly(cloud, &given)?;
        lines.iter().for_each(|line| io.err_line(line));
        let state = store::read(&*backend)?;
        io.out_line(&match state {
            Some(state) => {
                let objects = state.objects().count();
                format!("State: {}, serial {}, {objects} objects recorded.", backend.describe(), state.serial)
            }
            None => format!("State: {}; it is made by the first apply.", backend.describe()),
        });
    }
    let entries = std::fs::read_dir(".").map_err(|error| CommandError::file("list", Path::new("."), &error))?;
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let found = variables::auto_loaded(&names);
    io.out_line(&if found.is_empty() {
        "Variables: no terraform.tfvars here, so every variable has its default; aloka init -example writes one."
            .to_owned()
    } else {
        format!("Variables: {}.", found.join(", "))
    });
    declared::beside(&configuration::files()?).iter().for_each(|line| io.out_line(line));
    io.out_line("");
    io.out_line("aloka is ready: nothing has to be downloaded. Next: aloka simulate, or aloka plan.");
    Ok(0)
}

/// Brings configuration, record and state together.
fn settle(io: &mut Io, cloud: Option<CloudArg>, args: &InitArgs, given: &[Given]) -> Result<(), Errors> {
    let record = if args.reconfigure { None } else { Record::load()? };
    let told_anew = !args.backend_config.is_empty();
    let is_simulated = cloud == Some(CloudArg::Sim);
    let need = if is_simulated { Need::Kind } else { Need::Whole };
    let Settled { backend: configured, given: settled } = match told_anew || args.reconfigure {
        true => Settled { backend: store::configured(given, need)?, given: given.to_vec() },
        // What it tells is told below, once all is settled.
        false => store::configured_as(record.as_ref(), need, &mut Vec::new())?,
    };
    let is_local = matches!(configured, Configured::Local(_));
    if is_simulated && !is_local {
        if args.create_backend || args.migrate_state {
            return Err(CommandError::user("the simulated cloud has no backend to create or to move a state to").into());
        }
        // Nothing is sent to AWS, so nothing can be decided about what is there.
        if told_anew {
            io.err_line("nothing of -backend-config is recorded: the simulated cloud has a state of its own");
        }
        return Ok(());
    }
    // Told below, once all is settled.
    let _told_later = store::destinations(&configured, given)?;
    if args.create_backend {
        create(io, &configured)?;
    }
    if args.migrate_state {
        let local = Configured::Local(Local::default());
        let from = record.as_ref().map_or(&local, |record| &record.backend);
        if *from == configured {
            io.out_line(&format!("Nothing to move: the state is in {} already.", store::told(&configured)));
        } else {
            migrate(io, from, (&configured, &backend::settings(given)), args.lock_timeout.unwrap_or_default())?;
        }
    } else if !told_anew && record.as_ref().is_some_and(|record| record.backend != configured) {
        // Every other command says so, too; here are the ways out.
        return store::open_quietly(cloud, given).map(drop);
    } else if record.is_none() && !args.reconfigure {
        store::check_left_behind(&configured)?;
    }
    let is_usual = configured == Configured::Local(Local::default());
    let is_told = told_anew || (args.reconfigure && !is_usual) || !settled.is_empty();
    if !is_local || is_told || record.is_some() || Record::load()?.is_some() {
        let of_terraform = !told_anew && record.as_ref().map_or(!settled.is_empty(), |record| record.of_terraform);
        let new = Record::new(&settled, of_terraform, configured);
        let moved = record.filter(|record| record.backend != new.backend && !args.migrate_state);
        if let Some(moved) = moved {
            let (was, is) = (store::told(&moved.backend), store::told(&new.backend));
            return Err(CommandError::conflict(format!("the state was in {was}, these settings say {is}"))
                .hint("add -migrate-state to move it, or -reconfigure to take what is there already")
                .into());
        }
        new.save()?;
    }
    Ok(())
}

#[cfg(feature = "aws")]
fn create(io: &mut Io, configured: &Configured) -> Result<(), Errors> {
    let Configured::S3(settings) = configured else { return Err(nothing_to_create().into()) };
    let _still = crate::io::Still::begin("making the bucket and the table of the state".to_owned());
    crate::backend::s3::create::create(settings, &mut |line| io.out_line(line))
        .map_err(|error| store::error(&error).into())
}

#[cfg(not(feature = "aws"))]
fn create(_io: &mut Io, configured: &Configured) -> Result<(), Errors> {
    match configured {
        Configured::Local(_) => Err(nothing_to_create().into()),
        // Says why not.
        Configured::S3(_) => store::at(configured).map(drop),
    }
}

fn nothing_to_create() -> CommandError {
    CommandError::user("there is no backend to create: the state is a local file")
        .hint("write terraform { backend \"s3\" { … } } into a file such as provider.tf")
}

/// Moves the state of every workspace, where the two places are not the same.
fn migrate(
    io: &mut Io,
    from: &Configured,
    (to, given): (&Configured, &[String]),
    timeout: Duration,
) -> Result<(), Errors> {
    store::destinations(from, &[])?.iter().for_each(|line| io.err_line(line));
    let names = workspaces::list(from)?;
    let stays = |workspace: &str| match (from, to) {
        (Configured::Local(from), Configured::Local(to)) => from.state_path(workspace) == to.state_path(workspace),
        (Configured::Local(_) | Configured::S3(_), Configured::Local(_) | Configured::S3(_)) => false,
    };
    let mut moved = names.iter().filter(|workspace| !stays(workspace));
    moved.try_for_each(|workspace| {
        let own_word = store::is_own_word(given, workspace);
        let places = Places {
            old: store::in_workspace(from, workspace, workspaces::is_own_word(from, workspace)?)?,
            new: store::in_workspace(to, workspace, own_word)?,
            again: store::in_workspace(to, workspace, own_word)?,
        };
        move_one(io, (from, to), workspace, places, timeout)
    })
}

/// Where the state of a workspace is, where it goes, and that place once more, to read it back.
struct Places {
    old: Box<dyn Backend>,
    new: Box<dyn Backend>,
    again: Box<dyn Backend>,
}

/// Copies the state of a workspace, reads it back, and puts the old copy aside.
fn move_one(
    io: &mut Io,
    (from, to): (&Configured, &Configured),
    workspace: &str,
    Places { mut old, mut new, again }: Places,
    timeout: Duration,
) -> Result<(), Errors> {
    store::lock(io, &mut *old, OPERATION, timeout)?;
    store::lock(io, &mut *new, OPERATION, timeout)?;
    let (was, is) = (store::told_of(from, workspace), store::told_of(to, workspace));
    let Some(state) = store::read(&*old)? else {
        io.out_line(&format!("Nothing to move: there is no state in {was}."));
        return Ok(());
    };
    let mut left = Vec::new();
    let clear_object = |configured: &Configured, state: &State, moved: bool| {
        let place = store::place_of(configured.clone(), workspace, moved);
        Some(place).filter(|place| state.has_clear_password() && matches!(place, Place::Object { .. }))
    };
    let there = store::read(&*new)?;
    left.extend(clear_object(from, &state, true));
    left.extend(there.as_ref().and_then(|there| clear_object(to, there, false)));
    let state = password::without_clear(state, there.as_ref())?;
    match there {
        Some(there) if there == state => io.out_line(&format!("The state is in {is} already.")),
        there => {
            let head = there.as_ref().map(Head::of);
            let older = |head: &Head| *head.lineage == *state.lineage && head.serial < state.serial;
            if let Some(head) = head.as_ref().filter(|head| !older(head)) {
                let message = format!("{is} holds {head}, and {was} holds {}", Head::of(&state));
                return Err(CommandError::conflict(message)
                    .hint("what is there is not an older state of the same stack, so it is not replaced")
                    .hint("aloka init -reconfigure    takes what is there already")
                    .into());
            }
            new.replace(&state, head.as_ref()).map_err(|error| store::error(&error))?;
        }
    }
    if store::read(&*again)?.as_ref() != Some(&state) {
        return Err(CommandError::internal(format!("{is} does not give back what was written")).into());
    }
    store::unlock(&mut *old);
    store::unlock(&mut *new);
    let serial = state.serial;
    io.out_line(&format!("Moved the state, serial {serial}, from {was} to {is}, and read it back."));
    io.out_line(&match from {
        Configured::Local(local) => {
            let path = PathBuf::from(local.state_path(workspace));
            let aside = free_name(&path, serial);
            std::fs::rename(&path, &aside).map_err(|error| CommandError::file("rename", &path, &error))?;
            let told = format!("The old copy is {}.", aside.display());
            left.push(Place::File(aside));
            told
        }
        Configured::S3(_) => format!("The old copy stays in {was}; nothing may use it any more."),
    });
    clear_text::tell(io, Format::Human, &store::place_of(from.clone(), workspace, true), left);
    Ok(())
}

/// A name beside `path` that nothing has.
fn free_name(path: &Path, serial: u64) -> PathBuf {
    let mut suffix = format!(".moved-{serial}");
    let mut tried: u32 = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(&suffix);
        if std::fs::symlink_metadata(&name).is_err() {
            return name.into();
        }
        tried = tried.saturating_add(1);
        suffix = format!(".moved-{serial}-{tried}");
    }
}

fn write_example(io: &mut Io) -> Result<(), CommandError> {
    let path = Path::new(TFVARS);
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(example().as_bytes()).map_err(|error| CommandError::file("write", path, &error))?;
            io.out_line(&format!("Wrote {TFVARS}."));
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            io.out_line(&format!("{TFVARS} is there already and stays as it is."));
            Ok(())
        }
        Err(error) => Err(CommandError::file("write", path, &error)),
    }
}

/// Every variable with its default, as a comment.
fn example() -> String {
    let mut text = String::from("# Every variable with its default. Take away a `#` to set one.\n");
    for definition in variables::definitions() {
        text.push_str(&format!("\n# {}\n", definition.description));
        match definition.default {
            Some(default) => text.push_str(&format!("# {} = {default}\n", definition.name)),
            None => text.push_str(&format!("# (no default: set TF_VAR_{})\n", definition.name)),
        }
    }
    text
}
