"""JSON as `json.dumps` and `json.loads` make it with nothing but defaults, without what they set up at every call.

Enters plain values, leaves the same bytes; enters bytes, leaves the same values or the same exceptions.
"""

from __future__ import annotations

import json
import json.decoder
import json.encoder
from typing import Any

_make: Any = getattr(json.encoder, "c_make_encoder", None)
_ascii: Any = json.encoder.encode_basestring_ascii
_encode: Any = _make and _make(None, json.JSONEncoder().default, _ascii, None, ": ", ", ", False, False, True)
_decoder: Any = json.decoder.JSONDecoder()
_scan: Any = _decoder.scan_once


def write(value: Any) -> bytes:
    """What `json.dumps(value).encode()` gives. `value` must not hold itself: that is not looked for."""
    if _encode is None:
        return json.dumps(value).encode()
    return "".join(_encode(value, 0)).encode()


def read(data: bytes) -> Any:
    """What `json.loads` makes of `data`, which is UTF-8. Raises ValueError."""
    text = data.decode("utf-8")
    try:
        value, end = _scan(text, 0)
    except StopIteration:  # blanks before it, or nothing that JSON knows
        return json.loads(text)
    return value if end == len(text) else json.loads(text)
