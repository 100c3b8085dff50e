"""The suite, frames, handshakes and serialization."""

from __future__ import annotations

import array
import json
import math
import pickle
from pathlib import Path
from typing import Any

import drywire
import pytest
import seigr_toolset_transmissions as stt
from seigr_toolset_transmissions import errors
from seigr_toolset_transmissions.crypto import STCWrapper, StreamContext, StreamingContext
from seigr_toolset_transmissions.frame import STTFrame
from seigr_toolset_transmissions.handshake import STTHandshake
from seigr_toolset_transmissions.utils.serialization import deserialize_stt, serialize_stt

VECTORS = Path(__file__).parents[2] / "vectors"
SEED = bytes(range(32))


@pytest.fixture
def stc() -> STCWrapper:
    return STCWrapper(SEED)


def test_names() -> None:
    for name in stt.__all__:
        assert getattr(drywire, name) is getattr(stt, name)
    assert StreamingContext is StreamContext
    starred: dict[str, Any] = {}
    exec("from drywire import *", starred)
    assert set(stt.__all__) <= set(starred)
    assert not hasattr(stt, "missing")
    assert not hasattr(drywire, "missing")


def test_hashes_and_keys(stc: STCWrapper) -> None:
    assert stc.hash_data(b"data") == STCWrapper(SEED).hash_data(b"data")
    assert stc.hash_data(b"data") == stc.hash_data(b"data", None)
    seen = {
        stc.hash_data(b"data"),
        stc.hash_data(b"data", {}),
        stc.hash_data(b"data", {"a": 1}),
        stc.hash_data(b"datb"),
        STCWrapper(bytes(32)).hash_data(b"data"),
        stc.generate_node_id(b"data"),
        stc.generate_node_id(b""),
        stc.derive_session_key({"a": 1}),
        stc.derive_session_key({"a": 2}),
        stc.rotate_session_key(bytes(32), b"nonce"),
        STCWrapper(bytes(32)).rotate_session_key(bytes(32), b"other"),
    }
    assert len(seen) == 11
    assert all(type(value) is bytes and len(value) == 32 for value in seen)
    order = stc.derive_session_key({"a": 1, "b": [2, b"3"]})
    assert order == stc.derive_session_key({"b": (2, bytearray(b"3")), "a": 1})
    with pytest.raises(errors.STTCryptoError, match="current_key has 31 bytes"):
        stc.rotate_session_key(bytes(31), b"")


def test_seeds() -> None:
    with pytest.warns(errors.STTSeedWarning, match="seed has fewer than 32 bytes"):
        short = STCWrapper(b"short")
    assert short.is_short_seed
    assert not STCWrapper(SEED).is_short_seed
    with pytest.raises(errors.STTCryptoError, match="empty"):
        STCWrapper(b"")
    assert SEED.hex() not in repr(STCWrapper(SEED))


def test_frames_of_the_wrapper(stc: STCWrapper) -> None:
    bound = {"session": b"12345678", "stream": 3}
    for payload in (b"", b"payload", bytes(100_000)):
        sealed, metadata = stc.encrypt_frame(payload, bound)
        assert len(sealed) == len(payload) + 16
        assert metadata == {"suite": 1, "nonce": metadata["nonce"]}
        assert stc.decrypt_frame(sealed, metadata, dict(reversed(bound.items()))) == payload
    for change in (
        (sealed[:-1] + b"\0", metadata, bound),
        (sealed, metadata, {**bound, "stream": 4}),
        (sealed, {**metadata, "nonce": bytes(24)}, bound),
        (sealed, {**metadata, "suite": 2}, bound),
        (sealed, {"nonce": bytes(24)}, bound),
        (sealed[:15], metadata, bound),
    ):
        with pytest.raises(errors.STTCryptoError):
            stc.decrypt_frame(*change)
    with pytest.raises(errors.STTCryptoError):
        STCWrapper(bytes(32)).decrypt_frame(sealed, metadata, bound)


