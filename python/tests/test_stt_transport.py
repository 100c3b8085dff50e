"""Standalone frames over UDP and WebSocket, and sessions over WebSocket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest
from seigr_toolset_transmissions import (
    STTFrame,
    STTNode,
    UDPTransport,
    WebSocketListener,
    WebSocketTransport,
    errors,
)

GUARD = 60.0


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, GUARD))


def frame(sequence: int, length: int = 10) -> STTFrame:
    return STTFrame(0x80, b"12345678", 1, sequence, payload=bytes(length))


def test_udp() -> None:
    async def go() -> None:
        got: asyncio.Queue[tuple[STTFrame, tuple[str, int]]] = asyncio.Queue()

        async def handler(received: STTFrame, address: tuple[str, int]) -> None:
            await asyncio.sleep(0)
            got.put_nowait((received, address))

        there = UDPTransport("127.0.0.1", on_frame_received=handler)
        assert there.local_address is None
        async with UDPTransport("127.0.0.1") as here:
            for _ in range(2):
                address = await there.start()
                assert address == there.local_address
                with pytest.raises(errors.STTTransportError, match="already"):
                    await there.start()
                await here.send_frame(frame(1), address)
                await here.send_frame(frame(2, 60_000), ("localhost", address[1]))
                first, source = await got.get()
                assert (first.sequence, source) == (1, here.local_address)
                second, _ = await got.get()
                assert (second.sequence, len(second.payload)) == (2, 60_000)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.sendto(b"no frame", address)
                await here.send_frame(frame(3), address)
                assert (await got.get())[0].sequence == 3
                assert there.get_stats()["datagrams_refused"] == 1
                await there.stop()
                await there.stop()
            assert here.get_stats()["frames_sent"] == 6
            with pytest.raises(errors.STTTransportError) as caught:
                await here.send_frame(frame(1, 70_000), ("127.0.0.1", 9))
            assert caught.value.kind == "too_large"
            for wrong in ("127.0.0.1:9", 5):
                with pytest.raises(TypeError, match="argument 'address'"):
                    await here.send_frame(frame(1), wrong)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="argument 'frame'"):
                await here.send_frame(b"frame", ("127.0.0.1", 9))  # type: ignore[arg-type]
            waiting = asyncio.create_task(here.receive_frame())
            await asyncio.sleep(0)
            await here.stop()
            with pytest.raises(errors.STTTransportError) as caught:
                await waiting
            assert caught.value.kind == "closed"

    run(go())
    with pytest.raises(TypeError, match="argument 'on_frame_received'"):
        UDPTransport(on_frame_received=5)  # type: ignore[arg-type]


def test_a_handler_that_fails_is_reported_and_stops_nothing() -> None:
    async def go() -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        seen: asyncio.Queue[int] = asyncio.Queue()

        def handler(received: STTFrame, _: Any) -> None:
            seen.put_nowait(received.sequence)
            raise ValueError(received.sequence)

        there = UDPTransport("127.0.0.1", on_frame_received=handler)
        here = UDPTransport("127.0.0.1")
        async with there, here:
            assert there.local_address
            for i in range(3):
                await here.send_frame(frame(i), there.local_address)
                assert await seen.get() == i
        assert [str(error) for error in reported] == ["0", "1", "2"]

    run(go())


def test_a_handler_that_is_cancelled_stops_nothing() -> None:
    async def go() -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        seen: asyncio.Queue[int] = asyncio.Queue()

        async def handler(received: STTFrame, _: Any) -> None:
            seen.put_nowait(received.sequence)
            task = asyncio.create_task(asyncio.sleep(30))
            task.cancel()
            await task

        there = UDPTransport("127.0.0.1", on_frame_received=handler)
        here = UDPTransport("127.0.0.1")
        async with there, here:
            assert there.local_address
            for i in range(3):
                await here.send_frame(frame(i), there.local_address)
                assert await seen.get() == i
        assert {type(error) for error in reported} == {asyncio.CancelledError}

    run(go())


def test_web_sockets() -> None:
    async def go() -> None:
        async with await WebSocketTransport.listen("127.0.0.1") as listener:
            assert isinstance(listener, WebSocketListener)
            here = await WebSocketTransport.connect("127.0.0.1", listener.port)
            there = await listener.accept()
            assert here.remote_address == listener.local_address
            sizes = [0, 1, 65_536, 1 << 20]
            sending = [
                asyncio.create_task(here.send_frame(frame(i, n))) for i, n in enumerate(sizes)
            ]
            got = [await there.receive_frame() for _ in sizes]
            await asyncio.gather(*sending)
            assert [len(one.payload) for one in got] == sizes
            await there.send_frame(frame(9))
            assert (await here.receive_frame()).sequence == 9
            await here.send_frame(frame(10))
            await here.close()
            assert [one.sequence async for one in there] == [10]
            with pytest.raises(errors.STTTransportError) as caught:
                await there.receive_frame()
            assert caught.value.kind == "closed"
            accepting = asyncio.create_task(listener.accept())
            await asyncio.sleep(0)
            await listener.close()
            with pytest.raises(errors.STTTransportError):
                await accepting
        with pytest.raises(errors.STTConnectError):
            await WebSocketTransport.connect("127.0.0.1", 9)

    run(go())


def test_web_sockets_with_callbacks() -> None:
    async def go() -> None:
        answers: asyncio.Queue[int] = asyncio.Queue()

        async def serve(received: STTFrame, transport: WebSocketTransport) -> None:
            await transport.send_frame(frame(received.sequence * 2))

        server = await WebSocketTransport.listen("127.0.0.1", 0, serve)
        clients = [
            await WebSocketTransport.connect(
                "127.0.0.1",
                server.port,
                on_frame_received=lambda received: answers.put_nowait(received.sequence),
            )
            for _ in range(3)
        ]
        for i, client in enumerate(clients):
            await client.send_frame(frame(i))
            assert await answers.get() == 2 * i
        await clients[0].close()
        await server.close()
        for client in clients:
            await client.wait_closed()
            await client.close()

    run(go())


def test_origins_and_paths() -> None:
    async def go() -> None:
        server = await WebSocketTransport.listen(
            "127.0.0.1", 0, path="/stt", origins=["https://example.org"]
        )
        for path, origin in (("/", None), ("/stt", "https://example.com")):
            with pytest.raises(errors.STTConnectError) as caught:
                await WebSocketTransport.connect("127.0.0.1", server.port, path=path, origin=origin)
            assert caught.value.kind == "refused"
        for origin in (None, "https://example.org"):
            transport = await WebSocketTransport.connect(
                "127.0.0.1", server.port, path="/stt", origin=origin
            )
            await transport.close()
        await server.close()

    run(go())


def test_sessions_over_web_sockets() -> None:
    async def go() -> None:
        def node(number: int) -> STTNode:
            return STTNode(bytes([number]) * 32, bytes(32), host="127.0.0.1")

        async with node(1) as client, node(2) as server:
            host, port = await server.listen_ws("127.0.0.1")
            assert host == "127.0.0.1"
            session = await client.connect_ws(host, port, expected_peer=server.node_id)
            accepted = await server.accept()
            assert session.session_id == accepted.session_id
            assert session.remote_address is None
            stream = await session.open_stream()
            writing = asyncio.create_task(stream.write(bytes(3_000_000)))
            other = await accepted.accept_stream()
            assert len(await other.read_exactly(3_000_000)) == 3_000_000
            await writing
            assert server.local_address
            # The same node over UDP as well.
            both = await client.connect_udp(*server.local_address)
            assert both.peer_node_id == session.peer_node_id
            assert client.get_stats()["sessions"] == 2
            assert client.get_stats()["web_sockets"] == 1
            await session.close(3)
            assert (await accepted.closed()).code == 3
            with pytest.raises(errors.STTConnectError):
                await client.connect_ws(host, port, path="/elsewhere")

    run(go())
