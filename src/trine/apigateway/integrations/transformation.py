"""What the integrations of REST APIs share that map requests and answers: MOCK, AWS and HTTP.

Request: choose the request template by Content-Type, or pass the body through. Answer: choose the integration response
by its selection pattern, fill its header mappings, render its template, apply `$context.responseOverride`.
Enters an `Exchange` and bytes; leaves bytes or a `Response`; faults of the configuration are `GatewayError`s.
Text and binary bodies: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from trine.apigateway.api import Integration, IntegrationResponse
from trine.apigateway.body import BinaryTypes
from trine.apigateway.context import context_variables, lookup
from trine.apigateway.errors import API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.mapping import jsonpath
from trine.apigateway.mapping.template import Template, TemplateError
from trine.apigateway.mapping.values import json_of, text_of
from trine.apigateway.mapping.variables import Input, request_parameters, template_variables
from trine.apigateway.response import HeaderPairs, header_name, header_value, remap_rest
from trine.aws.http_payload import decode_base64
from trine.aws.patterns import PatternRefused, compile_pattern
from trine.http.message import Response

_METHOD_HEADER = "method.response.header."


class Transformation:
    """The mappings of one integration, with their templates parsed."""

    __slots__ = ("_binary", "integration", "request_templates", "response_templates")

    def __init__(self, integration: Integration, binary: BinaryTypes | None = None) -> None:
        self.integration = integration
        self._binary = binary
        """What counts as binary; None for WebSocket APIs, whose messages name no types."""
        self.request_templates = {name.lower(): Template(text) for name, text in integration.request_templates.items()}
        self.response_templates = [
            {name.lower(): Template(text) for name, text in response.templates.items()}
            for response in integration.responses
        ]
        for response in integration.responses:
            if response.selection_pattern:
                compile_pattern(response.selection_pattern)

    # -- the request -----------------------------------------------------------------------------------------------

    def request_body(self, exchange: Exchange) -> bytes:
        """The body for the integration. GatewayError 415 when passing through is not allowed."""
        handling = self.integration.content_handling
        is_binary = handling is not None and self._is_binary(exchange.request.headers.get(b"content-type"))
        body = exchange.request.body
        if handling == "CONVERT_TO_TEXT" and body and is_binary is not False:
            body = b64encode(body)
        template = self._request_template(exchange)
        if template is None:
            return _decoded(body) if handling == "CONVERT_TO_BINARY" and body and not is_binary else body
        if template.is_static and handling is None:
            return template.source.encode()
        variables = template_variables(exchange, body)
        text = _render(template, variables, "request")
        context = variables["context"]
        if isinstance(context, dict):
            exchange.overrides = {name: context.get(name) for name in ("responseOverride", "requestOverride")}
        rendered = text.encode("utf-8", "replace")
        return _decoded(rendered) if handling == "CONVERT_TO_BINARY" else rendered

    def _is_binary(self, header: bytes | None) -> bool | None:
        """Whether a payload of this Content-Type is binary; None where nobody knows."""
        return None if self._binary is None else self._binary.match(header)

    def _request_template(self, exchange: Exchange) -> Template | None:
        header = exchange.request.headers.get(b"content-type")
        media_type = header.decode("latin-1").partition(";")[0].strip().lower() if header else "application/json"
        template = self.request_templates.get(media_type) or self.request_templates.get("$default")
        if template is not None:
            return template
        passthrough = self.integration.passthrough
        if passthrough == "NEVER" or (passthrough == "WHEN_NO_TEMPLATES" and self.request_templates):
            reason = f"no request template for {media_type}, and passing through is {passthrough}"
            raise GatewayError(UNSUPPORTED_MEDIA_TYPE, reason, room="apigateway.mapping")
        return None

    # -- the answer ------------------------------------------------------------------------------------------------

    def choose(self, text: str) -> int:
        """Index of the integration response for `text` (an error message or a status code)."""
        default = -1
        for index, response in enumerate(self.integration.responses):
            if not response.selection_pattern:
                default = index if default < 0 else default
                continue
            try:
                if compile_pattern(response.selection_pattern).matches(text):
                    return index
            except PatternRefused as error:
                raise GatewayError(API_CONFIGURATION_ERROR, str(error), room="apigateway.mapping") from None
        if default < 0:
            reason = f"no integration response matches {text[:200]!r} and there is no default one"
            raise GatewayError(API_CONFIGURATION_ERROR, reason, room="apigateway.mapping")
        return default

    def default(self) -> int:
        """Index of the integration response without a selection pattern."""
        for index, response in enumerate(self.integration.responses):
            if not response.selection_pattern:
                return index
        raise GatewayError(
            API_CONFIGURATION_ERROR, "there is no default integration response", room="apigateway.mapping"
        )

    def respond(self, exchange: Exchange, index: int, body: bytes, headers: Mapping[str, str]) -> Response:
        """The method's response from integration response `index`; `headers` and `body` are the integration's."""
        chosen = self.integration.responses[index]
        pairs: HeaderPairs = []
        for name, source in chosen.parameters.items():
            value = resolve_response_parameter(source, exchange, body, headers)
            if value is not None and name.startswith(_METHOD_HEADER):
                short = name[len(_METHOD_HEADER) :]
                pairs.append((header_name(short), header_value(value, short)))
        template, media_type = self._response_template(exchange, index)
        status = chosen.status
        if template is not None and template.is_static and exchange.overrides is None:
            body = template.source.encode()
        else:
            variables = template_variables(exchange, body, overrides=exchange.overrides)
            if template is not None:
                body = _render(template, variables, "response").encode("utf-8", "replace")
            override = variables["context"].get("responseOverride")
            if isinstance(override, dict):
                status = _status(override.get("status"), status)
                pairs = _override_headers(pairs, override.get("header"))
        if body and (chosen.content_handling is not None or self._has_binary):
            body = self._converted(exchange, chosen, body, headers, is_mapped=template is not None)
        if not any(name.lower() == b"content-type" for name, _ in pairs):
            pairs.append((b"Content-Type", media_type.encode("latin-1", "replace")))
        return Response(status, remap_rest(pairs), body)

    @property
    def _has_binary(self) -> bool:
        return self._binary is not None and not self._binary.none

    def _converted(
        self,
        exchange: Exchange,
        chosen: IntegrationResponse,
        body: bytes,
        headers: Mapping[str, str],
        *,
        is_mapped: bool,
    ) -> bytes:
        """The answer's body by AWS's table of integration payload, Accept header, `binaryMediaTypes` and
        `contentHandling`. What a template made is text. Without `contentHandling` an answer that names no type of its
        own stays as it is."""
        named = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
        is_binary = not is_mapped and bool(self._is_binary(named.encode("latin-1", "replace") if named else None))
        if chosen.content_handling is not None:
            return body if is_binary is (chosen.content_handling == "CONVERT_TO_BINARY") else converted(chosen, body)
        wants_binary = self._is_binary(exchange.request.headers.get(b"accept"))
        if named is None or is_binary is wants_binary:
            return body
        return b64encode(body) if is_binary else _decoded(body)

    def static_answer(self, index: int) -> tuple[int, HeaderPairs, bytes] | None:
        """What integration response `index` makes of an empty answer; None when that depends on the request."""
        chosen, templates = self.integration.responses[index], self.response_templates[index]
        dynamic = any(not template.is_static for template in templates.values()) or len(templates) > 1
        sources = chosen.parameters.values()
        if dynamic or chosen.content_handling is not None or not all(map(is_static_source, sources)):
            return None
        pairs = [
            (header_name(name[len(_METHOD_HEADER) :]), header_value(source[1:-1], name))
            for name, source in chosen.parameters.items()
            if name.startswith(_METHOD_HEADER)
        ]
        media_type, template = next(iter(templates.items()), ("application/json", None))
        if not any(name.lower() == b"content-type" for name, _ in pairs):
            pairs.append((b"Content-Type", media_type.encode("latin-1", "replace")))
        return chosen.status, remap_rest(pairs), template.source.encode() if template is not None else b""

    def _response_template(self, exchange: Exchange, index: int) -> tuple[Template | None, str]:
        """The template for the client's Accept header, else for JSON, else the first one."""
        templates = self.response_templates[index]
        accept = exchange.request.headers.get(b"accept")
        wanted = accept.decode("latin-1").lower().split(",") if accept else []
        for media_type in [part.partition(";")[0].strip() for part in wanted]:
            if media_type in templates:
                return templates[media_type], media_type
        if "application/json" in templates or not templates:
            return templates.get("application/json"), "application/json"
        return next(iter(templates.values())), next(iter(templates))


