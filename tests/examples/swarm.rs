//! Plays random stories until time is up, and shrinks and tells the first that goes wrong.
//!
//!     just swarm --minutes 5
//!     just swarm --seed 1234
//!
//! Exit codes: 0 nothing found, 2 wrong usage, 3 crash (a panic of ours), 4 safety, 5 liveness.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aloka_tests::swarm::shrink::played;
use aloka_tests::swarm::{Caught, Finding, Manner, Played, RUNS_MAX, Story, caught};

const USAGE: &str = "usage: swarm [--minutes N | --seconds N | --runs N] [--seed N] [--threads N] [--keep-going]

  --seed N       with --minutes, --seconds or --runs: the first seed; alone: plays this one story and tells it
  --keep-going   tells every failure in a line, shrinks none";

/// What is asked for.
#[derive(Clone, Copy, Default)]
struct Asked {
    time: Option<Duration>,
    runs: Option<u64>,
    seed: Option<u64>,
    threads: Option<u64>,
    keep_going: bool,
}

fn asked() -> Option<Asked> {
    let mut asked = Asked::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse::<u64>().ok());
        match arg.as_str() {
            "--minutes" => asked.time = Some(Duration::from_secs(60 * number()?)),
            "--seconds" => asked.time = Some(Duration::from_secs(number()?)),
            "--runs" => asked.runs = Some(number()?),
            "--seed" => asked.seed = Some(number()?),
            "--threads" => asked.threads = Some(number()?.max(1)),
            "--keep-going" => asked.keep_going = true,
            _ => return None,
        }
    }
    Some(asked)
}

/// What all threads have done.
#[derive(Default)]
struct Sum {
    stories: u64,
    cycles: u64,
    calm: u64,
    plans: u64,
    effects: u64,
    /// Stories by the runs they took to converge.
    runs: Vec<u64>,
    processor: Duration,
}

impl Sum {
    fn add(&mut self, played: &Played) {
        self.stories += 1;
        self.cycles += played.cycles;
        self.calm += played.calm_cycles;
        self.plans += played.plans;
        self.effects += played.effects;
        let runs = usize::try_from(played.runs).unwrap_or_default();
        self.runs.resize(self.runs.len().max(runs + 1), 0);
        self.runs[runs] += 1;
    }

    fn tell(&self, threads: u64, wall: Duration) {
        let seconds = self.processor.as_secs_f64().max(0.001);
        let rate = |count: u64| (u128::from(count) * 1000 / (self.processor.as_millis().max(1))).to_string();
        println!("stories             {:>12}", self.stories);
        println!(
            "apply cycles        {:>12}   a plan with something to do, carried out to an end, good or bad",
            self.cycles
        );
        println!("undisturbed cycles  {:>12}   more, to compare with", self.calm);
        println!(
            "other plans         {:>12}   nothing to do, refused, only saved, or cut off while reading",
            self.plans
        );
        println!("effects             {:>12}   calls that arrived and writes of the state", self.effects);
        println!(
            "per second and core {:>12}   apply cycles, the undisturbed left out; {seconds:.0} s of processor time, {threads} threads, {:.0} s",
            rate(self.cycles),
            wall.as_secs_f64()
        );
        let runs = self.runs.iter().enumerate().skip(1).map(|(runs, stories)| format!("{stories} in {runs}"));
        println!(
            "converged           {:>12}   runs, the empty one included; at most {RUNS_MAX}",
            runs.collect::<Vec<_>>().join(", ")
        );
    }
}

