"""What the compiled module offers to the packages of this distribution. Not public API."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, Generic, TypeVar, final

import numpy.typing as npt
from seigr_toolset_transmissions.errors import STTClosedError
from typing_extensions import Buffer, Self

__version__: str

def main(arguments: list[str], /) -> int:
    """Run a command, its name (`drybox` or `drybox-run`) first; returns its exit code."""

def read_metrics(source: bytes | str | os.PathLike[str], /) -> dict[str, npt.NDArray[Any]]:
    """The columns of a `metrics.csv`, given as its bytes or as its path.

    `t_ms` is int64; `side`, `layer` and `event` are objects (str); the others are float64, NaN
    where the file has nothing.

    Raises `OSError` when the file cannot be read and `ValueError` when it is no `metrics.csv`.
    """

@final
class Plan:
    """A scenario with its overrides, read and checked."""

    def __new__(
        cls,
        name: str,
        text: str,
        specs: tuple[str | None, str | None],
        seed: int | None,
        tick_ms: int | None,
    ) -> Plan:
        """Read `text`, the scenario called `name` in messages.

        `specs` (left, right), `seed` and `tick_ms` beat the scenario's where they are not None.

        Raises `ScenarioError`.
        """

    @property
    def is_sweep(self) -> bool:
        """Whether the outputs go into one folder per point."""

    @property
    def points(self) -> list[str | None]:
        """The folders of the points, in order; None for a scenario without a sweep."""

    def run(
        self,
        point: str | None,
        base: os.PathLike[str],
        out: os.PathLike[str] | None,
        objects: tuple[Any, Any],
    ) -> tuple[str, bytes | None, bytes | None]:
        """Run one point: `(summary.json, metrics.csv, events.jsonl)`.

        The latter two only when there is no `out`. `base` is the folder to which key files are
        relative. `objects` (left, right) are classes or objects to use instead of what the specs
        name.

        Raises `ScenarioError`, `EndpointError`, `OutputError`, and KeyboardInterrupt after the
        outputs are written.
        """

def ed25519_public(private: bytes, /) -> bytes:
    """The 32-byte public key of a 32-byte private seed.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_sign(private: bytes, message: bytes, /) -> bytes:
    """Sign `message` with a 32-byte private seed: 64 bytes, the same for the same arguments.

    Raises `ValueError` when `private` is not 32 bytes long.
    """

def ed25519_verify(public: bytes, message: bytes, signature: bytes, /) -> bool:
    """Whether `signature` is `public`'s over `message`, by the strict rules.

    Wrong lengths are a plain `False`, as bytes off a link are.
    """

def st_verbs() -> list[tuple[int, str, str, int, int]]:
    """Byte, mnemonic, name, level and remote level of every verb of st-protocol."""

def st_encode(verb: int, payload: bytes, /) -> bytes:
    """The wire form of a frame."""

def st_decode(data: bytes, /) -> tuple[int, bytes]:
    """The verb's byte and the payload of the one frame that `data` is."""

def st_read_lbytes(payload: bytes, at: int, /) -> tuple[int, int]:
    """Where the length-prefixed field at `at` starts, and where it ends."""

def st_address_decode(data: bytes, /) -> tuple[str, int | None, str | None, int]:
    """The kind, index, text and length of the address at the head of `data`."""

def st_address_encode(kind: str, index: int | None, text: str | None, /) -> bytes:
    """The wire form of an address."""

@final
class StDecoder:
    """A push decoder for frames."""

    def __new__(cls, max_payload: int, resync: bool) -> StDecoder: ...
    @property
    def skipped_count(self) -> int: ...
    @property
    def skipped_bytes(self) -> int: ...
    def push(self, data: bytes, /) -> tuple[list[tuple[int, bytes]], list[tuple[int, int, str]]]:
        """The frames that `data` completes, and what was skipped."""
    def finish(self) -> None:
        """Raise if the stream may not end here."""

# What follows is made for `seigr_toolset_transmissions`. A `Buffer` is any bytes-like object;
# classes that are not called `Stt…` are public there.

_T = TypeVar("_T", covariant=True)

@final
class Awaitable(Generic[_T]):
    """An operation of the shared runtime. Await it once, on any event loop of asyncio."""

    def __await__(self) -> Generator[Any, None, _T]: ...
    def send(self, value: Any, /) -> Any:
        """Go on, as a coroutine does."""
    def throw(self, typ: Any, value: Any = None, traceback: Any = None, /) -> Any:
        """Give the operation up, and raise the exception."""
    def close(self) -> None:
        """Give the operation up."""

