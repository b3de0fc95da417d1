//! Pages that are made from data are up to date.

use aloka_sim::rules::report::Report;
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
