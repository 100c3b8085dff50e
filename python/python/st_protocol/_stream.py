"""Frames out of a stream, and addresses."""

from __future__ import annotations

import operator
from collections import deque
from dataclasses import dataclass

from drywire import _native

from st_protocol._errors import AddressError, StProtocolError
from st_protocol._frame import MAX_PAYLOAD_LEN, Frame


@dataclass(frozen=True)
class Skipped:
    """What a resynchronising decoder passed over."""

    start: int
    length: int
    kind: str


class Decoder:
    """A push decoder: takes bytes cut anywhere, gives the frames in them.

    After an error it raises that error for good; with `resync=True` it goes on behind the next END
    instead and notes what it passed over: all of it in `skipped_count` and `skipped_bytes`, the
    last `KEPT` stretches in `skipped`. That is for tools that look on: who acts on frames closes
    the connection.
    """

    KEPT = 64
    """Most stretches in `skipped`, so that no stream makes it grow for ever."""

    def __init__(self, *, max_payload: int = MAX_PAYLOAD_LEN, resync: bool = False) -> None:
        if max_payload < 0:
            raise StProtocolError("max_payload is a number of bytes, 0 or more")
        self._decoder = _native.StDecoder(min(max_payload, MAX_PAYLOAD_LEN), resync)
        self._skipped: deque[Skipped] = deque(maxlen=self.KEPT)

    def push(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes.

        Raises `DecodeError`, whose `frames` are those in front of the error.
        """
        frames, skipped = self._decoder.push(data)
        self._skipped.extend(Skipped(*stretch) for stretch in skipped)
        return [Frame(verb, payload) for verb, payload in frames]

    @property
    def skipped(self) -> list[Skipped]:
        """The last stretches that were passed over, oldest first."""
        return list(self._skipped)

    @property
    def skipped_count(self) -> int:
        """How many stretches were passed over since the start."""
        return self._decoder.skipped_count

    @property
    def skipped_bytes(self) -> int:
        """How many bytes they had together."""
        return self._decoder.skipped_bytes

    def finish(self) -> None:
        """Raise `DecodeError` if the stream may not end here."""
        self._decoder.finish()


@dataclass(frozen=True)
class Address:
    """Who a frame is for, on connections that route."""

    kind: str
    """`local`, `cached`, `inline` or `broadcast`."""
    index: int | None = None
    """Of a cached host: 1 to 127."""
    text: str | None = None
    """Of an inline address: 1 to 126 bytes of UTF-8 without control characters."""

    def __post_init__(self) -> None:
        self.encode()

    def encode(self) -> bytes:
        """The wire form."""
        if self.index is not None and not 1 <= operator.index(self.index) <= 127:
            raise AddressError("a cached host's index is 1 to 127", False)
        try:
            return _native.st_address_encode(self.kind, self.index, self.text)
        except UnicodeEncodeError:
            raise AddressError("an address is UTF-8 text, without lone surrogates", False) from None

    @classmethod
    def decode(cls, data: bytes) -> tuple[Address, int]:
        """The address at the head of `data`, and its length; raises `AddressError`."""
        kind, index, text, length = _native.st_address_decode(data)
        return cls(kind, index, text), length

    @classmethod
    def local(cls) -> Address:
        """The daemon at the other end of the connection."""
        return cls("local")

    @classmethod
    def cached(cls, index: int) -> Address:
        """A host in the receiver's cache."""
        return cls("cached", index)

    @classmethod
    def inline(cls, text: str) -> Address:
        """An address spelt out."""
        return cls("inline", None, text)

    @classmethod
    def broadcast(cls) -> Address:
        """Every daemon."""
        return cls("broadcast")