def serialize_stt(data: Any) -> bytes:
    """The canonical bytes of None, bool, int, float, str, bytes-like, list, tuple or dict.

    Keys of dicts are str, integers lie in -2^63 to 2^64 - 1, nothing nests deeper than 64. Lists
    and tuples are written alike; so are bytes and their kin.

    Raises `STTSerializationError`, and TypeError naming the place of what can't be written.
    """

def deserialize_stt(data: Buffer) -> Any:
    """The value that canonical bytes are: None, bool, int, float, str, bytes, list or dict.

    Raises `STTSerializationError`, which tells the byte that is wrong.
    """

class STCWrapper:
    """The STC suite from one seed: each use has a key of its own, derived from it.

    32 random bytes or more make a seed. A shorter one is stretched by Argon2id (19 MiB, some tens
    of milliseconds) and reported by a `STTSeedWarning`; an empty one raises `STTCryptoError`.
    """

    def __new__(cls, seed: Buffer) -> Self: ...
    @property
    def is_short_seed(self) -> bool:
        """Whether the seed has fewer than 32 bytes."""

    def hash_data(self, data: Buffer, context: dict[str, Any] | None = None) -> bytes:
        """32 bytes of keyed hash over `data`, bound to `context`. Other seeds give other hashes."""

    def generate_node_id(self, identity: Buffer) -> bytes:
        """The 32-byte id of the node with this identity.

        Equal seeds and identities give equal ids. The wrapper remembers the last 1,024, so that
        `STTHandshake` can prove them.
        """

    def derive_session_key(self, context_data: dict[str, Any]) -> bytes:
        """A 32-byte key bound to `context_data`."""

    def rotate_session_key(self, current_key: Buffer, nonce: Buffer) -> bytes:
        """The 32-byte key that follows a 32-byte key. It depends on no seed."""

    def encrypt_frame(
        self, payload: Buffer, associated_data: dict[str, Any]
    ) -> tuple[bytes, dict[str, Any]]:
        """Seal `payload` (XChaCha20-Poly1305), bound to `associated_data`.

        Gives the sealed bytes, 16 more than the payload's, and the metadata that opening takes:
        `{"suite": int, "nonce": bytes}`.
        """

    def decrypt_frame(
        self, encrypted: Buffer, metadata: dict[str, Any], associated_data: dict[str, Any]
    ) -> bytes:
        """Open what `encrypt_frame` sealed.

        Raises `STTCryptoError` if it was changed, or seed or associated data are others.
        """

    def create_stream_context(self, session_id: Buffer, stream_id: int) -> StreamContext:
        """The isolated context of one stream. `session_id` has at most 255 bytes.

        A context tells no direction: use one stream id for each.
        """

@final
class StreamContext:
    """The keys of one stream, made by `STCWrapper.create_stream_context`."""

    @property
    def session_id(self) -> bytes:
        """The session id that it was made with."""

    @property
    def stream_id(self) -> int:
        """The stream id that it was made with."""

class STTFrame:
    """A standalone frame.

    `frame_type` is 1 to 255 (1 DATA, 2 CONTROL, 3 STREAM, 4 AUTH, 5 HANDSHAKE; 0x80 to 0xFF are the
    user's), `session_id` 8 bytes, `stream_id` 32 bits, `sequence` 64 bits, `flags` 8 bits,
    `payload` at most 1 MiB. `timestamp_ms` counts from 1970; None is now.

    Raises `STTFrameError` for what is out of range.
    """

    frame_type: int
    session_id: bytes
    stream_id: int
    sequence: int
    flags: int
    payload: bytes
    timestamp_ms: int

    def __new__(
        cls,
        frame_type: int,
        session_id: Buffer,
        stream_id: int,
        sequence: int,
        flags: int = 0,
        payload: Buffer = b"",
        *,
        timestamp_ms: int | None = None,
    ) -> Self: ...
    @property
    def metadata(self) -> bytes:
        """What opening the payload takes; empty if it is plain."""

    @property
    def is_encrypted(self) -> bool:
        """Whether the payload is sealed."""

    def encrypt_payload(self, stc_wrapper: STCWrapper) -> None:
        """Seal the payload. The other fields are bound to it: change none afterwards.

        Raises `STTFrameError` if it is sealed already.
        """

    def decrypt_payload(self, stc_wrapper: STCWrapper) -> bytes:
        """The payload, opened; the frame stays sealed.

        Raises `STTCryptoError` if it does not open, or was never sealed.
        """

    def to_bytes(self) -> bytes:
        """The frame as bytes."""

    @classmethod
    def from_bytes(
        cls, data: Buffer, decrypt: bool = False, stc_wrapper: STCWrapper | None = None
    ) -> Self:
        """The frame at the start of `data`; what follows it is left alone.

        With `decrypt` the payload is opened and a frame that is not sealed refused
        (`STTCryptoError`). Raises `STTFrameError`; `STTIncompleteFrameError` if bytes are missing.
        """

    @classmethod
    def read_from(
        cls, data: Buffer, decrypt: bool = False, stc_wrapper: STCWrapper | None = None
    ) -> tuple[Self, int]:
        """As `from_bytes`, and how many bytes the frame takes."""

    def __eq__(self, other: object, /) -> bool: ...

