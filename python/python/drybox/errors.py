"""What a run can fail with."""

from __future__ import annotations

__all__ = ["DryBoxError", "EndpointError", "OutputError", "ScenarioError"]


class DryBoxError(Exception):
    """The base of every error that DryBox raises.

    `exit_code` is the code with which the command line ends for the same error.
    """

    exit_code: int = 1


class ScenarioError(DryBoxError):
    """The scenario is not valid, or the arguments contradict it (exit code 4).

    The message names the file, the line and the key.
    """

    exit_code = 4


class EndpointError(DryBoxError):
    """An adapter could not be loaded, raised, or broke the interface (exit code 3)."""

    exit_code = 3

    side: str
    """`"L"` or `"R"`: whose adapter failed."""
    callback: str
    """The callback that failed: `"load"`, `"init"`, `"start"`, `"on_timer"` …"""
    t_ms: int
    """The logical time of the failure in ms."""
    traceback: str | None
    """The adapter's own traceback, where it raised."""

    def __init__(
        self, message: str, side: str, callback: str, t_ms: int, traceback: str | None = None
    ) -> None:
        super().__init__(message)
        self.side = side
        self.callback = callback
        self.t_ms = t_ms
        self.traceback = traceback

    def __reduce__(self) -> tuple[type, tuple[str, str, str, int, str | None]]:
        # Exceptions cross process boundaries in sweeps and test runners.
        return type(self), (str(self), self.side, self.callback, self.t_ms, self.traceback)


class OutputError(DryBoxError):
    """The outputs could not be written: a full disk, an unwritable folder (exit code 1)."""

    exit_code = 1
