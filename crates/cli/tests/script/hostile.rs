//! Files that stand where aloka reads or writes its own, put there by whoever made the directory: whatever they are, no
//! command hangs, eats memory, writes outside of the directory or shows what is outside.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::Dir;

/// What is in the file outside, and in no output.
pub(crate) const CANARY: &str = "canary-of-the-file-outside";
/// A command that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// Kilobytes of address space that a command gets.
const MEMORY: &str = "1000000";
/// Every so many-th command meets a thing in a place; with 1, which takes three times as long, each does.
const STRIDE: usize = 3;
/// Cases that run at the same time: some wait for the other end of a pipe.
const WORKERS: usize = 4;
pub(crate) const NOBODY: u32 = 65534;

/// What stands in the place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    LinkToFile,
    LinkToNothing,
    LinkToDirectory,
    LinkToZero,
    Fifo,
    Device,
    Directory,
    Socket,
    HardLink,
    Foreign,
    Huge,
}

const THINGS: [Thing; 11] = [
    Thing::LinkToFile,
    Thing::LinkToNothing,
    Thing::LinkToDirectory,
    Thing::LinkToZero,
    Thing::Fifo,
    Thing::Device,
    Thing::Directory,
    Thing::Socket,
    Thing::HardLink,
    Thing::Foreign,
    Thing::Huge,
];

/// Every file that is read or written in a directory without being named, and three that commands name; with true where
/// `plan` has to look at it.
const PLACES: [(&str, bool); 29] = [
    ("main.tf", true),
    ("other.tf.json", true),
    ("terraform.tfvars", true),
    ("terraform.tfvars.json", true),
    ("x.auto.tfvars", true),
    ("boot.sh", true),
    (".aloka", true),
    (".aloka/sim-account.json", true),
    (".aloka/backend.json", true),
    (".aloka/rehearsal.jsonl", false),
    (".aloka/clear-text.json", false),
    (".aloka/sim.tfstate", false),
    (".aloka/sim.tfstate.backup", false),
    (".aloka/.sim.tfstate.lock.info", false),
    (".terraform", false),
    (".terraform/environment", true),
    (".terraform/terraform.tfstate", false),
    ("terraform.tfstate.d", false),
    ("terraform.tfstate.d/prod", false),
    ("terraform.tfstate.d/prod/terraform.tfstate", true),
    ("terraform.tfstate.d/prod/.terraform.tfstate.lock.info", true),
    ("prod.tfbackend", false),
    ("terraform.tfstate", true),
    ("terraform.tfstate.backup", true),
    (".terraform.tfstate.lock.info", true),
    ("errored.tfstate", false),
    ("tfplan", false),
    ("run.jsonl", false),
    ("values.tfvars", false),
];

pub(crate) const COMMANDS: [&[&str]; 33] = [
    &["plan"],
    &["validate"],
    &["plan", "-lock=false", "-var-file=values.tfvars"],
    &["plan", "-out=tfplan"],
    &["apply", "-auto-approve", "-var=app_instance_type=t3.medium"],
    &["apply", "-auto-approve", "-lock=false", "-var=app_instance_type=t3.medium"],
    &["apply", "tfplan"],
    &["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"],
    &["refresh"],
    &["output"],
    &["show"],
    &["show", "tfplan"],
    &["state", "list"],
    &["state", "pull"],
    &["state", "versions"],
    &["state", "rm", "aws_instance.app"],
    &["state", "push", "terraform.tfstate"],
    &["state", "recover"],
    &["import", "aws_instance.app", "i-0123456789abcdef0"],
    &["adopt", "-vpc=vpc-0123456789abcdef0"],
    &["adopt", "-from-state", "aws_instance.app"],
    &["init", "-example"],
    &["init", "-reconfigure"],
    &["init", "-backend-config=prod.tfbackend"],
    &["workspace", "list"],
    &["workspace", "select", "-or-create", "prod"],
    &["workspace", "new", "other"],
    &["workspace", "delete", "-force", "prod"],
    &["init", "-migrate-state", "-backend-config=path=other.tfstate"],
    &["graph"],
    &["force-unlock", "-force", "e56561b6-cc55-e362-5fe9-07948dc0c55e"],
    &["simulate", "-keep", "-trace=run.jsonl"],
    &["simulate", "-replay=run.jsonl"],
];