class STTHandshake:
    """One end of a handshake whose messages the caller carries.

    `node_id` is one that `stc_wrapper.generate_node_id` gave; if that was in an earlier process,
    pass the `identity` that it was made of.

    The initiator calls `initiate_handshake`, `handle_response` and `confirm`; the responder
    `handle_hello` and `handle_confirm`. Errors are `STTHandshakeError`.
    """

    def __new__(
        cls,
        stc_wrapper: STCWrapper,
        shared_seed: Buffer,
        node_id: Buffer,
        *,
        identity: Buffer | None = None,
    ) -> Self: ...
    def initiate_handshake(self) -> bytes:
        """The HELLO for the peer, at most 120 bytes. Begins anew."""

    def handle_hello(self, hello_bytes: Buffer) -> bytes:
        """Answer a HELLO with a HELLO_RESP; the session key is there from now on.

        A HELLO made with another seed raises with the kind `wrong_seed`.
        """

    def handle_response(self, response_bytes: Buffer) -> tuple[bytes, bytes]:
        """Read the HELLO_RESP: the session key, 32 bytes, and the peer's node id, proven.

        After a forged one the genuine one can still be handed in.
        """

    def confirm(self) -> bytes:
        """What proves to the responder that it is us, 32 bytes."""

    def handle_confirm(self, confirm_bytes: Buffer) -> bytes:
        """Check the initiator's confirmation; its node id, proven now."""

    def get_session_key(self) -> bytes | None:
        """The session key, 32 bytes, once there is one."""

    @property
    def session_id(self) -> bytes | None:
        """The session's id, 8 bytes, the same at both ends, once there is one."""

    @property
    def peer_node_id(self) -> bytes | None:
        """The peer's node id, once it is proven: for a responder after `handle_confirm`."""

    @property
    def node_id(self) -> bytes:
        """Our own node id."""

@final
class SttChamber:
    """The compiled part of `Chamber`; `session` chooses between sessions and keys."""

    def __new__(
        cls, chamber_path: os.PathLike[str], node_id: Buffer, stc_wrapper: STCWrapper
    ) -> SttChamber: ...
    def put(self, session: bool, name: str, value: Buffer, /) -> None: ...
    def get(self, session: bool, name: str, /) -> bytes | None: ...
    def remove(self, session: bool, name: str, /) -> bool: ...
    def names(self, session: bool, /) -> list[str]: ...
    def check(self) -> int: ...
    def close(self) -> None: ...
    @property
    def is_closed(self) -> bool: ...

@final
class SttStorage:
    """The compiled part of `BinaryStorage`."""

    def __new__(
        cls, stc_wrapper: STCWrapper, storage_dir: os.PathLike[str], capacity: int | None
    ) -> SttStorage: ...
    def store(self, data: Buffer) -> Awaitable[str]: ...
    def retrieve(self, hash_address: str) -> Awaitable[bytes]: ...
    def exists(self, hash_address: str) -> Awaitable[bool]: ...
    def verify(self, hash_address: str) -> Awaitable[int]: ...
    def remove(self, hash_address: str) -> Awaitable[bool]: ...
    def entries(self) -> Awaitable[list[tuple[str, int]]]: ...
    def stats(self) -> Awaitable[dict[str, int]]: ...
    def collect(self) -> Awaitable[dict[str, int]]: ...
    def writer(self) -> Awaitable[SttObjectWriter]: ...
    def reader(self, hash_address: str) -> Awaitable[SttObjectReader]: ...

