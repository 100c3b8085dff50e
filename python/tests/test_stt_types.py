"""Arguments of wrong types are told by the parameter's name."""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
import pickle
from pathlib import Path
from typing import Any, Callable

import pytest
from seigr_toolset_transmissions.chamber import Chamber
from seigr_toolset_transmissions.crypto import STCWrapper
from seigr_toolset_transmissions.errors import (
    STTSessionError,
    STTStreamError,
    STTTransportError,
)
from seigr_toolset_transmissions.events import EventEmitter
from seigr_toolset_transmissions.frame import STTFrame
from seigr_toolset_transmissions.frames import FrameDispatcher
from seigr_toolset_transmissions.handshake import STTHandshake
from seigr_toolset_transmissions.node import STTNode
from seigr_toolset_transmissions.routing import EndpointManager
from seigr_toolset_transmissions.storage import BinaryStorage
from seigr_toolset_transmissions.streaming import (
    BinaryStreamDecoder,
    BinaryStreamEncoder,
    StreamDecoder,
    StreamEncoder,
)
from seigr_toolset_transmissions.transport import UDPTransport, WebSocketTransport

STC = STCWrapper(bytes(range(32)))
CONTEXT = STC.create_stream_context(b"session!", 1)
FRAME = STTFrame(1, b"12345678", 1, 1)
SHAKE = STTHandshake(STC, bytes(32), STC.generate_node_id(b""))
ADDRESS = "0" * 64
NODE = STTNode(bytes(32), bytes(32))


def unwanted(_: Any) -> None: ...


# A call, and the parameters that it takes, in order, with values of right types.
CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (STCWrapper, {"seed": bytes(32)}),
    (STC.hash_data, {"data": b"", "context": {}}),
    (STC.generate_node_id, {"identity": b""}),
    (STC.derive_session_key, {"context_data": {}}),
    (STC.rotate_session_key, {"current_key": bytes(32), "nonce": b""}),
    (STC.encrypt_frame, {"payload": b"", "associated_data": {}}),
    (STC.decrypt_frame, {"encrypted": b"", "metadata": {}, "associated_data": {}}),
    (STC.create_stream_context, {"session_id": b"", "stream_id": 1}),
    (
        STTFrame,
        {
            "frame_type": 1,
            "session_id": bytes(8),
            "stream_id": 1,
            "sequence": 1,
            "flags": 0,
            "payload": b"",
        },
    ),
    (FRAME.encrypt_payload, {"stc_wrapper": STC}),
    (FRAME.decrypt_payload, {"stc_wrapper": STC}),
    (STTFrame.from_bytes, {"data": b"", "decrypt": False, "stc_wrapper": STC}),
    (STTHandshake, {"stc_wrapper": STC, "shared_seed": bytes(32), "node_id": SHAKE.node_id}),
    (SHAKE.handle_hello, {"hello_bytes": b""}),
    (SHAKE.handle_response, {"response_bytes": b""}),
    (SHAKE.handle_confirm, {"confirm_bytes": b""}),
    (
        BinaryStreamEncoder,
        {"data_source": b"", "stc_context": CONTEXT, "mode": "live", "segment_size": 1},
    ),
    (BinaryStreamDecoder, {"stc_context": CONTEXT}),
    (BinaryStreamDecoder(CONTEXT).receive_segment, {"encrypted_bytes": b"", "sequence": 1}),
    (StreamEncoder, {"stc_context": CONTEXT, "chunk_size": 1}),
    (StreamEncoder(CONTEXT).encode_bytes, {"data": b""}),
    (StreamDecoder, {"stc_context": CONTEXT}),
    (StreamDecoder(CONTEXT).decode_to_bytes, {"encrypted_chunks": []}),
    (StreamDecoder(CONTEXT).decode_bytes, {"encrypted_chunks": []}),
    (BinaryStorage, {"stc_wrapper": STC, "storage_dir": Path()}),
    (BinaryStorage(STC, Path(os.devnull, "unused")).store, {"data": b""}),
    (BinaryStorage(STC, Path(os.devnull, "unused")).retrieve, {"hash_address": ADDRESS}),
    (BinaryStorage(STC, Path(os.devnull, "unused")).exists, {"hash_address": ADDRESS}),
    (BinaryStorage(STC, Path(os.devnull, "unused")).store_stream, {"source": None}),
    (EndpointManager().route_to_endpoint, {"endpoint_id": "e", "data": b""}),
    (EndpointManager().receive_from_endpoint, {"endpoint_id": "e"}),
    (EventEmitter().on, {"event_type": "e", "handler": unwanted}),
    (EventEmitter().off, {"event_type": "e", "handler": unwanted}),
    (EventEmitter().emit, {"event_type": "e"}),
    (FrameDispatcher().register_handler, {"frame_type": 0x80, "handler": unwanted}),
    (FrameDispatcher().dispatch, {"frame_type": 0x80, "payload": b""}),
    (
        STTNode,
        {
            "node_seed": bytes(32),
            "shared_seed": bytes(32),
            "host": "127.0.0.1",
            "port": 0,
            "chamber_path": None,
            "identity": b"",
            "previous_shared_seeds": [],
            "allowed_peers": [],
            "max_sessions": 1,
            "backlog": 1,
            "accepts": True,
            "busy_poll": 0.0,
            "frame_dispatcher": None,
            "endpoint_manager": None,
        },
    ),
    (
        NODE.connect_udp,
        {
            "peer_host": "127.0.0.1",
            "peer_port": 9,
            "expected_peer": None,
            "timeout": 1.0,
            "resume": True,
        },
    ),
    (
        NODE.connect_ws,
        {
            "peer_host": "127.0.0.1",
            "peer_port": 9,
            "path": "/",
            "origin": None,
            "expected_peer": None,
            "timeout": 1.0,
            "resume": True,
        },
    ),
    (NODE.listen_ws, {"host": "127.0.0.1", "port": 0, "path": "/", "origins": []}),
    (UDPTransport, {"host": "127.0.0.1", "port": 0, "on_frame_received": unwanted}),
    (
        WebSocketTransport.connect,
        {
            "host": "127.0.0.1",
            "port": 9,
            "on_frame_received": unwanted,
            "path": "/",
            "origin": None,
            "timeout": 1.0,
        },
    ),
]


