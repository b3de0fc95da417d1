//! Stories with their text, and properties over arbitrary plans and states.

use serde_json::json;

use super::samples::{CLEAR_PASSWORD, Rng, creation, from_json};
use super::*;
use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds};
use crate::plan::{
    Accept, Action, AttributeChange, Change, Drift, Expect, Lookup, Lost, Node, Order, OutputChange, Pace, Plan,
    Reason, Save, Step, Verb, Waiter,
};
use crate::state::{State, Target};
use crate::value::{Value, ValueMap};

/// Removes ANSI colour sequences.
fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

const VPC: &str = "module.vpc.aws_vpc.this[0]";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn attribute(name: &str, before: impl Into<Value>, after: impl Into<Value>, forces: bool) -> AttributeChange {
    AttributeChange { name: name.into(), before: before.into(), after: after.into(), forces_replacement: forces }
}

fn shown(plan: &Plan) -> String {
    plan_text(plan, Options::default()).plain()
}

fn rule(port: u32, cidr: &str) -> serde_json::Value {
    json!({
        "cidr_blocks": [cidr], "description": "", "from_port": port, "ipv6_cidr_blocks": [], "prefix_list_ids": [],
        "protocol": "tcp", "security_groups": [], "self": false, "to_port": port,
    })
}

#[test]
fn colour_adds_nothing_but_sequences() {
    let mut text = Text::new();
    text.line([(Style::Add, "+ "), (Style::Plain, "a"), (Style::Note, " # b")]);
    text.blank();
    text.say(Style::Error, "c");
    assert_eq!(text.plain(), "+ a # b\n\nc\n");
    assert_eq!(strip(&text.ansi()), text.plain());
    assert_ne!(text.ansi(), text.plain());
}

#[test]
fn no_control_sequence_comes_through() {
    let mut text = Text::new();
    text.say(Style::Plain, "a\x1b[2Jb\nc\u{9b}d\u{202e}e");
    assert_eq!(text.plain(), "a\\u001b[2Jb\\nc\\u009bd\\u202ee\n");
}

#[test]
fn a_creation_names_what_it_refers_to() {
    let mut after = from_json(json!({ "name": "db", "tags": { "Name": "db", "a b": "" } }));
    after.insert("vpc_id".into(), Value::reference(address(VPC), "id"));
    after.insert(
        "ingress".into(),
        Value::list([Value::map([
            ("from_port", Value::from(5432)),
            ("security_groups", Value::list([Value::reference(address("aws_security_group.app"), "id")])),
            ("cidr_blocks", Value::EMPTY_LIST),
        ])]),
    );
    let mut plan = samples::empty();
    plan.changes.push(creation("aws_security_group.db", after));
    plan.outputs.push(OutputChange {
        name: "vpc_id".to_owned(),
        before: Value::Null,
        after: Value::reference(address(VPC), "id"),
    });
    assert_eq!(
        shown(&plan),
        r#"Resource actions are indicated with the following symbols:
  + create

aloka will perform the following actions:

  # aws_security_group.db will be created
  + resource "aws_security_group" "db" {
      + arn      = (assigned by AWS)
      + id       = (assigned by AWS)
      + ingress  = [
          + {
              + from_port       = 5432
              + security_groups = [aws_security_group.app.id]
            },
        ]
      + name     = "db"
      + owner_id = (assigned by AWS)
      + tags     = {
          + "Name" = "db"
          + "a b"  = ""
        }
      + vpc_id   = module.vpc.aws_vpc.this[0].id
    }

Plan: 1 to add, 0 to change, 0 to destroy.

Changes to Outputs:
  + vpc_id = module.vpc.aws_vpc.this[0].id
"#
    );
}

