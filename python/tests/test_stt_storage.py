"""Stores and chambers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import textwrap
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import environment, python
from seigr_toolset_transmissions import errors
from seigr_toolset_transmissions.chamber import Chamber
from seigr_toolset_transmissions.crypto import STCWrapper
from seigr_toolset_transmissions.storage import BinaryStorage

GUARD = 60.0
NODE = bytes([7]) * 32


@pytest.fixture
def stc() -> STCWrapper:
    return STCWrapper(bytes(range(32)))


def test_store(stc: STCWrapper, tmp_path: Path) -> None:
    async def run() -> None:
        storage = BinaryStorage(stc, tmp_path / "a" / "b")
        for length in (0, 1, 65536, 65537, 1_000_000):
            data = random.Random(length).randbytes(length)
            address = await storage.store(data)
            assert address == hashlib.sha3_256(data).hexdigest()
            assert await storage.store(memoryview(data)) == address
            assert await storage.exists(address)
            assert await storage.retrieve(address) == data
            assert await storage.verify(address) == length
        listed = await storage.list()
        assert sorted(listed.values()) == [0, 1, 65536, 65537, 1_000_000]
        stats = await storage.stats()
        assert stats["objects"] == 5
        assert stats["bytes"] > 1_000_000
        assert await storage.remove(address)
        assert not await storage.remove(address)
        assert not await storage.exists(address)
        with pytest.raises(errors.STTNotFoundError, match=address):
            await storage.retrieve(address)
        assert await storage.collect() == {"blobs": 0, "bytes": 0, "staged": 0}
        for wrong in ("", "../../etc/passwd", "x" * 64):
            with pytest.raises(errors.STTStorageError, match="64 hex digits"):
                await storage.retrieve(wrong)

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_streams_of_objects(stc: STCWrapper, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(3_000_000)

    async def source() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]

    async def broken() -> AsyncIterator[bytes]:
        yield data
        raise OSError("no more")

    async def run() -> None:
        storage = BinaryStorage(stc, tmp_path)
        address = await storage.store_stream(source())
        assert address == hashlib.sha3_256(data).hexdigest()
        pieces = [piece async for piece in storage.retrieve_stream(address)]
        assert len(pieces) > 1
        assert b"".join(pieces) == data
        await storage.remove(address)
        with pytest.raises(OSError, match="no more"):
            await storage.store_stream(broken())
        assert await storage.list() == {}

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_a_cancelled_put_leaves_nothing_readable(stc: STCWrapper, tmp_path: Path) -> None:
    async def run() -> None:
        storage = BinaryStorage(stc, tmp_path)
        await storage.store(b"there")
        kept = 0
        for delay in (0.0, 0.001, 0.01):
            data = os.urandom(4_000_000)
            task = asyncio.create_task(storage.store(data))
            await asyncio.sleep(delay)
            task.cancel()
            try:
                await task
                kept += 1
            except asyncio.CancelledError:
                pass
        for address in await storage.list():
            await storage.verify(address)
        assert await storage.retrieve(hashlib.sha3_256(b"there").hexdigest()) == b"there"

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_damage_names_the_object(stc: STCWrapper, tmp_path: Path) -> None:
    async def run() -> None:
        storage = BinaryStorage(stc, tmp_path)
        address, other = await storage.store(bytes(200_000)), await storage.store(b"other")
        (blob,) = (tmp_path / "blobs").iterdir()
        raw = bytearray(blob.read_bytes())
        raw[100_000] ^= 1
        blob.write_bytes(raw)
        with pytest.raises(errors.STTStorageError, match=address) as caught:
            await storage.retrieve(address)
        assert caught.value.kind == "damaged"
        assert await storage.retrieve(other) == b"other"
        stranger = BinaryStorage(STCWrapper(bytes(32)), tmp_path)
        with pytest.raises(errors.STTStorageError, match="another seed") as caught:
            await stranger.store(b"")
        assert caught.value.kind == "other_seed"
        full = BinaryStorage(stc, tmp_path / "full", capacity=10_000)
        with pytest.raises(errors.STTStorageError) as caught:
            await full.store(bytes(100_000))
        assert caught.value.kind == "full"

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_many_at_once(stc: STCWrapper, tmp_path: Path) -> None:
    async def run() -> None:
        storage = BinaryStorage(stc, tmp_path)
        objects = [bytes([i]) * (i * 1000) for i in range(60)]
        addresses = await asyncio.gather(*map(storage.store, objects))
        assert await asyncio.gather(*map(storage.retrieve, addresses)) == objects

    asyncio.run(asyncio.wait_for(run(), GUARD))


def test_chamber(stc: STCWrapper, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "chamber"
    session = {"peer": NODE, "since": 12, "tags": ["a", None], "nested": {"x": 1.5}}
    with Chamber(path, NODE, stc) as chamber:
        assert chamber.path == path
        assert chamber.retrieve_key("none") is None
        assert chamber.retrieve_session("none") is None
        for name in ("key", "", "ключ/../../x", "\N{GRINNING FACE}"):
            chamber.store_key(name, name.encode() + b"!")
        chamber.store_key("key", bytearray(b"second"))
        chamber.store_session("key", session)
        assert chamber.retrieve_key("key") == b"second"
        assert len(chamber.list_keys()) == 4
        assert chamber.list_sessions() == ["key"]
        assert chamber.delete_key("")
        assert not chamber.delete_key("")
        assert chamber.check() == 4
        with pytest.raises(errors.STTChamberError) as caught:
            Chamber(path, NODE, stc)
        assert caught.value.kind == "in_use"
    assert chamber.is_closed
    with pytest.raises(errors.STTChamberError, match="closed"):
        chamber.retrieve_key("key")
    with Chamber(path, NODE, stc) as chamber:
        assert chamber.retrieve_session("key") == session
        assert chamber.retrieve_key("ключ/../../x") == "ключ/../../x!".encode()
        assert chamber.delete_session("key")
    for other in (bytes(32), stc.generate_node_id(b"")):
        with pytest.raises(errors.STTChamberError, match="another"):
            Chamber(path, other, stc)
    with pytest.raises(errors.STTChamberError):
        Chamber(path, NODE, STCWrapper(bytes(32)))
    with pytest.raises(errors.STTChamberError, match="node_id has 3 bytes"):
        Chamber(path, b"abc", stc)
    assert [entry.name for entry in path.parent.iterdir()] == ["chamber"]


def test_a_chamber_in_a_folder(stc: STCWrapper, tmp_path: Path) -> None:
    with Chamber(str(tmp_path), NODE, stc) as chamber:
        chamber.store_key("key", b"value")
    assert (tmp_path / "chamber.stt").is_file()
    secret = b"a secret that must not lie open"
    with Chamber(tmp_path, NODE, stc) as chamber:
        assert chamber.retrieve_key("key") == b"value"
        chamber.store_key("name of it", secret)
    raw = (tmp_path / "chamber.stt").read_bytes()
    assert secret not in raw
    assert b"name of it" not in raw


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_chamber_in_two_processes(stc: STCWrapper, tmp_path: Path) -> None:
    with Chamber(tmp_path, NODE, stc):
        program = """
            import sys
            from seigr_toolset_transmissions.chamber import Chamber
            from seigr_toolset_transmissions.crypto import STCWrapper
            try:
                Chamber(sys.argv[1], bytes([7]) * 32, STCWrapper(bytes(range(32))))
            except Exception as error:
                print(error.kind)
        """
        assert python(program, str(tmp_path)) == "in_use\n"


FULL = """
    import asyncio, os, resource, sys
    from seigr_toolset_transmissions import *

    folder, = sys.argv[1:]
    stc = STCWrapper(bytes(32))

    def room(bytes_):
        # No file may grow further: what a full disk does, but for the number of the error.
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, resource.RLIM_INFINITY))

    def failure(work):
        try:
            work()
        except STTException as error:
            return error
        raise AssertionError("the disk is full")

    chamber = Chamber(folder + "/chamber", bytes(32), stc)
    for i in range(5):
        chamber.store_key(f"key {i}", bytes([i]))
    room(os.path.getsize(folder + "/chamber"))

    def fill():
        for i in range(5, 10_000):
            chamber.store_key(f"key {i}", os.urandom(1000))

    error = failure(fill)
    assert type(error).__name__ == "STTChamberError", error
    assert "storing key \\"key " in str(error) and folder in str(error), error
    # What was there is there, without opening it again by hand; and with room it goes on.
    assert all(chamber.retrieve_key(f"key {i}") == bytes([i]) for i in range(5))
    before = len(chamber.list_keys())
    room(resource.RLIM_INFINITY)
    chamber.store_key("new", b"value")
    assert chamber.retrieve_key("new") == b"value"
    assert len(chamber.list_keys()) == before + 1 == chamber.check()

    async def store():
        storage = BinaryStorage(stc, folder + "/store")
        kept = [await storage.store(os.urandom(n)) for n in (10, 100_000)]
        room(50_000)
        try:
            await storage.store(bytes(200_000))
        except STTException as error:
            assert type(error).__name__ == "STTStorageError", error
            assert "blobs/" in str(error), error
        else:
            raise AssertionError("the disk is full")
        room(resource.RLIM_INFINITY)
        for address in kept:
            await storage.verify(address)
        assert (await storage.stats())["blobs"] == 1
        await storage.store(bytes(200_000))

    asyncio.run(store())
    print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are not there")
