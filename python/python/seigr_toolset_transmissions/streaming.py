"""Stream codecs: bytes of any meaning to sealed segments and back.

`BinaryStreamEncoder` and `BinaryStreamDecoder` are for links that lose order, `StreamEncoder` and
`StreamDecoder` for those that keep it. A `StreamContext` tells no direction: use one stream id for
each.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from drywire import _native
from drywire._native import StreamContext

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions.errors import STTStreamError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BinaryStreamDecoder", "BinaryStreamEncoder", "StreamDecoder", "StreamEncoder"]

# What is sealed at a time of a long piece: bounds what the encoder holds ready.
_STRIDE = 1 << 20
# The most plaintext of a segment.
_MOST = 1 << 24


class BinaryStreamEncoder(_checks.Unique):
    """Cuts bytes into segments and seals each: `async for sequence, segment in encoder`.

    `data_source` is bytes-like, or an async iterable of such. `segment_size` is the most plaintext
    of a segment, 1 to 16,777,216 bytes; the segment is 33 bytes longer. `"bounded"` fills every
    segment but the last; `"live"` sends what the source gives at once, and the end as an empty
    segment. Sequence numbers count from 0.

    An encoder is iterated once. If the source raises, that error comes out and the stream has no
    end, so that its receiver notices.

    Raises `STTStreamError` for another size, `ValueError` for another mode.
    """

    def __init__(
        self,
        data_source: Buffer | AsyncIterable[Buffer],
        stc_context: StreamContext,
        mode: Literal["live", "bounded"] = "bounded",
        segment_size: int = 1400,
    ) -> None:
        if _checks.text(mode, "mode") not in ("live", "bounded"):
            raise ValueError(f"mode is {mode!r}, it takes 'live' or 'bounded'")
        self._native = _native.SttStreamEncoder(stc_context, mode == "live", segment_size)
        if isinstance(data_source, AsyncIterable):
            source = data_source
        else:
            try:
                memoryview(data_source)
                source = _once(data_source)
            except TypeError:
                wanted = "a bytes-like object or an async iterable"
                raise _checks.wrong("data_source", wanted, data_source) from None
        self._segments = self._run(source)

    async def _run(self, source: AsyncIterable[Buffer]) -> AsyncIterator[tuple[int, bytes]]:
        async for piece in source:
            for part in _parts(piece):
                for segment in self._native.push(part):
                    yield segment
        yield self._native.finish()

    def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        return self._segments

    async def __anext__(self) -> tuple[int, bytes]:
        return await self._segments.__anext__()


async def _once(data: Buffer) -> AsyncIterator[Buffer]:
    yield data


def _parts(data: Buffer) -> Iterator[Buffer]:
    """`data` in parts of `_STRIDE` bytes."""
    if isinstance(data, bytes) and len(data) <= _STRIDE:
        yield data
        return
    view = memoryview(data)
    # An empty view of several dimensions can't be cast.
    castable = view.c_contiguous and view.nbytes
    flat = view.cast("B") if castable else memoryview(view.tobytes())
    for start in range(0, len(flat), _STRIDE):
        yield flat[start : start + _STRIDE]


class BinaryStreamDecoder(_checks.Unique):
    """Takes the segments of one encoder in any order, and gives the bytes in theirs.

    Segments that wait for earlier ones take `reorder_bytes` at most (64 MiB by default), bytes in
    order that nobody has taken `ready_bytes` (1 GiB); what passes that is refused and may be sent
    again later. `async for piece in decoder` gives the bytes as they come into order.
    """

    def __init__(
        self,
        stc_context: StreamContext,
        *,
        reorder_bytes: int | None = None,
        ready_bytes: int | None = None,
    ) -> None:
        self._native = _native.SttStreamDecoder(stc_context, reorder_bytes, ready_bytes)

    def receive_segment(self, encrypted_bytes: Buffer, sequence: int) -> None:
        """Take a segment; one that was there already is ignored.

        Raises `STTCryptoError` if it is not authentic, `STTStreamError` if there is no room for it,
        it lies past the end, or the decoder is closed. The decoder stays usable.
        """
        self._native.receive_segment(encrypted_bytes, sequence)

    async def receive_all(self) -> bytes:
        """Wait for all segments; the bytes that were not taken before.

        Raises `STTStreamError` if the decoder is closed before the end.
        """
        return await self._native.receive_all()

    async def read(self) -> bytes | None:
        """Wait for bytes in order and take all there are; None at the end of the stream."""
        return await self._native.read()

    def close(self) -> None:
        """No more segments come: whoever waits learns which one is missing."""
        self._native.close()

    @property
    def is_complete(self) -> bool:
        """Whether every segment has arrived."""
        return self._native.is_complete

    @property
    def missing(self) -> int:
        """The number of the first segment that is missing."""
        return self._native.missing

    def __aiter__(self) -> BinaryStreamDecoder:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._native.read()
        if piece is None:
            raise StopAsyncIteration
        return piece


class StreamEncoder:
    """Seals whole messages as chunks in order, each of `chunk_size` plaintext bytes."""

    def __init__(self, stc_context: StreamContext, chunk_size: int = 65536) -> None:
        size = _checks.integer(chunk_size, "chunk_size")
        if not 1 <= size <= _MOST:
            raise STTStreamError(f"chunk_size is {size}, it takes 1 to {_MOST}")
        # Checks the other one.
        _native.SttStreamEncoder(stc_context, False, size)
        self._context, self._size = stc_context, size

    def encode_bytes(self, data: Buffer) -> Iterator[bytes]:
        """The chunks of one message, sealed as they are asked for; the last one tells the end."""
        try:
            memoryview(data)
        except TypeError:
            raise _checks.wrong("data", "a bytes-like object", data) from None
        return self._chunks(data)

    def _chunks(self, data: Buffer) -> Iterator[bytes]:
        encoder = _native.SttStreamEncoder(self._context, False, self._size)
        for part in _parts(data):
            for _, chunk in encoder.push(part):
                yield chunk
        yield encoder.finish()[1]


class StreamDecoder:
    """Opens what a `StreamEncoder` has sealed."""

    def __init__(self, stc_context: StreamContext) -> None:
        # Checks the argument.
        _native.SttChunkOpener(stc_context)
        self._context = stc_context

    def decode_bytes(self, encrypted_chunks: Iterable[Buffer]) -> Iterator[bytes]:
        """The plaintext of each chunk, in order, in bounded memory.

        Raises `STTCryptoError` for a chunk that is not the next of this message, and
        `STTStreamError` if one follows the last or, at the end, if the last is missing: what was
        given before is then a part only.
        """
        if not isinstance(encrypted_chunks, Iterable):
            wanted = "an iterable of bytes-like objects"
            raise _checks.wrong("encrypted_chunks", wanted, encrypted_chunks)
        return self._pieces(encrypted_chunks)

    def _pieces(self, encrypted_chunks: Iterable[Buffer]) -> Iterator[bytes]:
        opener = _native.SttChunkOpener(self._context)
        for chunk in encrypted_chunks:
            yield opener.open(chunk)
        opener.finish()

    def decode_to_bytes(self, encrypted_chunks: Iterable[Buffer]) -> bytes:
        """The message whose chunks these are, all of them, in order; as `decode_bytes`."""
        return b"".join(self.decode_bytes(encrypted_chunks))
