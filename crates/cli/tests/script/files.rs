//! Files that are written: what is somebody else's stays as it is, and what is ours keeps what its owner gave it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Dir, Ran};

/// How a saved plan begins.
const PLAN: &str = "{\"kind\":\"aloka plan\",";
/// How a trace begins.
const TRACE: &str = "{\"aloka_trace\":";

/// A directory with a stack.
fn applied() -> Dir {
    let dir = Dir::new();
    dir.apply(&[]);
    dir
}

fn read(dir: &Dir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).expect("read")
}

fn names(dir: &Dir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).expect("listed").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).expect("there").is_symlink()
}

/// Runs the command, which must refuse before it asks the cloud for anything, say `why`, and change nothing.
#[track_caller]
fn refused(dir: &Dir, args: &[&str], why: &str) -> Ran {
    let (before, listed) = (dir.files(), names(dir));
    let ran = dir.run(args).expect(1).complains(why).complains("hint: ");
    assert_eq!(ran.stdout, "", "{args:?} got as far as that");
    assert!(dir.files() == before && names(dir) == listed, "{args:?} changed a file");
    ran
}

#[test]
fn what_is_not_a_plan_is_not_overwritten_by_one_and_a_state_by_nothing() {
    let dir = applied();
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    dir.run(&["simulate", "-trace=run.jsonl"]).expect(0);
    let state = read(&dir, "terraform.tfstate");
    let path = |name: &str| dir.path().join(name);
    let cut = &state[..state.len() / 2];
    for (name, contents) in [
        ("renamed", state.as_str()),
        ("half-of-a-state", cut),
        ("notes.txt", "milk\n"),
        ("main.tf", "terraform {}\n"),
        ("values.json", "{\"environment\": \"dev\"}"),
        ("theirs.tfplan", "PK\u{3}\u{4}"),
        ("almost", "{\"kind\":\"aloka planet\"}"),
    ] {
        fs::write(path(name), contents).expect("written");
    }
    symlink("terraform.tfstate", path("link")).expect("a link");
    fs::hard_link(path("terraform.tfstate"), path("another-name")).expect("a link");
    fs::create_dir(path("directory")).expect("made");
    let (state, kept, other) = ("holds a state", "what belongs to it", "is not ");
    let table = [
        ("terraform.tfstate", state),
        ("./terraform.tfstate", state),
        ("directory/../terraform.tfstate", state),
        ("link", state),
        ("another-name", state),
        ("renamed", state),
        ("half-of-a-state", state),
        ("terraform.tfstate.backup", kept),
        (".terraform.tfstate.lock.info", kept),
        ("errored.tfstate", kept),
        (".aloka/sim.tfstate", kept),
        (".aloka/backend.json", kept),
        (".aloka/sim-account.json", other),
        ("notes.txt", other),
        ("main.tf", other),
        ("values.json", other),
        ("theirs.tfplan", other),
        ("almost", other),
        ("directory", "is a directory"),
    ];
    for (name, why) in table {
        refused(&dir, &["plan", &format!("-out={name}")], why);
        refused(&dir, &["simulate", &format!("-trace={name}")], why);
    }
    refused(&dir, &["plan", "-out=run.jsonl"], "is not a saved plan");
    refused(&dir, &["simulate", "-trace=tfplan"], "is not a trace");
    symlink("terraform.tfstate.backup", path("to-the-backup")).expect("a link that leads nowhere");
    dir.run(&["plan", "-out=to-the-backup"]).expect(1).complains(kept);
    dir.run(&["plan", "-out=no/directory"]).expect(1).complains("cannot write the plan to no/directory");
}

/// The state of a stack that is not there yet has its file, too; and other names in the configuration count.
#[test]
fn where_a_state_will_be_nothing_else_is_written() {
    let local = "terraform {\n  backend \"local\" {\n    path = \"stack.state\"\n  }\n}\n";
    let dir = Dir::new().file("backend.tf", local).file("terraform.tfstate", "");
    for name in ["stack.state", "stack.state.backup", ".stack.state.lock.info", "terraform.tfstate"] {
        refused(&dir, &["plan", &format!("-out={name}")], "what belongs to it");
        refused(&dir, &["simulate", &format!("-trace={name}")], "what belongs to it");
    }
}

