"""The same scenario, adapters and seed give the same bytes, however the adapters are hosted."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import drybox
import pytest
from conftest import Command, WriteAdapter, audio_scenario, byte_scenario, outputs

TALKER = """
    import random

    class Adapter:
        def nade_capabilities(self):
            return {"abi_version": "1.0", "bytelink": True, "audioblock": False}
        def __init__(self, cfg):
            self.cfg = cfg
            self.queue = []
        def start(self, ctx):
            self.ctx = ctx
            self.words = {"alpha", "beta", "gamma", "delta"}
        def on_timer(self, t_ms):
            if self.ctx.rng.random() < 0.3:
                size = self.ctx.rng.randrange(1, 1021)
                self.queue.append(bytes([t_ms % 256]) * size + random.randbytes(4))
            if t_ms % 250 == 0:
                self.ctx.emit_event("words", {"order": list(self.words), "t": t_ms / 3})
        def poll_link_tx(self, budget):
            out, self.queue = self.queue[:budget], self.queue[budget:]
            return out
        def on_link_rx(self, sdu):
            self.ctx.emit_event("got", {"len": len(sdu), "tail": sdu[-4:]})
"""
MODEM = """
    import numpy as np

    class Adapter:
        def nade_capabilities(self):
            return {"abi_version": "1.0", "bytelink": False, "audioblock": True}
        def start(self, ctx):
            self.ctx = ctx
            self.noise = np.random.default_rng(ctx.rng.getrandbits(64))
        def pull_tx_block(self):
            block = np.zeros(160, np.int16)
            block[:] = self.noise.integers(-3000, 3000, 160)
            return block + np.random.randint(0, 2, 160).astype(np.int16)
        def push_rx_block(self, block):
            self.ctx.emit_event("power", {"sum": np.abs(block.astype(np.int64)).sum()})
            block[:] = 0
"""
CASES = [
    pytest.param(byte_scenario(), TALKER, id="byte"),
    pytest.param(audio_scenario(), MODEM, id="audio"),
]
DRYWIRE = os.environ.get("DRYWIRE_BIN", "")


@pytest.fixture(autouse=True)
def _same_hash_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    # The sidecar of the `drywire` binary is a child of this process.
    monkeypatch.setenv("PYTHONHASHSEED", "0")


def write_scenario(folder: pathlib.Path, scenario: dict[str, Any]) -> str:
    path = folder / "scenario.yaml"
    path.write_text(json.dumps(scenario))
    return str(path)


@pytest.mark.parametrize(("scenario", "source"), CASES)
def test_twice_the_same_bytes(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path, scenario: dict[str, Any], source: str
) -> None:
    adapter = write_adapter(source)
    for name in ("one", "two"):
        drybox.run(scenario, left=adapter, right=adapter, out=tmp_path / name)
    one = outputs(tmp_path / "one")
    assert {"metrics.csv", "events.jsonl", "capture.dbxcap", "summary.json"} <= set(one)
    assert one == outputs(tmp_path / "two")


@pytest.mark.parametrize(("scenario", "source"), CASES)
def test_another_seed_is_another_run(
    write_adapter: WriteAdapter, scenario: dict[str, Any], source: str
) -> None:
    adapter = write_adapter(source)
    runs = [drybox.run(scenario, left=adapter, right=adapter, seed=seed) for seed in (1, 2)]
    assert runs[0].events != runs[1].events


@pytest.mark.skipif(not DRYWIRE, reason="DRYWIRE_BIN names the drywire command to compare with")
@pytest.mark.parametrize(("scenario", "source"), CASES)
def test_the_wheel_and_the_binary_agree(
    write_adapter: WriteAdapter,
    drybox_command: Command,
    tmp_path: pathlib.Path,
    scenario: dict[str, Any],
    source: str,
) -> None:
    import subprocess
    import sys

    from conftest import environment

    adapter = write_adapter(source)
    path = write_scenario(tmp_path, scenario)
    arguments = ["run", path, "--left", adapter, "--right", adapter, "--json"]
    wheel = drybox_command("drybox", [*arguments, "--out", str(tmp_path / "wheel")])
    binary = subprocess.run(
        [DRYWIRE, "box", *arguments, "--out", str(tmp_path / "binary")],
        capture_output=True,
        encoding="utf-8",
        env=environment(DRYBOX_PYTHON=sys.executable),
        timeout=300,
        check=False,
    )
    assert wheel.returncode == binary.returncode == 0, wheel.stderr + binary.stderr
    assert wheel.stdout == binary.stdout
    assert outputs(tmp_path / "wheel") == outputs(tmp_path / "binary")


def test_the_command_fixes_the_order_of_sets(
    write_adapter: WriteAdapter, drybox_command: Command, tmp_path: pathlib.Path
) -> None:
    adapter = write_adapter(TALKER)
    path = write_scenario(tmp_path, byte_scenario())
    for name in ("one", "two"):
        arguments = ["run", path, "--left", adapter, "--right", adapter]
        done = drybox_command("drybox", [*arguments, "--out", str(tmp_path / name)])
        assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_one_side_does_not_disturb_the_other(write_adapter: WriteAdapter) -> None:
    """More or less of `ctx.rng` drawn on the right changes nothing that the left side draws."""
    left = write_adapter(TALKER)
    idle = write_adapter(TALKER.replace("self.ctx.rng.random() < 0.3", "False"))
    busy = write_adapter(
        TALKER.replace(
            "start(self, ctx):",
            "start(self, ctx):\n" + " " * 12 + "[ctx.rng.random() for _ in range(1000)]",
        )
    )
    drawn = []
    for right in (idle, busy):
        result = drybox.run(byte_scenario(), left=left, right=right)
        tx = (result.metrics["side"] == "L") & (result.metrics["event"] == "tx")
        drawn.append(list(result.metrics["t_ms"][tx]))
    assert drawn[0] == drawn[1]


def test_a_file_is_executed_once_per_run(
    write_adapter: WriteAdapter, tmp_path: pathlib.Path
) -> None:
    log = tmp_path / "log"
    counted = f"import pathlib\nwith pathlib.Path({str(log)!r}).open('a') as log: log.write('x')\n"
    adapter = write_adapter(counted + _dedented(TALKER))
    drybox.run(byte_scenario(100), left=adapter, right=adapter)
    assert log.read_text() == "x"
    drybox.run(byte_scenario(100), left=adapter, right=adapter)
    assert log.read_text() == "xx"


def _dedented(source: str) -> str:
    import textwrap

    return textwrap.dedent(source)
