"""Operations of concurrent tasks in the order in which they begin."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


@types.coroutine
def _at_once(operation: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
    gives_way = False
    try:
        waiting = operation.send(None)
        if waiting is None:
            gives_way = True
            waiting = operation.send(None)
    except StopIteration as done:
        if gives_way:
            yield
        return cast("_T", done.value)
    try:
        yield waiting
    except GeneratorExit:
        operation.close()
        raise
    except BaseException as error:
        # Gives the operation up and raises the same.
        operation.throw(error)
    return (yield from operation)


async def in_order(operation: Awaitable[_T]) -> _T:
    """Wait for something that is sent; it begins at once.

    Now and then an operation lets the event loop have a turn before it begins. Of two tasks that
    send, the first would be overtaken by the second; here it has its turn afterwards.
    """
    return await _at_once(cast("Generator[Any, Any, _T]", operation))
