//! Whatever anybody wrote into a file, a name, a variable or an argument, nothing that is printed moves a terminal's
//! cursor, hides, or begins a line that looks like one of ours, and no command that a message proposes does more than it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use aloka_core::printable::is_harmful;
use serde_json::{Value, json};

use crate::support::{Dir, Ran};

const STATE: &str = "terraform.tfstate";
const ACCOUNT: &str = ".aloka/sim-account.json";
const LOCK: &str = ".terraform.tfstate.lock.info";
/// What stands at the beginning of a line if a line break came through.
const FORGED: &str = "FORGED";
/// A clipboard that is written to, a line that is taken away, C1, bidi, zero width, tags, separators.
const BAD: &str = "\u{1b}]52;c;cHduZWQ=\u{7}\u{1b}[2K\r\nFORGED\u{9b}1A\u{9d}8;;x\u{9c}\u{7f}\u{85}\u{202e}\u{2066}\u{200b}\u{2028}\u{fe0f}\u{e0041}";
/// Words that a shell would act on.
const SHELL: &str = "'$(touch PWNED)`touch PWNED`;touch PWNED;";

/// A place in a document: keys and positions. The last may be a key itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
    TheKey(String),
}

/// Every text in a document, keys included.
fn places(value: &Value, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match value {
        Value::String(_) => found.push(path.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                places(item, path, found);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                found.push([path.as_slice(), &[Step::TheKey(key.clone())]].concat());
                path.push(Step::Key(key.clone()));
                places(item, path, found);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The place without what tells one of its kind from another.
fn kind(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Index(_) => "[]".to_owned(),
        // Identifiers and addresses as keys.
        Step::Key(key) | Step::TheKey(key) if key.contains(['-', '.', ':']) => "*".to_owned(),
        Step::Key(key) => key.clone(),
        Step::TheKey(key) => format!("key {key}"),
    };
    path.iter().map(step).collect::<Vec<_>>().join("/")
}

/// The document with `poison` at the end of one text.
fn poisoned(document: &Value, path: &[Step], poison: &str) -> Value {
    let mut document = document.clone();
    let mut at = &mut document;
    for step in path {
        match step {
            Step::Key(key) => at = &mut at[key],
            Step::Index(index) => at = &mut at[*index],
            Step::TheKey(key) => {
                let map = at.as_object_mut().expect("a map");
                let value = map.remove(key).expect("the key");
                map.insert(format!("{key}{poison}"), value);
            }
        }
    }
    if let Value::String(text) = at {
        text.push_str(poison);
    }
    document
}

/// One place of each kind.
fn kinds(document: &Value) -> BTreeMap<String, Vec<Step>> {
    let mut found = Vec::new();
    places(document, &mut Vec::new(), &mut found);
    found.into_iter().map(|path| (kind(&path), path)).collect()
}

/// Fails if what was printed moves a terminal or forges a line.
#[track_caller]
fn check(ran: &Ran, what: &str) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let harmful: BTreeSet<char> = text.chars().filter(|c| is_harmful(*c) && *c != '\n').collect();
        assert!(harmful.is_empty(), "{what}: {stream} has {harmful:?}:\n{text:?}");
        let forged = text.lines().find(|line| line.trim_start().starts_with(FORGED));
        assert_eq!(forged, None, "{what}: {stream} has a line of somebody else's:\n{text}");
    }
    assert!(ran.code == 0 || ran.code == 1 || ran.code == 2, "{what}: {ran:?}");
}

/// Gives a shell each command that the hints propose; whatever it is, nothing else may come of it.
#[track_caller]
fn paste(dir: &Dir, ran: &Ran, what: &str) {
    let tools = dir.path().join("tools");
    if !tools.exists() {
        fs::create_dir(&tools).expect("made");
        std::os::unix::fs::symlink("/bin/true", tools.join("aloka")).expect("made");
        std::os::unix::fs::symlink("/bin/true", tools.join("aws")).expect("made");
        std::os::unix::fs::symlink("/usr/bin/touch", tools.join("touch")).expect("made");
    }
    let proposed =
        |line: &&str| line.starts_with("hint: ") || line.starts_with("  aloka ") || line.starts_with("    aloka ");
    for line in ran.stderr.lines().chain(ran.stdout.lines()).filter(proposed) {
        for (start, _) in line.match_indices("aloka ").chain(line.match_indices("aws ")).chain(line.match_indices(" -"))
        {
            let rest = &line[start..];
            let flag = if rest.starts_with(" -") { "aloka" } else { "" };
            for command in [rest, rest.split_once('`').map_or(rest, |(command, _)| command)] {
                let script = format!("{flag}{command}");
                let status = Command::new("/bin/sh")
                    .args(["-c", &script])
                    .current_dir(dir.path())
                    .env_clear()
                    .env("PATH", &tools)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                status.expect("a shell");
                assert!(!dir.path().join("PWNED").exists(), "{what}: pasting `{script}` did something else:\n{ran:?}");
            }
        }
    }
}