#[test]
fn an_update_shows_differences_after_the_drift() {
    let mut plan = samples::empty();
    let before = from_json(json!({
        "id": "sg-1", "name": "db", "arn": "arn:1", "description": "Database",
        "ingress": [rule(5432, "10.0.0.0/16"), rule(22, "0.0.0.0/0")],
        "tags": { "Name": "db", "Owner": "x" },
    }));
    let after = json!([rule(5432, "10.0.0.0/16"), rule(5433, "10.0.0.0/16")]);
    plan.changes.push(Change {
        target: Target::current(address("aws_security_group.db")),
        action: Action::Update,
        reason: Reason::Changed,
        after: ValueMap::new().into(),
        attributes: vec![
            attribute("ingress", before["ingress"].clone(), Value::from(after), false),
            attribute("tags", before["tags"].clone(), Value::map([("Name", "db"), ("Env", "dev")]), false),
        ],
        before: before.into(),
    });
    plan.drift.push(Drift {
        target: Target::current(address("aws_security_group.db")),
        attribute: Some("tags".into()),
        recorded: Value::map([("Name", "db")]),
        observed: Value::map([("Name", "db"), ("Owner", "x")]),
    });
    plan.drift.push(Drift {
        target: Target::current(address("module.vpc.aws_eip.nat[0]")),
        attribute: None,
        recorded: Value::Null,
        observed: Value::Null,
    });
    assert_eq!(
        shown(&plan),
        r#"Objects have changed outside of aloka:

  # aws_security_group.db has changed
  ~ resource "aws_security_group" "db" {
      ~ tags = {
          + "Owner" = "x"
            # (1 unchanged element hidden)
        }
    }

  # module.vpc.aws_eip.nat[0] no longer exists

Resource actions are indicated with the following symbols:
  ~ update in-place

aloka will perform the following actions:

  # aws_security_group.db will be updated in-place
  ~ resource "aws_security_group" "db" {
        id      = "sg-1"
      ~ ingress = [
          - {
              - cidr_blocks = ["0.0.0.0/0"]
              - from_port   = 22
              - protocol    = "tcp"
              - self        = false
              - to_port     = 22
            },
          + {
              + cidr_blocks = ["10.0.0.0/16"]
              + from_port   = 5433
              + protocol    = "tcp"
              + self        = false
              + to_port     = 5433
            },
            # (1 unchanged element hidden)
        ]
        name    = "db"
      ~ tags    = {
          + "Env"   = "dev"
          - "Owner" = "x" -> null
            # (1 unchanged element hidden)
        }
        # (2 unchanged attributes hidden)
    }

Plan: 0 to add, 1 to change, 0 to destroy.
"#
    );
}

#[test]
fn a_replacement_names_its_cause_its_order_and_the_data_lost() {
    let mut plan = samples::empty();
    let before = from_json(json!({
        "id": "db-ABC", "identifier": "aloka-dev-db", "engine": "postgres", "db_name": "old", "password": CLEAR_PASSWORD,
        "address": "h", "arn": "a", "availability_zone": "z", "endpoint": "h:5432", "engine_version_actual": "15.17",
        "port": 5432, "resource_id": "db-ABC", "status": "available",
    }));
    let mut after = from_json(json!({ "identifier": "aloka-dev-db", "engine": "postgres", "db_name": "new" }));
    after.insert("password".into(), Value::Secret("db_password".into()));
    plan.changes.push(Change {
        target: Target::current(address("aws_db_instance.postgres")),
        action: Action::Replace(Order::DeleteThenCreate),
        reason: Reason::Changed,
        attributes: vec![attribute("db_name", "old", "new", true)],
        before: before.into(),
        after: after.into(),
    });
    assert_eq!(
        shown(&plan),
        r#"Resource actions are indicated with the following symbols:
-/+ destroy and then create replacement

aloka will perform the following actions:

  # aws_db_instance.postgres must be replaced
  # (the old object is destroyed first, then the new one is created)
  # destroys the data of database "aloka-dev-db"
-/+ resource "aws_db_instance" "postgres" {
      ~ address               = "h" -> (assigned by AWS)
      ~ arn                   = "a" -> (assigned by AWS)
      ~ availability_zone     = "z" -> (assigned by AWS)
      ~ db_name               = "old" -> "new" # forces replacement
      ~ endpoint              = "h:5432" -> (assigned by AWS)
      ~ engine_version_actual = "15.17" -> (assigned by AWS)
      ~ id                    = "db-ABC" -> (assigned by AWS)
        identifier            = "aloka-dev-db"
      + master_user_secret    = (assigned by AWS)
      ~ port                  = 5432 -> (assigned by AWS)
      ~ resource_id           = "db-ABC" -> (assigned by AWS)
      ~ status                = "available" -> (assigned by AWS)
        # (2 unchanged attributes hidden)
    }

Plan: 1 to add, 0 to change, 1 to destroy.
This plan destroys the data of database "aloka-dev-db".
"#
    );
}

