"""Identity sources: what of a request makes out the caller, for Lambda and JWT authorizers.

Enters an expression of either API kind (`method.request.header.X`, `$request.querystring.q`, `$context.httpMethod`,
`stageVariables.v`) and an `Exchange`; leaves the text, or None when it is missing or empty.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from trine.apigateway.context import context_variables, lookup
from trine.apigateway.exchange import Exchange
from trine.aws.http_payload import query_pairs
from trine.http.message import Headers


def header_text(headers: Headers, name: bytes) -> str | None:
    """The value of a header that decides who the caller is; values of repeated ones are joined with commas.

    A request that repeats such a header must not be judged by one value while the function sees another.
    """
    value = headers.get(name)
    if value is None:
        return None
    if headers.repeats:
        value = b",".join(headers.all(name))
    return value.decode("latin-1") or None


Reader = Callable[[Exchange], str | None]


def identity_value(source: str, exchange: Exchange) -> str | None:
    """The value of one source; header names in any case, the last value of a repeated query parameter."""
    return identity_reader(source)(exchange)


@lru_cache(maxsize=1_024)
def identity_reader(source: str) -> Reader:
    """What reads `source` from a request."""
    text = source.removeprefix("$").removeprefix("method.").removeprefix("route.")
    if text.startswith("request.header."):
        header = text[len("request.header.") :].lower().encode("latin-1", "replace")
        return lambda exchange: header_text(exchange.request.headers, header)
    if text.startswith("request.querystring."):
        return partial(_query_value, text[len("request.querystring.") :])
    if text.startswith("stageVariables."):
        variable = text[len("stageVariables.") :]
        return lambda exchange: exchange.deployed.stage.variables.get(variable) or None
    if text.startswith("context."):
        return partial(_context_value, text[len("context.") :])
    return lambda exchange: None


def _query_value(name: str, exchange: Exchange) -> str | None:
    found = None
    for key, value in query_pairs(exchange.request.query, rest=exchange.rest):
        if key == name:
            found = value
    return found or None


def _context_value(path: str, exchange: Exchange) -> str | None:
    found = lookup(context_variables(exchange), path)
    return str(found) if found not in (None, "") else None