/// Runs each command with each kind of place of `file` poisoned, `prepare`d anew each time. Fails if nothing of the
/// poison was shown: then nothing was tested.
fn survey(file: &str, document: &Value, poison: &str, prepare: impl Fn(&Dir), commands: &[&[&str]]) {
    let kinds = kinds(document);
    let mut shown = 0;
    for (name, path) in kinds {
        let dir = Dir::new();
        for command in commands {
            prepare(&dir);
            fs::write(dir.path().join(file), poisoned(document, &path, poison).to_string()).expect("written");
            shown += usize::from(judged(&dir, command, poison, &format!("{file} with {name} poisoned: {command:?}")));
        }
    }
    assert!(shown > 0, "{file}: nothing of the poison was ever shown");
}

/// Runs a command and judges what it printed; true if the poison was shown in some form.
#[track_caller]
fn judged(dir: &Dir, command: &[&str], poison: &str, what: &str) -> bool {
    let ran = dir.run(command);
    check(&ran, what);
    if poison == SHELL {
        paste(dir, &ran, what);
    }
    let mark = if poison == SHELL { "PWNED" } else { FORGED };
    ran.stdout.contains(mark) || ran.stderr.contains(mark)
}

fn parsed(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

/// A directory with a stack, its state and its account.
struct Stack {
    state: Value,
    account: Value,
    plan: Value,
}

impl Stack {
    fn new() -> Self {
        let dir = Dir::new();
        dir.apply(&[]);
        dir.run(&["plan", "-var", "app_instance_count=2", "-out=tfplan"]).expect(0);
        let read = |name: &str| parsed(&dir.path().join(name));
        Self { state: read(STATE), account: read(ACCOUNT), plan: read("tfplan") }
    }

    fn put(&self, dir: &Dir) {
        fs::create_dir_all(dir.path().join(".aloka")).expect("made");
        fs::write(dir.path().join(ACCOUNT), self.account.to_string()).expect("written");
        fs::write(dir.path().join(STATE), self.state.to_string()).expect("written");
    }
}

#[test]
fn nothing_in_a_state_moves_a_terminal() {
    let stack = Stack::new();
    let commands: [&[&str]; 9] = [
        &["show"],
        &["show", "-json"],
        &["state", "list"],
        &["state", "show", "aws_db_instance.postgres"],
        &["output"],
        &["output", "-json"],
        &["plan", "-calls"],
        &["plan", "-json"],
        &["destroy"],
    ];
    survey(STATE, &stack.state, BAD, |dir| stack.put(dir), &commands);
}

/// As above, for the commands that its hints propose.
#[test]
fn nothing_in_a_state_gets_into_a_shell() {
    let stack = Stack::new();
    survey(STATE, &stack.state, SHELL, |dir| stack.put(dir), &[&["plan"], &["destroy"]]);
    // The stack at other addresses, which the plan proposes to bring home.
    let mut elsewhere = stack.state.clone();
    for entry in elsewhere["resources"].as_array_mut().expect("a list") {
        if entry["module"] == "module.vpc" {
            entry["module"] = json!("module.network[\"a b\"]");
        }
    }
    elsewhere.as_object_mut().expect("a map").remove("aloka");
    let dir = Dir::new();
    stack.put(&dir);
    fs::write(dir.path().join(STATE), elsewhere.to_string()).expect("written");
    let ran = dir.run(&["plan"]).expect(1);
    ran.complains("\n  aloka state mv 'module.network[\"a b\"]' module.vpc\n");
    for poison in [SHELL, BAD] {
        let text = elsewhere.to_string().replace("module.network", &format!("module.network{}", escape(poison)));
        fs::write(dir.path().join(STATE), text).expect("written");
        let what = format!("a module called {poison:?}");
        assert!(judged(&dir, &["state", "list"], poison, &what), "{what} is not shown");
        judged(&dir, &["plan"], poison, &what);
    }
}

/// A text inside a JSON text.
fn escape(text: &str) -> String {
    json!(text).to_string().trim_matches('"').to_owned()
}

#[test]
fn nothing_in_a_saved_plan_moves_a_terminal() {
    let stack = Stack::new();
    let commands: [&[&str]; 3] = [&["show", "evil"], &["show", "-json", "evil"], &["apply", "evil"]];
    survey("evil", &stack.plan, BAD, |dir| stack.put(dir), &commands);
}

#[test]
fn nothing_in_an_account_moves_a_terminal_or_gets_into_a_shell() {
    let stack = Stack::new();
    let prepare = |dir: &Dir| stack.put(dir);
    let destroy: &[&str] = &["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"];
    survey(ACCOUNT, &stack.account, BAD, prepare, &[&["plan"], destroy]);
    survey(ACCOUNT, &stack.account, SHELL, prepare, &[&["plan"]]);
    // A stack that is found without its state.
    let alone = |dir: &Dir| {
        stack.put(dir);
        fs::remove_file(dir.path().join(STATE)).expect("removed");
    };
    survey(ACCOUNT, &stack.account, BAD, alone, &[&["state", "recover", "-dry-run"]]);
}

#[test]
fn nothing_in_a_lock_moves_a_terminal_or_gets_into_a_shell() {
    let info = json!({
        "ID": "e56561b6-cc55-e362-5fe9-07948dc0c55e", "Operation": "OperationTypeApply", "Info": "", "Who": "root@vm",
        "Version": "1.11.4", "Created": "2026-11-22T21:40:05.352206559Z", "Path": STATE, "Renewed": "now",
    });
    let mut shown = 0;
    for poison in [BAD, SHELL] {
        for (name, path) in kinds(&info) {
            let dir = Dir::new();
            let file = fs::File::create(dir.path().join(LOCK)).expect("made");
            fs::write(dir.path().join(LOCK), poisoned(&info, &path, poison).to_string()).expect("written");
            file.lock().expect("locked");
            for command in [&["plan"][..], &["plan", "-json"], &["force-unlock", "-force", "x"], &["state", "list"]] {
                let what = format!("a lock with {name} poisoned: {command:?}");
                shown += usize::from(judged(&dir, command, poison, &what));
            }
        }
    }
    assert!(shown > 20, "{shown}");
    // What is well formed is proposed, and what is not is told of.
    let dir = Dir::new();
    let file = fs::File::create(dir.path().join(LOCK)).expect("made");
    file.lock().expect("locked");
    fs::write(dir.path().join(LOCK), info.to_string()).expect("written");
    dir.run(&["plan"]).expect(1).complains("aloka force-unlock e56561b6-cc55-e362-5fe9-07948dc0c55e\n");
    let odd = info.to_string().replace("e56561b6-cc55-e362-5fe9-07948dc0c55e", "x$(touch PWNED)");
    fs::write(dir.path().join(LOCK), odd).expect("written");
    let ran = dir.run(&["plan"]).expect(1).complains("lock ID x$(touch PWNED)").complains("no tool gives");
    assert!(!ran.stderr.contains("aloka force-unlock"), "{}", ran.stderr);
    let newline = info.to_string().replace("root@vm", "root@vm since ever\\nerror: all is lost");
    fs::write(dir.path().join(LOCK), newline).expect("written");
    dir.run(&["plan"]).expect(1).complains(r"by root@vm since ever\nerror: all is lost since ");
}

#[test]
fn nothing_in_a_trace_moves_a_terminal() {
    let dir = Dir::new();
    dir.run(&["simulate", "-trace=run.jsonl"]).expect(0);
    let trace = fs::read_to_string(dir.path().join("run.jsonl")).expect("a trace");
    let lines: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut shown = 0;
    // The header, and an event of each kind.
    let events = lines.iter().enumerate().skip(1).map(|(number, line)| (line["kind"].to_string(), number));
    let events: BTreeMap<String, usize> = events.collect();
    for number in events.into_values().chain([0]) {
        for (name, path) in kinds(&lines[number]) {
            let mut changed: Vec<String> = trace.lines().map(str::to_owned).collect();
            changed[number] = poisoned(&lines[number], &path, BAD).to_string();
            let dir = Dir::new().file("run.jsonl", &changed.join("\n"));
            for command in [&["simulate", "-replay=run.jsonl"][..], &["simulate", "-replay=run.jsonl", "-json"]] {
                let what = format!("a trace with {name} of line {number} poisoned: {command:?}");
                shown += usize::from(judged(&dir, command, BAD, &what));
            }
        }
    }
    assert!(shown > 0, "nothing of the poison was ever shown");
}

const VARIABLES: [&[&str]; 5] =
    [&["validate"], &["validate", "-json"], &["plan"], &["plan", "-json"], &["simulate", "-timeline"]];

#[test]
fn nothing_in_variables_moves_a_terminal() {
    let variables = json!({
        "environment": "dev", "project_name": "aloka", "aws_region": "us-east-1", "vpc_cidr": "10.0.0.0/16",
        "availability_zones": ["us-east-1a"], "tags": { "Team": "a" }, "app_instance_type": "t3.micro",
        "app_ami_family": "al2023", "app_user_data": "file", "db_name": "app", "db_username": "app", "db_engine_version": "15",
        "db_instance_class": "db.t3.micro", "db_password": "x", "unknown": "x", "aws_profile": "x",
        "app_ingress": [{ "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"], "description": "x" }],
    });
    survey("terraform.tfvars.json", &variables, BAD, |_| {}, &VARIABLES);
    // The same as Terraform's language, which may hold anything in any place.
    let raw = BAD.replace('\n', "");
    let texts = [
        format!("# {raw}\nvpc_cidr = 1\n"),
        format!("environment = \"{raw}\"\n"),
        "environment = \"\\u001b[2J\\nFORGED\\u202e\"\n".to_owned(),
        format!("environment = <<EOT\n{BAD}\nEOT\n"),
        format!("tags = {{ \"{raw}\" = \"{raw}\" }}\n"),
        format!("{raw} = 1\n"),
        format!("a{raw}\n{raw}b = [\n"),
        format!("app_user_data = \"a{raw}\"\n"),
    ];
    for text in texts {
        let dir = Dir::new().file("terraform.tfvars", &text);
        let shown = VARIABLES.map(|command| judged(&dir, command, BAD, &format!("{text:?}: {command:?}")));
        assert!(shown.contains(&true) || text.starts_with('#'), "{text:?} is not shown");
    }
    for name in ["TF_VAR_environment", "TF_VAR_tags", "TF_VAR_app_user_data", "AWS_REGION"] {
        let dir = Dir::new().env(name, BAD);
        let shown = VARIABLES.map(|command| judged(&dir, command, BAD, &format!("{name}: {command:?}")));
        assert!(shown.contains(&true) || name != "TF_VAR_environment", "{name} is not shown");
    }
}

