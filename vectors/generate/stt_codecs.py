"""STT's codecs a second time, after their specification, to make their files in vectors/stt/.

    python vectors/generate/stt_codecs.py            writes the files
    python vectors/generate/stt_codecs.py --check    compares them with what is there
    python vectors/generate/stt_codecs.py --corpus   writes the fuzz targets' seeds as well

After docs/spec/stt-wire.md, stt-value.md and stt-frame.md; with Python's standard library only.
"""

import argparse
import json
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "vectors" / "stt"
CORPUS = ROOT / "fuzz" / "corpus"
MAX = 2**62 - 1


def leb(number):
    """A varint (stt-wire §2)."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Cases:
    """The cases of a file; each is a seed of a fuzz target, too."""

    def __init__(self, fuzz, about, spec):
        self.fuzz = fuzz
        self.about = about
        self.spec = spec
        self.cases = []
        self.seeds = {}

    def add(self, name, wire, **fields):
        """One case with the bytes it is about."""
        self.cases.append({"name": name, "wire": wire.hex(), **fields})
        self.seeds[name.replace(" ", "_")] = wire

    def text(self):
        """The file."""
        content = {
            "about": self.about,
            "spec": self.spec,
            "count": len(self.cases),
            "cases": self.cases,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def varints():
    """Integers of every length, and bytes that are none."""
    out = Cases(
        "varint",
        "Variable-length integers: read and written, or why not. `in_frames`: whether a frame's "
        "field may hold it.",
        "docs/spec/stt-wire.md §2",
    )
    for bits in (0, 1, 7, 14, 21, 28, 35, 42, 49, 56, 62, 63, 64):
        for number in (2**bits - 1, 2**bits):
            if number < 2**64:
                fields = {"number": str(number), "in_frames": number <= MAX}
                out.add(str(number), leb(number), **fields)
    out.add("300", leb(300), number="300", in_frames=True)
    for name, wire, error in (
        ("nothing", "", "truncated"),
        ("cut after one", "80", "truncated"),
        ("cut after three", "ffffff", "truncated"),
        ("zero in two", "8000", "not_minimal"),
        ("127 in three", "ff8000", "not_minimal"),
        ("zero in ten", "80" * 9 + "00", "not_minimal"),
        ("over 64 bits", "80" * 9 + "02", "too_large"),
        ("ten times ff", "ff" * 10, "too_large"),
        ("eleven bytes", "80" * 11, "too_large"),
    ):
        out.add(name, bytes.fromhex(wire), error=error)
    return out


TOKEN = bytes(range(0x70, 0x80))


def frames():
    """Opened packets."""
    out = Cases(
        "frames",
        "Opened packets: their frames, or the error that ends the session. `canonical`: whether "
        "writing the frames gives the same bytes. Numbers that may be large are text.",
        "docs/spec/stt-wire.md §5",
    )

    def good(name, wire, *frames, canonical=True):
        listed = [{"type": kind, **fields} for kind, fields in frames]
        out.add(name, wire, frames=listed, canonical=canonical)

    def ack(delay_us, *ranges, **fields):
        listed = [[str(first), str(last)] for first, last in ranges]
        return "ACK", {"delay_us": delay_us, "ranges": listed, **fields}

    def stream(number, offset, fin, data):
        fields = {"stream": str(number), "offset": str(offset), "fin": fin, "data": data.hex()}
        return "STREAM", fields

    good("padding", b"\0\0\0", ("PADDING", {"run": 3}))
    good("ping", b"\1", ("PING", {}))
    good("ack of one", bytes.fromhex("0205000000"), ack(0, (5, 5)))
    good(
        "ack with ecn",
        bytes.fromhex("0364ac020204010200000700") + leb(128),
        ack(2400, (96, 100), (91, 93), (89, 89), ecn=[7, 0, 128]),
    )
    # Ranges of 11, 100 and 1; 1 and 301 missing between them.
    gaps = [leb(number) for number in (5000, 1000, 2, 10, 0, 99, 300, 0)]
    good(
        "ack with long gaps",
        b"\x02" + b"".join(gaps),
        ack(8000, (4990, 5000), (4889, 4988), (4587, 4587)),
    )
    good("ack down to zero", bytes.fromhex("02040001010001"), ack(0, (3, 4), (0, 1)))
    good("ack of all there are", b"\x02" + leb(MAX) + b"\0\0" + leb(MAX), ack(0, (0, MAX)))
    most = leb(16383) + b"\0" + leb(127) + b"\0" + b"\0\0" * 127
    ranges = [(16383 - 2 * index, 16383 - 2 * index) for index in range(128)]
    good("ack of 128 ranges", b"\x02" + most, ack(0, *ranges))
    reset = {"stream": "4", "code": "7", "final_size": "300"}
    good("reset", bytes.fromhex("040407ac02"), ("RESET", reset))
    good("stop", bytes.fromhex("050407"), ("STOP", {"stream": "4", "code": "7"}))
    good("stream", b"\x0a\x04\x02hi", stream(4, 0, False, b"hi"))
    good("stream end without data", bytes.fromhex("0f04800100"), stream(4, 128, True, b""))
    good("stream to the end", b"\x0d\4\1abc", stream(4, 1, True, b"abc"), canonical=False)
    good("stream with zero offset", b"\x0e\4\0\1x", stream(4, 0, False, b"x"), canonical=False)
    last = leb(MAX) + leb(MAX - 1)
    good("stream with the last offset", b"\x0e" + last + b"\1x", stream(MAX, MAX - 1, False, b"x"))
    good("max data", b"\x10" + leb(2**20), ("MAX_DATA", {"max": str(2**20)}))
    credit = {"stream": "4", "max": str(2**18)}
    good("max stream data", b"\x11\4" + leb(2**18), ("MAX_STREAM_DATA", credit))
    good(
        "max streams",
        b"\x12\x60\x13" + leb(2**60),
        ("MAX_STREAMS", {"dir": "bi", "max": "96"}),
        ("MAX_STREAMS", {"dir": "uni", "max": str(2**60)}),
    )
    new = {"sequence": "2", "retire_prior_to": "1", "id": "cafe", "token": TOKEN.hex()}
    good("new id", b"\x18\2\1\2\xca\xfe" + TOKEN, ("NEW_ID", new))
    long = bytes(range(8))
    new = {"sequence": "300", "retire_prior_to": "300", "id": long.hex(), "token": TOKEN.hex()}
    wire = b"\x18" + leb(300) + leb(300) + b"\x08" + long + TOKEN
    good("new id of eight bytes", wire, ("NEW_ID", new))
    good("retire id", b"\x19\1", ("RETIRE_ID", {"sequence": "1"}))
    good(
        "path challenge and response",
        b"\x1a12345678\x1b87654321",
        ("PATH_CHALLENGE", {"data": b"12345678".hex()}),
        ("PATH_RESPONSE", {"data": b"87654321".hex()}),
    )
    close = {"application": False, "code": "3", "reason": b"no".hex()}
    good("close", b"\x1c\3\2no", ("CLOSE", close))
    close = {"application": True, "code": "0", "reason": ""}
    good("close by the application", b"\x1d\0\0", ("CLOSE", close))
    good("datagram", b"\x31\1U", ("DATAGRAM", {"data": "55"}))
    good("datagram to the end", b"\x30\7\7", ("DATAGRAM", {"data": "0707"}), canonical=False)
    good(
        "a packet",
        b"\2\5\0\0\0" + b"\x10\x80\1" + b"\x0a\0\3abc" + b"\0\0",
        ack(0, (5, 5)),
        ("MAX_DATA", {"max": "128"}),
        stream(0, 0, False, b"abc"),
        ("PADDING", {"run": 2}),
    )

    over = b"\x02" + leb(16383) + b"\0" + leb(128) + b"\0" + b"\0\0" * 128
    for name, wire, error in (
        ("unknown type", b"\x07", "unknown"),
        ("field cut", b"\x10", "truncated_integer"),
        ("field not minimal", b"\x10\x80\0", "not_minimal"),
        ("field over the most", b"\x10" + leb(MAX + 1), "too_large"),
        ("stream over the most", b"\x0e\4" + leb(MAX) + b"\1x", "stream_too_long"),
        ("stream cut", b"\x0a\4\2x", "truncated"),
        ("datagram cut", b"\x31" + leb(MAX), "truncated"),
        ("too many streams", b"\x12" + leb(2**60 + 1), "too_many_streams"),
        ("new id retires itself", b"\x18\0\1\1\0" + TOKEN, "retires_itself"),
        ("new id without an id", b"\x18\0\0\0" + TOKEN, "id_length"),
        ("new id too long", b"\x18\0\0\x09" + bytes(9) + TOKEN, "id_length"),
        ("new id cut", b"\x18\0\0\1\0" + TOKEN[:15], "truncated"),
        ("challenge cut", b"\x1a1234567", "truncated"),
        ("close cut", b"\x1c\0\1", "truncated"),
        ("first range below zero", bytes.fromhex("0204000005"), "range_below_zero"),
        ("further range below zero", bytes.fromhex("02040001000201"), "range_below_zero"),
        ("ack of 129 ranges", over, "too_many_ranges"),
    ):
        out.add(name, wire, error=error, frame=wire[0], offset=0)
    out.add("crypto is reserved", b"\1\6\0", error="reserved", frame=6, offset=1)
    out.add("unknown after padding", b"\0\0\xff", error="unknown", frame=255, offset=2)
    return out


def headers():
    """Headers of sealed packets."""
    out = Cases(
        "header",
        "Headers of sealed packets: as sealed, which is the associated data, and as sent. `wire` "
        "is what the fuzz target reads: length of the id, mask, packet.",
        "docs/spec/stt-wire.md §3",
    )
    for phase, wire_id, number, length, mask in (
        (True, "aabb", 0x12345, 2, "ff01020304"),
        (False, "01", 0, 1, "0000000000"),
        (False, "0102030405060708", MAX, 4, "ffffffffff"),
        (True, "61626364", 0xFEDCBA, 3, "1e6977c2d1"),
        (True, "000000", 0x7F, 1, "e0ffffffff"),
    ):
        wire_id, mask = bytes.fromhex(wire_id), bytes.fromhex(mask)
        flags = 0x80 | phase << 2 | length - 1
        low = (number % 256**length).to_bytes(length, "big")
        clear = bytes([flags]) + wire_id + low
        hidden = bytes(byte ^ by for byte, by in zip(low, mask[1:]))
        sent = bytes([flags ^ mask[0] & 0x1F]) + wire_id + hidden
        out.add(
            f"id {len(wire_id)} number {length}" + (" phase 1" if phase else ""),
            bytes([len(wire_id)]) + mask + sent + bytes(24),
            phase=phase,
            id=wire_id.hex(),
            number=str(number),
            number_len=length,
            mask=mask.hex(),
            clear=clear.hex(),
            sent=sent.hex(),
        )
    out.seeds["reserved_bits"] = bytes([1]) + bytes(5) + b"\x98\0" + bytes(24)
    out.seeds["short"] = bytes([4]) + bytes(5) + b"\x80" + bytes(23)
    out.seeds["not_sealed"] = bytes([1]) + bytes(5) + b"\xa0" + bytes(30)
    return out


def number_len(number, acked):
    """Bytes of a packet number to send (stt-wire §3.2)."""
    in_doubt = number + 1 if acked is None else number - acked
    return next((length for length in (1, 2, 3) if 2 * in_doubt <= 256**length), 4)


def nearest(truncated, length, expected):
    """The whole number: the one nearest to the expected one, the larger of two."""
    window = 256**length
    near = (window * (expected // window + turn) + truncated for turn in (-1, 0, 1))
    return min(
        (number for number in near if 0 <= number <= MAX),
        key=lambda number: (abs(number - expected), -number),
    )


def packet_numbers():
    """Truncation, and what undoes it."""
    out = Cases(
        None,
        "How many bytes of a packet number are sent, given the largest acknowledged one; and the "
        "number that the bytes stand for, given the one expected next.",
        "docs/spec/stt-wire.md §3.2",
    )
    firsts = [(number, None) for number in (0, 126, 127, 128, 32767, 32768)]
    later = [(1 + gap, 1) for gap in (128, 129, 32768, 32769, 8388608, 8388609)]
    rfc = [(0xAC5C02, 0xABE8B3), (0xACE8FE, 0xABE8B3), (MAX, MAX - 1)]
    for number, acked in firsts + later + rfc:
        sent = number_len(number, acked)
        told = None if acked is None else str(acked)
        out.cases.append({"number": str(number), "acked": told, "len": sent})
    for truncated, length, expected in (
        (0x9B32, 2, 0xA82F30EB),
        (0xFF, 1, 0),
        (0, 1, 0),
        (0, 1, 0x100),
        (0x80, 1, 0),
        (0x80, 1, 0x100),
        (0x81, 1, 0x100),
        (0x7F, 1, 0x100),
        (0, 1, MAX),
        (0xFFFFFFFF, 4, MAX),
        (0xFF, 1, 0x180),
        (0, 1, 0x1FF),
        (0xFFFE, 2, 0x10002),
        (1, 3, 0xFFFFFF),
        (0x12345678, 4, 2**40),
        (0, 1, 0x80),
        (0, 1, 0x280),
        (0, 4, 2**31),
    ):
        number = nearest(truncated, length, expected)
        fields = {"truncated": truncated, "len": length, "expected": str(expected)}
        out.cases.append({**fields, "number": str(number)})
    return out


DEFAULTS = bytes.fromhex("66908024247014")


def limits(told):
    """The seven limits as numbers (stt-wire §7.3)."""
    numbers = []
    for byte in told + DEFAULTS[len(told) :]:
        exponent, mantissa = byte >> 3, byte & 7
        numbers.append((8 + mantissa) << exponent - 1 if exponent else mantissa)
    numbers[5] = min(numbers[5], 65535)
    return [str(number) for number in numbers]


def tlv(*params):
    """Parameters back to back."""
    return b"".join(bytes([kind, len(value)]) + value for kind, value in params)


def params():
    """Payloads of handshake messages."""
    out = Cases(
        "params",
        "Transport parameters, or why they are none. `limits` in the order of the specification, "
        "as numbers; null: left out. `canonical`: whether writing them gives the same bytes.",
        "docs/spec/stt-wire.md §7",
    )

    def good(name, *given, canonical=True):
        known = {kind: value for kind, value in given if kind < 0x80}
        out.add(
            name,
            tlv(*given),
            wire_id=known[1].hex(),
            aeads=list(known[2]) if 2 in known else None,
            versions=list(known[4]) if 4 in known else None,
            limits=limits(known.get(3, b"")),
            canonical=canonical,
        )

    own = (1, b"\1")
    good("defaults", own)
    good("all", (1, b"\xde\xad\xbe\xef"), (2, b"\2\1"), (3, b"\0\x78"), (4, b"\1"))
    good("all limits", (1, bytes(8)), (3, bytes([1, 2, 3, 4, 5, 0x20, 7])))
    good("largest limits", own, (3, b"\xff" * 6 + b"\x5f"))
    good("unknown ones are skipped", own, (0x80, b"abc"), (0xFF, b""), canonical=False)
    good("defaults written out", own, (3, DEFAULTS), canonical=False)
    good("no limit written out", own, (3, b""), canonical=False)
    good("unknown aeads and versions", own, (2, b"\x09\1"), (4, b"\x63\1"))
    for name, wire, error, kind in (
        ("nothing", b"", "no_wire_id", None),
        ("no wire id", tlv((2, b"\1")), "no_wire_id", None),
        ("no length", b"\1", "truncated", 1),
        ("cut", b"\1\2\0", "truncated", 1),
        ("empty wire id", tlv((1, b"")), "invalid", 1),
        ("wire id of nine bytes", tlv((1, bytes(9))), "invalid", 1),
        ("twice", tlv(own, own), "order", 1),
        ("out of order", tlv((2, b"\1"), own), "order", 1),
        ("no aead", tlv(own, (2, b"")), "invalid", 2),
        ("nine aeads", tlv(own, (2, bytes(9))), "invalid", 2),
        ("eight limits", tlv(own, (3, bytes(8))), "invalid", 3),
        ("largest packet of 60", tlv(own, (3, DEFAULTS[:5] + b"\x1f")), "invalid", 3),
        ("ack delay of 2^14 ms", tlv(own, (3, DEFAULTS[:6] + b"\x60")), "invalid", 3),
        ("no version", tlv(own, (4, b"")), "invalid", 4),
        ("unknown", tlv(own, (5, b"")), "unknown", 5),
        ("unknown twice", tlv(own, (0x80, b""), (0x80, b"")), "order", 0x80),
    ):
        out.add(name, wire, error=error, kind=kind)
    return out


class Bits(float):
    """A float that Python may not keep as it is: by its bits."""

    def __new__(cls, bits):
        """With the bits beside the number."""
        made = super().__new__(cls, struct.unpack(">d", bits.to_bytes(8, "big"))[0])
        made.bytes = bits.to_bytes(8, "big")
        return made


def float_bytes(value):
    """The eight bytes of a float."""
    return value.bytes if isinstance(value, Bits) else struct.pack(">d", value)


def encode(value):
    """A value's bytes (stt-value §1 and §2)."""
    if value is None:
        return b"\0"
    if isinstance(value, bool):
        return b"\2" if value else b"\1"
    if isinstance(value, int):
        for tag, size in ((0x10, 1), (0x11, 2), (0x12, 4), (0x13, 8)):
            if -(2 ** (8 * size - 1)) <= value < 2 ** (8 * size - 1):
                return bytes([tag]) + value.to_bytes(size, "big", signed=True)
        return b"\x17" + value.to_bytes(8, "big")
    if isinstance(value, float):
        return b"\x21" + float_bytes(value)
    if isinstance(value, bytes):
        return b"\x30" + struct.pack(">I", len(value)) + value
    if isinstance(value, str):
        return b"\x31" + struct.pack(">I", len(value.encode())) + value.encode()
    count = struct.pack(">I", len(value))
    if isinstance(value, list):
        return b"\x40" + count + b"".join(map(encode, value))
    pairs = (encode(key) + encode(value[key]) for key in sorted(value, key=str.encode))
    return b"\x41" + count + b"".join(pairs)


