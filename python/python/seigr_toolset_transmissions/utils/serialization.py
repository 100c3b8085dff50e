"""The native format of STT: equal values have equal bytes."""

from __future__ import annotations

from drywire._native import deserialize_stt, serialize_stt

__all__ = ["deserialize_stt", "serialize_stt"]
