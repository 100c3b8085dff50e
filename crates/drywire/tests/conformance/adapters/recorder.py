"""Tells every call in the order in which it came, for both sides."""

import random

CALLS = []
EXECUTIONS = globals().get("EXECUTIONS", 0) + 1


class Adapter:
    def __init__(self, cfg):
        self.cfg = cfg
        self.side = cfg["side"]
        self.note("__init__")

    def note(self, name):
        CALLS.append(f"{self.side}.{name}")

    @classmethod
    def nade_capabilities(cls):
        CALLS.append("capabilities")
        return {"abi_version": "1.0", "bytelink": True, "audioblock": True, "sdu_max_bytes": 300}

    def init(self, cfg):
        assert cfg is self.cfg
        self.note(f"init({cfg['sdu_max_bytes']})")

    def start(self, ctx):
        assert ctx.config is self.cfg
        self.ctx = ctx
        self.note("start")
        ctx.emit_event("cfg", cfg_without_objects(self.cfg))
        ctx.emit_event("draws", [ctx.rng.random(), random.random()])

    def on_timer(self, t_ms):
        assert self.ctx.now_ms() == t_ms
        self.note(f"on_timer({t_ms})")

    def poll_link_tx(self, budget):
        self.note(f"poll({budget})")
        now = self.ctx.now_ms()
        return [] if now % 20 else [b"at %d" % now]

    def on_link_rx(self, sdu):
        self.note(f"rx({sdu.decode()})")

    def pull_tx_block(self):
        import numpy as np

        self.note("pull")
        return np.full(160, self.ctx.now_ms() + 1, np.int16)

    def push_rx_block(self, block):
        assert block.dtype == "int16" and block.shape == (160,) and block.flags.c_contiguous
        block[0] += 1  # ours to change
        self.note(f"push({block[1]})")

    def stop(self):
        self.note("stop")
        self.ctx.emit_event("calls", {"calls": CALLS, "executions": EXECUTIONS})


def cfg_without_objects(cfg):
    return {"keys": list(cfg), "cfg": cfg}
