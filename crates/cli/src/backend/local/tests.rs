//! What is special about the local backend: files, modes, backups, and other processes.
//!
//! Another process is this test program run again with one test selected and a task in the environment.

use std::io::BufRead as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::*;

const TASK: &str = "ALOKA_TEST_TASK";
const FILE: &str = "ALOKA_TEST_FILE";

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().canonicalize().expect("its real path").join("terraform.tfstate");
    (dir, path)
}

fn state(serial: u64) -> State {
    let mut state = State::new("one");
    state.serial = serial;
    state
}

fn serial_in(path: &Path) -> u64 {
    file::read(&fs::read_to_string(path).expect("a file")).expect("a state").serial
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).expect("a directory");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Runs `task` on `path` in another process and returns once it says it has begun.
fn other_process(task: &str, path: &Path) -> Child {
    let test = "backend::local::tests::other_process_body";
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture"])
        .env(TASK, task)
        .env(FILE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = io::BufReader::new(child.stdout.as_mut().expect("its output")).lines();
    let said = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("begun:")));
    let said = said.expect("it says how it went").expect("text");
    assert!(said.contains("begun: ok"), "{task}: {said}");
    child
}

fn finish(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

/// The body of the other process; in an ordinary run of the tests it has nothing to do.
#[test]
fn other_process_body() {
    let (Ok(task), Ok(path)) = (std::env::var(TASK), std::env::var(FILE)) else { return };
    let path = PathBuf::from(path);
    let mut backend = LocalBackend::new(&path);
    let mut like_terraform = None;
    let went = match task.as_str() {
        "lock" => backend.lock("OperationTypeApply", Duration::ZERO, &mut |_| {}).is_ok(),
        "refused" => backend.lock("OperationTypeApply", Duration::ZERO, &mut |_| {}).is_err(),
        "terraform" | "terraform-refused" => {
            let (file, _) = open(&path).expect("the state file");
            let locked = rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if locked {
                let info = LockInfo { who: "terraform@there".into(), ..LockInfo::new("OperationTypePlan", "x") };
                fs::write(backend.lock_info_path(), info.to_json()).expect("the lock info");
            }
            like_terraform = Some(file);
            locked == (task == "terraform")
        }
        _ => false,
    };
    println!("begun: {}", if went { "ok" } else { "failed" });
    let _until_told = io::stdin().read_line(&mut String::new());
    drop(like_terraform);
}

#[test]
fn nothing_is_left_but_the_state_and_its_backup_and_both_keep_the_mode() {
    let (dir, path) = place();
    let mut backend = LocalBackend::new(&path);
    backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    backend.write(&state(1)).expect("write");
    backend.unlock();
    assert_eq!(names(&dir), ["terraform.tfstate"]);
    let mode = |name: &str| fs::metadata(dir.path().join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode("terraform.tfstate"), 0o600, "a new one is for its owner alone");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
    let mut backend = LocalBackend::new(&path);
    backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    assert_eq!(names(&dir), [".terraform.tfstate.lock.info", "terraform.tfstate"]);
    assert_eq!(mode(".terraform.tfstate.lock.info"), 0o640);
    fs::write(backend.backup_path(), "").expect("written");
    backend.write(&state(2)).expect("write");
    drop(backend);
    assert_eq!(names(&dir), ["terraform.tfstate", "terraform.tfstate.backup"]);
    for name in names(&dir) {
        assert_eq!(mode(&name), 0o640, "{name}");
    }
}

/// Where owner or group of a file cannot be kept, nobody may do more with the new one than with the old.
#[test]
fn a_mode_is_kept_as_far_as_owner_and_group_are() {
    let (dir, path) = place();
    fs::write(&path, "").expect("a file");
    let like = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
        let name = dir.path().join(format!("{mode:o}"));
        let new = File::create(name).expect("made");
        take_after(&new, &fs::metadata(&path).expect("there")).expect("taken");
        new.metadata().expect("there")
    };
    for mode in [0o600, 0o664, 0o400, 0o777, 0o606] {
        assert_eq!(like(mode).mode() & 0o777, mode);
    }
    if std::os::unix::fs::chown(&path, Some(1234), Some(5678)).is_err() {
        eprintln!("NOT TESTED: owner and group, as this process may not give a file away");
        return;
    }
    let data = like(0o660);
    assert_eq!((data.mode() & 0o777, data.uid(), data.gid()), (0o660, 1234, 5678));
}

#[test]
fn a_lock_that_is_not_had_leaves_nothing() {
    let (dir, path) = place();
    symlink(&path, &path).expect("a link to itself, which cannot be opened");
    assert!(LocalBackend::new(&path).lock("a", Duration::ZERO, &mut |_| {}).is_err());
    assert_eq!(names(&dir), ["terraform.tfstate"]);
    fs::remove_file(&path).expect("removed");
    let child = other_process("terraform", &path);
    assert!(LocalBackend::new(&path).lock("a", Duration::ZERO, &mut |_| {}).is_err());
    assert_eq!(names(&dir), [".terraform.tfstate.lock.info", "terraform.tfstate"], "these are Terraform's");
    finish(child);
}

#[test]
fn the_backup_is_the_state_before_the_run() {
    let (_dir, path) = place();
    for (first, last) in [(1, 3), (4, 4), (5, 8)] {
        let mut backend = LocalBackend::new(&path);
        for serial in first..=last {
            backend.write(&state(serial)).expect("write");
            if first > 1 {
                assert_eq!(serial_in(&backend.backup_path()), first - 1);
            } else {
                assert!(!backend.backup_path().exists(), "there was nothing before");
            }
        }
    }
}

