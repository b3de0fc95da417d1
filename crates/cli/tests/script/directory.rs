//! A directory is data: what it may name, where its files may lead, whose it may be.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink};

use crate::hostile::{CANARY, COMMANDS, NOBODY, Outside, run};
use crate::support::Dir;

/// A cloned repository: its backend block names a directory, and what stands there for the lock file leads elsewhere.
#[test]
fn a_lock_file_is_emptied_only_if_it_holds_a_lock_or_nothing() {
    let outside = Outside::new();
    let dir = Dir::new()
        .file("main.tf", "terraform {\n  backend \"local\" {\n    path = \"sub/terraform.tfstate\"\n  }\n}\n");
    fs::create_dir(dir.path().join("sub")).expect("made");
    let lock = dir.path().join("sub/.terraform.tfstate.lock.info");
    let apply = &["apply", "-auto-approve"][..];
    for target in ["file", "nothing"] {
        symlink(outside.path(target), &lock).expect("a link");
        for args in [&["plan"][..], apply, &["destroy", "-auto-approve"], &["refresh"], &["state", "push", "x"]] {
            let ran = dir.run(args).expect(1);
            assert!(args[0] == "state" || ran.stderr.contains("lock.info: it is a link"), "{}", ran.stderr);
        }
        fs::remove_file(&lock).expect("removed");
    }
    assert!(fs::read_to_string(outside.path("file")).expect("there").contains(CANARY));
    assert!(!outside.path("nothing").exists());
    for other in ["milk\n", "{\"ID\": \"\"}", "{\"lineage\": \"x\"}", "{\"ID\": \"x\"", "\u{feff}"] {
        fs::write(&lock, other).expect("written");
        dir.run(apply).expect(1).complains("is another kind of file, not a lock").complains("hint: ");
        assert_eq!(fs::read_to_string(&lock).expect("there"), other);
    }
    for left in ["", "\n", "{\"ID\":\"e56561b6-cc55-e362-5fe9-07948dc0c55e\",\"Who\":\"root@vm\"}"] {
        fs::write(&lock, left).expect("written");
        dir.run(&["plan"]).expect(0);
        assert!(!lock.exists(), "it goes with the lock");
    }
}

#[test]
fn a_directory_that_a_link_stands_for_is_not_written_to() {
    let outside = Outside::new();
    let dir = Dir::new();
    symlink(outside.path("directory"), dir.path().join(".aloka")).expect("a link");
    let before = outside.looks();
    for args in [&["plan"][..], &["apply", "-auto-approve"], &["simulate", "-keep"], &["state", "recover"]] {
        dir.run(args).expect(1).complains(".aloka/").complains("its directory is a link").complains("hint: ");
    }
    assert_eq!(outside.looks(), before);
    // The same for the directory of a state.
    let dir = Dir::new()
        .file("main.tf", "terraform {\n  backend \"local\" {\n    path = \"sub/terraform.tfstate\"\n  }\n}\n");
    symlink(outside.path("directory"), dir.path().join("sub")).expect("a link");
    dir.run(&["apply", "-auto-approve"]).expect(1).complains("outside of this directory, and holds no state yet");
    assert_eq!(outside.looks(), before);
}

/// A state is made outside of the directory only if it is the user who says so, elsewhere.
#[test]
fn a_state_outside_is_a_state_already_or_agreed_to() {
    let (outside, home) = (Outside::new(), tempfile::tempdir().expect("a directory"));
    let state = fs::canonicalize(outside.path("directory")).expect("there").join("terraform.tfstate");
    let block =
        format!("terraform {{\n  backend \"local\" {{\n    path = {:?}\n  }}\n}}\n", state.to_str().expect("UTF-8"));
    let dir = Dir::new().env("XDG_CONFIG_HOME", home.path().to_str().expect("UTF-8")).file("main.tf", &block);
    let before = outside.looks();
    let said = dir.run(&["apply", "-auto-approve"]).expect(1).complains("holds no state yet").stderr;
    assert_eq!(outside.looks(), before);
    let command = said.split("say so: ").nth(1).and_then(|rest| rest.lines().next()).expect("a command");
    assert!(run("sh", &["-c", command]), "{command}");
    dir.apply(&[]);
    assert!(state.exists());
    // There is one now, and that is enough, by a link as well.
    fs::remove_dir_all(home.path().join("aloka")).expect("removed");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    let linked = Dir::new();
    symlink(&state, linked.path().join("terraform.tfstate")).expect("a link");
    linked.run(&["state", "list"]).expect(0).says("aws_instance.app");
    fs::write(&state, format!("{CANARY}\n")).expect("written");
    let ran = linked.run(&["plan"]).expect(1);
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
}