#[test]
fn a_destruction_shows_what_goes() {
    let mut plan = samples::empty();
    let before = from_json(json!({ "id": "i-1", "key_name": "", "tags": { "Name": "app" }, "ebs": [] }));
    let (action, reason) = (Action::Delete, Reason::Destroy);
    plan.changes.push(Change {
        action,
        reason,
        before: before.into(),
        ..creation("aws_instance.app", ValueMap::new())
    });
    assert_eq!(
        shown(&plan),
        r#"Resource actions are indicated with the following symbols:
  - destroy

aloka will perform the following actions:

  # aws_instance.app will be destroyed
  - resource "aws_instance" "app" {
      - id   = "i-1" -> null
      - tags = {
          - "Name" = "app"
        } -> null
        # (2 empty attributes hidden)
    }

Plan: 0 to add, 0 to change, 1 to destroy.
"#
    );
}

#[test]
fn reasons_are_told_in_words() {
    let id = || from_json(json!({ "id": "i-1" }));
    let table = [
        (Action::Create, Reason::Gone, "will be created\n  # (it no longer exists in AWS)"),
        (Action::Update, Reason::Unsettled, "will be awaited\n  # (it exists, but an earlier run ended before"),
        (
            Action::Replace(Order::CreateThenDelete),
            Reason::Tainted("status failed".to_owned()),
            "is tainted, so must be replaced\n  # (it is tainted: status failed)\n  # (the new object is created first,",
        ),
        (Action::Delete, Reason::Deleting, "will be destroyed\n  # (an earlier run began to delete it)"),
        (Action::Delete, Reason::Undeclared, "will be destroyed\n  # (because it is no longer declared)"),
        (Action::Forget, Reason::Undeclared, "will no longer be managed by aloka, but will not be destroyed"),
    ];
    for (action, reason, expected) in table {
        let mut plan = samples::empty();
        plan.changes.push(Change {
            action,
            reason,
            before: id().into(),
            ..creation("aws_instance.app", ValueMap::new())
        });
        let text = shown(&plan);
        assert!(text.contains(&format!("  # aws_instance.app {expected}")), "{text}");
    }
    let mut plan = samples::empty();
    plan.moves.push((address("aws_instance.app"), address("aws_instance.app[0]")));
    let moved = creation("aws_instance.app[0]", ValueMap::new());
    plan.changes.push(Change { action: Action::NoOp, reason: Reason::Unchanged, before: id().into(), ..moved });
    assert!(shown(&plan).contains("  # aws_instance.app has moved to aws_instance.app[0]\n"), "{}", shown(&plan));
}

#[test]
fn nothing_to_do_is_said_as_terraform_says_it() {
    let expected = "No changes. Your infrastructure matches the configuration.\n\n\
        aloka has compared your real infrastructure against your configuration\n\
        and found no differences, so no changes are needed.\n";
    assert_eq!(shown(&samples::empty()), expected);
}

#[test]
fn a_large_group_is_summarised_unless_all_is_asked_for() {
    let instance = |index: u32| {
        let mut after = from_json(json!({ "tags": { "Name": format!("app-{index}") }, "instance_type": "t3.small" }));
        let subnet = format!("module.vpc.aws_subnet.public[{}]", index % 2);
        after.insert("subnet_id".into(), Value::reference(address(&subnet), "id"));
        creation(&format!("aws_instance.app[{index}]"), after)
    };
    let mut plan = samples::empty();
    plan.changes = (0..10_000).map(instance).collect();
    let text = shown(&plan);
    assert!(text.contains("  ... and 9,997 more like it: aws_instance.app[3] to aws_instance.app[9999]\n"), "{text}");
    assert_eq!(text.matches(" will be created").count(), 3);
    assert!(text.contains("Plan: 10000 to add, 0 to change, 0 to destroy."));
    let all = plan_text(&plan, Options { show_all: true }).plain();
    assert_eq!(all.matches(" will be created").count(), 10_000);
    // One that is different is shown, whatever its place.
    std::sync::Arc::make_mut(&mut plan.changes[5000].after).insert("instance_type".into(), "m5.large".into());
    let text = shown(&plan);
    assert!(text.contains("# aws_instance.app[5000] will be created") && text.contains("m5.large"), "{text}");
    // A gap is not hidden in a range.
    plan.changes.remove(7000);
    let text = shown(&plan);
    assert!(text.contains("to aws_instance.app[6999]\n") && text.contains("# aws_instance.app[7001] will"), "{text}");
}