def test_a_full_disk_costs_one_call(tmp_path: Path) -> None:
    assert python(FULL, str(tmp_path)) == "done\n"


KILLED = """
    import os, sys
    from seigr_toolset_transmissions import *

    chamber = Chamber(sys.argv[1], bytes(32), STCWrapper(bytes(32)))
    for i in range(int(sys.argv[2]), 1_000_000):
        chamber.store_key(f"key {i}", str(i).encode() * 100)
        print(i, flush=True)
"""


def test_a_killed_process_loses_no_key_that_was_stored(stc: STCWrapper, tmp_path: Path) -> None:
    path, stored, chance = tmp_path / "chamber", 0, random.Random(5)
    for _ in range(10):
        program = [sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(stored)]
        with subprocess.Popen(
            program, env=environment(), stdout=subprocess.PIPE, encoding="utf-8"
        ) as child:
            assert child.stdout
            # In the middle of a later one.
            for _ in range(chance.randrange(1, 40)):
                stored = int(child.stdout.readline()) + 1
            child.kill()
        with Chamber(path, bytes(32), STCWrapper(bytes(32))) as chamber:
            for i in range(stored):
                assert chamber.retrieve_key(f"key {i}") == str(i).encode() * 100
            later = chamber.list_keys()
            # Each is whole, and there are none but those that were begun.
            assert chamber.check() == len(later) >= stored
            for name in later:
                number = name.removeprefix("key ").encode()
                assert chamber.retrieve_key(name) == number * 100


