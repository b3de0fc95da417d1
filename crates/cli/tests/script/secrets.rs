//! The password is nowhere but where AWS gets it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use aloka_tests::canary::{CANARY, Canary, OTHER_CANARY};

use crate::support::{Dir, Ran};

/// Every command of a life, `GIVEN` replaced by how the password is given.
const LIFE: &[(&[&str], i32)] = &[
    (&["init"], 0),
    (&["validate", "GIVEN"], 0),
    (&["validate", "-json", "GIVEN"], 0),
    (&["plan", "-out=tfplan", "GIVEN"], 0),
    (&["plan", "-json", "GIVEN"], 0),
    (&["plan", "-calls", "GIVEN"], 0),
    (&["show", "tfplan"], 0),
    (&["show", "-json", "tfplan"], 0),
    (&["graph"], 0),
    (&["apply", "tfplan", "GIVEN"], 0),
    (&["apply", "-auto-approve", "-json", "-var=app_instance_type=t3.medium", "GIVEN"], 0),
    (&["refresh", "GIVEN"], 0),
    (&["show"], 0),
    (&["show", "-json"], 0),
    (&["output"], 0),
    (&["output", "-json"], 0),
    (&["state", "list"], 0),
    (&["state", "pull"], 0),
    (&["state", "show", "aws_db_instance.postgres"], 0),
    (&["force-unlock", "-force", "x"], 1),
    (&["version"], 0),
    (&["simulate", "GIVEN"], 0),
    (&["simulate", "-trace=run.jsonl", "GIVEN"], 0),
    (&["simulate", "-replay=run.jsonl"], 0),
    (&["simulate", "-runs=2", "GIVEN"], 0),
    (&["destroy", "-auto-approve", "GIVEN"], 1),
    (&["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db", "GIVEN"], 0),
];

/// Runs a command and looks for the canary in what it printed and in every file there is, those of the user excepted.
#[track_caller]
fn clean(canary: &Canary, dir: &Dir, args: &[&str], code: i32, own: &[&str]) -> Ran {
    let ran = dir.run(args);
    canary.absent(&format!("the output of {}", args[0]), &ran.stdout);
    canary.absent(&format!("the messages of {}", args[0]), &ran.stderr);
    for (path, bytes) in dir.files() {
        if !own.iter().any(|name| path.ends_with(name)) {
            canary.absent(&format!("{} after {}", path.display(), args[0]), &bytes);
        }
    }
    ran.expect(code)
}

fn loud(dir: Dir) -> Dir {
    dir.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("TF_LOG", "TRACE").env("AWS_LOG", "trace")
}

fn hcl(secret: &str) -> String {
    secret.replace('\\', "\\\\").replace("${", "$${").replace("%{", "%%{")
}

#[test]
fn no_file_and_no_output_holds_the_password() {
    let canary = Canary::new();
    let flag = format!("-var=db_password={CANARY}");
    let ways = [
        (Dir::new().env("TF_VAR_db_password", CANARY), None),
        (Dir::new().file("terraform.tfvars", &format!("db_password = \"{}\"\n", hcl(CANARY))), None),
        (
            Dir::new().file("own.tfvars.json", &serde_json::json!({ "db_password": CANARY }).to_string()),
            Some("-var-file=own.tfvars.json"),
        ),
        (Dir::new(), Some(flag.as_str())),
    ];
    for (index, (dir, given)) in ways.into_iter().enumerate() {
        let dir = loud(if index == 0 { dir } else { dir.without("TF_VAR_db_password") });
        for (args, code) in LIFE {
            let args: Vec<&str> =
                args.iter().filter_map(|arg| if *arg == "GIVEN" { given } else { Some(*arg) }).collect();
            let ran = clean(&canary, &dir, &args, *code, &["terraform.tfvars", "own.tfvars.json"]);
            if index == 3 && args[0] == "plan" && !args.contains(&"-json") {
                let ran = ran.complains("db_password is on the command line");
                ran.complains("set it as TF_VAR_db_password");
            }
        }
    }
}

/// What the user mistypes is not repeated.
#[test]
fn no_message_repeats_it() {
    let canary = Canary::new();
    let dir = loud(Dir::new());
    let wrong = |text: &str| text.replace("SECRET", CANARY);
    for args in [
        &["plan", "-var=db_password=SECRET/"][..],
        &["plan", "-var=db_pasword=SECRET"],
        &["plan", "-var=SECRET"],
        &["plan", "-var", "db_password", "SECRET"],
        &["plan", "-db_password=SECRET"],
        &["apply", "-var", "db_password", "SECRET"],
        &["plan", "-var=db_manage_master_user_password=true", "-var=db_password=SECRET"],
    ] {
        let args: Vec<String> = args.iter().map(|arg| wrong(arg)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        clean(&canary, &dir, &args, 1, &[]).complains("error: ");
    }
    for contents in
        ["db_password = \"SECRET/\"\nenvironment = 7 7\n", "db_password = SECRET\n", "db_password \"SECRET\"\n"]
    {
        let dir = Dir::new().without("TF_VAR_db_password").file("terraform.tfvars", &wrong(contents));
        clean(&canary, &dir, &["plan"], 1, &["terraform.tfvars"]).complains("terraform.tfvars");
    }
}

/// While it runs: nothing in the arguments other processes see, and no core dump to be had.
#[cfg(target_os = "linux")]
#[test]
fn the_process_keeps_it_to_itself() {
    let canary = Canary::new();
    let dir = Dir::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aloka"));
    command.args(["apply"]).current_dir(dir.path()).env("ALOKA_CLOUD", "sim").env("TF_VAR_db_password", CANARY);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("Do you want to perform these actions?") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).expect("read"), 0, "it never asked");
    }
    let of = |name: &str| std::fs::read(format!("/proc/{}/{name}", child.id()));
    canary.absent("its arguments", of("cmdline").expect("readable"));
    canary.absent("its name", of("comm").expect("readable"));
    let limits = String::from_utf8(of("limits").expect("readable")).expect("text");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // Files of a process that may not be dumped belong to root, so that nobody else reads its environment.
    let owner = std::os::unix::fs::MetadataExt::uid(
        &std::fs::metadata(format!("/proc/{}/environ", child.id())).expect("there"),
    );
    assert_eq!(owner, 0);
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("ends").code(), Some(1));
}