def test_any_bytes_like(stc: STCWrapper) -> None:
    expected = stc.hash_data(b"abcd")
    two = memoryview(b"a-b-c-d-")[::2]
    for data in (bytearray(b"abcd"), memoryview(b"abcd"), array.array("B", b"abcd"), two):
        assert stc.hash_data(data) == expected


def frame(**more: Any) -> STTFrame:
    return STTFrame(**{"frame_type": 0x80, "session_id": b"12345678", "stream_id": 7, **more})


def test_standalone_frames(stc: STCWrapper) -> None:
    one = frame(sequence=2**64 - 1, flags=255, payload=b"payload", timestamp_ms=9)
    data = one.to_bytes()
    read = STTFrame.from_bytes(data + b"what follows")
    assert read == one
    assert STTFrame.read_from(data + b"what follows") == (one, len(data))
    fields = (read.frame_type, read.session_id, read.stream_id, read.sequence, read.flags)
    assert fields == (0x80, b"12345678", 7, 2**64 - 1, 255)
    assert (read.payload, read.timestamp_ms, read.metadata) == (b"payload", 9, b"")
    assert frame(sequence=0).timestamp_ms > 1_700_000_000_000
    assert frame(sequence=0).payload == b""
    assert "type=0x80" in repr(one)

    with pytest.raises(errors.STTCryptoError, match="not sealed"):
        STTFrame.from_bytes(data, decrypt=True, stc_wrapper=stc)
    with pytest.raises(errors.STTCryptoError):
        one.decrypt_payload(stc)
    one.encrypt_payload(stc)
    assert one.is_encrypted
    assert len(one.payload) == len(b"payload") + 16
    assert one.decrypt_payload(stc) == b"payload"
    assert one.is_encrypted
    with pytest.raises(errors.STTFrameError, match="already"):
        one.encrypt_payload(stc)
    sealed = one.to_bytes()
    opened = STTFrame.from_bytes(sealed, decrypt=True, stc_wrapper=stc)
    assert (opened.payload, opened.is_encrypted) == (b"payload", False)
    assert STTFrame.from_bytes(sealed) == one
    with pytest.raises(errors.STTFrameError, match="stc_wrapper"):
        STTFrame.from_bytes(sealed, decrypt=True)
    one.sequence -= 1
    with pytest.raises(errors.STTCryptoError):
        one.decrypt_payload(stc)


def test_frames_that_are_none() -> None:
    data = frame(sequence=1, payload=b"payload").to_bytes()
    for length in range(len(data)):
        with pytest.raises(errors.STTIncompleteFrameError):
            STTFrame.from_bytes(data[:length])
    with pytest.raises(errors.STTFrameError, match="53 54"):
        STTFrame.from_bytes(b"XY" + data[2:])
    for field, value in (
        ("frame_type", 0),
        ("frame_type", 256),
        ("frame_type", -1),
        ("stream_id", 2**32),
        ("sequence", 2**64),
        ("flags", 256),
        ("session_id", b"1234567"),
        ("timestamp_ms", -1),
    ):
        with pytest.raises(errors.STTFrameError, match=field):
            frame(**{"sequence": 0, field: value})
        with pytest.raises(errors.STTFrameError, match=field):
            setattr(frame(sequence=0), field, value)
    with pytest.raises(errors.STTFrameError):
        frame(sequence=0, payload=bytes(2**20 + 1))


class Mine(STTFrame):
    """A frame of a user's own class."""


def test_frames_can_be_derived() -> None:
    one = Mine(0x81, b"12345678", 1, 2, payload=b"p")
    read = Mine.from_bytes(one.to_bytes())
    assert type(read) is Mine
    assert (read.payload, read.timestamp_ms) == (b"p", one.timestamp_ms)


