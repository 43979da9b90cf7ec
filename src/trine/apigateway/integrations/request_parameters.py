"""The header, query and path parameters that a REST integration's `requestParameters` give its request.

Enters an `Exchange` and the rendered body; leaves the values by place. What the request template set in
`$context.requestOverride` goes over what was mapped. Source: "Override your API's request and response parameters".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from trine.apigateway.exchange import Exchange
from trine.apigateway.integrations.transformation import resolve_request_parameter
from trine.apigateway.mapping.values import text_of

Parameters = dict[str, dict[str, str]]
"""By place (`header`, `querystring`, `path`): name → value."""
_PREFIX = "integration.request."
_VARIABLE = re.compile(r"\{([A-Za-z0-9._-]+)\+?\}")
_CHARACTERS_OF_A_PATH = "/%:@!$&'()*+,;=~-._"


def integration_parameters(mappings: Mapping[str, str], exchange: Exchange, body: bytes) -> Parameters:
    """The values of `mappings` for this request, and over them those of the template's overrides."""
    found: Parameters = {"header": {}, "querystring": {}, "path": {}}
    for target, source in mappings.items():
        place, _, name = target.removeprefix(_PREFIX).partition(".")
        if place in found and name:
            value = resolve_request_parameter(source, exchange, body)
            if value is not None:
                found[place][name] = value
    overrides = (exchange.overrides or {}).get("requestOverride")
    if isinstance(overrides, dict):
        for place, values in found.items():
            override = overrides.get(place)
            if isinstance(override, dict):
                values.update((str(name), text_of(value)) for name, value in override.items())
    return found


def fill_path(uri: str, values: Mapping[str, str]) -> str:
    """`uri` with each `{name}` of `values` filled in, percent-encoded where it must be; unknown ones stay."""
    return _VARIABLE.sub(
        lambda found: quote(values[found[1]], safe=_CHARACTERS_OF_A_PATH) if found[1] in values else found[0], uri
    )
