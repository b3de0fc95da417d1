//! Plans and states for tests: a few telling ones, and arbitrary ones from a seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::address::Address;
use crate::api::{Call, Operation};
use crate::kind::Kind;
use crate::plan::{
    Accept, Action, AttributeChange, Change, Drift, Expect, Lookup, Mode, Node, Order, OutputChange, Pace, Plan,
    Reason, Save, Short, Step, Verb, Waiter,
};
use crate::state::{Choices, Resource, State, Target};
use crate::value::{Value, ValueMap};

/// SplitMix64: small, and the same for ever.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn size(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        let index = self.size(items.len() as u64);
        items[index].clone()
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A password in clear, as Terraform leaves one in its state.
pub(crate) const CLEAR_PASSWORD: &str = "ChangeMe123Secure";

const TEXTS: [&str; 8] = ["", "10.0.0.0/16", "a\nb", "\u{1b}[31mred", "\"q\"\\", "größe", "\u{202e}rtl", "{}"];
const NAMES: [&str; 9] =
    ["id", "identifier", "name", "tags", "ingress", "arn", "password", "odd key", "vpc_security_group_ids"];

pub(crate) fn address(rng: &mut Rng) -> Address {
    Address {
        in_vpc_module: rng.flip(),
        kind: rng.pick(&Kind::ALL),
        name: rng.pick(&["this", "app", "postgres"]).into(),
        index: rng.pick(&[None, Some(0), Some(1), Some(u32::MAX)]),
    }
}

pub(crate) fn value(rng: &mut Rng, depth: u32) -> Value {
    match rng.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => rng.flip().into(),
        2 => rng.pick(&[0_i64, -1, i64::MAX]).into(),
        3 => rng.pick(&TEXTS).into(),
        4 => Value::reference(address(rng), rng.pick(&NAMES)),
        5 => Value::Secret("db_password".into()),
        6 => (0..rng.below(5)).map(|_| value(rng, depth - 1)).collect::<Vec<_>>().into(),
        _ => values(rng, depth - 1).into(),
    }
}

fn values(rng: &mut Rng, depth: u32) -> ValueMap {
    (0..rng.below(6)).map(|_| (Arc::from(rng.pick(&NAMES)), value(rng, depth))).collect()
}

/// Attributes as observed: without references, and with a password in clear if there is one.
fn observed(rng: &mut Rng, kind: Kind) -> ValueMap {
    let mut map = values(rng, 3);
    for attribute in kind.attributes() {
        if rng.flip() {
            map.insert(attribute.name.into(), rng.pick(&TEXTS).into());
        }
    }
    let mut map: ValueMap = map.into_iter().map(|(k, v)| (k, v.resolve(&|_, _| Some(Value::Null)))).collect();
    map.remove("password");
    if kind == Kind::DbInstance && rng.flip() {
        map.insert("password".into(), CLEAR_PASSWORD.into());
    }
    map
}

fn target(rng: &mut Rng) -> Target {
    let deposed = (rng.below(8) == 0).then(|| Arc::from("4e640885"));
    Target { address: address(rng), deposed }
}

fn change(rng: &mut Rng, target: Target) -> Change {
    let kind = target.address.kind;
    let actions = [
        Action::NoOp,
        Action::Create,
        Action::Update,
        Action::Replace(Order::DeleteThenCreate),
        Action::Replace(Order::CreateThenDelete),
        Action::Delete,
        Action::Forget,
    ];
    let reasons = [
        Reason::Unchanged,
        Reason::New,
        Reason::Gone,
        Reason::Changed,
        Reason::Unsettled,
        Reason::Tainted("it failed\u{1b}[2J".to_owned()),
        Reason::Tainted(String::new()),
        Reason::Deleting,
        Reason::Undeclared,
        Reason::Deposed,
        Reason::Destroy,
    ];
    let attribute = |rng: &mut Rng| {
        let name = rng.pick(&NAMES);
        let secret = name == "password" && kind == Kind::DbInstance;
        let before = if secret { CLEAR_PASSWORD.into() } else { value(rng, 3) };
        AttributeChange { name: name.into(), before, after: value(rng, 3), forces_replacement: rng.flip() }
    };
    Change {
        action: rng.pick(&actions),
        reason: rng.pick(&reasons),
        before: observed(rng, kind).into(),
        after: values(rng, 3).into(),
        attributes: (0..rng.below(4)).map(|_| attribute(rng)).collect(),
        target,
    }
}

fn call(rng: &mut Rng) -> Call {
    let operation = rng.pick(Operation::ALL);
    let args: Vec<_> = operation.parameters().iter().map(|parameter| (parameter.name, value(rng, 2))).collect();
    Call::new(operation, args)
}

