"""The users' document's two examples run as printed, by path and as classes."""

from __future__ import annotations

import importlib.util
import pathlib
from types import ModuleType

import drybox
import numpy as np
import pytest
from conftest import DOCUMENT, audio_scenario, byte_scenario, outputs


def load(path: pathlib.Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mode_a_example() -> None:
    path = str(DOCUMENT / "mode_a.py")
    result = drybox.run(byte_scenario(), left=path, right=f"{path}:Adapter")
    assert result.exit_code == 0
    assert result.verdict.passed
    sent = result.summary["directions"]["L>R"]["sdus"]["sent"]
    assert sent == 7  # a PING at 0, 500 … 3000 ms
    rx = result.metrics["event"] == "rx"
    assert np.count_nonzero(rx & (result.metrics["layer"] == "bytelink")) > 0


def test_mode_b_example() -> None:
    path = str(DOCUMENT / "mode_b.py")
    result = drybox.run(audio_scenario(), left=path, right=path)
    assert result.exit_code == 0
    snr = result.metrics["snr_db_est"]
    measured = snr[~np.isnan(snr)]
    assert len(measured) > 50
    # 20 dB asked for; the estimate of one block of 160 samples scatters by some 0.5 dB, the mean of
    # 90 by 0.05 dB.
    assert abs(float(measured.mean()) - 20) < 0.5


@pytest.mark.parametrize(
    ("example", "scenario"), [("mode_a", byte_scenario()), ("mode_b", audio_scenario())]
)
def test_a_class_gives_the_same_run_as_its_path(
    tmp_path: pathlib.Path, example: str, scenario: dict[str, object]
) -> None:
    path = DOCUMENT / f"{example}.py"
    drybox.run(scenario, left=str(path), right=str(path), out=tmp_path / "path")
    adapter = load(path).Adapter
    # The printed examples announce their capabilities in the module.
    import sys

    sys.modules[adapter.__module__] = load(path)
    try:
        drybox.run(scenario, left=adapter, right=adapter, out=tmp_path / "class")
    finally:
        del sys.modules[adapter.__module__]
    assert outputs(tmp_path / "path") == outputs(tmp_path / "class")
