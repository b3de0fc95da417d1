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
