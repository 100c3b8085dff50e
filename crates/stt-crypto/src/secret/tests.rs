//! No secret shows itself.

use core::fmt::Debug;

use super::*;
use crate::{Aead, Initiator, Responder, Stc, kdf::expand, label};

/// Fails if a run of three bytes of `secret` can be read in what `value` prints.
fn assert_hidden(value: &dyn Debug, secret: &[u8]) {
    for text in [
        format!("{value:?}"),
        format!("{value:#?}"),
        format!("{value:02x?}"),
    ] {
        let compact: String = text.split_whitespace().collect();
        for window in secret.windows(3) {
            let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
            let list = format!("{},{},{}", window[0], window[1], window[2]);
            let hex_list = format!("{:02x},{:02x},{:02x}", window[0], window[1], window[2]);
            for form in [&hex, &list, &hex_list] {
                let shown = compact.to_lowercase().contains(form.as_str());
                assert!(!shown, "{form} of a secret in {text}");
            }
            let raw = core::str::from_utf8(window).is_ok_and(|raw| text.contains(raw));
            assert!(!raw, "{window:02x?} of a secret in {text}");
        }
    }
}

fn bytes(from: u8) -> [u8; 32] {
    core::array::from_fn(|i| from.wrapping_add(i as u8 * 7))
}

#[test]
fn the_search_finds_what_is_shown() {
    for shown in [
        Box::new(bytes(200)) as Box<dyn Debug>,
        Box::new("c8cfd6"),
        Box::new("C8CFD6"),
        Box::new("abc"),
    ] {
        let secret = if format!("{shown:?}") == "\"abc\"" {
            *b"abc"
        } else {
            [200, 207, 214]
        };
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert_hidden(&*shown, &secret);
        }));
        assert!(found.is_err(), "{shown:?}");
    }
}

#[test]
fn no_secret_type_prints_its_bytes() {
    let seed_bytes = bytes(200);
    let seed = Seed::new(&seed_bytes).unwrap();
    assert_hidden(&seed, &seed_bytes);
    assert_hidden(
        &seed,
        crate::kdf::extract(label::ROOT, &seed_bytes).expose(),
    );
    assert_hidden(&Secret::new(seed_bytes), &seed_bytes);
    assert_hidden(&Some(Secret::<12>::new([9; 12])), &[9; 12]);
    assert_hidden(&seed.psk(), seed.psk().noise());
    assert_hidden(&seed.psk(), seed.psk().cookie());
    assert_hidden(
        &seed.node_key(b"n"),
        seed.derive::<32>(label::NODE, &[b"n"]).expose(),
    );
    assert_hidden(
        &seed.reset_key(b"n"),
        seed.derive::<32>(label::RESET, &[b"n"]).expose(),
    );
    assert_hidden(&CookieKey::new(bytes(3)), &bytes(3));
    assert_hidden(&ResetKey::new(bytes(4)), &bytes(4));
    assert_hidden(&SecretBytes::new(bytes(9).to_vec()), &bytes(9));
    let storage = seed.derive::<32>(label::STORAGE, &[]);
    for label in [
        label::STORE_INDEX,
        label::STORE_MANIFEST,
        label::STORE_OBJECT,
    ] {
        assert_hidden(
            &seed.storage_key(),
            expand::<32>(&storage, label, &[]).expose(),
        );
    }
    let object = expand::<32>(&storage, label::STORE_OBJECT, &[]);
    let chunk = expand::<32>(
        &crate::kdf::extract(&[8; 32], object.expose()),
        label::STORE_CHUNKS,
        &[],
    );
    assert_hidden(&seed.storage_key().object_key(&[8; 32]), chunk.expose());
    let chamber = seed.derive::<32>(label::CHAMBER, &[&[7; 32]]);
    for label in [label::CHAMBER_NAME, label::CHAMBER_VALUE] {
        assert_hidden(
            &seed.chamber_key(&[7; 32]),
            expand::<32>(&chamber, label, &[]).expose(),
        );
    }
    let token = ResetKey::new(bytes(4)).token(b"wire");
    assert_hidden(&token, token.expose());

    let traffic = TrafficSecret::new(Secret::new(bytes(5)));
    assert_hidden(&traffic, &bytes(5));
    for aead in Aead::ALL {
        let derived = |label| expand::<32>(&Secret::new(bytes(5)), label, &[&[aead.to_wire()]]);
        assert_hidden(&traffic.packet_key(aead), derived(label::KEY).expose());
        assert_hidden(&traffic.header_key(aead), derived(label::HEADER).expose());
        let iv = expand::<12>(&Secret::new(bytes(5)), label::IV, &[&[aead.to_wire()]]);
        assert_hidden(&traffic.packet_key(aead), iv.expose());
    }

    let exporter = Exporter::new(&[1; 32], &Secret::new([2; 64]));
    let exp = expand::<32>(
        &crate::kdf::extract(&[1; 32], &[2; 64]),
        label::EXPORTER,
        &[],
    );
    assert_hidden(&exporter, exp.expose());

    let stc = Stc::new(&seed_bytes).unwrap();
    for label in [label::HASH, label::FRAME] {
        assert_hidden(&stc, seed.derive::<32>(label, &[]).expose());
        assert_hidden(&stc, seed.derive::<32>(label, &[&[1]]).expose());
    }
    let context = stc.create_stream_context(b"session!", 1).unwrap();
    let segment_key = context.segment_key(&[6; 16]);
    assert_hidden(&context, segment_key.expose());
    assert_hidden(&context.sealer([6; 16]), segment_key.expose());
    assert_hidden(&context.opener(), segment_key.expose());
}

#[test]
fn handshakes_print_no_ephemeral_key() {
    let seed = Seed::new(&bytes(200)).unwrap();
    let (psk, node) = (seed.psk(), seed.node_key(b"n"));
    let (mut initiator, first) = Initiator::start(&psk, &node, b"", bytes(7), b"").unwrap();
    assert_hidden(&initiator, &bytes(7));
    assert_hidden(&initiator, psk.noise());
    let (responder, _) = Responder::read(&psk, &node, b"", &first, bytes(8)).unwrap();
    assert_hidden(&responder, &bytes(8));
    let (there, second) = responder.respond(b"").unwrap();
    let (here, _) = initiator.finish(&second).unwrap();
    for session in [&here, &there] {
        assert_hidden(session, session.exporter.session_key().expose());
    }
}