fn vpc_plan() -> Plan {
    let target = Target::current(address(VPC));
    let find = || Call::new(Ec2::DescribeVpcs, [("Filters", Value::map([("tag:a", Value::list(["b"]))]))]);
    let create = Call::new(
        Operation::Ec2(Ec2::CreateVpc),
        [("CidrBlock", "10.0.0.0/16".into()), ("Tags", Value::map([("Name", "aloka-vpc")]))],
    );
    let state = Expect::Equals { path: "Vpcs.0.State".into(), value: "available".into() };
    let described = Call::new(Ec2::DescribeVpcs, [("VpcIds", Value::list([Value::reference(address(VPC), "id")]))]);
    let waiter = Waiter {
        call: described,
        accept: vec![
            Accept { expect: state, success: true },
            Accept { expect: Expect::Absent { path: "Vpcs.0".into() }, success: false },
        ],
        save: Save::Nothing,
        pace: Pace::seconds(1, 5, 600),
        short: None,
    };
    let lookup = Lookup { call: find(), list: "Vpcs".into(), tags: Default::default() };
    let mut plan = samples::empty();
    let creation = Node {
        target: target.clone(),
        verb: Verb::Create,
        steps: vec![
            Step::Call { call: create, save: Save::Object("Vpc".into()), recover: Some(lookup), way_back: None },
            Step::Wait(waiter),
        ],
        needs: Vec::new(),
        generation: 1,
        after: ValueMap::new().into(),
        dependencies: std::sync::Arc::default(),
    };
    let password = Call::new(Rds::ModifyDBInstance, [("MasterUserPassword", Value::Secret("db_password".into()))]);
    let change = Node {
        target: Target::current(address("aws_db_instance.postgres")),
        verb: Verb::Update,
        steps: vec![Step::Call { call: password, save: Save::Nothing, recover: None, way_back: None }],
        needs: vec![0],
        generation: 1,
        after: ValueMap::new().into(),
        dependencies: std::sync::Arc::default(),
    };
    plan.nodes = [creation, change].into();
    plan
}

#[test]
fn calls_are_listed_with_what_they_need() {
    let text = calls_text(&vpc_plan()).plain();
    let (calls, actions) = text.split_once("IAM actions needed, reading for the plan included:\n").expect("both parts");
    assert_eq!(
        calls,
        r#"  1  ec2:CreateVpc CidrBlock="10.0.0.0/16" Tags={Name="aloka-vpc"}   # module.vpc.aws_vpc.this[0]
  2  may ec2:DescribeVpcs Filters={tag:a=["b"]}   # module.vpc.aws_vpc.this[0]
  3  wait ec2:DescribeVpcs VpcIds=[module.vpc.aws_vpc.this[0].id] until Vpcs.0.State="available" (fails on Vpcs.0 is gone; usually 5s, given up after 10m00s)   # module.vpc.aws_vpc.this[0]

  4  rds:ModifyDBInstance MasterUserPassword=(sensitive value)   # aws_db_instance.postgres

"#
    );
    let actions: Vec<&str> = actions.lines().map(str::trim).collect();
    assert!(actions.is_sorted());
    let writes: Vec<&&str> = actions.iter().filter(|action| !action.contains(":Describe")).collect();
    let expected =
        ["ec2:CreateTags", "ec2:CreateVpc", "rds:ListTagsForResource", "rds:ModifyDBInstance", "ssm:GetParameter"];
    assert_eq!(writes, expected.iter().collect::<Vec<_>>());
    assert!(actions.contains(&"ec2:DescribeVpcs"));
    let json = calls_json(&vpc_plan());
    assert_eq!(json["calls"][2]["until"], json!(["Vpcs.0.State=\"available\""]));
    assert_eq!(json["calls"][3]["args"], json!({ "MasterUserPassword": { "$secret": "db_password" } }));
}

