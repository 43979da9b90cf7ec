"""An API as frozen values: what the template says, read once, shared by every request.

`build.py` makes these from templates; the rooms only read them. Nothing here knows a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct, field

JsonObject = Mapping[str, Any]


class ApiKind(StrEnum):
    """The kinds of API the front door serves."""

    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


class IntegrationType(StrEnum):
    """What stands behind a route."""

    AWS_PROXY = "AWS_PROXY"
    AWS = "AWS"
    HTTP_PROXY = "HTTP_PROXY"
    HTTP = "HTTP"
    MOCK = "MOCK"
    NOT_BUILT = "NOT_BUILT"
    """Named by the template but not served here; `Integration.problem` says why."""


class Authorization(StrEnum):
    """Who checks the caller of a route."""

    NONE = "NONE"
    AWS_IAM = "AWS_IAM"
    CUSTOM = "CUSTOM"
    JWT = "JWT"
    COGNITO = "COGNITO_USER_POOLS"


class IntegrationResponse(Struct, frozen=True):
    """One way an answer of the integration becomes the method's answer (REST)."""

    status: int
    selection_pattern: str | None
    """Regular expression over the error message or status; None marks the default."""
    parameters: Mapping[str, str]
    templates: Mapping[str, str]
    content_handling: str | None = None
    template_selection: str = ""
    """WebSocket APIs: the expression that names one of `templates`."""


class Integration(Struct, frozen=True):
    """What stands behind a route, and how requests and answers are mapped."""

    type: IntegrationType
    uri: str = ""
    http_method: str = "POST"
    payload_version: str = "1.0"
    timeout_seconds: float = 29.0
    credentials: str | None = None
    request_parameters: Mapping[str, Any] = field(default_factory=dict)
    request_templates: Mapping[str, str] = field(default_factory=dict)
    response_parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """HTTP APIs: by status code, header and status mappings."""
    responses: tuple[IntegrationResponse, ...] = ()
    passthrough: str = "WHEN_NO_MATCH"
    content_handling: str | None = None
    connection: str = ""
    """The id of a VPC link, which may still hold `${stageVariables.x}`; empty: over the Internet."""
    subtype: str = ""
    cache_key_parameters: tuple[str, ...] = ()
    streams: bool = False
    """`responseTransferMode: STREAM`"""
    problem: str = ""
    template_selection: str = ""
    """WebSocket APIs: the expression that names one of `request_templates`."""

    @property
    def function(self) -> str | None:
        """The function's ARN, which may still hold `${stageVariables.x}`; None when no function is behind it."""
        if self.type not in (IntegrationType.AWS_PROXY, IntegrationType.AWS) or self.subtype:
            return None
        return function_of(self.uri)


def function_of(uri: str) -> str | None:
    """The function in an integration or authorizer URI: `…:lambda:path/2015-03-31/functions/ARN/invocations` (or
    `/response-streaming-invocations`), or the bare ARN as HTTP APIs allow. None when the URI names no function."""
    head, found, tail = uri.partition(":lambda:path/")
    if found and head.startswith("arn:"):
        _, found, function = tail.partition("/functions/")
        for action in ("/invocations", "/response-streaming-invocations"):
            function = function.removesuffix(action)
        return function if found else None
    if uri.startswith("arn:") and ":lambda:" in uri and ":function:" in uri:
        return uri
    return None


class Authorizer(Struct, frozen=True):
    """A check that routes name. `kind` is TOKEN, REQUEST, JWT or COGNITO."""

    name: str
    kind: str
    uri: str = ""
    credentials: str | None = None
    identity_sources: tuple[str, ...] = ()
    identity_validation: str | None = None
    ttl_seconds: int = 300
    payload_version: str = "1.0"
    simple_responses: bool = False
    issuer: str = ""
    audience: tuple[str, ...] = ()
    provider_arns: tuple[str, ...] = ()
    id: str = ""


class Validator(Struct, frozen=True):
    """Which parts of a request are checked before the integration (REST)."""

    body: bool
    parameters: bool


