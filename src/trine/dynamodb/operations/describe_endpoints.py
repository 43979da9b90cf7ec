"""DescribeEndpoints: where this service answers, for clients that discover endpoints."""

from __future__ import annotations

import orjson

from trine.dynamodb.operations.operation import Operation, Rooms, no_plan, on_everything
from trine.dynamodb.shape import Document, DocumentCodec

CACHE_MINUTES = 1440


def execute(rooms: Rooms, document: Document, plan: None) -> bytes:
    """Name the endpoint of this region."""
    address = rooms.endpoint_address or f"dynamodb.{rooms.place.region}.amazonaws.com"
    return orjson.dumps({"Endpoints": [{"Address": address, "CachePeriodInMinutes": CACHE_MINUTES}]})


DESCRIBE_ENDPOINTS = Operation(
    "DescribeEndpoints", DocumentCodec("DescribeEndpoints"), on_everything("DescribeEndpoints"), no_plan, execute
)
