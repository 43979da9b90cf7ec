"""The shortcut says yes only to what the full validator takes; and says it to ordinary documents."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.schema_shortcut import shortcut

ORDER = {
    "type": "object",
    "required": ["item"],
    "properties": {
        "item": {"type": "string", "minLength": 1, "maxLength": 5},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "state": {"enum": ["new", "old"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "more": {"$ref": "#/definitions/More"},
    },
    "additionalProperties": False,
}
DOCUMENT = {**ORDER, "definitions": {"More": {"type": "object", "additionalProperties": {"type": "number"}}}}


@pytest.mark.parametrize(
    "document",
    [
        {"item": "book"},
        {"item": "book", "count": 3, "state": "new", "tags": ["a", "b"], "more": {"x": 1.5, "y": 2}},
        {"item": "b", "tags": []},
    ],
)
def test_good_documents_take_the_shortcut(document: Any) -> None:
    assert shortcut(DOCUMENT, DOCUMENT)(document)


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"item": ""}, {"item": "booklet"}, {"item": 1}, {"item": "b", "count": 0},
     {"item": "b", "count": 10},
     {"item": "b", "count": True}, {"item": "b", "count": 1.0}, {"item": "b", "state": "other"}, {"item": "b", "x": 1},
     {"item": "b", "tags": ["a", "b", "c"]}, {"item": "b", "tags": [1]}, {"item": "b", "more": {"x": "1"}}],
)  # fmt: skip
def test_others_do_not(document: Any) -> None:
    assert not shortcut(DOCUMENT, DOCUMENT)(document)


@pytest.mark.parametrize(
    "schema",
    [{"pattern": "a"}, {"oneOf": [{}]}, {"not": {}}, {"uniqueItems": True}, {"type": ["string", "null"]},
     {"patternProperties": {"a": {}}}, {"dependencies": {}}, {"multipleOf": 2}, {"$ref": "#/nowhere"}, {"$ref": "x"},
     {"items": [{}]}, {"$ref": "#"}],
)  # fmt: skip
def test_what_is_not_known_is_unsure(schema: Any) -> None:
    for document in ("a", 1, None, [], {}):
        assert not shortcut(schema, schema)(document)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=False, width=16) | st.text("ab", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
SMALL = st.integers(0, 3)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"]),
            "enum": st.lists(st.text("ab", max_size=2) | st.integers(0, 2), min_size=1, max_size=3, unique_by=repr),
            "minimum": SMALL, "maximum": SMALL, "minLength": SMALL, "maxLength": SMALL, "minItems": SMALL,
            "maxItems": SMALL, "minProperties": SMALL, "maxProperties": SMALL, "title": st.just("t"),
            "pattern": st.just("a"),
            "required": st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300)
@given(SCHEMAS, VALUES, st.booleans())
def test_it_makes_nothing_valid_that_is_not(schema: dict[str, Any], value: Any, exclusive: bool) -> None:
    if exclusive and "minimum" in schema and "maximum" in schema:
        schema = {**schema, "exclusiveMinimum": True, "exclusiveMaximum": True}
    if shortcut(schema, schema)(value):
        assert jsonschema.Draft4Validator(schema).is_valid(value)
