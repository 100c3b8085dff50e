"""Sessions with a peer, and the streams on them."""

from __future__ import annotations

import enum
import time
import weakref
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from drywire import _native
from drywire._native import STCWrapper

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._turns import in_order
from seigr_toolset_transmissions.errors import STTClosedError, STTStreamError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from seigr_toolset_transmissions._messages import FramePump
    from seigr_toolset_transmissions.frames import FrameDispatcher
    from seigr_toolset_transmissions.routing import EndpointManager

__all__ = ["STTSession", "STTStream", "SessionState", "StreamManager"]

# From here on `should_rotate_keys` says so. The session itself rotates later, at its own limits.
_ROTATE_BYTES = 1 << 30
_ROTATE_PACKETS = 1 << 20
_ROTATE_SECONDS = 3600.0


class SessionState(enum.IntEnum):
    """Where a session stands."""

    OPEN = 1
    CLOSED = 2


class STTStream(_checks.Unique):
    """A stream of a session: bytes in order, both ways or one.

    `async with stream` finishes what this end sends; `async for piece in stream` reads to the end.
    A stream that nobody refers to any more is finished, and its reading stopped.

    Errors are `STTStreamError` (`kind`: reset, stopped, closed, incomplete, too_long or busy) and
    `STTClosedError`.
    """

    def __init__(
        self, send: _native.SttSendStream | None, recv: _native.SttRecvStream | None
    ) -> None:
        self._send = send
        self._recv = recv
        half = send or recv
        assert half is not None
        self._id = half.id

    @property
    def stream_id(self) -> int:
        """The stream's number, the same at both ends."""
        return self._id

    @property
    def can_write(self) -> bool:
        """Whether this end sends on it."""
        return self._send is not None

    @property
    def can_read(self) -> bool:
        """Whether the peer sends on it."""
        return self._recv is not None

    @property
    def bytes_written(self) -> int:
        """Bytes that were taken for sending so far, also by a `write` that was cancelled."""
        return self._sending().written

    def _sending(self) -> _native.SttSendStream:
        if self._send is None:
            raise STTStreamError("only the peer sends on this stream", "closed")
        return self._send

    def _receiving(self) -> _native.SttRecvStream:
        if self._recv is None:
            raise STTStreamError("only this end sends on this stream", "closed")
        return self._recv

    async def write(self, data: Buffer) -> None:
        """Send all of `data`; waits while the peer or the network is slower.

        Cancelled, it may have taken a part: `bytes_written` tells.
        """
        await in_order(self._sending().write(data))

    def finish(self) -> None:
        """End what this end sends, behind what was written."""
        self._sending().finish()

    async def acknowledged(self) -> None:
        """Wait until the peer has everything, the end as well; call `finish` before.

        Raises `STTStreamError` (stopped) if the peer wants no more.
        """
        code = await self._sending().stopped()
        if code is not None:
            raise STTStreamError(f"stopped by the peer with code {code}", "stopped")

    def reset(self, code: int = 0) -> None:
        """Give up sending: what the peer has not read yet is lost, and it is told `code`."""
        self._sending().reset(code)

    def set_priority(self, priority: int) -> None:
        """What is sent first: higher before lower, equals in turn. Default 0."""
        value = _checks.integer(priority, "priority")
        if not -(1 << 31) <= value < 1 << 31:
            raise STTStreamError(f"priority is {value}, it takes -2^31 to 2^31 - 1")
        self._sending().set_priority(value)

    async def read(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes and take what there is, at most `max_bytes`; `b""` at the end."""
        return await self._receiving().read(max_bytes)

    async def read_exactly(self, count: int) -> bytes:
        """Wait for exactly `count` bytes. Cancelled, or ended too early, none are taken."""
        return await self._receiving().read_exactly(count)

    async def read_to_end(self, limit: int = 16 << 20) -> bytes:
        """Everything up to the end; raises `STTStreamError` (too_long) beyond `limit` bytes."""
        return await self._receiving().read_to_end(limit)

    def stop(self, code: int = 0) -> None:
        """Want nothing more from the peer, which is told `code`."""
        self._receiving().stop(code)

    def __aiter__(self) -> STTStream:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._receiving().read(131072)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def __aenter__(self) -> STTStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._send is None:
            return
        try:
            if kind is None:
                self._send.finish()
            else:
                # The peer shall not take half a stream for a whole one.
                self._send.reset(1)
        except (STTStreamError, STTClosedError):
            if kind is None:
                raise

    def __repr__(self) -> str:
        ways = {(True, True): "both ways", (True, False): "to the peer"}
        way = ways.get((self.can_write, self.can_read), "from the peer")
        return f"<STTStream {self._id} {way}>"


class StreamManager(_checks.Unique):
    """The streams of a session. `async for stream in manager` accepts those of the peer."""

    def __init__(self, session: _native.SttSession) -> None:
        self._session = session
        self._streams: weakref.WeakValueDictionary[int, STTStream] = weakref.WeakValueDictionary()

    async def open_stream(self, *, unidirectional: bool = False) -> STTStream:
        """Open a stream; waits while the peer allows no more. Raises `STTClosedError`.

        The peer learns of it with the first bytes.
        """
        return self._keep(*await self._session.open_stream(unidirectional))

    async def accept_stream(self) -> STTStream:
        """Wait for the next stream that the peer opens, of either kind. Raises `STTClosedError`."""
        return self._keep(*await self._session.accept_stream())

    def _keep(
        self, send: _native.SttSendStream | None, recv: _native.SttRecvStream | None
    ) -> STTStream:
        stream = STTStream(send, recv)
        self._streams[stream.stream_id] = stream
        return stream

    def get_stream(self, stream_id: int) -> STTStream | None:
        """The stream of this number, if it is in use at this end."""
        return self._streams.get(_checks.integer(stream_id, "stream_id"))

    def list_streams(self) -> list[int]:
        """The numbers of the streams in use at this end, sorted."""
        return sorted(self._streams.keys())

    def __aiter__(self) -> StreamManager:
        return self

    async def __anext__(self) -> STTStream:
        try:
            return await self.accept_stream()
        except STTClosedError:
            raise StopAsyncIteration from None


class STTSession(_checks.Unique):
    """A session with a peer: any number of streams and datagrams both ways.

    Sessions come from `STTNode.connect_udp` and `STTNode.accept`. Packets are sealed with keys that
    the session changes by itself. `async with session` closes it in the end; so does dropping the
    last reference to it and to its streams.

    Errors are `STTClosedError`, once the session is over, and `STTSessionError`.
    """

    def __init__(self, native: _native.SttSession) -> None:
        self._native = native
        self._streams = StreamManager(native)
        # When keys were changed last, and what had been sent until then.
        self._rotated = (0, 0, 0, time.monotonic())
        self._pump: FramePump | None = None

    @property
    def session_id(self) -> bytes:
        """8 bytes, the same at both ends; never on the wire and no secret."""
        return self._native.session_id

    @property
    def peer_node_id(self) -> bytes:
        """Who is at the other end, 32 bytes, proven."""
        return self._native.peer_node_id

    @property
    def session_key(self) -> bytes | None:
        """A key of 32 bytes that only the two ends have, for the application's own use.

        It stays the same for the whole session; packets are sealed with others.
        """
        return self._native.session_key

    @property
    def state(self) -> int:
        """A `SessionState`: 1 open, 2 closed."""
        open_ = self._native.close_reason is None
        return SessionState.OPEN if open_ else SessionState.CLOSED

    @property
    def stream_manager(self) -> StreamManager:
        """The session's streams."""
        return self._streams

    @property
    def is_initiator(self) -> bool:
        """Whether this end opened the session."""
        return self._native.is_initiator

    @property
    def close_reason(self) -> STTClosedError | None:
        """Why the session is over; None while it isn't."""
        return self._native.close_reason

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """Where the peer is, if the session runs over UDP and is open."""
        return self._native.remote_address

    @property
    def max_datagram(self) -> int:
        """The longest datagram that can be sent now, bytes; 0 once the session is over."""
        return self._native.max_datagram

    def should_rotate_keys(self) -> bool:
        """Whether keys are old: 1 GiB, 2^20 packets or an hour since they were changed last.

        Nothing has to follow from it: the session changes keys by itself before any limit.
        """
        stats = self._native.stats()
        if stats is None:
            return False
        count = int(stats["bytes_sent"] + stats["bytes_received"])
        packets = int(stats["packets_sent"] + stats["packets_received"])
        epoch, old_count, old_packets, since = self._rotated
        now = time.monotonic()
        if stats["key_epoch"] != epoch:
            self._rotated = (int(stats["key_epoch"]), count, packets, now)
            return False
        return (
            count - old_count >= _ROTATE_BYTES
            or packets - old_packets >= _ROTATE_PACKETS
            or now - since >= _ROTATE_SECONDS
        )

    async def rotate_keys(self, stc_wrapper: STCWrapper | None = None) -> None:
        """Change the keys, and wait until both ends use the new ones. Nothing in flight is lost.

        `stc_wrapper` is not needed: new keys come from the session's own.
        """
        if stc_wrapper is not None and not isinstance(stc_wrapper, STCWrapper):
            raise _checks.wrong("stc_wrapper", "'STCWrapper'", stc_wrapper)
        await self._native.rekey()
        self.should_rotate_keys()

    async def open_stream(self, *, unidirectional: bool = False) -> STTStream:
        """As `StreamManager.open_stream`."""
        return await self._streams.open_stream(unidirectional=unidirectional)

    async def accept_stream(self) -> STTStream:
        """As `StreamManager.accept_stream`."""
        return await self._streams.accept_stream()

    def send_datagram(self, data: Buffer) -> None:
        """Send a datagram: whole or not at all, without order, never again.

        Raises `STTSessionError` (too_large) if it is longer than `max_datagram`. Written faster
        than they leave, the oldest are dropped.
        """
        self._native.send_datagram(data)

    async def receive_datagram(self) -> bytes:
        """Wait for the next datagram. Raises `STTClosedError` when no more can come."""
        return await self._native.recv_datagram()

    async def datagrams(self) -> AsyncIterator[bytes]:
        """The datagrams of the peer, until the session is over."""
        while True:
            try:
                data = await self._native.recv_datagram()
            except STTClosedError:
                return
            yield data

    async def send_frame(self, frame_type: int, payload: Buffer) -> None:
        """Send a frame of a type of the user's, 0x80 to 0xFF, to the peer's `FrameDispatcher`.

        Frames arrive in order; waits while the peer's handlers are slower. 16 MiB at most. Raises
        `STTSessionError` (not_received) if the peer is known to dispatch none.
        """
        await in_order(self._native.send_frame(frame_type, payload))

    async def send_to_endpoint(self, endpoint_id: str, data: Buffer) -> None:
        """Send a message to an endpoint of the peer's `EndpointManager`; else as `send_frame`."""
        await in_order(self._native.send_to_endpoint(endpoint_id, data))

    def dispatch_frames(self, dispatcher: FrameDispatcher) -> None:
        """Have this session's frames handled by `dispatcher`, in place of the node's.

        Handlers run on the loop that calls this, until the session is over.
        """
        from seigr_toolset_transmissions._messages import FramePump
        from seigr_toolset_transmissions.frames import FrameDispatcher

        if not isinstance(dispatcher, FrameDispatcher):
            raise _checks.wrong("dispatcher", "'FrameDispatcher'", dispatcher)
        self._pump = FramePump(dispatcher)
        self._native.dispatch_frames(self._pump.native)
        self._pump.start(self._native.end())

    def route_endpoints(self, endpoint_manager: EndpointManager) -> None:
        """Have this session's endpoint messages put into `endpoint_manager`."""
        from seigr_toolset_transmissions.routing import EndpointManager

        if not isinstance(endpoint_manager, EndpointManager):
            raise _checks.wrong("endpoint_manager", "'EndpointManager'", endpoint_manager)
        self._native.route_endpoints(endpoint_manager._native)

    async def flush(self) -> None:
        """Wait until the peer has everything that was written and finished."""
        await self._native.flushed()

    async def close(self, code: int = 0, reason: str = "", *, timeout: float = 2.0) -> None:
        """Close the session once the peer has what was written, at most `timeout` seconds later.

        `code` (0 to 2^62 - 1) and `reason` are for the peer's application. Closing again does
        nothing.
        """
        await self._native.close(code, reason, timeout)

    async def closed(self) -> STTClosedError:
        """Wait until the session is over; the reason."""
        return await self._native.closed()

    def ping(self) -> None:
        """Send a packet that asks for an acknowledgement."""
        self._native.ping()

    def get_stats(self) -> dict[str, Any]:
        """Figures since the session began, bytes and seconds, and `state`.

        packets_sent, bytes_sent, packets_received, bytes_received, packets_lost, failed_opens,
        duplicates, probes, congestion_window, bytes_in_flight, mtu, key_epoch, path_changes,
        datagrams_dropped, rtt, min_rtt. Once the session is over and forgotten, the ids and `state`
        only.
        """
        return {
            "session_id": self.session_id,
            "peer_node_id": self.peer_node_id,
            "state": self.state,
            **(self._native.stats() or {}),
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, STTSession):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[bytes, bool]:
        # Both ends may be in one process.
        return self.session_id, self.is_initiator

    async def __aenter__(self) -> STTSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        name = SessionState(self.state).name.lower()
        return f"<STTSession {self.session_id.hex()} {name}>"
