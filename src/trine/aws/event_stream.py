"""The binary event stream of AWS's APIs (`application/vnd.amazon.eventstream`): events in, frames out.

Pure. A frame: length, headers' length and their CRC-32; headers (name, type, value); payload; CRC-32 of all of it. The
format is Smithy's "Amazon Event Stream specification".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
"""The type number of a string header."""


def frame(headers: Iterable[tuple[str, str]], payload: bytes) -> bytes:
    """One message."""
    lines = b"".join(map(_header, headers))
    prelude = (16 + len(lines) + len(payload)).to_bytes(4) + len(lines).to_bytes(4)
    message = prelude + zlib.crc32(prelude).to_bytes(4) + lines + payload
    return message + zlib.crc32(message).to_bytes(4)


def event(name: str, payload: bytes, content_type: str) -> bytes:
    """The message of one event."""
    return frame(((":message-type", "event"), (":event-type", name), (":content-type", content_type)), payload)


def _header(header: tuple[str, str]) -> bytes:
    name, value = header[0].encode(), header[1].encode()
    return bytes([len(name)]) + name + bytes([_STRING]) + len(value).to_bytes(2) + value
