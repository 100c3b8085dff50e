"""Encrypted objects in a folder, each under the SHA3-256 of its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drywire import _native
from drywire._native import STCWrapper

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._checks import PathLike

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BinaryStorage"]


class BinaryStorage(_checks.Unique):
    """A content-addressed store in a local folder, which is made by the first call.

    Equal bytes have equal addresses and are kept once. An object is on the disk when `store`
    returns. Any number of tasks, threads and processes may use one folder at a time. `capacity`
    limits the bytes of all files together.

    Errors are `STTStorageError`, whose message names the object.
    """

    def __init__(
        self,
        stc_wrapper: STCWrapper,
        storage_dir: PathLike = Path(".storage"),
        *,
        capacity: int | None = None,
    ) -> None:
        self._path = _checks.path(storage_dir, "storage_dir")
        self._native = _native.SttStorage(stc_wrapper, self._path, capacity)

    @property
    def storage_dir(self) -> Path:
        """The folder."""
        return self._path

    async def store(self, data: Buffer) -> str:
        """Store bytes; their address, 64 hex digits. Cancelled, nothing readable is left behind."""
        return await self._native.store(data)

    async def retrieve(self, hash_address: str) -> bytes:
        """The bytes of an address, all of them authentic.

        Raises `STTNotFoundError`, and `STTStorageError` if they are damaged.
        """
        return await self._native.retrieve(hash_address)

    async def exists(self, hash_address: str) -> bool:
        """Whether an object is there. Says nothing about its state: see `verify`."""
        return await self._native.exists(hash_address)

    async def store_stream(self, source: AsyncIterable[Buffer]) -> str:
        """Store what `source` gives, of any length in bounded memory; its address.

        If `source` raises, nothing is stored.
        """
        if not isinstance(source, AsyncIterable):
            raise _checks.wrong("source", "an async iterable", source)
        writer = await self._native.writer()
        async for piece in source:
            await writer.write(piece)
        return await writer.finish()

    async def retrieve_stream(self, hash_address: str) -> AsyncIterator[bytes]:
        """The bytes of an address piece by piece in bounded memory, each piece authentic."""
        reader = await self._native.reader(hash_address)
        while (piece := await reader.next()) is not None:
            yield piece

    async def verify(self, hash_address: str) -> int:
        """Read an object, compute its SHA3-256 again, and give its size in bytes."""
        return await self._native.verify(hash_address)

    async def remove(self, hash_address: str) -> bool:
        """Remove an object, also a damaged one; says whether it was there."""
        return await self._native.remove(hash_address)

    async def list(self) -> dict[str, int]:
        """Every address with the object's size in bytes. Raises if a manifest is damaged."""
        return dict(await self._native.entries())

    async def stats(self) -> dict[str, Any]:
        """`objects`, `blobs` (files beside the manifests) and `bytes` of all files."""
        return await self._native.stats()

    async def collect(self) -> dict[str, Any]:
        """Delete what puts that never ended have left, if a day old: `blobs`, `bytes`, `staged`."""
        return await self._native.collect()

    def __repr__(self) -> str:
        return f"<BinaryStorage {str(self._path)!r}>"
