//! `aloka simulate -runs`: many runs, shared out among threads. What comes out does not depend on how many there are.

use std::num::NonZero;
use std::thread;

use aloka_core::secret::Secrets;
use aloka_core::session::Inputs;
use aloka_sim::rehearsal::RehearsalOptions;
use aloka_sim::rehearsal::forecast::{Forecast, Half, Sample};

use super::{told, width};
use crate::args::SimulateArgs;
use crate::error::{CommandError, CommandResult};
use crate::io::Io;
use crate::view::forecast::{Forecasted, json, text, timeline};
use crate::view::human;

/// Runs the command.
pub(super) fn run(
    io: &mut Io,
    args: &SimulateArgs,
    inputs: &Inputs,
    secrets: &Secrets,
    options: &RehearsalOptions,
    runs: u32,
) -> CommandResult {
    let last = options.seed.checked_add(u64::from(runs) - 1);
    if last.is_none() {
        return Err(CommandError::user(format!("there are no {runs} seeds from {} on", options.seed)).into());
    }
    let forecast = Forecast::prepare(inputs, secrets, options).map_err(|problems| told(&problems))?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let samples = collect(&forecast, secrets, options.seed, runs, threads);
    let (apply, destroy) = (forecast.summary(Half::Apply, &samples), forecast.summary(Half::Destroy, &samples));
    let median = apply.as_ref().map(|summary| forecast.spans(Half::Apply, secrets, summary.median_seed));
    let shown = Forecasted {
        forecast: &forecast,
        samples: &samples,
        seed: options.seed,
        region: &options.region,
        apply,
        destroy,
        median: median.unwrap_or_default(),
    };
    match (&shown.apply, args.json) {
        (_, true) => io.out_json_pretty(&json(&shown)),
        (Some(summary), false) if args.timeline => {
            let width = width(io);
            human::show(io, &timeline(&shown.median, summary, width));
        }
        (_, false) => {
            let width = width(io);
            human::show(io, &text(&shown, width));
        }
    }
    Ok(u8::from(!shown.is_good()))
}

/// The samples of `runs` seeds from `first` on, in their order.
fn collect(forecast: &Forecast, secrets: &Secrets, first: u64, runs: u32, threads: usize) -> Vec<Sample> {
    let seeds: Vec<u64> = (0..u64::from(runs)).map(|run| first + run).collect();
    let share = seeds.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let work = |seeds: &[u64]| seeds.iter().map(|seed| forecast.run(secrets, *seed)).collect::<Vec<_>>();
        let handles: Vec<_> = seeds.chunks(share).map(|seeds| scope.spawn(move || work(seeds))).collect();
        let join = |handle: thread::ScopedJoinHandle<'_, Vec<Sample>>| match handle.join() {
            Ok(samples) => samples,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        handles.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use aloka_core::plan::Mode;
    use aloka_core::secret::{DB_PASSWORD, Secret};
    use aloka_core::variables::{Needs, evaluate};
    use aloka_sim::aws::Durations;
    use aloka_sim::fault::FaultPlan;

    use super::super::{lineage, password};
    use super::*;

    #[test]
    fn threads_change_nothing() {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse-battery"));
        let variables = evaluate(&[], Needs { password: false }).expect("defaults").variables;
        let inputs = Inputs::new(variables, Mode::Apply, password());
        let options = RehearsalOptions {
            seed: 5,
            keep: false,
            durations: Durations::Drawn,
            region: inputs.variables.aws_region.clone(),
            lineage: lineage(5),
            faults: FaultPlan::none(),
            long_trace: false,
        };
        let forecast = Forecast::prepare(&inputs, &secrets, &options).expect("plans");
        let alone = collect(&forecast, &secrets, 5, 41, 1);
        assert_eq!(alone.iter().map(|sample| sample.seed).collect::<Vec<_>>(), (5..46).collect::<Vec<_>>());
        for threads in [2, 3, 7, 40, 41, 100] {
            assert_eq!(collect(&forecast, &secrets, 5, 41, threads), alone, "{threads} threads");
        }
        assert_eq!(collect(&forecast, &secrets, 5, 1, 8), alone[..1]);
    }
}
