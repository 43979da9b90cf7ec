"""What is set for function URLs: `AWS::Lambda::Url` properties (or CreateFunctionUrlConfig's) in, values out.

Also all URLs of a service, by id and by the function and alias they belong to. Raises InvalidParameterValue,
ResourceConflict, ResourceNotFound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

from trine.awslambda.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound

HOST_MARK, PATH_PREFIX = b".lambda-url.", b"/_urls/"
"""How a request at the front door says that it is for a function URL: by its host, or by its path."""
_ID = re.compile(r"[a-z0-9]{1,64}")
_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "*"})
MAX_AGE_MAX_SECONDS = 86_400
"""API reference, Cors `MaxAge`."""
ORIGINS_MAX, HEADERS_MAX, METHODS_MAX = 100, 100, 6
"""API reference, Cors: list sizes."""


class UrlCors(Struct, frozen=True):
    """`Cors` of a function URL. An empty list says nothing about its matter."""

    allow_credentials: bool = False
    allow_headers: Sequence[str] = ()
    allow_methods: Sequence[str] = ()
    allow_origins: Sequence[str] = ()
    expose_headers: Sequence[str] = ()
    max_age_seconds: int | None = None


class UrlConfig(Struct, frozen=True):
    """One function URL."""

    id: str
    function: str
    """The function's name."""
    qualifier: str | None
    """The alias; None for the function itself."""
    auth: Literal["NONE", "AWS_IAM"]
    streams: bool = False
    """RESPONSE_STREAM rather than BUFFERED."""
    cors: UrlCors | None = None
    created_at: float = 0.0
    modified_at: float = 0.0
    properties: Mapping[str, Any] = field(default_factory=dict)
    """As they were given: AuthType, Cors, InvokeMode."""


def address(url_id: str, region: str) -> str:
    """A function URL as AWS spells it."""
    return f"https://{url_id}.lambda-url.{region}.on.aws/"


def local_address(url_id: str, region: str, front_port: int) -> str:
    """Where a function URL answers on this machine's front door."""
    return f"http://{url_id}.lambda-url.{region}.localhost:{front_port}/"


def id_of(url: str) -> str:
    """The id in a function URL."""
    return url.partition("://")[2].partition(".")[0]


def url_config(
    url_id: str, function: str, qualifier: str | None, properties: Mapping[str, Any], created_at: float, now: float
) -> UrlConfig:
    """A configuration from AuthType, InvokeMode and Cors. Raises InvalidParameterValue."""
    if not _ID.fullmatch(url_id):
        raise InvalidParameterValue(f"{url_id!r} is no id of a function URL")
    auth = properties.get("AuthType")
    if auth not in ("NONE", "AWS_IAM"):
        raise InvalidParameterValue(f"AuthType must be NONE or AWS_IAM, not {auth!r}")
    mode = properties.get("InvokeMode") or "BUFFERED"
    if mode not in ("BUFFERED", "RESPONSE_STREAM"):
        raise InvalidParameterValue(f"InvokeMode must be BUFFERED or RESPONSE_STREAM, not {mode!r}")
    if qualifier is not None and (qualifier.isdigit() or qualifier == "$LATEST"):
        raise InvalidParameterValue("A function URL belongs to a function or an alias, not to a version")
    given = {key: properties[key] for key in ("AuthType", "InvokeMode", "Cors") if properties.get(key) is not None}
    cors = properties.get("Cors")
    return UrlConfig(
        url_id,
        function,
        qualifier,
        auth,
        mode == "RESPONSE_STREAM",
        None if cors is None else _cors(cors),
        created_at,
        now,
        given,
    )


def _cors(given: Any) -> UrlCors:
    if not isinstance(given, Mapping):
        raise InvalidParameterValue("Cors must be an object")
    methods = _texts(given, "AllowMethods", METHODS_MAX)
    for method in methods:
        if method not in _METHODS:
            raise InvalidParameterValue(f"AllowMethods: {method!r} is none of {', '.join(sorted(_METHODS))}")
    age = given.get("MaxAge")
    if age is not None:
        try:
            age = int(age)
        except (TypeError, ValueError):
            raise InvalidParameterValue(f"MaxAge must be a number of seconds, not {age!r}") from None
        if not 0 <= age <= MAX_AGE_MAX_SECONDS:
            raise InvalidParameterValue(f"MaxAge must be between 0 and {MAX_AGE_MAX_SECONDS}, not {age}")
    return UrlCors(
        str(given.get("AllowCredentials", False)).lower() == "true",
        _texts(given, "AllowHeaders", HEADERS_MAX),
        methods,
        _texts(given, "AllowOrigins", ORIGINS_MAX),
        _texts(given, "ExposeHeaders", HEADERS_MAX),
        age,
    )


def _texts(given: Mapping[str, Any], name: str, most: int) -> tuple[str, ...]:
    values = given.get(name) or ()
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise InvalidParameterValue(f"{name} must be a list of strings")
    if len(values) > most:
        raise InvalidParameterValue(f"{name} holds {len(values)} values; at most {most}")
    if any(character in value for value in values for character in "\r\n\0"):
        raise InvalidParameterValue(f"{name} holds a line break")
    return tuple(values)


class UrlBook:
    """The function URLs of one service."""

    def __init__(self, region: str) -> None:
        self.address: Callable[[str], str] = lambda url_id: address(url_id, region)
        """Where the URL of an id answers: AWS's spelling, until someone who knows the door's says better."""
        self._by_id: dict[str, UrlConfig] = {}
        self._by_owner: dict[tuple[str, str | None], UrlConfig] = {}

    def __iter__(self) -> Iterator[UrlConfig]:
        return iter(sorted(self._by_id.values(), key=lambda one: (one.function, one.qualifier or "")))

    def has(self, function: str, qualifier: str | None) -> bool:
        """Whether a function or alias has a URL."""
        return (function, qualifier) in self._by_owner

    def put(self, config: UrlConfig) -> UrlConfig:
        """Add or change a URL. ResourceConflict when the id is another's."""
        owner = (config.function, config.qualifier)
        known = self._by_owner.get(owner)
        holder = self._by_id.get(config.id)
        if holder is not None and (holder.function, holder.qualifier) != owner:
            raise ResourceConflict(f"The function URL {config.id} belongs to {holder.function}")
        if known is not None:
            self._by_id.pop(known.id, None)
        self._by_id[config.id] = self._by_owner[owner] = config
        return config

    def get(self, url_id: str) -> UrlConfig | None:
        """The URL with an id."""
        return self._by_id.get(url_id)

    def of(self, function: str, qualifier: str | None) -> UrlConfig:
        """The URL of a function or alias. Raises ResourceNotFound."""
        found = self._by_owner.get((function, qualifier))
        if found is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return found

    def remove(self, config: UrlConfig) -> None:
        """Forget a URL."""
        self._by_id.pop(config.id, None)
        self._by_owner.pop((config.function, config.qualifier), None)

    def remove_function(self, function: str) -> None:
        """Forget all URLs of a function that is deleted."""
        for config in [one for one in self._by_id.values() if one.function == function]:
            self.remove(config)