@final
class SttObjectWriter:
    """Writes one object."""

    def write(self, data: Buffer, /) -> Awaitable[None]: ...
    def finish(self) -> Awaitable[str]: ...

@final
class SttObjectReader:
    """Reads one object; None at its end."""

    def next(self) -> Awaitable[bytes | None]: ...

@final
class SttStreamEncoder:
    """Cuts bytes into segments and seals each."""

    def __new__(
        cls, stc_context: StreamContext, live: bool, segment_size: int
    ) -> SttStreamEncoder: ...
    def push(self, data: Buffer, /) -> list[tuple[int, bytes]]: ...
    def finish(self) -> tuple[int, bytes]: ...

@final
class SttStreamDecoder:
    """The compiled part of `BinaryStreamDecoder`."""

    def __new__(
        cls, stc_context: StreamContext, reorder_bytes: int | None, ready_bytes: int | None
    ) -> SttStreamDecoder: ...
    def receive_segment(self, encrypted_bytes: Buffer, sequence: int) -> None: ...
    def receive_all(self) -> Awaitable[bytes]: ...
    def read(self) -> Awaitable[bytes | None]: ...
    def close(self) -> None: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def missing(self) -> int: ...

@final
class SttChunkOpener:
    """Opens the chunks of one message in order."""

    def __new__(cls, stc_context: StreamContext) -> SttChunkOpener: ...
    def open(self, chunk: Buffer, /) -> bytes: ...
    def finish(self) -> None: ...

@final
class SttEndpoints:
    """The compiled part of `EndpointManager`."""

    def __new__(cls, max_endpoints: int, max_messages: int, max_bytes: int) -> SttEndpoints: ...
    def route_to_endpoint(self, endpoint_id: str, data: Buffer) -> Awaitable[None]: ...
    def receive_from_endpoint(self, endpoint_id: str) -> Awaitable[bytes]: ...
    def list_endpoints(self) -> list[str]: ...
    def pending(self, endpoint_id: str) -> int: ...
    def open_endpoint(self, endpoint_id: str) -> None: ...
    def close_endpoint(self, endpoint_id: str) -> None: ...
    def close(self) -> None: ...

@final
class SttFrames:
    """Hands the frames of peers to a dispatcher."""

    def __new__(cls) -> SttFrames: ...
    def next(
        self, end: SttSessionEnd | None, /
    ) -> Awaitable[tuple[SttSession, int, bytes, SttFrameDone] | None]: ...

@final
class SttFrameDone:
    """Takes the end of a handler."""

    def done(self, error: str | None, /) -> None: ...

@final
class SttNode:
    """The compiled part of `STTNode`."""

    def __new__(
        cls,
        node_seed: Buffer,
        shared_seed: Buffer,
        host: str,
        port: int,
        chamber_path: os.PathLike[str] | None,
        identity: Buffer,
        previous_shared_seeds: list[Buffer],
        allowed_peers: list[Buffer] | None,
        max_sessions: int,
        backlog: int,
        accepts: bool,
        busy_poll: float,
    ) -> SttNode: ...
    def start(self) -> Awaitable[tuple[str, int]]: ...
    def stop(self) -> Awaitable[None]: ...
    def connect_udp(
        self,
        peer_host: str,
        peer_port: int,
        expected_peer: Buffer | None,
        timeout: float,
        resume: bool,
    ) -> Awaitable[SttSession]: ...
    def connect_ws(
        self,
        peer_host: str,
        peer_port: int,
        path: str,
        origin: str | None,
        expected_peer: Buffer | None,
        timeout: float,
        resume: bool,
    ) -> Awaitable[SttSession]: ...
    def listen_ws(
        self, host: str, port: int, path: str, origins: list[str] | None
    ) -> Awaitable[tuple[str, int]]: ...
    def accept(self) -> Awaitable[SttSession | None]: ...
    def dispatch_frames(self, frames: SttFrames, /) -> None: ...
    def route_endpoints(self, endpoints: SttEndpoints, /) -> None: ...
    def stats(self) -> dict[str, int]: ...
    @property
    def node_id(self) -> bytes: ...
    @property
    def is_running(self) -> bool: ...
    @property
    def local_address(self) -> tuple[str, int] | None: ...