/// Two lives with two passwords, from the same state in the same account: nothing differs but the hash.
#[test]
fn two_passwords_leave_the_same_files() {
    let life = |password: &str| {
        let state = "{\"version\": 4, \"serial\": 1, \"lineage\": \"5f0e8f0e-6f5f-4e53-9d5c-3a3a5a1d0001\"}";
        let dir = Dir::new().env("TF_VAR_db_password", password).file("terraform.tfstate", state);
        let mut said = Vec::new();
        for args in
            [&["plan", "-out=tfplan"][..], &["show", "-json", "tfplan"], &["apply", "tfplan"], &["show", "-json"]]
        {
            let ran = dir.run(args).expect(0);
            said.push((args.join(" "), ran.stdout));
        }
        let files = dir.files().into_iter().map(|(path, bytes)| {
            let name = path.strip_prefix(dir.path()).expect("inside").display().to_string();
            (name, String::from_utf8(bytes).expect("text"))
        });
        said.extend(files);
        said.sort();
        said
    };
    let masked = |said: Vec<(String, String)>| -> Vec<(String, String)> {
        said.into_iter()
            .map(|(name, text)| {
                // In base64 as well, where Terraform keeps it: {"aloka":"argon2id
                let text = text.replace("eyJhbG9rYSI6ImFyZ29uMmlk", "argon2id$");
                let mut parts = text.split("argon2id$");
                let first = parts.next().unwrap_or_default().to_owned();
                let rest = parts.map(|part| part.split_once('"').map_or("", |(_, rest)| rest));
                (name, rest.fold(first, |text, part| text + "HASH" + part))
            })
            .collect()
    };
    let (one, two) = (life("first-password-1"), life("quite-another-22"));
    assert!(one.iter().any(|(name, text)| name == "terraform.tfstate" && text.contains("argon2id$")));
    assert_ne!(one, two, "the hashes have salts");
    for (one, two) in masked(one).iter().zip(&masked(two)) {
        assert_eq!(one, two);
    }
}

#[test]
fn state_and_plan_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new();
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    dir.apply(&[]);
    dir.apply(&["-var=app_instance_count=2"]);
    for name in ["tfplan", "terraform.tfstate", "terraform.tfstate.backup", ".aloka/sim-account.json"] {
        let mode = std::fs::metadata(dir.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// It has nothing to compare the password with, so the one that apply is given counts.
#[test]
fn a_saved_plan_asks_for_the_password_again() {
    let dir = Dir::new();
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    assert!(!std::fs::read_to_string(dir.path().join("tfplan")).expect("a plan").contains("argon2id"));
    let dir = dir.without("TF_VAR_db_password");
    dir.run(&["apply", "tfplan"]).expect(1).complains("TF_VAR_db_password");
    let dir = dir.env("TF_VAR_db_password", OTHER_CANARY);
    dir.run(&["apply", "tfplan"]).expect(0).says("22 added");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    // A plan that changes the password, applied with the one that is recorded, is another plan.
    let dir = dir.env("TF_VAR_db_password", CANARY);
    dir.run(&["plan", "-out=tfplan"]).expect(0).says("1 to change");
    let dir = dir.env("TF_VAR_db_password", OTHER_CANARY);
    dir.run(&["apply", "tfplan"]).expect(1).complains("saved plan is stale");
}

#[test]
fn a_changed_password_is_one_change() {
    let dir = Dir::new();
    dir.apply(&[]);
    let dir = dir.env("TF_VAR_db_password", OTHER_CANARY);
    dir.run(&["plan", "-detailed-exitcode"])
        .expect(2)
        .says("Plan: 0 to add, 1 to change, 0 to destroy.")
        .says("(sensitive value)");
    dir.apply(&[]).says("0 added, 1 changed, 0 destroyed.");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn rds_keeps_the_password_if_asked() {
    let dir =
        Dir::new().without("TF_VAR_db_password").file("terraform.tfvars", "db_manage_master_user_password = true\n");
    let ran = dir.run(&["plan", "-calls"]).expect(0).says("ManageMasterUserPassword=true");
    assert!(!ran.stdout.contains(" MasterUserPassword="), "{}", ran.stdout);
    ran.says("secretsmanager:CreateSecret");
    dir.apply(&[]).says("22 added");
    dir.run(&["state", "show", "aws_db_instance.postgres"]).expect(0).says("secret_arn").says("rds!db-");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    // And back: that needs a password.
    let off = "-var=db_manage_master_user_password=false";
    dir.run(&["plan", off]).expect(1).complains("db_password is not set");
    let dir = dir.env("TF_VAR_db_password", CANARY);
    dir.run(&["plan"]).expect(1).complains("RDS makes the password itself").complains("hint: ");
    dir.apply(&[off]).says("0 added, 1 changed, 0 destroyed.");
    dir.run(&["plan", "-detailed-exitcode", off]).expect(0);
}
