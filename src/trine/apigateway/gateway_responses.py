"""Gateway responses: the API's own answers in the words the template gives them (REST).

Enters a `GatewayError` and the `Exchange` it ended; leaves the `Response`: the customized one of its type, else that of
DEFAULT_4XX or DEFAULT_5XX, else AWS's default. Templates are plain substitution of `$context` and `$stageVariables`
("Gateway responses": the mapping template is not run through the VTL engine).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from trine.apigateway.api import GatewayResponse
from trine.apigateway.context import context_variables, fill_context
from trine.apigateway.errors import GatewayError, error_response
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.transformation import resolve_request_parameter
from trine.apigateway.response import header_name, header_value
from trine.http.message import Response

_HEADER = "gatewayresponse.header."
_STAGE_VARIABLE = re.compile(r"\$\{?stageVariables\.([A-Za-z0-9_]+)\}?")


class GatewayResponses:
    """The customized answers of one API."""

    __slots__ = ("_responses",)

    def __init__(self, responses: Mapping[str, GatewayResponse]) -> None:
        self._responses = responses

    def render(self, error: GatewayError, exchange: Exchange) -> Response:
        """The answer to `error`."""
        response = error_response(error, rest=exchange.rest)
        if not self._responses or not exchange.rest:
            return response
        own = self._responses.get(error.refusal.type)
        family = self._responses.get("DEFAULT_4XX" if error.refusal.status < 500 else "DEFAULT_5XX")
        chosen = own or family
        if chosen is None:
            return response
        if chosen.status is not None:
            response.status = chosen.status
        try:
            self._apply(chosen, response, exchange)
        except GatewayError:  # a header that cannot be sent; the plain answer stays
            return error_response(error, rest=True)
        return response

    @staticmethod
    def _apply(chosen: GatewayResponse, response: Response, exchange: Exchange) -> None:
        template, media_type = _template(chosen, exchange)
        if template is not None:
            text = fill_context(template, context_variables(exchange), missing="")
            variables = exchange.deployed.stage.variables
            text = _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), text)
            response.body = text.encode("utf-8", "replace")
            response.headers = [pair for pair in response.headers if pair[0].lower() != b"content-type"]
            response.headers.insert(0, (b"Content-Type", header_value(media_type, "content-type")))
        for name, source in chosen.parameters.items():
            if not name.startswith(_HEADER):
                continue
            short = name[len(_HEADER) :]
            value = resolve_request_parameter(source, exchange, exchange.request.body)
            if value is not None:
                raw = header_name(short)
                response.headers = [pair for pair in response.headers if pair[0].lower() != raw.lower()]
                response.headers.append((raw, header_value(value, short)))


def _template(chosen: GatewayResponse, exchange: Exchange) -> tuple[str | None, str]:
    templates = {name.lower(): text for name, text in chosen.templates.items()}
    accept = exchange.request.headers.get(b"accept")
    for part in accept.decode("latin-1").lower().split(",") if accept else []:
        media_type = part.partition(";")[0].strip()
        if media_type in templates:
            return templates[media_type], media_type
    if "application/json" in templates or not templates:
        return templates.get("application/json"), "application/json"
    return next(iter(templates.values())), next(iter(templates))
