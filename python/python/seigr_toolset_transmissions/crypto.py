"""The STC suite: everything cryptographic from one seed."""

from __future__ import annotations

from drywire._native import STCWrapper, StreamContext

__all__ = ["STCWrapper", "StreamContext", "StreamingContext"]

StreamingContext = StreamContext
"""The other name that the documents use."""
