//! I5, I8: a saved plan is what it shows. Whatever is changed in its file, apply refuses it, or sends exactly what is shown of it.
//!
//! Ten thousand single edits: a value changed, a part removed, added, doubled, moved, or taken from another plan. What is shown
//! is the JSON of the edited file; what is sent is what the simulated account was asked.

use std::collections::BTreeMap;

use aloka::planfile::PlanFile;
use aloka_core::api::{Reply, Request};
use aloka_core::plan::Mode;
use aloka_core::plan::saved::differences;
use aloka_core::plan::{Password, Planned};
use aloka_core::render::{Context, Options, plan_json, plan_text};
use aloka_core::secret::DB_PASSWORD;
use aloka_core::session::Inputs;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::rehearsal::plan_round;
use aloka_sim::rng::Rng;
use aloka_sim::world::Watch;
use aloka_tests::{Bench, inputs, secrets, variables};
use serde_json::{Value as Json, json};

/// Edits of each plan.
const EDITS: u64 = 1_700;

/// A plan, and where it is applied.
struct Scene {
    name: &'static str,
    bench: Bench,
    /// The file, as it is saved.
    file: Json,
    /// What becomes of each set of inputs: none of them depends on the plan in the file.
    made: BTreeMap<String, Option<(Planned, Vec<Request>)>>,
}

/// Sees every changing call.
#[derive(Default)]
struct Sent(Vec<Request>);

impl Watch for Sent {
    fn after_call(&mut self, _now: Instant, _account: &mut Account, request: &Request, _reply: &Reply) {
        if request.operation().is_mutating() {
            self.0.push(request.clone());
        }
    }
}

impl Scene {
    fn new(name: &'static str, before: Option<&str>, tfvars: &str, mode: Mode) -> Self {
        let mut bench = Bench::new(31, Durations::Instant);
        if let Some(before) = before {
            bench.apply(&variables(before), Mode::Apply);
            bench.world.rest(std::time::Duration::from_secs(3600));
        }
        let state = bench.state();
        let inputs = inputs(variables(tfvars), mode, &state);
        let planned = bench.plan(&inputs.variables, mode).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let file = PlanFile::new("sim", "default", &inputs, &planned.plan);
        let file = serde_json::to_value(&file).expect("a plan is JSON");
        Self { name, bench, file, made: BTreeMap::new() }
    }

    /// The plan that apply makes of a file, and the calls that carrying it out sends; `None` if there is none.
    fn applied(&mut self, file: &PlanFile) -> Option<&(Planned, Vec<Request>)> {
        let state = self.bench.state();
        let is_known = state.private.secrets.contains_key(DB_PASSWORD);
        let password = match (aloka::commands::saved::sends_secret(&file.plan), is_known) {
            (false, _) => Password::Absent,
            (true, true) => Password::Unchanged,
            (true, false) => Password::New("argon2id$other".to_owned()),
        };
        let inputs = file.inputs(None, password);
        let lineage = if state.serial == 0 { file.plan.lineage.to_string() } else { state.lineage.to_string() };
        let key = format!("{inputs:?} {lineage}");
        let bench = &self.bench;
        self.made.entry(key).or_insert_with(|| carry_out(bench, state, &lineage, &inputs)).as_ref()
    }

    /// What is wrong with how an edited file is taken, if something is. True: it was applied.
    fn judge(&mut self, edited: &Json) -> Result<bool, String> {
        let bytes = serde_json::to_vec(edited).expect("JSON");
        let Ok(file) = PlanFile::parse(&bytes) else { return Ok(false) };
        let stored = self.bench.store.last().cloned();
        if file.cloud != "sim" || file.plan.stale(stored.as_deref()).is_some() {
            return Ok(false);
        }
        let Some((planned, sent)) = self.applied(&file) else { return Ok(false) };
        if !differences(&file.plan, &planned.plan).is_empty() {
            return Ok(false);
        }
        if plan_text(&file.plan, Options::default()).plain() != plan_text(&planned.plan, Options::default()).plain() {
            return Err("what is shown is not what is carried out".to_owned());
        }
        let (shown, lost) = (plan_json(&file.plan, Context::default()), file.plan.data_loss().names());
        let deleted = sent.iter().filter(|request| request.operation().to_string() == "rds:DeleteDBInstance");
        for request in deleted {
            let name = request.0.arg("DBInstanceIdentifier").as_str().unwrap_or_default();
            if !lost.iter().any(|lost| lost == name) {
                return Err(format!("the database {name} goes, and nobody has to name it"));
            }
        }
        matches_shown(&shown["aloka"]["calls"], sent).map(|()| true)
    }
}

