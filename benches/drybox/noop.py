"""An adapter that does nothing, in either mode: what is measured is DryBox."""


def nade_capabilities():
    return {"abi_version": "1.0", "bytelink": True, "audioblock": True, "sdu_max_bytes": 1024}


class Adapter:
    def init(self, cfg):
        self.silence = None
        if cfg["mode"] == "audio":
            import numpy

            # Faint noise: a channel adds nothing to the silence before the first sound.
            self.silence = (numpy.arange(160, dtype=numpy.int16) * 7919) % 2001 - 1000

    def start(self, ctx):
        pass

    def on_timer(self, t_ms):
        pass

    def poll_link_tx(self, budget):
        return []

    def on_link_rx(self, sdu):
        pass

    def pull_tx_block(self):
        return self.silence

    def push_rx_block(self, block):
        pass
