"""STT: a secure, multiplexed transport for two peers that share a seed, and what goes with it.

    >>> from seigr_toolset_transmissions.crypto import STCWrapper
    >>> stc = STCWrapper(bytes(range(32)))
    >>> sealed, metadata = stc.encrypt_frame(b"payload", {"stream": 1})
    >>> stc.decrypt_frame(sealed, metadata, {"stream": 1})
    b'payload'

Everything of the submodules can be imported from here as well, and from `drywire`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from drywire import __version__ as __version__

    from seigr_toolset_transmissions.chamber import Chamber as Chamber
    from seigr_toolset_transmissions.crypto import STCWrapper as STCWrapper
    from seigr_toolset_transmissions.crypto import StreamContext as StreamContext
    from seigr_toolset_transmissions.crypto import StreamingContext as StreamingContext
    from seigr_toolset_transmissions.errors import STTException as STTException
    from seigr_toolset_transmissions.events import EventEmitter as EventEmitter
    from seigr_toolset_transmissions.frame import STTFrame as STTFrame
    from seigr_toolset_transmissions.frames import FrameDispatcher as FrameDispatcher
    from seigr_toolset_transmissions.handshake import STTHandshake as STTHandshake
    from seigr_toolset_transmissions.node import STTNode as STTNode
    from seigr_toolset_transmissions.routing import EndpointManager as EndpointManager
    from seigr_toolset_transmissions.session import SessionState as SessionState
    from seigr_toolset_transmissions.session import StreamManager as StreamManager
    from seigr_toolset_transmissions.session import STTSession as STTSession
    from seigr_toolset_transmissions.session import STTStream as STTStream
    from seigr_toolset_transmissions.storage import BinaryStorage as BinaryStorage
    from seigr_toolset_transmissions.streaming import BinaryStreamDecoder as BinaryStreamDecoder
    from seigr_toolset_transmissions.streaming import BinaryStreamEncoder as BinaryStreamEncoder
    from seigr_toolset_transmissions.streaming import StreamDecoder as StreamDecoder
    from seigr_toolset_transmissions.streaming import StreamEncoder as StreamEncoder
    from seigr_toolset_transmissions.transport import UDPTransport as UDPTransport
    from seigr_toolset_transmissions.transport import WebSocketListener as WebSocketListener
    from seigr_toolset_transmissions.transport import WebSocketTransport as WebSocketTransport
    from seigr_toolset_transmissions.utils.serialization import deserialize_stt as deserialize_stt
    from seigr_toolset_transmissions.utils.serialization import serialize_stt as serialize_stt

# Where each name lives. Looked up on first use, so that importing one module loads no other.
_HOMES = {
    "BinaryStorage": "storage",
    "BinaryStreamDecoder": "streaming",
    "BinaryStreamEncoder": "streaming",
    "Chamber": "chamber",
    "EndpointManager": "routing",
    "EventEmitter": "events",
    "FrameDispatcher": "frames",
    "STCWrapper": "crypto",
    "STTException": "errors",
    "STTFrame": "frame",
    "STTHandshake": "handshake",
    "STTNode": "node",
    "STTSession": "session",
    "STTStream": "session",
    "SessionState": "session",
    "StreamContext": "crypto",
    "StreamDecoder": "streaming",
    "StreamEncoder": "streaming",
    "StreamManager": "session",
    "StreamingContext": "crypto",
    "UDPTransport": "transport",
    "WebSocketListener": "transport",
    "WebSocketTransport": "transport",
    "deserialize_stt": "utils.serialization",
    "serialize_stt": "utils.serialization",
}

__all__ = [
    "BinaryStorage",
    "BinaryStreamDecoder",
    "BinaryStreamEncoder",
    "Chamber",
    "EndpointManager",
    "EventEmitter",
    "FrameDispatcher",
    "STCWrapper",
    "STTException",
    "STTFrame",
    "STTHandshake",
    "STTNode",
    "STTSession",
    "STTStream",
    "SessionState",
    "StreamContext",
    "StreamDecoder",
    "StreamEncoder",
    "StreamManager",
    "StreamingContext",
    "UDPTransport",
    "WebSocketListener",
    "WebSocketTransport",
    "__version__",
    "deserialize_stt",
    "serialize_stt",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        home = "drywire"
    elif name in _HOMES:
        home = f"seigr_toolset_transmissions.{_HOMES[name]}"
    else:
        raise AttributeError(f"module 'seigr_toolset_transmissions' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
