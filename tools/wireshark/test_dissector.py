"""Tests st-protocol.lua with tshark on a capture made here: `python3 tools/wireshark/test_dissector.py`.

The capture is a TCP connection in which frames are cut across segments. Needs tshark; without it the test fails rather
than pass unseen.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LUA = Path(__file__).with_name("st-protocol.lua")
PAGE = Path(__file__).parents[2] / "docs" / "spec" / "st-protocol.md"
PORT = 7878


def listed_frames() -> list[bytes]:
    """The frames of section 5 of the specification: one and more for each verb."""
    block = PAGE.read_text(encoding="utf-8").split("```frames\n")[1].split("```")[0]
    return [bytes.fromhex(line.split("|")[0]) for line in block.splitlines()]


def auth_block(level: int, request: bytes) -> bytes:
    """An AUTH_START frame: `request` is the inner verb and payload."""
    payload = bytes([level]) + bytes([0x11] * 88) + b"\x0f" + request
    escaped = payload.replace(b"\x1b", b"\x1b\x1b").replace(b"\x00", b"\x1b\x00")
    return b"\x0e" + escaped + b"\x00"


def capture(segments: list[bytes]) -> bytes:
    """A pcap file (raw IPv4) of one TCP connection carrying these segments."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)
    sequence = 1
    for number, segment in enumerate(segments):
        tcp = (
            struct.pack(">HHIIBBHHH", 40_000, PORT, sequence, 1, 0x50, 0x18, 65_535, 0, 0) + segment
        )
        ip = struct.pack(
            ">BBHHHBBHII", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0, 0x7F000001, 0x7F000002
        )
        out += struct.pack("<IIII", number, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp
        sequence += len(segment)
    return out


def dissect(segments: list[bytes]) -> list[dict[str, list[str]]]:
    """What tshark says of each packet: field name to values."""
    fields = [
        "_ws.col.Info", "stproto.verb", "stproto.path", "stproto.pattern", "stproto.mode", "stproto.depth",
        "stproto.max_results", "stproto.content", "stproto.keywords", "stproto.kind", "stproto.valence", "stproto.text",
        "stproto.auth.level", "stproto.auth.counter", "stproto.auth.verb", "stproto.payload", "stproto.wrong",
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture(segments))
        file.flush()
        command = [
            "tshark",
            "-r",
            file.name,
            "-X",
            f"lua_script:{LUA}",
            "-d",
            f"tcp.port=={PORT},stproto",
            "-T",
            "json",
        ]
        for field in fields:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Lua" in done.stderr and "rror" in done.stderr:
        raise AssertionError(done.stderr)
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


def all_of(packets: list[dict[str, list[str]]], field: str) -> list[str]:
    return [value for packet in packets for value in packet.get(field, [])]


class Dissector(unittest.TestCase):
    def test_every_verb_is_named_and_its_fields_are_shown(self) -> None:
        frames = listed_frames()
        packets = dissect([b"".join(frames)])
        verbs = [int(value, 0) for value in all_of(packets, "stproto.verb")]
        self.assertEqual(verbs, [frame[0] for frame in frames])
        self.assertEqual(all_of(packets, "stproto.wrong"), [])
        self.assertIn("SCAN, FORMAT, FORMAT, SEARCH", all_of(packets, "_ws.col.Info")[0])
        self.assertEqual(all_of(packets, "stproto.path"), ["/home/hue", "b", "/src"])
        self.assertEqual(all_of(packets, "stproto.pattern"), ["TODO", "fn"])
        self.assertEqual(all_of(packets, "stproto.max_results"), ["50", "27"])
        self.assertEqual(all_of(packets, "stproto.keywords"), ["c", "ab"])
        self.assertEqual(all_of(packets, "stproto.valence"), ["128"])
        self.assertEqual(all_of(packets, "stproto.auth.level"), ["2"])
        self.assertEqual(all_of(packets, "stproto.auth.counter"), ["7"])
        self.assertEqual([int(v, 0) for v in all_of(packets, "stproto.auth.verb")], [0x1D])

    def test_frames_cut_across_segments_are_put_together(self) -> None:
        frames = listed_frames()
        stream = b"".join(frames)
        for size in (1, 7, 40):
            packets = dissect([stream[at : at + size] for at in range(0, len(stream), size)])
            verbs = [int(value, 0) for value in all_of(packets, "stproto.verb")]
            self.assertEqual(verbs, [frame[0] for frame in frames], f"segments of {size} bytes")
            self.assertEqual(all_of(packets, "stproto.wrong"), [])

    def test_what_is_wrong_is_marked(self) -> None:
        bad_frames = (b"\x1b\x00", b"\x00", b"\x20\x00", b"\x01a\x1bb\x00")
        bad_payloads = (
            b"\x01\x85ab\x00",  # a field that is longer than the payload
            b"\x01\x00",  # no fields at all
            b"\x01\x81\xff\x03\x00",  # a text that is no UTF-8
            b"\x01\x82ab\x03\x04\x00",  # bytes left over
            b"\x03\xc3\xc3\x00",  # neither form of SEARCH
            b"\x03\xed\xa0\x80\x00",  # a surrogate
            b"\x03\xc0\xafab\x00",  # an overlong slash
            b"\x15\xff\x00",  # a message that is no UTF-8
            b"\x1c\xff\x01\x1b\x00a\x05\x00",  # a short length in the long form
            b"\x0e\x00",  # no auth block
            auth_block(4, b"\x1dm"),
            auth_block(2, b"\x0f"),
            auth_block(2, b"\x1b"),
            auth_block(0, b"\x01"),  # a SCAN without fields
        )
        for wrong in bad_frames + bad_payloads:
            packets = dissect([b"\x05\x00" + wrong])
            self.assertEqual(len(all_of(packets, "stproto.wrong")), 1, wrong.hex())

    def test_what_only_looks_wrong_is_not_marked(self) -> None:
        frames = (
            b"\x03\x00",  # SEARCH for nothing
            "\x03größe €𝄞\0".encode(),
            b"\x02a\x00",
            b"\x03\x80\x80\x05\x00",  # the long form, both texts empty
            b"\x06\xff\xfe\x00",  # OK carries any bytes
            auth_block(2, b"\x1d"),
        )
        packets = dissect([b"".join(frames)])
        self.assertEqual(all_of(packets, "stproto.wrong"), [])
        self.assertEqual(len(all_of(packets, "stproto.verb")), len(frames))


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
