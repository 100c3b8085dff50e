ABI_VERSION = "1.0"
def nade_capabilities(): return {"abi_version": ABI_VERSION, "bytelink": True, "audioblock": False, "sdu_max_bytes": 1024}

class Adapter:
    def __init__(self, cfg): self.side = cfg["side"]; self.txq = []
    def start(self, ctx): self.ctx = ctx; self.t0 = None
    def on_timer(self, t_ms): 
        if t_ms % 500 == 0: self.txq.append(f"PING {self.side} t={t_ms}".encode())
    def poll_link_tx(self, budget: int): 
        out, self.txq = self.txq[:budget], self.txq[budget:]; return out
    def on_link_rx(self, sdu: bytes): 
        # e.g., parse TLV, drive FSM; emit events
        if b"PONG" in sdu and "metrics" in self.ctx:
            self.ctx["metrics"].event(t_ms=0, side=self.side, type="pong_rx", payload={"len": len(sdu)})
