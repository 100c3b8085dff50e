"""Frames, their verbs and payloads."""

from __future__ import annotations

import enum
import math
import operator
import struct

from drywire import _native

from st_protocol._errors import EncodeError, FieldError

_LONGEST_SHORT_FIELD = 126


class Verb(enum.IntEnum):
    """What a frame asks for or answers: its first byte."""

    SCAN = 0x01
    FORMAT = 0x02
    SEARCH = 0x03
    END_STREAM = 0x04
    PING = 0x05
    OK = 0x06
    ALERT = 0x07
    BACK = 0x08
    CONTEXT = 0x09
    NEXT = 0x0A
    STATS = 0x0B
    CLEAR = 0x0C
    COMPLETE = 0x0D
    AUTH_START = 0x0E
    AUTH_END = 0x0F
    AUDIO = 0x10
    PERMIT = 0x11
    DENY = 0x12
    ELEVATE = 0x13
    AUDIT = 0x14
    ERROR = 0x15
    SUBSCRIBE = 0x16
    UNSUBSCRIBE = 0x17
    CANCEL = 0x18
    M8_WAVE = 0x19
    REMEMBER = 0x1A
    RECALL = 0x1C
    FORGET = 0x1D
    SESSION = 0x1E
    USER = 0x1F

    @property
    def mnemonic(self) -> str:
        """The ASCII name of the byte, `"SOH"`."""
        return _VERBS[self][0]

    @property
    def level(self) -> int:
        """The authentication level that a request needs from a peer on this machine, 0 to 3."""
        return _VERBS[self][1]

    @property
    def remote_level(self) -> int:
        """The level that it needs from a peer elsewhere."""
        return _VERBS[self][2]


_VERBS = {byte: (mnemonic, low, far) for byte, mnemonic, _, low, far in _native.st_verbs()}


class FieldReader:
    """Reads fields off the front of a payload. A read that fails leaves the reader where it was."""

    def __init__(self, payload: bytes) -> None:
        self._payload = _bytes(payload)
        self._at = 0

    def _unpack(self, form: str, size: int) -> int:
        if self.remaining < size:
            raise FieldError(
                f"{size} bytes are asked for at payload byte {self._at}, {self.remaining} are left"
            )
        (value,) = struct.unpack_from(form, self._payload, self._at)
        self._at += size
        return int(value)

    def u8(self) -> int:
        """One byte."""
        return self._unpack("<B", 1)

    def u16_le(self) -> int:
        """Two bytes, little-endian."""
        return self._unpack("<H", 2)

    def u32_le(self) -> int:
        """Four bytes, little-endian."""
        return self._unpack("<I", 4)

    def u64_le(self) -> int:
        """Eight bytes, little-endian."""
        return self._unpack("<Q", 8)

    def lbytes(self) -> bytes:
        """Length-prefixed bytes."""
        start, end = _native.st_read_lbytes(self._payload, self._at)
        self._at = end
        return self._payload[start:end]

    def lstr(self) -> str:
        """Length-prefixed UTF-8."""
        start, end = _native.st_read_lbytes(self._payload, self._at)
        try:
            text = self._payload[start:end].decode()
        except UnicodeDecodeError:
            raise FieldError(f"text at payload byte {self._at} is not UTF-8") from None
        self._at = end
        return text

    def rest(self) -> bytes:
        """All that is left."""
        rest = self._payload[self._at :]
        self._at = len(self._payload)
        return rest

    @property
    def remaining(self) -> int:
        """Bytes left."""
        return len(self._payload) - self._at

    def finish(self) -> None:
        """Raise if anything is left."""
        if self.remaining:
            raise FieldError(f"{self.remaining} bytes too many after the last field")


class Payload(bytes):
    """The unescaped bytes of a frame."""

    def as_str(self) -> str | None:
        """The payload as text, or None if it is no UTF-8."""
        try:
            return self.decode()
        except UnicodeDecodeError:
            return None

    def fields(self) -> FieldReader:
        """A reader of its fields."""
        return FieldReader(self)


