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
    any::Any,
    env, fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use stt_core::{
    Timestamp,
    testing::{
        Qlog,
        simulate::{self, Report},
    },
};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    match (&args[..], &numbers[..]) {
        ([_, _, _, folder], [first, seeds, jobs]) => many(*first, *seeds, *jobs, Path::new(folder)),
        ([_, file], [seed]) => one(*seed, Path::new(file)),
        _ => {
            eprintln!("usage: simulate FIRST SEEDS JOBS FOLDER, or simulate SEED TRACE");
            ExitCode::from(4)
        }
    }
}

/// Runs one seed, prints what happens and writes its trace.
fn one(seed: u64, file: &Path) -> ExitCode {
    let outcome = traced(seed, file, &mut |at, line| {
        println!("{:>12.6} {line}", at.as_nanos() as f64 / 1e9);
    });
    match outcome {
        Ok(held) => {
            println!("{}; the trace is in {}", held.told(), file.display());
            ExitCode::from(u8::from(matches!(held, Held::No(_))))
        }
        Err(error) => {
            eprintln!("writing {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// Whether every invariant held.
enum Held {
    Yes(Report),
    No(String),
}

impl Held {
    fn told(&self) -> String {
        match self {
            Self::Yes(report) => format!("every invariant held: {report:?}"),
            Self::No(failure) => failure.clone(),
        }
    }
}

/// Runs a seed; a panic is a failure like any other.
fn held(seed: u64, run: impl FnOnce() -> Result<Report, simulate::Failure>) -> Held {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(report)) => Held::Yes(report),
        Ok(Err(failure)) => Held::No(failure.to_string()),
        Err(panic) => Held::No(format!(
            "seed {seed} panicked: {}\n  replay: cargo xtask simulate --seed {seed} --trace FILE",
            message(&*panic)
        )),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

fn traced(
    seed: u64,
    file: &Path,
    lines: &mut dyn FnMut(Timestamp, &str),
) -> Result<Held, io::Error> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let out = io::BufWriter::new(fs::File::create(file)?);
    let qlog = Qlog::new(&format!("simulate --seed {seed}"), Box::new(out));
    let outcome = held(seed, || simulate::run_with_qlog(seed, lines, &qlog));
    qlog.finish()?;
    Ok(outcome)
}

/// Runs many seeds. Those that fail are run again, for their traces.
fn many(first: u64, seeds: u64, jobs: u64, folder: &Path) -> ExitCode {
    let begun = Instant::now();
    let next = AtomicU64::new(first);
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
                        match held(seed, || simulate::run(seed, &mut |_, _| {})) {
                            Held::Yes(report) => totals.add(&report),
                            Held::No(failure) => println!("{failure}\n  {}", replay(seed, folder)),
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
    if all.runs == seeds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a failed seed again, with a trace; says where that is.
fn replay(seed: u64, folder: &Path) -> String {
    let file: PathBuf = folder.join(format!("seed-{seed}.sqlog"));
    match traced(seed, &file, &mut |_, _| {}) {
        Ok(_) => format!("trace: {}", file.display()),
        Err(error) => format!("trace: writing {} failed: {error}", file.display()),
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