const S3: &str =
    "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n    region = \"us-east-1\"\n  }\n}\n";

/// A place outside of every directory, with a file and a directory.
pub(crate) struct Outside(tempfile::TempDir);

impl Outside {
    pub(crate) fn new() -> Self {
        let outside = Self(tempfile::tempdir().expect("a directory"));
        fs::write(outside.path("file"), format!("export WORD={CANARY}\n")).expect("written");
        fs::create_dir(outside.path("directory")).expect("made");
        outside
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Whatever a write would change.
    pub(crate) fn looks(&self) -> Vec<(PathBuf, u32, u64, i64, i64, u64)> {
        let mut found = Vec::new();
        let mut left = vec![self.0.path().to_owned()];
        while let Some(path) = left.pop() {
            let data = fs::symlink_metadata(&path).expect("there");
            if data.is_dir() {
                left.extend(fs::read_dir(&path).expect("listed").flatten().map(|entry| entry.path()));
            }
            found.push((path, data.mode(), data.ino(), data.mtime(), data.mtime_nsec(), data.len()));
        }
        found.sort();
        found
    }
}

pub(crate) fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).expect("removed");
    } else if path.symlink_metadata().is_ok() {
        fs::remove_file(path).expect("removed");
    }
}

impl Thing {
    /// Puts it at `path`; false if this process may not make such a thing.
    fn put(self, path: &Path, outside: &Outside) -> bool {
        let was = fs::read(path).ok();
        if self != Self::Foreign {
            remove(path);
        }
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        let text = path.to_str().expect("UTF-8");
        match self {
            Self::LinkToFile => symlink(outside.path("file"), path).is_ok(),
            Self::LinkToNothing => symlink(outside.path("nothing"), path).is_ok(),
            Self::LinkToDirectory => symlink(outside.path("directory"), path).is_ok(),
            Self::LinkToZero => symlink("/dev/zero", path).is_ok(),
            Self::Fifo => run("mkfifo", &[text]),
            Self::Device => run("mknod", &[text, "c", "1", "5"]),
            Self::Directory => fs::create_dir(path).is_ok(),
            Self::Socket => UnixListener::bind(path).is_ok(),
            Self::HardLink => fs::hard_link(outside.path("file"), path).is_ok(),
            Self::Foreign => {
                if was.is_none() && !path.exists() {
                    fs::write(path, "").expect("written");
                }
                chown(path, Some(NOBODY), None).is_ok()
            }
            Self::Huge => File::create(path).and_then(|file| file.set_len(1 << 40)).is_ok(),
        }
    }

    /// Whether `plan` has to refuse it in a place that it looks at; `None` where its contents decide.
    fn is_refused(self, place: &str) -> Option<bool> {
        match self {
            // What the directory says may have another name elsewhere; what aloka writes may not.
            Self::HardLink => {
                let is_kept = place.starts_with(".aloka") || place.contains(".lock.info");
                (is_kept || place.ends_with("backup")).then_some(true)
            }
            // A state may be another user's: it is shared.
            Self::Foreign => Some(!place.ends_with("/terraform.tfstate") && place != "terraform.tfstate"),
            Self::Directory => Some(place != ".aloka"),
            Self::LinkToFile
            | Self::LinkToNothing
            | Self::LinkToDirectory
            | Self::LinkToZero
            | Self::Fifo
            | Self::Device
            | Self::Socket
            | Self::Huge => Some(true),
        }
    }
}

/// A directory with all that there can be, to be copied.
fn template() -> Dir {
    let dir =
        Dir::new().file("boot.sh", "#!/bin/sh\necho hello\n").file("values.tfvars", "").file("prod.tfbackend", "");
    let dir = dir.file("main.tf", "terraform {\n}\n").file("terraform.tfvars", "app_user_data = \"boot.sh\"\n");
    dir.apply(&[]);
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    dir.run(&["simulate", "-keep", "-trace=run.jsonl"]).expect(0);
    fs::create_dir(dir.path().join(".terraform")).expect("made");
    dir.file(".terraform/environment", "default")
        .file("other.tf.json", "{}")
        .file("x.auto.tfvars", "")
        .file("terraform.tfvars.json", "{}")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("listed").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to).expect("made");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

