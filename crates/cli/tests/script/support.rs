//! A directory to run the binary in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password most stories use.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Panics unless the run ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Panics unless standard output holds `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "`{text}` is not in:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Panics unless standard error holds `text`.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        self
    }
}

/// A directory with its own simulated account.
pub(crate) struct Dir {
    dir: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

impl Dir {
    /// An empty directory; the password comes from the environment.
    pub(crate) fn new() -> Self {
        // Stories run the binary hundreds of times, and what they hash protects nothing.
        let env = [("ALOKA_CLOUD", "sim"), ("TF_VAR_db_password", PASSWORD), ("ALOKA_TEST_CHEAP_HASH", "1")];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { dir: tempfile::tempdir().expect("a temporary directory"), env }
    }

    /// With another environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without an environment variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// With a file.
    pub(crate) fn file(self, name: &str, contents: &str) -> Self {
        std::fs::write(self.path().join(name), contents).expect("written");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs the binary with nothing on standard input.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs the binary with this on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        // The command may end without reading all of its input.
        drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("the binary ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The binary in this directory, to be started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aloka"));
        command.args(args).current_dir(self.path()).env_clear().envs(&self.env).env("HOME", self.path());
        command.env("TMPDIR", self.path());
        command
    }

    /// Runs the binary with this many virtual seconds in a real one, and kills it once the state holds `text`.
    pub(crate) fn killed_when(&self, args: &[&str], pace: u32, text: &str) {
        let mut command = self.command(args);
        command.env("ALOKA_SIM_PACE", pace.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child: Child = command.spawn().expect("the binary starts");
        let start = Instant::now();
        while !std::fs::read_to_string(self.path().join("terraform.tfstate")).is_ok_and(|state| state.contains(text)) {
            assert!(start.elapsed() < Duration::from_secs(120), "`{text}` never came up");
            assert_eq!(child.try_wait().expect("a child"), None, "it ended before `{text}` came up");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("killed");
        child.wait().expect("it ends");
    }

    /// Changes a file that holds JSON.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.path().join(name);
        let mut json = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        change(&mut json);
        std::fs::write(&path, json.to_string()).expect("written");
    }

    /// Applies and expects success.
    #[track_caller]
    pub(crate) fn apply(&self, args: &[&str]) -> Ran {
        self.run(&[&["apply", "-auto-approve"], args].concat()).expect(0)
    }

    /// Every file below the directory with its bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(dir).expect("listed").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    let bytes = std::fs::read(&path).expect("read");
                    found.push((path, bytes));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.path(), &mut found);
        found
    }
}
