//! Plays a story and judges it: its commands first, safety at all times; then, with everything healed, liveness.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use aloka_core::engine::{Executor, Outcome};
use aloka_core::identity::ADDRESS_TAG;
use aloka_core::plan::Mode;
use aloka_core::plan::saved::{Difference, differences};
use aloka_core::plan::{Planned, Problem};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::state::State;
use aloka_core::time::Human;
use aloka_core::variables::{IngressRule, Variables};
use aloka_sim::audit::{self, Expected, Ports};
use aloka_sim::aws::{Account, ObjectKind, Options};
use aloka_sim::fault::{FaultPlan, When};
use aloka_sim::rehearsal::{NotPlanned, plan_round_watched};
use aloka_sim::rng::Rng;
use aloka_sim::trace::Trace;
use aloka_sim::world::{Latency, RunEnd, World};

use super::books::{Books, Class, Finding, clock, recorded};
use super::desk::{Desk, THE_RUN};
use super::meddler::Moment;
use super::neighbour::{DECLARABLE, Neighbours};
use super::settings::Settings;
use super::story::{At, Cloud, Command, Order, Story};
use crate::{LINEAGE, PASSWORD};

/// After so many runs a stack that nothing stands in the way of has nothing left to do.
pub const RUNS_MAX: u32 = 4;
/// No run takes longer.
const RUN_MAX: Duration = Duration::from_secs(12 * 3600);
/// After so long, AWS lets a storage grow again that has just grown; a run that failed is followed by a rest.
const GROWING: Duration = Duration::from_secs(12 * 3600);
/// After so long, what was changed shows, and what was begun is over.
const HEALING: Duration = Duration::from_secs(120);

/// What became of a story.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// What is wrong, if anything.
    pub finding: Option<Finding>,
    /// Runs that made a plan with something to do and carried it out to an end, good or bad: of the story and of the
    /// second operator.
    pub cycles: u64,
    /// The same, undisturbed, to compare with.
    pub calm_cycles: u64,
    /// Plans with nothing to do, plans that were refused, and plans that were only saved.
    pub plans: u64,
    /// Effects: calls that arrived and writes of the state.
    pub effects: u64,
    /// Runs until the stack was as it should be, the empty one included; 0 if it was not to.
    pub runs: u32,
    /// The story, line by line, if it was to be told.
    pub lines: Vec<String>,
    /// Everything that happened, if it was to be told.
    pub trace: Trace,
}

/// How a story is played.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// It is told, and its trace kept.
    pub told: bool,
    /// Changes every plan before it is carried out: for planted bugs.
    pub tamper: &'a dyn Fn(&mut Planned),
    /// Changes every state before it is planned from: for planted bugs.
    pub misread: &'a dyn Fn(&mut State),
}

impl Manner<'_> {
    /// Neither told nor tampered with.
    pub const PLAIN: Manner<'static> = Manner { told: false, tamper: &|_| {}, misread: &|_| {} };
    /// Told.
    pub const TOLD: Manner<'static> = Manner { told: true, tamper: &|_| {}, misread: &|_| {} };
}

/// Plays a story to its end, or to the first finding.
pub fn play(story: &Story, manner: Manner<'_>) -> Played {
    let mut player = Player::new(story, manner);
    player.story();
    player.end()
}

struct Player<'a> {
    story: &'a Story,
    manner: Manner<'a>,
    world: World,
    desk: Desk,
    wishes: Rc<[(Settings, Variables)]>,
    /// With the wish it was made from.
    saved: Option<(usize, Planned)>,
    played: Played,
}

/// How a command ended.
enum End {
    /// There was nothing to do.
    Nothing,
    /// It ran.
    Ran(RunEnd),
    /// It did not run, and why.
    Refused(String),
}

