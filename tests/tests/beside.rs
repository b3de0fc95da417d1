//! Terraform goes on beside aloka: what its provider adds, how it words what it records and what it drops is no change.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::identity::is_identity;
use aloka_core::kind::Kind;
use aloka_core::plan::Planned;
use aloka_core::plan::{Action, Change, Mode};
use aloka_core::state::{State, file};
use aloka_core::value::Value;
use aloka_sim::aws::Durations;
use aloka_sim::store::MemoryStore;
use aloka_tests::{Bench, secrets, variables};
use serde_json::{Value as Json, json};

/// What the provider of a configuration puts on every object.
const DEFAULT_TAGS: [(&str, &str); 4] =
    [("CostCenter", "4711"), ("Environment", "dev"), ("ManagedBy", "terraform"), ("Project", "aloka")];

fn standing(tfvars: &str) -> Bench {
    let mut bench = Bench::new(61, Durations::Median);
    bench.apply(&variables(tfvars), Mode::Apply);
    bench
}

fn call(bench: &mut Bench, operation: Operation, args: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let now = bench.world.now();
    let request = Request(Call::new(operation, args));
    bench.world.account.call(now, &request, &secrets()).unwrap_or_else(|error| panic!("{request}: {error}"))
}

fn id(bench: &Bench, address: &Address) -> Value {
    bench.state().attribute(address, "id").cloned().expect("recorded")
}

/// The state as Terraform leaves it when it has refreshed all and written last: without aloka's section, each instance as
/// `edit` has it.
fn terraform_writes(bench: &mut Bench, edit: impl Fn(&str, &mut Json)) {
    let refreshed = bench.plan(&variables(""), Mode::RefreshOnly).expect("a plan");
    let mut state: Json = serde_json::from_str(&file::write(&refreshed.state)).expect("JSON");
    state.as_object_mut().expect("an object").remove("aloka");
    for resource in state["resources"].as_array_mut().expect("resources") {
        let kind = resource["type"].as_str().expect("a type").to_owned();
        resource["instances"].as_array_mut().expect("instances").iter_mut().for_each(|instance| edit(&kind, instance));
    }
    bench.store = MemoryStore::holding(file::read(&state.to_string()).expect("a state"));
}

fn to_do(planned: &Planned) -> Vec<String> {
    let changes = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.map(|change| format!("{:?} {} {:?}", change.action, change.target, change.attributes)).collect()
}

/// Nothing to do, nothing changed by others, and nothing waited for.
fn nothing(bench: &mut Bench, tfvars: &str) -> Planned {
    let start = bench.world.now();
    let planned = bench.plan(&variables(tfvars), Mode::Apply).expect("a plan");
    assert!(planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
    assert!(planned.plan.drift.is_empty(), "{:?}", planned.plan.drift);
    let took = bench.world.now() - start;
    assert!(took.as_secs() < 5, "the plan waited {took:?}");
    planned
}

fn change<'a>(planned: &'a Planned, address: &Address) -> &'a Change {
    planned.plan.changes.iter().find(|change| change.target.address == *address).expect("a change")
}

fn with_defaults(bench: &mut Bench) {
    let tags = || Value::map(DEFAULT_TAGS.map(|(key, value)| (key, Value::str(value))));
    for (target, resource) in bench.state().objects() {
        let attribute = |name| resource.attributes.get(name).cloned().unwrap_or_default();
        match target.address.kind {
            Kind::DbInstance | Kind::DbSubnetGroup => {
                call(
                    bench,
                    Operation::Rds(Rds::AddTagsToResource),
                    [("ResourceName", attribute("arn")), ("Tags", tags())],
                );
            }
            kind if kind.is_taggable() => {
                call(
                    bench,
                    Operation::Ec2(Ec2::CreateTags),
                    [("Resources", Value::List(vec![attribute("id")])), ("Tags", tags())],
                );
            }
            _ => {}
        }
    }
}

/// As the provider records them with `default_tags` and with `ignore_tags` for aloka's: an object's own are its name, or null.
fn record_defaults(instance: &mut Json, names: bool) {
    let Some(tags) = instance["attributes"].get("tags").and_then(Json::as_object).cloned() else { return };
    let mut all = json!(tags);
    all.as_object_mut().expect("an object").retain(|key, _| !is_identity(key));
    for (key, value) in DEFAULT_TAGS {
        all[key] = json!(value);
    }
    instance["attributes"]["tags"] = if names { json!({"Name": tags["Name"]}) } else { Json::Null };
    instance["attributes"]["tags_all"] = all;
}

