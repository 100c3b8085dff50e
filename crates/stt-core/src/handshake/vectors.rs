//! `vectors/stt/handshake.json`, made by another implementation, and the annotated packets of
//! `docs/spec/stt-handshake.md` §17.

use serde_json::Value;
use stt_crypto::{
    NodeId,
    secret::{CookieKey, Secret, Seed},
};

use super::{
    CookiePacket, Credentials, Hello, Icid, Terms, Ticket, Versions, initiator::Attempt,
    responder::Heard, terms::Agreed,
};
use crate::wire::{Params, header};

const SPEC: &str = include_str!("../../../../docs/spec/stt-handshake.md");

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../vectors/stt/handshake.json")).unwrap()
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    let hex = value[key].as_str().unwrap_or_else(|| panic!("no {key}"));
    unhex(hex)
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn array<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    bytes(value, key).try_into().unwrap()
}

fn credentials(vectors: &Value, side: &str) -> Credentials {
    let own = Seed::new(&bytes(vectors, side)).unwrap();
    let shared = Seed::new(&bytes(vectors, "shared_seed")).unwrap();
    Credentials::new(own.node_key(&bytes(vectors, "identity")), shared.psk())
}

/// What brings forth these parameters, be they offer or answer.
fn terms(params: &Params) -> Terms {
    let aeads = params
        .offered_aeads()
        .iter()
        .filter_map(|number| stt_crypto::Aead::from_wire(*number));
    Terms {
        aeads: aeads.collect(),
        limits: params.limits,
    }
}

/// Both ends of a case, all packets compared; `ticket` is the one of the session before.
fn run(vectors: &Value, case: &Value, ticket: Option<(&Ticket, &Ticket)>) -> [Agreed; 2] {
    let alice = credentials(vectors, "initiator_seed");
    let bob = credentials(vectors, "responder_seed");
    let offer = Params::from_bytes(&bytes(case, "offer")).unwrap();
    let answer = Params::from_bytes(&bytes(case, "answer")).unwrap();
    let icid = Icid::new(&bytes(case, "icid")).unwrap();
    let mut attempt = Attempt::start(
        &alice,
        terms(&offer),
        offer.wire_id,
        icid,
        array(case, "initiator_e"),
        ticket.map(|(alices, _)| alices),
    )
    .unwrap();
    let hello_bytes = attempt.hello();
    assert_eq!(hello_bytes, bytes(case, "hello"));

    let hello = Hello::decode(&hello_bytes).unwrap();
    let prologue = Hello::prologue(&icid, hello.ticket);
    assert_eq!(prologue, bytes(case, "prologue"));
    let ephemeral = Secret::new(array(case, "responder_e"));
    let heard = match ticket {
        None => Heard::full(&bob, &hello, &ephemeral),
        Some((_, bobs)) => Heard::resumed(&bob, &hello, &ephemeral, bobs),
    };
    let (response, at_bob) = heard
        .unwrap()
        .answer(&hello, &terms(&answer), answer.wire_id)
        .unwrap();
    assert_eq!(response, bytes(case, "response"));
    let at_alice = attempt.on_response(&alice, &response, |_| true).unwrap();
    [at_alice, at_bob]
}

/// The first sealed packet: sealed by one end, opened by the other.
fn check_first(case: &Value, [at_alice, at_bob]: &[Agreed; 2]) {
    let mut packet = bytes(case, "first");
    let aead = at_bob.aead;
    assert_eq!(u64::from(aead.to_wire()), case["aead"].as_u64().unwrap());
    let (id, number_at) = header::receiver(&packet, at_alice.peer_id.len()).unwrap();
    assert_eq!(id, at_alice.peer_id);
    let sample = *header::sample(&packet, number_at).unwrap();
    let mask = at_bob.session.receive.header_key(aead).mask(&sample);
    let found = header::unprotect(&mut packet, number_at, &mask).unwrap();
    assert_eq!(
        (found.truncated, found.phase, found.reserved_clear),
        (0, false, true)
    );
    let (head, body) = packet.split_at_mut(number_at + found.pn_len);
    let len = at_bob
        .session
        .receive
        .packet_key(aead)
        .open(0, head, body)
        .unwrap();
    assert_eq!(body[..len], [1, 0, 0]);

    let mut key = at_alice.session.send.packet_key(aead);
    key.seal(0, head, body).unwrap();
    let mask = at_alice.session.send.header_key(aead).mask(&sample);
    header::protect(&mut packet, number_at, &mask);
    assert_eq!(packet, bytes(case, "first"));
}

