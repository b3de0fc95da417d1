//! The rounds of a session in their order, as a state machine: reads out, replies in, a plan at the end.
//!
//! Whoever drives it sends the reads and waits; it decides what is asked next. So the command line, the rehearsal and every
//! test plan in the same way.

use std::time::Duration;

use super::claim::{self, Claimed, Search, Site};
use super::snapshots::Snapshots;
use super::{Inputs, Known, choices, discovery, know, lost, place, plan, recovery, settle, snapshots};
use crate::api::VISIBILITY_MS;
use crate::api::{Call, ErrorClass, Operation, Reply, Sts};
use crate::engine::{Cause, Executor, Outcome};
use crate::kind::Kind;
use crate::plan::reads::{Replies, read};
use crate::plan::{Mode, Node, Step};
use crate::plan::{Planned, Problem};
use crate::resource::Place;
use crate::session::read_problems;
use crate::state::State;
use crate::surroundings::around;

/// What a session needs next.
#[derive(Debug)]
pub enum Next {
    /// Send these reads, and hand their replies to [`Session::answered`].
    Read(Vec<Node>),
    /// Wait so long: what was read may be from before the last changes.
    Wait(Duration),
    /// Here is the plan.
    Done(Box<Planned>),
    /// There is none, for these reasons.
    Refused(Vec<Problem>),
}

/// From a state and what the user asks for to a plan.
#[derive(Clone, Debug)]
pub struct Session {
    state: State,
    inputs: Inputs,
    /// Where this run is; the account is known after the first round.
    place: Place,
    stage: Stage,
    lines: Vec<String>,
    /// What was found of a stack whose state is lost, if it was looked for.
    claimed: Option<Claimed>,
    is_resumed: bool,
}

/// What is read, and what is known by then.
#[derive(Clone, Debug)]
enum Stage {
    /// Where a stack is whose state is lost. Generations begin above the number.
    Search(Search, u32),
    /// What is there: the site, and the replies so far.
    Contents(Site, Vec<(Node, Reply)>, u32),
    /// Who we are.
    Caller,
    /// What an interrupted run made.
    Recovery,
    /// What became of everything recorded.
    Discovery,
    /// What is not as recorded: the replies so far, and the reads of the second look.
    SecondLook(Vec<(Node, Reply)>, Vec<Node>),
    /// Who else would be touched by this plan.
    Around(Box<Planned>, Vec<Node>),
    /// To be read again after a while.
    Waiting(Duration, Box<Self>),
    /// Nothing more.
    Over(Result<Box<Planned>, Vec<Problem>>),
}

impl Session {
    /// A session that plans from this state.
    pub fn new(state: State, inputs: Inputs) -> Self {
        let place = Place { region: inputs.variables.aws_region.clone(), account: None };
        Self { state, inputs, place, stage: Stage::Caller, lines: Vec::new(), claimed: None, is_resumed: false }
    }

    /// A session that first finds a stack whose state is not there, and then plans from what was found. `state` is what is
    /// recorded all the same; what has yet to be made gets generations above the `floor`, as nobody knows how many there were.
    pub fn find(state: State, inputs: Inputs, search: Search, floor: u32) -> Self {
        Self { stage: Stage::Search(search, floor), ..Self::new(state, inputs) }
    }

    /// What [`Session::find`] has found, once.
    pub fn take_claimed(&mut self) -> Option<Claimed> {
        self.claimed.take()
    }

    /// True if the plan goes on with what an interrupted run began.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// The state as it is known by now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// True while what an interrupted run made is looked for.
    pub fn is_recovering(&self) -> bool {
        matches!(self.stage, Stage::Recovery)
    }

    /// What was found of an interrupted run since the last call, a line each.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// What to do now.
    pub fn step(&mut self) -> Next {
        loop {
            let stage = std::mem::replace(&mut self.stage, Stage::Over(Err(Vec::new())));
            let (stage, next) = match stage {
                Stage::Search(search, floor) => {
                    let nodes = claim::search(&self.inputs.variables, &search);
                    (Stage::Search(search, floor), Next::Read(nodes))
                }
                Stage::Contents(site, replies, floor) => {
                    let nodes = claim::contents(&self.inputs.variables, &site);
                    (Stage::Contents(site, replies, floor), Next::Read(nodes))
                }
                Stage::Caller => {
                    let nodes = vec![read((Kind::Vpc, Call::new(Sts::GetCallerIdentity, [])))];
                    (Stage::Caller, Next::Read(nodes))
                }
                Stage::Recovery => match recovery::recovery(&self.state, &self.inputs) {
                    nodes if nodes.is_empty() => {
                        self.stage = Stage::Discovery;
                        continue;
                    }
                    nodes => (Stage::Recovery, Next::Read(nodes)),
                },
                Stage::Discovery => (Stage::Discovery, Next::Read(discovery(&self.state, &self.inputs, &self.place))),
                Stage::SecondLook(replies, nodes) => {
                    let next = Next::Read(nodes.clone());
                    (Stage::SecondLook(replies, nodes), next)
                }
                Stage::Around(planned, nodes) => {
                    let next = Next::Read(nodes.clone());
                    (Stage::Around(planned, nodes), next)
                }
                Stage::Waiting(pause, then) => (*then, Next::Wait(pause)),
                Stage::Over(Ok(planned)) => (Stage::Over(Err(Vec::new())), Next::Done(planned)),
                Stage::Over(Err(problems)) => (Stage::Over(Err(Vec::new())), Next::Refused(problems)),
            };
            self.stage = stage;
            return next;
        }
    }

