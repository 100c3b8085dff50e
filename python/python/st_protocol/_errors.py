"""What can be wrong with frames, fields and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from st_protocol._frame import Frame


class StProtocolError(ValueError):
    """Anything wrong with the bytes or values given to this package."""


class DecodeError(StProtocolError):
    """Bytes are no frame.

    `kind` is one of incomplete, truncated_escape, missing_verb, escape_verb, unknown_verb,
    invalid_escape, payload_too_long, bare_end and trailing_bytes. `needs_more` says that every byte
    so far was right. `frames` holds the frames that a decoder found in front of the error.
    """

    def __init__(
        self, message: str, kind: str, needs_more: bool, frames: list[tuple[int, bytes]]
    ) -> None:
        super().__init__(message, kind, needs_more, frames)
        self.kind = kind
        self.needs_more = needs_more
        self._frames = frames

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def frames(self) -> list[Frame]:
        """The frames in front of the error."""
        from st_protocol._frame import Frame

        return [Frame(verb, payload) for verb, payload in self._frames]


class EncodeError(StProtocolError):
    """A frame or a field is over its limit, or the verb is none."""


class FieldError(StProtocolError):
    """A payload does not hold the field that is asked for."""


class AddressError(StProtocolError):
    """Bytes or text are no address; `needs_more` says that every byte so far was right."""

    def __init__(self, message: str, needs_more: bool) -> None:
        super().__init__(message, needs_more)
        self.needs_more = needs_more

    def __str__(self) -> str:
        return str(self.args[0])