fn step(rng: &mut Rng) -> Step {
    if rng.flip() {
        let recover = rng.flip().then(|| Lookup { call: call(rng), list: "Vpcs".into(), tags: values(rng, 0) });
        return Step::Call { call: call(rng), save: Save::Nothing, recover, way_back: None };
    }
    let accept = |rng: &mut Rng| {
        let path: Arc<str> = rng.pick(&["", "Vpcs.0.State"]).into();
        let expect = match rng.below(6) {
            0 => Expect::Absent { path },
            1 => Expect::Present { path },
            2 => Expect::All(vec![Expect::Present { path: path.clone() }, Expect::Absent { path }]),
            3 => Expect::Each { path, field: "Status".into(), value: value(rng, 1) },
            4 => Expect::Exactly { path, field: "VpcSecurityGroupId".into(), values: vec![value(rng, 1)] },
            _ => Expect::Equals { path, value: value(rng, 1) },
        };
        Accept { expect, success: rng.flip() }
    };
    let accept = (0..rng.below(4)).map(|_| accept(rng)).collect();
    let short = rng.flip().then(|| Short {
        expect: Expect::Absent { path: "Vpcs.0".into() },
        lasting_ms: 1000,
        told: "it works half".into(),
    });
    let pace = Pace::seconds(1, 2, u64::MAX / 1000);
    Step::Wait(Waiter { call: call(rng), accept, save: Save::Nothing, pace, short: short.map(Box::new) })
}

fn node(rng: &mut Rng) -> Node {
    Node {
        target: target(rng),
        verb: rng.pick(&[Verb::Read, Verb::Create, Verb::Update, Verb::Delete, Verb::Forget]),
        steps: (0..rng.below(4)).map(|_| step(rng)).collect(),
        needs: Vec::new(),
        generation: 1,
        after: values(rng, 1).into(),
        dependencies: Arc::default(),
    }
}

/// A plan without changes.
pub(crate) fn empty() -> Plan {
    Plan {
        mode: Mode::Apply,
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: Vec::new(),
        kept: Vec::new(),
        notes: Vec::new(),
        around: Arc::default(),
        tag_keys: BTreeSet::new(),
        moves: Vec::new(),
        blocked: Default::default(),
        nodes: Vec::new().into(),
        choices: Choices::default(),
        secrets: Default::default(),
        sensitive: Default::default(),
        account: Some("123456789012".to_owned()),
        region: "us-east-1".to_owned(),
        lineage: "lineage".into(),
        serial: 1,
    }
}

/// Any plan, also one the planner would never make.
pub(crate) fn plan(rng: &mut Rng) -> Plan {
    let mut targets: Vec<Target> = (0..rng.below(8)).map(|_| target(rng)).collect();
    targets.sort();
    targets.dedup();
    let drift = |rng: &mut Rng| Drift {
        target: target(rng),
        attribute: rng.flip().then(|| rng.pick(&["tags", "ingress", "arn"]).into()),
        recorded: value(rng, 3),
        observed: value(rng, 3),
    };
    let output = |rng: &mut Rng| OutputChange {
        name: rng.pick(&["vpc_id", "db_endpoint", "x y"]).to_owned(),
        before: value(rng, 2),
        after: value(rng, 2),
    };
    Plan {
        mode: rng.pick(&[Mode::Apply, Mode::Destroy, Mode::RefreshOnly]),
        changes: targets.into_iter().map(|target| change(rng, target)).collect(),
        drift: (0..rng.below(4)).map(|_| drift(rng)).collect(),
        outputs: (0..rng.below(4)).map(|_| output(rng)).collect(),
        moves: (0..rng.below(3)).map(|_| (address(rng), address(rng))).collect(),
        nodes: (0..rng.below(6)).map(|_| node(rng)).collect(),
        ..empty()
    }
}

/// Any state.
pub(crate) fn state(rng: &mut Rng) -> State {
    let mut state = State::new("lineage");
    for _ in 0..rng.below(8) {
        let target = target(rng);
        let resource = Arc::new(Resource {
            attributes: observed(rng, target.address.kind).into(),
            tainted: rng.flip(),
            ..Resource::default()
        });
        if target.deposed.is_none() {
            state.resources.insert(target.address, resource);
        } else {
            state.deposed.insert(target, resource);
        }
    }
    state.outputs = (0..rng.below(4)).map(|n| (format!("o{n}"), value(rng, 3))).collect();
    state
}

/// The creation of one resource.
pub(crate) fn creation(address: &str, after: ValueMap) -> Change {
    Change {
        target: Target::current(address.parse().expect("an address")),
        action: Action::Create,
        reason: Reason::New,
        before: ValueMap::new().into(),
        after: after.into(),
        attributes: Vec::new(),
    }
}

/// Attributes from JSON.
pub(crate) fn from_json(json: serde_json::Value) -> ValueMap {
    Value::from(json).as_map().cloned().expect("an object")
}
