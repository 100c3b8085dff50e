"""Says that it blocks, and does."""

import threading


class Adapter:
    def poll_link_tx(self, budget):
        print("blocking")
        threading.Event().wait()

    def on_link_rx(self, sdu):
        pass