fn carry_out(bench: &Bench, state: State, lineage: &str, inputs: &Inputs) -> Option<(Planned, Vec<Request>)> {
    let mut bench = bench.clone();
    let state = if state.serial == 0 { State::new(lineage) } else { state };
    let planned = plan_round(&mut bench.world, &mut bench.store, &secrets(), state, inputs).ok()?;
    let mut sent = Sent::default();
    bench.run(&planned, &mut sent);
    Some((planned, sent.0))
}

/// Every call that was sent is shown, and every call that is shown as sent once was sent.
fn matches_shown(shown: &Json, sent: &[Request]) -> Result<(), String> {
    let mut open: Vec<&Json> = shown.as_array().into_iter().flatten().collect();
    for request in sent {
        let found = open.iter().position(|call| is_call(call, request));
        match found {
            Some(at) => drop(open.remove(at)),
            None => return Err(format!("{request} is not shown")),
        }
    }
    let left = open.iter().find(|call| {
        let operation = call["operation"].as_str().unwrap_or_default();
        let reads = ["Describe", "Get", "List"].iter().any(|verb| operation.contains(&format!(":{verb}")));
        call["occasion"] == "call" && !reads
    });
    left.map_or(Ok(()), |call| Err(format!("{call} is shown and was not sent")))
}

/// True if a shown call is this request: references and secrets stand for what is known only when it is sent.
fn is_call(shown: &Json, request: &Request) -> bool {
    let Some(args) = shown["args"].as_object() else { return false };
    let sent = serde_json::to_value(&request.0.args).unwrap_or_default();
    shown["operation"] == request.operation().to_string()
        && args.len() == sent.as_object().map_or(0, serde_json::Map::len)
        && args.iter().all(|(name, value)| is_same(name, value, &sent[name.as_str()]))
}

fn is_same(name: &str, shown: &Json, sent: &Json) -> bool {
    match shown {
        _ if name == "MasterUserPassword" => true,
        Json::Object(map) if map.contains_key("$ref") || map.contains_key("$secret") => true,
        Json::Object(map) => {
            let other = sent.as_object();
            other.is_some_and(|other| map.len() == other.len())
                && map.iter().all(|(key, value)| is_same(key, value, &sent[key.as_str()]))
        }
        Json::Array(items) => {
            let other = sent.as_array();
            other.is_some_and(|other| {
                items.len() == other.len() && items.iter().zip(other).all(|(shown, sent)| is_same("", shown, sent))
            })
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => shown == sent,
    }
}

/// Pointers to every part of a document.
fn places(json: &Json, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Json)> = match json {
        Json::Object(map) => {
            let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
            map.iter().map(|(key, value)| (format!("{at}/{}", escaped(key)), value)).collect()
        }
        Json::Array(items) => items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    };
    for (place, value) in below {
        found.push(place.clone());
        places(value, &place, found);
    }
}

fn below(rng: &mut Rng, count: usize) -> usize {
    usize::try_from(rng.below(u64::try_from(count.max(1)).expect("small"))).expect("small")
}

