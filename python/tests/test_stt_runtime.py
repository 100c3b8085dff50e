"""Between asyncio and the runtime: loops, threads, forks, the end of the interpreter, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref
from pathlib import Path

import pytest
from conftest import python
from drywire import _native
from seigr_toolset_transmissions.crypto import STCWrapper
from seigr_toolset_transmissions.routing import EndpointManager
from seigr_toolset_transmissions.storage import BinaryStorage

GUARD = 60.0
STC = STCWrapper(bytes(range(32)))

# Each program ends with this line if it came to its end.
DONE = "done\n"

PROGRAMS = {
    "forked after use": """
        import asyncio, os, sys
        from seigr_toolset_transmissions import BinaryStorage, STCWrapper

        stc = STCWrapper(bytes(32))
        async def use(name):
            storage = BinaryStorage(stc, f"{sys.argv[1]}/{name}")
            address = await storage.store(name.encode())
            assert await storage.retrieve(address) == name.encode()

        asyncio.run(use("parent"))
        for i in range(5):
            child = os.fork()
            if child == 0:
                asyncio.run(use(f"child{i}"))
                sys.exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            asyncio.run(use(f"again{i}"))
        print("done")
    """,
    "forked while others work": """
        import asyncio, os, sys, threading
        from seigr_toolset_transmissions import BinaryStorage, EndpointManager, STCWrapper

        sys.setswitchinterval(1e-6)
        stc, ended = STCWrapper(bytes(32)), threading.Event()
        async def use(name):
            storage = BinaryStorage(stc, f"{sys.argv[1]}/{name}")
            assert await storage.retrieve(await storage.store(name.encode())) == name.encode()

        def work(name):
            while not ended.is_set():
                asyncio.run(use(name))

        threads = [threading.Thread(target=work, args=(f"thread{i}",)) for i in range(3)]
        for thread in threads:
            thread.start()
        for i in range(10):
            child = os.fork()
            if child == 0:
                asyncio.run(use(f"child{i}"))
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        ended.set()
        for thread in threads:
            thread.join()
        print("done")
    """,
    "forked inside a loop": """
        import asyncio, os, sys
        from seigr_toolset_transmissions import EndpointManager

        async def run():
            endpoints = EndpointManager()
            waiting = asyncio.create_task(endpoints.receive_from_endpoint("e"))
            await asyncio.sleep(0)
            child = os.fork()
            if child == 0:
                del waiting, endpoints
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            await endpoints.route_to_endpoint("e", b"data")
            assert await waiting == b"data"

        asyncio.run(run())
        print("done")
    """,
    "ended while waiting": """
        import asyncio, threading
        from seigr_toolset_transmissions import EndpointManager

        endpoints, began = EndpointManager(), threading.Event()
        async def wait():
            began.set()
            await endpoints.receive_from_endpoint("e")
        threading.Thread(target=lambda: asyncio.run(wait()), daemon=True).start()
        began.wait()
        print("done")
    """,
    "ended while working": """
        import asyncio, os, sys, threading
        from seigr_toolset_transmissions import BinaryStorage, STCWrapper

        storage, began = BinaryStorage(STCWrapper(bytes(32)), sys.argv[1]), threading.Event()
        async def work():
            while True:
                await storage.store(os.urandom(200_000))
                began.set()
        for _ in range(3):
            threading.Thread(target=lambda: asyncio.run(work()), daemon=True).start()
        began.wait()
        print("done")
    """,
    "ended with the loop open": """
        import asyncio, sys
        from seigr_toolset_transmissions import BinaryStorage, EndpointManager, STCWrapper

        loop = asyncio.new_event_loop()
        storage = BinaryStorage(STCWrapper(bytes(32)), sys.argv[1])
        loop.run_until_complete(storage.store(b"x"))
        task = loop.create_task(EndpointManager().receive_from_endpoint("e"))
        loop.run_until_complete(asyncio.sleep(0))
        task._log_destroy_pending = False
        print("done")
    """,
    "used at the end": """
        import asyncio, atexit, sys
        from seigr_toolset_transmissions import BinaryStorage, STCWrapper

        storage = BinaryStorage(STCWrapper(bytes(32)), sys.argv[1])
        def late():
            try:
                asyncio.run(storage.store(b"late"))
            except RuntimeError as error:
                assert "ending" in str(error), error
                print("done")
        # Runs after ours, which was registered later.
        atexit.register(late)
        asyncio.run(storage.store(b"x"))
    """,
    "in a pool of processes": """
        import asyncio, multiprocessing, sys
        from seigr_toolset_transmissions import BinaryStorage, STCWrapper

        def put(i):
            storage = BinaryStorage(STCWrapper(bytes(32)), sys.argv[1])
            return asyncio.run(storage.store(bytes([i]) * 100_000))

        if __name__ == "__main__":
            first = put(0)
            with multiprocessing.get_context("fork").Pool(3) as pool:
                assert len(set(pool.map(put, range(12)))) == 12
            print("done")
    """,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_end(name: str, tmp_path: Path) -> None:
    assert python(PROGRAMS[name], str(tmp_path)) == DONE


def test_many_loops_one_after_the_other(tmp_path: Path) -> None:
    storage = BinaryStorage(STC, tmp_path)
    for i in range(20):
        address = asyncio.run(storage.store(bytes([i])))
        assert asyncio.run(storage.retrieve(address)) == bytes([i])


def test_loops_in_threads(tmp_path: Path) -> None:
    storage = BinaryStorage(STC, tmp_path)
    failures: list[BaseException] = []

    async def work(i: int) -> None:
        for j in range(20):
            data = bytes([i, j]) * 1000
            assert await storage.retrieve(await storage.store(data)) == data

    def run(i: int) -> None:
        try:
            asyncio.run(asyncio.wait_for(work(i), GUARD))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD)
    assert not failures


def test_a_loop_inside_a_loop(tmp_path: Path) -> None:
    storage = BinaryStorage(STC, tmp_path)

    async def outer() -> bytes:
        # As notebooks do: another loop runs to its end while this one stands still.
        running = asyncio.get_running_loop()
        asyncio.events._set_running_loop(None)
        try:
            inner = asyncio.new_event_loop()
            try:
                address = inner.run_until_complete(storage.store(b"inner"))
            finally:
                inner.close()
        finally:
            asyncio.events._set_running_loop(running)
        return await storage.retrieve(address)

    assert asyncio.run(asyncio.wait_for(outer(), GUARD)) == b"inner"


def test_others_run_while_it_works(tmp_path: Path) -> None:
    """The interpreter's lock is free while a large object is sealed, hashed and written."""
    storage = BinaryStorage(STC, tmp_path)

    async def run() -> int:
        putting = asyncio.create_task(storage.store(os.urandom(8_000_000)))
        turns = 0
        while not putting.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(asyncio.wait_for(run(), GUARD)) > 10


