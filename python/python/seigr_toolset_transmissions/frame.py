"""Standalone frames: a header, and a payload that may be sealed.

A frame carries no protection against being sent twice. Sessions do; see `STTNode`.
"""

from __future__ import annotations

from drywire._native import STTFrame

__all__ = ["STTFrame"]
