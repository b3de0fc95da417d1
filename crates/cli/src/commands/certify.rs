//! `aloka certify`: lives through everything a stack can go through in an account that is there for it, and tells what AWS did
//! that the simulator would not have done.
//!
//! Each step is this program, started again: what is certified is what its users run. Whatever becomes of a step, what was
//! made is destroyed at the end.

mod child;
mod report;

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aloka_core::render::Text;
use aloka_core::shell::Command;
use aloka_core::time::Human;
use aloka_core::variables::backend::STATE_FILE;
use aloka_sim::aws::Durations;
use aloka_sim::certify::{Act, DATABASE, Foretold, STEPS, Step, foretell};
use aloka_sim::rng::Rng;

use self::child::{Children, Ended};
use self::report::{Report, Result as StepResult};
use super::flow;
use crate::args::CloudArg;
use crate::args::certify::CertifyArgs;
use crate::backend::atomic;
use crate::cloud::signals::Listener;
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::planfile::PlanFile;

/// What [`Step`]s need besides their own variables: the environment is part of every name.
const ENVIRONMENT: &str = "certify";
/// Where the plan is kept that was saved last. The first one knows whose account it is for.
const PLAN_FILE: &str = "certify.plan";
/// What is said of a saved plan after something else was done.
const STALE: &str = "saved plan is stale";
/// As often a destroy is tried that does not get to its end.
const DESTROYS: usize = 3;

/// Why not every step was taken.
enum Stopped {
    /// A step did not end as it had to.
    Failed(String),
    /// The user wants no more.
    Interrupted,
    /// It has not begun.
    Refused(CommandError),
}

impl From<CommandError> for Stopped {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &CertifyArgs) -> CommandResult {
    let cloud = flow::choose_cloud(cloud)?;
    let base = base(args);
    let foretold = |durations| {
        foretell(&STEPS, &base, durations).map_err(|problem| {
            CommandError::user(format!("these steps cannot be taken on the simulated AWS: {problem}"))
                .hint("choose another -project or -region")
        })
    };
    let (usual, most) = (foretold(Durations::Median)?, foretold(Durations::Longest)?);
    if most.bill.total() > args.max_cost {
        let told = format!(
            "it may cost {}, and -max-cost allows {}; nothing was sent",
            most.bill.describe(&args.region),
            args.max_cost
        );
        return Err(CommandError::user(told).hint("allow more with -max-cost=USD").into());
    }
    let seed = args.seed.map_or_else(new_seed, Ok)?;
    let listener = Listener::new().map_err(|error| CommandError::internal(format!("no signals: {error}")))?;
    let Directory { path: directory, made } = directory(args)?;
    let mut certification = Certification {
        args,
        children: Children::new(io, cloud, directory.clone(), listener)?,
        base,
        seed,
        usual,
        most,
        report: Report::new(args, cloud, seed),
    };
    let stopped = certification.steps().err();
    if let Some(Stopped::Refused(error)) = stopped {
        leave_nothing(&directory, &made);
        return Err(error.into());
    }
    let left = stopped.as_ref().and_then(|_| certification.clear_up());
    let Certification { mut report, children, .. } = certification;
    let Children { io, receipts, .. } = children;
    report.failure = match stopped {
        Some(Stopped::Failed(problem)) => Some(problem),
        Some(Stopped::Interrupted) => Some("stopped; what was made is destroyed all the same".to_owned()),
        Some(Stopped::Refused(_)) | None => None,
    };
    report.left = left;
    let code = report.tell(io, &directory, &receipts);
    let mut errors = Vec::new();
    if let Some(problem) = report.failure {
        errors.push(CommandError::aws(problem).hint(format!("what each step said is in {}", directory.display())));
    }
    if let Some(left) = report.left {
        let error = CommandError::aws("what was made could not be destroyed, and costs money until it is");
        let error = left.iter().fold(error, |error, line| error.line(line.clone()));
        let command = directory.to_str().and_then(|path| destroy_command(path, &database(args)));
        errors.push(match command {
            Some(command) => error.hint(format!("run: {command}")),
            None => error.hint("run aloka destroy there"),
        });
    }
    if errors.is_empty() { Ok(code) } else { Err(Errors(errors)) }
}

/// What is not as it has to be where this was done; `None` if everything is.
fn unexpected(act: Act, ended: &Ended) -> Option<String> {
    if ended.is_killed {
        return None;
    }
    let (code, words, may_send) = match act {
        Act::Plan { changes } => (if changes { 2 } else { 0 }, "", false),
        // Whatever else it may be refused for is a failure.
        Act::Saved { is_stale: true } => (1, STALE, false),
        Act::Apply | Act::Saved { is_stale: false } | Act::Elsewhere | Act::Destroy { .. } => (0, "", true),
    };
    if ended.code != Some(code) {
        Some(format!("where {code} was expected"))
    } else if !ended.last_words.contains(words) {
        Some(format!("where it was to say that the {words}"))
    } else if ended.sent > 0 && !may_send {
        Some(format!("where nothing was to be changed; calls that change something: {}", ended.sent))
    } else {
        None
    }
}

