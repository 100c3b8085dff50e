"""Drywire: the compiled module that the packages of this distribution share.

Its systems are the packages `drybox`, `st_protocol` and `seigr_toolset_transmissions`. The objects
of the last are here as well: `drywire.STTNode` is `seigr_toolset_transmissions.STTNode`.
"""

from __future__ import annotations

from drywire._native import __version__ as __version__

# Not imported from typing, which takes longer to load than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seigr_toolset_transmissions import *  # noqa: F403


def __getattr__(name: str) -> Any:
    # Asked for by `from drywire import *`.
    if name == "__all__" or not name.startswith("_"):
        import seigr_toolset_transmissions as stt

        if name == "__all__":
            return stt.__all__
        if name in stt.__all__:
            value = getattr(stt, name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'drywire' has no attribute {name!r}")


def __dir__() -> list[str]:
    import seigr_toolset_transmissions as stt

    return sorted({*globals(), *stt.__all__})