/// No object has a default tag among its own, and each has all of them among all.
fn assert_defaults(state: &State, cost_center: &str) {
    for (target, resource) in state.objects().filter(|(target, _)| target.address.kind.is_taggable()) {
        let keys = |name: &str| -> Vec<String> {
            let tags = resource.attributes.get(name).and_then(Value::as_map).expect("tags");
            tags.keys().map(ToString::to_string).collect()
        };
        let (own, all) = (keys("tags"), keys("tags_all"));
        for (key, _) in DEFAULT_TAGS {
            assert!(!own.contains(&key.to_owned()), "{target} records {key} as its own");
            assert!(all.contains(&key.to_owned()), "{target} lacks {key}");
        }
        let shown = resource.attributes.get("tags_all").expect("tags").get("CostCenter").as_str();
        assert_eq!(shown, Some(cost_center), "{target}");
    }
}

#[test]
fn default_tags_stay_and_are_nobody_elses() {
    for names in [true, false] {
        let mut bench = standing("");
        with_defaults(&mut bench);
        terraform_writes(&mut bench, |_, instance| record_defaults(instance, names));
        if !names {
            // Terraform took the names off, as nothing configures them.
            for (target, resource) in bench.state().objects().filter(|(target, _)| target.address.kind.is_taggable()) {
                assert!(resource.attributes.get("tags").is_some_and(Value::is_null), "{target}");
            }
            let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
            assert!(planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
            continue;
        }
        assert_defaults(&nothing(&mut bench, "").state, "4711");
        // A change in place of something else, of a tag, and of one of theirs.
        for (tfvars, cost_center) in [
            ("app_instance_type = \"t3.medium\"", "4711"),
            ("tags = { Team = \"web\" }", "4711"),
            ("tags = { Team = \"web\", CostCenter = \"9\" }", "9"),
            // What they have set is not taken off.
            ("", "9"),
        ] {
            bench.apply(&variables(tfvars), Mode::Apply);
            assert_defaults(&bench.state(), cost_center);
            nothing(&mut bench, tfvars);
        }
    }
}

#[test]
fn what_replaces_an_object_has_its_default_tags() {
    let mut bench = standing("");
    with_defaults(&mut bench);
    terraform_writes(&mut bench, |_, instance| record_defaults(instance, true));
    let tfvars = "app_ami_id = \"ami-0d27e0fb3bac4d724\"";
    let server = Address::root(Kind::Instance, "app");
    let before = id(&bench, &server);
    let planned = bench.apply(&variables(tfvars), Mode::Apply);
    assert!(matches!(change(&planned, &server).action, Action::Replace(_)), "{:?}", to_do(&planned));
    let after = id(&bench, &server);
    assert_ne!(before, after);
    assert_defaults(&bench.state(), "4711");
    let filters = Value::map([("instance-id", Value::List(vec![after]))]);
    let shown = call(&mut bench, Operation::Ec2(Ec2::DescribeInstances), [("Filters", filters)]);
    let tags = shown.at("Instances.0.Tags").expect("tags");
    for (key, value) in DEFAULT_TAGS {
        assert_eq!(tags.get(key).as_str(), Some(value), "{tags}");
    }
    assert_eq!(tags.get("Name").as_str(), Some("aloka-app"));
    nothing(&mut bench, tfvars);
}

/// `ignore_tags` leaves keys out of both attributes; AWS has them all the same.
#[test]
fn ignored_tags_are_no_drift() {
    let mut bench = standing("tags = { CostCenter = \"4711\" }");
    terraform_writes(&mut bench, |_, instance| {
        for name in ["tags", "tags_all"] {
            if let Some(tags) = instance["attributes"].get_mut(name).and_then(Json::as_object_mut) {
                tags.retain(|key, _| !is_identity(key) && key != "CostCenter");
            }
        }
    });
    nothing(&mut bench, "tags = { CostCenter = \"4711\" }");
}

/// `engine_version = "15"` beside `engine_version_actual`: compared by what runs, recorded as it is configured.
#[test]
fn a_major_version_stays_as_it_is_configured() {
    let database = Address::root(Kind::DbInstance, "postgres");
    let recorded =
        |state: &State| state.attribute(&database, "engine_version").and_then(Value::as_str).map(str::to_owned);
    let mut bench = standing("db_engine_version = \"15.15\"");
    terraform_writes(&mut bench, |kind, instance| {
        if kind == "aws_db_instance" {
            assert_eq!(instance["attributes"]["engine_version_actual"], "15.15");
            instance["attributes"]["engine_version"] = json!("15");
        }
    });
    for tfvars in ["", "db_engine_version = \"15\"", "db_engine_version = \"15.13\"", "db_engine_version = \"15.15\""] {
        let planned = nothing(&mut bench, tfvars);
        assert_eq!(recorded(&planned.state).as_deref(), Some("15"), "{tfvars}");
    }
    let newer = bench.plan(&variables("db_engine_version = \"15.16\""), Mode::Apply).expect("a plan");
    let upgrade = change(&newer, &database);
    let versions: Vec<_> =
        upgrade.attributes.iter().map(|a| (&*a.name, a.before.to_string(), a.after.to_string())).collect();
    assert_eq!(versions, [("engine_version", "\"15.15\"".to_owned(), "\"15.16\"".to_owned())]);
    assert!(bench.plan(&variables("db_engine_version = \"16\""), Mode::Apply).is_err());
    // Another change does not put another word for it into the record.
    bench.apply(&variables("db_instance_class = \"db.t3.small\""), Mode::Apply);
    assert_eq!(recorded(&bench.state()).as_deref(), Some("15"));
    nothing(&mut bench, "db_instance_class = \"db.t3.small\"");
}

/// Of an object that Terraform changes, the provider writes its private data anew.
#[test]
fn the_hash_of_the_password_outlives_a_change_of_the_database_by_terraform() {
    let provider = "eyJzY2hlbWFfdmVyc2lvbiI6IjIifQ==";
    let mut bench = standing("");
    terraform_writes(&mut bench, |kind, instance| {
        if kind == "aws_db_instance" {
            instance["private"] = json!(provider);
        }
    });
    let planned = nothing(&mut bench, "");
    assert!(planned.state.private.secrets.contains_key("db_password"));
    // Where it is lost all the same, the plan says why the password is sent.
    terraform_writes(&mut bench, |_, instance| instance["private"] = json!("bnVsbA=="));
    let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
    let database = Address::root(Kind::DbInstance, "postgres");
    assert_eq!(change(&planned, &database).attributes.iter().map(|a| &*a.name).collect::<Vec<_>>(), ["password"]);
    let is_told =
        |note: &String| note.starts_with("aws_db_instance.postgres: nothing recorded tells which password it has");
    assert!(planned.plan.notes.iter().any(is_told), "{:?}", planned.plan.notes);
}

fn permission(protocol: &str, ports: Option<(i64, i64)>, source: (&str, &str, &str)) -> Value {
    let (list, field, value) = source;
    let mut permission = vec![
        ("IpProtocol", Value::str(protocol)),
        (
            if list == "UserIdGroupPairs" {
                "UserIdGroupPairs"
            } else if list == "IpRanges" {
                "IpRanges"
            } else {
                "Ipv6Ranges"
            },
            Value::List(vec![Value::map([(field, value)])]),
        ),
    ];
    permission.extend(ports.into_iter().flat_map(|(from, to)| [("FromPort", from.into()), ("ToPort", to.into())]));
    Value::map(permission)
}

/// Replaces all rules of one direction of a group that fit.
fn set_rules(bench: &mut Bench, group: &Value, egress: bool, rules: Vec<Value>, fits: impl Fn(&Value) -> bool) {
    let (field, revoke, authorize) = if egress {
        (
            "IpPermissionsEgress",
            Operation::Ec2(Ec2::RevokeSecurityGroupEgress),
            Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress),
        )
    } else {
        (
            "IpPermissions",
            Operation::Ec2(Ec2::RevokeSecurityGroupIngress),
            Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
        )
    };
    let filters = Value::map([("group-id", Value::List(vec![group.clone()]))]);
    let shown = call(bench, Operation::Ec2(Ec2::DescribeSecurityGroups), [("Filters", filters)]);
    let present = shown.at("SecurityGroups.0").expect("a group").get(field).as_list().unwrap_or_default().to_vec();
    let gone: Vec<Value> = present.into_iter().filter(|rule| fits(rule)).collect();
    for (operation, rules) in [(revoke, gone), (authorize, rules)] {
        if !rules.is_empty() {
            call(bench, operation, [("GroupId", group.clone()), ("IpPermissions", Value::List(rules))]);
        }
    }
}

