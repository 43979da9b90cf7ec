"""Every ceiling of the HTTP server and client, with its unit in its name.

The defaults are those of API Gateway where it names one; the rest is chosen wide enough for every AWS SDK and small
enough that a thousand bad clients cannot fill the memory or hold the server.
"""

from __future__ import annotations

from msgspec import Struct

MEBIBYTE = 1024 * 1024


class Limits(Struct, frozen=True):
    """What one server accepts. Each door may set its own."""

    request_line_bytes: int = 16 * 1024
    """Longest target (path and query); beyond it 414. DynamoDB presigned queries stay far below."""

    head_bytes: int = 32 * 1024
    """Request line and all header lines together; beyond it 431. API Gateway's own quota (10,240 B) is checked by its
    wing, which answers in AWS's words; this ceiling only protects the parser."""

    headers_count: int = 200
    """Most header lines; beyond it 431."""

    body_bytes: int = 17 * MEBIBYTE
    """Longest body, by content-length or in chunks; beyond it 413. BatchWriteItem takes 16 MB, API Gateway 10 MB (its
    wing or its server's own `Limits` say so)."""

    bodies_bytes: int = 256 * MEBIBYTE
    """What all bodies that are still being received may hold together; beyond it 503 for the one that asks for more."""

    chunk_overhead_bytes: int = 16 * 1024
    """Chunk extensions and trailers beyond what the chunk sizes themselves need; beyond it 400."""

    head_timeout_seconds: float = 10.0
    """From the first byte of a request to the end of its head; then 408."""

    body_timeout_seconds: float = 60.0
    """From the end of the head to the end of the body; then 408."""

    idle_timeout_seconds: float = 350.0
    """A connection without a request under way is closed after it (350 s: AWS's load balancers)."""

    write_timeout_seconds: float = 30.0
    """A client that does not take what waits for it is cut after this time."""

    linger_timeout_seconds: float = 2.0
    """After a refusal the rest of what the client sends is thrown away for so long, that it may read the answer."""

    write_buffer_bytes: int = 256 * 1024
    """Bytes waiting for a slow reader above which nothing more is read from it."""

    in_flight_requests: int = 16
    """Most requests of one connection (pipelined) that are handled at the same time; the next ones wait, unread."""

    connections: int = 10_000
    """Most connections of a server; the next one is answered 503 and closed."""

    backlog_connections: int = 1_024
    """Connections that the kernel holds until they are accepted."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise ValueError(f"Limits.{name} must be above zero")

    @property
    def tick_seconds(self) -> float:
        """How often the server looks at its connections: a wait ends at most this much after its limit."""
        shortest = min(
            self.head_timeout_seconds,
            self.body_timeout_seconds,
            self.idle_timeout_seconds,
            self.write_timeout_seconds,
            self.linger_timeout_seconds,
        )
        return min(1.0, shortest / 2)


class CallLimits(Struct, frozen=True):
    """What one call of the client allows."""

    connect_timeout_seconds: float = 3.0
    """To open the connection."""

    total_timeout_seconds: float = 10.0
    """From the start of the call to the last byte of the answer."""

    head_bytes: int = 64 * 1024
    """Status line and headers of the answer together."""

    body_bytes: int = 10 * MEBIBYTE
    """Longest body of an answer."""