#[test]
fn a_link_out_of_the_directory_gets_no_new_plan_and_no_trace() {
    let outside = Outside::new();
    let dir = Dir::new();
    fs::write(outside.path("empty"), "").expect("written");
    let before = outside.looks();
    symlink(outside.path("directory"), dir.path().join("plans")).expect("a link");
    for name in ["nothing", "empty", "file"] {
        symlink(outside.path(name), dir.path().join(name)).expect("a link");
    }
    let absolute = format!("{}/nothing", dir.path().display());
    for path in ["nothing", "empty", "file", "plans/tfplan", &absolute] {
        dir.run(&["plan", &format!("-out={path}")]).expect(1).complains(path).complains("hint: ");
        dir.run(&["simulate", &format!("-trace={path}")]).expect(1).complains(path).complains("hint: ");
    }
    assert_eq!(outside.looks(), before);
    // What the command line shows is meant.
    let named = outside.path("directory").join("tfplan");
    dir.run(&["plan", &format!("-out={}", named.display())]).expect(0);
    symlink(&named, dir.path().join("known")).expect("a link");
    dir.run(&["plan", "-out=known"]).expect(0);
}

#[test]
fn traces_and_accounts_are_for_their_owner_alone() {
    let dir = Dir::new();
    dir.apply(&[]);
    dir.run(&["simulate", "-keep", "-trace=run.jsonl"]).expect(0);
    let files = ["run.jsonl", ".aloka/rehearsal.jsonl", ".aloka/sim-account.json"].map(|name| dir.path().join(name));
    let modes = || files.each_ref().map(|path| fs::metadata(path).expect("there").mode() & 0o777);
    assert_eq!(modes(), [0o600; 3]);
    files.iter().for_each(|path| fs::set_permissions(path, Permissions::from_mode(0o644)).expect("mode"));
    dir.apply(&["-var=app_instance_type=t3.medium"]);
    dir.run(&["simulate", "-keep", "-trace=run.jsonl"]).expect(0);
    assert_eq!(modes(), [0o600; 3]);
}

#[test]
fn a_variables_file_names_only_what_is_in_its_directory() {
    let outside = Outside::new();
    let script = "#!/bin/sh\necho hello\n";
    let dir = Dir::new().file("boot.sh", script);
    let path = |name: &str| dir.path().join(name);
    let elsewhere = outside.path("file");
    symlink("boot.sh", path("link.sh")).expect("a link");
    symlink(&elsewhere, path("out.sh")).expect("a link");
    fs::create_dir(path("sub")).expect("made");
    symlink(outside.path(""), path("sub/away")).expect("a link");
    let up = format!("../{}/file", outside.path("").file_name().expect("a name").to_string_lossy());
    let absolute = path("boot.sh").to_str().expect("UTF-8").to_owned();
    let outside_path = elsewhere.to_str().expect("UTF-8").to_owned();
    for file in ["terraform.tfvars", "x.auto.tfvars", "terraform.tfvars.json", "named.tfvars"] {
        let mut args = vec!["plan"];
        if file == "named.tfvars" {
            args.push("-var-file=named.tfvars");
        }
        let say = |name: &str| {
            let text = if file.ends_with("json") {
                format!("{{\"app_user_data\": {name:?}}}")
            } else {
                format!("app_user_data = {name:?}\n")
            };
            fs::write(path(file), text).expect("written");
        };
        for name in ["boot.sh", "./boot.sh", "link.sh", "sub/../boot.sh"] {
            say(name);
            let ran = dir.run(&args).expect(0).says(&format!("servers boot with {name}, 21 bytes, SHA-256 "));
            assert!(!ran.stdout.contains("echo hello"), "by its digest alone");
        }
        for name in [up.as_str(), "out.sh", "sub/away/file", &absolute, &outside_path, "/etc/passwd", "/dev/zero"] {
            say(name);
            for command in [&args[..], &["validate", args.get(1).unwrap_or(&"-json")]] {
                let ran = dir.run(command).expect(1);
                let told = format!("{}{}", ran.stdout, ran.stderr);
                assert!(told.contains("app_user_data") && !told.contains(CANARY), "{file}: {name}: {told}");
            }
            // The user's own word comes before it, or without it.
            dir.run(&["plan", &format!("-var=app_user_data={outside_path}")]).expect(0).says(&outside_path);
        }
        fs::remove_file(path(file)).expect("removed");
    }
    let mut command = dir.command(&["plan"]);
    let output = command.env("TF_VAR_app_user_data", &outside_path).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    // A saved plan says the same.
    dir.run(&["plan", "-out=tfplan", "-var=app_user_data=boot.sh"]).expect(0);
    let shown = dir.run(&["show", "tfplan"]).expect(0).says("new servers boot with boot.sh, 21 bytes, SHA-256 ");
    let shown = shown.says("Boot script \"boot.sh\", beside the built-in one:").says("  - \"#!/bin/bash");
    let script = fs::read_to_string(dir.path().join("boot.sh")).expect("a script");
    for line in script.lines().filter(|line| !line.starts_with("#!")) {
        assert!(shown.stdout.contains(&format!("  + \"{line}\"")), "{}", shown.stdout);
    }
}

