//! What every backend promises, run against each of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aloka_core::address::Address;
use aloka_core::kind::Kind;
use aloka_core::state::{Resource, State};
use aloka_core::value::Value;

use super::memory::MemoryBackend;
use super::{Backend, BackendError, Head, LocalBackend};

/// Puts bytes somewhere.
pub(super) type Spoil = Box<dyn Fn(&[u8])>;

/// A place of its own for each case.
pub(super) struct Place {
    /// Opens it once more.
    pub(super) handle: Box<dyn Fn() -> Box<dyn Backend>>,
    /// Puts something there that no backend wrote.
    pub(super) spoil: Spoil,
    /// False if it has no lock.
    pub(super) locks: bool,
    /// True if the lock of somebody who is alive can be removed: nobody can tell who is on another machine.
    pub(super) forces: bool,
}

pub(super) fn state(lineage: &str, serial: u64) -> State {
    let mut state = State::new(lineage);
    state.serial = serial;
    let attributes = Arc::new([("id".into(), Value::str(format!("vpc-{serial}")))].into());
    let resource = Resource { attributes, ..Resource::default() };
    state.resources.insert(Address::vpc(Kind::Vpc, "this", 0), resource.into());
    state
}

/// `make` prepares a place, hands it to the case, and clears up.
pub(super) fn contract(make: impl Fn(&dyn Fn(Place))) {
    for case in [
        what_is_written_is_read_back,
        only_the_successor_is_written,
        another_lineage_is_refused,
        what_is_replaced_is_what_was_seen,
        versions_are_listed,
        what_is_removed_was_never_written,
        what_is_no_state_is_noticed_and_stays,
        of_two_writers_one_is_refused,
        of_many_writers_one_is_taken,
        a_lock_excludes_and_names_its_holder,
        unlocking_twice_or_without_a_lock_is_harmless,
        dropping_the_handle_gives_the_lock_back_or_unlock_does,
        force_unlock_wants_the_right_id,
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

fn what_is_replaced_is_what_was_seen(place: &Place) {
    let mut backend = (place.handle)();
    let head = |lineage: &str, serial| Head { lineage: lineage.to_owned(), serial };
    let refused = backend.replace(&state("one", 7), Some(&head("one", 6)));
    assert!(matches!(refused, Err(BackendError::Changed { .. })), "{refused:?}");
    backend.replace(&state("one", 7), None).expect("nothing is there");
    for over in [None, Some(head("one", 6)), Some(head("two", 7))] {
        let refused = (place.handle)().replace(&state("two", 3), over.as_ref());
        assert!(matches!(refused, Err(BackendError::Changed { .. })), "{over:?}: {refused:?}");
    }
    (place.handle)().replace(&state("two", 3), Some(&head("one", 7))).expect("that is there");
    assert_eq!((place.handle)().read().expect("read"), Some(state("two", 3)));
    (place.handle)().write(&state("two", 4)).expect("the successor");
}

fn versions_are_listed(place: &Place) {
    let mut backend = (place.handle)();
    assert_eq!(backend.versions().expect("versions"), []);
    backend.write(&state("one", 1)).expect("write");
    (place.handle)().write(&state("one", 2)).expect("write");
    let versions = backend.versions().expect("versions");
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!(versions.iter().map(|version| version.is_current).collect::<Vec<_>>(), [true, false]);
    assert!(versions.iter().all(|version| version.size > 100 && version.written.ends_with('Z')), "{versions:?}");
    assert_ne!(versions[0].id, versions[1].id);
}

fn what_is_removed_was_never_written(place: &Place) {
    let mut backend = (place.handle)();
    backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    backend.remove().expect("there is nothing to remove");
    for lineage in ["one", "two"] {
        backend.write(&state(lineage, 1)).expect("write");
        backend.write(&state(lineage, 2)).expect("write");
        backend.remove().expect("removed");
        assert_eq!(backend.read().expect("read"), None);
        assert_eq!((place.handle)().read().expect("read"), None);
    }
    backend.unlock();
    (place.handle)().write(&state("three", 1)).expect("the first of another history");
}

fn what_is_no_state_is_noticed_and_stays(place: &Place) {
    for garbage in [&b"{\"version\": 4, \"serial\": 1"[..], b"\xff\xfe", b"{\"version\": 99}"] {
        (place.spoil)(garbage);
        let mut backend = (place.handle)();
        let unusable = |result: Result<(), BackendError>| match result {
            Err(error @ (BackendError::Unusable { .. } | BackendError::Digest { .. })) => error.hint().is_some(),
            Ok(()) | Err(_) => false,
        };
        assert!(unusable(backend.read().map(drop)), "{garbage:?}");
        assert!(unusable(backend.write(&state("one", 1))), "{garbage:?}");
    }
}

fn of_many_writers_one_is_taken(place: &Place) {
    (place.handle)().write(&state("one", 1)).expect("write");
    let handles: Vec<_> = (0..8).map(|_| (place.handle)()).collect();
    let start = std::sync::Barrier::new(handles.len());
    let taken = std::thread::scope(|scope| {
        let writers: Vec<_> = handles
            .into_iter()
            .map(|mut handle| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    handle.write(&state("one", 2)).is_ok()
                })
            })
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().ok()).filter(|taken| *taken).count()
    });
    assert_eq!(taken, 1);
    assert_eq!((place.handle)().read().expect("read"), Some(state("one", 2)));
}

