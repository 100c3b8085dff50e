"""Arguments of wrong types are told by the parameter's name."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any, Callable

import pytest
from seigr_toolset_transmissions.chamber import Chamber
from seigr_toolset_transmissions.crypto import STCWrapper
from seigr_toolset_transmissions.events import EventEmitter
from seigr_toolset_transmissions.frame import STTFrame
from seigr_toolset_transmissions.frames import FrameDispatcher
from seigr_toolset_transmissions.handshake import STTHandshake
from seigr_toolset_transmissions.routing import EndpointManager
from seigr_toolset_transmissions.storage import BinaryStorage
from seigr_toolset_transmissions.streaming import (
    BinaryStreamDecoder,
    BinaryStreamEncoder,
    StreamDecoder,
    StreamEncoder,
)

STC = STCWrapper(bytes(range(32)))
CONTEXT = STC.create_stream_context(b"session!", 1)
FRAME = STTFrame(1, b"12345678", 1, 1)
SHAKE = STTHandshake(STC, bytes(32), STC.generate_node_id(b""))
ADDRESS = "0" * 64


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
    (BinaryStreamEncoder, {"data_source": b"", "stc_context": CONTEXT}),
    (BinaryStreamDecoder, {"stc_context": CONTEXT}),
    (BinaryStreamDecoder(CONTEXT).receive_segment, {"encrypted_bytes": b"", "sequence": 1}),
    (StreamEncoder, {"stc_context": CONTEXT}),
    (StreamEncoder(CONTEXT).encode_bytes, {"data": b""}),
    (StreamDecoder, {"stc_context": CONTEXT}),
    (StreamDecoder(CONTEXT).decode_to_bytes, {"encrypted_chunks": []}),
    (BinaryStorage, {"stc_wrapper": STC, "storage_dir": Path()}),
    (BinaryStorage(STC, Path("unused")).store, {"data": b""}),
    (BinaryStorage(STC, Path("unused")).retrieve, {"hash_address": ADDRESS}),
    (BinaryStorage(STC, Path("unused")).exists, {"hash_address": ADDRESS}),
    (EndpointManager().route_to_endpoint, {"endpoint_id": "e", "data": b""}),
    (EndpointManager().receive_from_endpoint, {"endpoint_id": "e"}),
    (EventEmitter().on, {"event_type": "e", "handler": unwanted}),
    (EventEmitter().off, {"event_type": "e", "handler": unwanted}),
    (EventEmitter().emit, {"event_type": "e"}),
    (FrameDispatcher().register_handler, {"frame_type": 0x80, "handler": unwanted}),
    (FrameDispatcher().dispatch, {"frame_type": 0x80, "payload": b""}),
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
        if name != "decrypt"  # of bool: anything has a truth
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
