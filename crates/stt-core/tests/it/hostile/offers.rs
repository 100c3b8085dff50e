//! Transport parameters of a peer that holds the seed (`docs/spec/stt-handshake.md` §4,
//! `stt-wire.md` §7).

use stt_core::{
    endpoint::{EndpointEvent, OpenError},
    handshake::{Refusal, ResponseError},
    testing::peer::{Attempt, Peer, parameters},
};

use super::mallory;
use crate::support::{Node, shared};

/// What Bob makes of a HELLO with these parameters beside the wire id.
fn offered(further: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut bob = Node::new("bob");
    let payload = [&parameters()[..], further].concat();
    let attempt = Attempt::new(&shared(1).psk(), &mallory(), 9, &payload);
    bob.receive("mallory", &attempt.expect("parameters are short").hello);
    match bob.events().pop() {
        Some(EndpointEvent::Refused { refusal, .. }) => {
            assert_eq!((bob.sent(), bob.endpoint.half_open()), (vec![], 0));
            Err(refusal)
        }
        _ => Ok(bob.sent_one()),
    }
}

/// How Bob's attempt ends if the answer has these parameters; `None`: with a session.
fn answered(payload: &[u8]) -> Option<OpenError> {
    let mut bob = Node::new("bob");
    let handle = bob.connect("mallory");
    let hello = bob.sent_one();
    let (psk, key) = (shared(1).psk(), mallory());
    // A payload without a wire id makes no `Peer`, but still an answer.
    let (_, response) = Peer::answer(&psk, &key, 8, &hello, payload).expect("it is a HELLO");
    bob.receive("mallory", &response);
    match bob.events().into_iter().next() {
        Some(EndpointEvent::Failed {
            handle: failed,
            error,
        }) => {
            assert_eq!(failed, handle);
            assert_eq!(bob.endpoint.sessions(), 0);
            Some(error)
        }
        Some(EndpointEvent::Opened { .. }) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_offer_without_an_aead_in_common_is_refused() {
    assert_eq!(offered(&[2, 1, 7]), Err(Refusal::NoCommonAead));
    assert_eq!(offered(&[2, 3, 0, 7, 255]), Err(Refusal::NoCommonAead));
    assert!(offered(&[2, 2, 7, 2]).is_ok(), "the one that is known");
}

#[test]
fn versions_that_nobody_here_speaks_are_no_downgrade() {
    assert!(offered(&[4, 2, 1, 9]).is_ok());
    assert!(offered(&[4, 1, 9]).is_ok());
}

#[test]
fn an_answer_with_an_aead_that_was_not_offered_or_with_two_ends_the_attempt() {
    for chosen in [&[2, 1, 7][..], &[2, 2, 1, 2], &[2, 1, 0]] {
        let error = answered(&[&parameters()[..], chosen].concat());
        assert!(
            matches!(
                error,
                Some(OpenError::Answer(ResponseError::AeadNotOffered))
            ),
            "{error:?}"
        );
    }
    assert_eq!(answered(&[&parameters()[..], &[2, 1, 2]].concat()), None);
}

#[test]
fn parameters_that_break_the_rules_are_refused_at_both_ends() {
    let broken: [&[u8]; 10] = [
        &[1, 4, 1, 2, 3, 4],    // twice
        &[5, 0],                // unknown and critical
        &[3, 1, 0x66, 2, 1, 1], // out of order
        &[2, 0],                // no AEAD
        &[2, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        &[3, 8, 0, 0, 0, 0, 0, 0, 0, 0],             // eight limits
        &[3, 6, 0x66, 0x90, 0x80, 0x24, 0x24, 0x10], // packets of 16 bytes
        &[3, 7, 0x66, 0x90, 0x80, 0x24, 0x24, 0x70, 0x60], // acknowledgements after 2^14 ms
        &[2, 5, 1],                                  // cut short
        &[2],
    ];
    for broken in broken {
        let refused = offered(broken);
        assert!(
            matches!(refused, Err(Refusal::Parameters(_))),
            "{broken:?}: {refused:?}"
        );
        let error = answered(&[&parameters()[..], broken].concat());
        assert!(
            matches!(error, Some(OpenError::Answer(ResponseError::Parameters(_)))),
            "{broken:?}: {error:?}"
        );
    }
    // From 80 on a type that nobody knows is skipped.
    assert!(offered(&[0x80, 2, 1, 1]).is_ok());
    assert_eq!(answered(&[&parameters()[..], &[0xff, 0]].concat()), None);
}

#[test]
fn a_version_or_suite_changed_on_the_way_fails_the_authentication() {
    let attempt = Attempt::new(&shared(1).psk(), &mallory(), 9, &parameters()).unwrap();
    for (at, value) in [(1, 0), (1, 2), (2, 0), (2, 2), (2, 3)] {
        let mut bob = Node::new("bob");
        let mut changed = attempt.hello.clone();
        changed[at] = value;
        bob.receive("mallory", &changed);
        assert_eq!(bob.endpoint.half_open(), 0);
        assert!(bob.sent().iter().all(|(_, answer)| answer[0] == 0x04));
    }
}
