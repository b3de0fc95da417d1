//! What nobody has seen yet: rules that neither a recorded answer nor a page of AWS shows, and durations from experience.

use std::fmt::Write as _;

use crate::aws::{all_rules, durations};
use crate::rules::{Confidence, Rule};

/// A duration's source that says nobody looked it up begins so.
const EXPERIENCE: &str = "experience";

/// The rules, in the order of the table.
fn rules() -> impl Iterator<Item = &'static Rule> {
    all_rules().filter(|rule| rule.confidence() < Confidence::Documented)
}

/// The last part of docs/REAL_AWS.md.
pub fn markdown() -> String {
    let mut text = String::new();
    let (unseen, count) = (rules().count(), all_rules().count());
    let _infallible = write!(
        text,
        "{unseen} of {count} rules are neither recorded nor documented: others met them (observed), or they are from \
         memory or of the simulator's own making (unverified).\n\n\
         | rule | what holds | code | sources | confidence |\n|---|---|---|---|---|\n"
    );
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for rule in rules() {
        let code = if rule.code.is_empty() { String::new() } else { format!("`{}`", rule.code) };
        let sources: Vec<_> = rule.sources.iter().map(|source| source.name()).collect();
        let _infallible = writeln!(
            text,
            "| `{}` | {} | {code} | {} | {} |",
            rule.id,
            cell(rule.says),
            sources.join(", "),
            rule.confidence().name(),
        );
    }
    text.push_str("\nDurations that nobody measured:\n\n| transition | seconds | source |\n|---|---|---|\n");
    for row in durations::TABLE.iter().filter(|row| row.source.starts_with(EXPERIENCE)) {
        let (least, most) = (row.min_ms / 1000, row.longest_ms() / 1000);
        let _infallible = writeln!(text, "| {:?} | {least} to {most} | {} |", row.transition, cell(row.source));
    }
    text
}
