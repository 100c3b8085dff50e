"""Stream codecs, endpoints, events and frames of the user."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from seigr_toolset_transmissions import errors
from seigr_toolset_transmissions.crypto import STCWrapper, StreamContext
from seigr_toolset_transmissions.events import EventEmitter
from seigr_toolset_transmissions.frames import FrameDispatcher
from seigr_toolset_transmissions.routing import EndpointManager
from seigr_toolset_transmissions.streaming import (
    BinaryStreamDecoder,
    BinaryStreamEncoder,
    StreamDecoder,
    StreamEncoder,
)

GUARD = 30.0


@pytest.fixture
def context() -> StreamContext:
    return STCWrapper(bytes(range(32))).create_stream_context(b"session!", 7)


async def segments_of(encoder: BinaryStreamEncoder) -> list[tuple[int, bytes]]:
    return [segment async for segment in encoder]


@pytest.mark.parametrize("length", [0, 1, 1400, 1401, 100_000])
def test_bounded(context: StreamContext, length: int) -> None:
    data = random.Random(length).randbytes(length)

    async def run() -> None:
        segments = await segments_of(BinaryStreamEncoder(data, context))
        assert [number for number, _ in segments] == list(range(max(1, -(-length // 1400))))
        assert all(len(segment) == 1433 for _, segment in segments[:-1])
        random.Random(1).shuffle(segments)
        decoder = BinaryStreamDecoder(context)
        for number, segment in segments:
            decoder.receive_segment(segment, number)
            decoder.receive_segment(bytearray(segment), number)
        assert decoder.is_complete
        assert await decoder.receive_all() == data

    asyncio.run(run())


def test_views_of_any_shape(context: StreamContext) -> None:
    numbers = np.arange(24, dtype=">i4").reshape(2, 3, 4)
    empty = np.zeros((0, 3))
    views: list[Any] = [numbers, numbers.T, numbers[:, ::2], numbers[:0], empty, bytearray()]
    for view in views:
        data = memoryview(view).tobytes()
        segments = asyncio.run(segments_of(BinaryStreamEncoder(view, context)))
        decoder = BinaryStreamDecoder(context)
        for number, segment in segments:
            decoder.receive_segment(segment, number)
        assert asyncio.run(decoder.receive_all()) == data
        chunks = StreamEncoder(context).encode_bytes(view)
        assert StreamDecoder(context).decode_to_bytes(chunks) == data


def test_live(context: StreamContext) -> None:
    pieces: list[bytes | bytearray] = [b"one", b"", bytearray(b"two"), b"3" * 25]

    async def source() -> AsyncIterator[bytes | bytearray]:
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    async def run() -> None:
        encoder = BinaryStreamEncoder(source(), context, mode="live", segment_size=10)
        decoder = BinaryStreamDecoder(context)
        sizes = []

        async def feed() -> None:
            async for number, segment in encoder:
                sizes.append(len(segment) - 33)
                decoder.receive_segment(segment, number)

        feeding = asyncio.create_task(feed())
        read = [piece async for piece in decoder]
        await feeding
        assert sizes == [3, 3, 10, 10, 5, 0]
        assert b"".join(read) == b"onetwo" + b"3" * 25

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_a_source_that_fails_gives_no_end(context: StreamContext) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"one"
        raise OSError("the camera is gone")

    async def run() -> None:
        decoder = BinaryStreamDecoder(context)
        encoder = BinaryStreamEncoder(source(), context, "live")
        number, segment = await encoder.__anext__()
        decoder.receive_segment(segment, number)
        with pytest.raises(OSError, match="camera"):
            await encoder.__anext__()
        decoder.close()
        assert await decoder.read() == b"one"
        with pytest.raises(errors.STTStreamError, match="segment 1 never arrived") as caught:
            await decoder.receive_all()
        assert caught.value.kind == "incomplete"
        assert decoder.missing == 1

    asyncio.run(run())


def test_segments_that_are_refused(context: StreamContext) -> None:
    async def run() -> None:
        segments = await segments_of(BinaryStreamEncoder(bytes(30), context, segment_size=10))
        others = await segments_of(BinaryStreamEncoder(bytes(30), context, segment_size=10))
        decoder = BinaryStreamDecoder(context, reorder_bytes=80)
        _, one = segments[1]
        with pytest.raises(errors.STTCryptoError):
            decoder.receive_segment(one[:-1] + bytes([one[-1] ^ 1]), 1)
        with pytest.raises(errors.STTCryptoError):
            decoder.receive_segment(one, 2)
        decoder.receive_segment(one, 1)
        with pytest.raises(errors.STTCryptoError, match="salt"):
            decoder.receive_segment(others[0][1], 0)
        with pytest.raises(errors.STTStreamError, match="send it again") as caught:
            decoder.receive_segment(segments[2][1], 2)
        assert caught.value.kind == "full"
        decoder.receive_segment(segments[0][1], 0)
        decoder.receive_segment(segments[2][1], 2)
        assert await decoder.receive_all() == bytes(30)

    asyncio.run(run())
    with pytest.raises(ValueError, match="mode"):
        BinaryStreamEncoder(b"", context, mode="other")  # type: ignore[arg-type]
    for size in (0, 16 * 2**20 + 1):
        with pytest.raises(errors.STTStreamError, match="segment_size"):
            BinaryStreamEncoder(b"", context, segment_size=size)


def test_chunks(context: StreamContext) -> None:
    for length in (0, 1, 65536, 65537, 3_000_000):
        data = random.Random(length).randbytes(length)
        chunks = list(StreamEncoder(context).encode_bytes(data))
        assert len(chunks) == max(1, -(-length // 65536))
        assert StreamDecoder(context).decode_to_bytes(chunks) == data
        assert b"".join(StreamDecoder(context).decode_bytes(iter(chunks))) == data
    for wrong in (chunks[:-1], chunks[1:], [*chunks, chunks[-1]], [chunks[1], chunks[0]]):
        with pytest.raises((errors.STTCryptoError, errors.STTStreamError)):
            StreamDecoder(context).decode_to_bytes(wrong)
    small = StreamEncoder(context, chunk_size=2)
    assert len(list(small.encode_bytes(memoryview(b"abcdef")[::2]))) == 2


def test_receiving_can_be_cancelled(context: StreamContext) -> None:
    async def run() -> None:
        segments = await segments_of(BinaryStreamEncoder(b"data", context))
        decoder = BinaryStreamDecoder(context)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(decoder.receive_all(), 0.01)
        waiting = asyncio.create_task(decoder.receive_all())
        await asyncio.sleep(0)
        decoder.receive_segment(segments[0][1], 0)
        assert await asyncio.wait_for(waiting, GUARD) == b"data"

    asyncio.run(run())


def test_endpoints() -> None:
    async def run() -> None:
        endpoints = EndpointManager(max_messages=2)
        await endpoints.route_to_endpoint("video", b"1")
        await endpoints.route_to_endpoint("audio", bytearray(b"a"))
        await endpoints.route_to_endpoint("video", b"2")
        assert endpoints.list_endpoints() == ["audio", "video"]
        assert endpoints.pending("video") == 2
        full = asyncio.create_task(endpoints.route_to_endpoint("video", b"3"))
        await asyncio.sleep(0)
        assert not full.done()
        given_up = asyncio.create_task(endpoints.route_to_endpoint("video", b"never"))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await endpoints.receive_from_endpoint("video") == b"1"
        await asyncio.wait_for(full, GUARD)
        assert [await endpoints.receive_from_endpoint("video") for _ in "23"] == [b"2", b"3"]

        waiting = asyncio.create_task(endpoints.receive_from_endpoint("video"))
        lost = asyncio.create_task(endpoints.receive_from_endpoint("video"))
        await asyncio.sleep(0)
        # Cancelled, it must not have taken the message.
        lost.cancel()
        await endpoints.route_to_endpoint("video", b"4")
        assert await asyncio.wait_for(waiting, GUARD) == b"4"

        endpoints.close_endpoint("audio")
        assert await endpoints.receive_from_endpoint("audio") == b"a"
        with pytest.raises(errors.STTRoutingError, match="audio") as caught:
            await endpoints.receive_from_endpoint("audio")
        assert caught.value.kind == "closed"
        with pytest.raises(errors.STTRoutingError):
            await endpoints.route_to_endpoint("audio", b"b")
        endpoints.open_endpoint("audio")
        await endpoints.route_to_endpoint("audio", b"b")
        with pytest.raises(errors.STTRoutingError):
            await endpoints.route_to_endpoint("x" * 256, b"")
        endpoints.close()

    asyncio.run(run())


def test_tasks_route_in_the_order_in_which_they_begin() -> None:
    async def run() -> None:
        endpoints = EndpointManager()
        # Enough of them that the loop gets a turn in between, several times.
        for _ in range(20):
            tasks = [
                asyncio.create_task(endpoints.route_to_endpoint("e", bytes([i]))) for i in range(50)
            ]
            got = [(await endpoints.receive_from_endpoint("e"))[0] for _ in tasks]
            await asyncio.gather(*tasks)
            assert got == list(range(50))

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_waiting_for_room_can_be_given_up() -> None:
    async def run() -> None:
        endpoints = EndpointManager(max_messages=2)
        tasks = [
            asyncio.create_task(endpoints.route_to_endpoint("e", bytes([i]))) for i in range(200)
        ]
        await asyncio.sleep(0)
        given_up = range(100, 200, 3)
        for i in given_up:
            tasks[i].cancel()
        await asyncio.sleep(0)
        expected = [i for i in range(200) if i not in given_up]
        got = [(await endpoints.receive_from_endpoint("e"))[0] for _ in expected]
        assert sorted(got) == expected
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert [i for i in range(200) if cancelled[i]] == list(given_up)
        assert endpoints.pending("e") == 0

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_endpoints_between_threads() -> None:
    """Loops in several threads meet at one manager."""
    endpoints, count = EndpointManager(max_messages=3), 300

    async def send() -> None:
        for i in range(count):
            await endpoints.route_to_endpoint("meet", i.to_bytes(2, "big"))

    async def receive() -> list[int]:
        taken = [await endpoints.receive_from_endpoint("meet") for _ in range(count)]
        return [int.from_bytes(data, "big") for data in taken]

    async def run() -> list[int]:
        loop = asyncio.get_running_loop()
        sending = loop.run_in_executor(None, asyncio.run, send())
        received = await receive()
        await sending
        return received

    assert asyncio.run(asyncio.wait_for(run(), GUARD)) == list(range(count))


def test_events() -> None:
    emitter, seen = EventEmitter(), []

    async def slow(data: Any) -> None:
        await asyncio.sleep(0)
        seen.append(("slow", data))

    def quick(data: Any) -> None:
        seen.append(("quick", data))

    def wrong(data: Any) -> None:
        raise ValueError(f"first {data}")

    async def wrong_later(data: Any) -> None:
        await asyncio.sleep(0)
        raise KeyError("second")

    async def run() -> None:
        await emitter.emit("nobody", 1)
        emitter.on("kind", slow)
        emitter.on("kind", quick)
        await emitter.emit("kind", {"a": 1})
        assert seen == [("quick", {"a": 1}), ("slow", {"a": 1})]
        seen.clear()
        emitter.off("kind", slow)
        emitter.off("kind", slow)
        emitter.off("other", quick)
        for handler in (wrong, wrong_later, slow):
            emitter.on("kind", handler)
        assert emitter.handlers("kind") == [quick, wrong, wrong_later, slow]
        assert emitter.event_types() == ["kind"]
        with pytest.raises(errors.STTHandlerError, match="2 handlers of event 'kind'") as caught:
            await emitter.emit("kind", 5)
        assert [type(error) for error in caught.value.errors] == [ValueError, KeyError]
        assert caught.value.__cause__ is caught.value.errors[0]
        assert seen == [("quick", 5), ("slow", 5)]

    asyncio.run(run())


def test_a_handler_that_is_cancelled_stops_no_other() -> None:
    emitter, seen = EventEmitter(), []

    async def given_up(_: Any) -> None:
        task = asyncio.create_task(asyncio.sleep(30))
        asyncio.get_running_loop().call_soon(task.cancel)
        await task

    async def slow(_: Any) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append("slow")

    def at_once(_: Any) -> None:
        raise asyncio.CancelledError

    async def run() -> None:
        for handler in (given_up, at_once, slow):
            emitter.on("kind", handler)
        with pytest.raises(errors.STTHandlerError, match="2 handlers") as caught:
            await emitter.emit("kind")
        assert [type(error) for error in caught.value.errors] == [asyncio.CancelledError] * 2
        assert seen == ["slow"]

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_emitting_can_be_cancelled() -> None:
    emitter, ended = EventEmitter(), []

    async def endless(_: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def run() -> None:
        emitter.on("kind", endless)
        emitter.on("kind", endless)
        task = asyncio.create_task(emitter.emit("kind"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True, True]

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_handlers_may_change_the_emitter() -> None:
    emitter, seen = EventEmitter(), []

    def once(data: Any) -> None:
        seen.append(data)
        emitter.off("kind", once)
        emitter.on("kind", again)

    def again(data: Any) -> None:
        seen.append(-data)

    async def run() -> None:
        emitter.on("kind", once)
        await emitter.emit("kind", 1)
        await emitter.emit("kind", 2)

    asyncio.run(run())
    assert seen == [1, -2]


def test_frames_of_the_user() -> None:
    dispatcher, seen = FrameDispatcher(), []

    async def later(payload: bytes) -> str:
        await asyncio.sleep(0)
        seen.append(payload)
        return "answer"

    async def run() -> None:
        dispatcher.register_handler(0x80, later)
        dispatcher.register_handler(0xFF, seen.append)
        assert await dispatcher.dispatch(0x80, b"one") == "answer"
        assert await dispatcher.dispatch(0xFF, bytearray(b"two")) is None
        assert seen == [b"one", b"two"]
        assert dispatcher.frame_types() == [0x80, 0xFF]
        assert dispatcher.unregister_handler(0xFF)
        assert not dispatcher.unregister_handler(0xFF)
        with pytest.raises(errors.STTFrameError, match="0xff has no handler"):
            await dispatcher.dispatch(0xFF, b"")
        for frame_type in (0, 1, 0x7F, 0x100, -1):
            with pytest.raises(errors.STTFrameError, match="frame_type"):
                dispatcher.register_handler(frame_type, later)
            with pytest.raises(errors.STTFrameError, match="frame_type"):
                await dispatcher.dispatch(frame_type, b"")

    asyncio.run(run())


def test_the_loop_gets_its_turn() -> None:
    """Results that are there at once don't keep others from running."""

    async def run() -> None:
        endpoints = EndpointManager()
        turns: list[bool] = []

        async def other() -> None:
            while len(turns) < 3:
                turns.append(True)
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        for _ in range(1000):
            await endpoints.route_to_endpoint("e", b"x")
            await endpoints.receive_from_endpoint("e")
        assert task.done()

    asyncio.run(asyncio.wait_for(run(), GUARD))
