"""User frames and endpoint messages between peers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from seigr_toolset_transmissions import (
    EndpointManager,
    FrameDispatcher,
    STTNode,
    STTSession,
    errors,
)
from seigr_toolset_transmissions.frames import current_session

GUARD = 60.0


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, GUARD))


def node(number: int, **more: Any) -> STTNode:
    return STTNode(bytes([number]) * 32, bytes(32), host="127.0.0.1", **more)


@contextlib.asynccontextmanager
async def pair(**more: Any) -> AsyncIterator[tuple[STTSession, STTSession]]:
    """Both ends of a session; `more` is the second node's, who accepts."""
    async with node(1) as client, node(2, **more) as server:
        assert server.local_address
        opened = await client.connect_udp(*server.local_address)
        yield opened, await server.accept()


def test_frames_reach_the_dispatcher_of_the_peer() -> None:
    async def go() -> None:
        dispatcher = FrameDispatcher()
        got: asyncio.Queue[tuple[int, bytes, STTSession | None]] = asyncio.Queue()

        async def later(payload: bytes) -> None:
            await asyncio.sleep(0)
            got.put_nowait((0x80, payload, current_session()))

        dispatcher.register_handler(0x80, later)
        dispatcher.register_handler(
            0xFF, lambda payload: got.put_nowait((0xFF, payload, current_session()))
        )
        async with pair(frame_dispatcher=dispatcher) as (one, two):
            payloads = [bytes([i]) * (i * 1000) for i in range(40)]
            for i, payload in enumerate(payloads):
                await one.send_frame(0x80 if i % 2 else 0xFF, payload)
            for i, payload in enumerate(payloads):
                assert await got.get() == (0x80 if i % 2 else 0xFF, payload, two)
            await one.send_frame(0x80, bytearray(3_000_000))
            assert len((await got.get())[1]) == 3_000_000
            for wrong in (0x7F, 0x100):
                with pytest.raises(errors.STTFrameError, match="frame_type"):
                    await one.send_frame(wrong, b"")
            with pytest.raises(TypeError, match="argument 'payload'"):
                await one.send_frame(0x80, "text")  # type: ignore[arg-type]
            with pytest.raises(errors.STTSessionError) as caught:
                await one.send_frame(0x80, bytes(17 << 20))
            assert caught.value.kind == "too_large"
        assert current_session() is None

    run(go())


def test_a_failing_handler_is_reported_and_the_next_frame_follows() -> None:
    async def go() -> None:
        reported: list[Any] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        dispatcher, seen = FrameDispatcher(), asyncio.Event()

        def wrong(payload: bytes) -> None:
            raise ValueError(payload)

        async def given_up(payload: bytes) -> None:
            task = asyncio.create_task(asyncio.sleep(30))
            task.cancel()
            await task

        dispatcher.register_handler(0x80, wrong)
        dispatcher.register_handler(0x82, given_up)
        dispatcher.register_handler(0x81, lambda _: seen.set())
        async with pair(frame_dispatcher=dispatcher) as (one, _):
            await one.send_frame(0x80, b"first")
            await one.send_frame(0x82, b"cancelled by itself")
            await one.send_frame(0x90, b"nobody")
            await one.send_frame(0x81, b"second")
            await seen.wait()
        expected = [ValueError, asyncio.CancelledError, errors.STTFrameError]
        assert [type(error) for error in reported] == expected

    run(go())


def test_a_slow_handler_holds_up_its_own_session_only() -> None:
    async def go() -> None:
        dispatcher, gate = FrameDispatcher(), asyncio.Event()
        seen: asyncio.Queue[bytes] = asyncio.Queue()

        async def handler(payload: bytes) -> None:
            seen.put_nowait(payload)
            if payload == b"slow":
                await gate.wait()

        dispatcher.register_handler(0x80, handler)
        async with node(1) as client, node(2, frame_dispatcher=dispatcher) as server:
            assert server.local_address
            first = await client.connect_udp(*server.local_address)
            second = await client.connect_udp(*server.local_address)
            kept = [await server.accept(), await server.accept()]
            await first.send_frame(0x80, b"slow")
            assert await seen.get() == b"slow"
            await first.send_frame(0x80, b"after it")
            await second.send_frame(0x80, b"beside it")
            assert await seen.get() == b"beside it"
            gate.set()
            assert await seen.get() == b"after it"
            assert len(kept) == 2

    run(go())


