"""What is checked and made of an invoke request before it takes a unit of concurrency: sizes and headers.

Pure. Raises RequestTooLarge and InvalidParameterValue / InvalidRequestContent.
"""

from __future__ import annotations

import base64
import binascii

import orjson

from trine.aws.invoke import InvokeRequest
from trine.awslambda import limits
from trine.awslambda.errors import InvalidRequestContent, RequestTooLarge

TRACE_HEADER_MAX_BYTES = 256
"""A longer X-Ray header is not passed on. Trine's own bound."""


def check_size(request: InvokeRequest) -> None:
    """Refuse an event that is larger than its invocation type allows."""
    limit_bytes = limits.EVENT_ASYNC_MAX_BYTES if request.invocation_type == "Event" else limits.EVENT_MAX_BYTES
    if len(request.payload) > limit_bytes:
        raise RequestTooLarge(len(request.payload), limit_bytes, request.invocation_type)


def trace_header_for(request_id: str, now: float) -> str:
    """An `X-Amzn-Trace-Id` of our own, made of the request id's random digits."""
    digits = request_id.replace("-", "")
    return f"Root=1-{int(now):08x}-{digits[:24]};Parent={digits[16:32]};Sampled=0"


def traced(header: str, request_id: str) -> str:
    """`header` for a function with active tracing: with the parent segment and a decision about sampling, which X-Ray's
    clients ask for. Nothing collects segments here, so without a caller's decision nothing is sampled."""
    parent = "" if "Parent=" in header else f";Parent={request_id.replace('-', '')[16:32]}"
    return f"{header}{parent}" if "Sampled=" in header else f"{header}{parent};Sampled=0"


def trace_header_of(given: bytes | None) -> str | None:
    """The `X-Amzn-Trace-Id` that a caller sent, when it is one that can be passed on."""
    if given is None or not given.startswith((b"Root=", b"Self=")) or len(given) > TRACE_HEADER_MAX_BYTES:
        return None
    return given.decode("ascii", "ignore")


def client_context_line(encoded: str) -> bytes:
    """`X-Amz-Client-Context` decoded to JSON on one line: it becomes a header, so no line break may survive."""
    if len(encoded) > limits.CLIENT_CONTEXT_MAX_BYTES:
        raise InvalidRequestContent(f"Client context must be no more than {limits.CLIENT_CONTEXT_MAX_BYTES} bytes")
    try:
        return orjson.dumps(orjson.loads(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError, TypeError):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from None
