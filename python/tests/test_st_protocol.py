"""The Python face of st-protocol, against the vectors in vectors/st-protocol."""

from __future__ import annotations

import array
import doctest
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import st_protocol
from st_protocol import (
    Address,
    AddressError,
    DecodeError,
    Decoder,
    EncodeError,
    FieldError,
    FieldReader,
    Frame,
    Skipped,
    Verb,
    lbytes,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "st-protocol"


def cases(name: str) -> list[dict[str, Any]]:
    file = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert len(file["cases"]) == file["count"] > 0
    found: list[dict[str, Any]] = file["cases"]
    return found


def test_frames() -> None:
    for case in cases("frames"):
        wire = bytes.fromhex(case["wire"])
        frame = Frame(case["verb"], bytes.fromhex(case["payload"]))
        assert frame.encode() == wire, case
        assert Frame.decode(wire) == frame, case
        if "call" in case:
            name, *arguments = case["call"]
            if name == "audio":
                arguments = [bytes.fromhex(arguments[0])]
            assert getattr(Frame, name)(*arguments) == frame, case


def test_errors() -> None:
    for case in cases("errors"):
        with pytest.raises(DecodeError) as caught:
            Frame.decode(bytes.fromhex(case["wire"]))
        assert caught.value.kind == case["kind"], case
        assert caught.value.needs_more == (case["kind"] in ("incomplete", "truncated_escape"))
        assert str(caught.value)


def test_streams_for_every_cut() -> None:
    for case in cases("streams"):
        stream = bytes.fromhex(case["stream"])
        expected = [bytes.fromhex(frame) for frame in case["frames"]]
        for cut in range(len(stream) + 1):
            decoder, frames, end = Decoder(), list[Frame](), "ok"
            try:
                for piece in (stream[:cut], stream[cut:]):
                    frames += decoder.push(piece)
                decoder.finish()
            except DecodeError as error:
                frames += error.frames
                end = error.kind
            assert ([frame.encode() for frame in frames], end) == (expected, case["end"]), (
                case,
                cut,
            )
            if "resync" in case:
                decoder = Decoder(resync=True)
                found = [
                    frame.encode()
                    for piece in (stream[:cut], stream[cut:])
                    for frame in decoder.push(piece)
                ]
                assert found == [bytes.fromhex(frame) for frame in case["resync"]["frames"]]
                assert [[s.start, s.length] for s in decoder.skipped] == case["resync"]["skipped"]


def test_an_error_stays() -> None:
    decoder = Decoder()
    for _ in range(2):
        with pytest.raises(DecodeError, match="unknown verb"):
            decoder.push(b"\x40")
    decoder = Decoder(resync=True, max_payload=3)
    assert decoder.push(b"\x01abcd\x00\x05\x00") == [Frame.ping()]
    assert decoder.skipped == [Skipped(0, 6, "payload_too_long")]


def test_addresses() -> None:
    for case in cases("addresses"):
        wire = bytes.fromhex(case["wire"])
        if "error" in case:
            with pytest.raises(AddressError) as caught:
                Address.decode(wire)
            assert caught.value.needs_more == (case["error"] == "incomplete")
        else:
            address = Address(case["address"], case.get("index"), case.get("text"))
            assert Address.decode(wire + b"more") == (address, len(wire))
            assert address.encode() == wire
    with pytest.raises(AddressError):
        Address.cached(0)
    for text in ("", "a\n", "x" * 127):
        with pytest.raises(AddressError):
            Address.inline(text)


def test_fields() -> None:
    fields = Frame.search_path("/src", "größe", 50).payload.fields()
    assert (fields.lstr(), fields.lstr(), fields.u8()) == ("/src", "größe", 50)
    fields.finish()
    for wrong in (b"", b"\x7f", b"\x82a", b"\xff\x01\x00a", b"\x81\xff"):
        fields = st_protocol.FieldReader(wrong)
        with pytest.raises(FieldError):
            fields.lstr()
        assert fields.remaining == len(wrong)


def test_verbs() -> None:
    assert [int(verb) for verb in Verb] == [byte for byte in range(1, 0x20) if byte != 0x1B]
    assert (Verb.SCAN.mnemonic, Verb.FORGET.level, Verb.RECALL.remote_level) == ("SOH", 2, 1)


def test_limits() -> None:
    assert Frame.decode(Frame.audio(bytes(65_535)).encode()).payload == bytes(65_535)
    with pytest.raises(EncodeError):
        Frame.audio(bytes(65_536))
    with pytest.raises(EncodeError):
        Frame(0x1B)
    with pytest.raises(EncodeError):
        Frame.scan("/", 256)
    assert Frame.audio(b"\xff").payload.as_str() is None


def test_the_front_page() -> None:
    assert doctest.testmod(st_protocol).failed == 0


def test_what_is_no_buffer_is_refused_and_buffers_count_in_bytes() -> None:
    words = memoryview(array.array("I", [1] * 65_535))
    with pytest.raises(EncodeError, match="262140 bytes"):
        Frame(Verb.AUDIO, words)  # type: ignore[arg-type]
    assert lbytes(words[:2])[0] == 0x88  # type: ignore[arg-type]
    assert Frame(Verb.AUDIO, memoryview(b"abcdef")[::2]).payload == b"ace"  # type: ignore[arg-type]
    # A number is no buffer of so many zeros.
    builders: tuple[Any, ...] = (lambda size: Frame(Verb.AUDIO, size), FieldReader, lbytes)
    for build in builders:
        with pytest.raises(TypeError):
            build(10**12)


def test_a_verb_of_another_type_is_no_verb() -> None:
    for verb in ("PING", None, 27, 300):
        with pytest.raises(EncodeError, match="is no verb"):
            Frame(verb)  # type: ignore[arg-type]


def test_an_index_belongs_to_cached_hosts_and_has_bounds() -> None:
    for kind, index in (
        ("cached", 0),
        ("cached", 128),
        ("cached", 300),
        ("cached", -1),
        ("local", 0),
    ):
        with pytest.raises(AddressError):
            Address(kind, index)
    for index in (5, 200):
        with pytest.raises(AddressError):
            Address("local", index)


def test_moods_are_scaled_in_single_precision() -> None:
    # In double precision -0.6 would come out as 51, in single as 50: what the Rust crate writes.
    assert Frame.audio_simple("", -0.6, 0.0).payload == b"\x80\x32\x00"
    extremes = [
        Frame.audio_simple("", x, x).payload[1:] for x in (1e300, -1e300, math.inf, math.nan)
    ]
    assert extremes == [b"\xff\xff", b"\x00\x00", b"\xff\xff", b"\x00\x00"]


def test_a_hostile_stream_does_not_fill_the_list_of_what_was_skipped() -> None:
    decoder = Decoder(resync=True)
    for _ in range(2):
        # A zero in a verb's place, again and again: each is a stretch of its own.
        assert decoder.push(bytes(1_000)) == []
    assert (decoder.skipped_count, decoder.skipped_bytes) == (2_000, 2_000)
    assert decoder.skipped == [Skipped(at, 1, "missing_verb") for at in range(1_936, 2_000)]
    assert len(decoder.skipped) == Decoder.KEPT
    # What is asked for one by one is the same.
    single = Decoder(resync=True)
    for _ in range(100):
        single.push(b"\0")
    assert [s.start for s in single.skipped] == list(range(36, 100))


WEIRD: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    10**5_000,
    1.5,
    math.nan,
    "",
    "\ud800",
    "\0\n",
    b"\x1b",
    bytearray(b"\x05\x00"),
    memoryview(array.array("I", [1, 2])),
    memoryview(b"abcdef")[::2],
    array.array("d", [1.0]),
    [],
    {},
    object(),
    Verb.PING,
    Frame.ping(),
    int,
)


