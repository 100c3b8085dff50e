//! Public keys that give an all-zero shared secret, from peers that know the seed.

use snow::{
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::CryptoResolver,
    types::{Cipher, Dh, Hash, Random},
};

use super::{Nodes, nodes};
use crate::{
    noise::{MESSAGE_OVERHEAD, NoiseError, primitives::Primitives},
    secret::Secret,
    testing::unhex,
};

/// The points of order 1, 2, 4 and 8 of the curve and its twist, also in their encodings that are
/// not reduced or have the unused top bit set.
fn low_order_points() -> Vec<[u8; 32]> {
    let hex = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let points: Vec<[u8; 32]> = hex
        .iter()
        .map(|hex| unhex(hex).try_into().unwrap())
        .collect();
    let with_top_bit = points.iter().map(|point| {
        let mut point = *point;
        point[31] |= 0x80;
        point
    });
    points.iter().copied().chain(with_top_bit).collect()
}

#[test]
fn public_keys_of_low_order_are_refused() {
    let nodes = nodes();
    for point in low_order_points() {
        let mut out = [0xa5; 32];
        assert!(nodes.left.agree(&point, &mut out).is_err(), "{point:02x?}");
        assert_eq!(out, [0xa5; 32], "nothing is given out");
    }
}

/// Message 1 of somebody who knows the seed and sends `point` for the ephemeral or the static key.
fn dishonest_message_1(nodes: &Nodes, point: [u8; 32], of: Lie) -> Vec<u8> {
    let name = "Noise_IXpsk0_25519_ChaChaPoly_SHA256".parse().unwrap();
    let ephemeral = Secret::new([2; 32]);
    let liar = Liar {
        honest: Primitives::new(Some(nodes.left.clone()), ephemeral),
        point,
        of,
    };
    let mut state = snow::Builder::with_resolver(name, Box::new(liar))
        .prologue(b"prologue")
        .and_then(|builder| builder.psk(0, nodes.psk.noise()))
        .and_then(|builder| builder.local_private_key(&[]))
        .and_then(snow::Builder::build_initiator)
        .unwrap();
    let mut message = vec![0; MESSAGE_OVERHEAD];
    state.write_message(b"", &mut message).unwrap();
    message
}

#[test]
fn a_session_with_a_public_key_of_low_order_is_refused() {
    let nodes = nodes();
    for point in low_order_points() {
        for of in [Lie::Ephemeral, Lie::Static] {
            let first = dishonest_message_1(&nodes, point, of);
            let (responder, _) = nodes.read(&first).unwrap();
            if of == Lie::Static {
                assert_eq!(responder.peer().unwrap().as_bytes(), &point);
            }
            assert_eq!(
                responder.respond(b"").unwrap_err(),
                NoiseError::WeakKey,
                "{point:02x?}"
            );
        }
        // The other way round, with the honest answer still to come.
        let (mut initiator, first) = nodes.start();
        let mut forged = point.to_vec();
        forged.resize(MESSAGE_OVERHEAD, 0);
        assert_eq!(initiator.finish(&forged).unwrap_err(), NoiseError::WeakKey);
        let (_, second) = nodes.read(&first).unwrap().0.respond(b"").unwrap();
        initiator.finish(&second).unwrap();
    }
}

/// Which key is a lie.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    Ephemeral,
    Static,
}

/// Honest primitives but for one public key.
struct Liar {
    honest: Primitives,
    point: [u8; 32],
    of: Lie,
}

struct LyingDh {
    honest: Box<dyn Dh>,
    point: [u8; 32],
    of: Lie,
    role: Option<Lie>,
}

impl CryptoResolver for Liar {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        self.honest.resolve_rng()
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        let honest = self.honest.resolve_dh(choice)?;
        Some(Box::new(LyingDh {
            honest,
            point: self.point,
            of: self.of,
            role: None,
        }))
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        self.honest.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        self.honest.resolve_cipher(choice)
    }
}

impl Dh for LyingDh {
    fn name(&self) -> &'static str {
        self.honest.name()
    }

    fn pub_len(&self) -> usize {
        self.honest.pub_len()
    }

    fn priv_len(&self) -> usize {
        self.honest.priv_len()
    }

    fn set(&mut self, key: &[u8]) {
        self.role = Some(Lie::Static);
        self.honest.set(key);
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), snow::Error> {
        self.role = Some(Lie::Ephemeral);
        self.honest.generate(rng)
    }

    fn pubkey(&self) -> &[u8] {
        if self.role == Some(self.of) {
            &self.point
        } else {
            self.honest.pubkey()
        }
    }

    fn privkey(&self) -> &[u8] {
        self.honest.privkey()
    }

    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        self.honest.dh(public, out)
    }
}