impl<'a> Player<'a> {
    fn new(story: &'a Story, manner: Manner<'a>) -> Self {
        let wishes: Rc<[_]> = story.wishes.iter().map(|wish| (wish.clone(), wish.variables())).collect();
        let account = Account::new(options(story));
        let mut world = World::new(account, Latency::default());
        if manner.told {
            world = world.traced();
        }
        // Where names change, an object may be judged by those of its successor.
        let same = story.wishes.iter().all(|wish| wish.project == story.wishes[0].project);
        let meddled = story.commands.iter().flat_map(|command| &command.deeds).any(|deed| deed.act.opens());
        // An auditor who sees late, or is refused for asking too often, proves nothing.
        let clear = story.cloud.visibility_ms == 0 && !story.cloud.throttling;
        let audit =
            (same && !meddled && clear).then(|| (vec![expected(&wishes)], Rng::stream(story.seed, "swarm/audit", 0)));
        let desk = Desk::new(Books::new(manner.told), wishes.clone(), audit);
        Self { story, manner, world, desk, wishes, saved: None, played: Played::default() }
    }

    fn found(&self) -> bool {
        self.desk.open().finding().is_some()
    }

    fn find(&self, class: Class, rule: &'static str, what: impl Into<String>) {
        self.desk.open().books.find(self.world.now(), class, rule, what);
    }

    fn tell(&self, line: std::fmt::Arguments<'_>) {
        self.desk.open().books.tell(self.world.now(), line);
    }

    fn end(self) -> Played {
        let Self { world, desk, mut played, .. } = self;
        let inner = desk.open();
        played.finding = inner.finding().cloned();
        played.cycles += inner.second_cycles;
        played.effects = inner.calls + inner.books.writes;
        let lines = inner.books.lines.iter().flatten();
        played.lines = lines.map(|(at, line)| format!("{}  {line}", clock(*at))).collect();
        played.trace = world.trace;
        played
    }

    fn story(&mut self) {
        if self.story.cloud.neighbours {
            let now = self.world.now();
            let mut neighbours = Neighbours::move_in(&mut self.world.account, now);
            self.world.rest(Duration::from_secs(7200));
            let now = self.world.now();
            neighbours.remember(&mut self.world.account, now);
            let mut inner = self.desk.open();
            inner.books.start_from(neighbours.recorded());
            inner.neighbours = neighbours;
        }
        for command in &self.story.commands {
            self.command(command);
            if self.found() {
                return;
            }
        }
        self.heal();
        if self.story.converges {
            self.converge();
        }
        if !self.found() {
            self.destroy();
        }
        if !self.found() {
            self.judge_neighbours();
        }
    }

    /// The secrets of a command.
    fn secrets(&self, wish: Option<usize>) -> Secrets {
        let mut secrets = Secrets::default();
        let (settings, _) = self.desk.open().wish(wish.unwrap_or(usize::MAX));
        secrets.insert(DB_PASSWORD, Secret::new(settings.password()));
        secrets
    }

    fn arm(&mut self, command: &Command) {
        let (effects, writes) = (self.world.effects(), self.world.writes());
        let strikes = command.strikes.iter().map(|strike| {
            let when = match strike.at {
                At::Effect(number) => When::Effect(effects + number),
                At::Write(nth) => When::Write { nth: writes + nth },
                At::Call(operation, nth) => {
                    let before = self.world.calls().get(&operation).copied().unwrap_or_default();
                    When::Call { operation: Some(operation), nth: before + nth }
                }
            };
            (when, strike.fault.clone())
        });
        self.world.faults = FaultPlan(strikes.collect());
    }

    /// One command of the story.
    fn command(&mut self, command: &Command) {
        self.world.rest(Duration::from_millis(command.rest_ms));
        self.arm(command);
        let Command { order, named, deeds, other, .. } = command;
        self.tell(format_args!("{order}{}", if *named { ", the database is named" } else { "" }));
        self.world.announce(format_args!("{order}"));
        let now = self.world.now();
        self.desk.open().begin(now, *named, deeds, *other);
        self.meddle(Moment::Before);
        let (struck, begun) = (self.world.faults_struck().len(), self.world.now());
        let end = match *order {
            Order::Apply(wish) => self.run(Some(wish), Mode::Apply, *named),
            Order::Destroy => self.run(None, Mode::Destroy, *named),
            Order::Refresh => self.run(None, Mode::RefreshOnly, *named),
            Order::Save { wish, destroy } => self.save(wish, destroy),
            Order::ApplySaved => self.run_saved(*named),
        };
        self.world.faults = FaultPlan::none();
        for (when, fault) in self.world.faults_struck().get(struck..).unwrap_or_default() {
            self.tell(format_args!("   struck: {fault} at {when}"));
        }
        self.told_end(&end, begun);
        let now = self.world.now();
        let until = self.desk.open().let_second_end(&mut self.world.account, now);
        self.world.rest(until - now);
        self.look();
    }