async def finish(call: Callable[..., Any], arguments: dict[str, Any]) -> None:
    result = call(**arguments)
    if inspect.isawaitable(result):
        await result


class Nothing:
    """An object that is none of what any parameter takes."""


@pytest.mark.parametrize(
    ("call", "parameters", "name"),
    [
        pytest.param(call, parameters, name, id=f"{call.__qualname__}-{name}")
        for call, parameters in CALLS
        for name in parameters
    ],
)
def test_a_wrong_type_is_named(
    call: Callable[..., Any], parameters: dict[str, Any], name: str
) -> None:
    # By keyword: the names are documented. In the message itself, not in a note.
    arguments = {**parameters, name: Nothing()}
    with pytest.raises(TypeError) as caught:
        asyncio.run(finish(call, arguments))
    assert f"argument '{name}': " in str(caught.value)


def takes_none(parameter: inspect.Parameter) -> bool:
    return parameter.default is None or str(parameter.annotation).endswith("| None")


@pytest.mark.parametrize(
    ("call", "parameters", "name"),
    [
        pytest.param(call, parameters, name, id=f"{call.__qualname__}-{name}")
        for call, parameters in CALLS
        for name in parameters
        if not takes_none(inspect.signature(call).parameters[name])
    ],
)
def test_none_is_taken_where_it_is_documented_only(
    call: Callable[..., Any], parameters: dict[str, Any], name: str
) -> None:
    with pytest.raises(TypeError) as caught:
        asyncio.run(finish(call, {**parameters, name: None}))
    assert f"argument '{name}': " in str(caught.value)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 1e300])
def test_times_out_of_range(value: float) -> None:
    with pytest.raises(STTTransportError, match=r"^busy_poll is .{3,5}, it takes 0 to 1e19 s"):
        STTNode(bytes(32), bytes(32), busy_poll=value)

    async def go() -> None:
        seed = bytes(32)
        async with STTNode(seed, seed, "127.0.0.1") as one, STTNode(b"2" * 32, seed) as two:
            assert two.local_address
            with pytest.raises(STTTransportError, match=r"^timeout is"):
                await one.connect_udp("127.0.0.1", two.local_address[1], timeout=value)
            session = await one.connect_udp("127.0.0.1", two.local_address[1])
            # Not taken for 0, which would lose what was written.
            with pytest.raises(STTSessionError, match=r"^timeout is"):
                await session.close(timeout=value)
            assert session.close_reason is None

    asyncio.run(asyncio.wait_for(go(), 60))


def test_nothing_is_copied_that_would_be_the_same(tmp_path: Path) -> None:
    async def go() -> None:
        seed = bytes(32)
        async with STTNode(seed, seed, "127.0.0.1") as one, STTNode(b"2" * 32, seed) as two:
            assert two.local_address
            session = await one.connect_udp("127.0.0.1", two.local_address[1])
            stream = await session.open_stream()
            async with UDPTransport("127.0.0.1") as udp:
                with Chamber(tmp_path, bytes(32), STC) as chamber:
                    for thing in (
                        one,
                        session,
                        session.stream_manager,
                        stream,
                        udp,
                        chamber,
                        BinaryStorage(STC, tmp_path),
                        BinaryStreamEncoder(b"", CONTEXT),
                        BinaryStreamDecoder(CONTEXT),
                        EndpointManager(),
                        STC,
                        CONTEXT,
                        SHAKE,
                    ):
                        # By the name that its user knows.
                        name = type(thing).__name__
                        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                            with pytest.raises(TypeError, match=name):
                                duplicate(thing)

    asyncio.run(asyncio.wait_for(go(), 60))


