"""Ed25519 (RFC 8032) for adapters that sign, with the keys of `cfg["crypto"]`.

Compiled in, so that an adapter needs no other package::

    from drybox.crypto import ed25519_sign, ed25519_verify

    crypto = cfg["crypto"]
    signature = ed25519_sign(crypto["priv"], b"PPv1|SYN|" + nonce)
    ed25519_verify(crypto["peer_pub"], b"PPv1|SYN|" + nonce, their_signature)
"""

from drywire._native import ed25519_public, ed25519_sign, ed25519_verify

__all__ = ["ed25519_public", "ed25519_sign", "ed25519_verify"]
