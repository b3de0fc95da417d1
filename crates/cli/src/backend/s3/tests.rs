//! The S3 backend on a bucket in memory, where answers get lost; and on an emulator, where they do not.

use std::collections::{BTreeSet, VecDeque};

use aloka_sim::bucket::{self, Bucket, Table};

use super::*;
use crate::backend::LockInfo;
use crate::backend::contract::{Place as Handles, contract, state};
use crate::rfc3339;

/// What becomes of a request that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is carried out, and answered.
    Answered,
    /// It is carried out, and the answer lost.
    Lost,
    /// It gets lost itself.
    Dropped,
    /// S3 says no.
    Denied,
}

#[derive(Default)]
struct Shared {
    bucket: Bucket,
    table: Table,
    /// Of the next writes of the state.
    state_fates: VecDeque<Fate>,
    /// Of the next writes of the digest.
    digest_fates: VecDeque<Fate>,
    /// Items without the attribute that they are to have.
    formless: BTreeSet<String>,
    /// True if nothing may be deleted.
    keeps: bool,
}

/// A bucket and a table in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Shared>>);

fn condition<'a>(condition: Condition<'a>) -> bucket::Condition<'a> {
    match condition {
        Condition::Always => bucket::Condition::Always,
        Condition::Absent => bucket::Condition::Absent,
        Condition::Is(there) => bucket::Condition::Is(there),
    }
}

fn lost() -> ApiError {
    ApiError::timeout("no answer")
}

impl Memory {
    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries out a request as its fate wants it.
    fn fated<T>(fate: Fate, act: impl FnOnce() -> T) -> Result<T, ApiError> {
        match fate {
            Fate::Answered => Ok(act()),
            Fate::Lost => {
                act();
                Err(lost())
            }
            Fate::Dropped => Err(lost()),
            Fate::Denied => Err(ApiError::answered("AccessDenied", "Access Denied", Some(403))),
        }
    }

    fn lock_text(&self) -> Option<LockInfo> {
        self.with(|shared| {
            let object = shared.bucket.get("k.tflock").map(|o| String::from_utf8_lossy(&o.body).into_owned());
            LockInfo::parse(&object.or_else(|| shared.table.get("b/k Info").map(str::to_owned))?)
        })
    }

    /// A lock as somebody else leaves it.
    fn leave_lock(&self, info: &LockInfo, slot: &Slot) {
        let text = info.to_json();
        slot.settle(self, &text, Condition::Always).expect("stored").expect("no condition");
    }
}

impl Wire for Memory {
    fn get(&self, key: &str, version: Option<&str>) -> Result<Option<Object>, ApiError> {
        self.with(|shared| {
            let found = match version {
                None => shared.bucket.get(key),
                Some(id) => {
                    let versions = shared.bucket.versions(key);
                    versions.into_iter().find(|(number, _)| number.to_string() == id).and_then(|(_, object)| object)
                }
            };
            let told = |object: &bucket::Object| Object {
                body: object.body.clone(),
                tag: object.tag.clone(),
                metadata: object.metadata.clone(),
                modified: Some(SystemTime::now()),
            };
            Ok(found.map(told))
        })
    }

    fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: BTreeMap<String, String>,
        wanted: Condition<'_>,
    ) -> Result<Option<String>, ApiError> {
        self.with(|shared| {
            let fate = if key == "k" { shared.state_fates.pop_front() } else { None };
            Self::fated(fate.unwrap_or(Fate::Answered), || {
                shared.bucket.put(key, body, metadata, condition(wanted)).ok()
            })
        })
    }

    fn delete(&self, key: &str, tag: &str) -> Result<bool, ApiError> {
        self.with(|shared| {
            let fate = if shared.keeps { Fate::Denied } else { Fate::Answered };
            Self::fated(fate, || shared.bucket.delete(key, bucket::Condition::Is(tag)).is_ok())
        })
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, ApiError> {
        self.with(|shared| Ok(shared.bucket.keys().filter(|key| key.starts_with(prefix)).map(str::to_owned).collect()))
    }

    fn versions(&self, key: &str) -> Result<Vec<Version>, ApiError> {
        self.with(|shared| {
            let versions = shared.bucket.versions(key).into_iter().enumerate();
            let told = |(place, (number, object)): (usize, (usize, Option<&bucket::Object>))| {
                let size = object?.body.len().try_into().unwrap_or(u64::MAX);
                let written = rfc3339::seconds(SystemTime::now());
                Some(Version { id: number.to_string(), written, size, is_current: place == 0 })
            };
            Ok(versions.filter_map(told).collect())
        })
    }

    fn item(&self, id: &str, attribute: &'static str) -> Result<Option<Item>, ApiError> {
        self.with(|shared| {
            let text = shared.table.get(&format!("{id} {attribute}")).map(|text| Item::Text(text.to_owned()));
            Ok(text.or_else(|| shared.formless.contains(id).then_some(Item::Formless)))
        })
    }

    fn put_item(&self, id: &str, attribute: &'static str, text: &str, wanted: Condition<'_>) -> Result<bool, ApiError> {
        self.with(|shared| {
            if shared.formless.contains(id) {
                return Ok(false);
            }
            let fate = if attribute == DIGEST { shared.digest_fates.pop_front() } else { None };
            Self::fated(fate.unwrap_or(Fate::Answered), || {
                shared.table.put(&format!("{id} {attribute}"), text, condition(wanted)).is_ok()
            })
        })
    }

    fn delete_item(&self, id: &str, attribute: &'static str, there: &Item) -> Result<bool, ApiError> {
        self.with(|shared| {
            let fate = if shared.keeps { Fate::Denied } else { Fate::Answered };
            Self::fated(fate, || match there {
                Item::Text(text) => {
                    shared.table.delete(&format!("{id} {attribute}"), bucket::Condition::Is(text)).is_ok()
                }
                Item::Formless => shared.formless.remove(id),
            })
        })
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The four ways to lock.
fn settings() -> [backend::S3; 4] {
    [(false, false), (true, false), (false, true), (true, true)].map(|(use_lockfile, table)| backend::S3 {
        bucket: "b".to_owned(),
        key: "k".to_owned(),
        use_lockfile,
        dynamodb_table: table.then(|| "t".to_owned()),
        ..backend::S3::default()
    })
}

const FILE: usize = 1;
const TABLE: usize = 2;
const BOTH: usize = 3;

fn open(memory: &Memory, kind: usize) -> S3Backend {
    S3Backend::on(Arc::new(memory.clone()), &settings()[kind], "default", SECOND)
}

fn quiet(_line: &str) {}

#[test]
fn the_s3_backend_keeps_the_contract() {
    for (kind, settings) in settings().into_iter().enumerate() {
        contract(|case| {
            let memory = Memory::default();
            let spoiled = memory.clone();
            case(Handles {
                handle: Box::new(move || Box::new(open(&memory, kind))),
                spoil: Box::new(move |bytes| {
                    spoiled.put("k", bytes.to_vec(), BTreeMap::new(), Condition::Always).expect("stored");
                }),
                locks: settings.use_lockfile || settings.dynamodb_table.is_some(),
                forces: true,
            });
        });
    }
}

/// Each workspace has an object and a lock of its own, and what is not the state of one is none.
#[test]
fn workspaces_are_the_states_below_the_prefix() {
    for prefix in [None, Some("ws".to_owned())] {
        let settings = backend::S3 { workspace_key_prefix: prefix.clone(), ..settings()[0].clone() };
        let memory = Memory::default();
        let open = |workspace: &str| S3Backend::on(Arc::new(memory.clone()), &settings, workspace, LEASE);
        assert_eq!(open("default").workspaces(&settings).expect("listed"), Vec::<String>::new());
        for (workspace, serial) in [("default", 1), ("b", 2), ("a", 3)] {
            open(workspace).replace(&state(workspace, serial), None).expect("written");
        }
        let start = settings.workspaces();
        for key in ["c/other", "k", "c/d/k", "../k", "e/k.tflock"] {
            let put = memory.put(&format!("{start}{key}"), Vec::new(), BTreeMap::new(), Condition::Always);
            put.expect("answered").expect("no condition");
        }
        assert_eq!(open("a").workspaces(&settings).expect("listed"), ["a", "b"], "{prefix:?}");
        open("a").remove().expect("removed");
        assert_eq!(open("b").workspaces(&settings).expect("listed"), ["b"]);
        assert_eq!(open("default").read().expect("read"), Some(state("default", 1)));
    }
}

#[test]
fn a_lost_answer_is_made_good_and_writes_once() {
    use Fate::{Dropped, Lost};
    for fates in [vec![Lost], vec![Dropped], vec![Dropped, Lost], vec![Lost, Lost], vec![Dropped; 4]] {
        let memory = Memory::default();
        let mut backend = open(&memory, TABLE);
        backend.write(&state("one", 1)).expect("write");
        memory.with(|shared| shared.state_fates = fates.clone().into());
        backend.write(&state("one", 2)).unwrap_or_else(|error| panic!("{fates:?}: {error}"));
        backend.write(&state("one", 3)).expect("and it goes on from there");
        assert_eq!(memory.with(|shared| shared.bucket.versions("k").len()), 3, "{fates:?}");
    }
}

#[test]
fn a_write_that_gets_no_answer_ever_fails_and_harms_nothing() {
    for fate in [Fate::Dropped, Fate::Denied] {
        let memory = Memory::default();
        let mut backend = open(&memory, FILE);
        backend.write(&state("one", 1)).expect("write");
        memory.with(|shared| shared.state_fates = vec![fate; 99].into());
        let error = backend.write(&state("one", 2)).expect_err("no answer");
        assert!(matches!(error, BackendError::Remote { action: "write", .. }), "{error}");
        assert!(error.hint().is_some(), "{error}");
        memory.with(|shared| shared.state_fates.clear());
        assert_eq!(open(&memory, FILE).read().expect("read"), Some(state("one", 1)));
        backend.write(&state("one", 2)).expect("healed");
    }
}

/// Two runs that write the very same bytes: the answer that was lost to one must not let it take the other's for its
/// own.
#[test]
fn the_same_bytes_of_another_are_not_taken_for_its_own() {
    let memory = Memory::default();
    let (mut first, mut second) = (open(&memory, TABLE), open(&memory, TABLE));
    first.write(&state("one", 1)).expect("write");
    let _seen = second.read().expect("read");
    first.write(&state("one", 2)).expect("write");
    memory.with(|shared| shared.state_fates = [Fate::Dropped].into());
    let refused = second.write(&state("one", 2)).expect_err("overtaken");
    assert!(matches!(refused, BackendError::Serial { stored: 2, ours: 2, .. }), "{refused}");
}

#[test]
fn the_digest_is_the_md5_of_the_object() {
    let memory = Memory::default();
    let mut backend = open(&memory, TABLE);
    for serial in 1..=2 {
        backend.write(&state("one", serial)).expect("write");
        let (body, digest) = memory.with(|shared| {
            let body = shared.bucket.get("k").expect("stored").body.clone();
            (body, shared.table.get("b/k-md5 Digest").expect("stored").to_owned())
        });
        assert_eq!(md5_hex(&body), digest);
    }
    assert_eq!(md5_hex(b"hello"), "5d41402abc4b2a76b9719d911017c592");
}

#[test]
fn an_interrupted_write_is_read_by_all_and_completed_under_the_lock() {
    let memory = Memory::default();
    let mut backend = open(&memory, TABLE);
    backend.write(&state("one", 1)).expect("write");
    let digest = || memory.with(|shared| shared.table.get("b/k-md5 Digest").expect("stored").to_owned());
    let before = digest();
    memory.with(|shared| shared.digest_fates = [Fate::Denied].into());
    assert!(backend.write(&state("one", 2)).is_err(), "its digest is not written");
    let mut next = open(&memory, TABLE);
    assert_eq!(next.read().expect("read"), Some(state("one", 2)));
    assert_eq!(digest(), before, "without the lock nothing is written");
    next.lock("a", Duration::ZERO, &mut quiet).expect("lock");
    assert_eq!(next.read().expect("read"), Some(state("one", 2)));
    assert_ne!(digest(), before, "completed");
    next.write(&state("one", 3)).expect("write");
}

#[test]
fn a_state_that_is_not_the_one_recorded_is_refused() {
    let memory = Memory::default();
    let mut backend = open(&memory, TABLE);
    backend.write(&state("one", 1)).expect("write");
    backend.write(&state("one", 2)).expect("write");
    // Somebody copies another state over it.
    let other = file::write(&state("one", 9)).into_bytes();
    memory.put("k", other.clone(), BTreeMap::new(), Condition::Always).expect("stored");
    let error = open(&memory, TABLE).read().expect_err("it is not the state last written");
    assert!(matches!(error, BackendError::Digest { .. }), "{error}");
    let hint = error.hint().expect("a hint");
    assert!(hint.contains(&md5_hex(&other)) && hint.contains("version 1 of") && hint.contains("serial 2"), "{hint}");
    // And somebody removes it.
    memory.with(|shared| shared.bucket.delete("k", bucket::Condition::Always)).expect("deleted");
    let error = open(&memory, TABLE).read().expect_err("it is gone");
    assert!(error.hint().is_some_and(|hint| hint.contains("remove the item b/k-md5")), "{error}");
    // Terraform accepts any state without a digest.
    memory.put("k", other, BTreeMap::new(), Condition::Always).expect("stored");
    memory.with(|shared| shared.table.delete("b/k-md5 Digest", bucket::Condition::Always)).expect("deleted");
    assert_eq!(open(&memory, TABLE).read().expect("read"), Some(state("one", 9)));
}

#[test]
fn a_broken_state_comes_with_the_version_to_restore() {
    let memory = Memory::default();
    let mut backend = open(&memory, FILE);
    backend.write(&state("one", 1)).expect("write");
    for broken in ["{", "{\"version\": 4, \"serial\""] {
        memory.put("k", broken.as_bytes().to_vec(), BTreeMap::new(), Condition::Always).expect("stored");
    }
    let error = open(&memory, FILE).read().expect_err("no state");
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("version 0 of") && hint.contains("versionId=0") && hint.contains("serial 1"), "{hint}");
}

#[test]
fn every_form_in_a_bucket_is_told_by_name() {
    let good = r#"{"version":4,"serial":1,"lineage":"one","resources":[{"mode":"managed","type":"aws_vpc","name":"this","module":"module.vpc","provider":"p","instances":[{"index_key":0,"schema_version":1,"attributes":{"id":"vpc-1"}}]}]}"#;
    let memory = Memory::default();
    let put = |bytes: &[u8]| memory.put("k", bytes.to_vec(), BTreeMap::new(), Condition::Always).expect("stored");
    for form in aloka_tests::forms::forms(good) {
        put(&form.bytes);
        let error = open(&memory, FILE).read().expect_err(form.name);
        assert!(error.to_string().contains(form.told), "{}: {error}", form.name);
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(form.way) && hint.contains("no older version"), "{}: {hint}", form.name);
    }
    // One that was emptied beside a whole version, and one that never was anything else.
    put(good.as_bytes());
    put(b"");
    let error = open(&memory, FILE).read().expect_err("it was emptied");
    assert!(
        error.to_string().contains("it is empty")
            && error.hint().is_some_and(|hint| hint.contains("is whole, serial 1"))
    );
    let memory = Memory::default();
    memory.put("k", Vec::new(), BTreeMap::new(), Condition::Always).expect("stored");
    assert!(open(&memory, FILE).read().is_ok());
    memory.put("k", format!("\u{feff}{good}").into_bytes(), BTreeMap::new(), Condition::Always).expect("stored");
    assert_eq!(open(&memory, FILE).read().expect("read").map(|state| state.serial), Some(1));
}

