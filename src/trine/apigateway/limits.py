"""Every ceiling of the front door, its unit in its name, and where AWS states it.

Sources: "Quotas for configuring and running a REST API" and "... an HTTP API" in the API Gateway Developer Guide.
"""

from __future__ import annotations

from itertools import chain

from trine.apigateway.errors import HEADERS_TOO_LARGE, REQUEST_TOO_LARGE, URI_TOO_LONG, GatewayError
from trine.http.message import Request

PAYLOAD_BYTES = 10 * 1024 * 1024
"""Largest request or response payload of both API kinds; not adjustable."""

REQUEST_LINE_BYTES = 8_192
"""Longest request target. CloudFront, which stands in front of edge endpoints, allows a URL of 8,192 bytes."""

HEADERS_BYTES = 10_240
"""Request line and all header names and values together (both API kinds)."""

REST_TIMEOUT_SECONDS = 29.0
"""Default and, for edge endpoints, longest integration timeout of a REST API."""

REST_TIMEOUT_MIN_SECONDS = 0.05
"""Shortest integration timeout of both API kinds."""

REST_TIMEOUT_MAX_SECONDS = 300.0
"""Longest a regional or private REST API may be raised to (a quota increase on AWS)."""

HTTP_TIMEOUT_SECONDS = 30.0
"""Integration timeout of an HTTP API, default and longest."""

STREAM_TIMEOUT_MAX_SECONDS = 900.0
"""Longest integration timeout with response streaming: "You can stream your response for up to 15 minutes"."""
STREAM_IDLE_SECONDS = 300.0
"""A stream of a regional API that says nothing for 5 minutes is cut."""
STREAM_HEAD_BYTES = 16 * 1024
"""The delimiter behind a streamed answer's head comes within so many bytes."""

ROUTES_PER_API = 10_000
"""AWS's default quota is 300 resources or routes and can be raised; beyond this Trine refuses the template."""

MAPPING_TEMPLATE_BYTES = 300 * 1024
FOREACH_ITERATIONS = 1_000
"""Rounds of one `#foreach` loop in a mapping template."""

AUTHORIZER_TTL_DEFAULT_SECONDS = 300
AUTHORIZER_TTL_MAX_SECONDS = 3_600
LAMBDA_AUTHORIZER_TIMEOUT_SECONDS = 10.0
"""HTTP API: "Lambda authorizer timeout 10,000 ms". Used for REST APIs too, where AWS states no number."""

JWKS_TIMEOUT_SECONDS = 1.5
"""HTTP API: "Timeout of JWKS endpoint 1,500 ms"."""
JWKS_BYTES = 150_000
"""HTTP API: "Size of response from JWKS endpoint 150,000 bytes"."""
JWKS_CACHE_SECONDS = 7_200
"""Public keys "can be cached for two hours"."""

CACHE_TTL_DEFAULT_SECONDS = 300
CACHE_TTL_MAX_SECONDS = 3_600
"""REST API cache: "The default TTL value … is 300 seconds. The maximum TTL value is 3600 seconds"."""
CACHED_RESPONSE_BYTES = 1_048_576
"""Largest answer that is cached: "The maximum size of a response that can be cached is 1048576 bytes"."""
CACHED_RESPONSES_BYTES = 64 * 1024 * 1024
"""All cached answers of a stage together, in place of AWS's cache cluster sizes (0.5 GB and up)."""

PATH_SEGMENTS = 512
"""Segments the router looks at; a longer path cannot fit a route of a template of sensible size."""

CACHED_DECISIONS = 10_000
"""Answers of Lambda authorizers kept at once, over all APIs; the oldest leave first."""

THROTTLE_RATE_DEFAULT = 10_000.0
"""Account limit in requests per second, per region."""
THROTTLE_BURST_DEFAULT = 5_000
"""Bucket size of the account limit."""


def check_limits(request: Request) -> None:
    """GatewayError when the request is larger than API Gateway takes: 413, 414 or 431."""
    if len(request.body) > PAYLOAD_BYTES:
        reason = f"the body has {len(request.body)} bytes, more than {PAYLOAD_BYTES}"
        raise GatewayError(REQUEST_TOO_LARGE, reason, room="apigateway.limits")
    if 0 < request.head_bytes <= HEADERS_BYTES and len(request.target) <= REQUEST_LINE_BYTES:
        return  # as nearly always; counting its headers would cost more than all other checks
    size = len(request.target)
    if size > REQUEST_LINE_BYTES:
        raise GatewayError(URI_TOO_LONG, f"the target has {size} bytes", room="apigateway.limits")
    size += sum(map(len, chain.from_iterable(request.headers.pairs)))
    if size > HEADERS_BYTES:
        reason = f"request line and headers have {size} bytes, more than {HEADERS_BYTES}"
        raise GatewayError(HEADERS_TOO_LARGE, reason, room="apigateway.limits")