/// `aloka -chdir=DIR destroy -allow-data-loss=ID`
fn destroy_command(directory: &str, database: &str) -> Option<String> {
    let command = Command::new("aloka destroy").file(&format!("-chdir={directory}"))?;
    Some(format!("{command} -allow-data-loss={database}"))
}

/// Variables of every step. Everything is as small as it can be.
fn base(args: &CertifyArgs) -> Vec<(String, String)> {
    let fixed = [
        ("project_name", args.project.as_str()),
        ("environment", ENVIRONMENT),
        ("aws_region", &args.region),
        ("app_instance_type", "t3.micro"),
        ("db_instance_class", "db.t3.micro"),
        ("db_skip_final_snapshot", "true"),
        ("db_delete_automated_backups", "true"),
    ];
    let profile = args.profile.as_deref().map(|profile| ("aws_profile", profile));
    fixed.into_iter().chain(profile).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the database is called.
fn database(args: &CertifyArgs) -> String {
    format!("{}-{ENVIRONMENT}-db", args.project)
}

fn new_seed() -> Result<u64, CommandError> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::internal(format!("no randomness: {error}")))?;
    Ok(u32::from_be_bytes(bytes).into())
}

/// Where everything is kept.
struct Directory {
    /// Absolute.
    path: PathBuf,
    /// What was made for it: the directory and those that it is in, the innermost first.
    made: Vec<PathBuf>,
}

/// A new directory for it alone, or an empty one.
fn directory(args: &CertifyArgs) -> Result<Directory, CommandError> {
    let implied = || Path::new(".aloka/certify").join(&args.project);
    let path = args.directory.clone().unwrap_or_else(implied);
    let failed = |error: std::io::Error| CommandError::file("make the directory", &path, &error);
    let is_missing = |path: &&Path| path.symlink_metadata().is_err() && !path.as_os_str().is_empty();
    let made = path.ancestors().take_while(is_missing).map(Path::to_path_buf).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed)?;
    let path = path.canonicalize().map_err(failed)?;
    let is_empty = path.read_dir().map_err(failed)?.next().is_none();
    if is_empty {
        return Ok(Directory { path, made });
    }
    let error = CommandError::user(format!("{} is not empty, and a certification begins with nothing", path.display()));
    Err(match path.to_str().filter(|_| path.join(STATE_FILE).exists()) {
        Some(name) => match destroy_command(name, &database(args)) {
            Some(command) => error.hint(format!("if an earlier one left something in AWS, run: {command}")),
            None => error,
        }
        .hint("then remove it, or name another with -directory=DIR"),
        None => error.hint("remove it, or name another with -directory=DIR"),
    })
}

/// Nothing was sent: what was read and planned is of use to nobody, and the next certification begins with nothing again.
fn leave_nothing(directory: &Path, made: &[PathBuf]) {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        // What stays is found, and told, by the next one.
        let _removed = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
    }
    for path in made {
        let _removed = std::fs::remove_dir(path);
    }
}

/// One that is under way.
struct Certification<'a> {
    args: &'a CertifyArgs,
    children: Children<'a>,
    base: Vec<(String, String)>,
    seed: u64,
    usual: Foretold,
    most: Foretold,
    report: Report,
}