/// A lock as aloka leaves it when it dies.
fn left_by_the_dead(ago: Duration) -> LockInfo {
    LockInfo {
        lease: Some(1),
        renewed: Some(rfc3339::micros(SystemTime::now() - ago)),
        who: "alice@laptop".to_owned(),
        ..LockInfo::new("OperationTypeApply", "b/k")
    }
}

fn slot(kind: usize) -> Slot {
    if kind == FILE { Slot::File { key: "k.tflock".to_owned() } } else { Slot::Item { id: "b/k".to_owned() } }
}

#[test]
fn the_lock_of_the_dead_is_taken_over_and_named() {
    for kind in [FILE, TABLE] {
        let memory = Memory::default();
        memory.leave_lock(&left_by_the_dead(Duration::from_secs(3600)), &slot(kind));
        let mut told = Vec::new();
        let mut backend = open(&memory, kind);
        backend.lock("b", Duration::ZERO, &mut |line| told.push(line.to_owned())).expect("taken over");
        assert!(told.iter().any(|line| line.contains("watching it for 1s")), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("taking over the lock of alice@laptop")), "{told:?}");
        backend.write(&state("one", 1)).expect("write");
        backend.unlock();
        assert_eq!(memory.lock_text(), None);
    }
}

#[test]
fn one_that_died_just_now_is_waited_for_by_those_who_wait() {
    let memory = Memory::default();
    memory.leave_lock(&left_by_the_dead(Duration::ZERO), &slot(TABLE));
    let mut backend = open(&memory, TABLE);
    let refused = backend.lock("b", Duration::ZERO, &mut quiet).expect_err("it may be alive");
    assert!(refused.to_string().contains("alice@laptop"), "{refused}");
    assert!(refused.hint().is_some_and(|hint| hint.starts_with("wait until that run has ended")), "{refused}");
    // Over, but by less than clocks may differ.
    memory.leave_lock(&left_by_the_dead(SECOND * 3), &slot(TABLE));
    let refused = backend.lock("b", Duration::ZERO, &mut quiet).expect_err("it may be alive by another clock");
    assert!(refused.hint().is_some_and(|hint| hint.starts_with("its lease of 1s is over")), "{refused}");
    backend.lock("b", SECOND * 20, &mut quiet).expect("taken over");
}

