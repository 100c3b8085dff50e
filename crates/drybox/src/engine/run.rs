//! The life of a run and its tick loop (`docs/spec/engine.md`, sections 1 and 2).

use std::ops::ControlFlow;

use super::{
    audio_mode::AudioMode,
    byte_mode::ByteMode,
    hooks::{Hooks, Progress},
    journal::Journal,
    messages::Script,
    outcome::{End, Halt, Measurements, Outcome},
    seat::{Seat, Seats},
};
use crate::{
    Direction, Side,
    adapter::{ABI_VERSION, Adapter, AdapterConfig, AdapterFault, AudioParams, Callback, Context},
    link::Link,
    output::Recorder,
    radio::{BLOCK_MS, BLOCK_SAMPLES, SAMPLE_RATE, VoicePath},
    rng::Streams,
    sar,
    scenario::{AudioCadence, Mode, Scenario},
};

/// How often the outside is asked, in ticks.
const HOOK_INTERVAL: u64 = 256;

/// What a run needs beside its scenario, one entry per side, left first.
pub struct Setup<'a> {
    /// The adapters as the user named them, for messages.
    pub specs: [String; 2],
    /// The adapters.
    pub adapters: [&'a mut dyn Adapter; 2],
    /// What each is told; `sdu_max_bytes` is settled by the engine.
    pub configs: [AdapterConfig; 2],
}

/// The two kinds of link.
enum Medium {
    Byte(Box<ByteMode>),
    Audio(Box<AudioMode>),
}

/// Runs a scenario to its end, whatever that is.
///
/// The recorder holds everything up to the last tick; finishing it is the caller's.
pub fn run(
    scenario: &Scenario,
    setup: Setup<'_>,
    recorder: &mut Recorder,
    hooks: &mut dyn Hooks,
) -> Outcome {
    let Setup {
        specs: [left_spec, right_spec],
        adapters: [left, right],
        configs,
    } = setup;
    let [left_config, right_config] = configs;
    let mut seats = [
        Seat::new(Side::Left, left_spec, Context::new(left_config), left),
        Seat::new(Side::Right, right_spec, Context::new(right_config), right),
    ];
    let mut journal = Journal::new(recorder);
    let mut medium = medium(scenario);
    let mut clock = 0;

    let mut result = live(
        scenario,
        &mut seats,
        &mut medium,
        &mut journal,
        hooks,
        &mut clock,
    );
    let begun = seats.iter().all(|seat| seat.opened);
    for seat in &mut seats {
        result = result.and(stop(seat, &mut journal));
    }

    let (measurements, partial_window_bits) = match medium {
        Medium::Byte(byte) => {
            let partial = byte.goodput.partial_bits();
            (Measurements::Byte(byte.link.finish()), partial)
        }
        Medium::Audio(audio) => (
            Measurements::Audio(audio.paths.map(|path| path.stats().clone())),
            [0; 2],
        ),
    };
    let Journal {
        tallies, warnings, ..
    } = journal;
    Outcome {
        end: match result {
            Ok(()) => End::Completed,
            Err(Halt::Endpoint(error)) => End::Endpoint(error),
            Err(Halt::Output(error)) => End::Output(error),
            Err(Halt::Interrupted) => End::Interrupted,
        },
        ended_at_ms: clock,
        measurements: begun.then_some(measurements),
        tallies,
        partial_window_bits,
        warnings,
    }
}

fn medium(scenario: &Scenario) -> Medium {
    let streams = Streams::new(scenario.seed);
    match scenario.mode {
        Mode::Byte => {
            let link = Link::new(&scenario.network, &streams, scenario.tick_ms);
            Medium::Byte(Box::new(ByteMode::new(link, scenario.budget)))
        }
        Mode::Audio => {
            let path = |direction: Direction| {
                let radio = &scenario.radio[direction.sender().index()];
                let grid_ms = match scenario.audio_cadence {
                    AudioCadence::Block => BLOCK_MS,
                    AudioCadence::Tick => scenario.tick_ms,
                };
                VoicePath::with_cadence(radio, &scenario.network, direction, &streams, grid_ms)
            };
            let paths = Direction::BOTH.map(path);
            Medium::Audio(Box::new(AudioMode::new(paths, scenario.audio_cadence)))
        }
    }
}

