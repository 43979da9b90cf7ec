r"""Selection expressions: which route a message takes, which template an integration uses. Pure.

Enters the text of an expression, `$request.body.action`, `${request.body.type}-${request.body.version}`,
`$context.routeKey`, `\$default` or a plain word, and later a look-up of its variables; leaves the selected text, or
None when a variable is not there. Source: "Route selection expressions" and "API Gateway WebSocket API mapping template
reference" (WebSocket APIs, API Gateway Developer Guide).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from trine.apigateway.mapping import jsonpath
from trine.apigateway.mapping.values import text_of

Lookup = Callable[[str], Any]
"""Gives the value of a variable such as `request.body.action`; None when there is none."""
Selection = Callable[[Lookup], str | None]

EXPRESSION_CHARACTERS = 512
"""Longest expression that is read. Trine's own bound."""
_NAME = r"[A-Za-z][A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]+|\[\d{1,5}\])*"
_PART = re.compile(
    r"\\(?P<escaped>[$\\])|\$\{(?P<braced>" + _NAME + r")\}|\$(?P<bare>" + _NAME + r")|(?P<text>[^$\\]+)"
)
_ROOTS = ("request.body", "request.header", "request.querystring", "route.request", "context", "stageVariables",
          "integration.response")  # fmt: skip


class SelectionInvalid(Exception):
    """The text is no selection expression."""


def parse_selection(text: str) -> Selection:
    """The expression, ready to select. Raises SelectionInvalid."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise SelectionInvalid(f"the expression has {len(text)} characters, more than {EXPRESSION_CHARACTERS}")
    if text in ("$default", "${default}"):
        return lambda lookup: "$default"
    parts: list[tuple[bool, str]] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise SelectionInvalid(f"{text!r} cannot be read from character {at + 1} on")
        variable = found["braced"] or found["bare"]
        if variable is not None and not variable.startswith(_ROOTS):
            raise SelectionInvalid(f"{text!r} names ${variable}, which no expression can see")
        parts.append((variable is not None, variable or found["escaped"] or found["text"]))
        at = found.end()

    def select(lookup: Lookup) -> str | None:
        chosen: list[str] = []
        for is_variable, part in parts:
            value = lookup(part) if is_variable else part
            if value is None:
                return None
            chosen.append(text_of(value))
        return "".join(chosen)

    return select


def in_document(path: str, document: Any) -> Any:
    """The value at the dotted `path` of a JSON document (`a.b[0]`), or None."""
    if not path:
        return document
    try:
        return jsonpath.find(f"$.{path}", document)
    except jsonpath.PathInvalid:
        return None
