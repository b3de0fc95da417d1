//! What the tests share: valid variables at random, and a bench that plans and applies on a simulated account.

pub mod canary;
pub mod forms;
pub mod operator;
pub mod parsers;
pub mod swarm;
pub mod sweep;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::engine::{Executor, Outcome};
use aloka_core::identity::{ADDRESS_TAG, GENERATION_TAG, LINEAGE_TAG};
use aloka_core::kind::Kind;
use aloka_core::plan::Mode;
use aloka_core::plan::{Password, Planned, Problem};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_core::value::Value;
use aloka_core::variables::{Needs, Source, Variables, evaluate};
use aloka_sim::aws::{Account, Durations, ObjectKind, Options};
use aloka_sim::fault::FaultPlan;
use aloka_sim::rehearsal::{NotPlanned, plan_round};
use aloka_sim::store::MemoryStore;
use aloka_sim::world::{Latency, RunEnd, Unwatched, Watch, World};
use proptest::prelude::*;

/// The password every test uses; nothing may ever write it down.
pub const PASSWORD: &str = "Canary-7f3k-Pa55w0rd";
/// The lineage every test uses.
pub const LINEAGE: &str = "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0001";

/// The line of a variables file that leaves the password to RDS.
pub const MANAGED: &str = "db_manage_master_user_password = true";

/// Variables from the text of a variables file.
///
/// # Panics
/// If they are not valid: a test that hands in invalid ones is wrong.
pub fn variables(tfvars: &str) -> Variables {
    let file = Source::File { path: "terraform.tfvars".to_owned(), contents: tfvars.to_owned() };
    let password = Source::CommandLine { name: DB_PASSWORD.to_owned(), value: PASSWORD.to_owned() };
    // With a password that RDS manages, none may be given.
    let managed = tfvars.lines().any(|line| line == MANAGED);
    let sources: Vec<Source> = std::iter::once(file).chain((!managed).then_some(password)).collect();
    match evaluate(&sources, Needs { password: true }) {
        Ok(evaluated) => evaluated.variables,
        Err(problems) => panic!("{}\n{tfvars}", problems.iter().map(ToString::to_string).collect::<String>()),
    }
}

/// What a user would ask for with these variables.
pub fn inputs(variables: Variables, mode: Mode, state: &State) -> Inputs {
    let managed = variables.db_manage_master_user_password;
    let known = state.private.secrets.contains_key(DB_PASSWORD);
    let password = if managed {
        Password::Absent
    } else if known {
        Password::Unchanged
    } else {
        Password::New("argon2id$test".to_owned())
    };
    Inputs::new(variables, mode, password)
}

/// Processor time of this thread so far, from `/proc`; elsewhere the time since `start`.
pub fn clock(start: std::time::Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The one secret.
pub fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    secrets
}

/// A simulated account with a state beside it.
#[derive(Clone)]
pub struct Bench {
    /// The account and its clock.
    pub world: World,
    /// The state file.
    pub store: MemoryStore,
}

impl Bench {
    /// An empty account.
    pub fn new(seed: u64, durations: Durations) -> Self {
        Self::with(Options { seed, durations, ..Options::default() })
    }

    /// An empty account with these options.
    pub fn with(options: Options) -> Self {
        let account = Account::new(options);
        Self { world: World::new(account, Latency::default()), store: MemoryStore::new() }
    }

    /// The recorded state.
    pub fn state(&self) -> State {
        self.store.state(LINEAGE)
    }

    /// A plan.
    ///
    /// # Errors
    /// Why there is none.
    pub fn plan(&mut self, variables: &Variables, mode: Mode) -> Result<Planned, Vec<Problem>> {
        let state = self.state();
        let inputs = inputs(variables.clone(), mode, &state);
        match plan_round(&mut self.world, &mut self.store, &secrets(), state, &inputs) {
            Ok(planned) => Ok(planned),
            Err(NotPlanned::Problems(problems)) => Err(problems),
            Err(NotPlanned::Ended(end)) => panic!("planning ended with {end:?}"),
        }
    }