def push(data: Any) -> list[Frame]:
    return Decoder().push(data)


def limited(max_payload: Any) -> list[Frame]:
    return Decoder(max_payload=max_payload).push(b"\x01abc\0")


@pytest.mark.parametrize(
    ("call", "count"),
    [
        (Frame, 1),
        (Frame, 2),
        (Frame.decode, 1),
        (Frame.search, 1),
        (Frame.format, 1),
        (Frame.forget, 1),
        (Frame.error, 1),
        (Frame.audio, 1),
        (Frame.scan, 2),
        (Frame.recall, 2),
        (Frame.search_path, 3),
        (Frame.format_path, 3),
        (Frame.remember, 3),
        (Frame.audio_simple, 3),
        (lbytes, 1),
        (st_protocol.lstr, 1),
        (FieldReader, 1),
        (Address, 1),
        (Address, 3),
        (Address.cached, 1),
        (Address.inline, 1),
        (Address.decode, 1),
        (push, 1),
        (limited, 1),
    ],
)
def test_whatever_is_given_is_taken_or_refused_by_type_or_value(call: Any, count: int) -> None:
    good: tuple[Any, ...] = ("x", 3, b"x", "cached")
    for arguments in itertools.product(WEIRD + good, repeat=count):
        message = ""
        try:
            call(*arguments)
        except (TypeError, st_protocol.StProtocolError) as error:
            message = str(error)
        assert len(message) < 300
