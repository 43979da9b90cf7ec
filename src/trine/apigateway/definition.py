"""Pieces that templates write in two spellings, read into the values of `api.py`.

OpenAPI extensions say `requestTemplates`, plain CloudFormation properties say `RequestTemplates`; both pass here.
Enters a mapping of either spelling; leaves an `Integration`, `Authorizer`, `Cors` or `GatewayResponse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.apigateway.api import (
    Authorizer,
    Cors,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    IntegrationType,
    function_of,
)
from trine.apigateway.limits import (
    AUTHORIZER_TTL_DEFAULT_SECONDS,
    AUTHORIZER_TTL_MAX_SECONDS,
    HTTP_TIMEOUT_SECONDS,
    REST_TIMEOUT_MAX_SECONDS,
    REST_TIMEOUT_MIN_SECONDS,
    REST_TIMEOUT_SECONDS,
    STREAM_TIMEOUT_MAX_SECONDS,
)


def as_mapping(value: Any) -> Mapping[str, Any]:
    """`value` when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_strings(value: Any) -> tuple[str, ...]:
    """A list of strings, or one string with commas, as a tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(part) for part in value) if isinstance(value, list | tuple) else ()


def _text_map(value: Any) -> dict[str, str]:
    return {str(name): _scalar(text) for name, text in as_mapping(value).items()}


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class Spelled:
    """A mapping read by its OpenAPI name whichever spelling it was written in."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self._node = {name[:1].lower() + name[1:]: value for name, value in node.items()}

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name` (lower camel case)."""
        value = self._node.get(name)
        return default if value is None else value

    def text(self, name: str) -> str:
        """The value as text, empty when absent."""
        return _scalar(self._node.get(name))


def _timeout_seconds(value: Any, *, rest: bool, streams: bool) -> float:
    default, longest = (REST_TIMEOUT_SECONDS, REST_TIMEOUT_MAX_SECONDS) if rest else (HTTP_TIMEOUT_SECONDS,) * 2
    if streams:
        longest = STREAM_TIMEOUT_MAX_SECONDS
    try:
        seconds = float(value) / 1000.0
    except (TypeError, ValueError):
        return default
    return min(max(seconds, REST_TIMEOUT_MIN_SECONDS), longest)


def read_integration(node: Mapping[str, Any], *, rest: bool) -> Integration:
    """An integration of either spelling. What is not built becomes a NOT_BUILT one with its reason."""
    if not node:
        return Integration(IntegrationType.NOT_BUILT, problem="the route has no integration")
    spelled = Spelled(node)
    kind = (spelled.text("type") or spelled.text("integrationType")).upper()
    uri = spelled.text("uri") or spelled.text("integrationUri")
    subtype = spelled.text("integrationSubtype")
    streams = rest and spelled.text("responseTransferMode").upper() == "STREAM"
    problem = _problem(kind, uri, subtype, spelled, rest=rest)
    return Integration(
        type=IntegrationType.NOT_BUILT if problem else IntegrationType(kind),
        uri=uri,
        http_method=_method(spelled),
        payload_version="1.0" if rest else spelled.text("payloadFormatVersion") or "1.0",
        timeout_seconds=_timeout_seconds(spelled.get("timeoutInMillis"), rest=rest, streams=streams),
        credentials=spelled.text("credentials") or spelled.text("credentialsArn") or None,
        request_parameters=_text_map(spelled.get("requestParameters")),
        request_templates=_text_map(spelled.get("requestTemplates")),
        response_parameters=_response_parameters(spelled.get("responseParameters")) if not rest else {},
        responses=_responses(spelled),
        passthrough=(spelled.text("passthroughBehavior") or "WHEN_NO_MATCH").upper(),
        content_handling=spelled.text("contentHandling") or None,
        connection=spelled.text("connectionId") if spelled.text("connectionType").upper() == "VPC_LINK" else "",
        subtype=subtype,
        cache_key_parameters=as_strings(spelled.get("cacheKeyParameters")),
        streams=streams,
        problem=problem,
    )


def _method(spelled: Spelled) -> str:
    names = ("httpMethod", "integrationHttpMethod", "integrationMethod")
    return next((text.upper() for name in names if (text := spelled.text(name))), "POST")


def _problem(kind: str, uri: str, subtype: str, spelled: Spelled, *, rest: bool) -> str:
    if kind not in ("AWS_PROXY", "AWS", "HTTP_PROXY", "HTTP", "MOCK"):
        return f"integration type {kind or '(none)'} is unknown"
    if not rest and kind not in ("AWS_PROXY", "HTTP_PROXY"):
        return f"HTTP APIs have no {kind} integration"
    if spelled.text("responseTransferMode").upper() == "STREAM" and (
        not rest or kind not in ("AWS_PROXY", "HTTP_PROXY")
    ):
        return "responseTransferMode STREAM is for proxy integrations of REST APIs"
    linked = spelled.text("connectionType").upper() == "VPC_LINK"
    if linked and kind not in ("HTTP", "HTTP_PROXY"):
        return f"a VPC link is for HTTP integrations, not for {kind}"
    if linked and not spelled.text("connectionId"):
        return "connectionType VPC_LINK needs a connectionId"
    if linked and not rest and uri:
        return ""  # the ARN of a listener or a Cloud Map service
    if kind == "AWS_PROXY" and not subtype and function_of(uri) is None:
        return f"AWS_PROXY is built for Lambda functions only, not for {uri or '(no URI)'}"
    if kind in ("HTTP", "HTTP_PROXY") and not uri.startswith(("http://", "https://")):
        return f"{kind} needs an http or https URI, not {uri or '(none)'}"
    return ""


def _response_parameters(value: Any) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for status, node in as_mapping(value).items():
        pairs = as_mapping(node).get("ResponseParameters")
        if isinstance(pairs, list):  # plain resources: a list of {Destination, Source}
            found[str(status)] = {
                str(as_mapping(p).get("Destination")): _scalar(as_mapping(p).get("Source")) for p in pairs
            }
        else:
            found[str(status)] = _text_map(node)
    return found


def _responses(spelled: Spelled) -> tuple[IntegrationResponse, ...]:
    nodes: list[tuple[str | None, Mapping[str, Any]]] = []
    for pattern, node in as_mapping(spelled.get("responses")).items():
        nodes.append((None if pattern == "default" else str(pattern), as_mapping(node)))
    listed = spelled.get("integrationResponses")
    for entry in listed if isinstance(listed, list) else []:
        nodes.append((as_mapping(entry).get("SelectionPattern") or None, as_mapping(entry)))
    found: list[IntegrationResponse] = []
    for selection, node in nodes:
        response = Spelled(node)
        status = response.text("statusCode")
        found.append(
            IntegrationResponse(
                status=int(status) if status.isdigit() else 200,
                selection_pattern=selection,
                parameters=_text_map(response.get("responseParameters")),
                templates=_text_map(response.get("responseTemplates")),
                content_handling=response.text("contentHandling") or None,
            )
        )
    return tuple(found)


def read_authorizer(name: str, node: Mapping[str, Any], scheme: Mapping[str, Any], *, rest: bool) -> Authorizer:
    """An authorizer: `x-amazon-apigateway-authorizer` with its scheme, or a plain resource's properties."""
    spelled = Spelled(node)
    kind = (spelled.text("type") or spelled.text("authorizerType")).upper()
    kind = {"COGNITO_USER_POOLS": "COGNITO", "": "TOKEN"}.get(kind, kind)
    sources = as_strings(spelled.get("identitySource"))
    if not sources and kind in ("TOKEN", "COGNITO"):
        sources = (f"method.request.header.{scheme.get('name') or 'Authorization'}",)
    jwt = Spelled(as_mapping(spelled.get("jwtConfiguration")))
    ttl = spelled.get("authorizerResultTtlInSeconds")
    default_ttl = AUTHORIZER_TTL_DEFAULT_SECONDS if rest else 0
    return Authorizer(
        name=name,
        kind=kind,
        uri=spelled.text("authorizerUri"),
        credentials=spelled.text("authorizerCredentials") or spelled.text("authorizerCredentialsArn") or None,
        identity_sources=sources,
        identity_validation=spelled.text("identityValidationExpression") or None,
        ttl_seconds=min(max(int(ttl), 0), AUTHORIZER_TTL_MAX_SECONDS) if _is_integer(ttl) else default_ttl,
        payload_version=spelled.text("authorizerPayloadFormatVersion") or "1.0",
        simple_responses=_scalar(spelled.get("enableSimpleResponses")).lower() == "true",
        issuer=jwt.text("issuer"),
        audience=as_strings(jwt.get("audience")),
        provider_arns=as_strings(spelled.get("providerARNs")),
    )


def _is_integer(value: Any) -> bool:
    return str(value).lstrip("-").isdigit()


def read_cors(node: Mapping[str, Any]) -> Cors:
    """An HTTP API's CORS settings, from `x-amazon-apigateway-cors` or `CorsConfiguration`."""
    spelled = Spelled(node)
    max_age = spelled.get("maxAge")
    return Cors(
        allow_origins=as_strings(spelled.get("allowOrigins")),
        allow_methods=tuple(method.upper() for method in as_strings(spelled.get("allowMethods"))),
        allow_headers=as_strings(spelled.get("allowHeaders")),
        expose_headers=as_strings(spelled.get("exposeHeaders")),
        max_age_seconds=int(max_age) if _is_integer(max_age) else None,
        allow_credentials=_scalar(spelled.get("allowCredentials")).lower() == "true",
    )


def read_gateway_response(node: Mapping[str, Any]) -> GatewayResponse:
    """A customized gateway response of either spelling."""
    spelled = Spelled(node)
    status = spelled.text("statusCode")
    return GatewayResponse(
        status=int(status) if status.isdigit() else None,
        parameters=_text_map(spelled.get("responseParameters")),
        templates=_text_map(spelled.get("responseTemplates")),
    )
