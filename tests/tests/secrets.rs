//! I6: the password is in nothing that is written, told or printed, whatever goes wrong; and what RDS does with a
//! password of its own.

use std::sync::Arc;

use aloka::planfile::PlanFile;
use aloka_core::address::Address;
use aloka_core::api::{Call, Operation, Rds, Reply, Request};
use aloka_core::engine::{Executor, Notice, Outcome};
use aloka_core::fingerprint::{self, Cost};
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode, Node, Plan};
use aloka_core::plan::{Password, Planned};
use aloka_core::render::ui_json::planned_changes;
use aloka_core::render::{
    Context, Options as Shown, calls_json, calls_text, plan_json, plan_text, state_json, state_text,
};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::Inputs;
use aloka_core::state::{State, file, kept};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::fault::{Fault, FaultPlan};
use aloka_sim::rehearsal::{NotPlanned, plan_round};
use aloka_sim::store::{MemoryStore, Store};
use aloka_sim::trace::Trace;
use aloka_sim::world::{RunEnd, Unwatched, Watch};
use aloka_tests::canary::{CANARY, Canary, OTHER_CANARY};
use aloka_tests::{Bench, MANAGED, variables};

const FAULTS: [Fault; 9] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::LostReply,
    Fault::Throttled,
    Fault::ServerError { acted: true },
    Fault::ServerError { acted: false },
    Fault::StoreFailed,
    Fault::Stop,
    Fault::Abandon,
];

fn database() -> Address {
    Address::root(Kind::DbInstance, "postgres")
}

/// Passes on what is written, and keeps it.
struct Tap<'a> {
    store: &'a mut MemoryStore,
    written: Vec<String>,
}

impl Store for Tap<'_> {
    fn write(&mut self, state: &Arc<State>) -> Result<(), String> {
        self.written.push(file::write(state));
        self.store.write(state)
    }
}

/// Keeps all that a run tells.
#[derive(Default)]
struct Ear(Vec<String>);

impl Watch for Ear {
    fn notice(&mut self, _nodes: &[Node], notice: &Notice) {
        self.0.push(format!("{notice:?}"));
    }

    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        self.0.push(format!("{request} {request:?} {reply:?}"));
    }
}

/// A user with a password, who knows its hash as the tool would.
struct User {
    secrets: Secrets,
    hash: String,
}

impl User {
    fn new(password: &str) -> Self {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new(password));
        Self { secrets, hash: fingerprint::hash(&Secret::new(password), &[7; 16], Cost::TRIFLE) }
    }

    fn inputs(&self, variables: &Variables, mode: Mode, state: &State) -> Inputs {
        let recorded = state.private.secrets.get(DB_PASSWORD).map(|hash| &**hash);
        let password =
            if recorded == Some(&self.hash) { Password::Unchanged } else { Password::New(self.hash.clone()) };
        Inputs::new(variables.clone(), mode, password)
    }

    /// One command. Everything it wrote, told and showed, and how it ended; `None` if it did not come to a plan.
    fn command(&self, bench: &mut Bench, variables: &Variables, mode: Mode) -> (Vec<String>, Option<RunEnd>) {
        bench.world.trace = Trace::on();
        let state = bench.state();
        let inputs = self.inputs(variables, mode, &state);
        let mut said = vec![format!("{inputs:?}"), format!("{state:?}")];
        let mut tap = Tap { store: &mut bench.store, written: Vec::new() };
        let end = match plan_round(&mut bench.world, &mut tap, &self.secrets, state, &inputs) {
            Ok(planned) => {
                said.extend(shown(&planned, &inputs));
                let mut executor = Executor::for_plan(&planned, bench.world.now());
                let mut ear = Ear::default();
                let end = bench.world.run(&mut executor, &mut tap, &self.secrets, &mut ear);
                said.extend([format!("{executor:?}"), format!("{end:?}")]);
                said.extend(ear.0);
                Some(end)
            }
            Err(NotPlanned::Ended(end)) => {
                said.push(format!("{end:?}"));
                None
            }
            Err(NotPlanned::Problems(problems)) => panic!("{problems:?}"),
        };
        said.extend(tap.written);
        let state = bench.state();
        said.extend([state_text(&state).ansi(), state_json(&state).to_string(), file::write(&state)]);
        said.push(bench.world.trace.to_json_lines());
        said.push(serde_json::to_string(&bench.world.account).expect("JSON"));
        said.push(format!("{:?}", bench.world));
        (said, end)
    }
}