class Frame:
    """A verb and its payload, at most 65,535 bytes."""

    __slots__ = ("_payload", "_verb")

    def __init__(self, verb: Verb | int, payload: bytes = b"") -> None:
        try:
            self._verb = Verb(verb)
        except ValueError:
            raise EncodeError(f"{_shown(verb)} is no verb") from None
        size = memoryview(payload).nbytes
        if size > MAX_PAYLOAD_LEN:
            raise EncodeError(f"payload of {size} bytes, at most {MAX_PAYLOAD_LEN} fit")
        self._payload = Payload(payload)

    @property
    def verb(self) -> Verb:
        """The verb."""
        return self._verb

    @property
    def payload(self) -> Payload:
        """The payload, unescaped."""
        return self._payload

    def encode(self) -> bytes:
        """The wire form."""
        return _native.st_encode(self._verb, self._payload)

    @classmethod
    def decode(cls, data: bytes) -> Frame:
        """Read the one frame that `data` is; raises `DecodeError`."""
        return cls(*_native.st_decode(data))

    @classmethod
    def ping(cls) -> Frame:
        """PING."""
        return cls(Verb.PING)

    @classmethod
    def stats(cls) -> Frame:
        """STATS."""
        return cls(Verb.STATS)

    @classmethod
    def ok(cls) -> Frame:
        """OK, with nothing to add."""
        return cls(Verb.OK)

    @classmethod
    def m8_wave(cls) -> Frame:
        """M8_WAVE."""
        return cls(Verb.M8_WAVE)

    @classmethod
    def scan(cls, path: str, depth: int) -> Frame:
        """SCAN `path`, `depth` levels deep."""
        return cls(Verb.SCAN, lstr(path) + _byte(depth))

    @classmethod
    def search(cls, pattern: str) -> Frame:
        """SEARCH for `pattern`, short form."""
        return cls(Verb.SEARCH, _utf8(pattern))

    @classmethod
    def search_path(cls, path: str, pattern: str, max_results: int) -> Frame:
        """SEARCH for `pattern` under `path`, at most `max_results` answers."""
        return cls(Verb.SEARCH, lstr(path) + lstr(pattern) + _byte(max_results))

    @classmethod
    def format(cls, mode: str) -> Frame:
        """FORMAT as `mode`, short form."""
        return cls(Verb.FORMAT, _utf8(mode))

    @classmethod
    def format_path(cls, mode: str, path: str, depth: int) -> Frame:
        """FORMAT `path` as `mode`, `depth` levels deep."""
        return cls(Verb.FORMAT, lstr(mode) + lstr(path) + _byte(depth))

    @classmethod
    def remember(cls, content: str, keywords: str, kind: str) -> Frame:
        """REMEMBER `content` under `keywords`; valence and arousal neutral."""
        return cls(Verb.REMEMBER, lstr(content) + lstr(keywords) + lstr(kind) + b"\x80\x80")

    @classmethod
    def recall(cls, keywords: str, max_results: int) -> Frame:
        """RECALL what was stored under `keywords`, at most `max_results` memories."""
        return cls(Verb.RECALL, lstr(keywords) + _byte(max_results))

    @classmethod
    def forget(cls, id: str) -> Frame:
        """FORGET the memory with this identifier."""
        return cls(Verb.FORGET, _utf8(id))

    @classmethod
    def error(cls, message: str) -> Frame:
        """ERROR, and why."""
        return cls(Verb.ERROR, _utf8(message))

    @classmethod
    def audio(cls, data: bytes) -> Frame:
        """AUDIO, opaque bytes."""
        return cls(Verb.AUDIO, data)

    @classmethod
    def audio_simple(cls, text: str, valence: float, arousal: float) -> Frame:
        """AUDIO, text form: `valence` from -1 to 1, `arousal` from 0 to 1, both clamped."""
        mood = _scaled(_single(_single(valence) + 1.0) * 127.5) + _scaled(_single(arousal) * 255.0)
        return cls(Verb.AUDIO, lstr(text) + mood)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._verb == other._verb and self._payload == other._payload

    def __hash__(self) -> int:
        return hash((self._verb, self._payload))

    def __repr__(self) -> str:
        return f"Frame(Verb.{self._verb.name}, {bytes(self._payload)!r})"


MAX_PAYLOAD_LEN = 65_535


def lbytes(data: bytes) -> bytes:
    """A length-prefixed field of bytes; raises `EncodeError` over 65,535."""
    data = _bytes(data)
    if len(data) <= _LONGEST_SHORT_FIELD:
        return bytes([0x80 + len(data)]) + data
    if len(data) > MAX_PAYLOAD_LEN:
        raise EncodeError(f"field of {len(data)} bytes does not fit its 16-bit length")
    return b"\xff" + struct.pack("<H", len(data)) + data


def lstr(text: str) -> bytes:
    """A length-prefixed field of text; raises `EncodeError` over 65,535 bytes."""
    return lbytes(_utf8(text))


def _bytes(data: bytes) -> bytes:
    """A copy of any buffer; `bytes()` alone would take a number for a length."""
    return bytes(memoryview(data))


def _utf8(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"a text is needed, not {type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        # A lone surrogate, as in the name of a file that is not UTF-8.
        raise EncodeError(f"the text is not UTF-8 from character {error.start} on") from None


def _byte(value: int) -> bytes:
    value = operator.index(value)
    if not 0 <= value <= 0xFF:
        raise EncodeError(f"{_shown(value)} does not fit a byte")
    return bytes([value])


def _shown(value: object) -> str:
    """A value for a message, short whatever it is."""
    if isinstance(value, int):
        bits = value.bit_length()
        return str(int(value)) if bits <= 64 else f"a number of {bits} bits"
    return f"{value!r:.80}"


def _single(value: float) -> float:
    """The value as every implementation has it, in single precision."""
    (single,) = struct.unpack("<f", struct.pack("<f", min(max(value, -1e9), 1e9)))
    return float(single)


def _scaled(value: float) -> bytes:
    (value,) = struct.unpack("<f", struct.pack("<f", value))
    return bytes([0 if math.isnan(value) else int(min(max(value, 0.0), 255.0))])
