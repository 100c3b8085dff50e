"""What a run gives back."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from drywire import _native

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Result", "SweepPoint", "SweepResult", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """Whether a run met the scenario's acceptance thresholds."""

    passed: bool
    """False when a threshold was missed; true also where the scenario has none."""
    checks: tuple[dict[str, Any], ...]
    """The thresholds, one dict each, as in `summary.json`: what was measured and required."""

    def __bool__(self) -> bool:
        return self.passed


class Result:
    """The outcome of one run.

    Metrics and events are read from the outputs when first asked for, and kept.
    """

    exit_code: int
    """0, or 2 where a threshold was missed: what `drybox run` would have ended with."""
    verdict: Verdict
    """The acceptance verdict."""
    summary: dict[str, Any]
    """The contents of `summary.json` (`docs/spec/outputs.md`, section 5)."""
    out: pathlib.Path | None
    """The folder with the outputs; None when they are in memory only."""

    def __init__(
        self,
        summary: str,
        out: pathlib.Path | None,
        metrics: bytes | None,
        events: bytes | None,
    ) -> None:
        self.summary = json.loads(summary)
        self.exit_code = self.summary["exit_code"]
        self.verdict = _verdict(self.summary["verdict"])
        self.out = out
        self._metrics_csv = metrics
        self._events_jsonl = events
        self._metrics: dict[str, npt.NDArray[Any]] | None = None
        self._events: list[dict[str, Any]] | None = None

    @property
    def metrics(self) -> dict[str, npt.NDArray[Any]]:
        """`metrics.csv` as one array per column, all of the same length, in the file's order.

        `t_ms` is int64; `side`, `layer` and `event` hold str objects; the others are float64, NaN
        where the column does not apply to the row. `pandas.DataFrame(result.metrics)` is a frame.

        Raises `OSError` when the file is gone and `ValueError` when it was changed into another.
        """
        if self._metrics is None:
            source = self._metrics_csv if self.out is None else self.out / "metrics.csv"
            assert source is not None  # one of the two is there: _run.py
            self._metrics = _native.read_metrics(source)
            self._metrics_csv = None
        return self._metrics

    @property
    def events(self) -> list[dict[str, Any]]:
        """`events.jsonl` in order: dicts with `t_ms` (int), `side` ("L" or "R"), `type`, `payload`.

        Raises `OSError` when the file is gone.
        """
        if self._events is None:
            lines: bytes | None = self._events_jsonl
            if self.out is not None:
                lines = (self.out / "events.jsonl").read_bytes()
            assert lines is not None  # one of the two is there: _run.py
            # By LF alone: JSON strings may hold other line separators.
            self._events = [json.loads(line) for line in lines.split(b"\n") if line]
            self._events_jsonl = None
        return self._events

    def __repr__(self) -> str:
        verdict = "passed" if self.verdict.passed else "missed"
        where = "in memory" if self.out is None else str(self.out)
        return f"<drybox.Result {verdict}, {self.summary['ended_at_ms']} ms, {where}>"


@dataclass(frozen=True)
class SweepPoint:
    """One value of a sweep, or one combination of values."""

    name: str
    """Such as `snr_5`: also the folder of its outputs."""
    result: Result
    """Its outcome."""


class SweepResult(Sequence[SweepPoint]):
    """The outcomes of a sweep, in the order of its values."""

    def __init__(self, points: Sequence[SweepPoint]) -> None:
        self._points = tuple(points)

    @property
    def passed(self) -> bool:
        """Whether every value met the thresholds."""
        return all(point.result.verdict.passed for point in self._points)

    @property
    def exit_code(self) -> int:
        """The worst of the values: 0 or 2."""
        return max((point.result.exit_code for point in self._points), default=0)

    @overload
    def __getitem__(self, index: int) -> SweepPoint: ...
    @overload
    def __getitem__(self, index: slice) -> SweepResult: ...
    def __getitem__(self, index: int | slice) -> SweepPoint | SweepResult:
        if isinstance(index, slice):
            return SweepResult(self._points[index])
        return self._points[index]

    def __len__(self) -> int:
        return len(self._points)

    def __repr__(self) -> str:
        passed = sum(point.result.verdict.passed for point in self._points)
        return f"<drybox.SweepResult {passed} of {len(self)} passed>"


def _verdict(summary: dict[str, Any] | None) -> Verdict:
    if summary is None:
        return Verdict(passed=True, checks=())
    return Verdict(passed=summary["passed"], checks=tuple(summary["checks"]))