    fn told_end(&self, end: &End, begun: aloka_core::time::Instant) {
        let changes = self.desk.open().changes_text();
        if !changes.is_empty() {
            self.tell(format_args!("   calls: {changes}"));
        }
        let took = Human(self.world.now() - begun);
        match end {
            End::Nothing => self.tell(format_args!("   nothing to do")),
            End::Ran(RunEnd::Outcome(Outcome::Done)) => self.tell(format_args!("   done after {took}")),
            End::Ran(RunEnd::Outcome(Outcome::Failed { failures, skipped })) => {
                let (failed, skipped) = (failures.len(), skipped.len());
                self.tell(format_args!("   {failed} steps failed and {skipped} were skipped, after {took}"));
            }
            End::Ran(RunEnd::Outcome(Outcome::Stopped { .. })) => self.tell(format_args!("   stopped after {took}")),
            End::Ran(RunEnd::Outcome(Outcome::StoreFailed { message })) => {
                self.tell(format_args!("   ended after {took}, as the store failed: {message}"));
            }
            End::Ran(end @ (RunEnd::Crashed | RunEnd::Stuck)) => self.tell(format_args!("   {end:?} after {took}")),
            End::Refused(why) => self.tell(format_args!("   not run: {why}")),
        }
        if matches!(end, End::Ran(RunEnd::Stuck)) {
            self.find(Class::Liveness, "I11 termination", "the run has nothing under way and does not end");
        }
        if self.world.now() - begun > RUN_MAX {
            self.find(Class::Liveness, "I11 termination", format!("the command took {took}"));
        }
    }

    fn meddle(&mut self, moment: Moment) {
        let now = self.world.now();
        self.desk.open().meddle(moment, &mut self.world.account, now);
    }

    /// A round of planning, as every command begins. Of an object that nothing claims its user says that it is not of the
    /// stack, once the message asks.
    fn plan(&mut self, wish: Option<usize>, mode: Mode) -> Result<Planned, NotPlanned> {
        let planned = self.plan_once(wish, mode);
        match &planned {
            Err(NotPlanned::Problems(problems)) if texts(problems).contains("nothing says that this object is") => {
                let [_, lodger] = DECLARABLE;
                self.tell(format_args!("   refused: {}; state rm {lodger}", texts(problems)));
                self.desk.open().books.forget(lodger);
                self.plan_once(wish, mode)
            }
            Ok(_) | Err(_) => planned,
        }
    }

    fn plan_once(&mut self, wish: Option<usize>, mode: Mode) -> Result<Planned, NotPlanned> {
        let (state, written) = {
            let inner = self.desk.open();
            (inner.books.state(), inner.books.written)
        };
        if let Some(at) = written {
            self.world.written_at(at);
        }
        let mut state = state;
        (self.manner.misread)(&mut state);
        let inputs = self.desk.open().inputs(wish, mode, &state);
        let (mut store, mut watch) = (self.desk.clone(), self.desk.clone());
        let secrets = self.secrets(wish);
        plan_round_watched(&mut self.world, &mut store, &secrets, state, &inputs, &mut watch)
    }

    fn run(&mut self, wish: Option<usize>, mode: Mode, named: bool) -> End {
        match self.plan(wish, mode) {
            Ok(planned) => {
                self.meddle(Moment::Between);
                self.carry_out(planned, wish, named)
            }
            Err(why) => self.not_planned(why),
        }
    }

    fn not_planned(&mut self, why: NotPlanned) -> End {
        self.played.plans += 1;
        match why {
            NotPlanned::Ended(end) => End::Ran(end),
            NotPlanned::Problems(problems) => {
                let bug = problems.iter().map(ToString::to_string).find(|text| text.contains("invariant violated"));
                if let Some(bug) = bug {
                    self.find(Class::Safety, "our own invariants", bug);
                }
                End::Refused(texts(&problems))
            }
        }
    }