    /// Carries out a plan.
    pub fn run(&mut self, planned: &Planned, watch: &mut dyn Watch) -> RunEnd {
        let mut executor = Executor::for_plan(planned, self.world.now());
        self.world.run(&mut executor, &mut self.store, &secrets(), watch)
    }

    /// Plans and carries out, without faults.
    ///
    /// # Panics
    /// If there is no plan or it does not end well.
    pub fn apply(&mut self, variables: &Variables, mode: Mode) -> Planned {
        self.world.faults = FaultPlan::none();
        let planned = self.plan(variables, mode).unwrap_or_else(|problems| panic!("{problems:?}"));
        let end = self.run(&planned, &mut Unwatched);
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{mode:?}");
        planned
    }
}

/// What an account holds, without what differs from run to run: objects by address, each with its kind and tags.
pub fn picture(world: &World) -> BTreeMap<(String, String), u32> {
    let mut picture = BTreeMap::new();
    for object in world.account.objects(world.now()) {
        let address = object.tags.get("aloka-address").cloned().unwrap_or_default();
        *picture.entry((format!("{:?}", object.kind), address)).or_default() += 1;
    }
    picture
}

/// Takes the tags that aloka finds its objects by off all of them, as if somebody else had made them.
///
/// # Panics
/// If the account refuses.
pub fn untag(bench: &mut Bench) {
    let now = bench.world.now();
    // The VPC's own group is no object by itself.
    let groups = Request(Call::new(Ec2::DescribeSecurityGroups, []));
    let groups = bench.world.account.call(now, &groups, &secrets()).expect("groups");
    for group in groups.get("SecurityGroups").as_list().expect("a list") {
        let keys = Value::list([LINEAGE_TAG, ADDRESS_TAG, GENERATION_TAG]);
        let args = [("Resources", Value::List(vec![group.get("GroupId").clone()])), ("TagKeys", keys)];
        let reply = bench.world.account.call(now, &Request(Call::new(Ec2::DeleteTags, args)), &secrets());
        assert!(reply.is_ok(), "{reply:?}");
    }
    for object in bench.world.account.objects(now) {
        let keys = Value::list([LINEAGE_TAG, ADDRESS_TAG, GENERATION_TAG]);
        let arn =
            |kind| format!("arn:aws:rds:us-east-1:{}:{kind}:{}", bench.world.account.options().account_id, object.id);
        let of_rds = |arn| (Operation::Rds(Rds::RemoveTagsFromResource), ("ResourceName", Value::from(arn)));
        let (operation, object_args) = match object.kind {
            ObjectKind::Resource(Kind::DbInstance) => of_rds(arn("db")),
            ObjectKind::Resource(Kind::DbSubnetGroup) => of_rds(arn("subgrp")),
            _ => (Operation::Ec2(Ec2::DeleteTags), ("Resources", Value::list([object.id.as_str()]))),
        };
        let args = [object_args, ("TagKeys", keys)];
        let reply = bench.world.account.call(now, &Request(Call::new(operation, args)), &secrets());
        assert!(reply.is_ok(), "{:?} {}: {reply:?}", object.kind, object.id);
    }
}

/// Rules of `app_ingress`; any set of them is valid. Some differ in nothing but the protocol.
const RULES: [&str; 9] = [
    "port = 80",
    "port = 443",
    "port = 8080",
    "port = 8443",
    "port = 3000",
    "port = 443, protocol = \"udp\"",
    "port = 5060, protocol = \"udp\"",
    "port = 5060, protocol = \"tcp\"",
    "from_port = 10000, to_port = 10100, protocol = \"udp\"",
];

/// Logs of a database.
const LOGS: [&str; 3] = ["iam-db-auth-error", "postgresql", "upgrade"];

