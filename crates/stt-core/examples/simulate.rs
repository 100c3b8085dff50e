//! Runs simulations: what `cargo xtask simulate` starts.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program: its output is its purpose"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "measures how long the runs take, outside of them"
)]

use std::{
    env,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use stt_core::testing::simulate::{self, Report};

fn main() -> ExitCode {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let [first, seeds, jobs, trace] = numbers[..] else {
        eprintln!("usage: simulate FIRST SEEDS JOBS TRACE (0 or 1)");
        return ExitCode::from(4);
    };
    let begun = Instant::now();
    let next = AtomicU64::new(first);
    let failed = AtomicU64::new(0);
    let totals: Vec<Totals> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|_| {
                scope.spawn(|| {
                    let mut totals = Totals::default();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + seeds {
                            return totals;
                        }
                        let outcome = simulate::run(seed, &mut |at, line| {
                            if trace > 0 {
                                println!("{:>12.6} {line}", at.as_nanos() as f64 / 1e9);
                            }
                        });
                        match outcome {
                            Ok(report) => totals.add(&report),
                            Err(failure) => {
                                failed.fetch_add(1, Ordering::Relaxed);
                                println!("{failure}");
                            }
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    let mut all = Totals::default();
    for totals in &totals {
        all.merge(totals);
    }
    let failed = failed.into_inner();
    println!(
        "{} of {seeds} seeds from {first} held every invariant: {} datagrams, {} bytes delivered, {} key updates, \
         {:.0} simulated hours in {:.1} s",
        all.runs,
        all.datagrams,
        all.delivered,
        all.updates,
        all.hours,
        begun.elapsed().as_secs_f64(),
    );
    if failed == 0 && all.runs == seeds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[derive(Default)]
struct Totals {
    runs: u64,
    datagrams: u64,
    delivered: u64,
    updates: u64,
    hours: f64,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.datagrams += report.datagrams;
        self.delivered += report.delivered;
        self.updates += report.updates;
        self.hours += report.took.as_nanos() as f64 / 3.6e12;
    }

    fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.datagrams += other.datagrams;
        self.delivered += other.delivered;
        self.updates += other.updates;
        self.hours += other.hours;
    }
}