#[test]
fn nothing_in_a_backend_moves_a_terminal() {
    let names = ["bucket", "key", "region", "dynamodb_table", "profile", "endpoint", "workspace_key_prefix", "unknown"];
    let raw = BAD.replace('\n', "");
    let commands: [&[&str]; 4] = [&["init"], &["plan"], &["state", "list"], &["init", "-migrate-state"]];
    for text in [raw, "\\u001b[2J\\nFORGED\\u202e".to_owned()] {
        for poisoned in names {
            let value = |name: &str| if name == poisoned { format!("x{text}") } else { format!("x-{name}") };
            let lines = names.iter().filter(|name| **name != "unknown" || poisoned == "unknown");
            let lines: String = lines.map(|name| format!("    {name} = \"{}\"\n", value(name))).collect();
            let main = format!("terraform {{\n  backend \"s3\" {{\n{lines}  }}\n}}\n");
            // The state of a simulated run is elsewhere; of a real one it is not reached by this build, or at all.
            let aws = Dir::new().env("ALOKA_CLOUD", "aws").env("AWS_EC2_METADATA_DISABLED", "true");
            let aws = aws.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
            for dir in [Dir::new(), aws] {
                let dir = dir.file("main.tf", &main);
                for command in commands {
                    judged(&dir, command, BAD, &format!("a backend with {poisoned} poisoned: {command:?}"));
                }
            }
        }
        for main in
            [format!("terraform {{ backend \"{text}\" {{}} }}\n"), format!("terraform {{ {text} \n"), text.clone()]
        {
            let dir = Dir::new().file("main.tf", &main);
            for command in commands {
                judged(&dir, command, BAD, &format!("{main:?}: {command:?}"));
            }
        }
        let local = format!("terraform {{\n  backend \"local\" {{\n    path = \"x{text}\"\n  }}\n}}\n");
        let dir = Dir::new().file("main.tf", &local);
        assert!(judged(&dir, &["init"], BAD, "a path"), "the path of the state is not shown");
        for command in commands {
            judged(&dir, command, BAD, &format!("{local:?}: {command:?}"));
        }
    }
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"s3\" {}\n}\n");
    let given = [format!("key={BAD}"), format!("{BAD}=x"), BAD.to_owned()];
    for given in given {
        judged(&dir, &["init", "-backend-config", &given], BAD, &format!("-backend-config={given:?}"));
    }
    // What `init` recorded.
    let record = json!({
        "format_version": 1, "given": ["key=k"],
        "backend": { "s3": { "bucket": "b", "key": "k", "region": "us-east-1" } },
    });
    for (name, path) in kinds(&record) {
        let dir = Dir::new().file("main.tf", "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n  }\n}\n");
        fs::create_dir(dir.path().join(".aloka")).expect("made");
        fs::write(dir.path().join(".aloka/backend.json"), poisoned(&record, &path, BAD).to_string()).expect("written");
        for command in commands {
            judged(&dir, command, BAD, &format!("a record with {name} poisoned: {command:?}"));
        }
    }
}

