"""Nodes, sessions and streams over UDP on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
from conftest import environment, python
from seigr_toolset_transmissions import STTNode, STTSession, STTStream, errors
from seigr_toolset_transmissions.crypto import STCWrapper

GUARD = 60.0
SHARED = bytes(range(32))


def node(number: int, **more: Any) -> STTNode:
    return STTNode(**{"node_seed": bytes([number]) * 32, "shared_seed": SHARED, **HOST, **more})


HOST = {"host": "127.0.0.1"}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, GUARD))


@contextlib.asynccontextmanager
async def pair(**more: Any) -> AsyncIterator[tuple[STTSession, STTSession]]:
    """Both ends of a session, the one that opened it first."""
    async with node(1) as client, node(2, **more) as server:
        address = server.local_address
        assert address
        opened = await client.connect_udp(*address)
        yield opened, await server.accept()


def test_a_node_starts_and_stops() -> None:
    async def go() -> None:
        made = node(1)
        assert len(made.node_id) == 32
        assert made.node_id == STCWrapper(bytes([1]) * 32).generate_node_id(b"")
        assert made.node_id != node(1, identity=b"other").node_id
        assert made.local_address is None
        for _ in range(2):
            host, port = await made.start()
            assert (host, port) == made.local_address
            assert host == "127.0.0.1"
            assert port > 0
            assert made.is_running
            with pytest.raises(errors.STTTransportError, match="already"):
                await made.start()
            with pytest.raises(errors.STTTransportError) as caught:
                await node(2, port=port).start()
            assert caught.value.kind == "bind"
            stats = made.get_stats()
            assert stats["sessions"] == 0
            assert stats["node_id"] == made.node_id
            await made.stop()
            await made.stop()
            assert not made.is_running
        with pytest.raises(errors.STTClosedError):
            await made.accept()

    run(go())


def test_sessions() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            assert one.session_id == two.session_id
            assert len(one.session_id) == 8
            assert one.session_key == two.session_key
            assert one.peer_node_id == node(2).node_id
            assert two.peer_node_id == node(1).node_id
            assert (one.state, two.state) == (1, 1)
            assert (one.is_initiator, two.is_initiator) == (True, False)
            assert one.remote_address
            assert one.close_reason is None
            assert one.get_stats()["packets_sent"] > 0
            assert not one.should_rotate_keys()
            await one.rotate_keys(STCWrapper(SHARED))
            assert one.get_stats()["key_epoch"] == 1
            with pytest.raises(TypeError, match="stc_wrapper"):
                await one.rotate_keys(5)  # type: ignore[arg-type]
            await one.close(7, "done")
            reason = await two.closed()
            assert (reason.code, reason.kind) == (7, "closed")
            assert "done" in str(reason)
            assert (one.state, two.state) == (2, 2)
            await one.close()
            with pytest.raises(errors.STTClosedError):
                await one.open_stream()
            with pytest.raises(errors.STTClosedError):
                await two.receive_datagram()
            assert one.get_stats()["state"] == 2

    run(go())


def test_streams_both_ways() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            asking = await one.open_stream()
            await asking.write(b"question")
            asking.finish()
            answering = await two.accept_stream()
            assert (answering.can_read, answering.can_write) == (True, True)
            assert answering.stream_id == asking.stream_id
            assert two.stream_manager.get_stream(answering.stream_id) is answering
            assert await answering.read_to_end() == b"question"
            async with answering:
                await answering.write(bytearray(b"an"))
                await answering.write(memoryview(b"swer"))
            assert await asking.read_exactly(2) == b"an"
            assert await asking.read() == b"swer"
            assert await asking.read() == b""
            await answering.acknowledged()

            sending = await one.stream_manager.open_stream(unidirectional=True)
            await sending.write(b"one way")
            sending.finish()
            taken = await two.accept_stream()
            assert (taken.can_read, taken.can_write) == (True, False)
            assert [piece async for piece in taken] == [b"one way"]
            with pytest.raises(errors.STTStreamError):
                await taken.write(b"")
            with pytest.raises(errors.STTStreamError):
                await sending.read()
            with pytest.raises(errors.STTStreamError):
                await sending.write(b"after the end")

    run(go())


def test_much_both_ways_at_once() -> None:
    data = random.Random(1).randbytes(8_000_000)

    async def echo(session: STTSession) -> None:
        async for stream in session.stream_manager:
            async with stream:
                async for piece in stream:
                    await stream.write(piece)
            break

    async def go() -> None:
        async with pair() as (one, two):
            echoing = asyncio.create_task(echo(two))
            stream = await one.open_stream()

            async def send() -> None:
                for start in range(0, len(data), 65536):
                    await stream.write(data[start : start + 65536])
                stream.finish()

            sending = asyncio.create_task(send())
            assert await stream.read_to_end(limit=len(data)) == data
            await sending
            await echoing
            assert stream.bytes_written == len(data)

    run(go())


def test_many_streams() -> None:
    async def serve(session: STTSession) -> None:
        tasks = []
        async for stream in session.stream_manager:
            tasks.append(asyncio.create_task(answer(stream)))
        await asyncio.gather(*tasks)

    async def answer(stream: STTStream) -> None:
        async with stream:
            await stream.write((await stream.read_to_end())[::-1])

    async def ask(session: STTSession, i: int) -> None:
        stream = await session.open_stream()
        await stream.write(f"question {i}".encode())
        stream.finish()
        assert await stream.read_to_end() == f"question {i}".encode()[::-1]

    async def go() -> None:
        async with pair() as (one, two):
            serving = asyncio.create_task(serve(two))
            await asyncio.gather(*(ask(one, i) for i in range(300)))
            await one.close()
            await serving

    run(go())


def test_streams_that_fail() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            stream = await one.open_stream()
            await stream.write(b"some")
            other = await two.accept_stream()
            with pytest.raises(errors.STTStreamError) as caught:
                await other.read_to_end(limit=3)
            assert caught.value.kind == "too_long"
            # Nothing is lost by that.
            assert await other.read_exactly(4) == b"some"
            stream.reset(9)
            with pytest.raises(errors.STTStreamError, match="9") as caught:
                await other.read()
            assert caught.value.kind == "reset"

            stream = await one.open_stream(unidirectional=True)
            await stream.write(b"12345")
            stream.finish()
            other = await two.accept_stream()
            with pytest.raises(errors.STTStreamError, match="after 5 of 6") as caught:
                await other.read_exactly(6)
            assert caught.value.kind == "incomplete"
            assert await other.read_exactly(5) == b"12345"

            stream = await one.open_stream(unidirectional=True)
            await stream.write(b"x")
            (await two.accept_stream()).stop(4)
            with pytest.raises(errors.STTStreamError) as caught:
                await stream.write(bytes(100_000_000))
            assert caught.value.kind == "stopped"

            with contextlib.suppress(ZeroDivisionError):
                async with await one.open_stream() as stream:
                    await stream.write(b"half")
                    # One that is reset before its first byte has left is never seen by the peer.
                    other = await two.accept_stream()
                    raise ZeroDivisionError
            with pytest.raises(errors.STTStreamError):
                await other.read_to_end()

    run(go())


def test_a_slow_reader_holds_the_writer_back() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            stream = await one.open_stream(unidirectional=True)
            writing = asyncio.create_task(stream.write(bytes(200_000_000)))
            reading = await two.accept_stream()
            written = -1
            while written != stream.bytes_written:
                written = stream.bytes_written
                await asyncio.sleep(0.2)
            assert not writing.done()
            assert written < 100_000_000
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            assert stream.bytes_written == written
            stream.finish()
            total = 0
            async for piece in reading:
                total += len(piece)
            assert total == written

    run(go())


def test_datagrams() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            assert one.max_datagram > 1000
            one.send_datagram(b"first")
            assert await two.receive_datagram() == b"first"
            two.send_datagram(memoryview(b"back"))
            assert await one.receive_datagram() == b"back"
            with pytest.raises(errors.STTSessionError) as caught:
                one.send_datagram(bytes(one.max_datagram + 1))
            assert caught.value.kind == "too_large"
            one.send_datagram(b"last")
            got = [await two.receive_datagram()]
            await one.close()
            got += [data async for data in two.datagrams()]
            assert got == [b"last"]

    run(go())


def test_who_may_connect() -> None:
    async def go() -> None:
        async with node(1) as client, node(2) as server, node(3, shared_seed=bytes(32)) as stranger:
            address = server.local_address
            assert address
            with pytest.raises(errors.STTTimeoutError, match="another seed"):
                await stranger.connect_udp(*address, timeout=0.7)
            with pytest.raises(errors.STTConnectError) as caught:
                await client.connect_udp(*address, expected_peer=bytes(32))
            assert caught.value.kind == "wrong_peer"
            session = await client.connect_udp(*address, expected_peer=server.node_id)
            assert session.peer_node_id == server.node_id
            async with node(4, allowed_peers=[client.node_id]) as choosy:
                assert choosy.local_address
                await client.connect_udp(*choosy.local_address)
                with pytest.raises(errors.STTConnectError):
                    await server.connect_udp(*choosy.local_address, timeout=0.7)
            async with node(5, shared_seed=bytes(32), previous_shared_seeds=[SHARED]) as both:
                assert both.local_address
                await client.connect_udp(*both.local_address)
                await stranger.connect_udp(*both.local_address)
        with pytest.raises(errors.STTConnectError):
            await client.connect_udp("127.0.0.1", 9)

    run(go())
    with pytest.raises(errors.STTTransportError, match="port"):
        node(1, port=70_000)
    with pytest.raises(errors.STTCryptoError, match="empty"):
        node(1, node_seed=b"")
    with pytest.warns(errors.STTSeedWarning):
        node(1, shared_seed=b"short")
    for name in ("node_seed", "shared_seed", "host", "port", "identity", "allowed_peers"):
        with pytest.raises(TypeError) as caught:
            node(1, **{name: 1.5})
        assert f"argument '{name}': " in str(caught.value)


def test_stopping_ends_who_waits() -> None:
    async def go() -> None:
        server = node(2)
        await server.start()
        accepting = asyncio.create_task(server.accept())
        iterating = asyncio.create_task(anext_of(server))
        await asyncio.sleep(0)
        await server.stop()
        with pytest.raises(errors.STTClosedError):
            await accepting
        assert await iterating == []

    async def anext_of(server: STTNode) -> list[STTSession]:
        return [session async for session in server]

    run(go())


def test_giving_up() -> None:
    async def go() -> None:
        async with pair() as (one, two):
            for _ in range(50):
                given_up = asyncio.create_task(two.accept_stream())
                await asyncio.sleep(0)
                given_up.cancel()
                stream = await one.open_stream()
                await stream.write(b"12")
                with pytest.raises(asyncio.CancelledError):
                    await given_up
                other = await two.accept_stream()
                reading = asyncio.create_task(other.read_exactly(4))
                await asyncio.sleep(0)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
                await stream.write(b"34")
                assert await other.read_exactly(4) == b"1234"
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(two.receive_datagram(), 0.001)
                one.send_datagram(b"kept")
                assert await two.receive_datagram() == b"kept"
        async with node(1) as client:
            connecting = asyncio.create_task(client.connect_udp("127.0.0.1", 9))
            await asyncio.sleep(0.05)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            while client.get_stats()["sessions"]:
                await asyncio.sleep(0)

    run(go())


def test_a_dropped_session_is_closed() -> None:
    async def go() -> None:
        async with node(1) as client, node(2) as server:
            assert server.local_address
            session = await client.connect_udp(*server.local_address)
            stream = await session.open_stream(unidirectional=True)
            await stream.write(b"goes out still")
            del session, stream
            gc.collect()
            other = await server.accept()
            assert await (await other.accept_stream()).read_to_end() == b"goes out still"
            await other.closed()
            while client.get_stats()["sessions"]:
                await asyncio.sleep(0.01)

    run(go())


def test_a_session_is_resumed(tmp_path: Path) -> None:
    async def go() -> None:
        folders = [tmp_path / "client", tmp_path / "server"]
        for _ in range(3):
            client = node(1, chamber_path=folders[0])
            server = node(2, chamber_path=folders[1])
            async with client, server:
                assert server.local_address
                session = await client.connect_udp(*server.local_address)
                accepted = await server.accept()
                assert accepted.peer_node_id == client.node_id
                await session.rotate_keys()
                await session.close()

    run(go())


SERVER = """
    import asyncio, sys
    from seigr_toolset_transmissions import STTNode

    async def main():
        async with STTNode(bytes([2]) * 32, bytes(range(32)), host="127.0.0.1") as node:
            print(node.local_address[1], flush=True)
            session = await node.accept()
            async for stream in session.stream_manager:
                async with stream:
                    async for piece in stream:
                        await stream.write(piece.upper())
            print(session.close_reason.code)

    asyncio.run(main())