#[test]
fn outputs_and_state_read_as_terraform_writes_them() {
    let mut state = State::new("l");
    state.outputs.insert("size".to_owned(), 3.into());
    state.outputs.insert("zones".to_owned(), json!({ "a": "dev-a", "bb": ["x"] }).into());
    let expected = "size = 3\nzones = {\n  \"a\"  = \"dev-a\"\n  \"bb\" = [\n    \"x\",\n  ]\n}\n";
    assert_eq!(outputs_text(&state.all_outputs()).plain(), expected);
    assert_eq!(output_raw(&state.outputs["size"]).as_deref(), Some("3"));
    let json: serde_json::Value = outputs_json(&state.all_outputs());
    assert_eq!(json["size"], json!({ "sensitive": false, "type": "number", "value": 3 }));

    let resource = |json| {
        std::sync::Arc::new(crate::state::Resource {
            attributes: from_json(json).into(),
            ..crate::state::Resource::default()
        })
    };
    state.resources.insert(
        address("aws_db_instance.postgres"),
        resource(json!({ "id": "db-1", "password": CLEAR_PASSWORD, "tags": { "Name": "db" }, "none": null })),
    );
    state.resources.insert(address(VPC), resource(json!({ "id": "vpc-1" })));
    let data = json!({
        "mode": "data", "type": "aws_ssm_parameter", "name": "al2", "instances": [{ "attributes": { "value": "x" } }],
    });
    let data = serde_json::value::to_raw_value(&data).expect("JSON");
    state.foreign.push(crate::state::foreign::Foreign::new(&data));
    let listed = ["data.aws_ssm_parameter.al2", "aws_db_instance.postgres", VPC];
    assert_eq!(state_list(&state), listed);
    let shown = state_show(&state, &address("aws_db_instance.postgres")).expect("recorded").plain();
    let expected = r#"# aws_db_instance.postgres:
resource "aws_db_instance" "postgres" {
    id       = "db-1"
    password = (sensitive value)
    tags     = {
        "Name" = "db"
    }
}
"#;
    assert_eq!(shown, expected);
    assert_eq!(state_show(&state, &address("aws_instance.app")), None);
    let json = state_json(&state);
    let root = &json["values"]["root_module"];
    assert_eq!(root["resources"][0]["sensitive_values"], json!({ "password": true, "tags": {} }));
    assert_eq!(root["child_modules"][0]["resources"][0]["values"], json!({ "id": "vpc-1" }));
}

#[test]
fn plan_json_marks_what_is_not_known() {
    let mut after = from_json(json!({ "cidr_block": "10.0.0.0/24", "tags": {} }));
    after.insert("vpc_id".into(), Value::reference(address(VPC), "id"));
    let mut plan = vpc_plan();
    plan.changes.push(creation("module.vpc.aws_subnet.public[0]", after));
    let variables = json!({ "environment": "dev", "db_password": CLEAR_PASSWORD });
    let context = Context { variables: Some(&variables), ..Context::default() };
    let json = plan_json(&plan, context);
    assert_eq!(json["variables"], json!({ "environment": { "value": "dev" } }));
    let change = &json["resource_changes"][0];
    assert_eq!(change["change"]["after"], json!({ "cidr_block": "10.0.0.0/24", "tags": {} }));
    let unknown = json!({
        "arn": true, "availability_zone_id": true, "id": true, "map_public_ip_on_launch": true, "owner_id": true,
        "tags": {}, "vpc_id": true,
    });
    assert_eq!(change["change"]["after_unknown"], unknown);
    assert_eq!((&change["index"], &change["module_address"]), (&json!(0), &json!("module.vpc")));
    let module = &json["configuration"]["root_module"]["module_calls"]["vpc"]["module"]["resources"][0];
    assert_eq!(
        module["expressions"]["vpc_id"],
        json!({ "references": ["aws_vpc.this[0].id", "aws_vpc.this[0]", "aws_vpc.this"] })
    );
    assert_eq!(json["aloka"]["calls"].as_array().map(Vec::len), Some(4));
}

/// Every text of a plan.
fn texts(plan: &Plan) -> Vec<Text> {
    vec![plan_text(plan, Options { show_all: true }), plan_text(plan, Options::default()), calls_text(plan)]
}

