"""Calling what users hand over: functions and coroutine functions alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from typing import Any, Callable, Union

_Outcome = Union[BaseException, "asyncio.Future[Any]", None]


async def call(handler: Callable[..., Any], *arguments: Any) -> Any:
    """Call a handler, and wait for what it gives if that can be awaited."""
    result = handler(*arguments)
    if inspect.isawaitable(result):
        return await result
    return result


async def call_all(handlers: Sequence[Callable[..., Any]], *arguments: Any) -> list[BaseException]:
    """Call all handlers and wait for all; what those that failed have raised, in their order.

    A handler that something else has cancelled has failed like any other. Cancelling the caller
    ends the wait and cancels them.
    """
    outcomes: list[_Outcome] = []
    try:
        outcomes.extend(_begin(handler, *arguments) for handler in handlers)
        if running := [o for o in outcomes if isinstance(o, asyncio.Future)]:
            # In tasks of their own, so that a cancellation here is the caller's.
            await asyncio.wait(running)
    finally:
        rest = [o for o in outcomes if isinstance(o, asyncio.Future) and not o.done()]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.gather(*rest, return_exceptions=True)
    errors = (_failure(outcome) for outcome in outcomes)
    return [error for error in errors if error is not None]


def _begin(handler: Callable[..., Any], *arguments: Any) -> _Outcome:
    """Call a handler: what it raised, or the task that goes on with it."""
    try:
        result = handler(*arguments)
    except (Exception, asyncio.CancelledError) as error:
        return error
    return asyncio.ensure_future(result) if inspect.isawaitable(result) else None


def _failure(outcome: _Outcome) -> BaseException | None:
    if not isinstance(outcome, asyncio.Future):
        return outcome
    return asyncio.CancelledError() if outcome.cancelled() else outcome.exception()
