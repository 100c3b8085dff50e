"""Names and signatures as adapters in the field have them."""


class Times:
    def poll_link_tx(self, budget, t_ms):
        return [f"poll {budget} {t_ms}".encode()]

    def on_link_rx(self, sdu, meta=None, t=0):
        self.ctx.emit_event("rx", [sdu.decode(), meta, t])

    def start(self, ctx):
        self.ctx = ctx

    def on_timer(self):
        self.ctx.emit_event("timer")

    def close(self):
        self.ctx.emit_event("closed")


class Other:
    def __init__(self, config=None):
        self.cfg = config

    def start(self, ctx):
        self.ctx = ctx
        ctx.emit_event("cfg", {"side": self.cfg["side"]})

    def poll_link_tx(self):
        return [(b"pair", 3)]

    def on_link_rx(self, t):
        self.ctx.emit_event("rx", {"sdu": t.decode()})

    def on_timer(self, now):
        self.ctx.emit_event("timer", {"now": now})


class Audio:
    def start(self, ctx):
        self.ctx = ctx

    def get_tx_block(self, t_ms):
        self.ctx.emit_event("source", {"t": t_ms})

    def feed_rx_block(self, block, now):
        self.ctx.emit_event("sink", {"t": now, "len": len(block)})