class Route(Struct, frozen=True):
    """One method of one path (REST), or one route key (HTTP, WebSocket)."""

    method: str
    """`GET`, … or `ANY`; empty for a WebSocket API."""
    path: str
    """`/users/{id}`, `$default`, or the route key of a WebSocket API."""
    integration: Integration
    resource_id: str | None = None
    authorization: Authorization = Authorization.NONE
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    api_key_required: bool = False
    required_parameters: tuple[str, ...] = ()
    """`method.request.header.X` and the like that must be present."""
    models: Mapping[str, Any] = field(default_factory=dict)
    """Content type → JSON schema of the body; WebSocket APIs: what `model_selection` gives → schema."""
    model_selection: str = ""
    """WebSocket APIs: the expression that names one of `models`; empty: messages are not checked."""
    validator: Validator | None = None
    method_responses: Mapping[int, Mapping[str, bool]] = field(default_factory=dict)
    responds: bool = False
    """WebSocket APIs: the integration's answer goes back to the client."""

    @property
    def key(self) -> str:
        """`GET /users/{id}` or `$default`."""
        return self.path if self.path == "$default" or not self.method else f"{self.method} {self.path}"


class Throttle(Struct, frozen=True):
    """A token bucket: `rate` requests a second refill it, `burst` is its size. None means not set."""

    rate: float | None = None
    burst: int | None = None


class CacheSetting(Struct, frozen=True):
    """Whether answers of a method are kept, and for how long."""

    enabled: bool
    ttl_seconds: int = 300


class LogSetting(Struct, frozen=True):
    """What the execution log tells of a method: `level` OFF, ERROR, INFO; with `data_trace` headers and bodies too."""

    level: str
    data_trace: bool = False


class Canary(Struct, frozen=True):
    """A share of a stage's requests that sees other stage variables."""

    percent: float
    variables: Mapping[str, str] = field(default_factory=dict)


class Stage(Struct, frozen=True):
    """A deployed name of an API."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    deployment_id: str = ""
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    """By `METHOD /path` (REST, `* /*` for all) or route key (HTTP); `` is the stage's default."""
    access_log_format: str | None = None
    access_log_destination: str | None = None
    cache: Mapping[str, CacheSetting] = field(default_factory=dict)
    """By `METHOD /path`, as `throttles`; empty unless the stage has a cache cluster."""
    cache_gb: str = ""
    """The size of the stage's cache cluster as its price goes by; empty without one."""
    canary: Canary | None = None
    logs: Mapping[str, LogSetting] = field(default_factory=dict)
    """By `METHOD /path`, as `throttles`; empty when all are off."""

    @property
    def is_default(self) -> bool:
        """True for `$default`, whose name is not part of the path."""
        return self.name == "$default"


Setting = TypeVar("Setting")


def method_setting(settings: Mapping[str, Setting], method: str, path: str) -> Setting | None:
    """The most specific setting for a REST method: its own, its path's, its method's, the stage's."""
    for name in (f"{method} {path}", f"* {path}", f"{method} /*", "* /*"):
        if name in settings:
            return settings[name]
    return None


class Cors(Struct, frozen=True):
    """An HTTP API's CorsConfiguration."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    allow_credentials: bool = False


class GatewayResponse(Struct, frozen=True):
    """A customized gateway answer (REST)."""

    status: int | None
    parameters: Mapping[str, str]
    templates: Mapping[str, str]


class DomainMapping(Struct, frozen=True):
    """A custom domain name (by Host header) whose `base_path` leads to a stage of the API."""

    domain: str
    base_path: str
    """Without slashes around; empty for the whole domain."""
    stage: str
    """Empty: the first segment below the base path names the stage (REST)."""
    mutual_tls: bool = False
    """Clients must show a certificate, which they cannot do here."""


class Api(Struct, frozen=True):
    """One API with its routes and stages."""

    id: str
    kind: ApiKind
    name: str
    logical_id: str = ""
    routes: tuple[Route, ...] = ()
    stages: tuple[Stage, ...] = ()
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    cors: Cors | None = None
    binary_media_types: tuple[str, ...] = ()
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    policy: JsonObject | None = None
    api_key_source: str = "HEADER"
    minimum_compression_bytes: int | None = None
    definitions: JsonObject = field(default_factory=dict)
    """JSON schemas that models refer to by `#/definitions/…`."""
    domains: tuple[DomainMapping, ...] = ()
    private: bool = False
    """Endpoint type PRIVATE: reached through a VPC endpoint only."""
    default_endpoint: bool = True
    """False: `DisableExecuteApiEndpoint`, only custom domains lead to the API."""
    route_selection: str = ""
    """WebSocket APIs: the expression that names a message's route."""
    problems: tuple[str, ...] = ()
    """What the template asks for that is not built, in words for people."""

    @property
    def is_rest(self) -> bool:
        """True for REST APIs."""
        return self.kind is ApiKind.REST
