"""Random identifiers have AWS's shapes, and seeded ones repeat."""

from __future__ import annotations

import uuid

from trine.aws.ids import SeededIds, SystemIds


def test_uuids_are_of_version_4_and_all_different() -> None:
    ids = SystemIds()
    made = [ids.uuid() for _ in range(200)]
    assert len(set(made)) == 200
    for text in made:
        read = uuid.UUID(text)
        assert (str(read), read.version, read.variant) == (text, 4, uuid.RFC_4122)


def test_seeded_ids_repeat() -> None:
    one, other = SeededIds(7), SeededIds(7)
    assert [one.uuid() for _ in range(100)] == [other.uuid() for _ in range(100)]