    fn save(&mut self, wish: usize, destroy: bool) -> End {
        let mode = if destroy { Mode::Destroy } else { Mode::Apply };
        match self.plan(Some(wish), mode) {
            Ok(planned) => {
                self.played.plans += 1;
                let text = serde_json::to_string(&planned.plan).unwrap_or_default();
                if text.contains(PASSWORD) {
                    self.find(Class::Safety, "I6 no secret", "the password is in the saved plan");
                }
                self.saved = Some((wish, planned));
                End::Nothing
            }
            Err(why) => self.not_planned(why),
        }
    }

    /// As the command line tool applies a saved plan: made again, and refused unless it is the same.
    fn run_saved(&mut self, named: bool) -> End {
        let Some((wish, saved)) = self.saved.clone() else { return End::Refused("there is no saved plan".to_owned()) };
        let held = self.desk.open().books.held().cloned();
        let serial = held.as_ref().map_or(0, |state| state.serial);
        let stale = saved.plan.stale(held.as_deref());
        if stale.is_none() && serial != saved.plan.serial {
            let what = format!("a plan from serial {} is not stale at {serial}", saved.plan.serial);
            self.find(Class::Safety, "a stale plan is refused", what);
        }
        if let Some(why) = stale {
            return End::Refused(why);
        }
        match self.plan(Some(wish), saved.plan.mode) {
            Ok(now) => {
                if let Some(Difference { what, .. }) = differences(&saved.plan, &now.plan).first() {
                    return End::Refused(what.clone());
                }
                self.meddle(Moment::Between);
                self.carry_out(now, Some(wish), named)
            }
            Err(why) => self.not_planned(why),
        }
    }

    fn carry_out(&mut self, mut planned: Planned, wish: Option<usize>, named: bool) -> End {
        let doomed = planned.plan.data_loss();
        if !named && !doomed.is_empty() {
            self.played.plans += 1;
            return End::Refused(format!("it would destroy {}", doomed.names().join(", ")));
        }
        let (add, change, destroy) = planned.plan.counts();
        self.tell(format_args!("   plan: {add} to add, {change} to change, {destroy} to destroy"));
        self.desk.open().may_ask(THE_RUN, &planned.plan.around);
        let is_empty = planned.plan.is_empty();
        if is_empty && !planned.state_changed {
            self.played.plans += 1;
            return End::Nothing;
        }
        (self.manner.tamper)(&mut planned);
        let mut executor = Executor::for_plan(&planned, self.world.now());
        let (mut store, mut watch) = (self.desk.clone(), self.desk.clone());
        let secrets = self.secrets(wish);
        let end = self.world.run(&mut executor, &mut store, &secrets, &mut watch);
        if is_empty {
            self.played.plans += 1;
            return if end == RunEnd::Outcome(Outcome::Done) { End::Nothing } else { End::Ran(end) };
        }
        self.played.cycles += 1;
        End::Ran(end)
    }

    /// What must be true whenever nobody runs.
    fn look(&mut self) {
        let now = self.world.now();
        self.desk.open().judge_objects(&self.world.account, now);
    }

    /// Nothing goes wrong any more, and nobody else is there.
    fn heal(&mut self) {
        self.tell(format_args!("everything is healed"));
        let now = self.world.now();
        self.world.rest(HEALING);
        let now = now + HEALING;
        self.desk.open().meddler.leave(&mut self.world.account, now);
        self.world.rest(HEALING);
    }

    /// One healthy command, in which the database is named.
    fn healthy(&mut self, mode: Mode) -> End {
        let now = self.world.now();
        self.desk.open().begin(now, true, &[], None);
        let what = if mode == Mode::Apply { "apply of the last wish" } else { "destroy" };
        self.tell(format_args!("{what}, the database is named"));
        self.world.announce(format_args!("{what}"));
        let end = self.run(None, mode, true);
        self.told_end(&end, now);
        self.look();
        end
    }

