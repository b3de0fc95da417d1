//! From variables and state to a plan, and through it: the rounds of a session in their order.
//!
//! What is decided is decided in core; here is only who is asked next.

use std::cell::Cell;
use std::time::SystemTime;

use aloka_core::engine::{Executor, Outcome};
use aloka_core::plan::{Mode, Node, Plan};
use aloka_core::plan::{Password, Planned};
use aloka_core::secret::Secrets;
use aloka_core::session::claim::{Claimed, Search};
use aloka_core::session::sweep::Swept;
use aloka_core::session::{Inputs, Next, Session, unread};
use aloka_core::state::State;
use aloka_core::variables::{Needs, Variables};

use super::ask_password::Loaded;
use super::clear_text::{self, Place};
use super::{ask_password, password, store};
use crate::args::CloudArg;
use crate::backend::Backend;
use crate::cloud::{Cloud, CloudError, CloudKind, CloudSettings};
use crate::endpoint;
use crate::error::{CommandError, Errors};
use crate::io::Io;
use crate::measured::Measurements;
use crate::receipt::{Order, Receipt, Recording};
use crate::request::PlanRequest;
use crate::rfc3339;
use crate::view::reporter::{Counts, Format, Reporter, warn};
use crate::view::{failure, human, json};
use crate::workspace;

/// A state store and a cloud, for one command. The lock, if taken, is given back when it is dropped.
pub struct Run<'a> {
    /// The streams.
    pub io: &'a mut Io,
    /// How to tell.
    pub format: Format,
    cloud: Cloud,
    backend: Box<dyn Backend>,
    /// The workspace whose state it is.
    workspace: String,
    /// What the backend keeps the state in.
    place: Place,
    /// True if the state that was read holds a password in clear.
    was_clear: Cell<bool>,
    secrets: Secrets,
    receipt: Option<Receipt>,
}

/// How an executed plan ended.
pub struct Executed {
    /// What was done, as Terraform counts.
    pub counts: Counts,
    /// The state as it is now.
    pub state: State,
    /// What the sweep at the end of a destroy saw, if it came to it.
    pub swept: Option<Swept>,
    /// What went wrong.
    pub errors: Vec<CommandError>,
    /// True if the store holds all of it.
    pub is_saved: bool,
}

impl<'a> Run<'a> {
    /// Takes the lock and connects to the cloud in the Region that `variables` name.
    pub fn open(
        io: &'a mut Io,
        request: &PlanRequest,
        cloud: CloudArg,
        variables: &Variables,
        secrets: Secrets,
        operation: &str,
    ) -> Result<Self, Errors> {
        let format = if request.json { Format::Json } else { Format::Human };
        let (mut backend, mut lines) = store::open_quietly(Some(cloud), &[])?;
        let mut is_elsewhere = false;
        if cloud == CloudArg::Aws {
            let elsewhere = endpoint::of_environment("requests to AWS", &["ec2", "rds", "ssm", "sts"])?;
            is_elsewhere = !elsewhere.is_empty();
            lines.extend(elsewhere);
        }
        let order = Order::new(request.receipt.clone(), request.mode, operation != "OperationTypePlan");
        let kind = if cloud == CloudArg::Aws { CloudKind::Aws } else { CloudKind::Sim };
        let receipt = Receipt::begin(&order, (kind, &variables.aws_region), is_elsewhere, store::kept)?;
        lines.extend(store::aside(cloud)?);
        for line in lines {
            match format {
                Format::Human => io.err_line(&line),
                Format::Json => warn(io, format, &line),
            }
        }
        if let Some(timeout) = request.lock {
            store::lock(io, &mut *backend, operation, timeout)?;
        }
        let place = store::place(Some(cloud))?;
        let workspace = workspace::current()?;
        let cloud = connect(cloud, variables)?;
        Ok(Self { io, format, cloud, backend, workspace, place, was_clear: Cell::new(false), secrets, receipt })
    }