def shown(value):
    """A value as JSON."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": float_bytes(value).hex()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return {"dict": [[key, shown(each)] for key, each in value.items()]}


NAN = Bits(0x7FF8 << 48)


def values():
    """Values of every kind, at the borders of each form."""
    out = Cases(
        "value",
        "Values and their bytes. Integers are text, floats the bits of binary64, bytes "
        "hexadecimal. `canonical`: what is written instead, where a reader takes more than a "
        "writer gives.",
        "docs/spec/stt-value.md",
    )
    deep = []
    for _ in range(63):
        deep = [deep]
    integers = [0, -1, 2**63, 2**64 - 1]
    for size in (8, 16, 32, 64):
        border = 2 ** (size - 1)
        integers += [border - 1, -border]
        integers += [border, -border - 1] if size < 64 else []
    for name, value in (
        ("null", None),
        ("false", False),
        ("true", True),
        *((f"integer {number}", number) for number in integers),
        ("one and a half", 1.5),
        ("minus zero", -0.0),
        ("infinity", float("inf")),
        ("minus infinity", float("-inf")),
        ("smallest float", Bits(1)),
        ("nan", NAN),
        ("bytes", b"\xde\xad\xbe\xef"),
        ("no bytes", b""),
        ("text", "hé\0llo 🦀"),
        ("no text", ""),
        ("empty list", []),
        ("empty dict", {}),
        ("list", [None, True, 1, "x", b"y", [[]], {"a": {}}]),
        ("key and number", {"key": "value", "num": 42}),
        ("keys by bytes", dict.fromkeys(["z", "é", "a", "", "aa", "\ue000", "🦀", "B"], 1)),
        ("sixty-four deep", deep),
    ):
        out.add(name, encode(value), value=shown(value))
    for name, value, wire in (
        ("u8", 255, b"\x14\xff"),
        ("u16", 5, b"\x15\0\5"),
        ("u32", 2**32 - 1, b"\x16" + b"\xff" * 4),
        ("u64 of a small number", 42, b"\x17" + bytes(7) + b"\x2a"),
        ("f32", 0.5, b"\x20\x3f\0\0\0"),
        ("f32 nan", NAN, b"\x20\x7f\xc0\0\0"),
    ):
        out.add(name, wire, value=shown(value), canonical=encode(value).hex())
    return out


def value_errors():
    """Bytes that are no value."""
    out = Cases(
        "value", "Bytes that are no value: why, and at which byte.", "docs/spec/stt-value.md §4"
    )
    pair = b"\x31\0\0\0"
    for name, wire, error, offset in (
        ("nothing", b"", "truncated", 0),
        ("unknown tag", b"\3", "unknown_tag", 0),
        ("trailing", b"\0\0\0", "trailing", 1),
        ("integer cut", b"\x11\0", "truncated", 2),
        ("i16 too long", b"\x11\0\x7f", "not_shortest", 0),
        ("i32 too long", b"\x12\xff\xff\x80\0", "not_shortest", 0),
        ("i64 too long", b"\x13\0\0\0\0\x7f\xff\xff\xff", "not_shortest", 0),
        ("inner integer too long", b"\x40\0\0\0\2\0\x11\0\0", "not_shortest", 6),
        ("another f32 nan", b"\x20\x7f\xc0\0\1", "nan", 0),
        ("negative nan", b"\x21\xff\xf8" + bytes(6), "nan", 0),
        ("signalling nan", b"\x21\x7f\xf0" + bytes(5) + b"\1", "nan", 0),
        ("length cut", b"\x30\0\0\0", "truncated", 4),
        ("bytes cut", b"\x30\0\0\0\2\0", "length", 1),
        ("text cut", b"\x31\xff\xff\xff\xff", "length", 1),
        ("not utf-8", b"\x31\0\0\0\3a\xc3b", "utf8", 6),
        ("surrogate", b"\x31\0\0\0\3\xed\xa0\x80", "utf8", 5),
        ("count beyond the input", b"\x40\xff\xff\xff\xff\0", "count", 1),
        ("list cut", b"\x40\0\0\0\2\x10\0", "truncated", 7),
        ("pairs beyond the input", b"\x41\0\0\0\1" + pair + b"\0", "count", 1),
        ("key that is no text", b"\x41\0\0\0\1\x10\0\0\0\0\0", "key_tag", 5),
        ("key twice", b"\x41\0\0\0\2" + (pair + b"\0\0") * 2, "duplicate_key", 11),
        (
            "keys unsorted",
            b"\x41\0\0\0\2" + pair + b"\1b\0" + pair + b"\1a\0",
            "unsorted_keys",
            12,
        ),
        ("sixty-five deep", b"\x40\0\0\0\1" * 64 + b"\x40\0\0\0\0", "depth", 320),
    ):
        out.add(name, wire, error=error, offset=offset)
    return out


HEADER = {
    "flags": 0,
    "frame_type": 1,
    "sequence": 1,
    "session_id": bytes(range(1, 9)),
    "stream_id": 7,
    "timestamp_ms": 1_700_000_000_000,
}


def sttframe(header, metadata, payload):
    """A standalone frame (stt-frame §1)."""
    rest = (
        bytes([header["frame_type"], header["flags"]])
        + header["session_id"]
        + struct.pack(">QQI", header["sequence"], header["timestamp_ms"], header["stream_id"])
        + leb(len(metadata))
        + metadata
        + payload
    )
    return b"ST" + leb(len(rest)) + rest


def sttframes():
    """Standalone frames."""
    out = Cases(
        "sttframe",
        "Standalone frames and what sealing binds their payload to; or why bytes are none, and "
        "how many are needed at least. Numbers of 64 bits are text.",
        "docs/spec/stt-frame.md",
    )

    def good(name, metadata=b"", payload=b"hello", after=b"", **fields):
        header = {**HEADER, **fields}
        wire = sttframe(header, metadata, payload)
        told = {
            **header,
            "session_id": header["session_id"].hex(),
            "sequence": str(header["sequence"]),
            "timestamp_ms": str(header["timestamp_ms"]),
            "metadata": metadata.hex(),
            "payload": payload.hex(),
        }
        associated = encode(header).hex()
        out.add(name, wire + after, **told, associated_data=associated, used=len(wire))

    zero = {"sequence": 0, "timestamp_ms": 0, "stream_id": 0, "session_id": bytes(8)}
    most = {"sequence": 2**64 - 1, "timestamp_ms": 2**64 - 1, "stream_id": 2**32 - 1}
    good("hello")
    good("nothing in it", payload=b"", **zero)
    good("of a user", frame_type=0x80, flags=0xFF)
    good("largest numbers", frame_type=0xFF, **most)
    good("with metadata", metadata=b"\1" + bytes(range(24)), payload=bytes(21))
    good("metadata of 128 bytes", metadata=bytes(128))
    good("another follows", after=b"ST\x24\1")
    good("length of two bytes", payload=bytes(200))

    hello = sttframe(HEADER, b"", b"hello")
    for name, wire, needed in (
        ("no bytes", b"", 34),
        ("half the magic", b"S", 34),
        ("length cut", b"ST\x80", 34),
        ("cut", hello[:-1], 39),
        ("long and cut", b"ST\xfb\xff\x7f\1", 2**21),
    ):
        out.add(name, wire, error="incomplete", needed=needed)
    for name, wire, error in (
        ("other magic", b"SX", "no_magic"),
        ("no magic", b"hello", "no_magic"),
        ("length not minimal", b"ST\xa4\0" + hello[3:], "length"),
        ("length too large", b"ST" + b"\xff" * 10, "length"),
        ("over 2 MiB", b"ST\xfc\xff\x7f", "frame_too_long"),
        ("too short", b"ST\x1e" + hello[3:33], "too_short"),
        ("type 0", hello[:3] + b"\0" + hello[4:], "no_type"),
        ("metadata beyond the frame", hello[:33] + b"\6hello", "metadata_beyond_frame"),
        ("metadata too long", b"ST\x2a" + hello[3:33] + leb(4097) + bytes(10), "metadata_too_long"),
        ("metadata length not minimal", b"ST\x25" + hello[3:33] + b"\x80\0hello", "length"),
    ):
        out.add(name, wire, error=error)
    return out


FILES = (varints, frames, headers, packet_numbers, params, values, value_errors, sttframes)


def main():
    """Writes or compares the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--corpus", action="store_true", help="write the fuzz targets' seeds too")
    options = parser.parse_args()
    for make in FILES:
        cases = make()
        path = TARGET / f"{make.__name__}.json"
        if not options.check:
            path.write_text(cases.text(), encoding="utf-8", newline="\n")
        elif path.read_text(encoding="utf-8") != cases.text():
            sys.exit(f"differs from what this script computes: {path.name}")
        if options.corpus:
            for name, wire in cases.seeds.items():
                folder = CORPUS / f"stt_core_{cases.fuzz}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(wire)


if __name__ == "__main__":
    main()