impl Certification<'_> {
    fn steps(&mut self) -> Result<(), Stopped> {
        for (index, step) in STEPS.iter().enumerate() {
            self.take(index, step)?;
            if index == 0 {
                self.check_account()?;
                self.ask()?;
            }
        }
        Ok(())
    }

    fn take(&mut self, index: usize, step: &Step) -> Result<(), Stopped> {
        self.children.io.err_line(&format!("step {} of {}: {}", index + 1, STEPS.len(), step.name));
        if step.new_password {
            self.children.new_password()?;
        }
        let state = self.children.directory.join(STATE_FILE);
        let kept = match step.act {
            Act::Elsewhere => Some(std::fs::read(&state).map_err(|error| CommandError::file("read", &state, &error))?),
            Act::Plan { .. } | Act::Apply | Act::Saved { .. } | Act::Destroy { .. } => None,
        };
        let kill_at = step.is_killed.then(|| self.drawn(index));
        let ended = self.children.run(step.name, &self.command(step), kill_at)?;
        if let Some(kept) = kept {
            atomic::replace(&state, None, |new| new.write_all(&kept), |_| Ok(()))
                .map_err(|error| CommandError::file("write", &state, &error))?;
        }
        self.report.steps.push(StepResult { name: step.name.to_owned(), time: ended.time, how: ended.told() });
        if self.children.is_stopped() {
            return Err(match index {
                0 => Stopped::Refused(CommandError::user("stopped; nothing was made")),
                _ => Stopped::Interrupted,
            });
        }
        let Some(why) = unexpected(step.act, &ended) else { return Ok(()) };
        let problem = format!("step {}: {}, {why}: {}", step.name, ended.told(), ended.last_words);
        // Nothing is there yet: a refusal is no failure.
        if index == 0 {
            let error = ended.log.iter().fold(CommandError::user(problem), |error, line| error.line(line.clone()));
            return Err(Stopped::Refused(error));
        }
        Err(Stopped::Failed(problem))
    }

    /// After as many calls that change something the process is killed.
    fn drawn(&self, index: usize) -> u64 {
        // What is killed again has less left to do: about that is not known more.
        let before = STEPS.iter().zip(&self.usual.sent).take(index + 1).rev();
        let sent = before.take_while(|(step, _)| step.is_killed).map(|(_, sent)| *sent).max().unwrap_or(0);
        let ordinal = u64::try_from(index).unwrap_or(u64::MAX);
        1 + Rng::stream(self.seed, "certify", ordinal).below(sent.max(1))
    }

    fn command(&self, step: &Step) -> Vec<String> {
        let mut words: Vec<String> = match step.act {
            Act::Plan { changes } => {
                let out = changes.then(|| format!("-out={PLAN_FILE}"));
                ["plan", "-detailed-exitcode"].map(str::to_owned).into_iter().chain(out).collect()
            }
            Act::Apply | Act::Elsewhere => ["apply", "-auto-approve"].map(str::to_owned).to_vec(),
            Act::Saved { .. } => ["apply", PLAN_FILE].map(str::to_owned).to_vec(),
            Act::Destroy { keeps_database: true } => {
                vec!["destroy".to_owned(), "-auto-approve".to_owned(), format!("-exclude={DATABASE}")]
            }
            Act::Destroy { keeps_database: false } => self.destroy(),
        };
        let own = step.variables().map(|(name, value)| format!("-var={name}={value}"));
        words.extend(self.variables().chain(own));
        words
    }

    fn variables(&self) -> impl Iterator<Item = String> {
        self.base.iter().map(|(name, value)| format!("-var={name}={value}"))
    }

    fn destroy(&self) -> Vec<String> {
        vec!["destroy".to_owned(), "-auto-approve".to_owned(), format!("-allow-data-loss={}", database(self.args))]
    }

    /// The account that was planned for is the one that was meant.
    fn check_account(&self) -> Result<(), Stopped> {
        let path = self.children.directory.join(PLAN_FILE);
        let plan = PlanFile::load(&path).map_err(Stopped::Refused)?.plan;
        let (there, meant) = (plan.account.as_deref().unwrap_or("unknown"), &self.args.account);
        if there == meant {
            return Ok(());
        }
        let message =
            format!("the credentials are those of account {there}, and -account names {meant}; nothing was made");
        let error = CommandError::user(message).hint("use the credentials of the sandbox account, or name it");
        Err(Stopped::Refused(error))
    }

    /// Tells what it will take, and asks.
    fn ask(&mut self) -> Result<(), Stopped> {
        let Self { args, children, usual, most, seed, .. } = self;
        let human = |time: Duration| Human(Duration::from_secs(time.as_secs())).to_string();
        let region = &args.region;
        let lines = [
            format!("Certification in account {} in {region}, project {}, seed {seed}", args.account, args.project),
            format!("  takes about {}, and {} if AWS takes as long as was ever known", human(usual.time), human(most.time)),
            format!("  costs about {}, and {} at most", usual.bill.describe(region), most.bill.describe(region)),
            "  It makes a VPC, a NAT gateway, servers and a database, changes and kills its own runs, and destroys all of it."
                .to_owned(),
        ];
        lines.iter().for_each(|line| children.io.err_line(line));
        if args.auto_approve {
            return Ok(());
        }
        children.io.ask(&Text::ours("\nOnly 'yes' will be accepted to go on.\n\n  Enter a value: "));
        match children.answer().as_deref().map(str::trim) {
            Some("yes") => Ok(()),
            Some(_) => Err(Stopped::Refused(CommandError::user("certification cancelled; nothing was made"))),
            None => {
                let error = CommandError::user("error asking for approval: end of input; nothing was made");
                Err(Stopped::Refused(error.hint("add -auto-approve to go on without being asked")))
            }
        }
    }

    /// Destroys what was made. What is left, if it could not be.
    fn clear_up(&mut self) -> Option<Vec<String>> {
        if !self.children.directory.join(STATE_FILE).exists() {
            return None;
        }
        let words: Vec<String> = self.destroy().into_iter().chain(self.variables()).collect();
        let mut last_words = String::new();
        self.children.forget_signals();
        for _ in 0..DESTROYS {
            self.children.io.err_line("destroying what was made");
            match self.children.run("clear-up", &words, None) {
                Ok(ended) => {
                    let Ended { time, code, .. } = ended;
                    self.report.steps.push(StepResult { name: "clear-up".to_owned(), time, how: ended.told() });
                    if code == Some(0) {
                        return None;
                    }
                    last_words = ended.last_words;
                }
                Err(error) => last_words = error.to_string(),
            }
            if self.children.is_stopped() {
                break;
            }
        }
        let listed = self.children.output(&[OsStr::new("state"), OsStr::new("list")]);
        Some(std::iter::once(last_words).chain(listed).collect())
    }
}
