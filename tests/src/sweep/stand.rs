//! An account with a state beside it, and a command run on them as the command line tool runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aloka_core::api::{Effect, Recognition, Reply, Request};
use aloka_core::engine::{Cause, Executor, News, Notice, Outcome};
use aloka_core::identity::{ADDRESS_TAG, GENERATION_TAG, LINEAGE_TAG};
use aloka_core::plan::{Mode, Node, Plan, Verb};
use aloka_core::plan::{Password, Planned, Problem};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::{Inputs, Next, Session, unread};
use aloka_core::state::{State, Target};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, ObjectKind, Options};
use aloka_sim::rehearsal::NotPlanned;
use aloka_sim::store::Store;
use aloka_sim::world::{Latency, RunEnd, Unwatched, Watch, World};

use super::flaw::{Driver, Flaw};
use super::ledger::Ledger;
use crate::{LINEAGE, PASSWORD};

/// The password a stack is made with, and the one it may get.
pub(super) const PASSWORDS: [&str; 2] = [PASSWORD, "Second-9c2x-Pa55w0rd"];
/// Their hashes.
const HASHES: [&str; 2] = ["argon2id$first", "argon2id$second"];

/// What the user wants.
#[derive(Clone, Debug)]
pub struct Command {
    /// The variables.
    pub variables: Variables,
    /// The mode.
    pub mode: Mode,
    /// True if the password is the second one.
    pub new_password: bool,
}

impl Command {
    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new(PASSWORDS[usize::from(self.new_password)]));
        secrets
    }

    /// The hash that the state has in the end.
    pub(super) fn hash(&self) -> &'static str {
        HASHES[usize::from(self.new_password)]
    }

    fn inputs(&self, state: &State) -> Inputs {
        let is_known = state.private.secrets.get(DB_PASSWORD).is_some_and(|hash| **hash == *self.hash());
        let password = if is_known { Password::Unchanged } else { Password::New(self.hash().to_owned()) };
        Inputs::new(self.variables.clone(), self.mode, password)
    }
}

/// What became of a command.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Why it did not get through; `None` if it did.
    pub cut: Option<String>,
    /// What it found and took, a line each.
    pub adopted: Vec<String>,
    /// Databases its plan destroys.
    pub data_loss: Vec<String>,
    /// True if AWS took the password.
    pub password_taken: bool,
    /// What it must not have done, a sentence each.
    pub wrong: Vec<String>,
}

/// An account with a state beside it.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The account and its clock.
    pub world: World,
    /// The state.
    pub store: Ledger,
    /// A write that arrives when the next command has read the state.
    on_its_way: Option<Arc<State>>,
    /// True if the account shows its changes late.
    is_late: bool,
}

impl Stand {
    /// An empty account.
    pub fn new(options: Options) -> Self {
        let is_late = options.visibility_delay_ms > 0;
        let world = World::new(Account::new(options), Latency::default());
        Self { world, store: Ledger::default(), on_its_way: None, is_late }
    }

    /// The recorded state.
    pub fn state(&self) -> State {
        self.store.state(LINEAGE)
    }

    /// What of the stack is in the account at this moment, seen or not yet seen: address and generation by id.
    pub fn standing(&self) -> BTreeMap<String, (String, String)> {
        let objects = self.world.account.objects(self.world.now()).into_iter();
        let ours = objects.filter(|object| {
            matches!(object.kind, ObjectKind::Resource(_))
                && object.tags.get(LINEAGE_TAG).is_some_and(|lineage| lineage == LINEAGE)
        });
        ours.map(|object| {
            let tag = |name| object.tags.get(name).cloned().unwrap_or_default();
            (object.id, (tag(ADDRESS_TAG), tag(GENERATION_TAG)))
        })
        .collect()
    }

    /// What of the stack is in the account, and neither recorded nor begun: at no instant is there any.
    pub(super) fn astray(&self) -> Vec<String> {
        let state = self.state();
        let recorded = recorded(&state);
        let begun: BTreeSet<(String, String)> = state
            .private
            .intents
            .iter()
            .filter(|(_, intent)| intent.operation.is_creating())
            .map(|(address, intent)| (address.tag_value(), intent.generation.to_string()))
            .collect();
        let lost = self.standing().into_iter().filter(|(id, tags)| !recorded.contains(id) && !begun.contains(tags));
        lost.map(|(id, (address, _))| format!("{id} is {address}, and neither recorded nor begun")).collect()
    }

