"""Attribute values as hypothesis draws them: `data.draw(drawn.items)`."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
binaries = st.binary(max_size=12).map(lambda data: b64encode(data).decode())
numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
)
scalars = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda number: {"N": number}),
    binaries.map(lambda data: {"B": data}),
    st.booleans().map(lambda answer: {"BOOL": answer}),
    st.just({"NULL": True}),
    st.lists(texts, min_size=1, max_size=4, unique=True).map(lambda found: {"SS": found}),
    st.lists(st.integers(-99, 99).map(str), min_size=1, max_size=4, unique=True).map(lambda found: {"NS": found}),
    st.lists(binaries, min_size=1, max_size=4, unique=True).map(lambda found: {"BS": found}),
)


def _nested(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.lists(children, max_size=3).map(lambda found: {"L": found}),
        st.dictionaries(names, children, max_size=3).map(lambda found: {"M": found}),
    )


values = st.recursive(scalars, _nested, max_leaves=8)
items = st.dictionaries(names, values, max_size=5)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"]), texts),
            children,
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@pytest.fixture(scope="session")
def drawn() -> SimpleNamespace:
    """Strategies: `values`, `items` (valid), `scalars`, `names`, `anything` (any JSON, almost right or not)."""
    return SimpleNamespace(values=values, items=items, scalars=scalars, names=names, anything=anything)
