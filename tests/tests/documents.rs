//! Pages that are made from data are up to date.

use aloka_sim::catalogue::report::Report;
use aloka_sim::catalogue::unseen;
use aloka_sim::scenario::library;

#[test]
fn the_page_of_the_simulator_is_what_the_rule_table_says() {
    let made = Report::new(library().expect("scenarios")).to_markdown();
    let page = include_str!("../../docs/SIMULATOR.md");
    let first = made.lines().zip(page.lines()).position(|(made, page)| made != page);
    assert!(
        made == page,
        "docs/SIMULATOR.md is not up to date (line {:?}): cargo run -p aloka --no-default-features -- simulate -rules=markdown > docs/SIMULATOR.md",
        first.map(|line| line + 1),
    );
}

#[test]
fn what_nobody_has_seen_yet_is_what_the_rule_table_says() {
    let page = include_str!("../../docs/REAL_AWS.md");
    let (_, listed) = page.split_once("## What nobody has seen yet\n\n").expect("the last section");
    assert!(
        listed == unseen::markdown(),
        "the last section of docs/REAL_AWS.md is not up to date: cargo run -p aloka --no-default-features -- simulate -rules=unseen",
    );
}

/// What a page names of the repository: files in backticks, and what it links to.
fn named(page: &str) -> Vec<String> {
    let is_path = |text: &str| {
        let rooms = ["crates/", "tests/", "docs/", "localstack/", "fuzz/", "examples/", ".ci/"];
        rooms.iter().any(|room| text.starts_with(room))
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    };
    let quoted = page.split('`').skip(1).step_by(2).filter(|text| is_path(text));
    let links = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let links = links.filter(|target| !target.contains("://") && !target.starts_with('#'));
    quoted.chain(links.map(|target| target.split('#').next().unwrap_or(target))).map(str::to_owned).collect()
}

#[test]
fn what_pages_name_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let of = |directory: &std::path::Path| {
        let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let mut missing = Vec::new();
    let mut count = 0;
    for page in [of(root), of(&root.join("docs"))].concat() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for name in named(&text) {
            count += 1;
            let beside = page.parent().expect("a directory").join(&name);
            // A file that aloka or a build makes is in no repository.
            if !beside.exists() && !root.join(&name).exists() {
                missing.push(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(count > 50, "{count} names");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
