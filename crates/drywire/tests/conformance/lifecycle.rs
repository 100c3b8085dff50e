//! The order of calls, what is handed over, and the reference adapters at work.

use drybox::{
    Side,
    adapter::{ABI_VERSION, AdapterConfig, AudioParams, CryptoConfig},
    scenario::Mode,
};
use drywire::adapters::NATIVE;
use serde_json::{Value, json};

use crate::bench::{Bench, config, example, fixture, python};

fn calls(mode: Mode, until: u64) -> Vec<String> {
    let recorder = fixture("recorder.py");
    let outcome = Bench::new(mode).until(until).run(&recorder, &recorder);
    assert_eq!(outcome.error, None);
    let payload = outcome.payloads(Side::Right, "calls")[0];
    assert_eq!(payload["executions"], 1, "a file is executed once per run");
    let calls = payload["calls"].as_array().unwrap();
    calls
        .iter()
        .map(|call| call.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn calls_come_in_the_order_of_the_document_in_byte_mode() {
    let expected = "L.__init__ capabilities R.__init__ capabilities L.init(300) R.init(300) L.start R.start \
        L.on_timer(0) R.on_timer(0) L.poll(4) R.poll(4) R.rx(at_0) L.rx(at_0) \
        L.on_timer(10) R.on_timer(10) L.poll(4) R.poll(4) \
        L.on_timer(20) R.on_timer(20) L.poll(4) R.poll(4) R.rx(at_20) L.rx(at_20) L.stop R.stop";
    let calls: Vec<String> = calls(Mode::Byte, 20)
        .iter()
        .map(|call| call.replace(' ', "_"))
        .collect();
    assert_eq!(calls, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn calls_come_in_the_order_of_the_document_in_audio_mode() {
    let expected = "L.__init__ capabilities R.__init__ capabilities L.init(300) R.init(300) L.start R.start \
        L.on_timer(0) R.on_timer(0) L.pull R.pull R.push(1) L.push(1) L.on_timer(10) R.on_timer(10) \
        L.on_timer(20) R.on_timer(20) L.pull R.pull R.push(21) L.push(21) L.stop R.stop";
    assert_eq!(
        calls(Mode::Audio, 20),
        expected.split_whitespace().collect::<Vec<_>>()
    );
}

#[test]
fn cfg_holds_what_the_document_lists_and_the_sides_settings() {
    let recorder = fixture("recorder.py");
    let settings = json!({"modem": {"vocoder": "none", "snr_db": 12.5}, "mine": [1, null]});
    let outcome = Bench::new(Mode::Byte)
        .with(settings)
        .until(0)
        .run(&recorder, &recorder);
    assert_eq!(outcome.error, None);
    for side in Side::BOTH {
        let payload = outcome.payloads(side, "cfg")[0];
        assert_eq!(
            *payload,
            json!({
                "keys": ["side", "tick_ms", "seed", "mode", "sdu_max_bytes", "out_dir", "modem", "mine"],
                "cfg": {
                    "side": side.letter(), "tick_ms": 10, "seed": 1, "mode": "byte",
                    "sdu_max_bytes": 300, "out_dir": null,
                    "modem": {"vocoder": "none", "snr_db": 12.5}, "mine": [1, null],
                },
            })
        );
    }
}

#[test]
fn randomness_is_the_runs_own() {
    let recorder = fixture("recorder.py");
    let run = || {
        let outcome = Bench::new(Mode::Byte).until(0).run(&recorder, &recorder);
        Side::BOTH.map(|side| outcome.payloads(side, "draws")[0].clone())
    };
    let [left, right] = run();
    assert_eq!([&left, &right], run().each_ref(), "twice the same");
    assert_ne!(left[0], right[0], "each side has a generator of its own");
    // random.Random(int.from_bytes(sha256(b"drybox rng v1\0" + (1).to_bytes(8, "little") + b"L/ctx")
    // .digest()[:16], "little")).random(), and the same for "py" through random.seed.
    assert_eq!([&left[0], &left[1]], expected_draws().each_ref());
}

/// The first draws of the left side, from Python itself.
fn expected_draws() -> [Value; 2] {
    let program = "import hashlib, json, random\n\
        def seed(name):\n\
        \x20   key = hashlib.sha256(b'drybox rng v1\\0' + (1).to_bytes(8, 'little') + name).digest()\n\
        \x20   return int.from_bytes(key[:16], 'little')\n\
        print(json.dumps([random.Random(seed(n)).random() for n in (b'L/ctx', b'py')]))";
    let output = std::process::Command::new(python())
        .args(["-c", program])
        .output()
        .unwrap();
    let draws: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    draws.try_into().unwrap()
}

#[test]
fn field_names_and_signatures_are_accepted() {
    let field = fixture("field.py");
    let (times, other) = (format!("{field}:Times"), format!("{field}:Other"));
    let outcome = Bench::new(Mode::Byte).until(10).run(&times, &other);
    assert_eq!(outcome.error, None);
    assert_eq!(
        outcome.payloads(Side::Left, "timer"),
        [&json!({}), &json!({})]
    );
    assert_eq!(
        outcome.payloads(Side::Left, "rx"),
        [&json!(["pair", null, 0]), &json!(["pair", null, 10])]
    );
    assert_eq!(outcome.payloads(Side::Left, "closed").len(), 1);
    assert_eq!(
        outcome.payloads(Side::Right, "cfg"),
        [&json!({"side": "R"})]
    );
    assert_eq!(
        outcome.payloads(Side::Right, "timer"),
        [&json!({"now": 0}), &json!({"now": 10})]
    );
    assert_eq!(
        outcome.payloads(Side::Right, "rx"),
        [&json!({"sdu": "poll 4 0"}), &json!({"sdu": "poll 4 10"})]
    );
    let remarks = |side: Side| &outcome.capabilities[side.index()].as_ref().unwrap().remarks;
    assert_eq!(
        remarks(Side::Left).len(),
        1,
        "no announcement: {:?}",
        remarks(Side::Left)
    );

    let audio = format!("{field}:Audio");
    let outcome = Bench::new(Mode::Audio).until(20).run(&audio, &audio);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.nothings, 4);
    assert_eq!(
        outcome.payloads(Side::Left, "source"),
        [&json!({"t": 0}), &json!({"t": 20})]
    );
    assert_eq!(
        outcome.payloads(Side::Right, "sink")[1],
        &json!({"t": 20, "len": 160})
    );
    let capabilities = outcome.capabilities[0].as_ref().unwrap();
    assert!(capabilities.audioblock && !capabilities.bytelink);
    assert_eq!(
        capabilities.remarks[..2],
        [
            "get_tx_block() stands in for pull_tx_block()",
            "feed_rx_block() stands in for push_rx_block()"
        ]
    );
}

#[test]
fn the_documents_examples_run_as_printed() {
    let adapter = example("adapters/minimal_bytelink.py:Adapter");
    let outcome = Bench::new(Mode::Byte).until(1000).run(&adapter, &adapter);
    assert_eq!((&outcome.error, outcome.events.len()), (&None, 0));
    let capabilities = outcome.capabilities[0].as_ref().unwrap();
    assert_eq!(capabilities.abi_version.as_deref(), Some(ABI_VERSION));
    assert_eq!(capabilities.remarks, [""; 0]);

    let adapter = example("adapters/minimal_audio.py:Adapter");
    let outcome = Bench::new(Mode::Audio).until(200).run(&adapter, &adapter);
    assert_eq!(outcome.error, None);
    let audioparams = outcome.capabilities[1].as_ref().unwrap().audioparams;
    assert_eq!(
        audioparams,
        Some(AudioParams {
            sr: 8000,
            block: 160
        })
    );
}

#[test]
fn a_program_without_any_help_is_an_adapter() {
    let echo = format!("cmd:{} '{}'", python(), example("sidecar/echo.py"));
    let outcome = Bench::new(Mode::Byte)
        .until(1000)
        .run(&echo, "native:traffic");
    assert_eq!(outcome.error, None);
    // Its own greeting counts as corrupt for the traffic generator, the echoes do not: they come
    // from the wrong side.
    let summary = outcome.payloads(Side::Right, "traffic_summary")[0];
    assert_eq!(
        (&summary["sent"], &summary["received"]),
        (&json!(11), &json!(12))
    );
    assert_eq!(outcome.payloads(Side::Left, "echoed").len(), 11);
}

#[test]
fn native_adapters_serve_their_mode() {
    for name in NATIVE {
        let spec = format!("native:{name}");
        let mode = match name {
            "tone" | "wav" => Mode::Audio,
            _ => Mode::Byte,
        };
        let outcome = Bench::new(mode).until(500).run(&spec, &spec);
        assert_eq!(outcome.error, None, "{name}");
        assert_eq!(outcome.stopped, [Some(Ok(())), Some(Ok(()))], "{name}");
        let capabilities = outcome.capabilities[0].as_ref().unwrap();
        assert_eq!(capabilities.audioblock, mode == Mode::Audio, "{name}");
        assert_eq!(capabilities.bytelink, mode == Mode::Byte, "{name}");
    }
}

#[test]
fn settings_of_native_adapters_are_checked() {
    for (spec, settings, words) in [
        (
            "native:traffic",
            json!({"rate_pps": "fast"}),
            "left.rate_pps: must be a number",
        ),
        (
            "native:traffic",
            json!({"rate_pps": 1, "interval_ms": 2}),
            "left.interval_ms: give either",
        ),
        (
            "native:traffic",
            json!({"size_bytes": 4}),
            "left.size_bytes: must be a whole number from 8",
        ),
        (
            "native:traffic",
            json!({"size_bytes": 5000}),
            "left.size_bytes: 5000 is over",
        ),
        ("native:pingpong", json!({"ping_ms": 0}), "left.ping_ms"),
        (
            "native:tone",
            json!({"level": 2}),
            "left.level: must be a number from 0 to 1, got 2",
        ),
        (
            "native:wav",
            json!({"file": "/nonexistent.wav"}),
            "left.file: cannot read /nonexistent.wav",
        ),
        (
            "native:wav",
            json!({"record": true}),
            "left.record: the run has no output folder",
        ),
        (
            "native:wav",
            json!({"loop": 1}),
            "left.loop: must be true or false, got 1",
        ),
    ] {
        let outcome = Bench::new(Mode::Byte)
            .with(settings)
            .run(spec, "native:traffic");
        let (_, message) = outcome.failure();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn native_pingpong_shakes_hands_and_plays() {
    for until in [3000] {
        let outcome = Bench::new(Mode::Byte)
            .until(until)
            .run("native:pingpong", "native:pingpong");
        assert_eq!(outcome.error, None);
        for side in Side::BOTH {
            assert_eq!(outcome.payloads(side, "hs_done")[0]["auth"], "none");
            assert!(outcome.payloads(side, "pong_rx").len() >= 2);
        }
    }
}

#[test]
fn pingpong_in_rust_and_in_python_speak_the_same_protocol() {
    let python = example("../python/python/drybox/adapters/pingpong.py");
    for (left, right) in [
        ("native:pingpong", python.as_str()),
        (python.as_str(), "native:pingpong"),
    ] {
        let outcome = Bench::new(Mode::Byte).until(3000).run(left, right);
        assert_eq!(outcome.error, None);
        for side in Side::BOTH {
            assert_eq!(outcome.payloads(side, "hs_done")[0]["auth"], "none");
            assert!(outcome.payloads(side, "pong_rx").len() >= 2, "{side:?}");
        }
    }
}

#[test]
fn wav_plays_loops_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&file, spec).unwrap();
    (1..=100i16).for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();

    let settings = json!({"file": file.display().to_string(), "loop": true});
    let AdapterConfig { settings, .. } = config(Side::Left, Mode::Audio, &settings);
    let mut wav = drywire::adapters::native("wav").unwrap();
    let config = AdapterConfig {
        out_dir: Some(folder.path().to_owned()),
        settings: settings
            .into_iter()
            .chain([("record".to_owned(), json!(true))])
            .collect(),
        ..config(Side::Left, Mode::Audio, &json!({}))
    };
    wav.open(&config).unwrap();
    let mut context = drybox::adapter::Context::new(config);
    let mut block = [0; 160];
    wav.pull_tx_block(&mut context, &mut block).unwrap();
    assert_eq!(
        (block[0], block[99], block[100], block[159]),
        (1, 100, 1, 60)
    );
    wav.push_rx_block(&mut context, &block).unwrap();
    wav.stop(&mut context).unwrap();
    let recorded = hound::WavReader::open(folder.path().join("wav_L.wav")).unwrap();
    assert_eq!(recorded.spec(), spec);
    let samples: Vec<i16> = recorded.into_samples().map(Result::unwrap).collect();
    assert_eq!(samples, block);
}

#[test]
fn crypto_arrives_as_bytes() {
    let crypto = CryptoConfig {
        private: [1; 32],
        public: [2; 32],
        peer_public: [3; 32],
        key_id: "aabbccdd".to_owned(),
        peer_key_id: "00112233".to_owned(),
    };
    let config = AdapterConfig {
        crypto: Some(crypto),
        ..config(Side::Left, Mode::Byte, &json!({}))
    };
    let recorder = fixture("recorder.py");
    let mut adapters =
        drywire::adapters::Adapters::connect(&recorder, &recorder, crate::bench::options());
    adapters[0].open(&config).unwrap();
    let mut context = drybox::adapter::Context::new(config);
    adapters[0].init(&mut context).unwrap();
    adapters[0].start(&mut context).unwrap();
    let event = context.take_events().next().unwrap();
    // Bytes come back as hex, text as it was.
    assert_eq!(
        event.payload["cfg"]["crypto"],
        json!({"priv": "01".repeat(32), "pub": "02".repeat(32), "peer_pub": "03".repeat(32),
               "key_id": "aabbccdd", "peer_key_id": "00112233"})
    );
}
