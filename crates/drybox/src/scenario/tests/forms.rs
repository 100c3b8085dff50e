//! The older form, overrides, warnings, sweeps and what is written back.

use super::*;

#[test]
fn both_forms_mean_the_same() {
    let older = only(
        "mode: audio
bearer: {type: telco_cs_gsm, latency_ms: 70, mtu_bytes: 96, ge_p_good_bad: 0.01}
channel: {type: rayleigh, snr_db: 12, fd_hz: 50, L: 8}
vocoder: {type: amr12k2_mock, vad_dtx: true}
left: {adapter: a.py, gain: 2}
cfo_hz: 5
",
    );
    let modem = "{channel_type: rayleigh, snr_db: 12, doppler_hz: 50, num_paths: 8, \
                 vocoder: amr12k2_mock, vad_dtx: true}";
    let current = only(&format!(
        "mode: audio
network: {{bearer: cs_gsm, latency_ms: 70, mtu_bytes: 96, ge_p_good_bad: 0.01}}
left: {{adapter: a.py, gain: 2, modem: {modem}}}
right: {{modem: {modem}}}
cfo_hz: 5
"
    ));
    assert_eq!(older, current);
    assert_eq!(
        only("bearer: ott_udp\n"),
        only("network: {bearer: ott_udp}\n")
    );
    assert_eq!(
        only("mode: audio\nchannel: awgn\nvocoder: none\n"),
        only(
            "mode: audio\nleft: {modem: {channel_type: awgn, vocoder: none}}\n\
             right: {modem: {channel_type: awgn, vocoder: none}}\n"
        )
    );
}

#[test]
fn the_older_form_is_checked_under_the_names_that_it_uses() {
    for (text, place, words) in [
        ("bearer: {type: volte}\n", "1: bearer.type", "use volte_evs"),
        (
            "bearer:\n  lattency_ms: 3\n",
            "2: bearer.lattency_ms",
            "did you mean latency_ms?",
        ),
        (
            "bearer: {loss_rate: 2}\n",
            "1: bearer.loss_rate",
            "from 0 to 1",
        ),
        (
            "channel:\n  type: awgn\n  snr: 3\n",
            "3: channel.snr",
            "known here: type, snr_db",
        ),
        (
            "channel: {fd_hz: 1, doppler_hz: 1}\n",
            "1: channel.doppler_hz",
            "given twice",
        ),
        (
            "channel: {fd_hz: -1}\n",
            "1: channel.fd_hz",
            "out of domain",
        ),
        ("channel: {snr_db: .nan}\n", "1: channel.snr_db", "finite"),
        ("vocoder: amr\n", "1: vocoder", "amr12k2_mock"),
        (
            "bearer: ott_udp\nnetwork: {}\n",
            "1: bearer",
            "can't be mixed",
        ),
        (
            "left: {modem: {}}\nchannel: awgn\n",
            "2: channel",
            "can't be mixed",
        ),
    ] {
        assert_refused(text, place, words);
    }
}

#[test]
fn the_command_line_beats_the_scenario() {
    let overrides = Overrides {
        left: Some("native:a".to_owned()),
        right: Some("native:b".to_owned()),
        seed: Some(9),
        tick_ms: Some(5),
    };
    for text in [
        "",
        "seed: 3\ntick_ms: 20\nleft: {adapter: x.py, gain: 2}\nright: y.py\n",
    ] {
        let plan = load(&source(text), &overrides).unwrap();
        let scenario = &plan.points[0].scenario;
        assert_eq!((scenario.seed, scenario.tick_ms), (9, 5));
        assert_eq!(scenario.sides[0].adapter.as_deref(), Some("native:a"));
        assert_eq!(scenario.sides[1].adapter.as_deref(), Some("native:b"));
    }
    let overrides = Overrides {
        tick_ms: Some(0),
        ..Overrides::default()
    };
    let error = load(&source(""), &overrides).unwrap_err();
    assert!(
        error.to_string().contains("--tick-ms: 0 is out of domain"),
        "{error}"
    );
}

#[test]
fn near_misses_in_open_blocks_are_warnings_with_their_line() {
    let plan = plan(
        "left:\n  adaptr: x\n  carrier: 3\n  modem:\n    snr_dB: 3\n    own: 1\n  doppler_hz: 4\n",
    );
    let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "s.yaml:2: left.adaptr: unknown key, left to the adapter; did you mean adapter?",
            "s.yaml:5: left.modem.snr_dB: unknown key, left to the adapter; did you mean snr_db?",
            "s.yaml:7: left.doppler_hz: unknown key, left to the adapter; \
             did you mean left.modem.doppler_hz?",
        ]
    );
}

fn folders(plan: &Plan) -> Vec<&str> {
    assert!(plan.is_sweep);
    plan.points
        .iter()
        .map(|point| point.folder.as_deref().unwrap())
        .collect()
}