    /// Takes the replies to what [`Session::step`] asked for. `age` is the time from the last write of the state to the
    /// beginning of these reads; `None` if reads show every change at once.
    pub fn answered(&mut self, replies: Vec<(Node, Reply)>, age: Option<Duration>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over(Err(Vec::new())));
        self.stage = match stage {
            Stage::Search(search, floor) => match claim::locate(&self.inputs.variables, &search, &replies) {
                Ok(site) => Stage::Contents(site, replies, floor),
                Err(problems) => Stage::Over(Err(problems)),
            },
            Stage::Contents(site, mut all, floor) => {
                all.extend(replies);
                self.found(&site, &all, floor)
            }
            Stage::Caller => self.caller(&replies),
            Stage::Recovery => {
                let replies: Vec<(&Node, &Reply)> = replies.iter().map(|(node, reply)| (node, reply)).collect();
                match recovery::adopt(&mut self.state, &replies) {
                    Ok(lines) => {
                        self.lines.extend(lines);
                        Stage::Discovery
                    }
                    Err(problems) => Stage::Over(Err(problems)),
                }
            }
            Stage::Discovery => self.discovered(replies, age),
            Stage::SecondLook(mut all, _) => {
                all.extend(replies);
                self.looked_twice(all, age)
            }
            Stage::Around(planned, nodes) => self.looked_around(planned, nodes, &replies, age),
            waiting @ (Stage::Waiting(..) | Stage::Over(_)) => waiting,
        };
    }

    fn found(&mut self, site: &Site, replies: &[(Node, Reply)], floor: u32) -> Stage {
        match claim::claim(&self.inputs.variables, site, replies, &self.state, floor) {
            Ok(claimed) => {
                self.state = claimed.state.clone();
                self.claimed = Some(claimed);
                Stage::Caller
            }
            Err(problems) => Stage::Over(Err(problems)),
        }
    }

    fn caller(&mut self, replies: &[(Node, Reply)]) -> Stage {
        let replies = Replies::new(replies);
        let problems = read_problems(&replies);
        if !problems.is_empty() {
            return Stage::Over(Err(problems));
        }
        let caller = replies.of(Operation::Sts(Sts::GetCallerIdentity)).iter().find_map(|(_, reply)| reply.ok());
        self.place.account = caller.and_then(|caller| caller.get("Account").as_str()).map(str::to_owned);
        self.is_resumed = !self.state.private.intents.is_empty();
        match place::check(&self.state, &self.place) {
            Ok(()) => Stage::Recovery,
            Err(problem) => Stage::Over(Err(vec![problem])),
        }
    }

    fn discovered(&mut self, replies: Vec<(Node, Reply)>, age: Option<Duration>) -> Stage {
        let read = Replies::new(&replies);
        let problems = read_problems(&read);
        if !problems.is_empty() {
            return Stage::Over(Err(problems));
        }
        let again = age.and_then(|age| settle::look_again(&self.state, &self.inputs, &self.place, &read, age));
        if let Some(pause) = again {
            return Stage::Waiting(pause, Box::new(Stage::Discovery));
        }
        let known = match know(&self.state, &self.inputs, &self.place, &read) {
            Ok(known) => known,
            Err(problems) => return Stage::Over(Err(problems)),
        };
        let mut nodes = lost::second_look(&known.state, &known.ownership.elsewhere, &read);
        if self.inputs.mode == Mode::Apply {
            nodes.extend(choices::missing(&known.state, &self.inputs, &read));
        }
        drop(read);
        if nodes.is_empty() { self.conclude(known, replies, age) } else { Stage::SecondLook(replies, nodes) }
    }

    fn looked_twice(&mut self, replies: Vec<(Node, Reply)>, age: Option<Duration>) -> Stage {
        let read = Replies::new(&replies);
        let problems = read_problems(&read);
        if !problems.is_empty() {
            return Stage::Over(Err(problems));
        }
        match know(&self.state, &self.inputs, &self.place, &read) {
            Ok(known) => {
                drop(read);
                self.conclude(known, replies, age)
            }
            Err(problems) => Stage::Over(Err(problems)),
        }
    }

    /// Everything that a plan follows from is read.
    fn conclude(&mut self, mut known: Known, replies: Vec<(Node, Reply)>, age: Option<Duration>) -> Stage {
        let read = Replies::new(&replies);
        let elsewhere = &known.ownership.elsewhere;
        let lost = lost::found(&known.state, &self.inputs, elsewhere, &self.place, &read);
        let left = age.and_then(|age| Duration::from_millis(VISIBILITY_MS).checked_sub(age));
        let left = left.filter(|left| !left.is_zero());
        let snapshots = Snapshots::of(&read);
        let ends = snapshots.as_ref().is_some_and(|snapshots| snapshots.tell_of_an_end(&self.inputs, &known));
        if let (true, Some(left)) = (!lost.is_empty() || ends, left) {
            return Stage::Waiting(settle::pause(age.unwrap_or_default(), left), Box::new(Stage::Discovery));
        }
        if self.inputs.mode == Mode::Apply {
            match choices::choose(&known.state, &self.inputs, &read, &mut known.warnings) {
                Ok(mut choices) => {
                    if self.inputs.recording {
                        choices::leave_open(&mut choices, &known.state.private.choices);
                    }
                    choices.leave_default_group = choices::leaves_default_group(&known);
                    choices.db_settings = choices::db_settings(&self.state, &known, &self.inputs.variables);
                    known.state.private.choices = choices;
                }
                Err(problems) => return Stage::Over(Err(problems)),
            }
        }
        let names = snapshots.map(|snapshots| snapshots.names());
        drop(read);
        let planned = plan(&self.state, &self.inputs, &self.place, names.as_ref(), known);
        // The names that are taken are read once a final snapshot is known to be made, and then it is planned again.
        let unread = planned.as_ref().ok().filter(|_| names.is_none() && !self.inputs.recording);
        let unread = unread.map(|planned| snapshots::reads(&planned.plan)).unwrap_or_default();
        if !unread.is_empty() {
            return Stage::SecondLook(replies, unread);
        }
        let planned = planned.and_then(|mut planned| {
            if self.inputs.recording {
                return Ok(planned);
            }
            let notes = lost::judge(&planned.state, &self.inputs, &lost, &planned.plan.changes)?;
            planned.plan.notes.extend(notes);
            Ok(planned)
        });
        match planned {
            Ok(planned) => match around::reads(&planned) {
                nodes if nodes.is_empty() || self.inputs.recording => Stage::Over(Ok(Box::new(planned))),
                nodes => Stage::Around(Box::new(planned), nodes),
            },
            Err(problems) => Stage::Over(Err(problems)),
        }
    }

    fn looked_around(
        &mut self,
        mut planned: Box<Planned>,
        nodes: Vec<Node>,
        replies: &[(Node, Reply)],
        age: Option<Duration>,
    ) -> Stage {
        match around::judge(&planned, &self.inputs.consent, &Replies::new(replies)) {
            Ok(notes) => {
                planned.plan.notes.extend(notes);
                Stage::Over(Ok(planned))
            }
            Err(problems) => {
                let left = age.and_then(|age| Duration::from_millis(VISIBILITY_MS).checked_sub(age));
                match left.filter(|left| !left.is_zero()) {
                    // What a run has just destroyed may show a little longer.
                    Some(left) => {
                        let pause = settle::pause(age.unwrap_or_default(), left);
                        Stage::Waiting(pause, Box::new(Stage::Around(planned, nodes)))
                    }
                    None => Stage::Over(Err(problems)),
                }
            }
        }
    }
}

