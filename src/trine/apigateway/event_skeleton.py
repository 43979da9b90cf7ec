"""Events of payload format 2.0 from skeletons: what requests differ in are path and moment, the rest is written once.

Enters an `Exchange` as `event.http_document_v2` takes it; leaves its JSON. A client sends the same headers with each
request, so route, caller and headers find the JSON that was made of them before, in pieces; between them go path, ids
and times. A request with a query, a body or an authorizer's context is written whole, and so are all, for a while,
where the headers turn out to be different every time.
"""

from __future__ import annotations

import re

import orjson

from trine.apigateway.event import Forwarded, http_document_v2
from trine.apigateway.exchange import Exchange
from trine.apigateway.parameters import decode_parameters
from trine.aws.http_payload import decode_path, request_time

_KEPT = 256
_PAIRS_MAX = 24
_SKELETON_MAX_BYTES = 4_096
_TRIAL_COUNT = 1_024
"""After so many that found no skeleton it is looked whether at least as many did."""
_REST_COUNT = 16_384
"""So many events are written whole when they were not."""
_MARKS = tuple(f"\x01{number}" for number in range(7))
"""Stand where the pieces are cut; no header's value, method or stage can hold that character."""
_MARK = re.compile(rb'"\\u0001(\d)"')
_ORDER = [b"0", b"1", b"2", b"3", b"4", b"5"]
_Key = tuple[object, str, str, str, str, tuple[tuple[bytes, bytes], ...]]
_Pieces = tuple[bytes, ...]


class EventsV2:
    """Writes the events of one stage's functions."""

    __slots__ = ("_forwarded", "_hits", "_known", "_misses", "_rest", "_second", "_time")

    def __init__(self, forwarded: Forwarded) -> None:
        self._forwarded = forwarded
        self._second = -1
        self._time = b""
        """The `time` of events of `_second`."""
        self._known: dict[_Key, _Pieces] = {}
        self._misses = self._hits = self._rest = 0

    def event(self, exchange: Exchange) -> bytes:
        """The event of `exchange` as JSON."""
        request = exchange.request
        pairs = request.headers.pairs
        if self._rest:
            self._rest -= 1
        elif not (request.query or request.body or exchange.authorizer is not None or len(pairs) > _PAIRS_MAX):
            key = (exchange.route, exchange.method, exchange.domain_name, exchange.source_ip, request.version,
                   tuple(pairs))  # fmt: skip
            pieces = self._known.get(key)
            if pieces is not None:
                self._hits += 1
                return self._filled(pieces, exchange)
            self._keep(key, exchange)
        return orjson.dumps(http_document_v2(exchange, self._forwarded))

    def _filled(self, pieces: _Pieces, exchange: Exchange) -> bytes:
        dumps = orjson.dumps
        now_seconds = exchange.now_seconds
        second = int(now_seconds)
        if second != self._second:
            self._second, self._time = second, dumps(request_time(now_seconds))
        full_path = exchange.full_path
        path = dumps(decode_path(full_path) if "%" in full_path else full_path)
        filling = [
            pieces[0], path,
            pieces[1], dumps(exchange.trace_header),
            pieces[2], path,
            pieces[3], dumps(exchange.request_id),
            pieces[4], self._time,
            pieces[5], b"%d" % (now_seconds * 1000),
            pieces[6],
        ]  # fmt: skip
        if exchange.parameters is not None:
            filling += dumps(decode_parameters(exchange.parameters)), pieces[7]
        return b"".join(filling)

    def _keep(self, key: _Key, exchange: Exchange) -> None:
        self._misses += 1
        if self._misses > _TRIAL_COUNT:
            if self._hits < self._misses:
                self._rest = _REST_COUNT
                self._known.clear()
            self._misses = self._hits = 0
        pieces = _cut(exchange, self._forwarded)
        if pieces is not None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = pieces


def _cut(exchange: Exchange, forwarded: Forwarded) -> _Pieces | None:
    # The event's JSON around what varies; None where it cannot be cut.
    document = http_document_v2(exchange, forwarded)
    context = document["requestContext"]
    document["rawPath"], document["headers"]["x-amzn-trace-id"] = _MARKS[:2]
    context["http"]["path"], context["requestId"], context["time"], context["timeEpoch"] = _MARKS[2:6]
    order = _ORDER
    if "pathParameters" in document:
        document["pathParameters"] = _MARKS[6]
        order = [*_ORDER, b"6"]
    text = orjson.dumps(document)
    found = _MARK.split(text)
    if found[1::2] != order or len(text) > _SKELETON_MAX_BYTES:
        return None
    return tuple(found[::2])