def test_a_session_may_have_its_own_dispatcher() -> None:
    async def go() -> None:
        got: asyncio.Queue[bytes] = asyncio.Queue()
        dispatcher = FrameDispatcher()
        dispatcher.register_handler(0x80, got.put_nowait)
        async with pair() as (one, two):
            two.dispatch_frames(dispatcher)
            await one.send_frame(0x80, b"to the session")
            assert await got.get() == b"to the session"
            # And back, on the end that opened it.
            one.dispatch_frames(dispatcher)
            await two.send_frame(0x80, b"back")
            assert await got.get() == b"back"

    run(go())


def test_a_dispatcher_does_not_keep_its_session_open() -> None:
    async def go() -> None:
        async with node(1) as client, node(2) as server:
            assert server.local_address
            opened = await client.connect_udp(*server.local_address)
            accepted = await server.accept()
            opened.dispatch_frames(FrameDispatcher())
            await asyncio.sleep(0)
            del opened
            gc.collect()
            assert (await accepted.closed()).code == 0

    run(go())


async def ends(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait until tasks have ended, and see that they ended well."""
    for task in tasks:
        assert await asyncio.wait_for(task, GUARD) is None


def test_a_node_that_is_dropped_leaves_no_task() -> None:
    async def go() -> None:
        before = asyncio.all_tasks()
        dropped = node(1, frame_dispatcher=FrameDispatcher())
        await dropped.start()
        tasks = asyncio.all_tasks() - before
        assert tasks
        del dropped
        await ends(tasks)

    run(go())


def test_a_node_that_is_dropped_ends_after_its_sessions() -> None:
    async def go() -> None:
        dispatcher = FrameDispatcher()
        got: asyncio.Queue[bytes] = asyncio.Queue()
        dispatcher.register_handler(0x80, got.put_nowait)
        async with node(1) as client:
            before = asyncio.all_tasks()
            server = node(2, frame_dispatcher=dispatcher)
            port = (await server.start())[1]
            tasks = asyncio.all_tasks() - before
            opened = await client.connect_udp("127.0.0.1", port)
            accepted = await server.accept()
            del server
            gc.collect()
            # The session goes on, and so does what handles its frames.
            await opened.send_frame(0x80, b"frame")
            assert await got.get() == b"frame"
            del accepted
            assert (await opened.closed()).code == 0
            await ends(tasks)

    run(go())


def test_another_dispatcher_takes_the_place_of_the_first() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            before = asyncio.all_tasks()
            two.dispatch_frames(FrameDispatcher())
            first = asyncio.all_tasks() - before
            await asyncio.sleep(0)
            second, got = FrameDispatcher(), asyncio.get_running_loop().create_future()
            second.register_handler(0x80, got.set_result)
            two.dispatch_frames(second)
            await ends(first)
            await one.send_frame(0x80, b"frame")
            assert await got == b"frame"

    run(go())


def test_messages_reach_the_endpoints_of_the_peer() -> None:
    async def go() -> None:
        endpoints = EndpointManager(max_messages=4)
        async with pair(endpoint_manager=endpoints) as (one, two):
            for i in range(20):
                await one.send_to_endpoint("telemetry", bytes([i]))
            await one.send_to_endpoint("video", b"frame")
            assert await endpoints.receive_from_endpoint("video") == b"frame"
            # Four fit the queue; the others wait in the session.
            taken = [await endpoints.receive_from_endpoint("telemetry") for _ in range(20)]
            assert taken == [bytes([i]) for i in range(20)]
            assert endpoints.list_endpoints() == ["telemetry", "video"]
            own = EndpointManager()
            one.route_endpoints(own)
            await two.send_to_endpoint("answers", memoryview(b"yes"))
            assert await own.receive_from_endpoint("answers") == b"yes"

    run(go())


def test_peers_without_receiver_and_sessions_that_are_over() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            await one.close()
            with pytest.raises(errors.STTClosedError):
                await one.send_frame(0x80, b"")
            await two.closed()
            with pytest.raises(errors.STTClosedError):
                await two.send_to_endpoint("e", b"")

    run(go())
    for name in ("frame_dispatcher", "endpoint_manager"):
        with pytest.raises(TypeError, match=f"argument '{name}'"):
            node(1, **{name: 5})
