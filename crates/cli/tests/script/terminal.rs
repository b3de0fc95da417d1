//! A newcomer at a terminal of 80 columns: what is asked, what is shown, and what to do next.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::{Dir, PASSWORD};

const COLUMNS: u16 = 80;

/// What one command left on the screen.
struct Shown {
    code: i32,
    /// With line breaks alone, colours and cursor movements taken out.
    text: String,
}

impl Shown {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    /// Panics unless the screen holds the words, however they are broken into lines.
    #[track_caller]
    fn says(self, words: &str) -> Self {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&self.text).contains(&flat(words)), "`{words}` is not in:\n{}", self.text);
        self
    }
}

/// Without the sequences that colour text or move the cursor.
fn without_sequences(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).get(1..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain.replace("\r\n", "\n")
}

/// Runs the binary at a terminal, and types each of `keys` once what stands before it is on the screen.
#[track_caller]
fn at_terminal(dir: &Dir, args: &[&str], keys: &[(&str, &str)]) -> Shown {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let size = Winsize { ws_row: 24, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).expect("a size");
    let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("UTF-8");
    let terminal = File::options().read(true).write(true).open(name).expect("the terminal");
    let end = |file: &File| file.try_clone().expect("cloned");
    let mut command = dir.command(args);
    command.stdin(end(&terminal)).stdout(end(&terminal)).stderr(end(&terminal));
    let mut child = command.spawn().expect("the binary starts");
    drop(command);
    let screen = Arc::new(Mutex::new(Vec::new()));
    let mut master = File::from(master);
    let reader = {
        let (screen, mut master) = (Arc::clone(&screen), end(&master));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end of the other side.
            while let Ok(count @ 1..) = master.read(&mut bytes) {
                screen.lock().expect("no panic").extend_from_slice(&bytes[..count]);
            }
        })
    };
    let text = || String::from_utf8_lossy(&screen.lock().expect("no panic")).into_owned();
    let mut from = 0;
    for (before, typed) in keys {
        let start = Instant::now();
        loop {
            let text = text();
            if let Some(at) = text.get(from..).and_then(|text| text.find(before)) {
                from += at + before.len();
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "`{before}` never came up:\n{text}");
            assert!(child.try_wait().expect("a child").is_none(), "it ended before `{before}`:\n{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
        master.write_all(typed.as_bytes()).expect("typed");
    }
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("it does not end:\n{}", text());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let modes = tcgetattr(&terminal).expect("a terminal").local_modes;
    assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG), "the terminal is as before");
    drop(terminal);
    reader.join().expect("the end of the screen");
    Shown { code: status.code().expect("a code"), text: without_sequences(&text()) }
}

const ASKED: &str = "Password, not shown as you type: ";
const ASKED_AGAIN: &str = "Type it once more: ";
const QUESTION: &str = "Enter a value: ";

fn typed(line: &str) -> String {
    format!("{line}\n")
}

/// A command, its exit code, what is typed at which question, and what it says to do next.
type Step<'a> = (&'a [&'a str], i32, &'a [(&'a str, &'a str)], &'a str);

/// Every step is one that the step before names.
#[test]
fn the_first_ten_minutes_have_no_dead_end() {
    let dir = Dir::new().without("TF_VAR_db_password");
    let password = typed(PASSWORD);
    let asked = (ASKED, password.as_str());
    let steps: &[Step] = &[
        (&[], 127, &[], "init Check this directory"),
        (&["init"], 0, &[], "aloka init -example"),
        (&["init", "-example"], 0, &[], "aloka simulate"),
        (&["simulate"], 0, &[], ""),
        (&["init"], 0, &[], "aloka plan"),
        (&["plan"], 0, &[asked], "aloka apply"),
        (&["apply"], 0, &[asked, (ASKED_AGAIN, &password), (QUESTION, "yes\n")], "Outputs:"),
        (&["output"], 0, &[], "app_public_ip"),
        (&["plan"], 0, &[asked], "No changes."),
        (&["destroy"], 1, &[], "-allow-data-loss=aloka-dev-db"),
        (&["destroy", "-allow-data-loss=aloka-dev-db"], 0, &[(QUESTION, "yes\n")], "Destroy complete!"),
    ];
    for (args, code, keys, next) in steps {
        let shown = at_terminal(&dir, args, keys).expect(*code).says(next);
        assert!(!shown.text.contains(PASSWORD), "{args:?} shows the password:\n{}", shown.text);
        for line in shown.text.lines() {
            let width = line.trim_end().chars().count();
            // A word that is wider than the terminal stays whole, to be copied.
            let is_word = !line.trim().contains(' ');
            assert!(width <= usize::from(COLUMNS) || is_word, "{args:?}, {width} columns: {line}");
        }
    }
    for (path, bytes) in dir.files() {
        let found = bytes.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes());
        assert!(!found, "{} holds the password", path.display());
    }
}

