"""What STT can fail with: one tree, under `STTException`.

Arguments of a wrong type are `TypeError`, with the parameter's name, as everywhere in Python.
"""

from __future__ import annotations

__all__ = [
    "STTChamberError",
    "STTClosedError",
    "STTConnectError",
    "STTCryptoError",
    "STTException",
    "STTFrameError",
    "STTHandlerError",
    "STTHandshakeError",
    "STTIncompleteFrameError",
    "STTNotFoundError",
    "STTRoutingError",
    "STTSeedWarning",
    "STTSerializationError",
    "STTSessionError",
    "STTStorageError",
    "STTStreamError",
    "STTTimeoutError",
    "STTTransportError",
]


class STTException(Exception):  # noqa: N818 - the documented name
    """The base of every error of this package.

    `kind` is a word that programs can compare; `str(error)` is for people.
    """

    kind: str = "failed"

    def __init__(self, message: str = "", kind: str | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # Exceptions cross process boundaries.
        return type(self), (str(self), self.kind)


class STTCryptoError(STTException, ValueError):
    """Something does not open (another seed, or changed on the way), or a key has no right form."""


class STTSerializationError(STTException, ValueError):
    """Bytes are no value, or a value can't be written."""


class STTFrameError(STTException, ValueError):
    """Bytes are no frame, or a field of a frame is out of range."""


class STTIncompleteFrameError(STTFrameError):
    """The bytes end before the frame does; so far they are right."""

    kind = "incomplete"


class STTHandshakeError(STTException):
    """A step of a handshake failed.

    `kind`: out_of_turn, malformed, wrong_seed, wrong_version, reflected, other_attempt, forged,
    wrong_peer, not_confirmed or refused.
    """


class STTStreamError(STTException):
    """An encoder, a decoder or a stream was given what it can't take, or the stream has failed.

    `kind`: incomplete, full, beyond, closed, reset, stopped or failed.
    """


class STTStorageError(STTException):
    """A store failed; the message names the object.

    `kind`: damaged, full, other_seed, too_large, not_found or failed.
    """


class STTNotFoundError(STTStorageError, KeyError):
    """No object has this address."""

    kind = "not_found"

    def __str__(self) -> str:
        # Not KeyError's, which quotes.
        return str(self.args[0]) if self.args else ""


class STTChamberError(STTException):
    """A chamber failed; the message names the file and the entry.

    `kind`: damaged, in_use, unreadable, limit, closed or failed.
    """


class STTRoutingError(STTException):
    """An endpoint can't be used.

    `kind`: closed, limit or failed.
    """


class STTHandlerError(STTException):
    """Handlers failed; all of them were called nevertheless.

    `errors` are their exceptions, in the order of the handlers; the first is also the cause.
    """

    def __init__(self, message: str, errors: tuple[BaseException, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors

    def __reduce__(self) -> tuple[type, tuple[str, tuple[BaseException, ...]]]:  # type: ignore[override]
        return type(self), (str(self), self.errors)


class STTTransportError(STTException, OSError):
    """A socket failed."""

    def __str__(self) -> str:
        # Not OSError's, which expects an errno.
        return str(self.args[0]) if self.args else ""


class STTConnectError(STTTransportError, ConnectionError):
    """No session came to be: the peer can't be reached, holds another seed, or is another one.

    `kind`: timed_out, wrong_peer, refused or failed.
    """


class STTTimeoutError(STTConnectError, TimeoutError):
    """Nobody answered in time: unreachable, or holding another seed."""

    kind = "timed_out"


class STTSessionError(STTException):
    """A session can't do what was asked.

    `kind`: closed, rekey, too_large or failed.
    """


class STTClosedError(STTSessionError, ConnectionError):
    """The session is closed, or its node is stopped.

    `code` is the code that the peer closed it with, where it did.
    """

    kind = "closed"

    def __init__(self, message: str = "", kind: str | None = None, code: int | None = None) -> None:
        super().__init__(message, kind)
        self.code = code

    def __reduce__(self) -> tuple[type, tuple[str, str, int | None]]:  # type: ignore[override]
        return type(self), (str(self), self.kind, self.code)


class STTSeedWarning(UserWarning):
    """A seed has fewer than 32 bytes: whoever watches a handshake can try guesses of it."""