    /// Opens a run of what this directory declares, and plans as the request says, for one that `writes` the state or not.
    pub fn planned(
        io: &'a mut Io,
        request: &PlanRequest,
        cloud: CloudArg,
        (operation, writes): (&str, bool),
    ) -> Result<(Self, Inputs, Planned), Errors> {
        let Loaded { config, secrets, is_typed } = configure(io, request, Some(cloud))?;
        let mut run = Self::open(io, request, cloud, &config.variables, secrets, operation)?;
        let state = run.state()?.unwrap_or_else(|| State::new(new_lineage()));
        let password = password::known(run.secrets(), &state, request.mode, writes)?;
        if is_typed && writes && matches!(password, Password::New(_)) {
            ask_password::confirm(run.io, &run.secrets)?;
        }
        let inputs = Inputs {
            variables: config.variables,
            user_data: config.user_data,
            mode: request.mode,
            upgrade: request.upgrade,
            password,
            consent: request.consent.clone(),
            origins: config.origins,
            recording: false,
        };
        let planned = run.plan(state, &inputs)?;
        Ok((run, inputs, planned))
    }

    /// The secrets of this command.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The workspace whose state it is.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// Where the state lives, for people.
    pub fn store(&self) -> String {
        self.backend.describe()
    }

    /// The profile whose credentials are used, if one is named.
    fn profile(&self) -> Option<String> {
        self.cloud.whose().profile
    }

    /// The recorded state; `None` if nothing was ever recorded.
    pub fn state(&self) -> Result<Option<State>, CommandError> {
        let state = store::read(&*self.backend)?;
        let prepared = |mut state: State| {
            if state.lineage.is_empty() {
                state.lineage = new_lineage().into();
            }
            self.was_clear.set(password::hash_clear(&mut state)?);
            Ok(state)
        };
        state.map(prepared).transpose()
    }

    /// Recovers what an interrupted run made, reads what is there, and plans.
    pub fn plan(&mut self, state: State, inputs: &Inputs) -> Result<Planned, Errors> {
        self.drive(&mut Session::new(state, inputs.clone()))
    }

    /// Finds a stack whose state is not there, and plans from what was found.
    pub fn find(&mut self, state: &State, inputs: &Inputs, search: &Search) -> Result<(Claimed, Planned), Errors> {
        let mut session = Session::find(state.clone(), inputs.clone(), search.clone(), seconds_now());
        let planned = self.drive(&mut session)?;
        let claimed = session.take_claimed().ok_or_else(|| CommandError::internal("a plan of nothing found"))?;
        Ok((claimed, planned))
    }

    /// Sends what the session asks for, and waits where it says so, until it has a plan.
    fn drive(&mut self, session: &mut Session) -> Result<Planned, Errors> {
        let mut told = false;
        loop {
            match session.step() {
                Next::Read(nodes) => {
                    // Before reading: an answer may be from the beginning of a round of reads that took its time.
                    let age = self.backend.age().filter(|_| self.cloud.shows_late());
                    let replies = self.read(nodes, session.state())?.into_replies();
                    session.answered(replies, age);
                    session.take_lines().iter().for_each(|line| self.tell(line));
                }
                Next::Wait(pause) => {
                    if !told && self.format == Format::Human {
                        let line =
                            "some objects are not as recorded a moment ago: looking again, as AWS shows changes late";
                        self.io.err_line(line);
                        told = true;
                    }
                    self.cloud.unless_stopped(move || std::thread::sleep(pause)).ok_or_else(stopped)?;
                }
                Next::Done(planned) => {
                    if session.is_resumed() {
                        let found = planned.state.objects().count();
                        let objects = if found == 1 { "object" } else { "objects" };
                        self.tell(&format!(
                            "an earlier run did not finish: found {found} {objects} of it, and goes on from there"
                        ));
                    }
                    return Ok(*planned);
                }
                Next::Refused(problems) => {
                    return Err(Errors(failure::of_problems(&problems, self.profile().as_deref())));
                }
            }
        }
    }

    fn tell(&mut self, line: &str) {
        match self.format {
            Format::Human => self.io.err_line(line),
            Format::Json => warn(self.io, self.format, line),
        }
    }

    fn read(&mut self, nodes: Vec<Node>, state: &State) -> Result<Executor, Errors> {
        let mut executor = Executor::new(nodes, state.clone(), self.cloud.now());
        let mut reporter = Reporter::new(self.io, self.format, state);
        if let Some(receipt) = &mut self.receipt {
            receipt.graph(state, self.cloud.now());
            executor.tell_answers();
        }
        let mut recording = Recording { observer: &mut reporter, receipt: self.receipt.as_mut() };
        let outcome =
            self.cloud.run(&mut executor, None, &self.secrets, &mut recording).map_err(|error| cloud_error(&error))?;
        reporter.end();
        if let Some(receipt) = &mut self.receipt {
            receipt.outcome(&outcome);
        }
        match outcome {
            // Every read was answered, and the user wants no more than that.
            Outcome::Done | Outcome::Failed { .. } if self.cloud.is_stopping() => Err(stopped().into()),
            Outcome::Done | Outcome::Failed { .. } => {
                let problems = unread(&executor, &outcome);
                let errors = failure::of_problems(&problems, self.profile().as_deref());
                if errors.is_empty() { Ok(executor) } else { Err(Errors(errors)) }
            }
            Outcome::Stopped { unfinished: _ } => Err(stopped().into()),
            Outcome::StoreFailed { message } => Err(CommandError::internal(format!("a read wrote: {message}")).into()),
        }
    }

