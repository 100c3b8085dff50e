"""Does what `behave` in its settings says, in the callback named by `where`, at 20 ms."""

import os
import sys
import threading
from collections import deque

PAYLOADS = {
    "none": lambda: None,
    "tuple": lambda: (b"a", b"b"),
    "pairs": lambda: [(b"a", 7), (b"b", 9)],
    "buffers": lambda: [bytearray(b"a"), memoryview(b"b")],
    "str": lambda: "text",
    "bytes": lambda: b"bytes",
    "zero": lambda: 0,
    "generator": lambda: (b for b in [b"a"]),
    "deque": lambda: deque([b"a"]),
    "str_item": lambda: [b"a", "b"],
    "none_item": lambda: [None],
    "over_budget": lambda: [b"x"] * 5,
    "too_long": lambda: [b"ok", bytes(301)],
    "longest": lambda: [bytes(300)],
}


def nested(levels):
    return [nested(levels - 1)] if levels > 1 else []


EVENTS = {
    "long_event": lambda: ("long", "a" * 65_536),
    "deep_event": lambda: ("deep", nested(40)),
    "aead_fail": lambda: ("aead_fail", {"count": -1}),
    "ber": lambda: ("ber", {"errors": 3, "bits": 2}),
    "hs_done": lambda: ("hs_done", {"time_ms": 1e300}),
    "modem_lock": lambda: ("modem_lock", {"locked": "yes", "cfo_hz": 1e300}),
}


def block(kind):
    import numpy as np

    return {
        "none": lambda: None,
        "list": lambda: [0] * 160,
        "float": lambda: np.zeros(160),
        "big_endian": lambda: np.zeros(160, ">i2"),
        "short": lambda: np.zeros(80, np.int16),
        "column": lambda: np.zeros((160, 1), np.int16),
        "strided": lambda: np.zeros(320, np.int16)[::2],
        "good": lambda: np.arange(160, dtype=np.int16),
    }[kind]()


class Adapter:
    def __init__(self, cfg):
        self.cfg = cfg
        self.behave, self.where = cfg.get("behave"), cfg.get("where")
        self.ctx = None
        self.act("load")

    def nade_capabilities(self):
        return {
            "abi_version": "1.0",
            "bytelink": True,
            "audioblock": True,
            "sdu_max_bytes": 300,
            **self.cfg.get("announce", {}),
        }

    def act(self, where):
        if where != self.where or (self.ctx is not None and self.ctx.now_ms() not in (0, 20)):
            return
        if self.ctx is not None and self.ctx.now_ms() == 0 and where not in ("start", "init"):
            return
        if self.ctx is not None:
            self.ctx.emit_event("before", {"where": where})
        if self.behave == "raise":
            raise ValueError(f"raised in {where}")
        if self.behave == "exit":
            sys.exit(7)
        if self.behave == "interrupt":
            raise KeyboardInterrupt
        if self.behave == "die":
            print("about to die")
            sys.stdout.flush()
            os._exit(9)
        if self.behave == "block":
            threading.Event().wait()

    def init(self, cfg):
        self.act("init")

    def start(self, ctx):
        self.ctx = ctx
        self.act("start")

    def on_timer(self, t_ms):
        self.act("on_timer")
        if t_ms == 20 and self.behave in EVENTS:
            self.ctx.emit_event(*EVENTS[self.behave]())

    def poll_link_tx(self, budget):
        self.act("poll_link_tx")
        return PAYLOADS[self.behave]() if self.behave in PAYLOADS else [b"sdu"]

    def on_link_rx(self, sdu):
        self.act("on_link_rx")
        self.ctx.emit_event("rx", {"sdu": sdu, "type": type(sdu).__name__})

    def pull_tx_block(self):
        self.act("pull_tx_block")
        return block(self.cfg.get("block", "good"))

    def push_rx_block(self, samples):
        self.act("push_rx_block")

    def stop(self):
        self.ctx and self.ctx.emit_event("stopped", {})
        self.act("stop")