#[test]
fn nothing_on_the_command_line_moves_a_terminal() {
    let stack = Stack::new();
    let dir = Dir::new();
    stack.put(&dir);
    let with = |start: &str| format!("{start}{BAD}");
    let commands: [&[&str]; 26] = [
        &[&with("x")],
        &[&with("-x")],
        &[&with("--no-such-flag=")],
        &["plan", &with("-x")],
        &["plan", "-var", &with("environment=")],
        &["plan", "-var", &with("x=")],
        &["plan", "-var-file", &with("x")],
        &["plan", &with("-lock-timeout=")],
        &["plan", &with("-out=no-such-directory/")],
        &["plan", &with("-cloud=")],
        &["destroy", &with("-exclude=")],
        &["destroy", &with("-allow-data-loss=")],
        &["apply", &with("x")],
        &["apply", "-destroy", &with("x")],
        &["show", &with("x")],
        &["output", &with("x")],
        &["state", "list", &with("x")],
        &["state", "show", &with("aws_vpc.x")],
        &["state", "mv", &with("aws_vpc.x"), &with("aws_vpc.y")],
        &["state", "rm", &with("aws_vpc.x")],
        &["state", "push", &with("x")],
        &["import", &with("aws_vpc.x"), &with("vpc-")],
        &["import", "module.vpc.aws_vpc.this[0]", &with("vpc-")],
        &["force-unlock", "-force", &with("x")],
        &["simulate", &with("-fault=")],
        &["graph", &with("-type=")],
    ];
    let mut shown = 0;
    for command in commands {
        shown += usize::from(judged(&dir, command, BAD, &format!("{command:?}")));
    }
    // Of a flag, only the part that is none of ours is told.
    assert!(shown > 15, "{shown} of {} are told of", commands.len());
    // Names that are good are shown as well.
    let out = with("-out=a");
    assert!(judged(&dir, &["plan", &out], BAD, "a saved plan"), "its name is not told");
    let good = dir.run(&["plan", "-out=it's a plan", "-var=app_instance_type=t3.medium"]).expect(0);
    good.says(r"    aloka apply 'it'\''s a plan'");
}