/// A case with all that it agrees on.
fn check(vectors: &Value, case: &Value, tickets: Option<(&Ticket, &Ticket)>) -> [Agreed; 2] {
    let agreed = run(vectors, case, tickets);
    let ids = ["initiator_node_id", "responder_node_id"].map(|id| NodeId::new(array(vectors, id)));
    assert_eq!([agreed[1].peer, agreed[0].peer], ids);
    check_first(case, &agreed);
    for end in &agreed {
        let exporter = &end.session.exporter;
        assert_eq!(*exporter.session_key().expose(), array(case, "session_key"));
        assert_eq!(exporter.session_id(), array(case, "session_id"));
        let confirm = exporter.export(b"stt confirm", b"").unwrap();
        assert_eq!(*confirm.expose(), array(case, "confirm"));
        let ticket = Ticket::of(exporter, end.peer);
        assert_eq!(*ticket.id(), array(case, "next_ticket"));
        assert_eq!(*ticket.secret().expose(), array(case, "next_resumption"));
    }
    agreed
}

#[test]
fn handshakes() {
    let vectors = vectors();
    let [plain, stated, resumed] = &vectors["cases"].as_array().unwrap()[..] else {
        panic!("three cases are known here");
    };
    let agreed = check(&vectors, plain, None);
    check(&vectors, stated, None);
    let [alices, bobs] = agreed.map(|end| Ticket::of(&end.session.exporter, end.peer));
    check(&vectors, resumed, Some((&alices, &bobs)));
}

#[test]
fn cookie_and_versions() {
    let vectors = vectors();
    let (case, cookie) = (&vectors["cases"][0], &vectors["cookie"]);
    let hello_bytes = bytes(case, "hello");
    let hello = Hello::decode(&hello_bytes).unwrap();
    let (e, icid) = (hello.ephemeral().unwrap(), hello.icid);
    let secret = CookieKey::new(array(cookie, "secret"));
    let value = secret.mac(&bytes(cookie, "path"), icid.as_bytes(), e);
    assert_eq!(value, array(cookie, "cookie"));
    let bob = credentials(&vectors, "responder_seed");
    let nonce = array(cookie, "nonce");
    let sealed = bob.psk().seal_cookie(e, &value, &nonce);
    let packet = CookiePacket::encode(&icid, &nonce, [sealed].into_iter());
    assert_eq!(packet, bytes(cookie, "packet"));

    let alice = credentials(&vectors, "initiator_seed");
    let offer = Params::from_bytes(&bytes(case, "offer")).unwrap();
    let scalar = array(case, "initiator_e");
    let mut attempt =
        Attempt::start(&alice, terms(&offer), offer.wire_id, icid, scalar, None).unwrap();
    assert!(attempt.on_cookie(alice.psk(), &packet));
    assert_eq!(attempt.hello(), bytes(cookie, "hello"));
    assert_eq!(Versions::spoken(&icid, true), bytes(&vectors, "versions"));
}

/// The packets that the page explains are those of the first case.
#[test]
fn specification() {
    let vectors = vectors();
    for name in ["hello", "response", "first"] {
        let (_, rest) = SPEC.split_once(&format!("```{name}\n")).unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        let hex: String = block
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(unhex(&hex), bytes(&vectors["cases"][0], name), "{name}");
    }
    for key in [
        "psk",
        "h",
        "k1",
        "k2",
        "exp",
        "session_key",
        "confirm",
        "prologue",
    ] {
        let value = vectors["cases"][0][key].as_str().unwrap();
        assert!(SPEC.contains(value), "{key}");
    }
}
