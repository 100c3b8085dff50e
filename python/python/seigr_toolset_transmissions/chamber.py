"""Keys and what is to be known of sessions, encrypted in one file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from drywire import _native
from drywire._native import STCWrapper

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._checks import PathLike
from seigr_toolset_transmissions.errors import STTChamberError
from seigr_toolset_transmissions.utils.serialization import deserialize_stt, serialize_stt

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Chamber"]


class Chamber(_checks.Unique):
    """The chamber of a node: one encrypted file.

    `chamber_path` is that file; if it is a folder, the file `chamber.stt` in it. Missing folders
    are made. `node_id` has 32 bytes. Every change is on the disk when its call returns; calls block
    while the disk works. One process at a time has a chamber open; in it any number of threads may
    use it. `close()`, or leaving a `with` block, lets go of it.

    Raises `STTChamberError`: in use elsewhere, made with another seed or for another node, damaged,
    or the file system fails.
    """

    def __init__(self, chamber_path: PathLike, node_id: Buffer, stc_wrapper: STCWrapper) -> None:
        self._path = chamber_file(chamber_path)
        self._native = _native.SttChamber(self._path, node_id, stc_wrapper)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def is_closed(self) -> bool:
        """Whether `close()` was called."""
        return self._native.is_closed

    def store_key(self, key_id: str, key_data: Buffer) -> None:
        """Store a key (16 MiB at most) under a name, in place of the one that was there.

        A name is any text of up to 4,096 bytes of UTF-8. Raises `STTChamberError`.
        """
        self._native.put(False, _name(key_id, "key_id"), key_data)

    def retrieve_key(self, key_id: str) -> bytes | None:
        """The key of this name, None if there is none. Raises `STTChamberError` if damaged."""
        return self._native.get(False, _name(key_id, "key_id"))

    def delete_key(self, key_id: str) -> bool:
        """Remove a key, also a damaged one; says whether it was there."""
        return self._native.remove(False, _name(key_id, "key_id"))

    def list_keys(self) -> list[str]:
        """The names of all keys, sorted. Raises `STTChamberError` if one is damaged."""
        return self._native.names(False)

    def store_session(self, session_id: str, session_data: dict[str, Any]) -> None:
        """Store what is to be known of a session, in place of what was there.

        The dict holds what `serialize_stt` can write. Raises `STTChamberError`.
        """
        if not isinstance(session_data, dict):
            raise _checks.wrong("session_data", "'dict'", session_data)
        data = serialize_stt(session_data)
        self._native.put(True, _name(session_id, "session_id"), data)

    def retrieve_session(self, session_id: str) -> dict[str, Any] | None:
        """What was stored of a session, None if nothing. Raises `STTChamberError` if damaged."""
        data = self._native.get(True, _name(session_id, "session_id"))
        if data is None:
            return None
        session = deserialize_stt(data)
        if not isinstance(session, dict):
            raise STTChamberError(f"session {session_id!r} in {self._path} is no dict", "damaged")
        return session

    def delete_session(self, session_id: str) -> bool:
        """Remove a session, also a damaged one; says whether it was there."""
        return self._native.remove(True, _name(session_id, "session_id"))

    def list_sessions(self) -> list[str]:
        """The names of all sessions, sorted. Raises `STTChamberError` if one is damaged."""
        return self._native.names(True)

    def check(self) -> int:
        """Read the whole file and open every entry; how many there are.

        Raises `STTChamberError` for the first damage.
        """
        return self._native.check()

    def close(self) -> None:
        """Let go of the file. Further calls raise `STTChamberError`."""
        self._native.close()

    def __enter__(self) -> Chamber:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Chamber {str(self._path)!r}>"


def _name(name: str, argument: str) -> str:
    """A name that can be written as UTF-8; a lone surrogate can't."""
    try:
        _checks.text(name, argument).encode()
    except UnicodeEncodeError as error:
        raise STTChamberError(f"{argument} {name!r}: {error}", "limit") from None
    return name


def chamber_file(chamber_path: PathLike) -> Path:
    """The file that a chamber's path means; its folder is made."""
    path = _checks.path(chamber_path, "chamber_path")
    try:
        if path.is_dir():
            path = path / "chamber.stt"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise STTChamberError(f"making the folder of chamber {path}: {error}") from error
    return path