    /// Runs a command to its end, or to where a fault cuts it short.
    pub fn attempt(&mut self, command: &Command, flaw: Option<Flaw>) -> Attempt {
        let mut attempt =
            Attempt { cut: None, adopted: Vec::new(), data_loss: Vec::new(), password_taken: false, wrong: Vec::new() };
        let standing = self.standing();
        let unrecorded: Vec<(String, String)> = {
            let recorded = recorded(&self.state());
            let open = standing.iter().filter(|(id, _)| !recorded.contains(*id) && !self.is_late);
            open.map(|(id, (address, _))| (id.clone(), format!("{address}:"))).collect()
        };
        let standing = standing.into_values().collect();
        let planned = self.plan(command, flaw, &mut attempt.adopted);
        if let Some(state) = self.on_its_way.take() {
            let _refused = self.store.write(&state);
        }
        let mut planned = match planned {
            Ok(planned) => planned,
            Err(reason) => {
                if reason == NotPlanned::Ended(RunEnd::Stuck) {
                    attempt.wrong.push("planning is stuck".to_owned());
                }
                attempt.cut = Some(reason.to_string());
                return attempt;
            }
        };
        attempt.data_loss = planned.plan.data_loss().names();
        let mut onlooker = Onlooker::new(&planned.plan, standing, self.is_late);
        if let Some(flaw) = flaw {
            flaw.spoil(Arc::make_mut(&mut planned.plan.nodes));
        }
        let now = self.world.now();
        let mut driver = Driver::new(Executor::for_plan(&planned, now), flaw, now);
        let end = self.world.run(&mut driver, &mut self.store, &command.secrets(), &mut onlooker);
        self.on_its_way = driver.last.map(|(_, state)| state);
        let Onlooker { adopted, password_taken, wrong, .. } = onlooker;
        attempt.adopted.extend(adopted);
        attempt.password_taken = password_taken;
        attempt.wrong.extend(wrong);
        attempt.cut = match end {
            RunEnd::Outcome(Outcome::Done) => None,
            RunEnd::Stuck => {
                attempt.wrong.push("the run is stuck".to_owned());
                Some("stuck".to_owned())
            }
            RunEnd::Outcome(outcome) => Some(format!("{outcome:?}")),
            RunEnd::Crashed => Some("crashed".to_owned()),
        };
        if attempt.cut.is_none() {
            // A database is told by the identifier that its record has, and not by its name.
            let is_told = |id: &str, address: &str| {
                attempt.adopted.iter().any(|line| line.contains(id) || line.starts_with(address))
            };
            let untold = unrecorded.iter().filter(|(id, address)| !is_told(id, address));
            let untold: Vec<_> =
                untold.map(|(id, _)| format!("{id} is not recorded, and not told to be found")).collect();
            attempt.wrong.extend(untold);
        }
        attempt
    }

    /// The plan that follows a command. Takes what an interrupted run could not record.
    pub fn plan(
        &mut self,
        command: &Command,
        flaw: Option<Flaw>,
        adopted: &mut Vec<String>,
    ) -> Result<Planned, NotPlanned> {
        let state = self.state();
        let inputs = command.inputs(&state);
        let secrets = command.secrets();
        let mut session = Session::new(state, inputs);
        loop {
            match session.step() {
                Next::Read(mut nodes) => {
                    if let (Some(flaw), true) = (flaw, session.is_recovering()) {
                        flaw.spoil(&mut nodes);
                    }
                    let (now, age) = (self.world.now(), self.world.since_written());
                    let flaw = flaw.filter(|_| session.is_recovering());
                    let mut driver = Driver::new(Executor::new(nodes, session.state().clone(), now), flaw, now);
                    let end = self.world.run(&mut driver, &mut self.store, &secrets, &mut Unwatched);
                    let RunEnd::Outcome(outcome @ (Outcome::Done | Outcome::Failed { .. })) = end else {
                        return Err(NotPlanned::Ended(end));
                    };
                    let problems: Vec<Problem> = unread(&driver.executor, &outcome);
                    if !problems.is_empty() {
                        return Err(NotPlanned::Problems(problems));
                    }
                    session.answered(driver.executor.into_replies(), age);
                    adopted.extend(session.take_lines());
                }
                Next::Wait(pause) => self.world.rest(pause),
                Next::Done(planned) => return Ok(*planned),
                Next::Refused(problems) => return Err(NotPlanned::Problems(problems)),
            }
        }
    }
}

