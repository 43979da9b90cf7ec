"""Selection expressions: what can be read, what is selected, and that strange ones are refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.apigateway.websocket.selection import SelectionInvalid, parse_selection

DOCUMENT = {"request.body.action": "send", "request.body.number": 3, "context.stage": "prod", "request.body.flag": True}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("$request.body.action", "send"),
        ("${request.body.action}", "send"),
        ("${request.body.action}/${context.stage}", "send/prod"),
        ("$request.body.number", "3"),
        ("$request.body.flag", "true"),
        ("x-$context.stage", "x-prod"),
        ("$request.body.missing", None),
        ("${request.body.action}${request.body.missing}", None),
        ("\\$default", "$default"),
        ("$default", "$default"),
        ("200", "200"),
        ("", ""),
    ],
)
def test_selected(text: str, selected: str | None) -> None:
    assert parse_selection(text)(DOCUMENT.get) == selected


@pytest.mark.parametrize("text", ["$", "${", "${}", "$request", "$secret.body", "${request.body.a", "\\x", "x" * 513])
def test_refused(text: str) -> None:
    with pytest.raises(SelectionInvalid):
        parse_selection(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    def lookup(name: str) -> Any:
        assert re.match(r"(request|route|context|stageVariables|integration)\.", name)

    try:
        selected = parse_selection(text)(lookup)
    except SelectionInvalid:
        return
    assert selected is None or isinstance(selected, str)