    /// Plain re-runs reach the last wish.
    fn converge(&mut self) {
        for run in 1..=RUNS_MAX {
            let end = self.healthy(Mode::Apply);
            if self.found() {
                return;
            }
            match end {
                End::Nothing => {
                    self.played.runs = run;
                    return self.judge_standing();
                }
                End::Refused(why) => {
                    return self.find(Class::Liveness, "I4 re-runs have a plan", why);
                }
                End::Ran(end) if run == RUNS_MAX => {
                    self.find(Class::Liveness, "I4 re-runs converge", format!("not done in {run} runs: {end:?}"));
                }
                // What AWS sets by itself, and an output tells, may show late.
                End::Ran(RunEnd::Outcome(Outcome::Done)) if run > 1 => self.world.rest(HEALING),
                End::Ran(RunEnd::Outcome(Outcome::Done)) => {}
                End::Ran(_) => self.world.rest(GROWING),
            }
        }
    }

    /// The stack is as if nothing had ever happened.
    fn judge_standing(&mut self) {
        let state = self.desk.open().books.state();
        if let Some(address) = state.private.intents.keys().next() {
            return self.find(Class::Liveness, "I4 no intent is left", format!("{address} is held for unfinished"));
        }
        let hash = self.wishes.last().map(|(wish, _)| wish.password_hash()).unwrap_or_default();
        let recorded_hash = state.private.secrets.get(DB_PASSWORD).map(ToString::to_string);
        if recorded_hash.as_deref() != Some(&*hash) {
            return self.find(
                Class::Liveness,
                "the last password counts",
                format!("{recorded_hash:?} is recorded, not {hash}"),
            );
        }
        self.world.rest(HEALING);
        let calm = self.calm();
        let here = self.picture();
        if here != calm {
            let differs = calm.keys().chain(here.keys()).find(|object| calm.get(*object) != here.get(*object));
            let what = differs.map(|object| {
                let count = |picture: &Picture| picture.get(object).copied().unwrap_or_default();
                format!("{} of {} {}, undisturbed {}", count(&here), object.0, object.1, count(&calm))
            });
            return self.find(Class::Liveness, "I4 as if undisturbed", what.unwrap_or_default());
        }
        self.audit_standing();
    }

    fn audit_standing(&mut self) {
        let now = self.world.now();
        let account = &mut self.world.account;
        let seen = audit::audit(&mut |request| account.call(now, request, &crate::secrets()));
        let expected = expected(self.wishes.last().map(std::slice::from_ref).unwrap_or_default());
        if let Some(violation) = seen.violations(&expected).into_iter().next() {
            return self.find(Class::Safety, "I2 isolation", format!("when all is done: {violation}"));
        }
        let servers = self.wishes.last().is_some_and(|(wish, _)| wish.servers > 0);
        if servers && !seen.path_exists(&expected) {
            return self.find(Class::Liveness, "I2 the servers reach the database", "they do not");
        }
        let inner = self.desk.open();
        let recorded = recorded(&inner.books.state());
        let is_theirs = |text: &String| inner.neighbours.mentioned_in(text);
        let orphan = seen.orphans(LINEAGE, &recorded).into_iter().find(|orphan| !is_theirs(orphan));
        let leak = seen.leaks().into_iter().find(|leak| !is_theirs(leak));
        let lingers = self.story.cloud.linger_ms > 0;
        drop(inner);
        if let Some(orphan) = orphan {
            self.find(Class::Liveness, "I4 no orphan", orphan);
        } else if let Some(leak) = leak.filter(|_| !lingers) {
            self.find(Class::Liveness, "nothing is left over", leak);
        }
    }

    /// The same with nothing going wrong, in an account of its own. What was chosen once stays: a stack that began in two
    /// zones does not spread to more when it grows. How long things take makes no difference to what is there.
    fn calm(&mut self) -> Picture {
        let calm_story = Story { commands: Vec::new(), cloud: Cloud::PLAIN, ..self.story.clone() };
        let mut calm = Player::new(&calm_story, Manner::PLAIN);
        let mut start = State::new(LINEAGE);
        start.private.choices = self.desk.open().books.state().private.choices;
        calm.desk.open().books.start_from(start);
        for _ in 0..RUNS_MAX {
            if let End::Nothing = calm.healthy(Mode::Apply) {
                break;
            }
        }
        self.played.calm_cycles += calm.played.cycles;
        calm.picture()
    }