def handshakes(
    alice_seed: bytes = SEED, bob_seed: bytes = SEED
) -> tuple[STTHandshake, STTHandshake]:
    wrappers = STCWrapper(bytes(32)), STCWrapper(bytes([1]) * 32)
    ids = [stc.generate_node_id(b"node") for stc in wrappers]
    return (
        STTHandshake(wrappers[0], alice_seed, ids[0]),
        STTHandshake(wrappers[1], bob_seed, ids[1]),
    )


def test_handshake() -> None:
    alice, bob = handshakes()
    assert alice.get_session_key() is None
    hello = alice.initiate_handshake()
    response = bob.handle_hello(hello)
    assert max(len(hello), len(response)) <= 120
    key, peer = alice.handle_response(response)
    assert key == alice.get_session_key() == bob.get_session_key()
    assert len(key) == 32
    assert peer == bob.node_id == alice.peer_node_id
    assert alice.session_id == bob.session_id
    assert bob.peer_node_id is None
    assert bob.handle_confirm(alice.confirm()) == alice.node_id == bob.peer_node_id


def test_handshakes_that_fail() -> None:
    def kind(work: Any, *arguments: Any) -> str:
        with pytest.raises(errors.STTHandshakeError) as caught:
            work(*arguments)
        return caught.value.kind

    alice, bob = handshakes(bob_seed=bytes(32))
    hello = alice.initiate_handshake()
    assert kind(bob.handle_hello, hello) == "wrong_seed"
    alice, bob = handshakes()
    hello = alice.initiate_handshake()
    assert kind(alice.handle_hello, hello) == "reflected"
    assert kind(bob.handle_hello, hello[:1] + b"\x07" + hello[2:]) == "wrong_version"
    assert kind(bob.handle_hello, b"") == "malformed"
    assert kind(bob.handle_response, b"") == "out_of_turn"
    assert kind(alice.confirm) == "out_of_turn"
    response = bob.handle_hello(hello)
    forged = response[:-1] + bytes([response[-1] ^ 1])
    assert kind(alice.handle_response, forged) == "forged"
    alice.handle_response(response)
    assert kind(bob.handle_confirm, bytes(32)) == "not_confirmed"
    assert bob.peer_node_id is None


def test_a_node_id_is_proven() -> None:
    stc = STCWrapper(SEED)
    node_id = stc.generate_node_id(b"me")
    again = STCWrapper(SEED)
    with pytest.raises(errors.STTHandshakeError, match="generate_node_id"):
        STTHandshake(again, SEED, node_id)
    with pytest.raises(errors.STTHandshakeError):
        STTHandshake(again, SEED, node_id, identity=b"you")
    assert STTHandshake(again, SEED, node_id, identity=b"me").node_id == node_id
    with pytest.raises(errors.STTHandshakeError, match="node_id has 3 bytes"):
        STTHandshake(stc, SEED, b"abc")


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
    0.0,
    -1.5,
    math.inf,
    "",
    "text with é",
    b"",
    b"bytes",
    [],
    [1, [2, [b"3"]]],
    {},
    {"key": "value", "num": 42, "é": None, "nested": {"list": [1.5, False]}},
]


@pytest.mark.parametrize("value", VALUES)
def test_values(value: Any) -> None:
    data = serialize_stt(value)
    back = deserialize_stt(data)
    assert back == value
    assert type(back) is type(value)
    for length in range(len(data)):
        with pytest.raises(errors.STTSerializationError):
            deserialize_stt(data[:length])
    with pytest.raises(errors.STTSerializationError):
        deserialize_stt(data + b"\0")


