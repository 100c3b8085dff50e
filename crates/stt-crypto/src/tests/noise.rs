use super::Case;
use crate::{
    Initiator, Responder, Session,
    secret::{NodeKey, Psk, Secret},
};

/// Both roles write what the other library wrote, read it, and end with its keys.
#[test]
fn handshakes_are_those_of_another_library() {
    let cases = Case::file("noise.json").cases("cases", 12);
    let resumed = cases
        .iter()
        .filter(|case| case.text("pattern") == "NNpsk0")
        .count();
    assert_eq!(resumed, 6);
    for case in cases {
        let psk = Psk::new(Secret::new(case.array("psk")), Secret::new([0; 32]));
        let prologue = case.bytes("prologue");
        let (offer, answer) = (case.bytes("payload1"), case.bytes("payload2"));
        let (first, second) = (case.bytes("message1"), case.bytes("message2"));
        let (e_i, e_r) = (case.array("initiator_e"), case.array("responder_e"));

        let node = |key| NodeKey::new(&Secret::new(case.array(key)));
        let (started, responder) = match case.text("pattern") {
            "IXpsk0" => {
                let (left, right) = (node("initiator_static"), node("responder_static"));
                let read = Responder::read(&psk, &right, &prologue, &first, e_r).unwrap();
                assert_eq!(read.0.peer(), Some(left.public()));
                (
                    Initiator::start(&psk, &left, &prologue, e_i, &offer).unwrap(),
                    read,
                )
            }
            "NNpsk0" => (
                Initiator::resume(&psk, &prologue, e_i, &offer).unwrap(),
                Responder::resume(&psk, &prologue, &first, e_r).unwrap(),
            ),
            pattern => panic!("unknown pattern {pattern}"),
        };
        let (mut initiator, message) = started;
        assert_eq!(message, first);
        let (responder, payload) = responder;
        assert_eq!(payload, offer);
        let (there, message) = responder.respond(&answer).unwrap();
        assert_eq!(message, second);
        let (here, payload) = initiator.finish(&second).unwrap();
        assert_eq!(payload, answer);

        let (k1, k2) = (case.array("k1"), case.array("k2"));
        check(&here, &case, &k1, &k2);
        check(&there, &case, &k2, &k1);
    }
}

fn check(session: &Session, case: &Case, send: &[u8; 32], receive: &[u8; 32]) {
    assert_eq!(session.send.expose(), send);
    assert_eq!(session.receive.expose(), receive);
    assert_eq!(session.exporter.expose(), &case.array("exp"));
    assert_eq!(
        session.exporter.session_key().expose(),
        &case.array("session_key")
    );
    assert_eq!(session.exporter.session_id(), case.array("session_id"));
    assert_eq!(
        session.exporter.resumption_secret().expose(),
        &case.array("resumption")
    );
}
