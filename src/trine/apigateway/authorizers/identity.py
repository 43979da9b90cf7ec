"""Identity sources: what of a request makes out the caller, for Lambda and JWT authorizers.

Enters an expression of either API kind (`method.request.header.X`, `$request.querystring.q`, `$context.httpMethod`,
`stageVariables.v`) and an `Exchange`; leaves the text, or None when it is missing or empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from trine.apigateway.context import context_variables, lookup
from trine.apigateway.exchange import Exchange
from trine.aws.http_payload import query_pairs
from trine.http.message import Headers


def header_text(headers: Headers, name: bytes) -> str | None:
    """The value of a header that decides who the caller is; values of repeated ones are joined with commas.

    A request that repeats such a header must not be judged by one value while the function sees another.
    """
    if headers.get(name) is None:
        return None
    value = b",".join(headers.all(name))
    return value.decode("latin-1") or None


def identity_values(sources: Sequence[str], exchange: Exchange) -> list[str | None]:
    """The value of each source, in order."""
    return [identity_value(source, exchange) for source in sources]


def identity_value(source: str, exchange: Exchange) -> str | None:
    """The value of one source; header names in any case, the last value of a repeated query parameter."""
    text = source.removeprefix("$").removeprefix("method.")
    if text.startswith("request.header."):
        return header_text(
            exchange.request.headers, text[len("request.header.") :].lower().encode("latin-1", "replace")
        )
    if text.startswith("request.querystring."):
        name = text[len("request.querystring.") :]
        found = None
        for key, value_text in query_pairs(exchange.request.query, rest=exchange.rest):
            if key == name:
                found = value_text
        return found or None
    if text.startswith("stageVariables."):
        return exchange.deployed.stage.variables.get(text[len("stageVariables.") :]) or None
    if text.startswith("context."):
        found_value = lookup(context_variables(exchange), text[len("context.") :])
        return str(found_value) if found_value not in (None, "") else None
    return None
