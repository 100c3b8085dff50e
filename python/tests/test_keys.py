"""Private keys reach the adapters and nothing else."""

from __future__ import annotations

import base64
import pathlib

import drybox
import pytest
from conftest import WriteAdapter, byte_scenario, outputs
from drybox.crypto import ed25519_public, ed25519_sign, ed25519_verify

# RFC 8032, section 7.1, tests 1 to 3.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("private", "public", "message", "signature"), RFC_8032)
def test_ed25519(private: str, public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(private), bytes.fromhex(message), bytes.fromhex(signature)
    assert ed25519_public(key).hex() == public
    assert ed25519_sign(key, text) == signed
    assert ed25519_verify(bytes.fromhex(public), text, signed)
    assert not ed25519_verify(bytes.fromhex(public), text + b"x", signed)
    assert not ed25519_verify(bytes.fromhex(public), text, signed[:-1])
    assert not ed25519_verify(bytes(32), text, signed)
    assert not ed25519_verify(b"", text, signed)
    with pytest.raises(ValueError, match="32 bytes"):
        ed25519_sign(key[:31], text)


LEAKY = """
    import base64

    class Adapter:
        def nade_capabilities(self):
            return {"abi_version": "1.0", "bytelink": True, "audioblock": False}
        def init(self, cfg): self.key = cfg["crypto"]["priv"]
        def start(self, ctx):
            self.ctx = ctx
            key = self.key
            ctx.emit_event("leak", {"raw": key, "text": base64.b64encode(key).decode(),
                                    "list": list(key), "repr": repr(key), key.hex(): 1})
            ctx.emit_event(key.hex().upper(), {})
        def poll_link_tx(self, budget): return [b"head" + self.key, self.key.hex().encode()]
        def on_link_rx(self, sdu): pass
        def stop(self): raise ValueError(self.key.hex())
"""


def test_no_private_key_is_ever_on_disk(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path
) -> None:
    seed = bytes(range(100, 132))
    scenario = byte_scenario(500, crypto={"left_priv": {"hex": seed.hex()}})
    adapter = write_adapter(LEAKY)
    with pytest.raises(drybox.EndpointError):
        drybox.run(scenario, left=adapter, right=adapter, out=tmp_path / "o")
    keys = [seed, _derived_right_key(scenario, adapter)]
    for name, data in outputs(tmp_path / "o").items():
        for key in keys:
            forms = [key, key.hex().encode(), key.hex().upper().encode()]
            # The middle of each alignment: its ends depend on the neighbours.
            forms += [base64.b64encode(b"\0" * n + key)[4:40] for n in range(3)]
            for form in forms:
                assert form not in data, f"{name} holds {form!r}"


def _derived_right_key(scenario: dict[str, object], adapter: str) -> bytes:
    """The right side's key, which follows from seed and specs: as the adapter itself sees it."""
    seen: list[bytes] = []

    class Spy:
        def init(self, cfg: dict[str, object]) -> None:
            crypto = cfg["crypto"]
            assert isinstance(crypto, dict)
            seen.append(crypto["priv"])

        def poll_link_tx(self, budget: int) -> list[bytes]:
            return []

        def on_link_rx(self, sdu: bytes) -> None: ...

    Spy.__qualname__ = "Adapter"
    Spy.__module__ = "elsewhere"
    from drybox import _run

    plan = _run._Plan(scenario, adapter, adapter, None, None)
    plan.adapters = (Spy, Spy)
    plan.run(None, None)
    return seen[1]
