"""The handshake by itself, for callers that carry its messages on their own."""

from __future__ import annotations

from drywire._native import STTHandshake

__all__ = ["STTHandshake"]
