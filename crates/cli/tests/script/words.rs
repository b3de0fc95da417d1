//! The words of a command line: what Terraform calls so, what people try, and what the environment adds.

use crate::support::Dir;

#[test]
fn help_is_a_word_and_a_flag() {
    let dir = Dir::new();
    for (words, flag) in [
        (vec!["help"], vec!["-help"]),
        (vec!["help", "plan"], vec!["plan", "-help"]),
        (vec!["help", "state"], vec!["state", "-help"]),
        (vec!["help", "state", "list"], vec!["state", "list", "-help"]),
    ] {
        let said = dir.run(&words).expect(0).says("Usage: aloka").stdout;
        assert_eq!(said, dir.run(&flag).expect(0).stdout, "{words:?}");
    }
    dir.run(&["help", "plam"]).expect(1).complains("did you mean: aloka plan");
}

#[test]
fn a_word_that_is_no_command_is_answered() {
    let dir = Dir::new();
    for (words, way) in [
        (vec!["test"], "aloka simulate"),
        (vec!["fmt", "-check"], "terraform fmt"),
        (vec!["taint", "aws_instance.app"], "aloka apply"),
        (vec!["unlock", "x"], "aloka force-unlock LOCK_ID"),
        (vec!["vars"], "aloka variables"),
        (vec!["state", "replace-provider", "a", "b"], "terraform state replace-provider"),
        (vec!["state", "ls"], "aloka state list"),
    ] {
        let ran = dir.run(&words).expect(1).complains("error: aloka").complains(way);
        assert_eq!(ran.stdout, "", "{words:?}");
    }
    // Whatever follows the word may be a secret.
    let ran = dir.run(&["deploy", "-var", "db_password=hunter2hunter2"]).expect(1);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

/// Neither a mistyped word nor a mistyped flag is answered with the one that destroys.
#[test]
fn no_mistake_is_answered_with_destroy() {
    let dir = Dir::new();
    for words in
        [["destory", ""], ["test", ""], ["plan", "-destory"], ["apply", "--destro"], ["destro", "-auto-approve"]]
    {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let ran = dir.run(&words).expect(1);
        assert!(!ran.stderr.contains("destroy"), "{words:?}: {}", ran.stderr);
    }
    dir.run(&["teardown"]).expect(1).complains("written in full: aloka destroy");
}

#[test]
fn the_environment_adds_flags_behind_the_command() {
    let dir = Dir::new().file("p.tfvars", "environment = \"file\"\n");
    let with = |name: &str, value: &str, args: &[&str]| {
        let output = dir.command(args).env(name, value).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    };
    for (name, value, args) in [
        ("TF_CLI_ARGS_plan", "-var-file=p.tfvars -lock=F", vec!["plan"]),
        ("TF_CLI_ARGS_plan", "-var 'environment=file'", vec!["-chdir=.", "plan"]),
        ("TF_CLI_ARGS", "-var=environment=file", vec!["plan"]),
    ] {
        let (code, stdout, stderr) = with(name, value, &args);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains("aloka-file-db"), "{name}={value}: {stdout}");
    }
    // What is typed stands behind, and wins; another command's variable does not count.
    let (_, stdout, _) = with("TF_CLI_ARGS_plan", "-var=environment=file", &["plan", "-var=environment=typed"]);
    assert!(stdout.contains("aloka-typed-db"), "{stdout}");
    let (_, stdout, _) = with("TF_CLI_ARGS_apply", "-var=environment=file", &["plan"]);
    assert!(stdout.contains("aloka-dev-db"), "{stdout}");
    dir.apply(&[]);
    let (code, stdout, _) = with("TF_CLI_ARGS_state_list", "module.vpc.aws_vpc", &["state", "list"]);
    assert_eq!((code, stdout.as_str()), (0, "module.vpc.aws_vpc.this[0]\n"));
    let (code, _, stderr) = with("TF_CLI_ARGS_force_unlock", "-force", &["force-unlock", "x"]);
    assert!(code == 1 && !stderr.contains("unexpected"), "{stderr}");
}