def test_chambers(tmp_path: Path) -> None:
    right = {"chamber_path": tmp_path, "node_id": bytes(32), "stc_wrapper": STC}
    for name in right:
        with pytest.raises(TypeError) as caught:
            Chamber(**{**right, name: Nothing()})  # type: ignore[arg-type]
        assert f"argument '{name}': " in str(caught.value)
    with Chamber(tmp_path, bytes(32), STC) as chamber:
        calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
            (chamber.store_key, {"key_id": "k", "key_data": b""}),
            (chamber.retrieve_key, {"key_id": "k"}),
            (chamber.store_session, {"session_id": "s", "session_data": {}}),
            (chamber.retrieve_session, {"session_id": "s"}),
        ]
        for call, parameters in calls:
            for name in parameters:
                with pytest.raises(TypeError) as caught:
                    call(**{**parameters, name: Nothing()})
                assert f"argument '{name}': " in str(caught.value)


def test_sessions_and_streams() -> None:
    async def go() -> None:
        seed = bytes(32)
        async with STTNode(seed, seed, "127.0.0.1") as one, STTNode(b"2" * 32, seed) as two:
            assert two.local_address
            session = await one.connect_udp("127.0.0.1", two.local_address[1])
            stream = await session.open_stream()
            calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
                (session.rotate_keys, {"stc_wrapper": STC}),
                (session.close, {"code": 0, "reason": "", "timeout": 1.0}),
                (session.send_datagram, {"data": b""}),
                (session.send_frame, {"frame_type": 0x80, "payload": b""}),
                (session.send_to_endpoint, {"endpoint_id": "e", "data": b""}),
                (session.dispatch_frames, {"dispatcher": FrameDispatcher()}),
                (session.route_endpoints, {"endpoint_manager": EndpointManager()}),
                (session.open_stream, {"unidirectional": True}),
                (session.stream_manager.get_stream, {"stream_id": 0}),
                (stream.write, {"data": b""}),
                (stream.reset, {"code": 0}),
                (stream.set_priority, {"priority": 0}),
                (stream.read, {"max_bytes": 1}),
                (stream.read_exactly, {"count": 1}),
                (stream.read_to_end, {"limit": 1}),
                (stream.stop, {"code": 0}),
            ]
            for call, parameters in calls:
                for name in parameters:
                    with pytest.raises(TypeError) as caught:
                        await finish(call, {**parameters, name: Nothing()})
                    assert f"argument '{name}': " in str(caught.value)
            with pytest.raises(STTStreamError, match="priority is"):
                stream.set_priority(1 << 40)

    asyncio.run(asyncio.wait_for(go(), 60))


@pytest.mark.parametrize("address", [("127.0.0.1", "9"), (b"127.0.0.1", 9), "ab", ("a",), 7])
def test_addresses(address: Any) -> None:
    async def go() -> None:
        async with UDPTransport("127.0.0.1") as transport:
            with pytest.raises(TypeError, match="argument 'address': "):
                await transport.send_frame(FRAME, address)

    asyncio.run(go())


@pytest.mark.parametrize("name", ["previous_shared_seeds", "allowed_peers"])
@pytest.mark.parametrize("value", ["text", bytes(32), bytearray(32), [1]])
def test_one_where_several_are_wanted(name: str, value: Any) -> None:
    # Text and bytes are iterables themselves: of letters and numbers.
    with pytest.raises(TypeError, match=f"argument '{name}': "):
        STTNode(bytes(32), bytes(32), **{name: value})


def test_origins_are_several() -> None:
    async def go() -> None:
        async with STTNode(bytes(32), bytes(32), "127.0.0.1") as node:
            with pytest.raises(TypeError, match="argument 'origins': "):
                await node.listen_ws("127.0.0.1", origins="https://example.org")
            with pytest.raises(STTTransportError, match="the path"):
                await node.listen_ws("127.0.0.1", path="no slash")

    asyncio.run(go())


def test_sizes_out_of_range() -> None:
    for size in (0, -1, 1 << 25):
        with pytest.raises(STTStreamError, match="chunk_size is"):
            StreamEncoder(CONTEXT, chunk_size=size)
        with pytest.raises(STTStreamError, match="segment_size is"):
            BinaryStreamEncoder(b"", CONTEXT, segment_size=size)
    with pytest.raises(ValueError, match="mode is 'fast'"):
        BinaryStreamEncoder(b"", CONTEXT, "fast")  # type: ignore[arg-type]