/// One edit of a file; what was done, for the message.
fn edit(rng: &mut Rng, file: &mut Json, places: &[String], others: &[(&Json, &[String])]) -> String {
    let place = &places[below(rng, places.len())];
    let (parent, last) = place.rsplit_once('/').expect("a pointer");
    let last = last.replace("~1", "/").replace("~0", "~");
    let copied = file.pointer(&places[below(rng, places.len())]).cloned().unwrap_or_default();
    let (other, at) = others[below(rng, others.len())];
    let foreign = other.pointer(&at[below(rng, at.len())]).cloned().unwrap_or_default();
    let same_place = other.pointer(place).cloned();
    let what = rng.below(10);
    let Some(parent) = file.pointer_mut(parent) else { return "nothing".to_owned() };
    match (what, parent) {
        (0, Json::Object(map)) => {
            map.remove(&last);
            format!("{place} removed")
        }
        (1, Json::Object(map)) => {
            map.insert("added".to_owned(), copied);
            format!("something added beside {place}")
        }
        (0, Json::Array(items)) => {
            items.remove(last.parse().expect("an index"));
            format!("{place} removed")
        }
        (1, Json::Array(items)) => {
            let at: usize = last.parse().expect("an index");
            items.insert(at, items[at].clone());
            format!("{place} doubled")
        }
        (2, Json::Array(items)) => {
            let (at, with): (usize, usize) = (last.parse().expect("an index"), below(rng, items.len()));
            items.swap(at, with);
            format!("{place} swapped with {with}")
        }
        (3, Json::Array(items)) => {
            items.push(foreign);
            format!("something of another plan added beside {place}")
        }
        (4, parent) => {
            let value = same_place.unwrap_or(foreign);
            let text = format!("{place} = {value} of another plan");
            *of(parent, &last) = value;
            text
        }
        (5, parent) => {
            let text = format!("{place} = {copied}");
            *of(parent, &last) = copied;
            text
        }
        (_, parent) => {
            let value = of(parent, &last);
            *value = match &*value {
                Json::Null => json!(1),
                Json::Bool(is) => json!(!is),
                Json::Number(number) => json!(number.as_u64().unwrap_or_default() + 1 + rng.below(3)),
                Json::String(text) if rng.below(2) == 0 => json!(format!("{text}x")),
                Json::String(text) => json!(text.chars().skip(1).collect::<String>()),
                Json::Array(_) => json!([]),
                Json::Object(_) => json!({}),
            };
            format!("{place} = {value}")
        }
    }
}

fn of<'a>(parent: &'a mut Json, key: &str) -> &'a mut Json {
    match parent {
        Json::Array(items) => &mut items[key.parse::<usize>().expect("an index")],
        other => &mut other[key],
    }
}

