"""What the compiled module offers to the packages of this distribution. Not public API."""

__version__: str

def ed25519_public(private: bytes, /) -> bytes:
    """The 32-byte public key of a 32-byte private seed.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_sign(private: bytes, message: bytes, /) -> bytes:
    """Sign `message` with a 32-byte private seed: 64 bytes, the same for the same arguments.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_verify(public: bytes, message: bytes, signature: bytes, /) -> bool:
    """Whether `signature` is `public`'s over `message`, by the strict rules.

    Wrong lengths are a plain `False`, as bytes off a link are.
    """