/// What public configurations say of the same groups: rules from the group itself in other shapes, egress in others, a description
/// that nobody chose. None of it is changed, and what protects is.
#[test]
fn groups_of_other_shapes_stay_as_they_are() {
    let (app, db) = (Address::root(Kind::SecurityGroup, "app"), Address::root(Kind::SecurityGroup, "db"));
    let anywhere = ("IpRanges", "CidrIp", "0.0.0.0/0");
    for (shape, egress) in [
        ("tcp", "everything"),
        ("tcp and udp", "both"),
        ("icmp", "https"),
        ("none", "everything"),
        ("all and tcp", "nothing"),
        ("all and tcp", "everything"),
    ] {
        let mut bench = standing("");
        let (app_id, db_id) = (id(&bench, &app), id(&bench, &db));
        let own = app_id.as_str().expect("an ID").to_owned();
        let itself = ("UserIdGroupPairs", "GroupId", own.as_str());
        let ingress = match shape {
            "tcp" => vec![permission("tcp", Some((0, 65535)), itself)],
            "tcp and udp" => {
                vec![permission("tcp", Some((0, 65535)), itself), permission("udp", Some((0, 65535)), itself)]
            }
            "icmp" => vec![permission("icmp", Some((-1, -1)), itself)],
            "all and tcp" => vec![permission("-1", None, itself), permission("tcp", Some((22, 22)), itself)],
            _ => vec![],
        };
        let rules = match egress {
            "everything" => vec![permission("-1", None, anywhere)],
            "both" => {
                vec![permission("-1", None, anywhere), permission("-1", None, ("Ipv6Ranges", "CidrIpv6", "::/0"))]
            }
            "https" => vec![permission("tcp", Some((443, 443)), anywhere)],
            _ => vec![],
        };
        let from_itself = |rule: &Value| rule.to_string().contains(&own);
        set_rules(&mut bench, &app_id, false, ingress, from_itself);
        set_rules(&mut bench, &app_id, true, rules.clone(), |_| true);
        set_rules(&mut bench, &db_id, true, rules, |_| true);
        let mut account = serde_json::to_value(&bench.world.account).expect("JSON");
        for group in account["groups"].as_object_mut().expect("groups").values_mut() {
            group["description"] = json!("Managed by Terraform");
        }
        bench.world.account = serde_json::from_value(account).expect("an account");
        bench.world.rest(std::time::Duration::from_secs(60));
        terraform_writes(&mut bench, |kind, instance| {
            if kind == "aws_security_group" {
                instance["attributes"]["description"] = json!("Managed by Terraform");
            }
        });
        let what = format!("ingress from itself: {shape}, egress: {egress}");
        let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
        assert!(planned.plan.nodes.is_empty(), "{what}: {:?}", to_do(&planned));
        assert!(planned.plan.drift.is_empty(), "{what}: {:?}", planned.plan.drift);
        let is_told = planned.plan.notes.iter().any(|note| note.contains("stays as it is"));
        assert_eq!(is_told, shape != "all and tcp" || egress != "everything", "{what}: {:?}", planned.plan.notes);
        // A port more is a port more, and nothing else.
        let more = "app_ingress = [{ port = 80 }, { port = 443 }, { port = 8080 }]";
        let planned = bench.apply(&variables(more), Mode::Apply);
        let calls: Vec<String> = planned.plan.calls().map(|(_, call, _)| call.operation.to_string()).collect();
        assert!(!calls.iter().any(|call| call.contains("Revoke") || call.contains("Egress")), "{what}: {calls:?}");
        assert!(bench.plan(&variables(more), Mode::Apply).expect("a plan").plan.is_empty(), "{what}");
        // The database's members are not to reach it.
        set_rules(
            &mut bench,
            &db_id,
            false,
            vec![permission("tcp", Some((0, 65535)), ("UserIdGroupPairs", "GroupId", db_id.as_str().expect("an ID")))],
            |_| false,
        );
        bench.world.rest(std::time::Duration::from_secs(60));
        let planned = bench.plan(&variables(more), Mode::Apply).expect("a plan");
        assert_eq!(change(&planned, &db).action, Action::Update, "{what}: {:?}", to_do(&planned));
        // A group of another name is another group, with the description that it has.
        let renamed = bench.plan(&variables("project_name = \"other\""), Mode::Apply).expect("a plan");
        assert_eq!(
            change(&renamed, &app).after.get("description").and_then(Value::as_str),
            Some("Managed by Terraform")
        );
    }
}