    /// What the user answers to the one question of a command; `None` at the end of input.
    pub fn answer(&mut self) -> Result<Option<String>, CommandError> {
        let line = self.io.last_line();
        self.cloud.unless_stopped(line).ok_or_else(stopped)
    }

    /// Sends the calls of the plan.
    pub fn execute(&mut self, planned: &Planned) -> Result<Executed, Errors> {
        let mut executor = Executor::for_plan(planned, self.cloud.now());
        let mut reporter = Reporter::new(self.io, self.format, &planned.state);
        if let Some(receipt) = &mut self.receipt {
            receipt.graph(&planned.state, self.cloud.now());
            executor.tell_answers();
        }
        let mut recording = Recording { observer: &mut reporter, receipt: self.receipt.as_mut() };
        let backend: &mut dyn Backend = &mut *self.backend;
        let outcome = self
            .cloud
            .run(&mut executor, Some(backend), &self.secrets, &mut recording)
            .map_err(|error| cloud_error(&error))?;
        reporter.end();
        if let Some(receipt) = &mut self.receipt {
            receipt.outcome(&outcome);
        }
        let done = matches!(outcome, Outcome::Done);
        let counts = if done { planned.plan.counts() } else { reporter.counts() };
        let swept = match &outcome {
            Outcome::Done | Outcome::Failed { .. } => Swept::of(executor.state(), &executor.replies()),
            Outcome::Stopped { .. } | Outcome::StoreFailed { .. } => None,
        };
        let profile = self.profile();
        let mut errors = failure::of_outcome(&outcome, &self.backend.describe(), profile.as_deref());
        errors.extend(swept.iter().flat_map(|swept| failure::of_sweep(swept, profile.as_deref())));
        let is_saved = !matches!(outcome, Outcome::StoreFailed { .. });
        let state = executor.into_state();
        if is_saved {
            let versions = self.was_clear.get().then(|| self.place.clone());
            let versions = versions.filter(|place| matches!(place, Place::Object { .. }));
            clear_text::tell(self.io, self.format, &self.place, versions.into_iter().collect());
        } else {
            let kept = store::keep(&state);
            if let Some(error) = errors.pop() {
                errors.push(error.hint(kept));
            }
        }
        Ok(Executed { counts, state, swept, errors, is_saved })
    }

    /// Begins what is told of a plan: whose account it is for, and where.
    pub fn tell_place(&mut self, plan: &Plan) {
        let line = human::place(&self.cloud.whose(), plan, &self.workspace);
        match self.format {
            Format::Human => [&*line, ""].into_iter().for_each(|line| self.io.out_line(line)),
            Format::Json => json::write(self.io, &json::log(&line)),
        }
    }

    /// Tells how long the plan takes, and how that is known. What takes moments is worth no word.
    pub fn foretell(&mut self, plan: &Plan) {
        let foretold = Measurements::of_directory().foretell(plan);
        if foretold.takes.as_secs() == 0 {
            return;
        }
        match self.format {
            Format::Human => ["", &foretold.to_string()].into_iter().for_each(|line| self.io.out_line(line)),
            Format::Json => json::write(self.io, &json::forecast(&foretold)),
        }
    }

    /// Tells if the credentials expire before the plan usually ends. Those that renew themselves do, all the same.
    pub fn warn_of_expiry(&mut self, plan: &Plan) {
        let usual = Measurements::of_directory().foretell(plan).takes;
        let now = SystemTime::now();
        let Some(expiry) = self.cloud.credentials_expiry().filter(|expiry| *expiry < now + usual) else { return };
        let line = format!(
            "the credentials expire at {}, and this plan usually ends at {}: unless they renew themselves, log in again \
             first; nothing is lost if they expire on the way",
            rfc3339::seconds(expiry),
            rfc3339::seconds(now + usual)
        );
        warn(self.io, self.format, &line);
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(stays) = store::unlocked(&mut *self.backend) {
            match self.format {
                Format::Human => self.io.err_text(&stays.to_text()),
                Format::Json => warn(self.io, self.format, &stays.to_string()),
            }
        }
        if let Some(receipt) = &mut self.receipt {
            receipt.end(self.io);
        }
    }
}

