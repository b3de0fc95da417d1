//! Whole sweeps: all schedules, pairs of troubles, planted bugs; and what they showed, as text.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use aloka_sim::rng::Rng;

use super::{CASES, Finding, Flaw, Played, Schedule, Setting, Table, in_parallel};

/// The seed of the order in which planted bugs are looked for, and of the pairs that are tried.
const SEED: u64 = 20_261_123;
/// How many findings are told.
const TOLD_MAX: usize = 20;

/// What a sweep showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By plan and trouble.
    pub table: Table,
    /// How many schedules were played.
    pub schedules: usize,
    /// How many runs that took.
    pub runs: usize,
    /// Objects found and taken.
    pub adopted: usize,
    /// States looked at.
    pub states: u64,
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub time: Duration,
}

impl Report {
    fn of(results: Vec<(&'static str, usize, Result<Played, Finding>)>, time: Duration) -> Self {
        let mut report = Self { time, ..Self::default() };
        for (case, trouble, result) in results {
            report.table.count(case, trouble, result.is_ok());
            report.schedules += 1;
            match result {
                Ok(Played { runs, adopted, states }) => {
                    report.runs += runs;
                    report.adopted += adopted;
                    report.states += states;
                }
                Err(finding) => report.findings.push(finding),
            }
        }
        report
    }

    /// How many sentences of the findings begin so.
    fn count(&self, what: &str) -> usize {
        self.findings.iter().flat_map(|finding| &finding.wrong).filter(|wrong| wrong.starts_with(what)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, runs, adopted, states, findings, time, .. } = self;
        for finding in findings.iter().take(TOLD_MAX) {
            writeln!(f, "{finding}")?;
        }
        write!(
            f,
            "{schedules} schedules, {} converged, {} orphans, {} duplicates; {runs} runs, {adopted} objects adopted, \
             {states} states looked at; {:.0} s",
            schedules - findings.len(),
            self.count("orphan") + self.count("after run"),
            self.count("duplicate"),
            time.as_secs_f64(),
        )
    }
}

/// Every case, in an account that shows at once and in one that shows late.
///
/// # Errors
/// What is wrong although nothing disturbs.
pub fn settings() -> Result<Vec<Setting>, Vec<Finding>> {
    let wanted: Vec<_> = CASES.iter().flat_map(|case| [(case, false), (case, true)]).collect();
    let made = in_parallel(&wanted, |(case, late)| Some(Setting::new(case, *late)));
    let (mut settings, mut findings) = (Vec::new(), Vec::new());
    for setting in made {
        match setting {
            Ok(setting) => settings.push(setting),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(settings) } else { Err(findings) }
}

/// Plays every `stride`th schedule.
pub fn play_all(settings: &[Setting], stride: usize) -> Report {
    let start = Instant::now();
    let schedules: Vec<(&Setting, Schedule)> =
        settings.iter().flat_map(|setting| setting.schedules().into_iter().map(move |s| (setting, s))).collect();
    let some: Vec<_> = schedules.into_iter().step_by(stride).collect();
    let play = |(setting, schedule): &(&Setting, Schedule)| {
        Some((setting.case.name, schedule.trouble, setting.play(schedule, None)))
    };
    Report::of(in_parallel(&some, play), start.elapsed())
}

/// Plays all pairs of troubles of which the first strikes once the command has planned, first by first in an order
/// drawn from a fixed seed, until the time is over. Answers also how many of how many first ones were tried.
pub fn play_pairs(settings: &[&Setting], time: Duration) -> (Report, usize, usize) {
    let start = Instant::now();
    let mut firsts: Vec<(&Setting, Schedule)> =
        settings.iter().flat_map(|setting| setting.later_schedules().into_iter().map(move |s| (*setting, s))).collect();
    shuffle(&mut firsts);
    let all = firsts.len();
    let results = in_parallel(&firsts, |(setting, first)| {
        let play = |second: Schedule| (setting.case.name, second.trouble, setting.play(&second, None));
        (start.elapsed() < time).then(|| setting.pairs(first).into_iter().map(play).collect::<Vec<_>>())
    });
    let tried = results.len();
    (Report::of(results.into_iter().flatten().collect(), start.elapsed()), tried, all)
}

/// What it took to catch a planted bug.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Which bug.
    pub flaw: Flaw,
    /// How many schedules were played until then.
    pub schedules: usize,
    /// How long it took, on one thread.
    pub time: Duration,
    /// What was seen; `None` if nothing was.
    pub finding: Option<Finding>,
}

/// Looks for each planted bug until something is wrong: in the undisturbed run of each plan first, then by each sort of
/// trouble in turn, whose schedules are in an order drawn from a fixed seed.
pub fn catch(settings: &[Setting]) -> Vec<Caught> {
    let mut by_trouble: BTreeMap<usize, Vec<(&Setting, Schedule)>> = BTreeMap::new();
    for setting in settings {
        for schedule in setting.schedules() {
            by_trouble.entry(schedule.trouble).or_default().push((setting, schedule));
        }
    }
    by_trouble.values_mut().for_each(|schedules| shuffle(schedules));
    let mut schedules: Vec<_> = settings.iter().map(|setting| (setting, Setting::undisturbed())).collect();
    while by_trouble.values().any(|schedules| !schedules.is_empty()) {
        schedules.extend(by_trouble.values_mut().filter_map(Vec::pop));
    }
    in_parallel(&Flaw::ALL, |flaw| {
        let start = Instant::now();
        let mut played = 0;
        let finding = schedules.iter().find_map(|(setting, schedule)| {
            played += 1;
            setting.play(schedule, Some(*flaw)).err()
        });
        Some(Caught { flaw: *flaw, schedules: played, time: start.elapsed(), finding })
    })
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flaw, schedules, time, finding } = self;
        let title = flaw.title();
        match finding {
            Some(Finding { story, wrong }) => {
                let wrong = wrong.first().map(String::as_str).unwrap_or_default();
                write!(f, "{title}: caught by schedule {schedules} after {:.2} s: {story}: {wrong}", time.as_secs_f64())
            }
            None => write!(f, "{title}: NOT CAUGHT by {schedules} schedules"),
        }
    }
}

fn shuffle<T>(items: &mut [T]) {
    let mut rng = Rng::stream(SEED, "sweep", 0);
    for index in (1..items.len()).rev() {
        let other = rng.below(index as u64 + 1);
        items.swap(index, usize::try_from(other).unwrap_or(index));
    }
}