"""


FULL_DISK = """
    import asyncio, os, resource, sys
    from seigr_toolset_transmissions import *

    async def main():
        server = STTNode(b"1" * 32, bytes(32), "127.0.0.1")
        await server.start()
        chamber = sys.argv[1]
        client = STTNode(b"2" * 32, bytes(32), "127.0.0.1", chamber_path=chamber)
        await client.start()
        port = server.local_address[1]
        first = await client.connect_udp("127.0.0.1", port)
        await first.close()
        # From now on nothing can be written. Sessions don't depend on it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        for _ in range(4):
            session = await client.connect_udp("127.0.0.1", port)
            await session.close()
        await client.stop()
        await server.stop()
        print("done")

    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are not there")
def test_a_full_disk_costs_no_session(tmp_path: Path) -> None:
    assert python(FULL_DISK, str(tmp_path / "chamber")) == "done\n"


def test_two_processes() -> None:
    async def go(port: int) -> None:
        async with node(1) as client:
            session = await client.connect_udp("127.0.0.1", port)
            stream = await session.open_stream()
            await stream.write(b"hello")
            stream.finish()
            assert await stream.read_to_end() == b"HELLO"
            await session.close(5)

    program = [sys.executable, "-c", textwrap.dedent(SERVER)]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, encoding="utf-8", env=environment()
    ) as server:
        assert server.stdout
        run(go(int(server.stdout.readline())))
        assert server.stdout.readline() == "5\n"
        assert server.wait(GUARD) == 0


