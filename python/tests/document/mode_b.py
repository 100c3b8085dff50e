import numpy as np
ABI_VERSION = "1.0"
def nade_capabilities(): return {"abi_version": ABI_VERSION, "bytelink": False, "audioblock": True, "sdu_max_bytes": 1024,
                                 "audioparams": {"sr": 8000, "block": 160}}
class Adapter:
    SR, N = 8000, 160
    def __init__(self, cfg): self.ph = 0.0; self.hz = 1000.0 if cfg["side"]=="left" else 800.0
    def start(self, ctx): self.ctx = ctx
    def on_timer(self, t_ms): pass
    def pull_tx_block(self):
        # Generate a sine (mono, int16, C-contiguous), 20 ms @ 8 kHz
        t = (np.arange(self.N, dtype=np.float32) + self.ph) / self.SR
        self.ph += self.N
        x = 0.2*np.sin(2*np.pi*self.hz*t)
        return (x*32767).astype(np.int16, copy=False)
    def push_rx_block(self, block: np.ndarray): pass
