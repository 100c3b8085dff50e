"""Queues of messages by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drywire import _native

from seigr_toolset_transmissions import _checks
from seigr_toolset_transmissions._turns import in_order

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["EndpointManager"]


class EndpointManager(_checks.Unique):
    """Named queues, for any number of tasks; payloads are never looked into.

    An endpoint's id is 1 to 255 bytes of UTF-8. A queue is made when somebody first routes to it or
    receives from it. It holds `max_messages` messages of `max_bytes` together; a sender waits while
    it is full. At most `max_endpoints` queues exist at once. Cancelling a call loses nothing.

    Raises `STTRoutingError`.
    """

    def __init__(
        self,
        *,
        max_endpoints: int = 1024,
        max_messages: int = 1024,
        max_bytes: int = 16 << 20,
    ) -> None:
        self._native = _native.SttEndpoints(max_endpoints, max_messages, max_bytes)

    async def route_to_endpoint(self, endpoint_id: str, data: Buffer) -> None:
        """Put a message into an endpoint's queue, once there is room."""
        await in_order(self._native.route_to_endpoint(endpoint_id, data))

    async def receive_from_endpoint(self, endpoint_id: str) -> bytes:
        """Take the next message from an endpoint's queue, once there is one.

        Raises `STTRoutingError` when the endpoint is closed and empty.
        """
        return await self._native.receive_from_endpoint(endpoint_id)

    def list_endpoints(self) -> list[str]:
        """The ids of all endpoints, sorted."""
        return self._native.list_endpoints()

    def pending(self, endpoint_id: str) -> int:
        """How many messages wait at an endpoint."""
        return self._native.pending(endpoint_id)

    def open_endpoint(self, endpoint_id: str) -> None:
        """Make an endpoint, or a closed one usable again."""
        self._native.open_endpoint(endpoint_id)

    def close_endpoint(self, endpoint_id: str) -> None:
        """End an endpoint; what lies in its queue can be received still."""
        self._native.close_endpoint(endpoint_id)

    def close(self) -> None:
        """End all endpoints, for good."""
        self._native.close()