/// How a command with little memory and time ended.
struct Ended {
    code: Option<i32>,
    text: String,
}

fn limited(dir: &Dir, args: &[&str]) -> Ended {
    let told = tempfile::tempfile().expect("a file");
    let binary = dir.command(args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY} 2>/dev/null; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_aloka")]);
    command.args(args).current_dir(dir.path()).env_clear();
    command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(told.try_clone().expect("a descriptor"));
    command.stderr(told.try_clone().expect("a descriptor"));
    let mut child = command.spawn().expect("it starts");
    let began = Instant::now();
    let code = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status.code(),
            None if began.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(5)),
            None => {
                child.kill().expect("killed");
                child.wait().expect("it ends");
                break None;
            }
        }
    };
    let mut text = String::new();
    let mut told = told;
    std::io::Seek::rewind(&mut told).expect("a file");
    std::io::Read::read_to_string(&mut told, &mut text).expect("UTF-8");
    Ended { code, text }
}

fn check(template: &Dir, place: usize, thing: usize, commands: impl Iterator<Item = usize>) {
    let ((name, is_looked_at), thing) = (PLACES[place], THINGS[thing]);
    for args in commands.map(|command| COMMANDS[command]) {
        let (dir, outside) = (Dir::new(), Outside::new());
        copy(template.path(), dir.path());
        let path = dir.path().join(name);
        if name.contains("tfstate.d") {
            let state = "terraform.tfstate.d/prod/terraform.tfstate";
            fs::create_dir_all(dir.path().join("terraform.tfstate.d/prod")).expect("made");
            fs::copy(dir.path().join("terraform.tfstate"), dir.path().join(state)).expect("copied");
            fs::write(dir.path().join(".terraform/environment"), "prod").expect("written");
        }
        if name.contains("sim.tfstate") {
            fs::write(dir.path().join("main.tf"), S3).expect("written");
        }
        if !thing.put(&path, &outside) {
            assert!(matches!(thing, Thing::Device | Thing::Foreign), "{thing:?} at {name}");
            eprintln!("NOT TESTED: {thing:?} at {name}, as this process may not make one");
            return;
        }
        let kind = || fs::symlink_metadata(&path).map(|data| data.file_type());
        let (before, was) = (outside.looks(), kind().expect("there"));
        let Ended { code, text } = limited(&dir, args);
        let case = format!("{thing:?} at {name}: {args:?} ended with {code:?} and said:\n{text}");
        assert!(matches!(code, Some(0..=2)), "{case}");
        assert!(!text.contains("invariant violated") && !text.contains("panicked"), "{case}");
        assert_eq!(outside.looks(), before, "something outside has changed: {case}");
        // What the command line names is shown where it cannot be read.
        if thing != Thing::HardLink && !["values.tfvars", "prod.tfbackend"].contains(&name) {
            assert!(!text.contains(CANARY), "{case}");
        }
        if !(was.is_file() || was.is_dir() && name == ".aloka") {
            assert!(kind().is_ok_and(|is| is == was), "it was replaced or removed: {case}");
        }
        if is_looked_at
            && args == ["plan"]
            && let Some(refused) = thing.is_refused(name)
        {
            assert_eq!(code == Some(1) && text.contains("error: "), refused, "{case}");
            assert!(!refused || (text.contains(name) && text.contains("hint: ")), "{case}");
        }
    }
}

/// Each thing in each place: `plan`, and every third of the other commands, so that each meets each thing and each place.
#[test]
fn nothing_hangs_and_nothing_outside_is_written_whatever_stands_where_a_file_belongs() {
    let template = template();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let (place, thing) = (case / THINGS.len(), case % THINGS.len());
                    if place >= PLACES.len() {
                        return;
                    }
                    let commands = (0..COMMANDS.len()).filter(|c| *c == 0 || (c + place + thing) % STRIDE == 0);
                    check(&template, place, thing, commands);
                }
            });
        }
    });
}