def _render(template: Template, variables: dict[str, Any], which: str) -> str:
    try:
        return template.render(variables)
    except TemplateError as error:
        reason = f"the {which} template failed: {error}"
        raise GatewayError(API_CONFIGURATION_ERROR, reason, room="apigateway.mapping") from None


def _decoded(body: bytes) -> bytes:
    decoded = decode_base64(body.decode("latin-1").strip().strip('"'))  # a function's answer is a JSON string
    if decoded is None:
        raise GatewayError(API_CONFIGURATION_ERROR, "CONVERT_TO_BINARY of a body that is not base64")
    return decoded


def converted(chosen: IntegrationResponse, body: bytes) -> bytes:
    """`body` changed as `contentHandling` says, whatever it is. GatewayError when it is no base64."""
    if chosen.content_handling == "CONVERT_TO_BINARY" and body:
        return _decoded(body)
    if chosen.content_handling == "CONVERT_TO_TEXT" and body:
        return b64encode(body)
    return body


def _status(value: Any, otherwise: int) -> int:
    text = text_of(value)
    return int(text) if text.isdigit() and 100 <= int(text[:4]) <= 599 else otherwise


def _override_headers(pairs: HeaderPairs, override: Any) -> HeaderPairs:
    if not isinstance(override, dict):
        return pairs
    for name, value in override.items():
        raw = header_name(str(name))
        pairs = [pair for pair in pairs if pair[0].lower() != raw.lower()]
        pairs.append((raw, header_value(text_of(value), str(name))))
    return pairs


