"""From the frames of peers to a dispatcher."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from drywire import _native

from seigr_toolset_transmissions._handlers import call_all
from seigr_toolset_transmissions.session import STTSession

if TYPE_CHECKING:
    from seigr_toolset_transmissions.frames import FrameDispatcher

CURRENT: ContextVar[STTSession | None] = ContextVar("stt_session", default=None)


class FramePump:
    """Takes frames off a node or a session and dispatches them, on the loop that starts it.

    Frames of one session are handled one after the other, those of several side by side. It ends by
    itself once the node or the session is gone, also one that was dropped and not stopped.
    """

    def __init__(self, dispatcher: FrameDispatcher) -> None:
        self.native = _native.SttFrames()
        self._dispatcher = dispatcher
        self._task: asyncio.Task[None] | None = None

    def start(self, end: _native.SttSessionEnd | None = None) -> None:
        """Begin; with the end of a session, until that comes."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(end))

    async def stop(self) -> None:
        """End; handlers that run are cancelled."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, end: _native.SttSessionEnd | None) -> None:
        handling: set[asyncio.Task[None]] = set()
        try:
            while (given := await self.native.next(end)) is not None:
                self._begin(handling, *given)
                # It would keep the session open until the next frame.
                del given
            if handling:
                await asyncio.gather(*handling)
        finally:
            for task in handling:
                task.cancel()

    def _begin(
        self,
        handling: set[asyncio.Task[None]],
        session: _native.SttSession,
        frame_type: int,
        payload: bytes,
        done: _native.SttFrameDone,
    ) -> None:
        task = asyncio.create_task(self._handle(session, frame_type, payload, done))
        handling.add(task)
        task.add_done_callback(handling.discard)

    async def _handle(
        self,
        session: _native.SttSession,
        frame_type: int,
        payload: bytes,
        done: _native.SttFrameDone,
    ) -> None:
        CURRENT.set(STTSession(session))
        failed = await call_all((self._dispatcher.dispatch,), frame_type, payload)
        done.done(repr(failed[0]) if failed else None)
        for error in failed:
            message = f"handler of frame type {frame_type:#04x} failed"
            context = {"message": message, "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