/// Valid variables files, over everything a stack can vary in.
pub fn any_tfvars() -> impl Strategy<Value = String> {
    // EC2 keeps names that begin with sg- to itself.
    let project = "[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?";
    let project = project.prop_filter("sg-", |name: &String| name.split('-').next() != Some("sg"));
    let names = (project, "[a-z]{1,6}");
    let network = (1_usize..=4, 2_usize..=4, 0_u8..=255, any::<bool>(), any::<bool>(), any::<bool>());
    let app = (
        0_u32..=4,
        prop::sample::select(vec!["t3.micro", "t3.small", "t3.medium"]),
        prop::sample::select(vec!["amazon-linux-2", "al2023"]),
        prop::collection::btree_set(prop::sample::select(RULES.to_vec()), 0..=4),
        prop::option::of(20_u32..=40),
    );
    let db = (
        prop::option::of(prop::sample::select(vec!["15.13", "15.19", "16.10", "17"])),
        prop::sample::select(vec!["db.t3.micro", "db.t3.small"]),
        20_u32..=100,
        any::<bool>(),
        0_u32..=7,
        any::<bool>(),
        any::<bool>(),
        prop::option::of(prop::collection::btree_set(prop::sample::select(LOGS.to_vec()), 0..=3)),
    );
    let tags = prop::collection::btree_map("[A-Z][a-z]{1,6}", "[a-z0-9 ]{0,8}", 0..=3);
    (names, network, app, db, tags).prop_map(|((project, environment), network, app, db, tags)| {
        let (publics, privates, octet, nat, single, endpoint) = network;
        // One gateway for each zone needs a public subnet in each.
        let publics = if nat && !single { publics.max(privates) } else { publics };
        let (count, instance_type, family, ports, volume) = app;
        let (version, class, storage, multi_az, retention, encrypted, managed, logs) = db;
        let cidrs = |from: usize, count: usize| {
            (from..from + count).map(|third| format!("\"10.{octet}.{third}.0/24\"")).collect::<Vec<_>>().join(", ")
        };
        let ports: Vec<String> = ports.iter().map(|rule| format!("{{ {rule} }}")).collect();
        let tags: Vec<String> = tags.iter().map(|(key, value)| format!("Z{key} = \"{value}\"")).collect();
        let mut text = format!(
            "project_name = \"{project}\"\nenvironment = \"{environment}\"\nvpc_cidr = \"10.{octet}.0.0/16\"\n\
             public_subnet_cidrs = [{}]\nprivate_subnet_cidrs = [{}]\nenable_nat_gateway = {nat}\n\
             single_nat_gateway = {single}\nenable_s3_endpoint = {endpoint}\napp_instance_count = {count}\napp_instance_type = \"{instance_type}\"\n\
             app_ami_family = \"{family}\"\napp_ingress = [{}]\ndb_instance_class = \"{class}\"\n\
             db_allocated_storage = {storage}\ndb_multi_az = {multi_az}\ndb_backup_retention_days = {retention}\n\
             db_storage_encrypted = {encrypted}\ntags = {{ {} }}\n",
            cidrs(1, publics),
            cidrs(100, privates),
            ports.join(", "),
            tags.join(", "),
        );
        // Writing into a String cannot fail.
        if managed {
            let _infallible = writeln!(text, "{MANAGED}");
        }
        if let Some(version) = version {
            let _infallible = writeln!(text, "db_engine_version = \"{version}\"");
        }
        if let Some(volume) = volume {
            let _infallible = writeln!(text, "app_root_volume_gib = {volume}");
        }
        if let Some(logs) = logs {
            let copies = logs.len() != 1;
            let logs: Vec<String> = logs.iter().map(|log| format!("\"{log}\"")).collect();
            let list = logs.join(", ");
            let _infallible =
                writeln!(text, "db_enabled_cloudwatch_logs_exports = [{list}]\ndb_copy_tags_to_snapshot = {copies}");
        }
        text
    })
}
