"""One list of behaviours, in process and as a sidecar: the same outputs and the same words.

The adapter is that of the Rust conformance suite, which runs the same list against sidecars.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import Command, environment, outputs

DRYWIRE = os.environ.get("DRYWIRE_BIN", "")
ADAPTERS = pathlib.Path(__file__).parents[2] / "crates/drywire/tests/conformance/adapters"
MISBEHAVING = str(ADAPTERS / "misbehaving.py")
SCENARIO = {
    "duration_ms": 100,
    "seed": 1,
    "budget": 4,
    "network": {"bearer": "ott_udp", "latency_ms": 0, "jitter_ms": 0, "loss_rate": 0},
}
BYTE_CALLBACKS = ["load", "init", "start", "on_timer", "poll_link_tx", "on_link_rx"]
AUDIO_CALLBACKS = ["pull_tx_block", "push_rx_block"]
POLLS = ["none", "tuple", "pairs", "buffers", "longest"]
WRONG_POLLS = ["str", "bytes", "zero", "generator", "deque", "str_item", "none_item"]
WRONG_POLLS += ["over_budget", "too_long"]
WRONG_BLOCKS = ["list", "float", "big_endian", "short", "column", "strided"]

CASES = [
    *(
        ("byte", {"behave": how, "where": at}, 3)
        for how in ("raise", "exit")
        for at in BYTE_CALLBACKS
    ),
    *(("audio", {"behave": "raise", "where": at}, 3) for at in AUDIO_CALLBACKS),
    ("byte", {"behave": "interrupt", "where": "on_timer"}, 130),
    *(("byte", {"behave": how}, 0) for how in POLLS),
    *(("byte", {"behave": how}, 3) for how in WRONG_POLLS),
    *(("audio", {"block": how}, 0) for how in ("none", "good")),
    *(("audio", {"block": how}, 3) for how in WRONG_BLOCKS),
]


@pytest.mark.skipif(not DRYWIRE, reason="DRYWIRE_BIN names the drywire command to compare with")
@pytest.mark.parametrize(
    ("mode", "settings", "code"),
    [pytest.param(*case, id="-".join([case[0], *case[1].values()])) for case in CASES],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_in_process_and_sidecar_agree(
    drybox_command: Command,
    tmp_path: pathlib.Path,
    side: str,
    mode: str,
    settings: dict[str, str],
    code: int,
) -> None:
    scenario = {"mode": mode, **SCENARIO, side: settings}
    path = tmp_path / "scenario.yaml"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    arguments = ["run", str(path), "--left", MISBEHAVING, "--right", MISBEHAVING, "--json"]
    wheel = drybox_command("drybox", [*arguments, "--out", str(tmp_path / "wheel")])
    binary = subprocess.run(
        [DRYWIRE, "box", *arguments, "--out", str(tmp_path / "binary")],
        capture_output=True,
        encoding="utf-8",
        env=environment(DRYBOX_PYTHON=sys.executable),
        timeout=120,
        check=False,
    )
    assert wheel.returncode == code, wheel.stderr
    assert binary.returncode == code, binary.stderr
    assert wheel.stdout == binary.stdout
    assert outputs(tmp_path / "wheel") == outputs(tmp_path / "binary")
    if code == 3:
        error = json.loads(wheel.stdout)["error"]
        assert f"{side} adapter" in error
        assert "misbehaving.py" in error