/// A plan in every form it is shown or kept in.
fn shown(planned: &Planned, inputs: &Inputs) -> Vec<String> {
    let plan = &planned.plan;
    let file = PlanFile::new("sim", "default", inputs, plan);
    vec![
        format!("{planned:?}"),
        format!("{file:?}"),
        serde_json::to_string(&file).expect("JSON"),
        plan_text(plan, Shown::default()).ansi(),
        calls_text(plan).plain(),
        plan_json(plan, Context::default()).to_string(),
        calls_json(plan).to_string(),
        format!("{:?}", planned_changes("", plan)),
    ]
}

fn is_done(end: Option<&RunEnd>) -> bool {
    matches!(end, Some(RunEnd::Outcome(Outcome::Done)))
}

/// Every fault at every `step`th effect of one command, and the re-run.
fn sweep(canary: &Canary, start: &Bench, user: &User, variables: &Variables, mode: Mode, step: usize) -> u32 {
    let mut calm = start.clone();
    let (said, end) = user.command(&mut calm, variables, mode);
    assert!(is_done(end.as_ref()), "{end:?}");
    said.iter().for_each(|text| canary.absent(&format!("{mode:?}"), text));
    let mut schedules = 0;
    for effect in (start.world.effects()..calm.world.effects()).step_by(step) {
        for fault in &FAULTS {
            schedules += 1;
            let story = format!("{mode:?}, {fault:?} at effect {effect}");
            let mut bench = start.clone();
            bench.world.faults = FaultPlan::at(effect, fault.clone());
            for _ in 0..3 {
                let (said, end) = user.command(&mut bench, variables, mode);
                said.iter().for_each(|text| canary.absent(&story, text));
                bench.world.faults = FaultPlan::none();
                if is_done(end.as_ref()) {
                    break;
                }
            }
        }
    }
    schedules
}