#[test]
fn what_is_wrong_in_the_environment_is_told_with_its_name() {
    let dir = Dir::new();
    for (name, value, told) in [
        ("TF_CLI_ARGS_plan", "-bogus", "it is from TF_CLI_ARGS_plan"),
        ("TF_CLI_ARGS", "-bogus=1", "it is from TF_CLI_ARGS,"),
        ("TF_CLI_ARGS_plan", "-target=aws_instance.app", "it is from TF_CLI_ARGS_plan"),
        ("TF_CLI_ARGS_plan", "-var 'open", "TF_CLI_ARGS_plan cannot be split into arguments"),
        ("TF_CLI_ARGS", "-no-color > log", "TF_CLI_ARGS cannot be split into arguments"),
    ] {
        let output = dir.command(&["plan"]).env(name, value).output().expect("it runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(told), "{name}={value}: {stderr}");
    }
    // A secret in it is told by nobody, and no child is given it.
    let hidden = dir.command(&["plan"]).env("TF_CLI_ARGS", "-var db_password='hunter2hunter2").output().expect("runs");
    assert!(!String::from_utf8_lossy(&hidden.stderr).contains("hunter2"));
}

#[test]
fn init_can_leave_the_backend_alone() {
    let dir = Dir::new().file("main.tf", "terraform { backend \"s3\" {} }\n").env("ALOKA_CLOUD", "aws");
    dir.run(&["init", "-backend=false", "-input=false", "-get=true", "-lockfile=readonly", "-upgrade"])
        .expect(0)
        .says("not looked at, as -backend=false says");
    dir.run(&["init", "-backend=false", "-migrate-state"]).expect(1).complains("cannot be used with");
}

#[test]
fn variables_are_listed_and_documented() {
    let dir = Dir::new();
    dir.run(&["variables"]).expect(0).says("app_instance_type\n  EC2 instance type").says("default: \"t3.small\"");
    let json = dir.run(&["variables", "-json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let list = json["variables"].as_array().expect("a list");
    let password = list.iter().find(|variable| variable["name"] == "db_password").expect("a variable");
    assert_eq!((&password["sensitive"], &password["default"]), (&true.into(), &serde_json::Value::Null));
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/VARIABLES.md");
    let page = std::fs::read_to_string(page).expect("docs/VARIABLES.md");
    let now = dir.run(&["variables", "-markdown"]).expect(0).stdout;
    assert!(page == now, "docs/VARIABLES.md is not up to date: aloka variables -markdown > docs/VARIABLES.md");
    assert!(
        list.iter().all(|variable| page.contains(&format!("| `{}` |", variable["name"].as_str().expect("a name"))))
    );
    dir.run(&["plan", "-var", "foo=1"]).expect(1).complains("`aloka variables` lists the names");
}

#[test]
fn a_no_op_asks_for_nothing_and_a_wrong_identifier_is_told() {
    let dir = Dir::new();
    let first = dir.run(&["plan", "-out=first"]).expect(0).says("To perform exactly these actions");
    drop(first);
    dir.apply(&["-allow-data-loss=aloka-dev-dp"]).complains("-allow-data-loss=aloka-dev-dp names no database");
    let saved = dir.run(&["plan", "-out=second"]).expect(0).says("Saved the plan to: second").stdout;
    assert!(!saved.contains("To perform"), "{saved}");
    let nowhere = dir.run(&["plan", "-out=no/dir/x"]).expect(1).complains("cannot write the plan to no/dir/x");
    assert_eq!(nowhere.stdout, "", "it is told before anything is planned");
    let refused = dir.run(&["destroy", "-auto-approve", "-allow-data-loss=wrong"]).expect(1);
    refused.complains("-allow-data-loss=wrong names no database").complains("add: -allow-data-loss=aloka-dev-db");
    let ran = dir.run(&["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"]).expect(0);
    ran.says("Destroy complete! Resources: 21 destroyed.").says("1 forgotten: module.vpc.aws_default_security_group");
}

#[test]
fn the_table_of_many_runs_fits() {
    let ran = Dir::new().run(&["simulate", "-runs=3", "-seed=1"]).expect(0).says("reads that look for what was left");
    let widest = ran.stdout.lines().filter(|line| !line.starts_with("warning:")).map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{}", ran.stdout);
    assert!(!ran.stdout.lines().any(|line| line.starts_with("  reading ")), "{}", ran.stdout);
}

#[test]
fn colour_is_forced_into_a_pipe() {
    let dir = Dir::new();
    let coloured = |pairs: &[(&str, &str)]| {
        let output = dir.command(&["plan"]).envs(pairs.iter().copied()).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).contains("\u{1b}[")
    };
    assert!(!coloured(&[]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]) && coloured(&[("FORCE_COLOR", "1")]));
    assert!(!coloured(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
}

/// What bash offers for a line that ends at the word to complete.
fn completed(script: &std::path::Path, words: &[&str]) -> Vec<String> {
    let last = words.len() - 1;
    let program = format!(
        "source {}; COMP_WORDS=({}); COMP_CWORD={last}; _aloka aloka '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words[last],
        words[last - 1],
    );
    let output = std::process::Command::new("bash").args(["-c", &program]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn completions_take_one_dash_and_offer_nothing_that_is_refused() {
    let dir = Dir::new();
    let script = dir.path().join("completions");
    std::fs::write(&script, dir.run(&["completions", "bash"]).expect(0).stdout).expect("written");
    assert_eq!(completed(&script, &["aloka", "plan", "-ou"]), ["-out"]);
    assert_eq!(completed(&script, &["aloka", "plan", "--ou"]), ["--out"]);
    assert!(completed(&script, &["aloka", "graph", "-type", ""]).contains(&"mermaid".to_owned()));
    assert!(completed(&script, &["aloka", "graph", "--type", ""]).contains(&"mermaid".to_owned()));
    assert!(completed(&script, &["aloka", "state", "li"]).contains(&"list".to_owned()));
    for shell in ["bash", "zsh", "fish"] {
        let script = dir.run(&["completions", shell]).expect(0).stdout;
        assert!(!script.contains("generate-config-out") && !script.contains("parallelism"), "{shell}");
    }
    let fish = dir.run(&["completions", "fish"]).expect(0).says(" -o out ").stdout;
    assert!(!fish.contains(" -l out"), "{fish}");
    dir.run(&["completions", "zsh"]).expect(0).says("'-out=[");
}
