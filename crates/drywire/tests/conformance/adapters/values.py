"""Emits every kind of value."""

import collections
import dataclasses
import enum
import math
import pathlib


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    name: bytes


class Odd:
    pass


def deep(levels):
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


CYCLE = {}
CYCLE["self"] = CYCLE

VALUES = {
    "order": {"z": 1, "a": 2, "m": 3},
    "bytes": [b"\x00\xff", bytearray(b"a"), memoryview(b"b")],
    "floats": [1.5, -0.0, 1e300, math.nan, math.inf, -math.inf],
    "integers": [0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, True],
    "text": ["h\u00e9", "\ud800", ""],
    "containers": [(1, 2), {3, 1, 2}, frozenset({"b", "a"}), collections.deque([1]), range(2), {1: 2}.values()],
    "keys": {1: "int", None: "none", True: "bool", b"\x01": "bytes", Colour.RED: "enum", 1.5: "float"},
    "objects": [Colour.RED, Level.HIGH, Point(1, b"\x02"), 1 + 2j, pathlib.PurePosixPath("a/b")],
    "odd": [Odd(), len, Odd],
    "deep": deep(40),
    "cycle": CYCLE,
    "none": None,
}


class Adapter:
    def start(self, ctx):
        for name, value in VALUES.items():
            ctx.emit_event(name, value)
        ctx.emit_event(typ="typ", payload={"n": 1})
        ctx.emit_event("positional", {"n": 2}, t_ms=5, side="X")
        ctx["metrics"].event(t_ms=3, side="X", type="older", payload={"n": 3})
        ctx.metrics.metric("snr", 7, unit="dB")
        ctx.emit_event("mapping", {"keys": list(ctx), "has": "metrics" in ctx, "side": ctx["side"]})
        if ctx.config["mode"] == "audio":
            import numpy as np

            array = np.array([[1, 2], [3, 4]], np.int16)
            ctx.emit_event("numpy", [np.float32(1.5), np.int64(-3), np.bool_(True), array, np.array(math.nan)])

    def poll_link_tx(self, budget):
        pass

    def on_link_rx(self, sdu):
        pass

    def pull_tx_block(self):
        pass

    def push_rx_block(self, block):
        pass
