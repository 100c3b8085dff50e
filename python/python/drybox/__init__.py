"""DryBox: a deterministic bench in which two adapters meet over a simulated link.

    >>> import drybox
    >>> result = drybox.run("scenario.yaml", left="adapter.py:Adapter", right="adapter.py:Adapter")
    >>> result.verdict.passed
    True

Importing this package loads nothing but the compiled module: numpy comes with the first audio block
or the first look at `Result.metrics`.
"""

from __future__ import annotations

# Not imported from typing, which takes longer to load than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from drywire import __version__ as __version__

    from drybox import adapters as adapters
    from drybox import crypto as crypto
    from drybox._result import Result as Result
    from drybox._result import SweepPoint as SweepPoint
    from drybox._result import SweepResult as SweepResult
    from drybox._result import Verdict as Verdict
    from drybox._run import run as run
    from drybox._run import sweep as sweep
    from drybox.errors import DryBoxError as DryBoxError
    from drybox.errors import EndpointError as EndpointError
    from drybox.errors import OutputError as OutputError
    from drybox.errors import ScenarioError as ScenarioError

__all__ = [
    "DryBoxError",
    "EndpointError",
    "OutputError",
    "Result",
    "ScenarioError",
    "SweepPoint",
    "SweepResult",
    "Verdict",
    "__version__",
    "adapters",
    "crypto",
    "run",
    "sweep",
]

# Where each name lives. Looked up on first use: the commands import this package in every run.
_HOMES = {
    "DryBoxError": "drybox.errors",
    "EndpointError": "drybox.errors",
    "OutputError": "drybox.errors",
    "Result": "drybox._result",
    "ScenarioError": "drybox.errors",
    "SweepPoint": "drybox._result",
    "SweepResult": "drybox._result",
    "Verdict": "drybox._result",
    "__version__": "drywire",
    "run": "drybox._run",
    "sweep": "drybox._run",
}
_MODULES = frozenset({"adapters", "crypto", "errors"})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"drybox.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'drybox' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
