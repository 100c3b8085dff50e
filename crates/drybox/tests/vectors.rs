//! The vectors in `vectors/drybox`, which an independent implementation computed.

use drybox::rng::Streams;
use serde_json::Value;

/// How many streams the file holds: a vector that is not run is a failure.
const STREAMS: usize = 8;
/// Likewise of the rare ziggurat paths (wedge, second try and tail).
const RARE: usize = 16;

fn vectors() -> Value {
    let text = include_str!("../../../vectors/drybox/rng.json");
    serde_json::from_str(text).expect("the vectors are JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a field that is a string")
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value, key: &str) -> T {
    text(value, key).parse().expect("a field that is a number")
}

/// Floats are strings in the file, because not every JSON reader is exact in the last digit.
fn float(value: &Value) -> f64 {
    let text = value.as_str().expect("floats are strings");
    text.parse().expect("floats are numbers")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a field that is a list")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn streams_are_those_of_the_vectors() {
    let vectors = vectors();
    let cases = list(&vectors, "streams");
    assert_eq!(cases.len(), STREAMS);
    for case in cases {
        let (name, serial): (_, u64) = (text(case, "name"), number(case, "serial"));
        let streams = Streams::new(number(case, "seed"));
        let key = streams.key(name);
        assert_eq!(hex(&key), text(case, "key"), "key of {name}");
        let low: [u8; 16] = key[..16].try_into().unwrap();
        assert_eq!(
            u128::from_le_bytes(low),
            number::<u128>(case, "seed128"),
            "generator seed of {name}"
        );

        let mut stream = streams.stream(name);
        let mut draws = stream.at(serial);
        for expected in list(case, "bits") {
            assert_eq!(
                format!("{:016x}", draws.bits()),
                *expected,
                "bits of {name}"
            );
        }
        let mut draws = stream.at(serial);
        for expected in list(case, "unit") {
            assert_eq!(draws.unit(), float(expected), "unit of {name}");
        }
        let mut draws = stream.at(serial);
        for pair in list(case, "below") {
            let n: u64 = pair[0].as_str().unwrap().parse().unwrap();
            assert_eq!(draws.below(n).to_string(), pair[1], "below({n}) of {name}");
        }
        let mut draws = stream.at(serial);
        for expected in list(case, "gaussian") {
            assert_eq!(draws.gaussian(), float(expected), "gaussian of {name}");
        }
    }
}

#[test]
fn the_rare_paths_of_the_ziggurat_are_those_of_the_vectors() {
    let vectors = vectors();
    let ziggurat = &vectors["ziggurat"];
    let rare = list(ziggurat, "rare");
    assert_eq!(rare.len(), RARE);

    let streams = Streams::new(number(ziggurat, "seed"));
    let mut stream = streams.stream(text(ziggurat, "name"));
    let mut draws = stream.at(number(ziggurat, "serial"));
    let total = ziggurat["draws"].as_u64().unwrap() as usize;
    let values: Vec<f64> = (0..total).map(|_| draws.gaussian()).collect();
    for case in rare {
        let index = case[0].as_u64().unwrap() as usize;
        assert_eq!(values[index], float(&case[1]), "{case}");
    }
}

#[test]
fn values_drawn_together_are_those_of_the_vectors() {
    let vectors = vectors();
    let group = &vectors["group"];
    let expected: Vec<f64> = list(group, "values").iter().map(float).collect();
    // One audio block, with values of the wedge, of the tail and of a second try.
    assert_eq!(expected.len(), 160);

    let streams = Streams::new(number(group, "seed"));
    let mut stream = streams.stream(text(group, "name"));
    let mut draws = stream.at(number(group, "serial"));
    let mut values = vec![0.0; expected.len()];
    draws.fill_gaussian(&mut values);
    assert_eq!(values, expected);
    assert_eq!(format!("{:016x}", draws.bits()), text(group, "next_bits"));
}