#[test]
fn lists_where_numbers_belong_are_swept() {
    let swept = plan("left: {modem: {snr_db: [-5, 0, 2.5]}}\n");
    assert_eq!(folders(&swept), ["snr_-5", "snr_0", "snr_2.5"]);
    assert_eq!(swept.points[2].scenario.radio[0].snr_db, Some(2.5));
    assert_eq!(
        swept.points[2].scenario.sides[0].settings["modem"]["snr_db"],
        json!(2.5)
    );

    let swept = plan("network: {loss_rate: [0, 0.1], latency_ms: [10, 20]}\n");
    assert_eq!(
        folders(&swept),
        [
            "loss_rate_0_latency_10",
            "loss_rate_0_latency_20",
            "loss_rate_0.1_latency_10",
            "loss_rate_0.1_latency_20"
        ]
    );
    assert!(swept.points.iter().all(|point| point.scenario.seed == 1));
    // One value is a sweep of one.
    assert_eq!(folders(&plan("tick_ms: [20]\n")), ["tick_20"]);
    // An adapter's own list is its own.
    assert!(!plan("left: {tones: [1, 2]}\n").is_sweep);
}

#[test]
fn equal_lists_of_both_sides_are_one_axis() {
    for text in [
        "left: {modem: {snr_db: [5, 10]}}\nright: {modem: {snr_db: [5, 10]}}\n",
        "left: {modem: {snr_db: &s [5, 10]}}\nright: {modem: {snr_db: *s}}\n",
        "left: &side {modem: {snr_db: [5, 10]}}\nright: *side\n",
        "channel: {snr_db: [5, 10]}\n",
    ] {
        let swept = plan(text);
        assert_eq!(folders(&swept), ["snr_5", "snr_10"], "{text}");
        for point in &swept.points {
            let [left, right] = &point.scenario.radio;
            assert_eq!(left.snr_db, right.snr_db);
        }
    }
    let swept = plan("left: {gain: [1, 2]}\nright: {gain: [1, 3]}\n");
    assert_eq!(
        folders(&swept),
        [
            "left_gain_1_right_gain_1",
            "left_gain_1_right_gain_3",
            "left_gain_2_right_gain_1",
            "left_gain_2_right_gain_3"
        ]
    );
}

#[test]
fn an_explicit_sweep_takes_paths_and_any_scalar() {
    let swept = plan(
        "left: {gain: [1, 2]}\nsweep:\n  network.bearer: [ott_udp, cs_gsm]\n  right.own: ['a b']\n",
    );
    assert_eq!(folders(&swept)[1], "gain_1_bearer_cs_gsm_own_a_b",);
    assert_eq!(swept.points[1].scenario.network.bearer, BearerKind::CsGsm);
    assert_eq!(
        swept.points[1].scenario.sides[1].settings["own"],
        json!("a b")
    );
    assert_refused(
        "left: {gain: [1, 2]}\nsweep: {left.gain: [3]}\n",
        "2: sweep.left.gain",
        "twice",
    );
}

#[test]
fn a_sweep_is_bounded() {
    let list: Vec<String> = (1..=70).map(|n| n.to_string()).collect();
    let list = list.join(", ");
    let text = format!("duration_ms: [{list}]\ntick_ms: [{list}]\n");
    assert_refused(&text, "2: tick_ms", "more than 4096 points");
}

#[test]
fn folders_stay_unique_and_short() {
    let long = "x".repeat(64);
    let sweep: String = (0..5)
        .map(|i| format!("  left.k{i}: [{long}a, {long}b]\n"))
        .collect();
    let swept = plan(&format!("sweep:\n{sweep}"));
    let mut names = folders(&swept);
    assert_eq!(names.len(), 32);
    assert!(names.iter().all(|name| name.len() <= 200));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 32);
}

#[test]
fn the_published_scenarios_fit_the_published_schema() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let folders = [folder.to_owned(), format!("{folder}/stt")];
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut read = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let root = super::super::yaml::read(&text).unwrap();
        assert!(
            schema::violations(&root.to_value()).is_empty(),
            "{}",
            path.display()
        );
        let plan = plan(&text);
        assert_eq!(plan.warnings, [], "{}", path.display());
        for point in &plan.points {
            assert_eq!(
                only(&point.scenario.resolved_yaml()),
                point.scenario,
                "{}",
                path.display()
            );
        }
        read += 1;
    }
    assert!(read >= 17, "only {read} scenarios in {folder}");
}

#[test]
fn what_is_written_back_holds_no_key_and_no_absolute_path() {
    let secret = "ab".repeat(32);
    let text = only(&format!(
        "left: /home/someone/a.py:A\nright: {{adapter: 'x/b.py'}}\ncrypto: {{left_priv: {secret}}}\n"
    ))
    .resolved_yaml();
    assert!(!text.contains(&secret) && !text.contains("/home"), "{text}");
    assert!(
        text.contains("adapter: \"a.py:A\"") && text.contains("x/b.py"),
        "{text}"
    );
}