/// Everything from loading the adapters to the last tick.
fn live(
    scenario: &Scenario,
    seats: &mut Seats<'_>,
    medium: &mut Medium,
    journal: &mut Journal<'_>,
    hooks: &mut dyn Hooks,
    clock: &mut u64,
) -> Result<(), Halt> {
    for seat in seats.iter_mut() {
        seat.open()?;
    }
    for seat in seats.iter_mut() {
        admit(scenario, seat, journal)?;
    }
    for seat in seats.iter_mut() {
        seat.call(Callback::Init, |adapter, context| adapter.init(context))?;
        journal.events_of(seat)?;
    }
    for seat in seats.iter_mut() {
        seat.call(Callback::Start, |adapter, context| adapter.start(context))?;
        journal.events_of(seat)?;
    }
    let mut script = Script::new(scenario.messages.clone(), seats, journal);

    let mut until_hook = HOOK_INTERVAL;
    let mut t_ms = 0;
    loop {
        *clock = t_ms;
        for seat in seats.iter_mut() {
            seat.context.set_now_ms(t_ms);
        }
        if let Medium::Byte(byte) = medium {
            byte.close_windows(t_ms, journal)?;
        }
        for seat in seats.iter_mut() {
            if seat.capabilities.timer {
                seat.call(Callback::OnTimer, |adapter, context| {
                    adapter.on_timer(context, t_ms)
                })?;
                journal.events_of(seat)?;
            }
        }
        if let Some(waiting) = &mut script
            && !waiting.tick(t_ms, seats, journal)?
        {
            script = None;
        }
        match medium {
            Medium::Byte(byte) => byte.tick(t_ms, seats, journal)?,
            Medium::Audio(audio) => audio.tick(t_ms, seats, journal)?,
        }
        let next = t_ms.saturating_add(scenario.tick_ms);
        let last = next > scenario.duration_ms;
        until_hook -= 1;
        if until_hook == 0 || last {
            until_hook = HOOK_INTERVAL;
            if hooks.tick(&progress(scenario, medium, t_ms)) == ControlFlow::Break(()) {
                return Err(Halt::Interrupted);
            }
        }
        if last {
            return Ok(());
        }
        t_ms = next;
    }
}

/// Checks what an adapter announced and settles its largest SDU.
fn admit(scenario: &Scenario, seat: &mut Seat<'_>, journal: &mut Journal<'_>) -> Result<(), Halt> {
    let capabilities = &seat.capabilities;
    let (supported, mode, announce) = match scenario.mode {
        Mode::Byte => (capabilities.bytelink, "byte", "bytelink"),
        Mode::Audio => (capabilities.audioblock, "audio", "audioblock"),
    };
    if !supported {
        return Err(seat.halt(
            Callback::Load,
            AdapterFault::Contract(format!(
                "the scenario's mode is {mode}, which the adapter does not support: announce \
                 \"{announce}\": True in nade_capabilities() and have its callbacks"
            )),
        ));
    }
    if capabilities.sdu_max_bytes == 0 && scenario.mode == Mode::Byte {
        return Err(seat.halt(
            Callback::Load,
            AdapterFault::Contract("the adapter announces sdu_max_bytes 0".to_owned()),
        ));
    }
    let who = format!("{} adapter ({})", seat.side.name(), seat.spec);
    match capabilities.abi_version.as_deref() {
        Some(ABI_VERSION) => {}
        Some(other) => journal.warn(format!(
            "{who} announces abi_version {other:?}, this is \"{ABI_VERSION}\""
        )),
        None => journal.warn(format!(
            "{who} announces no abi_version, this is \"{ABI_VERSION}\""
        )),
    }
    let ours = AudioParams {
        sr: SAMPLE_RATE,
        block: BLOCK_SAMPLES as u32,
    };
    if let Some(params) = capabilities.audioparams.filter(|params| *params != ours) {
        journal.warn(format!(
            "{who} announces {} Hz and blocks of {}: it gets {SAMPLE_RATE} Hz and {BLOCK_SAMPLES}",
            params.sr, params.block
        ));
    }
    for remark in &capabilities.remarks {
        journal.warn(format!("{who}: {remark}"));
    }
    let carried = sar::max_sdu_bytes(scenario.network.mtu_bytes);
    seat.context
        .set_sdu_max_bytes(capabilities.sdu_max_bytes.min(carried));
    Ok(())
}

fn stop(seat: &mut Seat<'_>, journal: &mut Journal<'_>) -> Result<(), Halt> {
    if !seat.opened {
        return Ok(());
    }
    // What a failing callback emitted before it failed is part of the story.
    let before = journal.events_of(seat);
    let stopped = seat.call(Callback::Stop, |adapter, context| adapter.stop(context));
    let after = journal.events_of(seat);
    before.and(stopped).and(after)
}

fn progress(scenario: &Scenario, medium: &Medium, t_ms: u64) -> Progress {
    let mut progress = Progress {
        t_ms,
        duration_ms: scenario.duration_ms,
        ..Progress::default()
    };
    match medium {
        Medium::Byte(byte) => {
            let stats = Direction::BOTH.map(|direction| byte.link.stats(direction));
            let (mut dropped, mut delivered, mut bits) = (0, 0, 0);
            for stats in stats {
                dropped += stats.sdus_dropped;
                delivered += stats.sdus_delivered;
                bits += stats.sdu_bits_delivered();
            }
            progress.loss_rate =
                (dropped + delivered > 0).then(|| dropped as f64 / (dropped + delivered) as f64);
            progress.goodput_bps = (t_ms > 0).then(|| bits as f64 * 1000.0 / t_ms as f64);
        }
        Medium::Audio(audio) => {
            let stats = [audio.paths[0].stats(), audio.paths[1].stats()];
            progress.loss_rate = stats.iter().filter_map(|s| s.loss_rate()).reduce(f64::max);
            progress.snr_db = stats
                .iter()
                .filter_map(|s| s.mean_snr_db())
                .reduce(f64::min);
        }
    }
    progress
}