PROGRAMS = {
    "forked": """
        import asyncio, os, sys
        from seigr_toolset_transmissions import STTNode

        async def use(a, b):
            session = await a.connect_udp(*b.local_address)
            stream = await session.open_stream()
            await stream.write(b"data")
            other = await (await b.accept()).accept_stream()
            assert await other.read_exactly(4) == b"data"
            return session, stream

        def node(i):
            return STTNode(bytes([i]) * 32, bytes(32), host="127.0.0.1")

        async def main():
            async with node(1) as a, node(2) as b:
                kept = await use(a, b)
                for i in range(5):
                    child = os.fork()
                    if child == 0:
                        try:
                            a.get_stats()
                        except RuntimeError as error:
                            assert "process" in str(error), error
                            del kept
                            a = b = None
                            asyncio._set_running_loop(None)
                            os._exit(in_child())
                        os._exit(1)
                    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
                    kept = await use(a, b)

        def in_child():
            async def go():
                async with node(3) as a, node(4) as b:
                    await use(a, b)
            # The selector of the parent's loop is shared: a thread has a loop of its own.
            import threading
            thread = threading.Thread(target=lambda: asyncio.run(go()))
            thread.start()
            thread.join()
            return 7

        asyncio.run(main())
        print("done")
    """,
    "ended with a node running": """
        import asyncio
        from seigr_toolset_transmissions import STTNode

        node = STTNode(bytes(32), bytes(32), host="127.0.0.1")
        peer = STTNode(bytes([1]) * 32, bytes(32), host="127.0.0.1")
        async def main():
            await node.start()
            await peer.start()
            return await node.connect_udp(*peer.local_address)
        session = asyncio.run(main())
        print("done")
    """,
    "in threads": """
        import asyncio, threading
        from seigr_toolset_transmissions import STTNode

        failures = []
        async def main(i):
            a = STTNode(bytes([i, 1] * 16), bytes(32), host="127.0.0.1")
            b = STTNode(bytes([i, 2] * 16), bytes(32), host="127.0.0.1")
            async with a, b:
                for _ in range(10):
                    async with await a.connect_udp(*b.local_address) as session:
                        stream = await session.open_stream()
                        await stream.write(b"data")
                        other = await (await b.accept()).accept_stream()
                        assert await other.read_exactly(4) == b"data"
        def work(i):
            try:
                asyncio.run(main(i))
            except BaseException as error:
                failures.append(error)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(failures or "done")
    """,
    "with readers that are slow": """
        import asyncio
        from seigr_toolset_transmissions import EndpointManager, FrameDispatcher, STTNode

        def memory():
            for line in open("/proc/self/status"):
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

        async def main():
            never = asyncio.Event()
            async def slow(payload):
                await never.wait()
            frames, endpoints = FrameDispatcher(), EndpointManager()
            frames.register_handler(0x80, slow)
            a = STTNode(bytes([1]) * 32, bytes(32), host="127.0.0.1")
            b = STTNode(bytes([2]) * 32, bytes(32), host="127.0.0.1",
                        frame_dispatcher=frames, endpoint_manager=endpoints)
            async with a, b:
                session = await a.connect_udp(*b.local_address)
                accepted = await b.accept()
                piece, taken = bytes(1 << 20), 0
                async def offer(send):
                    nonlocal taken
                    while True:
                        await send()
                        taken += 1
                streams = [await session.open_stream() for _ in range(8)]
                sends = [lambda s=s: s.write(piece) for s in streams]
                sends.append(lambda: session.send_frame(0x80, piece))
                sends.append(lambda: session.send_to_endpoint("e", piece))
                before = memory()
                work = [asyncio.create_task(offer(send)) for send in sends]
                seen = -1
                while seen != taken:
                    seen = taken
                    await asyncio.sleep(0.5)
                # Windows and buffers are full, and stay as they are; so do those of datagrams.
                full = memory()
                assert full - before < 100_000, full - before
                for _ in range(50):
                    for _ in range(500):
                        session.send_datagram(bytes(1000))
                    await asyncio.sleep(0.02)
                assert seen == taken, (seen, taken)
                assert memory() - full < 10_000, memory() - full
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)
        asyncio.run(main())
        print("done")
    """,
    "without leaks": """
        import asyncio, os
        from seigr_toolset_transmissions import EndpointManager, FrameDispatcher, STTNode

        def threads():
            return len(os.listdir("/proc/self/task"))
        def files():
            return len(os.listdir("/proc/self/fd"))

        async def main():
            for i in range(12):
                endpoints = EndpointManager()
                a = STTNode(bytes([1]) * 32, bytes(32), host="127.0.0.1")
                b = STTNode(bytes([2]) * 32, bytes(32), host="127.0.0.1",
                            frame_dispatcher=FrameDispatcher(), endpoint_manager=endpoints)
                async with a, b:
                    web = await b.listen_ws("127.0.0.1")
                    for connect in (a.connect_udp(*b.local_address), a.connect_ws(*web)):
                        session = await connect
                        stream = await session.open_stream()
                        await stream.write(b"data")
                        peer = await b.accept()
                        await peer.accept_stream()
                        await session.send_to_endpoint("e", b"data")
                        assert await endpoints.receive_from_endpoint("e") == b"data"
                assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()
                if i == 3:
                    before = threads(), files()
            after = threads(), files()
            assert after[0] <= before[0] + 2 and after[1] <= before[1], (before, after)
        asyncio.run(main())
        print("done")
    """,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and reads /proc")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end(name: str) -> None:
    assert python(PROGRAMS[name]) == "done\n"
