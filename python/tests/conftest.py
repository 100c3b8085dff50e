"""What the tests share: scenarios, adapters and the installed commands."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Sequence
from typing import Any, Callable

import pytest

HERE = pathlib.Path(__file__).parent
DOCUMENT = HERE / "document"

WriteAdapter = Callable[[str], str]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def byte_scenario(duration_ms: int = 3000, **more: Any) -> dict[str, Any]:
    """A Mode A scenario with loss, jitter and reordering."""
    network = {"bearer": "volte_evs", "latency_ms": 60, "jitter_ms": 20, "loss_rate": 0.05}
    return {"mode": "byte", "duration_ms": duration_ms, "seed": 5, "network": network, **more}


def audio_scenario(duration_ms: int = 1000, **more: Any) -> dict[str, Any]:
    """A Mode B scenario with noise and a vocoder."""
    modem = {"vocoder": "amr12k2_mock", "channel_type": "awgn", "snr_db": 20}
    return {
        "mode": "audio",
        "duration_ms": duration_ms,
        "seed": 5,
        "network": {"bearer": "volte_evs"},
        "left": {"modem": modem},
        "right": {"modem": modem},
        **more,
    }


def outputs(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file below `folder` with its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def program(name: str) -> str:
    """The installed command `name`."""
    found = pathlib.Path(sysconfig.get_path("scripts")) / name
    assert found.exists(), f"{found} is not installed"
    return str(found)


def environment(**more: str) -> dict[str, str]:
    """This process's environment, without what would change a run."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONHASHSEED", "PYTHONPATH")}
    return {**clean, **more}


@pytest.fixture
def write_adapter(tmp_path: pathlib.Path) -> WriteAdapter:
    """Write an adapter's source into a file of its own and return the path."""
    written: list[pathlib.Path] = []

    def write(source: str) -> str:
        path = tmp_path / f"adapter_{len(written)}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        written.append(path)
        return str(path)

    return write


@pytest.fixture
def drybox_command(tmp_path: pathlib.Path) -> Command:
    """Run an installed command in an empty folder."""
    where = tmp_path / "cwd"
    where.mkdir()

    def run(name: str, arguments: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(name), *arguments],
            cwd=where,
            env=environment(**more),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


def python(source: str, *arguments: str, cwd: pathlib.Path | None = None) -> str:
    """Run a program in a fresh interpreter; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    return done.stdout
