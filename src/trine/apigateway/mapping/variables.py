"""What a mapping template sees: `$input`, `$util`, `$stageVariables`, `$context`.

Enters an `Exchange` and the body to be mapped; leaves the variables of one rendering. Source: "Variables for data
transformations for API Gateway".
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from trine.apigateway.context import context_variables
from trine.apigateway.exchange import Exchange
from trine.apigateway.mapping import jsonpath
from trine.apigateway.mapping.methods import Toolbox
from trine.apigateway.mapping.values import TemplateError, json_of, text_of
from trine.apigateway.parameters import rest_headers, rest_query

_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "'": "\\'",
    "/": "\\/",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def escape_javascript(value: Any) -> str | None:
    """As `$util.escapeJavaScript`, which escapes quotes of both kinds, slashes, and everything beyond ASCII."""
    if value is None:
        return None
    out: list[str] = []
    for character in text_of(value):
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif " " <= character <= "~":
            out.append(character)
        else:
            units = character.encode("utf-16-be", "surrogatepass")
            out.extend(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))
    return "".join(out)


def _parse_json(value: Any) -> Any:
    try:
        return orjson.loads(text_of(value))
    except orjson.JSONDecodeError as error:
        raise TemplateError(f"$util.parseJson: {error}") from None


_UTIL: dict[str, Callable[..., Any]] = {
    "escapeJavaScript": escape_javascript,
    "parseJson": _parse_json,
    "urlEncode": lambda value: quote_plus(text_of(value)),
    "urlDecode": lambda value: unquote_plus(text_of(value), errors="replace"),
    "base64Encode": lambda value: b64encode(text_of(value).encode()).decode(),
    "base64Decode": lambda value: b64decode(text_of(value)).decode("utf-8", "replace"),
}


UTIL = Toolbox(_UTIL)
"""`$util`"""


class Input(Toolbox):
    """`$input`: the body under mapping and the request's parameters."""

    __slots__ = ("_exchange", "_parameters", "_parsed", "_raw")

    def __init__(self, exchange: Exchange, body: bytes) -> None:
        super().__init__(
            {"path": self._path, "json": self._json, "params": self._params},
            {"body": body.decode("utf-8", "replace") if body else "{}"},
        )
        self._exchange = exchange
        self._raw = body
        self._parsed: tuple[Any] | None = None
        self._parameters: dict[str, dict[str, str]] | None = None

    def document(self) -> Any:
        """The body as JSON; an empty one is `{}` (recorded on AWS), one that is no JSON is its text."""
        if self._parsed is None:
            if not self._raw.strip():
                self._parsed = ({},)
            else:
                try:
                    self._parsed = (orjson.loads(self._raw),)
                except orjson.JSONDecodeError:
                    self._parsed = (self._raw.decode("utf-8", "replace"),)
        return self._parsed[0]

    def _path(self, path: str) -> Any:
        try:
            return jsonpath.find(path, self.document())
        except jsonpath.PathInvalid as error:
            raise TemplateError(str(error)) from None

    def _json(self, path: str) -> str:
        found = self._path(path)
        return '""' if found is None and path.strip() != "$" else json_of(found)

    def _params(self, name: str | None = None) -> Any:
        if self._parameters is None:
            self._parameters = request_parameters(self._exchange)
        if name is None:
            return self._parameters
        for place in ("path", "querystring", "header"):
            found = self._parameters[place]
            if name in found:
                return found[name]
        lower = name.lower()
        return next((value for key, value in self._parameters["header"].items() if key.lower() == lower), "")


def request_parameters(exchange: Exchange) -> dict[str, dict[str, str]]:
    """`path`, `querystring` and `header` maps of the request."""
    headers, _ = rest_headers(exchange.request.headers.pairs)
    query, _ = rest_query(exchange.request.query)
    return {"path": dict(exchange.parameters or {}), "querystring": query or {}, "header": headers}


def template_variables(
    exchange: Exchange, body: bytes, *, overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The variables for mapping `body`. `overrides` are put into `$context` (`responseOverride`, …)."""
    context = context_variables(exchange)
    if overrides:
        context.update(overrides)
    return {
        "input": Input(exchange, body),
        "util": UTIL,
        "stageVariables": dict(exchange.deployed.stage.variables),
        "context": context,
    }
