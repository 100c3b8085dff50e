//! `drybox check`: the conformance list of the interface, one line per item
//! (`docs/spec/adapters.md`, section 8).

mod compare;
mod items;
mod probe;
mod trial;

use std::io::Write;

use drybox::{ExitCode, adapter::Capabilities, engine::End, scenario::Mode};
use serde_json::json;

use self::{
    items::{Item, Status},
    trial::{Conditions, Trial},
};
use super::{args::CheckArgs, error::BoxError, host::Host};

/// Runs the list and prints it. Exit code 0 when nothing failed, else 3.
pub(super) fn run(
    args: &CheckArgs,
    host: &mut dyn Host,
    out: &mut dyn Write,
) -> Result<ExitCode, BoxError> {
    let mut items = Vec::new();
    let mut add = |item: Item| -> Result<(), BoxError> {
        if !args.json {
            writeln!(out, "{item}")?;
        }
        items.push(item);
        Ok(())
    };
    if let Some(capabilities) = discover(&args.spec, host, &mut add)? {
        let modes = [
            (Mode::Byte, capabilities.bytelink),
            (Mode::Audio, capabilities.audioblock),
        ];
        for mode in modes
            .into_iter()
            .filter_map(|(mode, has)| has.then_some(mode))
        {
            check_mode(args, mode, host, &mut add)?;
        }
    }
    let failed = items.iter().any(|item| item.status == Status::Fail);
    if args.json {
        let list: Vec<_> = items.iter().map(Item::to_json).collect();
        let result = json!({ "spec": args.spec, "passed": !failed, "items": list });
        writeln!(out, "{result:#}")?;
    } else {
        let (warned, all) = (
            items.iter().filter(|i| i.status == Status::Warn).count(),
            items.len(),
        );
        let word = if failed { "FAILED" } else { "PASSED" };
        writeln!(out, "{word}: {all} items, {warned} warnings")?;
    }
    if host.interrupted() {
        return Ok(ExitCode::Interrupted);
    }
    Ok(if failed {
        ExitCode::Endpoint
    } else {
        ExitCode::Passed
    })
}

/// Takes one line of the result.
type Add<'a> = dyn FnMut(Item) -> Result<(), BoxError> + 'a;

/// Loads the adapter on both sides and asks what it can.
fn discover(
    spec: &str,
    host: &mut dyn Host,
    add: &mut Add<'_>,
) -> Result<Option<Capabilities>, BoxError> {
    // An adapter without Mode A ends here with what it announced; that is no failure of its own.
    let conditions = Conditions {
        duration_ms: 1,
        ..Conditions::new(Mode::Byte)
    };
    let trial = Trial::run(spec, host, &conditions)?;
    let Some(capabilities) = trial.notes[0].capabilities.clone() else {
        add(Item::fail("load", items::end_text(&trial.end)))?;
        return Ok(None);
    };
    add(Item::pass(
        "load",
        "found, constructed, asked for its capabilities",
    ))?;
    for item in items::discovery(&capabilities) {
        add(item)?;
    }
    let usable = capabilities.bytelink || capabilities.audioblock;
    Ok(usable.then_some(capabilities))
}

/// Everything that one mode asks for.
fn check_mode(
    args: &CheckArgs,
    mode: Mode,
    host: &mut dyn Host,
    add: &mut Add<'_>,
) -> Result<(), BoxError> {
    let spec = &args.spec;
    let plain = Conditions::new(mode);
    let first = Trial::run(spec, host, &plain)?;
    let name = |item: &'static str| items::name(mode, item);
    add(Item::of_end(
        name("run"),
        "two seconds without a fault",
        &first.end,
    ))?;
    if mode == Mode::Byte {
        let tight = Trial::run(spec, host, &Conditions { budget: 1, ..plain })?;
        add(Item::of_end(
            name("budget"),
            "never over a budget of 1",
            &tight.end,
        ))?;
        let shuffled = Conditions {
            reorder_rate: 0.5,
            ..plain
        };
        let shuffled = Trial::run(spec, host, &shuffled)?;
        add(Item::of_end(
            name("order"),
            "takes SDUs in any order",
            &shuffled.end,
        ))?;
        let small = Trial::run(
            spec,
            host,
            &Conditions {
                mtu_bytes: 16,
                ..plain
            },
        )?;
        add(items::sar(name("sar"), &small))?;
    }
    add(items::timing(
        name("timing"),
        &first,
        host.runs_in_process(spec),
    ))?;
    add(items::events(name("events"), &first))?;

    let watch = host.watch_entropy(true);
    let again = Trial::run(spec, host, &plain);
    let used = host.take_entropy_uses();
    if watch {
        host.watch_entropy(false);
    }
    add(compare::determinism(
        name("determinism"),
        &first,
        &again?,
        &used,
    ))?;

    let mut failure = None;
    for seed in 0..args.seeds {
        let short = Conditions {
            seed,
            duration_ms: 500,
            ..plain
        };
        let trial = Trial::run(spec, host, &short)?;
        if host.interrupted() {
            return Ok(());
        }
        if !matches!(trial.end, End::Completed) {
            failure = Some((seed, items::end_text(&trial.end)));
            break;
        }
    }
    add(match failure {
        None => Item::pass(
            name("stability"),
            format!("{} seeds without a fault", args.seeds),
        ),
        Some((seed, text)) => Item::fail(name("stability"), format!("seed {seed}: {text}")),
    })
}
