"""Notes which clocks and unseeded random sources adapters use: `drybox check` names them.

A run repeats only if its adapters take time from `t_ms` and chance from `ctx.rng`.
"""

from __future__ import annotations

import os
import random
import sys
import sysconfig
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_MAX_USES = 1000
_uses: dict[str, None] = {}
_originals: list[tuple[Any, str, Any]] = []
# Whoever asks from here is not the adapter: it asks on somebody's behalf.
_ELSEWHERE = tuple(
    os.path.join(os.path.realpath(folder), "")
    for folder in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    }
    if folder
)


def watch(on: bool) -> None:
    """Begin to note what is used from now on, or stop."""
    while _originals:
        setattr(*_originals.pop())
    _uses.clear()
    if not on:
        return
    for module, names in (
        (os, ("urandom", "getrandom")),
        (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")),
        (time, ("process_time", "process_time_ns", "sleep")),
    ):
        for name in names:
            if hasattr(module, name):
                _replace(module, name, _noting(f"{module.__name__}.{name}", getattr(module, name)))
    # The copies that the standard library made of os.urandom for SystemRandom and secrets.
    _replace(random, "_urandom", _noting("random.SystemRandom", os.urandom.__wrapped__))  # type: ignore[attr-defined]
    _replace(random.Random, "seed", _unseeded("random.Random", random.Random.seed, 1))
    # A bound method of a generator made long ago, which the class's does not reach.
    _replace(random, "seed", _unseeded("random.seed", random.seed, 0))
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        for name in ("default_rng", "seed", "RandomState"):
            original = getattr(numpy, name)
            if not isinstance(original, type):
                _replace(numpy, name, _unseeded(f"numpy.random.{name}", original, 0))


def take() -> list[str]:
    """What was used since this was last asked: `source (file:line)`, each once, in order."""
    uses = list(_uses)
    _uses.clear()
    return uses


def _replace(owner: Any, name: str, value: Any) -> None:
    _originals.append((owner, name, getattr(owner, name)))
    setattr(owner, name, value)


def _noting(source: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*args: Any, **kwargs: Any) -> Any:
        _note(source)
        return function(*args, **kwargs)

    noting.__wrapped__ = function  # type: ignore[attr-defined]
    return noting


def _unseeded(source: str, function: Callable[..., Any], skip: int) -> Callable[..., Any]:
    """Notes calls whose seed, the argument after `skip` others, is missing or None."""

    def noting(*args: Any, **kwargs: Any) -> Any:
        seeds = [*args[skip:], *kwargs.values()]
        if not seeds or seeds[0] is None:
            _note(f"{source}()")
        return function(*args, **kwargs)

    return noting


def _note(source: str) -> None:
    frame = sys._getframe(2)
    while frame is not None:
        file = os.path.realpath(frame.f_code.co_filename)
        if not file.startswith(_ELSEWHERE) and not frame.f_code.co_filename.startswith("<"):
            if frame.f_code.co_filename != "drybox/_host.py" and len(_uses) < _MAX_USES:
                _uses[f"{source} ({os.path.basename(file)}:{frame.f_lineno})"] = None
            return
        frame = frame.f_back  # type: ignore[assignment]
