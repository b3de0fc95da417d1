use super::*;

use aloka_core::state::{State, file};

#[test]
fn contents_are_told_by_their_beginning() {
    let state = file::write(&State::new("one"));
    let sorted = r#"{"check_results": null, "lineage": "one", "outputs": {}, "serial": 1, "version": 4}"#;
    let older = r#"{ "version": 3, "terraform_version": "0.11.14", "serial": 7, "modules": [] }"#;
    let table = [
        ("", Content::Empty),
        (" \n\t\n", Content::Empty),
        (state.as_str(), Content::State),
        (&state[..state.len() / 2], Content::State),
        (sorted, Content::State),
        (older, Content::State),
        ("\n{\n  \"kind\" : \"aloka plan\", \"lineage\": \"one\"}", Content::Plan),
        (r#"{"kind":"aloka planet"}"#, Content::Other),
        (r#"{"format_version":1,"kind":"aloka plan"}"#, Content::Other),
        (r#"{"aloka_trace":1,"lineage":"one"}"#, Content::Trace),
        (r#"{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {}}"#, Content::Other),
        ("lineage = \"lineage\"", Content::Other),
        ("PK\u{3}\u{4}", Content::Other),
        ("x", Content::Other),
    ];
    for (text, expected) in table {
        assert_eq!(Content::of_head(text.as_bytes()), expected, "{text}");
    }
    let blanks = vec![b' '; usize::try_from(HEAD).expect("few")];
    assert_eq!(Content::of_head(&blanks), Content::Other, "what follows so many is not known");
}

#[test]
fn links_are_followed_to_their_end_and_no_further() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().expect("a directory");
    let real = dir.path().canonicalize().expect("its real path");
    fs::create_dir(real.join("inner")).expect("made");
    for (from, to) in [("one", "inner/two"), ("inner/two", "../three"), ("round", "round"), ("dir", "inner")] {
        symlink(to, real.join(from)).expect("a link");
    }
    for (path, expected) in [
        ("one", Some("three")),
        ("dir/two", Some("three")),
        ("dir/new", Some("inner/new")),
        ("three", Some("three")),
        ("none/new", Some("none/new")),
        ("round", None),
    ] {
        let resolved = resolve(&real.join(path)).ok();
        assert_eq!(resolved, expected.map(|name| real.join(name)), "{path}");
    }
}

#[test]
fn descriptors_are_known_by_whatever_leads_to_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/dev/stdout", &link).expect("a link");
    for (path, expected) in [
        (Path::new("/dev/stdout"), Some(1)),
        (Path::new("/dev/stderr"), Some(2)),
        (Path::new("/dev/fd/7"), Some(7)),
        (Path::new("/proc/self/fd/7"), Some(7)),
        (&link, Some(1)),
        (Path::new("/dev/null"), None),
        (dir.path(), None),
    ] {
        assert_eq!(descriptor(path), expected, "{}", path.display());
    }
}

#[test]
fn a_plan_and_a_trace_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    for kind in [Kind::Plan, Kind::Trace] {
        let path = dir.path().join(format!("{kind:?}"));
        fs::write(&path, "").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("mode");
        let output = Output::new(&path, kind, &[]).expect("it is empty");
        output.write(b"{}").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600, "{kind:?}");
        assert!(output.write(b"{}").is_err(), "what it holds is looked at again");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 2);
}
