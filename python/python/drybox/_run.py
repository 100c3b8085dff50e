"""Running scenarios from Python."""

from __future__ import annotations

import inspect
import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Union

from drywire import _native

from drybox._result import Result, SweepPoint, SweepResult
from drybox.errors import ScenarioError

__all__ = ["run", "sweep"]

ScenarioLike = Union[str, "os.PathLike[str]", Mapping[str, Any]]
PathLike = Union[str, "os.PathLike[str]"]


def run(
    scenario: ScenarioLike,
    left: Any = None,
    right: Any = None,
    out: PathLike | None = None,
    seed: int | None = None,
    tick_ms: int | None = None,
) -> Result:
    """Run a scenario and judge it.

    `scenario`: the path of a YAML file, or its contents as a dict.

    `left`, `right`: the adapters, instead of the scenario's. A spec string as on the command
    line (`"path/to/adapter.py:Class"`, `"package.module:Class"`, `"native:pingpong"`,
    `"cmd:program"`), a class or other callable that makes one, or an adapter object. An object is
    used as it is: run it once.

    `out`: the folder for the outputs, created if need be; None keeps metrics and events in memory.
    `seed` (0 to 2**64 - 1) and `tick_ms` (1 to 1000) beat the scenario's.

    The adapters run in this process, on this thread. Results repeat bit by bit as far as the
    adapters do: the order of a `set` of strings in Python depends on `PYTHONHASHSEED`, which the
    commands fix and this function cannot.

    Raises `ScenarioError` for an invalid scenario or argument, `EndpointError` when an adapter
    fails, `OutputError` when outputs cannot be written. A missed threshold is no exception: see
    `Result.verdict`. KeyboardInterrupt leaves readable outputs behind.
    """
    plan = _Plan(scenario, left, right, seed, tick_ms)
    if plan.is_sweep:
        raise ScenarioError(f"{plan.name}: the scenario is a sweep: use drybox.sweep()")
    return plan.run(None, None if out is None else pathlib.Path(out))


def sweep(
    scenario: ScenarioLike,
    left: Any = None,
    right: Any = None,
    out: PathLike | None = None,
    seed: int | None = None,
    tick_ms: int | None = None,
) -> SweepResult:
    """Run every value of a sweep, one after the other; arguments and errors are those of `run`.

    With `out`, each value has a folder of its own in there. Adapters are made anew for each value,
    so they must be spec strings, classes or other callables. Installed modules that adapters import
    stay loaded between values; `drybox run` has a fresh process for each.
    """
    for name, adapter in (("left", left), ("right", right)):
        if adapter is not None and not isinstance(adapter, str) and not callable(adapter):
            raise ScenarioError(
                f"{name}: a sweep needs an adapter for each value: pass the class, not an object"
            )
    plan = _Plan(scenario, left, right, seed, tick_ms)
    folder = None if out is None else pathlib.Path(out)
    points = []
    for point in plan.points:
        where = None if folder is None else folder / point if point else folder
        points.append(SweepPoint(name=point or "", result=plan.run(point, where)))
    return SweepResult(points)


class _Plan:
    """A scenario with its overrides, read and checked."""

    def __init__(
        self,
        scenario: ScenarioLike,
        left: Any,
        right: Any,
        seed: int | None,
        tick_ms: int | None,
    ) -> None:
        if isinstance(scenario, Mapping):
            self.name, self.base = "inline", pathlib.Path()
            text = _serialise(scenario)
        else:
            path = pathlib.Path(scenario)
            self.name, self.base = str(path), path.parent
            text = _read(path)
        self.adapters = (_adapter(left), _adapter(right))
        specs = (_spec(left), _spec(right))
        self._plan = _native.Plan(
            self.name, text, specs, _integer("seed", seed), _integer("tick_ms", tick_ms)
        )
        self.is_sweep = self._plan.is_sweep
        self.points = self._plan.points

    def run(self, point: str | None, out: pathlib.Path | None) -> Result:
        summary, metrics, events = self._plan.run(point, self.base, out, self.adapters)
        return Result(summary, out, metrics, events)


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ScenarioError(f"cannot read the scenario {path}: {cause}") from None


def _serialise(scenario: Mapping[str, Any]) -> str:
    """The scenario as JSON, which is YAML."""
    try:
        return json.dumps(_plain(scenario, 0), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ScenarioError(f"inline: {error}") from None


def _plain(value: Any, depth: int) -> Any:
    if depth > 64:
        raise ValueError("the scenario is nested more than 64 levels deep")
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        # numpy: scalars become numbers, and a swept array a list.
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is out of domain: the scenario's numbers are finite")
    return value


def _integer(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    try:
        number = value.__index__()
    except AttributeError:
        raise ScenarioError(f"{name}: {value!r} is not an integer") from None
    if not 0 <= number < 1 << 64:
        raise ScenarioError(f"{name}: {number} is out of domain; use 0 to 2**64 - 1")
    return number


def _adapter(adapter: Any) -> Any:
    """What the loader is given where the command line's spec is not enough."""
    return None if isinstance(adapter, str) else adapter


def _spec(adapter: Any) -> str | None:
    """How outputs and messages name the adapter; keys are derived from it, too.

    The same for a class as for `file.py:Class` on the command line, so that both give the same run.
    """
    if adapter is None or isinstance(adapter, str):
        return adapter
    kind = adapter if inspect.isclass(adapter) or inspect.isroutine(adapter) else type(adapter)
    try:
        file = pathlib.Path(inspect.getfile(kind)).name
    except (TypeError, OSError):
        file = kind.__module__
    return f"{file}:{kind.__qualname__}"
