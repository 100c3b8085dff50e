"""Holds a named pipe open for as long as its process lives."""


class Adapter:
    def __init__(self, cfg):
        self.file = open(cfg["fifo"], "wb") if "fifo" in cfg else None

    def poll_link_tx(self, budget):
        pass

    def on_link_rx(self, sdu):
        pass