/// Seconds since 1970.
fn seconds_now() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok().and_then(|since| u32::try_from(since.as_secs()).ok()).unwrap_or(u32::MAX)
}

/// A signal came before anything was sent.
fn stopped() -> CommandError {
    CommandError::user("stopped; nothing was changed")
}

fn connect(cloud: CloudArg, variables: &Variables) -> Result<Cloud, CommandError> {
    let kind = match cloud {
        CloudArg::Sim => CloudKind::Sim,
        CloudArg::Aws => CloudKind::Aws,
    };
    Cloud::open(&CloudSettings::new(kind, variables)).map_err(|error| cloud_error(&error))
}

/// What the cloud could not do.
fn cloud_error(error: &CloudError) -> CommandError {
    let command = CommandError::aws(error.to_string());
    match error.hint() {
        Some(hint) => command.hint(hint),
        None => command,
    }
}

/// A new history's name, random.
pub fn new_lineage() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// True if apply would do something, or record something that is worth a word.
pub fn has_changes(plan: &Plan) -> bool {
    !plan.is_empty() || (plan.mode == Mode::RefreshOnly && !plan.drift.is_empty())
}

/// The cloud that flags and environment name; AWS if they name none.
///
/// # Errors
/// When this build cannot talk to it.
pub fn choose_cloud(cloud: Option<CloudArg>) -> Result<CloudArg, CommandError> {
    match cloud {
        Some(CloudArg::Sim) => Ok(CloudArg::Sim),
        Some(CloudArg::Aws) | None if cfg!(feature = "aws") => Ok(CloudArg::Aws),
        Some(CloudArg::Aws) | None => {
            let error = CommandError::user("this build has no AWS driver, only the simulated cloud");
            Err(error
                .hint("add -cloud=sim, or set ALOKA_CLOUD=sim, to use the simulated cloud")
                .hint("build without --no-default-features to talk to AWS"))
        }
    }
}

/// Prints the plan, with what the user should know beside it.
pub fn show(io: &mut Io, format: Format, planned: &Planned, calls: bool, verbose: bool) {
    for warning in &planned.warnings {
        warn(io, format, warning);
    }
    let plan = &planned.plan;
    match format {
        Format::Human => {
            use aloka_core::render::{Options, calls_text, plan_text};
            if calls {
                let (add, change, destroy) = plan.counts();
                human::show(io, &calls_text(plan));
                io.out_line("");
                io.out_line(&format!("Plan: {add} to add, {change} to change, {destroy} to destroy."));
            } else {
                human::show(io, &plan_text(plan, Options { show_all: verbose }));
            }
        }
        Format::Json => {
            use aloka_core::render::ui_json::{outputs_planned, planned_changes};
            let at = json::timestamp();
            planned_changes(&at, plan).iter().for_each(|line| json::write(io, line));
            if !plan.kept.is_empty() {
                let text = format!("left alone, as they are not of this stack: {}", plan.kept.join(", "));
                json::write(io, &json::warning(&text));
            }
            plan.notes.iter().for_each(|note| json::write(io, &json::warning(note)));
            if !plan.outputs.is_empty() {
                json::write(io, &outputs_planned(&at, plan));
            }
            if calls {
                json::write(io, &json::calls(plan));
            }
        }
    }
}

/// Reads the variables, asks for a password if one is missing, and prints what is to be noticed about them.
pub fn configure(io: &mut Io, request: &PlanRequest, cloud: Option<CloudArg>) -> Result<Loaded, Errors> {
    let needs = Needs { password: request.mode == Mode::Apply };
    let loaded = ask_password::load(io, request, cloud, needs)?;
    for warning in &loaded.config.warnings {
        if request.json {
            json::write(io, &json::warning(&warning.summary));
        } else {
            human::diagnostic(io, warning, request.compact_warnings);
        }
    }
    for note in &loaded.config.notes {
        match request.json {
            true => json::write(io, &json::log(note)),
            false => io.err_line(note),
        }
    }
    Ok(loaded)
}
