"""Calling what users hand over: functions and coroutine functions alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Sequence
from typing import Any, Callable


async def call(handler: Callable[..., Any], *arguments: Any) -> Any:
    """Call a handler, and wait for what it gives if that can be awaited."""
    result = handler(*arguments)
    if inspect.isawaitable(result):
        return await result
    return result


async def call_all(handlers: Sequence[Callable[..., Any]], *arguments: Any) -> list[Exception]:
    """Call all handlers and wait for all; what those that failed have raised, in their order.

    What is no `Exception`, such as a cancellation of the caller, ends the wait and cancels them.
    """
    outcomes: list[Exception | asyncio.Future[Any] | None] = []
    try:
        for handler in handlers:
            try:
                result = handler(*arguments)
            except Exception as error:
                outcomes.append(error)
                continue
            waits = inspect.isawaitable(result)
            outcomes.append(asyncio.ensure_future(_settle(result)) if waits else None)
        errors: list[Exception] = []
        for outcome in outcomes:
            failed = await outcome if isinstance(outcome, asyncio.Future) else outcome
            if isinstance(failed, Exception):
                errors.append(failed)
    finally:
        rest = [o for o in outcomes if isinstance(o, asyncio.Future) and not o.done()]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.gather(*rest, return_exceptions=True)
    return errors


async def _settle(work: Awaitable[Any]) -> Exception | None:
    """Wait for a handler; what it raised. Cancelled by itself, it has failed like any other."""
    try:
        await work
    except Exception as error:
        return error
    return None