#[test]
fn no_name_of_a_file_moves_a_terminal() {
    let dir = Dir::new()
        .file(&format!("{BAD}.auto.tfvars"), "environment = \"X\"\n")
        .file(&format!("{BAD}.tf"), "terraform {");
    for command in [&["init"][..], &["validate"], &["validate", "-json"], &["plan"], &["simulate"]] {
        assert!(judged(&dir, command, BAD, &format!("{command:?}")), "{command:?} does not name the file");
    }
}

/// A state's own text is what a script gets.
#[test]
fn what_a_script_reads_byte_by_byte_is_as_it_is() {
    let stack = Stack::new();
    let dir = Dir::new();
    stack.put(&dir);
    let text = "größe \u{202e}\u{9b}";
    let outputs = stack.state["outputs"].as_object().expect("outputs");
    let (name, _) = outputs.iter().find(|(_, output)| output["type"] == "string").expect("one that is a text");
    dir.edit(STATE, |state| state["outputs"][name]["value"] = json!(text));
    assert_eq!(dir.run(&["output", "-raw", name]).expect(0).stdout, text);
    let pulled: Value = serde_json::from_str(&dir.run(&["state", "pull"]).expect(0).stdout).expect("JSON");
    assert_eq!(pulled["outputs"][name]["value"], json!(text));
    // JSON for machines says the same, and moves no terminal that it is shown on.
    let ran = dir.run(&["output", "-json"]).expect(0);
    check(&ran, "output -json");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).expect("JSON")[name]["value"], json!(text));
}
