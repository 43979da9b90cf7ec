"""Capacity units by size and consistency, and the document that tells them."""

from __future__ import annotations

import pytest

from trine.dynamodb.model.capacity import ConsumedCapacity, index_write_units, read_units, write_units


@pytest.mark.parametrize(
    ("size", "strong", "eventual", "transactional"),
    [(0, 1, 0.5, 2), (1, 1, 0.5, 2), (4096, 1, 0.5, 2), (4097, 2, 1, 4), (409600, 100, 50, 200)],
)
def test_reads(size: int, strong: float, eventual: float, transactional: float) -> None:
    assert read_units(size, "strong") == strong
    assert read_units(size, "eventual") == eventual
    assert read_units(size, "transactional") == transactional


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (409600, 400)])
def test_writes(size: int, units: float) -> None:
    assert write_units(size) == units
    assert write_units(size, transactional=True) == 2 * units


@pytest.mark.parametrize(
    ("old", "new", "key_changed", "changed", "units"),
    [
        (None, None, False, False, 0),
        (None, 1500, False, True, 2),
        (1500, None, False, True, 2),
        (1500, 500, True, True, 3),
        (1500, 500, False, True, 2),
        (1500, 1500, False, False, 0),
    ],
)
def test_index_writes(old: int | None, new: int | None, key_changed: bool, changed: bool, units: float) -> None:
    assert index_write_units(old, new, key_changed=key_changed, changed=changed) == units


def test_documents() -> None:
    consumed = ConsumedCapacity("orders")
    consumed.add_table(write=2)
    consumed.add_index("by-status", is_global=True, write=1)
    consumed.add_index("by-day", is_global=False, write=1)
    consumed.add_index("untouched", is_global=True, write=0)
    assert consumed.document("NONE") is None
    assert consumed.document(None) is None
    assert consumed.document("TOTAL") == {"TableName": "orders", "CapacityUnits": 4}
    assert consumed.document("INDEXES") == {
        "TableName": "orders",
        "CapacityUnits": 4,
        "Table": {"CapacityUnits": 2},
        "LocalSecondaryIndexes": {"by-day": {"CapacityUnits": 1}},
        "GlobalSecondaryIndexes": {"by-status": {"CapacityUnits": 1}},
    }
    assert consumed.document("TOTAL", by_kind=True) == {
        "TableName": "orders",
        "CapacityUnits": 4,
        "WriteCapacityUnits": 4,
    }
