//! What the documents say is what the tool does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aloka_core::api::{FINAL_SNAPSHOT_ACTION, MANAGED_PASSWORD_ACTIONS, Operation};

use crate::support::Dir;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn repository(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).expect("a document of the repository")
}

/// Names of the functions of every source below `folder`, each once.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, found);
            continue;
        }
        let is_source = path.extension().is_none_or(|extension| extension == "rs" || extension == "py");
        let Some(text) = std::fs::read_to_string(&path).ok().filter(|_| is_source) else { continue };
        for line in text.lines().map(str::trim_start) {
            let line = line.strip_prefix("async ").unwrap_or(line);
            let name = line.strip_prefix("fn ").or_else(|| line.strip_prefix("def "));
            found.extend(name.and_then(|name| name.split_once('(')).map(|(name, _)| name.to_owned()));
        }
    }
}

/// The pieces of a text between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_threat_is_shown_by_a_test_that_exists() {
    let mut there = BTreeSet::new();
    ["crates", "tests", ".ci"].iter().for_each(|folder| functions(&top().join(folder), &mut there));
    let text = repository("docs/THREATS.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| shown by |"));
    let mut count = 0;
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit_once(" | ").map_or("", |(_, last)| last);
        assert!(quoted(shown).next().is_some(), "nothing shows: {row}");
        for name in quoted(shown) {
            assert!(there.contains(name), "there is no test `{name}`, which is to show: {row}");
            count += 1;
        }
    }
    assert!(count > 50, "only {count} tests are named");
}

/// A file of a package that somebody swapped is not installed: pip refuses all of a list where one line has no digest.
#[test]
fn every_package_of_the_emulator_has_its_digest() {
    for name in ["localstack/constraints.txt", "localstack/moto-constraints.txt"] {
        let text = repository(name).replace("\\\n", " ");
        let packages: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(packages.len() > 40, "{name} has {} packages", packages.len());
        for package in packages {
            assert!(package.contains("==") && package.contains("--hash=sha256:"), "{name}: {package}");
        }
    }
    assert!(repository("localstack/emulator").contains("--require-hashes --requirement \"$constraints\""));
    let image = repository("localstack/Dockerfile");
    let from: Vec<&str> = image.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert!(from.iter().all(|line| line.contains("@sha256:")) && !from.is_empty(), "{from:?}");
}

/// That it is also enough, with its conditions, is shown where policies are decided (`tests/tests/iam.rs`).
#[test]
fn the_advised_policy_and_the_checklist_name_every_iam_action() {
    let text = repository("docs/DEPLOYMENT_CHECKLIST.md");
    let is_action = |word: &&str| {
        ["ec2:", "iam:", "kms:", "rds:", "secretsmanager:", "ssm:"].iter().any(|prefix| word.starts_with(prefix))
    };
    let words = text.split([' ', '\n', '`', ',', '(', ')']).filter(is_action);
    let mut named: BTreeSet<String> = words.map(str::to_owned).collect();
    for name in ["docs/iam-policy.json", "docs/iam-policy-default-group.json"] {
        let policy: serde_json::Value = serde_json::from_str(&repository(name)).expect(name);
        let statements = &policy["Statement"];
        let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
        for statement in statements {
            let actions = &statement["Action"];
            let single = actions.as_str().into_iter();
            let all = single.chain(actions.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str));
            named.extend(all.map(str::to_owned));
        }
    }
    let managed = MANAGED_PASSWORD_ACTIONS.iter().map(|action| (*action).to_owned());
    let needed = Operation::ALL.iter().flat_map(|operation| operation.iam_actions());
    let needed: BTreeSet<String> = needed.chain(managed).chain([FINAL_SNAPSHOT_ACTION.to_owned()]).collect();
    // One wildcard at most, wherever it stands.
    let is_of = |action: &str, pattern: &str| match pattern.split_once('*') {
        Some((start, end)) => {
            action.len() >= start.len() + end.len() && action.starts_with(start) && action.ends_with(end)
        }
        None => action == pattern,
    };
    let missing: Vec<_> = needed.iter().filter(|action| !named.iter().any(|pattern| is_of(action, pattern))).collect();
    let extra: Vec<_> = named.iter().filter(|pattern| !needed.iter().any(|action| is_of(action, pattern))).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}\nnot needed: {extra:?}");
}

#[test]
fn the_example_is_valid() {
    let dir = Dir::new().file("terraform.tfvars", &repository("examples/terraform.tfvars"));
    dir.run(&["validate"]).expect(0);
    dir.run(&["simulate"]).expect(0).says("Every promise was held.");
}
