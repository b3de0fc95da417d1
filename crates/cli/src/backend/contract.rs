//! What every backend promises, run against each of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aloka_core::address::Address;
use aloka_core::model::Kind;
use aloka_core::state::{Resource, State};
use aloka_core::value::Value;

use super::memory::MemoryBackend;
use super::{Backend, BackendError, LocalBackend};

/// A place of its own for each case; `handle` opens it once more.
struct Place {
    handle: Box<dyn Fn() -> Box<dyn Backend>>,
}

fn state(lineage: &str, serial: u64) -> State {
    let mut state = State::new(lineage);
    state.serial = serial;
    let attributes = Arc::new([("id".into(), Value::str(format!("vpc-{serial}")))].into());
    let resource = Resource { attributes, ..Resource::default() };
    state.resources.insert(Address::vpc(Kind::Vpc, "this", 0), resource.into());
    state
}

/// `make` prepares a place, hands it to the case, and clears up.
fn contract(make: impl Fn(&dyn Fn(Place))) {
    for case in [
        what_is_written_is_read_back,
        only_the_successor_is_written,
        another_lineage_is_refused,
        of_two_writers_one_is_refused,
        a_lock_excludes_and_names_its_holder,
        unlocking_twice_or_without_a_lock_is_harmless,
        dropping_the_handle_gives_the_lock_back_or_unlock_does,
        force_unlock_wants_the_right_id_and_a_dead_holder,
    ] {
        make(&|place| case(&place));
    }
}

fn what_is_written_is_read_back(place: &Place) {
    let mut backend = (place.handle)();
    assert_eq!(backend.read().expect("read"), None);
    for serial in 1..=3 {
        backend.write(&state("one", serial)).expect("write");
        assert_eq!(backend.read().expect("read"), Some(state("one", serial)));
        assert_eq!((place.handle)().read().expect("read"), Some(state("one", serial)));
    }
}

fn only_the_successor_is_written(place: &Place) {
    let mut backend = (place.handle)();
    for wrong in [0, 2, u64::MAX] {
        assert!(matches!(backend.write(&state("one", wrong)), Err(BackendError::Serial { stored: 0, .. })), "{wrong}");
        assert_eq!(backend.read().expect("read"), None);
    }
    backend.write(&state("one", 1)).expect("write");
    for wrong in [0, 1, 3, u64::MAX] {
        let refused = backend.write(&state("one", wrong));
        assert!(matches!(refused, Err(BackendError::Serial { stored: 1, ours, .. }) if ours == wrong), "{wrong}");
        assert_eq!(backend.read().expect("read"), Some(state("one", 1)));
    }
}

fn another_lineage_is_refused(place: &Place) {
    let mut backend = (place.handle)();
    backend.write(&state("one", 1)).expect("write");
    assert!(matches!(backend.write(&state("two", 2)), Err(BackendError::Lineage { .. })));
    assert_eq!(backend.read().expect("read"), Some(state("one", 1)));
}

fn of_two_writers_one_is_refused(place: &Place) {
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    first.write(&state("one", 1)).expect("write");
    let _seen = second.read().expect("read");
    first.write(&state("one", 2)).expect("write");
    assert!(matches!(second.write(&state("one", 2)), Err(BackendError::Serial { stored: 2, ours: 2, .. })));
}

fn a_lock_excludes_and_names_its_holder(place: &Place) {
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    first.lock("OperationTypeApply", Duration::ZERO, &mut |_| {}).expect("lock");
    let refused = second.lock("OperationTypePlan", Duration::ZERO, &mut |_| {}).expect_err("the first holds it");
    let text = refused.to_string();
    assert!(text.contains("OperationTypeApply") && text.contains('@') && text.contains("lock ID"), "{text}");
    assert!(refused.hint().is_some());
    first.write(&state("one", 1)).expect("the holder writes");
    first.write(&state("one", 2)).expect("the holder writes");
    assert!(second.lock("OperationTypePlan", Duration::ZERO, &mut |_| {}).is_err(), "writing must not lose the lock");
    assert_eq!(second.read().expect("reading needs no lock"), Some(state("one", 2)));
    first.unlock();
    second.lock("OperationTypePlan", Duration::ZERO, &mut |_| {}).expect("free again");
    second.write(&state("one", 3)).expect("write");
    second.unlock();
}

fn unlocking_twice_or_without_a_lock_is_harmless(place: &Place) {
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    first.unlock();
    first.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    second.unlock();
    assert!(second.lock("b", Duration::ZERO, &mut |_| {}).is_err(), "only the holder unlocks");
    first.unlock();
    first.unlock();
    second.lock("b", Duration::ZERO, &mut |_| {}).expect("lock");
    second.unlock();
}

fn dropping_the_handle_gives_the_lock_back_or_unlock_does(place: &Place) {
    for _round in 0..3 {
        let mut backend = (place.handle)();
        backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
        backend.unlock();
    }
}

fn force_unlock_wants_the_right_id_and_a_dead_holder(place: &Place) {
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    assert!(matches!(second.force_unlock("nope"), Err(BackendError::LockId { info: None, .. })));
    first.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    let Err(BackendError::Locked { info: Some(info), .. }) = second.lock("b", Duration::ZERO, &mut |_| {}) else {
        panic!("the first holds it and says so");
    };
    assert!(matches!(second.force_unlock("nope"), Err(BackendError::LockId { info: Some(_), .. })));
    assert!(matches!(second.force_unlock(&info.id), Err(BackendError::Locked { .. })), "the holder is alive");
    assert!(second.lock("b", Duration::ZERO, &mut |_| {}).is_err());
    first.unlock();
}

#[test]
fn the_memory_backend_keeps_the_contract() {
    contract(|case| {
        let backend = MemoryBackend::default();
        case(Place { handle: Box::new(move || Box::new(backend.other())) });
    });
}

#[test]
fn the_local_backend_keeps_the_contract() {
    contract(|case| {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("terraform.tfstate");
        case(Place { handle: Box::new(move || Box::new(LocalBackend::new(&path))) });
    });
}

#[test]
fn a_lock_is_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("terraform.tfstate");
    let mut first = LocalBackend::new(&path);
    first.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    let began = Instant::now();
    assert!(LocalBackend::new(&path).lock("b", Duration::from_millis(300), &mut |_| {}).is_err());
    assert!(began.elapsed() >= Duration::from_millis(300));
    let waiter =
        std::thread::spawn(move || LocalBackend::new(&path).lock("b", Duration::from_secs(20), &mut |_| {}).is_ok());
    std::thread::sleep(Duration::from_millis(50));
    first.unlock();
    assert!(waiter.join().expect("the waiter ends"));
}
