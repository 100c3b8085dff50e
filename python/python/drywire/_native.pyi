"""What the compiled module offers to the packages of this distribution. Not public API."""

import os
from typing import Any

import numpy.typing as npt

__version__: str

def main(arguments: list[str], /) -> int:
    """Run a command, its name (`drybox` or `drybox-run`) first; returns its exit code."""

def read_metrics(source: bytes | str | os.PathLike[str], /) -> dict[str, npt.NDArray[Any]]:
    """The columns of a `metrics.csv`, given as its bytes or as its path.

    `t_ms` is int64; `side`, `layer` and `event` are objects (str); the others are float64, NaN
    where the file has nothing.

    Raises `OSError` when the file cannot be read and `ValueError` when it is no `metrics.csv`.
    """

class Plan:
    """A scenario with its overrides, read and checked."""

    def __new__(
        cls,
        name: str,
        text: str,
        specs: tuple[str | None, str | None],
        seed: int | None,
        tick_ms: int | None,
    ) -> Plan:
        """Read `text`, the scenario called `name` in messages.

        `specs` (left, right), `seed` and `tick_ms` beat the scenario's where they are not None.

        Raises `ScenarioError`.
        """

    @property
    def is_sweep(self) -> bool:
        """Whether the outputs go into one folder per point."""

    @property
    def points(self) -> list[str | None]:
        """The folders of the points, in order; None for a scenario without a sweep."""

    def run(
        self,
        point: str | None,
        base: os.PathLike[str],
        out: os.PathLike[str] | None,
        objects: tuple[Any, Any],
    ) -> tuple[str, bytes | None, bytes | None]:
        """Run one point: `(summary.json, metrics.csv, events.jsonl)`.

        The latter two only when there is no `out`. `base` is the folder to which key files are
        relative. `objects` (left, right) are classes or objects to use instead of what the specs
        name.

        Raises `ScenarioError`, `EndpointError`, `OutputError`, and KeyboardInterrupt after the
        outputs are written.
        """

def ed25519_public(private: bytes, /) -> bytes:
    """The 32-byte public key of a 32-byte private seed.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_sign(private: bytes, message: bytes, /) -> bytes:
    """Sign `message` with a 32-byte private seed: 64 bytes, the same for the same arguments.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_verify(public: bytes, message: bytes, signature: bytes, /) -> bool:
    """Whether `signature` is `public`'s over `message`, by the strict rules.

    Wrong lengths are a plain `False`, as bytes off a link are.
    """

def st_verbs() -> list[tuple[int, str, str, int, int]]:
    """Byte, mnemonic, name, level and remote level of every verb of st-protocol."""

def st_encode(verb: int, payload: bytes, /) -> bytes:
    """The wire form of a frame."""

def st_decode(data: bytes, /) -> tuple[int, bytes]:
    """The verb's byte and the payload of the one frame that `data` is."""

def st_read_lbytes(payload: bytes, at: int, /) -> tuple[int, int]:
    """Where the length-prefixed field at `at` starts, and where it ends."""

def st_address_decode(data: bytes, /) -> tuple[str, int | None, str | None, int]:
    """The kind, index, text and length of the address at the head of `data`."""

def st_address_encode(kind: str, index: int | None, text: str | None, /) -> bytes:
    """The wire form of an address."""

class StDecoder:
    """A push decoder for frames."""

    def __new__(cls, max_payload: int, resync: bool) -> StDecoder: ...
    @property
    def skipped_count(self) -> int: ...
    @property
    def skipped_bytes(self) -> int: ...
    def push(self, data: bytes, /) -> tuple[list[tuple[int, bytes]], list[tuple[int, int, str]]]:
        """The frames that `data` completes, and what was skipped."""
    def finish(self) -> None:
        """Raise if the stream may not end here."""