    /// What is there but for somebody else's. A server's volume keeps the tags of the launch, also when the server is
    /// renamed, so volumes are only counted.
    fn picture(&self) -> Picture {
        let inner = self.desk.open();
        let mut picture = Picture::new();
        for object in self.world.account.objects(self.world.now()) {
            let named = if object.kind == ObjectKind::Volume { None } else { object.tags.get(ADDRESS_TAG) };
            if !inner.neighbours.owns(&object) {
                *picture.entry((object.kind.to_string(), named.cloned().unwrap_or_default())).or_default() += 1;
            }
        }
        picture
    }

    /// Nothing of it is left.
    fn destroy(&mut self) {
        for run in 1..=RUNS_MAX {
            let end = self.healthy(Mode::Destroy);
            if self.found() {
                return;
            }
            match end {
                End::Nothing => return self.judge_gone(),
                End::Refused(why) if why.contains("deletion protection") && !self.story.converges => {
                    // As its message says: apply with the protection off first.
                    let _any_end = self.healthy(Mode::Apply);
                }
                End::Refused(why) => {
                    return self.find(Class::Liveness, "I9 destroy has a plan", why);
                }
                End::Ran(end) if run == RUNS_MAX => {
                    self.find(Class::Liveness, "I9 destroy finishes", format!("not done in {run} runs: {end:?}"));
                }
                End::Ran(RunEnd::Outcome(Outcome::Done)) => {}
                End::Ran(_) => self.world.rest(GROWING),
            }
        }
    }

    fn judge_gone(&mut self) {
        // What AWS deletes by itself is gone by then.
        self.world.rest(Duration::from_secs(7200));
        let left = self.picture();
        if let Some(((kind, address), _)) = left.first_key_value() {
            return self.find(Class::Liveness, "I9 destroy finishes", format!("{kind} {address} is left"));
        }
        let state = self.desk.open().books.state();
        if let Some(address) = state.private.intents.keys().next() {
            return self.find(Class::Liveness, "I4 no intent is left", format!("{address} is held for unfinished"));
        }
        let [stranger, _] = DECLARABLE;
        if state.objects().any(|(target, _)| target.to_string() != stranger) {
            self.find(Class::Liveness, "I9 destroy finishes", "the state records objects that are gone");
        }
    }

    fn judge_neighbours(&mut self) {
        let now = self.world.now();
        let harmed = self.desk.open().neighbours.harmed(&mut self.world.account, now);
        if let Some(what) = harmed {
            self.find(Class::Safety, "nothing not ours is touched", what);
        }
        // The account's own text is long: one story in eight.
        let is_read = self.story.seed.is_multiple_of(8);
        let account = is_read.then(|| serde_json::to_string(&self.world.account).unwrap_or_default());
        if account.is_some_and(|account| account.contains(PASSWORD)) {
            self.find(Class::Safety, "I6 no secret", "the password is in the account");
        }
    }
}

/// Objects by kind and address.
type Picture = BTreeMap<(String, String), u32>;

fn options(story: &Story) -> Options {
    Options {
        seed: story.seed,
        durations: story.cloud.durations,
        visibility_delay_ms: story.cloud.visibility_ms,
        interface_linger_ms: story.cloud.linger_ms,
        throttling: story.cloud.throttling,
        ..Options::default()
    }
}

fn texts(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What any of the wishes allows.
fn expected(wishes: &[(Settings, Variables)]) -> Expected {
    let ports = |rule: &IngressRule| {
        let make = if rule.protocol == "udp" { Ports::udp } else { Ports::tcp };
        make(rule.from_port, rule.to_port)
    };
    let project = wishes.last().map(|(_, variables)| variables.project_name.clone()).unwrap_or_default();
    Expected {
        app_ports: wishes.iter().flat_map(|(_, variables)| variables.app_ingress.iter().map(ports)).collect(),
        db_port: 5432,
        app_group_name: format!("{project}-app-sg"),
        db_group_name: format!("{project}-db-sg"),
    }
}
