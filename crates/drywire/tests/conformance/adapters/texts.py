"""Says when it was handed a text and when it sent it."""


class Adapter:
    def start(self, ctx):
        self.ctx = ctx
        self.waiting = []

    def is_handshake_complete(self):
        return self.ctx.now_ms() >= 40

    def send_sdu(self, text):
        self.ctx.emit_event("took", {"text": text.decode()})
        self.waiting.append(text)

    def sent(self):
        for text in self.waiting:
            self.ctx.emit_event("sent", {"text": text.decode()})
        waiting, self.waiting = self.waiting, []
        return waiting

    def poll_link_tx(self, budget):
        return self.sent()

    def on_link_rx(self, sdu):
        pass

    def pull_tx_block(self):
        self.sent()

    def push_rx_block(self, block):
        pass
