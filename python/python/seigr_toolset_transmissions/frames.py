"""Frames of the user's own types, 0x80 to 0xFF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._handlers import call
from seigr_toolset_transmissions.errors import STTFrameError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from seigr_toolset_transmissions.session import STTSession

__all__ = ["FrameDispatcher", "current_session"]


def current_session() -> STTSession | None:
    """The session whose frame the running handler was called for; None elsewhere."""
    from seigr_toolset_transmissions._messages import CURRENT

    return CURRENT.get()


class FrameDispatcher:
    """Calls the handler of a frame's type with the payload, which it never looks into.

    Types 0x80 to 0xFF are the user's; the others are STT's and refused with `STTFrameError`. Given
    to a node (`STTNode(…, frame_dispatcher=…)`) or a session (`session.dispatch_frames`), it gets
    what peers send with `session.send_frame`, and `current_session` tells a handler from whom. To
    be used from one event loop.
    """

    FIRST = 0x80
    LAST = 0xFF

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[bytes], Any]] = {}

    def register_handler(self, frame_type: int, handler: Callable[[bytes], Any]) -> None:
        """Call `handler`, a function or a coroutine function, for frames of this type.

        It takes the place of the one before.
        """
        self._handlers[_user_type(frame_type)] = _checks.function(handler, "handler")

    def unregister_handler(self, frame_type: int) -> bool:
        """Remove the handler of a type; says whether there was one."""
        return self._handlers.pop(_user_type(frame_type), None) is not None

    async def dispatch(self, frame_type: int, payload: Buffer) -> Any:
        """Call the handler of this type and wait for it; what it gives, or raises.

        Raises `STTFrameError` if the type has no handler.
        """
        frame_type = _user_type(frame_type)
        payload = _checks.bytes_like(payload, "payload")
        handler = self._handlers.get(frame_type)
        if handler is None:
            raise STTFrameError(f"frame type {frame_type:#04x} has no handler", "no_handler")
        return await call(handler, payload)

    def frame_types(self) -> list[int]:
        """The types that have handlers, sorted."""
        return sorted(self._handlers)


def _user_type(frame_type: int) -> int:
    frame_type = _checks.integer(frame_type, "frame_type")
    if not FrameDispatcher.FIRST <= frame_type <= FrameDispatcher.LAST:
        raise STTFrameError(f"frame_type is {frame_type:#04x}, the user's are 0x80 to 0xff")
    return frame_type
