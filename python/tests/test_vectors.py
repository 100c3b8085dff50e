"""The vectors in vectors/drybox, computed again from docs/spec/determinism.md, section 1."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "vectors" / "drybox" / "rng.json"
STREAMS: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["streams"]
WORD = 0xFFFF_FFFF
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def stream_key(seed: int, name: str) -> bytes:
    """Section 1.2."""
    return hashlib.sha256(b"drybox rng v1\0" + struct.pack("<Q", seed) + name.encode()).digest()


def chacha8_block(key: bytes, counter: int, stream: int) -> bytes:
    """Section 1.3: one block of 64 bytes."""
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<QQ", counter, stream))
    x = list(start)
    for _ in range(4):
        for a, b, c, d in COLUMNS + DIAGONALS:
            for left, right in ((16, 12), (8, 7)):
                x[a] = (x[a] + x[b]) & WORD
                x[d] = rotate(x[d] ^ x[a], left)
                x[c] = (x[c] + x[d]) & WORD
                x[b] = rotate(x[b] ^ x[c], right)
    return struct.pack("<16I", *((a + b) & WORD for a, b in zip(x, start)))


def rotate(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & WORD


def test_all_vectors_are_run() -> None:
    assert len(STREAMS) == 8


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: f"{case['name']} seed {case['seed']}")
def test_a_stream_is_that_of_the_vector(case: dict[str, Any]) -> None:
    key = stream_key(int(case["seed"]), case["name"])
    assert key.hex() == case["key"]
    assert str(int.from_bytes(key[:16], "little")) == case["seed128"]

    serial = int(case["serial"])
    output = chacha8_block(key, 0, serial) + chacha8_block(key, 1, serial)
    bits = [word for (word,) in struct.iter_unpack("<Q", output)]
    assert [f"{word:016x}" for word in bits[: len(case["bits"])]] == case["bits"]
    assert [repr((word >> 11) * 2.0**-53) for word in bits[: len(case["unit"])]] == case["unit"]
    below = [[n, str(word * int(n) >> 64)] for word, (n, _) in zip(bits, case["below"])]
    assert below == case["below"]