#[test]
fn no_byte_holds_the_password_whatever_happens() {
    let canary = Canary::new();
    let (user, other) = (User::new(CANARY), User::new(OTHER_CANARY));
    let (plain, managed) = (variables(""), variables(MANAGED));
    let mut bench = Bench::new(61, Durations::Median);
    let mut schedules = sweep(&canary, &bench, &user, &plain, Mode::Apply, 41);
    let done = |bench: &mut Bench, user: &User, variables: &Variables| {
        let (_, end) = user.command(bench, variables, Mode::Apply);
        assert!(is_done(end.as_ref()), "{end:?}");
    };
    done(&mut bench, &user, &plain);
    schedules += sweep(&canary, &bench, &other, &plain, Mode::Apply, 5);
    done(&mut bench, &other, &plain);
    schedules += sweep(&canary, &bench, &other, &managed, Mode::Apply, 5);
    done(&mut bench, &other, &managed);
    schedules += sweep(&canary, &bench, &user, &plain, Mode::Apply, 5);
    done(&mut bench, &user, &plain);
    schedules += sweep(&canary, &bench, &user, &plain, Mode::Destroy, 41);
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn two_passwords_differ_in_nothing_but_the_hash() {
    let life = |password: &str, next: &str| {
        let mut bench = Bench::new(62, Durations::Drawn);
        let (user, rotated) = (User::new(password), User::new(next));
        let variables = variables("");
        let mut said = Vec::new();
        for (user, mode) in
            [(&user, Mode::Apply), (&user, Mode::Apply), (&rotated, Mode::Apply), (&rotated, Mode::Destroy)]
        {
            let (texts, end) = user.command(&mut bench, &variables, mode);
            assert!(is_done(end.as_ref()), "{end:?}");
            said.extend(texts);
        }
        // In base64 as well, where Terraform keeps it.
        let kept = |hash: &str| kept::with_hash(None, hash).expect("nothing is in its way");
        let masked = said.iter().map(|text| {
            let text = text.replace(&user.hash, "HASH").replace(&rotated.hash, "NEXT");
            text.replace(&kept(&user.hash), "KEPT").replace(&kept(&rotated.hash), "KEPT NEXT")
        });
        (masked.collect::<Vec<_>>(), user.hash)
    };
    let (one, hash) = life("first-password-1", "second-password-2");
    let (two, other_hash) = life("another-one-3", "the-last-of-these-4");
    assert_ne!(hash, other_hash);
    assert!(one.iter().any(|text| text.contains("HASH")), "the hash is not recorded");
    assert!(one == two, "what is written depends on the password");
}

fn planned(bench: &mut Bench, user: &User, variables: &Variables) -> Plan {
    let state = bench.state();
    let inputs = user.inputs(variables, Mode::Apply, &state);
    match plan_round(&mut bench.world, &mut bench.store, &user.secrets, state, &inputs) {
        Ok(planned) => planned.plan,
        Err(_) => panic!("no plan"),
    }
}

/// Applies, and expects this plan: one change in place of the attributes named, or nothing.
#[track_caller]
fn changes(bench: &mut Bench, user: &User, variables: &Variables, attributes: &[&str]) {
    let plan = planned(bench, user, variables);
    let changed: Vec<_> = plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    if attributes.is_empty() {
        assert!(plan.is_empty(), "{changed:?}");
        return;
    }
    let [change] = changed[..] else { panic!("{changed:?}") };
    assert_eq!((&change.target.address, change.action), (&database(), Action::Update));
    let names: Vec<_> = change.attributes.iter().map(|attribute| &*attribute.name).collect();
    assert_eq!(names, attributes);
    let (_, end) = user.command(bench, variables, Mode::Apply);
    assert!(is_done(end.as_ref()), "{end:?}");
    assert!(planned(bench, user, variables).is_empty());
}

fn attribute(bench: &Bench, name: &str) -> Value {
    bench.state().attribute(&database(), name).cloned().unwrap_or_default()
}

#[test]
fn a_password_that_rds_manages() {
    let (user, other) = (User::new(CANARY), User::new(OTHER_CANARY));
    let (plain, managed) = (variables(""), variables(MANAGED));
    let mut bench = Bench::new(63, Durations::Median);
    let plan = planned(&mut bench, &user, &managed);
    let creation =
        plan.calls().find(|(_, call, _)| call.operation == Operation::Rds(Rds::CreateDBInstance)).expect("a call").1;
    assert_eq!(creation.arg("ManageMasterUserPassword"), &true.into());
    assert!(creation.arg("MasterUserPassword").is_null());
    let (_, end) = user.command(&mut bench, &managed, Mode::Apply);
    assert!(is_done(end.as_ref()), "{end:?}");
    assert_eq!(attribute(&bench, "manage_master_user_password"), true.into());
    let secret = attribute(&bench, "master_user_secret");
    let arn = secret.at("0.secret_arn").and_then(Value::as_str).expect("an ARN");
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:"), "{arn}");
    assert_eq!(secret.at("0.secret_status"), Some(&"active".into()));
    assert!(bench.state().private.secrets.is_empty(), "there is no password of ours to tell a change by");
    changes(&mut bench, &user, &managed, &[]);

    changes(&mut bench, &user, &plain, &["manage_master_user_password", "password"]);
    assert_eq!(attribute(&bench, "manage_master_user_password"), false.into());
    assert_eq!(attribute(&bench, "master_user_secret"), Value::EMPTY_LIST);
    assert!(bench.state().private.secrets.contains_key(DB_PASSWORD));
    changes(&mut bench, &user, &plain, &[]);
    changes(&mut bench, &other, &plain, &["password"]);
    changes(&mut bench, &other, &managed, &["manage_master_user_password"]);
    // The same password as before is another one than the one RDS made.
    changes(&mut bench, &other, &plain, &["manage_master_user_password", "password"]);
}

/// Somebody lets RDS manage the password behind our back, or takes it back.
#[test]
fn who_manages_the_password_drifts() {
    let user = User::new(CANARY);
    let (plain, managed) = (variables(""), variables(MANAGED));
    for (declared, turned, attributes) in [
        (&plain, true, &["manage_master_user_password", "password"][..]),
        (&managed, false, &["manage_master_user_password"][..]),
    ] {
        let mut bench = Bench::new(64, Durations::Instant);
        let (_, end) = user.command(&mut bench, declared, Mode::Apply);
        assert!(is_done(end.as_ref()), "{end:?}");
        let password = if turned { Value::Null } else { Value::Secret(DB_PASSWORD.into()) };
        let call = Call::new(
            Operation::Rds(Rds::ModifyDBInstance),
            [
                ("DBInstanceIdentifier", attribute(&bench, "identifier")),
                ("ManageMasterUserPassword", turned.into()),
                ("MasterUserPassword", password),
                ("ApplyImmediately", true.into()),
            ],
        );
        let now = bench.world.now();
        bench.world.account.call(now, &Request(call), &user.secrets).expect("RDS does it");
        let plan = planned(&mut bench, &user, declared);
        let drifted = plan.drift.iter().any(|drift| drift.attribute.as_deref() == Some(attributes[0]));
        assert!(drifted, "{:?}", plan.drift);
        changes(&mut bench, &user, declared, attributes);
    }
}

/// A crash between the call and its record: the re-run finds nothing wrong, and the next switch is not missed.
#[test]
fn a_switch_that_could_not_be_recorded() {
    let user = User::new(CANARY);
    let (plain, managed) = (variables(""), variables(MANAGED));
    let mut start = Bench::new(65, Durations::Median);
    let (_, end) = user.command(&mut start, &plain, Mode::Apply);
    assert!(is_done(end.as_ref()), "{end:?}");
    let mut calm = start.clone();
    let (_, end) = user.command(&mut calm, &managed, Mode::Apply);
    assert!(is_done(end.as_ref()), "{end:?}");
    for effect in start.world.effects()..calm.world.effects() {
        let mut bench = start.clone();
        bench.world.faults = FaultPlan::at(effect, Fault::CrashAfter);
        let _ended = user.command(&mut bench, &managed, Mode::Apply);
        bench.world.faults = FaultPlan::none();
        let (_, end) = user.command(&mut bench, &managed, Mode::Apply);
        assert!(is_done(end.as_ref()), "{effect}: {end:?}");
        assert_eq!(attribute(&bench, "manage_master_user_password"), true.into(), "{effect}");
        changes(&mut bench, &user, &managed, &[]);
        changes(&mut bench, &user, &plain, &["manage_master_user_password", "password"]);
    }
}

/// What Terraform recorded in clear is written nowhere.
#[test]
fn a_password_in_terraforms_state_is_not_written() {
    let canary = Canary::new();
    let text = serde_json::json!({"version": 4, "serial": 3, "lineage": "l", "resources": [{
        "mode": "managed", "type": "aws_db_instance", "name": "postgres", "provider": "p",
        "instances": [{"schema_version": 2, "attributes": {"id": "db-1", "identifier": "x", "password": CANARY}}],
    }]});
    let state = file::read(&text.to_string()).expect("a state");
    for text in [file::write(&state), state_text(&state).ansi(), state_json(&state).to_string()] {
        canary.absent("what is written of it", &text);
    }
    assert!(file::write(&state).contains("\"identifier\""));
}

/// Guards the sweep against hearing nothing.
#[test]
fn a_password_that_is_told_is_heard() {
    let mut bench = Bench::new(66, Durations::Instant);
    let mut inputs = User::new("some-password").inputs(&variables(""), Mode::Apply, &bench.state());
    inputs.user_data = Some(CANARY.to_owned());
    let state = bench.state();
    let secrets = User::new("some-password").secrets;
    let Ok(planned) = plan_round(&mut bench.world, &mut bench.store, &secrets, state, &inputs) else {
        panic!("no plan");
    };
    let canary = Canary::new();
    let heard = shown(&planned, &inputs).iter().filter(|text| canary.find(text.as_bytes()).is_some()).count();
    assert!(heard >= 4, "{heard}");
    let end = bench.run(&planned, &mut Unwatched);
    assert!(is_done(Some(&end)), "{end:?}");
}