def test_folders_that_may_not_be_used(stc: STCWrapper, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no folder")
    for path in (tmp_path / "file" / "chamber", tmp_path / ("x" * 300)):
        with pytest.raises(errors.STTChamberError, match="chamber"):
            Chamber(path, NODE, stc)
    with pytest.raises(errors.STTStorageError, match="file"):
        asyncio.run(BinaryStorage(stc, tmp_path / "file").store(b"x"))
    chamber = Chamber(tmp_path / "chamber", NODE, stc)
    with pytest.raises(errors.STTChamberError, match="key_id"):
        chamber.store_key("\ud800", b"")
    chamber.close()


VECTORS = Path(__file__).parents[2] / "vectors" / "stt-store"


def vectors(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((VECTORS / name).read_text(encoding="utf-8")))


def test_a_store_of_another_implementation(tmp_path: Path) -> None:
    case = vectors("store.json")
    for path, content in case["files"].items():
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes.fromhex(content))
    storage = BinaryStorage(STCWrapper(bytes.fromhex(case["seed"])), tmp_path)

    async def go() -> None:
        assert await storage.list() == {o["address"]: o["length"] for o in case["objects"]}
        assert len(case["objects"]) == 4
        for known in case["objects"]:
            data = bytes((167 * i + 13 * (i >> 8)) & 255 for i in range(known["length"]))
            assert hashlib.sha3_256(data).hexdigest() == known["address"]
            assert await storage.retrieve(known["address"]) == data
            assert await storage.verify(known["address"]) == known["length"]
            # Storing it again writes nothing.
            assert await storage.store(data) == known["address"]

    asyncio.run(go())
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == set(case["files"])


def test_names_of_another_implementation(tmp_path: Path) -> None:
    cases = vectors("keys.json")["cases"]
    assert len(cases) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stcs = [STCWrapper(bytes.fromhex(case["seed"])) for case in cases]
    for number, (case, stc) in enumerate(zip(cases, stcs)):
        with Chamber(tmp_path / str(number), bytes.fromhex(case["node_id"]), stc) as chamber:
            keys = [s for s in case["slots"] if s["kind"] == 1]
            for slot in keys:
                chamber.store_key(bytes.fromhex(slot["name"]).decode(), b"value")
        content = (tmp_path / str(number)).read_bytes()
        assert len(keys) == 3
        assert all(bytes.fromhex(slot["slot"]) in content for slot in keys)
        others = [s for s in case["slots"] if s["kind"] != 1]
        assert not any(bytes.fromhex(slot["slot"]) in content for slot in others)