@final
class SttSessionEnd:
    """Tells of a session's end, and doesn't keep the session open."""

@final
class SttSession:
    """The compiled part of `STTSession`."""

    @property
    def session_id(self) -> bytes: ...
    @property
    def peer_node_id(self) -> bytes: ...
    @property
    def session_key(self) -> bytes: ...
    @property
    def is_initiator(self) -> bool: ...
    @property
    def close_reason(self) -> STTClosedError | None: ...
    @property
    def remote_address(self) -> tuple[str, int] | None: ...
    @property
    def max_datagram(self) -> int: ...
    def open_stream(
        self, unidirectional: bool, /
    ) -> Awaitable[tuple[SttSendStream | None, SttRecvStream | None]]: ...
    def accept_stream(
        self,
    ) -> Awaitable[tuple[SttSendStream | None, SttRecvStream | None]]: ...
    def send_datagram(self, data: Buffer, /) -> None: ...
    def recv_datagram(self) -> Awaitable[bytes]: ...
    def send_frame(self, frame_type: int, payload: Buffer) -> Awaitable[None]: ...
    def send_to_endpoint(self, endpoint_id: str, data: Buffer) -> Awaitable[None]: ...
    def dispatch_frames(self, frames: SttFrames, /) -> None: ...
    def route_endpoints(self, endpoints: SttEndpoints, /) -> None: ...
    def rekey(self) -> Awaitable[None]: ...
    def flushed(self) -> Awaitable[None]: ...
    def close(self, code: int, reason: str, timeout: float, /) -> Awaitable[None]: ...
    def closed(self) -> Awaitable[STTClosedError]: ...
    def end(self) -> SttSessionEnd: ...
    def ping(self) -> None: ...
    def stats(self) -> dict[str, float] | None: ...

@final
class SttSendStream:
    """The sending half of `STTStream`."""

    @property
    def id(self) -> int: ...
    @property
    def written(self) -> int: ...
    def write(self, data: Buffer, /) -> Awaitable[None]: ...
    def finish(self) -> None: ...
    def reset(self, code: int, /) -> None: ...
    def set_priority(self, priority: int, /) -> None: ...
    def stopped(self) -> Awaitable[int | None]: ...

@final
class SttRecvStream:
    """The receiving half of `STTStream`."""

    @property
    def id(self) -> int: ...
    def read(self, max_bytes: int, /) -> Awaitable[bytes]: ...
    def read_exactly(self, count: int, /) -> Awaitable[bytes]: ...
    def read_to_end(self, limit: int, /) -> Awaitable[bytes]: ...
    def stop(self, code: int, /) -> None: ...

def stt_shut_down() -> None:
    """End the runtime, at the interpreter's exit."""

def stt_wake(futures: list[Any], /) -> None:
    """Wake who waits, on the loop of the futures."""

def stt_bind_udp(host: str, port: int, /) -> Awaitable[SttUdp]:
    """Bind a socket for standalone frames."""

@final
class SttUdp:
    """The compiled part of `UDPTransport`."""

    @property
    def local_address(self) -> tuple[str, int]: ...
    def send_frame(self, frame: STTFrame, host: str, port: int, /) -> Awaitable[None]: ...
    def receive_frame(self) -> Awaitable[tuple[STTFrame, tuple[str, int]]]: ...
    def stats(self) -> dict[str, int]: ...
    def close(self) -> None: ...

def stt_connect_frames(
    host: str, port: int, path: str, origin: str | None, timeout: float, /
) -> Awaitable[SttWebSocket]:
    """Connect to a listener of standalone frames."""

@final
class SttWebSocket:
    """The compiled part of `WebSocketTransport`."""

    @property
    def remote_address(self) -> tuple[str, int]: ...
    def send_frame(self, frame: STTFrame, /) -> Awaitable[None]: ...
    def receive_frame(self) -> Awaitable[STTFrame]: ...
    def close(self) -> Awaitable[None]: ...

def stt_listen_frames(
    host: str, port: int, path: str, origins: list[str] | None, /
) -> Awaitable[SttWebSocketListener]:
    """Listen for WebSockets with standalone frames."""

@final
class SttWebSocketListener:
    """The compiled part of `WebSocketListener`."""

    @property
    def local_address(self) -> tuple[str, int]: ...
    def accept(self) -> Awaitable[SttWebSocket]: ...
    def close(self) -> None: ...