/// Processor time of this thread so far, from `/proc`; elsewhere the time since `start`.
fn clock(start: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn commit() -> String {
    let output = std::process::Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=40"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

/// Tells a failure and leaves what it takes to look into it.
fn tell(seed: u64, found: &Caught) -> ExitCode {
    let text = found.text();
    println!("seed {seed}, commit {}: {}\n\n{text}", commit(), found.finding);
    let directory =
        PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("swarm");
    let story = serde_json::to_string(&found.story).unwrap_or_default();
    let files = [
        (format!("{seed}.jsonl"), found.played.trace.to_json_lines()),
        (format!("{seed}.txt"), text),
        (format!("{seed}.json"), story),
    ];
    let written = std::fs::create_dir_all(&directory).is_ok()
        && files.iter().all(|(name, text)| std::fs::write(directory.join(name), text).is_ok());
    if written {
        println!("trace, story and its data: {}/{seed}.{{jsonl,txt,json}}", directory.display());
    }
    println!("again: just swarm --seed {seed}");
    println!("a line for tests/corpus/swarm.txt is in {seed}.json");
    ExitCode::from(found.finding.class.exit_code())
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // A panic is told with its story.
    std::panic::set_hook(Box::new(|_| {}));
    if let (Some(seed), None, None) = (asked.seed, asked.time, asked.runs) {
        return one(seed);
    }
    let first = asked.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_secs() << 20
    });
    let cores = std::thread::available_parallelism().map_or(1, |cores| u64::try_from(cores.get()).unwrap_or(1));
    let threads = asked.threads.unwrap_or(cores);
    println!("seeds from {first}, commit {}", commit());
    many(first, threads, asked)
}

/// The story of one seed.
fn one(seed: u64) -> ExitCode {
    let story = Story::drawn(seed);
    let played = played(&story, Manner::TOLD);
    match &played.finding {
        None => {
            let found = Caught { finding: no_finding(), story, played };
            print!("seed {seed}\n{}", found.text());
            println!("nothing is wrong");
            ExitCode::SUCCESS
        }
        Some(finding) => tell(seed, &caught(&story, finding.clone(), Manner::PLAIN)),
    }
}

fn no_finding() -> Finding {
    Finding { class: aloka_tests::swarm::Class::Safety, rule: "none", what: String::new() }
}

fn many(first: u64, threads: u64, asked: Asked) -> ExitCode {
    let start = Instant::now();
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sum, failures) = (Mutex::new(Sum::default()), Mutex::new(Vec::<(u64, Finding)>::new()));
    let over = |done: u64| {
        asked.runs.is_some_and(|runs| done >= runs)
            || asked.time.is_some_and(|time| start.elapsed() >= time)
            || (asked.runs.is_none() && asked.time.is_none() && start.elapsed() >= Duration::from_secs(60))
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let began = clock(start);
                let mut own = Sum::default();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if over(number) {
                        break;
                    }
                    let seed = first + number;
                    let played = played(&Story::drawn(seed), Manner::PLAIN);
                    own.add(&played);
                    if let Some(finding) = played.finding {
                        if asked.keep_going {
                            println!("seed {seed}: {finding}");
                        } else {
                            stop.store(true, Ordering::Relaxed);
                        }
                        failures.lock().expect("no panic while it is held").push((seed, finding));
                    }
                }
                own.processor = clock(start) - began;
                sum.lock().expect("no panic while it is held").join(own);
            });
        }
    });
    let sum = sum.into_inner().expect("no panic while it is held");
    sum.tell(threads, start.elapsed());
    let mut failures = failures.into_inner().expect("no panic while it is held");
    failures.sort_by_key(|(seed, _)| *seed);
    println!("violations          {:>12}", failures.len());
    match failures.into_iter().next() {
        None => ExitCode::SUCCESS,
        Some((_, finding)) if asked.keep_going => ExitCode::from(finding.class.exit_code()),
        Some((seed, finding)) => tell(seed, &caught(&Story::drawn(seed), finding, Manner::PLAIN)),
    }
}

impl Sum {
    fn join(&mut self, other: Self) {
        self.stories += other.stories;
        self.cycles += other.cycles;
        self.calm += other.calm;
        self.plans += other.plans;
        self.effects += other.effects;
        self.runs.resize(self.runs.len().max(other.runs.len()), 0);
        for (own, more) in self.runs.iter_mut().zip(other.runs) {
            *own += more;
        }
        self.processor += other.processor;
    }
}