#[test]
fn a_refused_write_changes_no_file() {
    let (dir, path) = place();
    let mut backend = LocalBackend::new(&path);
    backend.write(&state(1)).expect("write");
    let before = fs::read(&path).expect("the state");
    let mut other = LocalBackend::new(&path);
    assert!(other.write(&state(1)).is_err());
    fs::write(&path, "{").expect("somebody breaks it");
    assert!(matches!(backend.write(&state(2)), Err(BackendError::Unusable { .. })));
    assert_eq!(fs::read_to_string(&path).expect("the file"), "{", "what cannot be read is not overwritten");
    fs::write(&path, [0xff, 0xfe]).expect("somebody breaks it");
    assert!(matches!(backend.read(), Err(BackendError::Unusable { .. })));
    fs::write(&path, before).expect("and mends it");
    backend.write(&state(2)).expect("write");
    assert_eq!(names(&dir), ["terraform.tfstate"]);
}

#[test]
fn a_write_in_place_by_another_tool_is_noticed() {
    let (_dir, path) = place();
    let mut backend = LocalBackend::new(&path);
    backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    backend.write(&state(1)).expect("write");
    fs::write(&path, file::write(&state(9))).expect("written without regard for the lock");
    assert!(matches!(backend.write(&state(2)), Err(BackendError::Serial { stored: 9, ours: 2, .. })));
    fs::remove_file(&path).expect("removed without regard for the lock");
    assert!(matches!(backend.write(&state(2)), Err(BackendError::Serial { stored: 0, .. })));
}

#[test]
fn an_empty_file_is_no_state_yet() {
    let (_dir, path) = place();
    fs::write(&path, "").expect("as Terraform leaves it for a moment");
    let mut backend = LocalBackend::new(&path);
    assert_eq!(backend.read().expect("read"), None);
    backend.write(&state(1)).expect("write");
    assert!(!backend.backup_path().exists());
}

#[test]
fn a_symbolic_link_is_followed() {
    let (dir, path) = place();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let real = elsewhere.path().join("real.tfstate");
    fs::write(&real, file::write(&state(1))).expect("a state");
    symlink(&real, &path).expect("a link");
    LocalBackend::new(&path).write(&state(2)).expect("write");
    assert_eq!(serial_in(&real), 2);
    assert!(fs::symlink_metadata(&path).expect("the link").is_symlink());
    assert_eq!(names(&dir), ["terraform.tfstate"]);
}

#[test]
fn another_process_is_kept_out_also_after_writes() {
    let (dir, path) = place();
    let mut backend = LocalBackend::new(&path);
    backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    for serial in 0..=3 {
        if serial > 0 {
            backend.write(&state(serial)).expect("write");
            assert_eq!(backend.read().expect("read").map(|state| state.serial), Some(serial));
        }
        finish(other_process("refused", &path));
        finish(other_process("terraform-refused", &path));
    }
    backend.unlock();
    assert_eq!(names(&dir), ["terraform.tfstate"]);
    finish(other_process("lock", &path));
    finish(other_process("terraform", &path));
}

#[test]
fn terraform_holding_its_lock_is_respected_and_named() {
    let (_dir, path) = place();
    let child = other_process("terraform", &path);
    let refused = LocalBackend::new(&path).lock("a", Duration::ZERO, &mut |_| {}).expect_err("Terraform holds it");
    assert!(refused.to_string().contains("terraform@there"), "{refused}");
    finish(child);
    LocalBackend::new(&path).lock("a", Duration::ZERO, &mut |_| {}).expect("Terraform is gone, its lock info is not");
}

#[test]
fn a_killed_holder_blocks_nobody_and_can_be_cleaned_up_after() {
    let (dir, path) = place();
    for force in [false, true] {
        let mut child = other_process("lock", &path);
        let mut backend = LocalBackend::new(&path);
        let id = backend.lock_info().expect("the holder says who it is").id;
        assert!(matches!(backend.force_unlock(&id), Err(BackendError::Locked { .. })), "it is alive");
        child.kill().expect("killed");
        let _status = child.wait().expect("reaped");
        assert!(backend.lock_info_path().exists());
        if force {
            assert!(matches!(backend.force_unlock("other"), Err(BackendError::LockId { .. })));
            backend.force_unlock(&id).expect("its holder is dead");
            assert!(!backend.lock_info_path().exists());
        }
        backend.lock("a", Duration::ZERO, &mut |_| {}).expect("a dead holder blocks nobody");
        backend.unlock();
    }
    assert_eq!(names(&dir), ["terraform.tfstate"]);
}

#[test]
fn of_many_writers_without_a_lock_exactly_one_wins_each_serial() {
    let (_dir, path) = place();
    let wins: usize = std::thread::scope(|scope| {
        let run = || (1..=20).filter(|serial| LocalBackend::new(&path).write(&state(*serial)).is_ok()).count();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
    });
    assert_eq!(u64::try_from(wins).expect("few"), serial_in(&path));
}

#[test]
fn what_a_killed_write_left_is_removed_by_the_next() {
    let (dir, path) = place();
    let others =
        [".terraform.tfstate.new", ".terraform.tfstate.12a.new", ".other.tfstate.12.new", "terraform.tfstate.12.new"];
    for name in [".terraform.tfstate.4711.new", ".terraform.tfstate.backup.4712.new"].iter().chain(&others) {
        fs::write(dir.path().join(name), "half of a st").expect("a file");
    }
    let mut backend = LocalBackend::new(&path);
    backend.write(&state(1)).expect("written");
    let mut left: Vec<String> =
        others.iter().map(|name| (*name).to_owned()).chain(["terraform.tfstate".into()]).collect();
    left.sort();
    assert_eq!(names(&dir), left);
}