#[test]
fn any_plan_is_shown_whole_and_without_secrets() {
    for seed in 0..700 {
        let plan = samples::plan(&mut Rng::new(seed));
        for text in texts(&plan) {
            let plain = text.plain();
            assert_eq!(strip(&text.ansi()), plain, "seed {seed}");
            assert!(!plain.contains("(known after apply)"), "seed {seed}");
            assert!(!plain.contains(CLEAR_PASSWORD), "seed {seed}: {plain}");
            assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "seed {seed}");
            assert!(plain.lines().all(|line| line.trim_end() == line), "seed {seed}: blanks at the end\n{plain}");
        }
        let text = plan_text(&plan, Options { show_all: true }).plain();
        let (mut add, mut change_, mut destroy) = (0, 0, 0);
        for change in &plan.changes {
            let sign = match change.action {
                Action::NoOp => continue,
                Action::Create => "  +",
                Action::Update => "  ~",
                Action::Replace(Order::DeleteThenCreate) => "-/+",
                Action::Replace(Order::CreateThenDelete) => "+/-",
                Action::Delete => "  -",
                Action::Forget => "  .",
            };
            add += usize::from(sign.contains('+'));
            change_ += usize::from(sign == "  ~");
            destroy += usize::from(sign.contains('-'));
            let target = &change.target;
            assert!(text.contains(&format!("\n  # {target} ")), "seed {seed}: {target}\n{text}");
            let address = &target.address;
            let opened = format!("\n{sign} resource \"{}\" \"{}\" {{", address.kind, address.name);
            assert!(text.contains(&opened), "seed {seed}: {target}\n{text}");
        }
        if add + change_ + destroy > 0 {
            let footer = format!("\nPlan: {add} to add, {change_} to change, {destroy} to destroy.\n");
            assert!(text.contains(&footer), "seed {seed}: {text}");
        }
        for (name, lost) in plan.data_loss().databases {
            let what = match lost {
                Lost::Database => "destroys the data of database",
                Lost::Backups => "deletes the automated backups of database",
            };
            assert!(text.contains(&format!("{what} {}", printable::line(&quote(&name)))), "seed {seed}");
        }
    }
}

#[test]
fn any_plan_json_agrees_with_the_plan() {
    for seed in 0..400 {
        let rng = &mut Rng::new(seed);
        let plan = samples::plan(rng);
        let state = samples::state(rng);
        let variables = json!({ "db_password": CLEAR_PASSWORD });
        let context = Context {
            variables: Some(&variables),
            prior_state: Some(&state),
            timestamp: Some("now"),
            boot_script: None,
        };
        let line = plan_json(&plan, context).to_string();
        assert!(!line.contains('\n') && !line.contains(CLEAR_PASSWORD), "seed {seed}: {line}");
        let json: serde_json::Value = serde_json::from_str(&line).expect("well formed");
        let mut counts = (0, 0, 0);
        for change in json["resource_changes"].as_array().expect("a list") {
            for action in change["change"]["actions"].as_array().expect("a list") {
                match action.as_str().expect("a text") {
                    "create" => counts.0 += 1,
                    "update" => counts.1 += 1,
                    "delete" => counts.2 += 1,
                    _ => {}
                }
            }
        }
        assert_eq!(counts, plan.counts(), "seed {seed}");
        assert_eq!(json["aloka"]["calls"].as_array().map(Vec::len), Some(plan.calls().count()), "seed {seed}");
        for line in ui_json::planned_changes("now", &plan) {
            assert!(line["@message"].is_string() && line["type"].is_string());
        }
    }
}

#[test]
fn any_state_is_shown_without_secrets() {
    for seed in 0..400 {
        let state = samples::state(&mut Rng::new(seed));
        let text = state_text(&state);
        let plain = text.plain();
        assert_eq!(strip(&text.ansi()), plain, "seed {seed}");
        for text in [plain.as_str(), &state_json(&state).to_string(), &outputs_json(&state.all_outputs()).to_string()] {
            assert!(!text.contains(CLEAR_PASSWORD), "seed {seed}: {text}");
        }
        let list = state_list(&state);
        for (target, _) in state.objects() {
            assert!(list.contains(&target.address.to_string()), "seed {seed}");
            assert!(plain.contains(&format!("# {}:", target.address)), "seed {seed}");
            let shown = state_show(&state, &target.address).expect("recorded").plain();
            assert!(plain.contains(&shown), "seed {seed}");
        }
    }
}
