"""The reference handshake, Python against Python and Python against native."""

from __future__ import annotations

import drybox
import pytest
from conftest import byte_scenario

PYTHON = "drybox.adapters.pingpong:Adapter"
NATIVE = "native:pingpong"


@pytest.mark.parametrize("left", [PYTHON, NATIVE])
@pytest.mark.parametrize("right", [PYTHON, NATIVE])
def test_both_sides_authenticate(left: str, right: str) -> None:
    acceptance = {"handshake_done": {"within_ms": 3000, "auth": "ok"}}
    result = drybox.run(byte_scenario(5000, acceptance=acceptance), left=left, right=right)
    assert result.verdict.passed, result.verdict
    done = [event for event in result.events if event["type"] == "hs_done"]
    assert {event["side"] for event in done} == {"L", "R"}
    assert all(event["payload"]["auth"] == "ok" for event in done)


def test_python_and_native_behave_alike() -> None:
    runs = [drybox.run(byte_scenario(5000), left=spec, right=spec) for spec in (PYTHON, NATIVE)]
    timelines = [[(e["t_ms"], e["side"], e["type"]) for e in run.events] for run in runs]
    assert timelines[0]
    assert [t for t in timelines[0] if t[2] == "hs_done"]
    assert {t[2] for t in timelines[0]} == {t[2] for t in timelines[1]}