#[test]
fn a_file_of_its_own_kind_or_an_empty_one_is_overwritten_and_links_are_followed() {
    for (args, flag, begins) in [(&["plan"], "-out", PLAN), (&["simulate"], "-trace", TRACE)] {
        let dir = Dir::new().file("empty", "").file("blank", "\n").file("old", begins);
        let path = |name: &str| dir.path().join(name);
        fs::write(path("old"), format!("{begins} of an older release")).expect("written");
        fs::create_dir(path("elsewhere")).expect("made");
        fs::write(path("elsewhere/old"), begins).expect("written");
        symlink("elsewhere/old", path("link")).expect("a link");
        symlink("link", path("link-to-it")).expect("a link");
        symlink("elsewhere/new", path("nowhere")).expect("a link");
        for name in ["new", "new", "empty", "blank", "link-to-it", "nowhere"] {
            dir.run(&[args, &[format!("{flag}={name}").as_str()][..]].concat()).expect(0);
            assert!(read(&dir, name).starts_with(begins), "{name}");
        }
        if begins == PLAN {
            dir.run(&["plan", "-out=old"]).expect(0);
            dir.run(&["show", "nowhere"]).expect(0);
        }
        assert!(["link", "link-to-it", "nowhere"].iter().all(|name| is_link(&path(name))));
        assert!(!is_link(&path("elsewhere/old")) && !is_link(&path("elsewhere/new")));
        assert!(fs::metadata(path("elsewhere/old")).expect("there").len() > 1000, "it was the link's target");
        assert_eq!(fs::read_dir(path("elsewhere")).expect("listed").count(), 2, "nothing else is left there");
    }
}

#[test]
fn devices_and_pipes_are_written_into() {
    let dir = applied();
    let path = |name: &str| dir.path().join(name);
    let run = |program: &str, args: &[&str]| {
        Command::new(program).args(args).current_dir(dir.path()).status().is_ok_and(|status| status.success())
    };
    // Only a privileged process makes devices, and only for such a one /dev/null is in danger.
    if !run("mknod", &["device", "c", "1", "3"]) {
        symlink("/dev/null", path("device")).expect("a link");
    }
    symlink("/dev/full", path("full")).expect("a link");
    assert!(run("mkfifo", &["pipe"]));
    for (args, flag, begins) in [(&["plan"], "-out", PLAN), (&["simulate"], "-trace", TRACE)] {
        let run = |name: &str| dir.run(&[args, &[format!("{flag}={name}").as_str()][..]].concat());
        run("device").expect(0);
        assert!(fs::metadata(path("device")).expect("there").file_type().is_char_device());
        let pipe = path("pipe");
        let reader = std::thread::spawn(move || fs::read_to_string(pipe).expect("read"));
        run("pipe").expect(0);
        assert!(reader.join().expect("it ends").starts_with(begins));
        assert!(fs::metadata(path("pipe")).expect("there").file_type().is_fifo());
        run("/dev/stdout").expect(0).says(begins);
        run("/dev/fd/2").expect(0).complains(begins);
    }
    // A file that the shell opened is written where it stands: what was told before is still there.
    let told = path("told");
    let told_to = File::create(&told).expect("made");
    let output = dir.command(&["plan", "-out=/dev/stdout"]).stdout(told_to).output().expect("it runs");
    assert!(output.status.success());
    let text = read(&dir, "told");
    assert!(
        text.contains("no changes are needed")
            && text.contains(PLAN)
            && text.ends_with("Saved the plan to: /dev/stdout\n"),
        "{text}"
    );
    let state = read(&dir, "terraform.tfstate");
    let opened = File::options().append(true).open(path("terraform.tfstate")).expect("opened");
    let output = dir.command(&["plan", "-out=/dev/stdout"]).stdout(opened).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(read(&dir, "terraform.tfstate"), state);
    if !is_device("/dev/full") {
        eprintln!("NOT TESTED: a device that is full");
    } else {
        dir.run(&["plan", "-out=full"]).expect(1).complains("cannot write the plan to full");
    }
}

/// True if there is such a device.
fn is_device(device: &str) -> bool {
    fs::metadata(device).is_ok_and(|data| data.file_type().is_char_device())
}

#[test]
fn mode_and_owner_of_the_state_are_kept() {
    let dir = applied();
    let (state, backup) = (dir.path().join("terraform.tfstate"), dir.path().join("terraform.tfstate.backup"));
    let looks = |path: &Path| {
        let data = fs::metadata(path).expect("there");
        (data.mode() & 0o777, data.uid(), data.gid())
    };
    let (_, uid, gid) = looks(&state);
    assert_eq!(looks(&state), (0o600, uid, gid), "a new one is private");
    let mut given = (uid, gid);
    if chown(&state, Some(1234), Some(5678)).is_ok() {
        given = (1234, 5678);
    } else {
        eprintln!("NOT TESTED: owner and group, as this process may not give a file away");
    }
    for (mode, size) in [(0o664, "t3.medium"), (0o640, "t3.large"), (0o600, "t3.small"), (0o606, "t3.medium")] {
        fs::set_permissions(&state, Permissions::from_mode(mode)).expect("mode");
        dir.apply(&[&format!("-var=app_instance_type={size}")]);
        for path in [&state, &backup] {
            assert_eq!(looks(path), (mode, given.0, given.1), "{}", path.display());
        }
    }
}