/// Reads that left a question open which the planner does not see as open: a search for an object of an earlier run
/// that ended in an error, and anything that failed without an answer. To plan all the same could make an object
/// twice.
pub fn unread(executor: &Executor, outcome: &Outcome) -> Vec<Problem> {
    let replies = executor.replies();
    let searches = replies.iter().filter(|(node, _)| matches!(node.steps.first(), Some(Step::Wait(_))));
    let errors = searches.filter_map(|(node, reply)| Some((node, reply.as_ref().err()?)));
    let open = errors.filter(|(_, error)| error.class != ErrorClass::NotFound).map(|(node, error)| Problem::Read {
        call: format!("search for {} of an earlier run", node.target),
        error: error.clone(),
    });
    let failures = match outcome {
        Outcome::Failed { failures, .. } => failures.as_slice(),
        Outcome::Done | Outcome::Stopped { .. } | Outcome::StoreFailed { .. } => &[],
    };
    let failed = failures.iter().map(|failure| match &failure.cause {
        Cause::Call { operation, error } | Cause::Refused { operation, error, told: _ } => {
            Problem::Read { call: operation.clone(), error: error.clone() }
        }
        cause @ (Cause::Held { .. }
        | Cause::WaitFailed { .. }
        | Cause::Short { .. }
        | Cause::WaitTimedOut { .. }
        | Cause::Foreign { .. }
        | Cause::SlowStore { .. }
        | Cause::Bug { .. }) => Problem::Impossible {
            summary: format!("{}: {cause}", failure.target),
            hint: "run the command again; if it fails the same way, please report it".to_owned(),
        },
    });
    open.chain(failed).collect()
}
