"""Memory does not grow with the length of a run."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest
from conftest import python

MEASURE = """
    import json, pathlib, sys, tracemalloc
    import drybox

    class Idle:
        def on_timer(self, t_ms): pass
        def poll_link_tx(self, budget): return [b"x" * 50] if self.ctx.now_ms() % 1000 == 0 else []
        def on_link_rx(self, sdu): pass
        def start(self, ctx): self.ctx = ctx

    class Heard:
        def __init__(self):
            import numpy
            self.block = numpy.zeros(160, numpy.int16)
        def pull_tx_block(self): return self.block
        def push_rx_block(self, block): pass

    mode, duration = sys.argv[1], int(sys.argv[2])
    adapter = Idle if mode == "byte" else Heard
    tracemalloc.start()
    scenario = {"mode": mode, "duration_ms": duration}
    drybox.run(scenario, left=adapter, right=adapter, out=sys.argv[3])
    # Not ru_maxrss, which begins with that of the process that started this one.
    status = pathlib.Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([tracemalloc.get_traced_memory()[1], int(peak.split()[1])]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat(tmp_path: pathlib.Path) -> None:
    for mode, unit in (("byte", 500_000), ("audio", 20_000)):
        peaks = []
        for times in (1, 8):
            out = f"{tmp_path}/{mode}{times}"
            peaks.append(json.loads(python(MEASURE, mode, str(unit * times), out)))
        (short_python, short), (long_python, long) = peaks
        # Eight times as long: a leak of even one int per tick would show as 8 MB and more.
        assert long_python - short_python < 200_000, (mode, peaks)
        assert long - short < 4_000, (mode, peaks)  # KiB
        assert long < 100_000, (mode, peaks)
