//! The handshake as the users' document has it: three calls and a confirmation
//! (`docs/spec/stt-handshake.md` §5, §15).

use stt_core::handshake::{HandshakeError, Refusal, ResponseError, SttHandshake};

use super::support::{credentials, credentials_with, id_of};

fn handshake(name: &str) -> SttHandshake {
    let mut seed = [1; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SttHandshake::new(credentials(name), seed)
}

#[test]
fn three_calls_give_both_ends_one_key_and_each_other() {
    let (mut alice, mut bob) = (handshake("alice"), handshake("bob"));
    assert_eq!(alice.session_key(), None);
    let hello = alice.initiate_handshake().unwrap();
    let response = bob.handle_hello(&hello).unwrap();
    assert!(hello.len() <= 120 && response.len() <= 120);
    let (key, peer) = alice.handle_response(&response).unwrap();
    assert_eq!(peer, id_of("bob"));
    assert_eq!(bob.session_key(), Some(key));
    assert_eq!(alice.session_id(), bob.session_id());
    assert!(alice.session_id().is_some());
    assert_eq!(
        (alice.peer_node_id(), bob.peer_node_id()),
        (Some(id_of("bob")), None)
    );

    let confirm = alice.confirm().unwrap();
    for bit in 0..8 * confirm.len() {
        let mut forged = confirm;
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            bob.handle_confirm(&forged),
            Err(HandshakeError::NotConfirmed)
        );
    }
    assert_eq!(
        bob.handle_confirm(&confirm[1..]),
        Err(HandshakeError::NotConfirmed)
    );
    assert_eq!(bob.peer_node_id(), None);
    assert_eq!(bob.handle_confirm(&confirm), Ok(id_of("alice")));
    assert_eq!(
        bob.handle_confirm(&confirm),
        Ok(id_of("alice")),
        "a copy changes nothing"
    );
    assert_eq!(bob.peer_node_id(), Some(id_of("alice")));
}

#[test]
fn a_replayed_hello_confirms_nobody() {
    let (mut alice, mut bob) = (handshake("alice"), handshake("bob"));
    let hello = alice.initiate_handshake().unwrap();
    let response = bob.handle_hello(&hello).unwrap();
    alice.handle_response(&response).unwrap();
    let confirm = alice.confirm().unwrap();
    let mut again = handshake("bob again");
    again.handle_hello(&hello).unwrap();
    assert_eq!(
        again.handle_confirm(&confirm),
        Err(HandshakeError::NotConfirmed)
    );
    assert_eq!(again.peer_node_id(), None);
    assert_ne!(again.session_key(), alice.session_key());
}

#[test]
fn wrong_seed_and_wrong_version_are_told_apart() {
    let mut bob = handshake("bob");
    let mut stranger = SttHandshake::new(credentials_with("alice", 2), [3; 32]);
    let hello = stranger.initiate_handshake().unwrap();
    assert_eq!(bob.handle_hello(&hello), Err(Refusal::WrongSeed.into()));
    let mut later = handshake("alice").initiate_handshake().unwrap();
    later[1] = 2;
    let refusal = Refusal::WrongVersion {
        version: 2,
        suite: 1,
    };
    assert_eq!(bob.handle_hello(&later), Err(refusal.into()));
    assert!(matches!(
        bob.handle_hello(b"ST"),
        Err(HandshakeError::Refused(Refusal::Malformed(_)))
    ));
    assert_eq!(bob.session_key(), None);
}

#[test]
fn forged_answers_leave_the_genuine_one_its_chance() {
    let (mut alice, mut bob) = (handshake("alice"), handshake("bob"));
    let hello = alice.initiate_handshake().unwrap();
    let response = bob.handle_hello(&hello).unwrap();
    for byte in 0..response.len() {
        let mut forged = response.clone();
        forged[byte] ^= 0x10;
        assert!(matches!(
            alice.handle_response(&forged),
            Err(HandshakeError::Response(
                ResponseError::Forged(_)
                    | ResponseError::Malformed(_)
                    | ResponseError::OtherAttempt { .. }
            ))
        ));
    }
    assert_eq!(alice.session_key(), None);
    assert!(alice.handle_response(&response).is_ok());
}

#[test]
fn steps_out_of_turn_and_our_own_hello_are_refused() {
    let mut alice = handshake("alice");
    assert_eq!(
        alice.handle_response(&[2; 107]).err(),
        Some(HandshakeError::OutOfTurn)
    );
    assert_eq!(alice.confirm(), Err(HandshakeError::OutOfTurn));
    assert_eq!(
        alice.handle_confirm(&[0; 32]),
        Err(HandshakeError::OutOfTurn)
    );
    let hello = alice.initiate_handshake().unwrap();
    assert_eq!(alice.handle_hello(&hello), Err(HandshakeError::Reflected));
    let mut bob = handshake("bob");
    let response = bob.handle_hello(&hello).unwrap();
    assert_eq!(bob.confirm(), Err(HandshakeError::OutOfTurn));
    assert!(
        alice.handle_response(&response).is_ok(),
        "the refused step changed nothing"
    );
    assert_eq!(
        alice.handle_confirm(&[0; 32]),
        Err(HandshakeError::OutOfTurn)
    );
    assert_eq!(
        alice.handle_response(&response).err(),
        Some(HandshakeError::OutOfTurn)
    );
}