#[test]
fn the_lock_of_the_living_is_never_taken() {
    for kind in [FILE, TABLE, BOTH] {
        let memory = Memory::default();
        let (mut first, mut second) = (open(&memory, kind), open(&memory, kind));
        first.lock("a", Duration::ZERO, &mut quiet).expect("lock");
        let held = memory.lock_text().expect("held");
        let refused = second.lock("b", SECOND * 4, &mut quiet).expect_err("four leases long");
        assert!(matches!(&refused, BackendError::Locked { info: Some(info), .. } if info.id == held.id), "{refused}");
        let now = memory.lock_text().expect("held");
        assert!(now.renewed > held.renewed, "it shows signs of life");
        first.write(&state("one", 1)).expect("write");
        drop(first);
        assert_eq!(memory.lock_text(), None);
    }
}

#[test]
fn terraforms_lock_is_respected_for_ever_and_explained() {
    let text = r#"{"ID":"e56561b6-cc55-e362-5fe9-07948dc0c55e","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.11.4","Created":"2020-11-22T21:40:05.352206559Z","Path":"b/k"}"#;
    for kind in [FILE, TABLE] {
        let memory = Memory::default();
        let info = LockInfo::parse(text).expect("Terraform's");
        memory.leave_lock(&info, &slot(kind));
        let mut backend = open(&memory, kind);
        let refused = backend.lock("b", SECOND * 3, &mut quiet).expect_err("it never expires");
        assert!(refused.to_string().contains("root@vm since 2020-11-22"), "{refused}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("aloka force-unlock e56561b6")), "{refused}");
        assert!(matches!(backend.force_unlock("nope"), Err(BackendError::LockId { info: Some(_), .. })));
        backend.force_unlock(&info.id).expect("that is the ID");
        backend.lock("b", Duration::ZERO, &mut quiet).expect("free");
    }
}

/// Nobody gives it back, and nobody gives a sign of life: it is not waited for, and what removes it is said.
#[test]
fn what_names_nobody_blocks_too_and_can_be_removed() {
    let texts = ["", " \n", "{", "locked by bob", "{\"Who\":\"bob\"}", "{\"ID\":\"\"}", "null", "[1]"];
    let objects = texts.map(|text| (FILE, Some(text)));
    let items = texts.map(|text| (TABLE, Some(text)));
    for (kind, text) in objects.into_iter().chain(items).chain([(TABLE, None)]) {
        let memory = Memory::default();
        match (kind, text) {
            (_, None) => assert!(memory.with(|shared| shared.formless.insert("b/k".to_owned()))),
            (FILE, Some(text)) => {
                let put = memory.put("k.tflock", text.as_bytes().to_vec(), BTreeMap::new(), Condition::Always);
                put.expect("stored").expect("no condition");
            }
            (_, Some(text)) => assert!(memory.put_item("b/k", "Info", text, Condition::Always).expect("stored")),
        }
        let mut backend = open(&memory, kind);
        let began = Instant::now();
        let refused = backend.lock("a", SECOND * 300, &mut quiet).expect_err("it is locked");
        assert!(began.elapsed() < SECOND, "{text:?} was waited for");
        assert!(matches!(refused, BackendError::LockForm { .. }), "{text:?}: {refused}");
        assert!(refused.hint().is_some_and(|hint| hint.ends_with("aloka force-unlock b/k")), "{text:?}: {refused}");
        assert!(matches!(backend.force_unlock("nope"), Err(BackendError::LockForm { .. })), "{text:?}");
        backend.force_unlock("b/k").expect("that is what it goes by");
        backend.lock("a", Duration::ZERO, &mut quiet).expect("free");
        // And no lock that names somebody goes by it.
        assert!(matches!(open(&memory, kind).force_unlock("b/k"), Err(BackendError::LockId { info: Some(_), .. })));
    }
}

#[test]
fn a_lock_that_stays_is_told_by_who_leaves_it() {
    for (kind, permission) in [(FILE, "s3:DeleteObject"), (TABLE, "dynamodb:DeleteItem")] {
        let memory = Memory::default();
        let mut backend = open(&memory, kind);
        backend.lock("a", Duration::ZERO, &mut quiet).expect("lock");
        memory.with(|shared| shared.keeps = true);
        let id = memory.lock_text().expect("held").id;
        let told = backend.unlock().expect("it stays");
        let hint = told.hint().expect("what to do");
        assert!(told.to_string().contains("stays locked") && told.to_string().contains("AccessDenied"), "{told}");
        assert!(hint.contains(permission) && hint.contains(&format!("aloka force-unlock {id}")), "{hint}");
        assert!(backend.unlock().is_none(), "told once");
        memory.with(|shared| shared.keeps = false);
        backend.lock("a", SECOND * 20, &mut quiet).expect("it expires");
        assert!(backend.unlock().is_none() && memory.lock_text().is_none());
    }
}

#[test]
fn of_two_locks_none_is_kept_if_one_is_held() {
    let memory = Memory::default();
    memory.leave_lock(&LockInfo::new("x", "b/k"), &slot(TABLE));
    assert!(open(&memory, BOTH).lock("a", Duration::ZERO, &mut quiet).is_err());
    assert!(memory.with(|shared| shared.bucket.get("k.tflock").is_none()), "the first was given back");
    // force-unlock finds the one that is there.
    let id = memory.lock_text().expect("held").id;
    open(&memory, BOTH).force_unlock(&id).expect("it is there");
    open(&memory, BOTH).lock("a", Duration::ZERO, &mut quiet).expect("free");
}

#[test]
fn who_lost_the_lock_writes_no_more() {
    for kind in [FILE, TABLE] {
        let memory = Memory::default();
        let mut backend = open(&memory, kind);
        backend.lock("a", Duration::ZERO, &mut quiet).expect("lock");
        backend.write(&state("one", 1)).expect("write");
        let thief = LockInfo::new("b", "b/k");
        memory.leave_lock(&thief, &slot(kind));
        std::thread::sleep(SECOND);
        let refused = backend.write(&state("one", 2)).expect_err("lost");
        assert!(
            matches!(&refused, BackendError::LockLost { info: Some(info), .. } if info.id == thief.id),
            "{refused}"
        );
        drop(backend);
        assert_eq!(
            memory.lock_text().map(|info| info.id),
            Some(thief.id),
            "and gives nothing back that is not its own"
        );
    }
}

/// On the emulator: `just test-state` starts it, and sets endpoint and credentials.
#[test]
#[ignore = "needs an emulator; `just test-state` runs it, and CI does"]
fn the_s3_backend_keeps_the_contract_on_an_emulator() {
    let endpoint = std::env::var("ALOKA_TEST_ENDPOINT").expect("ALOKA_TEST_ENDPOINT");
    let run = super::super::lock::random_id();
    let emulated = |settings: backend::S3| backend::S3 {
        bucket: format!("aloka-{run}"),
        region: Some("us-east-1".to_owned()),
        dynamodb_table: settings.dynamodb_table.map(|_| format!("aloka-{run}")),
        endpoints: [("s3", &endpoint), ("dynamodb", &endpoint)].map(|(k, v)| (k.to_owned(), v.clone())).into(),
        use_path_style: true,
        ..settings
    };
    let all = emulated(settings()[BOTH].clone());
    for _again in 0..2 {
        create::create(&all, &mut |line| println!("{line}")).expect("made");
    }
    let number = std::cell::Cell::new(0);
    for settings in settings().map(emulated) {
        println!("table {:?}, lock file {}", settings.dynamodb_table, settings.use_lockfile);
        contract(|case| {
            number.set(number.get() + 1);
            let settings = backend::S3 { key: format!("case-{}", number.get()), ..settings.clone() };
            let spoiled = sdk::Sdk::connect(&settings, &S3Backend::place(&settings, "default")).expect("connected");
            let key = settings.key.clone();
            let locks = settings.use_lockfile || settings.dynamodb_table.is_some();
            case(Handles {
                handle: Box::new(move || Box::new(S3Backend::open(&settings, "default").expect("opened"))),
                spoil: Box::new(move |bytes| {
                    spoiled.put(&key, bytes.to_vec(), BTreeMap::new(), Condition::Always).expect("stored");
                }),
                locks,
                forces: true,
            });
        });
    }
}
