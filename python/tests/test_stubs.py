"""What type checkers are told of the compiled module is what it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_stubs_are_true(tmp_path: Path) -> None:
    # All names, as pyo3 lists them; nobody imports them all.
    allowed = tmp_path / "allowed"
    allowed.write_text("drywire._native.__all__\n", encoding="utf-8")
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "--ignore-disjoint-bases"),
            *("--mypy-config-file", "pyproject.toml", "--allowlist", allowed),
            *("drywire._native", "seigr_toolset_transmissions"),
        ],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
