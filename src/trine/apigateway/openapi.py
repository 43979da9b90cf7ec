"""OpenAPI documents with `x-amazon-apigateway-*` extensions, read into routes.

Enters the `Body` of `AWS::ApiGateway::RestApi` (OpenAPI 2 or 3) or `AWS::ApiGatewayV2::Api` (OpenAPI 3) with its
intrinsics resolved; leaves `Definition`. Faults are collected as sentences, never raised one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from trine.apigateway.api import Authorization, Authorizer, Cors, GatewayResponse, Route, Validator
from trine.apigateway.definition import (
    as_mapping,
    as_strings,
    read_authorizer,
    read_cors,
    read_gateway_response,
    read_integration,
)
from trine.aws.arn import Place

ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD}


class Definition(Struct):
    """What a document (or a set of plain resources) defines."""

    routes: list[Route] = field(default_factory=list)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    gateway_responses: dict[str, GatewayResponse] = field(default_factory=dict)
    schemas: Mapping[str, Any] = field(default_factory=dict)
    binary_media_types: tuple[str, ...] = ()
    cors: Cors | None = None
    policy: Mapping[str, Any] | None = None
    api_key_source: str | None = None
    minimum_compression_bytes: int | None = None
    default_endpoint_disabled: bool = False
    title: str = ""
    problems: list[str] = field(default_factory=list)


def _imported(node: Any, place: Place) -> Any:
    """`node` with `${AWS::AccountId}`, `${AWS::Partition}` and `${AWS::Region}` filled in, as an import does ("AWS
    variables for OpenAPI import"): documents in files of their own are not reached by Fn::Sub."""
    if isinstance(node, str):
        if "${AWS::" not in node:
            return node
        return (
            node.replace("${AWS::AccountId}", place.account_id)
            .replace("${AWS::Partition}", place.partition)
            .replace("${AWS::Region}", place.region)
        )
    if isinstance(node, Mapping):
        return {_imported(name, place): _imported(value, place) for name, value in node.items()}
    return [_imported(value, place) for value in node] if isinstance(node, list) else node


class _Scheme(Struct, frozen=True):
    """A security scheme: an authorizer, the API key, or SigV4."""

    authorization: Authorization
    api_key: bool


class _Document:
    def __init__(self, body: Mapping[str, Any], *, rest: bool) -> None:
        self.body = body
        self.rest = rest
        self.definition = Definition(title=str(as_mapping(body.get("info")).get("title") or ""))
        components = as_mapping(body.get("components"))
        self.definition.schemas = as_mapping(body.get("definitions")) or as_mapping(components.get("schemas"))
        self.schemes: dict[str, _Scheme] = {}
        for name, scheme in {
            **as_mapping(body.get("securityDefinitions")),
            **as_mapping(components.get("securitySchemes")),
        }.items():
            self._scheme(str(name), as_mapping(scheme))
        self.validators = {
            str(name): Validator(
                bool(as_mapping(rule).get("validateRequestBody")),
                bool(as_mapping(rule).get("validateRequestParameters")),
            )
            for name, rule in as_mapping(body.get("x-amazon-apigateway-request-validators")).items()
        }

    def _scheme(self, name: str, scheme: Mapping[str, Any]) -> None:
        auth_type = str(scheme.get("x-amazon-apigateway-authtype") or "").lower()
        document = as_mapping(scheme.get("x-amazon-apigateway-authorizer"))
        if auth_type == "awssigv4":
            self.schemes[name] = _Scheme(Authorization.AWS_IAM, False)
        elif document:
            authorizer = read_authorizer(name, document, scheme, rest=self.rest)
            self.definition.authorizers[name] = authorizer
            kind = {"JWT": Authorization.JWT, "COGNITO": Authorization.COGNITO}.get(
                authorizer.kind, Authorization.CUSTOM
            )
            self.schemes[name] = _Scheme(kind, False)
        elif str(scheme.get("type")) == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
            self.schemes[name] = _Scheme(Authorization.NONE, True)

    def deref(self, node: Any) -> Any:
        """Follow one chain of local `$ref`s, at most 16 long."""
        for _ in range(16):
            reference = node.get("$ref") if isinstance(node, Mapping) else None
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            target: Any = self.body
            for part in reference[2:].split("/"):
                target = as_mapping(target).get(part.replace("~1", "/").replace("~0", "~"))
            node = target
        return node

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
        for path, item in as_mapping(self.body.get("paths")).items():
            item = as_mapping(self.deref(item))
            for method, operation in item.items():
                if str(method).lower() in METHODS:
                    name = "ANY" if method.lower() == ANY_METHOD else method.upper()
                    # REST APIs make no resource of a trailing slash; source ARNs and `resource` are without it.
                    shown = str(path).rstrip("/") or "/" if self.rest else str(path)
                    yield shown, name, item, as_mapping(operation)

    def route(self, path: str, method: str, item: Mapping[str, Any], operation: Mapping[str, Any]) -> Route:
        integration_node = self.deref(operation.get("x-amazon-apigateway-integration"))
        if integration_node is None:
            integration_node = self.deref(item.get("x-amazon-apigateway-integration"))
        integration = read_integration(as_mapping(integration_node), rest=self.rest)
        authorization, authorizer, scopes, api_key = self._security(operation)
        parameters = [*self._parameters(item), *self._parameters(operation)]
        return Route(
            method="ANY" if path == "$default" else method,
            path=path,
            integration=integration,
            authorization=authorization,
            authorizer=authorizer,
            scopes=scopes,
            api_key_required=api_key,
            required_parameters=tuple(
                f"method.request.{'querystring' if p['in'] == 'query' else p['in']}.{p['name']}"
                for p in parameters
                if p.get("required") and p.get("in") in ("header", "query", "path") and "name" in p
            ),
            models=self._models(parameters, operation),
            validator=self.validators.get(
                str(
                    operation.get("x-amazon-apigateway-request-validator")
                    or self.body.get("x-amazon-apigateway-request-validator")
                )
            ),
            method_responses={
                int(status): {
                    f"method.response.header.{name}": False
                    for name in as_mapping(as_mapping(self.deref(response)).get("headers"))
                }
                for status, response in as_mapping(operation.get("responses")).items()
                if str(status).isdigit()
            },
        )

    def _parameters(self, node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found = node.get("parameters")
        return [as_mapping(self.deref(p)) for p in found] if isinstance(found, list) else []

    def _models(self, parameters: list[Mapping[str, Any]], operation: Mapping[str, Any]) -> dict[str, Any]:
        models: dict[str, Any] = {}
        for parameter in parameters:
            if parameter.get("in") == "body" and "schema" in parameter:
                for media_type in operation.get("consumes") or self.body.get("consumes") or ["application/json"]:
                    models[str(media_type)] = parameter["schema"]
        content = as_mapping(as_mapping(self.deref(operation.get("requestBody"))).get("content"))
        for media_type, media in content.items():
            if "schema" in as_mapping(media):
                models[str(media_type)] = as_mapping(media)["schema"]
        return models

    def _security(self, operation: Mapping[str, Any]) -> tuple[Authorization, str | None, tuple[str, ...], bool]:
        override = as_mapping(operation.get("x-amazon-apigateway-auth")).get("type")
        if override is not None and str(override).upper() in ("NONE", "AWS_IAM"):
            return Authorization(str(override).upper()), None, (), False
        requirements = operation.get("security", self.body.get("security"))
        authorization, api_key = Authorization.NONE, False
        authorizer: str | None = None
        scopes: tuple[str, ...] = ()
        for requirement in requirements if isinstance(requirements, list) else []:
            for name, wanted in as_mapping(requirement).items():
                scheme = self.schemes.get(str(name))
                if scheme is None:
                    continue
                if scheme.api_key:
                    api_key = True
                else:
                    authorization = scheme.authorization
                    authorizer = str(name) if str(name) in self.definition.authorizers else None
                    scopes = as_strings(wanted)
        return authorization, authorizer, scopes, api_key


def read_openapi(body: Mapping[str, Any], *, rest: bool, place: Place | None = None) -> Definition:
    """The routes, authorizers and settings of `body`. Never raises for a strange document: see `problems`."""
    body = as_mapping(_imported(body, place or Place()))
    document = _Document(body, rest=rest)
    definition = document.definition
    for path, method, item, operation in document.operations():
        route = document.route(path, method, item, operation)
        if route.integration.problem:
            definition.problems.append(f"{route.key}: {route.integration.problem}")
        definition.routes.append(route)
    for name, node in as_mapping(body.get("x-amazon-apigateway-gateway-responses")).items():
        definition.gateway_responses[str(name)] = read_gateway_response(as_mapping(node))
    definition.binary_media_types = as_strings(body.get("x-amazon-apigateway-binary-media-types"))
    cors = body.get("x-amazon-apigateway-cors")
    definition.cors = read_cors(cors) if isinstance(cors, Mapping) else None
    policy = body.get("x-amazon-apigateway-policy")
    definition.policy = policy if isinstance(policy, Mapping) else None
    source = body.get("x-amazon-apigateway-api-key-source")
    definition.api_key_source = str(source).upper() if source else None
    compression = body.get("x-amazon-apigateway-minimum-compression-size")
    definition.minimum_compression_bytes = int(compression) if isinstance(compression, int) else None
    servers = body.get("servers")
    for node in [body, *(servers if isinstance(servers, list) else [])]:
        configuration = as_mapping(as_mapping(node).get("x-amazon-apigateway-endpoint-configuration"))
        if str(configuration.get("disableExecuteApiEndpoint")).lower() == "true":
            definition.default_endpoint_disabled = True
    return definition
