//! Derivation against the published vectors, and every spelling of a given key.

use std::{cell::RefCell, io, path::Path};

use serde_json::Value;

use super::*;
use crate::scenario::{Overrides, Source, load};

/// Files in memory; remembers what was opened.
#[derive(Default)]
struct Shelf {
    files: Vec<(&'static str, Vec<u8>)>,
    opened: RefCell<Vec<String>>,
}

impl KeyFiles for Shelf {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.opened.borrow_mut().push(path.display().to_string());
        self.files
            .iter()
            .find(|(name, _)| Path::new(name) == path)
            .map(|(_, content)| content.clone())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn scenario(text: &str) -> Scenario {
    let source = Source {
        name: "s.yaml".to_owned(),
        text: text.to_owned(),
    };
    load(&source, &Overrides::default())
        .unwrap()
        .points
        .remove(0)
        .scenario
}

fn provide(text: &str, shelf: &Shelf) -> Result<Keys, KeyError> {
    provision(&scenario(text), ["native:a", "native:b"], 1, shelf)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn derived_keys_are_those_of_the_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../vectors/drybox/keys.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let text = |key: &str| case[key].as_str().unwrap();
        let scenario = scenario(&format!("crypto: {{type: {}}}", text("type")));
        let seed = case["seed"].as_u64().unwrap();
        let specs = [text("left_spec"), text("right_spec")];
        let keys = provision(&scenario, specs, seed, &Shelf::default()).unwrap();
        for (side, config) in ["left", "right"].into_iter().zip(keys.configs()) {
            let expected = &case[side];
            assert_eq!(
                hex(&config.private),
                expected["priv"].as_str().unwrap(),
                "{case}"
            );
            assert_eq!(
                hex(&config.public),
                expected["pub"].as_str().unwrap(),
                "{case}"
            );
            assert_eq!(
                config.key_id,
                expected["key_id"].as_str().unwrap(),
                "{case}"
            );
        }
        let [left, right] = keys.configs();
        assert_eq!(left.peer_public, right.public);
        assert_eq!(right.peer_key_id, left.key_id);
    }
}

/// Hex and base64 of the bytes 0..32 and 0..64.
const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const B64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const B64_64: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

#[test]
fn every_spelling_gives_the_same_key() {
    let raw: Vec<u8> = (0..64).collect();
    let shelf = Shelf {
        files: vec![
            ("raw32", raw[..32].to_vec()),
            ("raw64", raw.clone()),
            ("hex.txt", format!("{HEX}\n").into_bytes()),
            ("b64.txt", format!(" {B64}\r\n").into_bytes()),
        ],
        ..Shelf::default()
    };
    let unpadded = B64.trim_end_matches('=');
    for written in [
        HEX.to_owned(),
        HEX.to_uppercase(),
        format!("{{hex: {HEX}}}"),
        format!("{{hex: {HEX}{}}}", "ff".repeat(32)),
        format!("'{B64}'"),
        format!("{{b64: '{B64}'}}"),
        format!("{{b64: {unpadded}}}"),
        format!("{{b64: '{B64_64}'}}"),
        "{path: raw32}".to_owned(),
        "{path: raw64}".to_owned(),
        "hex.txt".to_owned(),
        "{path: b64.txt}".to_owned(),
    ] {
        let keys = provide(&format!("crypto: {{left_priv: {written}}}"), &shelf).unwrap();
        assert_eq!(keys.configs()[0].private, raw[..32], "{written}");
    }
    // Digits alone are a key, not a number.
    let zeros = "0".repeat(64);
    let keys = provide(
        &format!("crypto:\n  right_priv:\n    hex: {zeros}\n"),
        &shelf,
    )
    .unwrap();
    assert_eq!(keys.configs()[1].private, [0; 32]);
}

#[test]
fn what_is_no_key_is_refused_with_its_place_and_without_its_text() {
    let shelf = Shelf {
        files: vec![("short", vec![7; 31])],
        ..Shelf::default()
    };
    let slip = format!("{}xyz", &HEX[..61]);
    for (written, words) in [
        ("{hex: 0011}".to_owned(), "64 (or 128) hex digits"),
        (format!("{{hex: {slip}}}"), "64 (or 128) hex digits"),
        ("{b64: AAAA}".to_owned(), "32 (or 64) bytes in base64"),
        ("{path: short}".to_owned(), "the file short holds no key"),
        (
            "{path: absent}".to_owned(),
            "cannot read the key file absent",
        ),
        (
            "absent.key".to_owned(),
            "cannot read the key file absent.key",
        ),
        (slip.clone(), "neither hex nor base64"),
    ] {
        let error = provide(
            &format!("mode: byte\ncrypto:\n  left_priv: {written}\n"),
            &shelf,
        )
        .unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(shown.contains("s.yaml:3: crypto.left_priv"), "{shown}");
            assert!(!shown.contains(&slip), "{shown}");
        }
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(*shelf.opened.borrow(), ["short", "absent", "absent.key"]);
}

#[test]
fn debug_output_holds_no_private_key() {
    let scenario = scenario(&format!("crypto: {{left_priv: {HEX}}}"));
    let keys = provision(&scenario, ["a", "b"], 1, &Shelf::default()).unwrap();
    let [left, _] = keys.configs();
    for shown in [
        format!("{keys:?}"),
        format!("{left:?}"),
        format!("{scenario:?}"),
        format!("{:?}", keys.secrets()),
        keys.pubkeys_txt(),
        scenario.resolved_yaml(),
    ] {
        assert!(
            !shown.contains(&HEX[..16]) && !shown.contains("0, 1, 2, 3, 4"),
            "{shown}"
        );
    }
    assert!(keys.pubkeys_txt().contains(&left.key_id));
}
