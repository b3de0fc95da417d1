//! Every trouble at every effect of every plan, and the planted bugs.
//!
//!     cargo run -p aloka-tests --example sweep                      # everything
//!     cargo run -p aloka-tests --example sweep -- --write docs/TESTING.md
//!     cargo run -p aloka-tests --example sweep -- --stride 10         # every tenth schedule
//!     cargo run -p aloka-tests --example sweep -- --pairs 60        # pairs of troubles, for 60 minutes
//!     cargo run -p aloka-tests --example sweep -- --case 'create' --faults 'effect#57=crash-after' [--late]

use std::process::ExitCode;
use std::time::Duration;

use aloka_tests::sweep::{CASES, Setting, catch, play_all, play_pairs, settings};

/// Plans with so many first troubles at most are small: all their pairs are played in every sweep.
const SMALL_MAX: usize = 12;
/// More than any sweep takes.
const EVER: Duration = Duration::from_secs(86_400);
/// What stands between these lines of a page is written anew.
const MARKS: [&str; 2] = ["<!-- sweep: begin -->\n", "<!-- sweep: end -->\n"];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1).cloned();
    let stride = option("--stride").and_then(|stride| stride.parse().ok()).filter(|stride| *stride > 0).unwrap_or(1);
    let good = match (option("--case"), option("--pairs")) {
        (Some(case), _) => one(&case, args.iter().any(|arg| arg == "--late"), &option("--faults").unwrap_or_default()),
        (None, Some(minutes)) => minutes.parse().map_err(|error| format!("--pairs: {error}")).and_then(pairs),
        (None, None) => everything(stride, option("--write").as_deref()),
    };
    match good {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn all_settings() -> Result<Vec<Setting>, String> {
    settings().map_err(|findings| findings.iter().map(|finding| format!("{finding}\n")).collect())
}

fn is_small(setting: &Setting) -> bool {
    (1..=SMALL_MAX).contains(&setting.later_schedules().len())
}

fn everything(stride: usize, page: Option<&str>) -> Result<(), String> {
    let settings = all_settings()?;
    let report = play_all(&settings, stride);
    println!("{}\n{report}\n", report.table);
    let small: Vec<&Setting> = settings.iter().filter(|setting| is_small(setting)).collect();
    let (pairs, _, _) = play_pairs(&small, EVER);
    let names: Vec<String> = small.iter().map(|setting| setting.title()).collect();
    println!("pairs of {}:\n{pairs}\n", names.join("; "));
    let caught = catch(&settings);
    caught.iter().for_each(|caught| println!("{caught}"));
    if let Some(page) = page {
        let planted = caught.iter().map(|caught| {
            let by = caught.finding.as_ref().map(|finding| format!("{}: {}", finding.story, finding.wrong.join("; ")));
            let by: String = by.unwrap_or_default().chars().take(150).collect();
            format!("| {} | {} | {} |\n", caught.flaw.title(), caught.schedules, by.replace('|', "/"))
        });
        let text = format!(
            "{}\n{} schedules, {} runs; {} objects of earlier runs were adopted, {} states looked at.\n\
             Pairs of troubles, all of those of {}: {} schedules.\n\n\
             | planted bug | schedules until caught | seen as |\n|---|---|---|\n{}",
            report.table,
            report.schedules,
            report.runs,
            report.adopted,
            report.states,
            names.join("; "),
            pairs.schedules,
            planted.collect::<String>()
        );
        write(page, &text)?;
    }
    let missed = caught.iter().filter(|caught| caught.finding.is_none()).count();
    match report.findings.len() + pairs.findings.len() + missed {
        0 => Ok(()),
        _ => Err(format!(
            "{} schedules and {} pairs went wrong, {missed} planted bugs were not caught",
            report.findings.len(),
            pairs.findings.len()
        )),
    }
}

fn pairs(minutes: u64) -> Result<(), String> {
    let settings = all_settings()?;
    let others: Vec<&Setting> = settings.iter().filter(|setting| !is_small(setting)).collect();
    let (report, tried, all) = play_pairs(&others, Duration::from_secs(minutes * 60));
    println!("{}\n{report}\n{tried} of {all} first troubles, each with every second one", report.table);
    if report.findings.is_empty() { Ok(()) } else { Err(format!("{} pairs went wrong", report.findings.len())) }
}

fn one(name: &str, late: bool, faults: &str) -> Result<(), String> {
    let names = || CASES.iter().map(|case| format!("\n  {}", case.name)).collect::<String>();
    let case = CASES
        .iter()
        .find(|case| case.name == name)
        .ok_or_else(|| format!("no case `{name}`; there are:{}", names()))?;
    let setting = Setting::new(case, late).map_err(|finding| finding.to_string())?;
    let schedule = Setting::schedule(faults.parse().map_err(|error| format!("--faults: {error}"))?);
    let played = setting.play(&schedule, None).map_err(|finding| finding.to_string())?;
    println!("converged: {played:?}");
    Ok(())
}

fn write(page: &str, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{page}: {error}");
    let old = std::fs::read_to_string(page).map_err(told)?;
    let (head, rest) = old.split_once(MARKS[0]).ok_or_else(|| format!("{page} lacks the line {}", MARKS[0]))?;
    let (_, tail) = rest.split_once(MARKS[1]).ok_or_else(|| format!("{page} lacks the line {}", MARKS[1]))?;
    std::fs::write(page, format!("{head}{}{text}{}{tail}", MARKS[0], MARKS[1])).map_err(told)
}