/// Identifiers and names of everything recorded.
pub(super) fn recorded(state: &State) -> BTreeSet<String> {
    let mut recorded = BTreeSet::new();
    for (_, resource) in state.objects() {
        let texts = ["id", "identifier"].into_iter().filter_map(|name| resource.attributes.get(name)?.as_str());
        recorded.extend(texts.map(str::to_owned));
    }
    recorded
}

/// Who looks on while a plan is carried out.
struct Onlooker {
    /// Address and generation of what was there when the command began.
    standing: BTreeSet<(String, String)>,
    /// What is there may not be seen, and a client token may keep it from being made again.
    is_late: bool,
    /// What each node of the plan needs.
    needs: BTreeMap<(Target, u8), Vec<(Target, u8)>>,
    failed: BTreeSet<(Target, u8)>,
    adopted: Vec<String>,
    password_taken: bool,
    wrong: Vec<String>,
}

fn name_of(node: &Node) -> (Target, u8) {
    let verb = match node.verb {
        Verb::Read => 0,
        Verb::Create => 1,
        Verb::Update => 2,
        Verb::Delete => 3,
        Verb::Forget => 4,
    };
    (node.target.clone(), verb)
}

impl Onlooker {
    fn new(plan: &Plan, standing: BTreeSet<(String, String)>, is_late: bool) -> Self {
        let named = |need: &u32| plan.nodes.get(usize::try_from(*need).ok()?).map(name_of);
        let needs = plan.nodes.iter().map(|node| (name_of(node), node.needs.iter().filter_map(named).collect()));
        Self {
            standing,
            is_late,
            needs: needs.collect(),
            failed: BTreeSet::new(),
            adopted: Vec::new(),
            password_taken: false,
            wrong: Vec::new(),
        }
    }
}

impl Watch for Onlooker {
    fn notice(&mut self, nodes: &[Node], notice: &Notice) {
        let Some(node) = nodes.get(notice.node) else { return };
        match &notice.news {
            // What only reads looks at what there is, whatever became of what it needs.
            News::Started if node.verb != Verb::Read => {
                let needs = self.needs.get(&name_of(node)).map(Vec::as_slice).unwrap_or_default();
                if let Some((target, _)) = needs.iter().find(|need| self.failed.contains(need)) {
                    self.wrong.push(format!("{} runs although {target} failed", node.target));
                }
            }
            News::Sent { request, .. } if request.operation().is_creating() => {
                let tags = request.arg("Tags");
                let tag = |name| tags.get(name).as_str().unwrap_or_default().to_owned();
                let made = (tag(ADDRESS_TAG), tag(GENERATION_TAG));
                let is_safe = self.is_late && request.operation().effect() != Effect::Create(Recognition::Tagged);
                if !is_safe && self.standing.contains(&made) {
                    self.wrong.push(format!("{} was sent, and {} is there", request.operation(), made.0));
                }
            }
            News::Adopted { id } => self.adopted.push(format!("{}: found {id}", node.target)),
            News::Failed { cause } => {
                self.failed.insert(name_of(node));
                if let Cause::Bug { detail } = cause {
                    self.wrong.push(format!("{}: {detail}", node.target));
                }
            }
            News::Started
            | News::Sent { .. }
            | News::Waiting { .. }
            | News::Retry { .. }
            | News::Finished { .. }
            | News::Answered { .. }
            | News::Skipped => {}
        }
    }

    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        let has_password = matches!(request.arg("MasterUserPassword"), Value::Secret(_));
        self.password_taken |= has_password && reply.is_ok();
    }
}