fn of_two_writers_one_is_refused(place: &Place) {
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    first.write(&state("one", 1)).expect("write");
    let _seen = second.read().expect("read");
    first.write(&state("one", 2)).expect("write");
    assert!(matches!(second.write(&state("one", 2)), Err(BackendError::Serial { stored: 2, ours: 2, .. })));
}

fn a_lock_excludes_and_names_its_holder(place: &Place) {
    if !place.locks {
        return;
    }
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
    if !place.locks {
        return;
    }
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
    if !place.locks {
        return;
    }
    for _round in 0..3 {
        let mut backend = (place.handle)();
        backend.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
        backend.unlock();
    }
}

fn force_unlock_wants_the_right_id(place: &Place) {
    if !place.locks {
        return;
    }
    let (mut first, mut second) = ((place.handle)(), (place.handle)());
    assert!(matches!(second.force_unlock("nope"), Err(BackendError::LockId { info: None, .. })));
    first.lock("a", Duration::ZERO, &mut |_| {}).expect("lock");
    let Err(BackendError::Locked { info: Some(info), .. }) = second.lock("b", Duration::ZERO, &mut |_| {}) else {
        panic!("the first holds it and says so");
    };
    assert!(matches!(second.force_unlock("nope"), Err(BackendError::LockId { info: Some(_), .. })));
    if place.forces {
        second.force_unlock(&info.id).expect("that is the ID");
        second.lock("b", Duration::ZERO, &mut |_| {}).expect("free");
        second.write(&state("one", 1)).expect("write");
        assert!(first.write(&state("one", 1)).is_err(), "the lock was all it lost");
        first.unlock();
        assert!(first.lock("c", Duration::ZERO, &mut |_| {}).is_err(), "it gave back what was not its own");
    } else {
        assert!(matches!(second.force_unlock(&info.id), Err(BackendError::Locked { .. })), "the holder is alive");
        assert!(second.lock("b", Duration::ZERO, &mut |_| {}).is_err());
        first.unlock();
    }
}

#[test]
fn the_memory_backend_keeps_the_contract() {
    contract(|case| {
        let backend = MemoryBackend::default();
        let spoiled = backend.other();
        case(Place {
            handle: Box::new(move || Box::new(backend.other())),
            spoil: Box::new(move |bytes| spoiled.spoil(bytes)),
            locks: true,
            forces: false,
        });
    });
}

#[test]
fn the_local_backend_keeps_the_contract() {
    contract(|case| {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("terraform.tfstate");
        let spoiled = path.clone();
        case(Place {
            handle: Box::new(move || Box::new(LocalBackend::new(&path))),
            spoil: Box::new(move |bytes| std::fs::write(&spoiled, bytes).expect("written")),
            locks: true,
            forces: false,
        });
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
