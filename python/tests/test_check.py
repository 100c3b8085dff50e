"""`drybox check`: a clear line for each thing that is wrong."""

from __future__ import annotations

import pytest
from conftest import DOCUMENT, Command, WriteAdapter
from test_errors import AUDIO, BYTE

METHOD = "        "


@pytest.mark.parametrize("example", ["mode_a.py", "mode_b.py"])
def test_the_documents_examples_pass(drybox_command: Command, example: str) -> None:
    done = drybox_command("drybox", ["check", str(DOCUMENT / example), "--seeds", "5"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
    assert "FAIL " not in done.stdout


@pytest.mark.parametrize(
    ("source", "item"),
    [
        (BYTE.replace('"1.0"', '"dbx-v1"'), "abi_version"),
        (BYTE.replace('"bytelink": True', '"bytelink": False'), "modes"),
        (BYTE + METHOD + "def on_link_rx(self, sdu): raise ValueError('bang')\n", "byte.order"),
        (BYTE + METHOD + "def poll_link_tx(self, budget): return [b'x'] * 3\n", "byte.budget"),
        (BYTE + METHOD + "def poll_link_tx(self, budget): return ['x']\n", "byte.run"),
        (BYTE + METHOD + "def on_timer(self, t): raise SystemExit\n", "byte.run"),
        (AUDIO + METHOD + "def pull_tx_block(self): return np.zeros(80, np.int16)\n", "audio.run"),
        ("class Other: pass", "load"),
    ],
)
def test_what_is_broken_is_named(
    write_adapter: WriteAdapter, drybox_command: Command, source: str, item: str
) -> None:
    if item == "byte.order":
        # Something must arrive for the fault to show.
        source = source.replace("return []", "return [b'x']")
    done = drybox_command("drybox", ["check", write_adapter(source), "--seeds", "2"])
    assert done.returncode == 3, done.stdout
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAIL ")]
    assert failed, done.stdout
    if item != "byte.order":
        assert failed[0] == item, done.stdout
    assert "FAILED" in done.stdout


@pytest.mark.parametrize(
    ("setup", "draw", "named"),
    [
        ("", "os.urandom(4)", "os.urandom"),
        ("", "str(time.time_ns()).encode()", "time.time_ns"),
        ("", "str(time.monotonic()).encode()", "time.monotonic"),
        ("", "uuid.uuid4().bytes", "os.urandom"),
        ("", "secrets.token_bytes(4)", "random.SystemRandom"),
        ("self.r = random.Random()", "self.r.randbytes(4)", "random.Random()"),
        ("random.seed()", "random.randbytes(4)", "random.seed()"),
    ],
)
def test_unseeded_randomness_is_named_with_its_place(
    write_adapter: WriteAdapter, drybox_command: Command, setup: str, draw: str, named: str
) -> None:
    adapter = write_adapter(
        f"""
        import os, random, secrets, time, uuid

        class Adapter:
            def nade_capabilities(self):
                return {{"abi_version": "1.0", "bytelink": True, "audioblock": False}}
            def start(self, ctx):
                self.ctx = ctx
                {setup or "pass"}
            def poll_link_tx(self, budget):
                if self.ctx.now_ms() % 100: return []
                return [{draw}]
            def on_link_rx(self, sdu): pass
        """
    )
    done = drybox_command("drybox", ["check", adapter, "--seeds", "2"])
    assert done.returncode == 3, done.stdout
    line = next(line for line in done.stdout.splitlines() if "determinism" in line)
    assert line.startswith("FAIL"), line
    assert f"{named} (adapter_0.py:" in line


def test_seeded_randomness_passes(write_adapter: WriteAdapter, drybox_command: Command) -> None:
    adapter = write_adapter(
        """
        import random

        class Adapter:
            def nade_capabilities(self):
                return {"abi_version": "1.0", "bytelink": True, "audioblock": False}
            def start(self, ctx):
                self.ctx, self.own = ctx, random.Random(5)
            def poll_link_tx(self, budget):
                if self.ctx.now_ms() % 100: return []
                return [random.randbytes(3) + self.own.randbytes(3) + self.ctx.rng.randbytes(3)]
            def on_link_rx(self, sdu): pass
        """
    )
    done = drybox_command("drybox", ["check", adapter, "--seeds", "2"])
    assert done.returncode == 0, done.stdout