#[test]
fn what_looks_like_credentials_is_not_sent_as_user_data() {
    let dir = Dir::new();
    for (contents, what) in [
        (format!("-----BEGIN {} PRIVATE KEY-----\n{CANARY}\n", "RSA"), "a private key"),
        (format!("[default]\naws_secret_access_key = {CANARY}\n"), "an AWS access key"),
        (format!("root:${CANARY}:19000:0:99999:7:::\n"), "password hashes"),
    ] {
        fs::write(dir.path().join("boot.sh"), contents).expect("written");
        for args in [&["plan", "-calls"][..], &["apply", "-auto-approve"], &["simulate", "-keep"], &["graph"]] {
            let ran = dir.run(&[args, &["-var=app_user_data=boot.sh"]].concat()).expect(1);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.contains(what) && told.contains("ALOKA_ALLOW_CREDENTIALS_IN_USER_DATA=1"), "{told}");
            assert!(!told.contains(CANARY), "{told}");
        }
        let mut command = dir.command(&["plan", "-var=app_user_data=boot.sh"]);
        let output = command.env("ALOKA_ALLOW_CREDENTIALS_IN_USER_DATA", "1").output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
    }
}

/// Only root gives directories away; to be root is not to be asked for what others declare.
#[test]
fn the_directory_of_another_user_is_used_only_if_it_is_trusted() {
    let (outside, home) = (Outside::new(), tempfile::tempdir().expect("a directory"));
    fs::create_dir(outside.path("directory/.config")).expect("made");
    let theirs = fs::canonicalize(outside.path("directory")).expect("there");
    if chown(&theirs, Some(NOBODY), None).is_err() {
        eprintln!("NOT TESTED: directories of another user, as this process may not give one away");
        return;
    }
    let there = format!("-chdir={}", theirs.display());
    let config = home.path().to_str().expect("UTF-8");
    let dir = Dir::new().env("XDG_CONFIG_HOME", config);
    for args in COMMANDS {
        let ran = dir.run(&[&[there.as_str()], args].concat());
        let names_its_file = args.contains(&"-replay=run.jsonl") || args == ["show", "tfplan"];
        assert!(names_its_file || ran.stderr.contains("belongs to user 65534"), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.code, 1, "{args:?}");
    }
    assert_eq!(fs::read_dir(&theirs).expect("listed").count(), 1, "nothing was made there");
    let with = |name: &str, value: &str| {
        let output = dir.command(&[&there, "validate"]).env(name, value).output().expect("it runs");
        output.status.code().expect("it ends")
    };
    let path = theirs.to_str().expect("UTF-8");
    for (name, value, code) in [
        ("ALOKA_TRUST_DIRECTORY", path, 0),
        ("ALOKA_TRUST_DIRECTORY", "*", 0),
        ("ALOKA_TRUST_DIRECTORY", ".", 1),
        ("ALOKA_TRUST_DIRECTORY", outside.path("").to_str().expect("UTF-8"), 1),
        ("SUDO_UID", "65534", 0),
        ("SUDO_UID", "1", 1),
    ] {
        assert_eq!(with(name, value), code, "{name}={value}");
    }
    // A record that the directory brings along is none.
    fs::create_dir(theirs.join(".config/aloka")).expect("made");
    fs::write(theirs.join(".config/aloka/trusted"), format!("directory {path}\ndirectory *\n")).expect("written");
    assert_eq!(with("XDG_CONFIG_HOME", &format!("{path}/.config")), 1);
    // The command that is told makes one that counts.
    let said = dir.run(&[&there, "validate"]).expect(1).stderr;
    let command = said.split("say so: ").nth(1).and_then(|rest| rest.lines().next()).expect("a command");
    assert!(run("sh", &["-c", command]), "{command}");
    dir.run(&[&there, "validate"]).expect(0);
    fs::set_permissions(home.path().join("aloka/trusted"), Permissions::from_mode(0o666)).expect("mode");
    dir.run(&[&there, "validate"]).expect(1).complains("others than you may write");
}

#[test]
fn a_directory_that_everybody_may_write_to_is_warned_of_once() {
    let dir = Dir::new();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).expect("mode");
    let ran = dir.apply(&[]);
    assert_eq!(
        ran.stderr.matches("every user of this machine may write to this directory").count(),
        1,
        "{}",
        ran.stderr
    );
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("mode");
    assert!(!dir.run(&["plan"]).expect(0).stderr.contains("every user"));
}

#[test]
fn the_command_line_may_name_pipes() {
    let dir = Dir::new();
    let pipe = dir.path().join("pipe");
    assert!(run("mkfifo", &[pipe.to_str().expect("UTF-8")]));
    let written = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(written, "app_instance_type = \"t3.large\"\n"));
    dir.run(&["plan", "-var-file=pipe"]).expect(0).says("t3.large");
    writer.join().expect("it ends").expect("written");
    dir.run(&["plan", "-var-file=pipe"]).expect(1).complains("nobody is at its other end").complains("hint: ");
    dir.run_with(&["plan", "-var-file=/dev/stdin"], "app_instance_type = \"t3.large\"\n").expect(0).says("t3.large");
    dir.run(&["plan", "-var-file=/dev/zero"]).expect(1).complains("/dev/zero has more than");
    assert!(fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
}
