"""Events whose types the user defines."""

from __future__ import annotations

from typing import Any, Callable

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._handlers import call_all
from seigr_toolset_transmissions.errors import STTHandlerError

__all__ = ["EventEmitter"]


class EventEmitter:
    """Calls handlers by the type of an event. There are no types of its own.

    Handlers are functions or coroutine functions that take the event's data. To be used from one
    event loop.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, list[Callable[[Any], Any]]] = {}

    def on(self, event_type: str, handler: Callable[[Any], Any]) -> None:
        """Call `handler` for events of this type. Added twice, it is called twice."""
        _checks.text(event_type, "event_type")
        _checks.function(handler, "handler")
        self._handlers.setdefault(event_type, []).append(handler)

    def off(self, event_type: str, handler: Callable[[Any], Any]) -> None:
        """Undo the last `on` of this type and handler; does nothing if there is none."""
        _checks.text(event_type, "event_type")
        _checks.function(handler, "handler")
        handlers = self._handlers.get(event_type, [])
        for at in range(len(handlers) - 1, -1, -1):
            if handlers[at] == handler:
                del handlers[at]
                break
        if not handlers:
            self._handlers.pop(event_type, None)

    async def emit(self, event_type: str, data: Any = None) -> None:
        """Call all handlers of this type with `data`, and wait until all have ended.

        They start in the order in which they were added; coroutines go on side by side. Who is
        called is settled at the start. A handler that fails stops no other: once all have ended,
        `STTHandlerError` tells of the failures. Cancelled, it cancels the coroutines.
        """
        _checks.text(event_type, "event_type")
        errors = await call_all(tuple(self._handlers.get(event_type, ())), data)
        if errors:
            count = f"{len(errors)} handlers" if len(errors) > 1 else "a handler"
            raise STTHandlerError(
                f"{count} of event {event_type!r} failed: {errors[0]!r}", tuple(errors)
            ) from errors[0]

    def handlers(self, event_type: str) -> list[Callable[[Any], Any]]:
        """The handlers of a type, in the order of calls."""
        return list(self._handlers.get(_checks.text(event_type, "event_type"), ()))

    def event_types(self) -> list[str]:
        """The types that have handlers."""
        return list(self._handlers)
