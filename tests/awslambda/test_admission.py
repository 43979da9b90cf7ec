"""Sizes and headers of an invoke request."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.invoke import InvokeRequest
from trine.awslambda import limits
from trine.awslambda.admission import check_size, client_context_line, trace_header_for, traced
from trine.awslambda.errors import InvalidRequestContent, RequestTooLarge


def test_events_up_to_their_limit_pass() -> None:
    check_size(InvokeRequest("f", bytes(limits.EVENT_MAX_BYTES)))
    check_size(InvokeRequest("f", bytes(limits.EVENT_ASYNC_MAX_BYTES), "Event"))
    with pytest.raises(RequestTooLarge, match="6291457 byte payload is too large for the RequestResponse invocation"):
        check_size(InvokeRequest("f", bytes(limits.EVENT_MAX_BYTES + 1)))
    with pytest.raises(RequestTooLarge, match="Event invocation type"):
        check_size(InvokeRequest("f", bytes(limits.EVENT_ASYNC_MAX_BYTES + 1), "Event"))


def test_the_trace_header_is_xrays() -> None:
    header = trace_header_for("01234567-89ab-4cde-8f01-23456789abcd", 1_800_000_000.5)
    assert header == "Root=1-6b49d200-0123456789ab4cde8f012345;Parent=8f0123456789abcd;Sampled=0"


def test_a_traced_function_s_header_is_whole() -> None:
    """What X-Ray's client for Node.js complains of otherwise: `_X_AMZN_TRACE_ID is missing required information`."""
    request_id = "01234567-89ab-4cde-8f01-23456789abcd"
    assert traced("Root=1-a-b", request_id) == "Root=1-a-b;Parent=8f0123456789abcd;Sampled=0"
    assert traced("Root=1-a-b;Sampled=1", request_id) == "Root=1-a-b;Sampled=1;Parent=8f0123456789abcd"
    whole = "Root=1-a-b;Parent=53995c3f42cd8ad8;Sampled=1"
    assert traced(whole, request_id) == whole


@given(st.dictionaries(st.text(), st.text() | st.lists(st.booleans() | st.none(), max_size=3), max_size=6))
def test_a_client_context_becomes_one_line(value: object) -> None:
    encoded = base64.b64encode(json.dumps(value, indent=2).encode()).decode()
    if len(encoded) > limits.CLIENT_CONTEXT_MAX_BYTES:
        return
    line = client_context_line(encoded)
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.loads(line) == value


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"{no json").decode(), "YQ" * 2000])
def test_other_client_contexts_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequestContent):
        client_context_line(text)