def is_static_source(source: str) -> bool:
    """Is it `'text'`, the same for every request?"""
    return len(source) > 1 and source.startswith("'") and source.endswith("'")


def resolve_request_parameter(source: str, exchange: Exchange, body: bytes) -> str | None:
    """The value of a request mapping: `'static'`, `method.request.header.X`, `context.x`, `stageVariables.x`, …"""
    if is_static_source(source):
        return source[1:-1]
    source = source.replace("route.request.", "method.request.", 1)  # WebSocket APIs' spelling
    if source.startswith("method.request."):
        place, _, name = source[len("method.request.") :].partition(".")
        if place == "body":
            found = _from_body(name, exchange, body)
            return None if found is None else found
        parameters = request_parameters(exchange)
        if place in ("path", "querystring", "multivaluequerystring"):
            return parameters["path" if place == "path" else "querystring"].get(name)
        return next((v for k, v in parameters["header"].items() if k.lower() == name.lower()), None)
    return _shared_source(source, exchange)


def resolve_response_parameter(source: str, exchange: Exchange, body: bytes, headers: Mapping[str, str]) -> str | None:
    """The value of a response mapping: `'static'`, `integration.response.header.X`, `integration.response.body.x`, …"""
    if is_static_source(source):
        return source[1:-1]
    if source.startswith("integration.response."):
        place, _, name = source[len("integration.response.") :].partition(".")
        if place == "body":
            return _from_body(name, exchange, body)
        return next((v for k, v in headers.items() if k.lower() == name.lower()), None)
    return _shared_source(source, exchange)


def _shared_source(source: str, exchange: Exchange) -> str | None:
    if source.startswith("context."):
        found = lookup(context_variables(exchange), source[len("context.") :])
        return None if found is None else text_of(found)
    if source.startswith("stageVariables."):
        return exchange.deployed.stage.variables.get(source[len("stageVariables.") :])
    return None


def _from_body(path: str, exchange: Exchange, body: bytes) -> str | None:
    if not path:
        return body.decode("utf-8", "replace")
    try:
        found = jsonpath.find("$." + path if not path.startswith("$") else path, Input(exchange, body).document())
    except jsonpath.PathInvalid:
        return None
    if found is None:
        return None
    return found if isinstance(found, str) else json_of(found)