def test_values_are_canonical() -> None:
    assert serialize_stt({"b": 1, "a": 2}) == serialize_stt({"a": 2, "b": 1})
    assert serialize_stt((1, 2)) == serialize_stt([1, 2])
    assert serialize_stt(bytearray(b"x")) == serialize_stt(b"x")

    class Index:
        def __index__(self) -> int:
            return 42

    assert serialize_stt(Index()) == serialize_stt(42)
    nan = deserialize_stt(serialize_stt(math.nan))
    assert math.isnan(nan)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_values_that_are_none() -> None:
    serialize_stt(nested(64))
    endless: list[Any] = []
    endless.append(endless)
    for value in (nested(65), endless, 2**64, -(2**63) - 1, "\ud800", {"\ud800": 1}):
        with pytest.raises(errors.STTSerializationError):
            serialize_stt(value)
    with pytest.raises(TypeError, match=r"data\[\"a\"\]\[1\]: a 'set'"):
        serialize_stt({"a": [0, {1}]})
    with pytest.raises(TypeError, match="a key is a 'int'"):
        serialize_stt({1: 2})
    with pytest.raises(TypeError, match="context"):
        STCWrapper(SEED).hash_data(b"", {"a": object()})


def cases(name: str) -> list[dict[str, Any]]:
    file = json.loads((VECTORS / "stt" / f"{name}.json").read_text(encoding="utf-8"))
    assert len(file["cases"]) == file["count"] > 0
    found: list[dict[str, Any]] = file["cases"]
    return found


def test_values_against_the_vectors() -> None:
    for case in cases("values"):
        value = deserialize_stt(bytes.fromhex(case["wire"]))
        if isinstance(case["value"], (str, bool, type(None))) and not isinstance(
            value, (int, float)
        ):
            assert value in (case["value"], bytes.fromhex(case["wire"])[5:]), case
        # Compared as text: a NaN equals nothing.
        assert repr(deserialize_stt(serialize_stt(value))) == repr(value), case
    for case in cases("value_errors"):
        with pytest.raises(errors.STTSerializationError, match=f"at byte {case['offset']}$"):
            deserialize_stt(bytes.fromhex(case["wire"]))


def test_frames_against_the_vectors() -> None:
    for case in cases("sttframes"):
        wire = bytes.fromhex(case["wire"])
        if "error" in case:
            with pytest.raises(errors.STTFrameError):
                STTFrame.read_from(wire)
            continue
        read, used = STTFrame.read_from(wire)
        assert used == case["used"], case
        assert read.frame_type == case["frame_type"], case
        assert read.sequence == int(case["sequence"]), case
        assert read.payload.hex() == case["payload"], case
        assert read.metadata.hex() == case["metadata"], case
        assert read.to_bytes() == wire[:used], case


@pytest.mark.filterwarnings("ignore::seigr_toolset_transmissions.errors.STTSeedWarning")
def test_keys_against_the_vectors() -> None:
    file = json.loads((VECTORS / "stc" / "kdf.json").read_text(encoding="utf-8"))
    assert file["seeds"]
    for case in file["seeds"]:
        stc = STCWrapper(bytes.fromhex(case["seed"]))
        assert stc.is_short_seed == case["short"]
        identity = bytes.fromhex(case["identity"])
        assert stc.generate_node_id(identity).hex() == case["node_id"]
        key, nonce = bytes.fromhex(case["session_key"]), bytes.fromhex(case["rotation_nonce"])
        assert stc.rotate_session_key(key, nonce).hex() == case["rotated_key"]


def test_errors_cross_processes() -> None:
    for error in (
        errors.STTHandshakeError("text", "wrong_seed"),
        errors.STTNotFoundError("text"),
        errors.STTTimeoutError("text"),
        errors.STTClosedError("text"),
        errors.STTClosedError("text", "stopped", 7),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy)) == (type(error), "text")
        assert copy.kind == error.kind
        assert getattr(copy, "code", None) == getattr(error, "code", None)
        assert isinstance(error, errors.STTException)
    assert issubclass(errors.STTTimeoutError, TimeoutError)
    assert issubclass(errors.STTNotFoundError, KeyError)
    group = errors.STTHandlerError("text", (ValueError("one"),))
    assert str(pickle.loads(pickle.dumps(group)).errors[0]) == "one"