#[test]
fn a_password_is_asked_for_until_it_is_one_that_rds_takes() {
    let dir = Dir::new().without("TF_VAR_db_password");
    let keys = [(ASKED, "brief-7\n"), (ASKED, "with/slash-and-more\n"), (ASKED, "it's-a-fine-On3\n")];
    let shown = at_terminal(&dir, &["plan"], &keys).expect(0).says("is shorter than 8 characters");
    let shown = shown.says("holds one of / \" @ or a space").says("Plan: 22 to add");
    for (_, typed) in keys {
        assert!(!shown.text.contains(typed.trim_end()), "{}", shown.text);
    }
    let never = [(ASKED, "a\n"), (ASKED, "b\n"), (ASKED, "c\n")];
    at_terminal(&dir, &["plan"], &never).expect(1).says("error: db_password is shorter");
}

#[test]
fn what_is_typed_differently_is_no_password_of_a_database() {
    let dir = Dir::new().without("TF_VAR_db_password");
    let keys = [(ASKED, "correct-horse-battery\n"), (ASKED_AGAIN, "correct-horse-batery\n")];
    at_terminal(&dir, &["apply", "-auto-approve"], &keys).expect(1).says("is not the same; nothing was changed");
    assert!(!dir.path().join("terraform.tfstate").exists());
}

#[test]
fn the_terminal_is_as_before_however_the_question_ends() {
    let dir = Dir::new().without("TF_VAR_db_password");
    at_terminal(&dir, &["plan"], &[(ASKED, "half\u{3}")]).expect(1).says("error: stopped; nothing was changed");
    at_terminal(&dir, &["plan"], &[(ASKED, "\u{4}")]).expect(1).says("error: no password was typed");
    // The second question stands where signals are caught.
    let keys = [(ASKED, "correct-horse-battery\n"), (ASKED_AGAIN, "\u{3}")];
    at_terminal(&dir, &["apply"], &keys).expect(1).says("error: stopped; nothing was changed");
    let lock = dir.path().join(".terraform.tfstate.lock.info");
    assert!(!lock.exists(), "the lock is given back");
}

#[test]
fn nobody_is_asked_who_may_not_be_or_need_not_be() {
    let dir = Dir::new().without("TF_VAR_db_password");
    for args in [vec!["plan", "-input=false"], vec!["apply", "-input=F"]] {
        let shown = at_terminal(&dir, &args, &[]).expect(1);
        let shown = shown.says("error: db_password is not set").says("TF_VAR_db_password");
        shown.says("db_manage_master_user_password = true").says("aloka simulate");
    }
    at_terminal(&dir, &["validate"], &[]).expect(0);
    at_terminal(&dir, &["plan", "-destroy"], &[]).expect(0);
    at_terminal(&dir, &["plan", "-var=db_manage_master_user_password=true"], &[]).expect(0);
    // Without a terminal.
    dir.run(&["plan"]).expect(1).complains("error: db_password is not set");
}

/// Told on the terminal and off it, as what is missing is no password.
#[test]
fn a_password_that_rds_manages_is_not_asked_for() {
    let dir = Dir::new().without("TF_VAR_db_password");
    dir.apply(&["-var", "db_manage_master_user_password=true"]);
    let shown = at_terminal(&dir, &["plan"], &[]).expect(1).says("RDS manages the password of the recorded database");
    shown.says("write this line into terraform.tfvars: db_manage_master_user_password = true");
    dir.run(&["plan"]).expect(1).complains("into terraform.tfvars: db_manage_master_user_password = true");
    let dir = dir.file("terraform.tfvars", "db_manage_master_user_password = true\n");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
}
