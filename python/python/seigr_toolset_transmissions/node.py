"""Nodes: an identity, a socket, and the sessions with peers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from drywire import _native

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._messages import FramePump
from seigr_toolset_transmissions.chamber import chamber_file
from seigr_toolset_transmissions.errors import STTClosedError
from seigr_toolset_transmissions.frames import FrameDispatcher
from seigr_toolset_transmissions.routing import EndpointManager
from seigr_toolset_transmissions.session import STTSession

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["STTNode"]


class STTNode(_checks.Unique):
    """A node of the network: everybody who has the shared seed is a peer.

    >>> async def main() -> None:
    ...     async with STTNode(node_seed, shared_seed, host="127.0.0.1", port=4433) as node:
    ...         async for session in node:
    ...             stream = await session.accept_stream()
    ...             print(await stream.read_to_end())

    `node_seed` (32 random bytes or more) and `identity` make its id. `port` 0 is one that is free;
    host `"::"` takes IPv4 and IPv6. With `chamber_path` (a file, or a folder for one) sessions are
    resumed and peers notice a restart at once.

    `previous_shared_seeds`, at most three, are answered as well, so that seeds can be changed.
    `allowed_peers` are the node ids that may open sessions and be opened to. At most `max_sessions`
    exist at once and `backlog` wait to be accepted; with `accepts=False` no peer can open one.
    For `busy_poll` seconds the node looks for further datagrams before it sleeps, while they come
    that close together; 0 saves the processor's time. `frame_dispatcher` and `endpoint_manager`
    take what peers send with `session.send_frame` and `session.send_to_endpoint`.

    Errors are `STTTransportError`, `STTConnectError`, `STTChamberError`, `STTCryptoError`.
    """

    def __init__(
        self,
        node_seed: Buffer,
        shared_seed: Buffer,
        host: str = "0.0.0.0",
        port: int = 0,
        chamber_path: _checks.PathLike | None = None,
        *,
        identity: Buffer = b"",
        previous_shared_seeds: Iterable[Buffer] = (),
        allowed_peers: Iterable[Buffer] | None = None,
        max_sessions: int = 65536,
        backlog: int = 1024,
        accepts: bool = True,
        busy_poll: float = 50e-6,
        frame_dispatcher: FrameDispatcher | None = None,
        endpoint_manager: EndpointManager | None = None,
    ) -> None:
        self._chamber = None if chamber_path is None else chamber_file(chamber_path)
        self._native = _native.SttNode(
            node_seed,
            shared_seed,
            host,
            port,
            self._chamber,
            identity,
            _checks.elements(previous_shared_seeds, "previous_shared_seeds"),
            None if allowed_peers is None else _checks.elements(allowed_peers, "allowed_peers"),
            max_sessions,
            backlog,
            accepts,
            busy_poll,
        )
        self._pump: FramePump | None = None
        if frame_dispatcher is not None:
            if not isinstance(frame_dispatcher, FrameDispatcher):
                raise _checks.wrong("frame_dispatcher", "'FrameDispatcher'", frame_dispatcher)
            self._pump = FramePump(frame_dispatcher)
            self._native.dispatch_frames(self._pump.native)
        if endpoint_manager is not None:
            if not isinstance(endpoint_manager, EndpointManager):
                raise _checks.wrong("endpoint_manager", "'EndpointManager'", endpoint_manager)
            self._native.route_endpoints(endpoint_manager._native)

    @property
    def node_id(self) -> bytes:
        """The node's id, 32 bytes; peers see it proven."""
        return self._native.node_id

    @property
    def chamber_path(self) -> Path | None:
        """The file of the chamber."""
        return self._chamber

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._native.is_running

    @property
    def local_address(self) -> tuple[str, int] | None:
        """The address that is bound, while it runs."""
        return self._native.local_address

    async def start(self) -> tuple[str, int]:
        """Bind the socket and begin to answer; the address that is bound.

        Raises `STTTransportError` if it runs already or can't bind, `STTChamberError`.
        """
        address = await self._native.start()
        if self._pump is not None:
            self._pump.start()
        return address

    async def stop(self) -> None:
        """Let sessions finish what was written, a second at most, close them, and end.

        No task and no socket of the node is left. It may be started again.
        """
        await self._native.stop()
        if self._pump is not None:
            await self._pump.stop()

    async def connect_udp(
        self,
        peer_host: str,
        peer_port: int,
        *,
        expected_peer: Buffer | None = None,
        timeout: float = 20.0,
        resume: bool = True,
    ) -> STTSession:
        """Open a session over UDP. `expected_peer` is the node id that must answer.

        Raises `STTTimeoutError` when nobody answers (unreachable, or holding another seed) within
        `timeout` seconds, and `STTConnectError` (wrong_peer) when another node does. A name is
        resolved before that time begins.
        """
        native = await self._native.connect_udp(
            peer_host, peer_port, expected_peer, timeout, resume
        )
        return STTSession(native)

    async def listen_ws(
        self,
        host: str = "0.0.0.0",
        port: int = 0,
        *,
        path: str = "/",
        origins: Iterable[str] | None = (),
    ) -> tuple[str, int]:
        """Let peers open sessions over WebSockets too; the address that is bound.

        `origins` are those of web pages that may connect: none by default, all if it is None. Ends
        with the node. Raises `STTTransportError`.
        """
        listed = None if origins is None else _checks.elements(origins, "origins")
        return await self._native.listen_ws(host, port, path, listed)

    async def connect_ws(
        self,
        peer_host: str,
        peer_port: int,
        *,
        path: str = "/",
        origin: str | None = None,
        expected_peer: Buffer | None = None,
        timeout: float = 20.0,
        resume: bool = True,
    ) -> STTSession:
        """Open a session over a WebSocket to a node that listens there; as `connect_udp`.

        `timeout` bounds the whole, from resolving the name to the session.
        """
        native = await self._native.connect_ws(
            peer_host, peer_port, path, origin, expected_peer, timeout, resume
        )
        return STTSession(native)

    async def accept(self) -> STTSession:
        """Wait for the next session that a peer opens.

        Raises `STTClosedError` when the node is stopped, or not running.
        """
        native = await self._native.accept()
        if native is None:
            raise STTClosedError("the node is not running", "stopped")
        return STTSession(native)

    def get_stats(self) -> dict[str, Any]:
        """Figures since the start: `node_id`, `is_running`, `local_address`, `sessions` and others.

        `half_open` are handshakes answered and not confirmed, `to_accept` sessions that wait,
        `web_sockets` those that are open;
        datagrams_received, datagrams_dropped, hellos_received, hellos_refused, responses_sent,
        cookies_sent, resets_sent, responses_forged count what came and went.
        """
        return {
            "node_id": self.node_id,
            "is_running": self.is_running,
            "local_address": self.local_address,
            **self._native.stats(),
        }

    def __aiter__(self) -> STTNode:
        return self

    async def __anext__(self) -> STTSession:
        try:
            return await self.accept()
        except STTClosedError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> STTNode:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<STTNode {self.node_id.hex()[:16]}…>"
