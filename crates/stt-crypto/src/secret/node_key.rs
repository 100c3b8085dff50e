//! The static key of a node (`docs/spec/stt-crypto.md`, section 4).

use core::fmt;
use std::sync::Arc;

use aws_lc_rs::{
    agreement::{PrivateKey, UnparsedPublicKey, X25519, agree},
    error::Unspecified,
};

use crate::{
    identity::{NodeId, PublicKey},
    secret::Secret,
};

/// An X25519 key pair. The private half lives in AWS-LC, which wipes it; clones share it.
#[derive(Clone)]
pub struct NodeKey {
    private: Arc<PrivateKey>,
    public: PublicKey,
}

impl NodeKey {
    /// One scalar multiplication: the public key.
    pub(crate) fn new(scalar: &Secret<32>) -> Self {
        let private = PrivateKey::from_private_key(&X25519, scalar.expose())
            .expect("any 32 bytes are an X25519 key");
        let public = private
            .compute_public_key()
            .expect("AWS-LC computed it with the key");
        let public = public
            .as_ref()
            .try_into()
            .expect("X25519 public keys have 32 bytes");
        Self {
            private: Arc::new(private),
            public: PublicKey::new(public),
        }
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// SHA3-256 of the public half.
    pub fn node_id(&self) -> NodeId {
        self.public.node_id()
    }

    /// The shared secret with `peer`; refuses an all-zero one (RFC 7748 §6.1).
    pub(crate) fn agree(&self, peer: &[u8; 32], out: &mut [u8; 32]) -> Result<(), Unspecified> {
        agree(
            &self.private,
            UnparsedPublicKey::new(&X25519, peer),
            Unspecified,
            |shared| {
                out.copy_from_slice(shared.get(..32).ok_or(Unspecified)?);
                Ok(())
            },
        )
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
