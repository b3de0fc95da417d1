//! The account file: it remembers from command to command, and refuses what it cannot use.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2};
use aloka_core::identity;
use aloka_core::kind::Kind;
use aloka_core::plan::{Save, Step, Verb};
use aloka_core::state::Target;
use aloka_core::value::{Value, ValueMap};

use super::*;
use crate::backend::LocalBackend;
use crate::cloud::{Cloud, CloudKind};

const LINEAGE: &str = "6f3c4a55-5d1c-4a53-9a2a-3f0c8b1f6a11";

#[derive(Default)]
struct Heard(usize);

impl Observer for Heard {
    fn notice(&mut self, _nodes: &[Node], _notice: &Notice) {
        self.0 += 1;
    }
}

fn settings(directory: &Path) -> CloudSettings {
    CloudSettings {
        kind: CloudKind::Sim,
        region: "us-east-1".to_owned(),
        profile: None,
        account_file: directory.join(".aloka/sim-account.json"),
    }
}

fn node(verb: Verb, call: Call, save: Save) -> Node {
    Node {
        target: Target::current(Address::vpc(Kind::Vpc, "this", 0)),
        verb,
        steps: vec![Step::Call { call, save, recover: None, way_back: None }],
        needs: Vec::new(),
        generation: 1,
        after: ValueMap::new().into(),
        dependencies: std::sync::Arc::default(),
    }
}

fn create() -> Node {
    let tags = identity::tags(&LINEAGE.into(), &Address::vpc(Kind::Vpc, "this", 0), 1);
    let call = Call::new(Ec2::CreateVpc, [("CidrBlock", "10.0.0.0/16".into()), ("Tags", Value::Map(tags))]);
    node(Verb::Create, call, Save::Object("Vpc".into()))
}

fn describe() -> Node {
    let ours = Value::map([("cidr-block", Value::list(["10.0.0.0/16"]))]);
    node(Verb::Read, Call::new(Ec2::DescribeVpcs, [("Filters", ours)]), Save::Nothing)
}

fn found(cloud: &mut Cloud) -> usize {
    let mut executor = Executor::new(vec![describe()], State::new(LINEAGE), cloud.now());
    let outcome = cloud.run(&mut executor, None, &Secrets::default(), &mut Heard::default()).expect("a run");
    assert_eq!(outcome, Outcome::Done);
    let replies = executor.replies();
    let reply = replies.first().expect("a reply").1.as_ref().expect("an answer");
    reply.get("Vpcs").as_list().map_or(0, <[Value]>::len)
}

#[test]
fn the_account_is_there_again_for_the_next_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = settings(dir.path());
    let mut backend = LocalBackend::new(dir.path().join("terraform.tfstate"));
    let mut cloud = Cloud::open(&settings).expect("a new account");
    assert_eq!(found(&mut cloud), 0);
    let mut heard = Heard::default();
    let mut executor = Executor::new(vec![create()], State::new(LINEAGE), cloud.now());
    let outcome = cloud.run(&mut executor, Some(&mut backend), &Secrets::default(), &mut heard).expect("a run");
    assert_eq!(outcome, Outcome::Done);
    assert!(heard.0 > 0);
    assert_eq!(backend.read().expect("read").expect("a state"), executor.into_state());
    let mut again = Cloud::open(&settings).expect("the same account");
    assert_eq!(again.now(), cloud.now(), "time goes on where it was");
    assert_eq!(found(&mut again), 1);
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&settings.account_file), 0o600);
    assert_eq!(mode(settings.account_file.parent().expect("a directory")), 0o700);
}

#[test]
fn what_a_failed_run_did_is_remembered() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = settings(dir.path());
    let mut cloud = Cloud::open(&settings).expect("a new account");
    let mut executor = Executor::new(vec![create()], State::new(LINEAGE), cloud.now());
    let outcome = cloud.run(&mut executor, None, &Secrets::default(), &mut Heard::default()).expect("a run");
    assert!(matches!(outcome, Outcome::StoreFailed { .. }), "{outcome:?}");
    assert!(settings.account_file.exists());
}

#[test]
fn an_unusable_account_file_is_refused_and_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = settings(dir.path());
    let mut backend = LocalBackend::new(dir.path().join("terraform.tfstate"));
    let mut cloud = Cloud::open(&settings).expect("a new account");
    let mut executor = Executor::new(vec![create()], State::new(LINEAGE), cloud.now());
    let _outcome =
        cloud.run(&mut executor, Some(&mut backend), &Secrets::default(), &mut Heard::default()).expect("a run");
    let elsewhere = CloudSettings { region: "eu-west-1".to_owned(), ..settings.clone() };
    let refused = Cloud::open(&elsewhere).err().expect("it is in another Region");
    assert!(refused.to_string().contains("us-east-1") && refused.to_string().contains("eu-west-1"), "{refused}");
    assert!(refused.hint().is_some());
    fs::write(&settings.account_file, "{").expect("somebody breaks it");
    assert!(Cloud::open(&settings).is_err());
    assert_eq!(fs::read_to_string(&settings.account_file).expect("the file"), "{");
}