#[test]
fn the_link_of_the_state_leads_to_a_state_only() {
    let dir = Dir::new();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("theirs")).expect("made");
    fs::write(path("theirs/notes.txt"), "milk\n").expect("written");
    symlink("theirs/notes.txt", path("terraform.tfstate")).expect("a link");
    for args in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"], &["state", "rm", "x"]] {
        refused(&dir, args, "notes.txt is another kind of file, not a state");
    }
    refused(&dir, &["apply", "-auto-approve", "-lock=false"], "notes.txt");
    fs::create_dir(path("directory")).expect("made");
    assert!(Command::new("mkfifo").arg(path("pipe")).status().expect("it runs").success());
    for wrong in ["directory", "pipe"] {
        fs::remove_file(path("terraform.tfstate")).expect("removed");
        symlink(wrong, path("terraform.tfstate")).expect("a link");
        for lock in ["-lock=true", "-lock=false"] {
            let said = format!("is a {wrong}, not a state file");
            dir.run(&["apply", "-auto-approve", lock]).expect(1).complains(&said).complains("hint: ");
        }
        assert!(is_link(&path("terraform.tfstate")));
    }
    assert!(path("directory").is_dir());
    assert!(fs::metadata(path("pipe")).expect("there").file_type().is_fifo());
    // One that leads nowhere yet.
    fs::remove_file(path("pipe")).expect("removed");
    fs::remove_file(path("terraform.tfstate")).expect("removed");
    symlink("theirs/real.tfstate", path("terraform.tfstate")).expect("a link");
    dir.run(&["plan"]).expect(0);
    assert!(!path("theirs/real.tfstate").exists(), "the lock was all that made it");
    dir.apply(&[]);
    dir.apply(&["-var=app_instance_type=t3.medium"]);
    assert!(is_link(&path("terraform.tfstate")) && !is_link(&path("theirs/real.tfstate")));
    dir.run(&["state", "list"]).expect(0).says("aws_instance.app");
}

#[test]
fn a_backup_that_is_none_stays() {
    for lock in ["-lock=true", "-lock=false"] {
        let dir = applied();
        fs::write(dir.path().join("terraform.tfstate.backup"), "milk\n").expect("written");
        let state = read(&dir, "terraform.tfstate");
        let args = ["apply", "-auto-approve", "-var=app_instance_type=t3.medium", lock];
        dir.run(&args).expect(1).complains("not a backup of the state");
        assert_eq!(read(&dir, "terraform.tfstate.backup"), "milk\n");
        assert_eq!(read(&dir, "terraform.tfstate"), state);
    }
}

/// A state that its store did not take is kept beside what was kept before.
#[test]
fn nothing_that_was_kept_is_overwritten() {
    let dir = applied();
    fs::create_dir(dir.path().join("terraform.tfstate.backup")).expect("in the way of a write");
    fs::write(dir.path().join("errored.tfstate"), "kept before").expect("written");
    symlink("nowhere", dir.path().join("errored-2.tfstate")).expect("a link");
    let args = ["apply", "-auto-approve", "-lock=false", "-var=app_instance_type=t3.medium"];
    for name in ["errored-3.tfstate", "errored-4.tfstate"] {
        dir.run(&args).expect(1).complains(&format!("what is known is kept in {name}"));
        assert!(read(&dir, name).contains("\"lineage\""));
    }
    assert_eq!(read(&dir, "errored.tfstate"), "kept before");
    assert!(!dir.path().join("nowhere").exists());
}

#[test]
fn a_refused_run_leaves_nothing_behind() {
    let cases: [(&[&str], &str); 4] = [
        (&["plan", "-var=vpc_cidr=10.0.0.0/33"], "vpc_cidr"),
        (&["apply", "missing"], "missing"),
        (&["import", "module.vpc.aws_vpc.this[0]", "vpc-0123456789abcdef0"], "vpc-0123456789abcdef0"),
        (&["state", "rm", "aws_instance.app"], "there is no state yet"),
    ];
    for (args, why) in cases {
        let dir = Dir::new();
        dir.run(args).expect(1).complains(why);
        assert!(names(&dir).iter().all(|name| name == ".aloka"), "{args:?} left {:?}", names(&dir));
    }
    let dir = Dir::new();
    symlink("terraform.tfstate", dir.path().join("terraform.tfstate")).expect("a link to itself");
    dir.run(&["plan"]).expect(1).complains("terraform.tfstate");
    assert_eq!(names(&dir), ["terraform.tfstate"]);
}
