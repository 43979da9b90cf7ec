"""Who pays for a request, what it took of the front door, and what is held there: the words that `metering` counts.

Enters an `Exchange` that has its route; leaves a `Payer` (made once for each different API key and caller) and the
`RequestUse` of its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trine.apigateway.api import Api
from trine.apigateway.exchange import Exchange
from trine.http.message import Response
from trine.metering.prices import CACHES_GB
from trine.metering.usage import Payer, Payers


def held(apis: Iterable[Api]) -> Iterator[tuple[str, str, float]]:
    """(meter, stage, 1) of every cache of a REST API: it is paid by the hour; `metering.holding.Held`."""
    for api in apis:
        for stage in api.stages:
            if stage.cache_gb in CACHES_GB:
                yield f"rest.cache-{stage.cache_gb}-gb-hour", f"{api.name or api.id}/{stage.name}", 1.0


def payer_of(exchange: Exchange, payers: Payers) -> Payer:
    """The payer of a request whose guards have passed."""
    plain = exchange.route.payer
    if exchange.identity is None and exchange.authorizer is None and exchange.caller is None:
        return plain
    key = str(exchange.identity.get("apiKeyId") or "") if exchange.identity is not None else ""
    caller = _caller(exchange)
    return payers.of(plain.route, key, caller) if key or caller else plain


def _caller(exchange: Exchange) -> str:
    """Who the guards say is calling: an IAM principal, an authorizer's principal, a token's subject."""
    if exchange.caller is not None:
        return exchange.caller.principal.arn
    if exchange.principal_id is not None:
        return str(exchange.principal_id)
    found: Any = exchange.authorizer
    if isinstance(found, Mapping) and isinstance(found.get("jwt"), Mapping):
        found = found["jwt"]
    claims = found.get("claims") if isinstance(found, Mapping) else None
    return str(claims.get("sub") or claims.get("client_id") or "") if isinstance(claims, Mapping) else ""


def request_use(exchange: Exchange, response: Response, log_bytes: int) -> tuple[bool, int, int, int, int | None]:
    """`metering.usage.RequestUse` of an answer; of a streamed one the length is not known here."""
    body, headers = response.body, response.headers
    size_bytes = len(response.head) + 4 * len(headers) + (len(body) if type(body) is bytes else 0)
    for name, value in headers:
        size_bytes += len(name) + len(value)
    integrated_ns = exchange.integrated_ns
    integration_ns = integrated_ns - (exchange.event_ns or integrated_ns) if integrated_ns else None
    return exchange.rest, len(exchange.request.body), size_bytes, log_bytes, integration_ns
