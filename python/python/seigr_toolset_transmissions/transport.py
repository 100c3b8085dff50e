"""Standalone frames over UDP and WebSocket, without a session.

**No replay protection, no handshake, no congestion control:** a recorded frame can be sent again,
and whoever sends may claim to be anybody. Seal the payloads (`STTFrame.encrypt_payload`), or use
`STTNode`, which has all of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Callable, Optional

from drywire import _native
from drywire._native import STTFrame

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._handlers import call_all
from seigr_toolset_transmissions._turns import in_order
from seigr_toolset_transmissions.errors import STTFrameError, STTTransportError

__all__ = ["UDPTransport", "WebSocketListener", "WebSocketTransport"]

Address = tuple[str, int]
_Handler = Optional[Callable[..., Any]]


class UDPTransport(_checks.Unique):
    """Standalone frames over UDP, one a datagram of at most 65,507 bytes.

    `on_frame_received(frame, (host, port))`, a function or a coroutine function, is called for each
    frame in turn; what it raises goes to the loop's exception handler and stops nothing. Without
    it, call `receive_frame`. Datagrams that are no frame are dropped and counted.

    Errors are `STTTransportError` and `STTFrameError`.
    """

    def __init__(
        self, host: str = "0.0.0.0", port: int = 0, on_frame_received: _Handler = None
    ) -> None:
        self._bind = _checks.text(host, "host"), _checks.integer(port, "port")
        self._handler = _handler(on_frame_received)
        self._native: _native.SttUdp | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def local_address(self) -> Address | None:
        """The address that is bound, once it was started."""
        return None if self._native is None else self._native.local_address

    async def start(self) -> Address:
        """Bind the socket and begin to receive; the address that is bound."""
        if self._native is not None:
            raise STTTransportError("the transport has been started already", "started")
        native = self._native = await _native.stt_bind_udp(*self._bind)
        if self._handler is not None:
            self._task = asyncio.create_task(_pump(native.receive_frame, self._handler, True))
        return native.local_address

    async def stop(self) -> None:
        """Close the socket; a handler that runs is cancelled. It may be started again."""
        native, task = self._native, self._task
        self._native = self._task = None
        if native is not None:
            native.close()
        await _end(task)

    def _started(self) -> _native.SttUdp:
        if self._native is None:
            raise STTTransportError("the transport is not started", "closed")
        return self._native

    async def send_frame(self, frame: STTFrame, address: Address) -> None:
        """Send a frame to `(host, port)`. No error does not mean that it arrives."""
        if not (isinstance(address, tuple) and len(address) >= 2):
            raise _checks.wrong("address", "a tuple (host, port)", address)
        await in_order(self._started().send_frame(frame, address[0], address[1]))

    async def receive_frame(self) -> tuple[STTFrame, Address]:
        """Wait for the next frame, and where its datagram says that it comes from."""
        return await self._started().receive_frame()

    def get_stats(self) -> dict[str, int]:
        """`frames_sent`, `frames_received` and `datagrams_refused` since the start."""
        return self._started().stats()

    async def __aenter__(self) -> UDPTransport:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


class WebSocketTransport(_checks.Unique):
    """Standalone frames over a WebSocket, one a message: reliable and in order.

    Made by `connect`, or by a `WebSocketListener`. `on_frame_received(frame)` is called as by
    `UDPTransport`; without it, call `receive_frame` or `async for frame in transport`.
    """

    def __init__(self, native: _native.SttWebSocket, on_frame_received: _Handler = None) -> None:
        handler = _handler(on_frame_received)
        self._native = native
        self._task: asyncio.Task[None] | None = None
        if handler is not None:
            self._task = asyncio.create_task(_pump(native.receive_frame, handler, False))

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        on_frame_received: _Handler = None,
        *,
        path: str = "/",
        origin: str | None = None,
        timeout: float = 10.0,
    ) -> WebSocketTransport:
        """Connect to a listener. Raises `STTConnectError`."""
        handler = _handler(on_frame_received)
        return cls(await _native.stt_connect_frames(host, port, path, origin, timeout), handler)

    @staticmethod
    async def listen(
        host: str = "0.0.0.0",
        port: int = 0,
        on_frame_received: _Handler = None,
        *,
        path: str = "/",
        origins: Iterable[str] | None = (),
    ) -> WebSocketListener:
        """Listen for clients.

        With `on_frame_received(frame, transport)` they are accepted at once and frames of all of
        them handed to it; without it, call `accept` of the listener. `origins` are those of web
        pages that may connect: none by default, all if it is None.
        """
        handler = _handler(on_frame_received)
        listed = None if origins is None else _checks.elements(origins, "origins")
        return WebSocketListener(await _native.stt_listen_frames(host, port, path, listed), handler)

    @property
    def remote_address(self) -> Address:
        """Whom it is with."""
        return self._native.remote_address

    async def send_frame(self, frame: STTFrame) -> None:
        """Send a frame; waits while the peer is slower. Cancelled, it is sent whole or not."""
        await in_order(self._native.send_frame(frame))

    async def receive_frame(self) -> STTFrame:
        """Wait for the next frame. Raises `STTTransportError` (closed) when none can come."""
        return await self._native.receive_frame()

    async def close(self) -> None:
        """Send what waits, and close."""
        await self._native.close()
        await _end(self._task)

    async def wait_closed(self) -> None:
        """Wait until no more frames come and the callback has ended with the last."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def __aiter__(self) -> WebSocketTransport:
        return self

    async def __anext__(self) -> STTFrame:
        try:
            return await self._native.receive_frame()
        except STTTransportError as error:
            if error.kind == "closed":
                raise StopAsyncIteration from None
            raise

    async def __aenter__(self) -> WebSocketTransport:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class WebSocketListener(_checks.Unique):
    """Accepts WebSockets with standalone frames; made by `WebSocketTransport.listen`."""

    def __init__(
        self, native: _native.SttWebSocketListener, on_frame_received: _Handler = None
    ) -> None:
        self._native: _native.SttWebSocketListener | None = native
        self._address = native.local_address
        self._transports: set[WebSocketTransport] = set()
        self._task: asyncio.Task[None] | None = None
        if on_frame_received is not None:
            self._task = asyncio.create_task(self._serve(on_frame_received))

    async def _serve(self, handler: Callable[..., Any]) -> None:
        serving: set[asyncio.Task[None]] = set()
        try:
            async for transport in self:
                self._transports.add(transport)
                task = asyncio.create_task(self._serve_one(transport, handler))
                serving.add(task)
                task.add_done_callback(serving.discard)
        finally:
            for task in serving:
                task.cancel()

    async def _serve_one(self, transport: WebSocketTransport, handler: Callable[..., Any]) -> None:
        try:
            await _pump(transport.receive_frame, lambda frame: handler(frame, transport), False)
        finally:
            self._transports.discard(transport)

    @property
    def local_address(self) -> Address:
        """The address that is bound."""
        return self._address

    @property
    def port(self) -> int:
        """The port that is bound."""
        return self._address[1]

    async def accept(self, on_frame_received: _Handler = None) -> WebSocketTransport:
        """Wait for the next client. Raises `STTTransportError` (closed)."""
        handler = _handler(on_frame_received)
        if self._native is None:
            raise STTTransportError("the listener is closed", "closed")
        return WebSocketTransport(await self._native.accept(), handler)

    async def close(self) -> None:
        """Listen no more; connections that the callback serves are closed as well."""
        native, self._native = self._native, None
        if native is not None:
            native.close()
        for transport in list(self._transports):
            await transport.close()
        await _end(self._task)

    def __aiter__(self) -> WebSocketListener:
        return self

    async def __anext__(self) -> WebSocketTransport:
        try:
            return await self.accept()
        except STTTransportError as error:
            if error.kind == "closed":
                raise StopAsyncIteration from None
            raise

    async def __aenter__(self) -> WebSocketListener:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _handler(on_frame_received: _Handler) -> _Handler:
    if on_frame_received is not None:
        _checks.function(on_frame_received, "on_frame_received")
    return on_frame_received


async def _pump(receive: Callable[[], Any], handler: Callable[..., Any], spread: bool) -> None:
    """Hand what is received to a handler until no more can come."""
    while True:
        try:
            received = await receive()
        except STTFrameError as error:
            # A message that is no frame; others may follow.
            _report(error, handler)
            continue
        except Exception as error:
            if not (isinstance(error, STTTransportError) and error.kind == "closed"):
                _report(error, handler)
            return
        await _handle(handler, *(received if spread else (received,)))


async def _handle(handler: Callable[..., Any], *arguments: Any) -> None:
    for error in await call_all((handler,), *arguments):
        _report(error, handler)


def _report(error: BaseException, handler: Callable[..., Any]) -> None:
    context = {"message": f"frame handler {handler!r} failed", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task of ours and wait for it, unless it is the one that calls."""
    if task is not None and task is not asyncio.current_task():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
