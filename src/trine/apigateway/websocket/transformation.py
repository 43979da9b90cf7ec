"""Request and response templates of WebSocket integrations: chosen by selection expressions instead of media types.

Enters a `SocketExchange` and bytes; leaves what the integration receives, and of its answer the status and the message
for the client. What AWS does where a template is not named was taken from public tests that were run on AWS: no
expression and no match take `$default`, then the JSON one, then the only one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.apigateway.api import Integration
from trine.apigateway.errors import API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.transformation import Transformation, converted
from trine.apigateway.mapping.template import Template, TemplateError
from trine.apigateway.mapping.variables import template_variables
from trine.apigateway.websocket.exchange import SocketExchange
from trine.apigateway.websocket.selection import Selection, parse_selection
from trine.http.message import Response

ROOM = "apigateway.mapping"
NO_RESPONSE = -1
_FALLBACKS = ("$default", "default", "application/json")


class SocketTransformation(Transformation):
    """The mappings of one integration, with templates and expressions parsed."""

    __slots__ = ("_selections", "_template_selection")

    def __init__(self, integration: Integration) -> None:
        super().__init__(integration)
        self.request_templates = {name: Template(text) for name, text in integration.request_templates.items()}
        self.response_templates = [
            {name: Template(text) for name, text in response.templates.items()} for response in integration.responses
        ]
        self._template_selection = _selection(integration.template_selection)
        self._selections = [_selection(response.template_selection) for response in integration.responses]

    def _request_template(self, exchange: Exchange) -> Template | None:
        assert isinstance(exchange, SocketExchange)
        selected = self._template_selection(exchange.variable) if self._template_selection is not None else None
        template = _pick(self.request_templates, selected)
        if template is None:
            passthrough = self.integration.passthrough
            if passthrough == "NEVER" or (passthrough == "WHEN_NO_TEMPLATES" and self.request_templates):
                reason = f"no request template {selected!r}, and passing through is {passthrough}"
                raise GatewayError(UNSUPPORTED_MEDIA_TYPE, reason, room=ROOM)
        return template

    def choose(self, text: str) -> int:
        """As with REST, but an integration without any response is one-way: its answer is dropped."""
        return super().choose(text) if self.integration.responses else NO_RESPONSE

    def default(self) -> int:
        """As with REST, with the same exception."""
        return super().default() if self.integration.responses else NO_RESPONSE

    def respond(self, exchange: Exchange, index: int, body: bytes, headers: Mapping[str, str]) -> Response:
        """The message for the client from integration response `index`; the status is the integration's own."""
        assert isinstance(exchange, SocketExchange)
        status = exchange.integration_status or 200
        if index == NO_RESPONSE:
            return Response(status)
        chosen = self.integration.responses[index]
        select = self._selections[index]

        def lookup(name: str) -> Any:
            if name == "integration.response.statuscode":
                return str(status)
            if name.startswith("integration.response.header."):
                wanted = name[len("integration.response.header.") :].lower()
                return next((value for key, value in headers.items() if key.lower() == wanted), None)
            return exchange.variable(name)

        selected = select(lookup) if select is not None else str(status)
        template = _pick(self.response_templates[index], selected)
        if template is not None:
            try:
                body = template.render(template_variables(exchange, body)).encode("utf-8", "replace")
            except TemplateError as error:
                reason = f"the response template failed: {error}"
                raise GatewayError(API_CONFIGURATION_ERROR, reason, room=ROOM) from None
        return Response(status, [], converted(chosen, body))


def _selection(text: str) -> Selection | None:
    return parse_selection(text) if text else None


def _pick(templates: Mapping[str, Template], selected: str | None) -> Template | None:
    """The template that is named, else the default one, else the only one that there is."""
    for name in (selected, *_FALLBACKS):
        if name is not None and name in templates:
            return templates[name]
    return next(iter(templates.values())) if len(templates) == 1 and selected is None else None