def test_awaiting_twice() -> None:
    endpoints = _native.SttEndpoints(1, 1, 1)

    async def run() -> None:
        once = endpoints.route_to_endpoint("e", b"x")
        await once
        with pytest.raises(RuntimeError, match="awaited already"):
            await once

    asyncio.run(run())


def test_no_loop() -> None:
    waiting = _native.SttEndpoints(1, 1, 1).receive_from_endpoint("e")
    with pytest.raises(RuntimeError, match="no running event loop"):
        for _ in waiting.__await__():
            pass


def test_giving_up_is_at_once() -> None:
    endpoints = EndpointManager()

    async def run() -> None:
        for _ in range(200):
            task = asyncio.create_task(endpoints.receive_from_endpoint("e"))
            await asyncio.sleep(0)
            task.cancel()
            # Before the cancelled task has run: the message must find its way to the next.
            await endpoints.route_to_endpoint("e", b"kept")
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await endpoints.receive_from_endpoint("e") == b"kept"

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_loops_and_tasks_are_let_go() -> None:
    """Nothing of ours keeps a loop or what it ran alive."""
    endpoints = EndpointManager()
    loop = asyncio.new_event_loop()
    task = loop.create_task(endpoints.receive_from_endpoint("e"))
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    dead = weakref.ref(loop)
    del loop, task
    gc.collect()
    assert dead() is None


MEASURE = """
    import asyncio, sys
    from seigr_toolset_transmissions import *

    stc = STCWrapper(bytes(32))
    context = stc.create_stream_context(b"session!", 1)
    endpoints = EndpointManager()

    def memory():
        for line in open("/proc/self/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1])

    def sync(i):
        sealed, metadata = stc.encrypt_frame(b"payload", {"i": i, "list": [b"x", "y"]})
        stc.decrypt_frame(sealed, metadata, {"list": [b"x", "y"], "i": i})
        frame = STTFrame(0x80, b"12345678", 1, i, payload=b"payload")
        frame.encrypt_payload(stc)
        STTFrame.from_bytes(frame.to_bytes(), decrypt=True, stc_wrapper=stc)
        deserialize_stt(serialize_stt({"key": [i, "value", b"bytes"]}))
        try:
            deserialize_stt(b"\\x03")
        except STTException:
            pass

    async def waiting(i):
        await endpoints.route_to_endpoint("e", b"data")
        await endpoints.receive_from_endpoint("e")
        if i % 10 == 0:
            task = asyncio.create_task(endpoints.receive_from_endpoint("e"))
            await asyncio.sleep(0)
            if i % 20 == 0:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                await endpoints.route_to_endpoint("e", b"data")
                await task

    async def run(count):
        for i in range(count):
            sync(i)
            await waiting(i)

    asyncio.run(run(10_000))
    before = memory()
    asyncio.run(run(100_000))
    print(memory() - before)
"""


MEASURE_SESSIONS = """
    import asyncio
    from seigr_toolset_transmissions import *

    def memory():
        for line in open("/proc/self/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1])

    async def echo(session):
        stream = await session.accept_stream()
        while data := await stream.read():
            await stream.write(data)

    async def main():
        arrived = asyncio.Queue()
        frames = FrameDispatcher()
        frames.register_handler(0x80, arrived.put_nowait)
        a = STTNode(bytes([1]) * 32, bytes(32), host="127.0.0.1")
        b = STTNode(bytes([2]) * 32, bytes(32), host="127.0.0.1", frame_dispatcher=frames)
        async with a, b:
            session = await a.connect_udp(*b.local_address)
            peer = await b.accept()
            echoing = asyncio.create_task(echo(peer))
            stream = await session.open_stream()

            async def run(count):
                for i in range(count):
                    await stream.write(b"data")
                    assert await stream.read_exactly(4) == b"data"
                    if i % 10 == 0:
                        await session.send_frame(0x80, b"frame")
                        assert await arrived.get() == b"frame"
                        session.get_stats(), a.get_stats()
                    if i % 100 == 0:
                        async with await session.open_stream() as other:
                            await other.write(b"more")
                        other = await peer.accept_stream()
                        assert await other.read_to_end() == b"more"

            await run(5_000)
            before = memory()
            # Four calls each, with the peer's.
            await run(25_000)
            print(memory() - before)
            await session.close()
            await asyncio.gather(echoing, return_exceptions=True)

    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("program", [MEASURE, MEASURE_SESSIONS], ids=["calls", "sessions"])
def test_nothing_leaks(program: str) -> None:
    # 64 bytes a call, of 100,000, would be 6,400 KiB.
    assert int(python(program)) < 3_000
