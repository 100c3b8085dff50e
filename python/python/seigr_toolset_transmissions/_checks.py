"""Arguments of a wrong type, told by their name."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, NoReturn, SupportsIndex, TypeVar, Union, cast

_T = TypeVar("_T")

PathLike = Union[str, "os.PathLike[str]"]


class Unique:
    """What stands for something outside of Python: a copy would be no other one."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled")


def wrong(name: str, wanted: str, value: object) -> TypeError:
    """The error for an argument that is none of what is wanted."""
    return TypeError(f"argument '{name}': {wanted} is required, not '{type(value).__name__}'")


def text(value: str, name: str) -> str:
    """`value`, a str."""
    if not isinstance(value, str):
        raise wrong(name, "'str'", value)
    return value


def integer(value: int, name: str) -> int:
    """`value` as an int; numbers of other libraries are taken, but no floats."""
    try:
        return operator.index(value)
    except TypeError:
        raise wrong(name, "'int'", value) from None


def path(value: PathLike, name: str) -> Path:
    """`value` as a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise wrong(name, "'str' or a path", value)
    return Path(value)


def elements(value: Iterable[_T], name: str) -> list[_T]:
    """The elements of an iterable."""
    # Text and bytes are iterables, of what nobody means.
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, bytearray, memoryview)):
        raise wrong(name, "an iterable", value)
    return list(value)


def function(value: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`value`, something that can be called."""
    if not callable(value):
        raise wrong(name, "a callable", value)
    return value


def bytes_like(value: object, name: str) -> bytes:
    """The bytes of a bytes-like object; those of `bytes` themselves."""
    if isinstance(value, bytes):
        return value
    try:
        return memoryview(cast("bytes", value)).tobytes()
    except TypeError:
        raise wrong(name, "a bytes-like object", value) from None