/// Where each plan begins, what it wants, and what for.
fn settings() -> [(&'static str, Option<&'static str>, &'static str, Mode); 6] {
    let moved = "vpc_cidr = \"10.9.0.0/16\"\npublic_subnet_cidrs = [\"10.9.1.0/24\", \"10.9.2.0/24\"]\n\
                 private_subnet_cidrs = [\"10.9.3.0/24\", \"10.9.4.0/24\"]\n";
    let changed = "app_instance_count = 2\ntags = { Team = \"web\" }\napp_ingress = [{ port = 8080 }]\n";
    [
        ("create", None, "", Mode::Apply),
        ("no-op", Some(""), "", Mode::Apply),
        ("change", Some(""), changed, Mode::Apply),
        ("replace", Some(""), moved, Mode::Apply),
        ("refresh", Some(""), "", Mode::RefreshOnly),
        ("destroy", Some(""), "", Mode::Destroy),
    ]
}

fn scenes() -> Vec<Scene> {
    settings().map(|(name, before, tfvars, mode)| Scene::new(name, before, tfvars, mode)).into()
}

#[test]
fn an_edited_plan_is_refused_or_is_what_it_shows() {
    let files: Vec<Json> = scenes().into_iter().map(|scene| scene.file).collect();
    let pointers = files.iter().map(|file| {
        let mut found = Vec::new();
        places(file, "", &mut found);
        found
    });
    let pointers: Vec<Vec<String>> = pointers.collect();
    let others: Vec<(&Json, &[String])> = files.iter().zip(&pointers).map(|(file, at)| (file, at.as_slice())).collect();
    let play = |index: usize| {
        let (name, before, tfvars, mode) = settings()[index];
        let mut scene = Scene::new(name, before, tfvars, mode);
        assert_eq!(scene.judge(&files[index]), Ok(true), "{name}: as it was saved");
        let mut applied = 0;
        for seed in 0..EDITS {
            let rng = &mut Rng::stream(seed, name, 0);
            let mut edited = files[index].clone();
            let what = edit(rng, &mut edited, &pointers[index], &others);
            match scene.judge(&edited) {
                Ok(is_applied) => applied += u64::from(is_applied),
                Err(why) => panic!("{name}, seed {seed}: {what}: {why}"),
            }
        }
        applied
    };
    let play = &play;
    let applied: u64 = std::thread::scope(|threads| {
        let all: Vec<_> = (0..files.len()).map(|index| threads.spawn(move || play(index))).collect();
        all.into_iter().map(|thread| thread.join().expect("no edit deceives")).sum()
    });
    let edits = EDITS * u64::try_from(files.len()).expect("small");
    assert!(edits >= 10_000, "{edits} edits");
    // Most of a file is the plan; what is not (a flag without effect, a key that nobody reads) may differ.
    assert!(applied * 4 < edits, "{applied} of {edits} edited plans were applied");
}

/// The edits that somebody would make on purpose.
#[test]
fn a_plan_made_to_deceive_is_refused() {
    let mut scenes = scenes();
    let files: Vec<Json> = scenes.iter().map(|scene| scene.file.clone()).collect();
    let of = |name: &str| scenes.iter().position(|scene| scene.name == name).expect(name);
    let (noop, destroy) = (of("no-op"), of("destroy"));
    let node = |address: &str| {
        let nodes = files[destroy]["plan"]["nodes"].as_array().expect("nodes");
        let found = nodes.iter().find(|node| node["target"]["address"] == address && node["verb"] == "Delete");
        let mut node = found.expect(address).clone();
        node["needs"] = json!([]);
        node
    };
    let doomed = node("aws_db_instance.postgres");
    let mut read = node("aws_instance.app");
    read["verb"] = json!("Read");
    let change = files[destroy]["plan"]["changes"].as_array().expect("changes").iter();
    let change = change.clone().find(|change| change["target"]["address"] == "aws_db_instance.postgres").expect("one");
    let mut nameless = change.clone();
    nameless["before"] = json!({});
    let mut told = files[noop].clone();
    told["plan"]["nodes"] = json!([doomed]);
    told["plan"]["changes"]
        .as_array_mut()
        .expect("changes")
        .retain(|change| change["target"]["address"] != "aws_db_instance.postgres");
    told["plan"]["changes"].as_array_mut().expect("changes").push(nameless);
    for (what, nodes) in [("a database goes", json!([doomed])), ("a server goes, as if it were read", json!([read]))] {
        let mut edited = files[noop].clone();
        edited["plan"]["nodes"] = nodes;
        let parsed = PlanFile::parse(&serde_json::to_vec(&edited).expect("JSON"));
        assert!(parsed.expect_err(what).contains("of which it shows no change"), "{what}");
    }
    // Of one that is read all the same, the database without a name can be lost by nobody's word.
    let file = PlanFile::parse(&serde_json::to_vec(&told).expect("JSON")).expect("a plan");
    assert!(!file.plan.is_empty());
    let open = file.plan.data_loss().not_among(&["aloka-dev-db".to_owned()]);
    assert_eq!(open, ["of unknown name at aws_db_instance.postgres"]);
    assert_eq!(scenes[noop].judge(&told), Ok(false));
    // Outputs follow from state and replies.
    let mut edited = files[noop].clone();
    for output in edited["plan"]["outputs"].as_array_mut().expect("outputs") {
        output["before"] = json!("6.6.6.6");
        output["after"] = json!("6.6.6.6");
    }
    assert_eq!(scenes[noop].judge(&edited), Ok(false));
}

/// What is saved has nothing to try passwords on, and nothing that chooses whose credentials are used.
#[test]
fn a_saved_plan_has_no_verifier_and_no_profile() {
    let mut variables = variables("");
    variables.aws_profile = Some("prod".to_owned());
    let mut bench = Bench::new(31, Durations::Instant);
    let state = bench.state();
    let inputs = inputs(variables, Mode::Apply, &state);
    let planned = bench.plan(&inputs.variables, Mode::Apply).expect("a plan");
    assert!(!planned.plan.secrets.is_empty());
    let text = serde_json::to_string(&PlanFile::new("sim", "default", &inputs, &planned.plan)).expect("JSON");
    assert!(!text.contains("argon2id") && !text.contains("\"prod\""));
    let file = PlanFile::parse(text.as_bytes()).expect("a plan");
    assert_eq!(file.inputs(Some("dev".to_owned()), Password::Absent).variables.aws_profile.as_deref(), Some("dev"));
    assert_eq!(file.inputs(None, Password::Absent).variables.aws_profile, None);
}
