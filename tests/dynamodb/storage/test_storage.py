"""Key space, catalogue, tables, items and pages over the memory store."""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.errors import ConditionalCheckFailedException, ResourceInUseException
from trine.dynamodb.expressions import ExpressionContext, key_condition
from trine.dynamodb.model.item import decode_stored, encode_stored
from trine.dynamodb.model.key import KeyAttribute, KeySchema
from trine.dynamodb.model.number import normalise
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.items import Transition, Write, commit_all, commit_one
from trine.dynamodb.storage.keyspace import KeySpace
from trine.dynamodb.storage.pages import read_page
from trine.dynamodb.storage.ranges import plain_range, range_of
from trine.dynamodb.storage.tables import Tables
from trine.kv.memory import MemoryStore

DEFINITION = TableDefinition.from_document(
    {
        "TableName": "Users",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "s", "AttributeType": "N"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }
)


class House:
    """A store, its catalogue and its tables."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = ManualClock()
        self.store = store or MemoryStore(self.clock)
        self.catalogue = DocumentCatalogue(self.store)
        self.tables = Tables(self.store, self.catalogue, Place(), self.clock, SeededIds(1))

    def count(self, key: bytes) -> int:
        return int.from_bytes(self.store.get(key) or b"", "big", signed=True)


def item(p: str, s: int, **more: Any) -> dict[str, Any]:
    return {"p": {"S": p}, "s": {"N": str(s)}, **more}


def put(table: Any, content: dict[str, Any]) -> Write:
    return Write(table, table.space.key(content), lambda transition: transition.become(content))


def test_documents_outlive_the_catalogue() -> None:
    async def run() -> None:
        house = House()
        await house.catalogue.put("iam:role", "b", {"x": [1]})
        await house.catalogue.put("iam:role", "a", {})
        await house.catalogue.put("iam:key", "c", {})
        await house.catalogue.delete("iam:key", "c")
        for catalogue in (house.catalogue, DocumentCatalogue(house.store)):
            assert list(catalogue.list("iam:role")) == [("a", {}), ("b", {"x": [1]})]
            assert catalogue.get("iam:key", "c") is None
        with pytest.raises(ValueError, match="takes 409600"):
            await house.catalogue.put("iam:role", "big", {"x": "y" * 500_000})

    asyncio.run(run())


def test_a_document_is_a_copy() -> None:
    async def run() -> None:
        house = House()
        await house.catalogue.put("k", "n", {"list": [1]})
        found: Any = house.catalogue.get("k", "n")
        found["list"].append(2)
        assert house.catalogue.get("k", "n") == {"list": [1]}

    asyncio.run(run())


def test_tables_come_back_after_a_restart_and_go_for_good() -> None:
    async def run() -> None:
        house = House()
        table = await house.tables.create(DEFINITION)
        with pytest.raises(ResourceInUseException):
            await house.tables.create(DEFINITION)
        await commit_one(house.store, put(table, item("a", 1, g={"S": "x"})), lambda transition: None, 0.0)
        again = House(house.store).tables.get("Users")
        assert (again.definition, again.number, again.created_at) == (DEFINITION, table.number, table.created_at)
        await house.tables.drop(table)
        assert house.tables.find("Users") is None
        for _ in range(20):
            await asyncio.sleep(0)
        assert house.store.statistics()["keys"] == 1  # the sequence of table numbers stays
        anew = await house.tables.create(DEFINITION)
        assert anew.number == table.number + 1

    asyncio.run(run())


def test_a_write_keeps_index_counts_and_sizes() -> None:
    async def run() -> None:
        house = House()
        table = await house.tables.create(DEFINITION)
        index = table.indexes[0]
        await commit_all(
            house.store, [put(table, item("a", at, g={"S": "x"}, v={"S": "y"})) for at in range(3)], lambda _: None, 0.0
        )
        assert (house.count(table.count_key), house.count(index.count_key)) == (3, 3)
        page = read_page(house.store, index.space.start, index.space.stop)
        assert len(page.items) == 3
        assert b'"v"' not in page.items[0]
        await commit_one(house.store, put(table, item("a", 0)), lambda _: None, 0.0)
        gone = Write(table, table.space.key(item("a", 1)), lambda transition: transition.become(None))
        await commit_one(house.store, gone, lambda _: None, 0.0)
        assert (house.count(table.count_key), house.count(index.count_key)) == (2, 1)
        sizes = [len("pas0"), len("pas2gxvy")]
        assert house.count(table.size_key) == pytest.approx(sum(sizes), abs=4)

    asyncio.run(run())


def test_nothing_is_written_when_a_rule_refuses() -> None:
    async def run() -> None:
        house = House()
        table = await house.tables.create(DEFINITION)

        def refuse(transition: Transition) -> None:
            raise ConditionalCheckFailedException("no")

        writes = [put(table, item("a", 1)), Write(table, table.space.key(item("a", 2)), refuse)]
        with pytest.raises(ConditionalCheckFailedException):
            await commit_all(house.store, writes, lambda _: None, 0.0)
        assert house.store.get(writes[0].key) is None

    asyncio.run(run())


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(TEXTS, NUMBERS), min_size=2, max_size=8))
def test_keys_sort_as_their_values(pairs: list[tuple[str, Decimal]]) -> None:
    schema = KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("n", "N"),))
    one_partition = KeySpace(1, 0, schema)
    keys = [one_partition.key({"p": {"S": "x"}, "n": {"N": normalise(str(number))}}) for _, number in pairs]
    assert [number for _, number in sorted(zip(keys, (number for _, number in pairs), strict=True))] == sorted(
        number for _, number in pairs
    )
    by_text = KeySpace(1, 0, KeySchema((KeyAttribute("n", "N"),), (KeyAttribute("p", "S"),)))
    text_keys = {by_text.key({"n": {"N": "1"}, "p": {"S": text}}): text for text, _ in pairs}
    assert [text_keys[key] for key in sorted(text_keys)] == sorted(text_keys.values(), key=str.encode)


@given(TEXTS, NUMBERS)
def test_the_short_way_to_a_key_is_the_long_one(text: str, number: Decimal) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("n", "N"),)))
    key = {"p": {"S": text}, "n": {"N": normalise(str(number))}}
    assert space.quick_key(key) == space.key(key)


@given(TEXTS, TEXTS)
def test_the_shortest_way_to_a_key_of_two_texts_is_the_long_one(first: str, second: str) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("s", "S"),)))
    key = {"p": {"S": first}, "s": {"S": second}}
    assert space.quick_key(key) in (space.key(key), None)
    ascii_key = {"p": {"S": first.encode("unicode_escape").decode() or "-"}, "s": {"S": "order#1"}}
    assert space.quick_key(ascii_key) == space.key(ascii_key)
    assert space.quick_item_key({**ascii_key, "more": {"N": "1"}}) == space.key(ascii_key)


@pytest.mark.parametrize(
    "key",
    [{}, {"p": {"S": "x"}}, {"p": {"S": "x", "N": "1"}, "s": {"S": "x"}}, {"p": {"S": 1}, "s": {"S": "x"}},
     {"p": {"S": ["a"]}, "s": {"S": "x"}}, {"p": {"S": ""}, "s": {"S": "x"}}, {"p": {"S": "x"}, "s": {"S": ""}},
     {"p": {"S": "x"}, "s": {"S": "x" * 600}}, {"p": {"S": "x"}, "s": {"N": "1"}}],
)  # fmt: skip
def test_two_texts_that_are_not_plain_take_the_long_way(key: Any) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("s", "S"),)))
    assert space.quick_key(key) is None


@pytest.mark.parametrize(("first", "second"), [("a\0", "b"), ("\0", "b"), ("é", "x"), ("a", "é\0")])
def test_two_texts_that_would_be_escaped_or_longer_take_the_long_way(first: str, second: str) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("s", "S"),)))
    assert space.quick_key({"p": {"S": first}, "s": {"S": second}}) is None


@pytest.mark.parametrize("sort", [(), (KeyAttribute("s", "S"),), (KeyAttribute("s", "N"),)])
def test_a_key_has_nothing_beside_it_and_an_item_may(sort: tuple[KeyAttribute, ...]) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), sort))
    key = {"p": {"S": "x"}, **{attribute.name: {attribute.type: "7"} for attribute in sort}}
    more = {**key, "more": {"S": "y"}}
    assert space.quick_key(key) == space.quick_item_key(more) == space.key(key)
    assert space.quick_key(more) is None


@pytest.mark.parametrize(
    "key",
    [{}, {"p": {"S": "x"}}, {"p": {"S": ""}, "n": {"N": "1"}}, {"p": {"S": "x"}, "n": {"N": "1.0"}},
     {"p": {"S": "x"}, "n": {"N": "z"}}, {"p": {"S": "x", "N": "1"}, "n": {"N": "1"}}, {"p": {"S": 1}, "n": {"N": "1"}},
     {"p": {"S": "x" * 300}, "n": {"N": "1"}}, {"p": {"S": "x"}, "q": {"N": "1"}}],
)  # fmt: skip
def test_keys_that_are_not_plain_take_the_long_way(key: Any) -> None:
    space = KeySpace(3, 0, KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("n", "N"),)))
    assert space.quick_key(key) is None


@given(st.integers(1, 40))
def test_segments_cover_the_hash_without_overlap(total: int) -> None:
    space = KeySpace(1, 0, KeySchema((KeyAttribute("p", "S"),)))
    slices = [space.segment(at, total) for at in range(total)]
    assert slices[-1][1] == space.stop
    assert all(one[1] == two[0] for one, two in itertools.pairwise(slices))


def test_a_page_goes_on_over_several_chunks_and_stops_at_its_limit() -> None:
    async def run() -> None:
        house = House()
        table = await house.tables.create(DEFINITION)
        for start in range(0, 5000, 100):
            await commit_all(
                house.store, [put(table, item("a", at)) for at in range(start, start + 100)], lambda _: None, 0.0
            )
        prefix = table.space.partition(item("a", 0))
        everything = read_page(house.store, prefix, prefix + b"\xff")
        assert (everything.scanned_count, everything.last_stored) == (5000, None)
        limited = read_page(house.store, prefix, prefix + b"\xff", reverse=True, limit=4500)
        assert limited.scanned_count == 4500
        assert decode_stored(limited.last_stored or b"")["s"] == {"N": "500"}

    asyncio.run(run())


def test_stored_items_are_the_bytes_that_go_out() -> None:
    stored = encode_stored({"p": {"S": "x"}})
    assert decode_stored(stored) == {"p": {"S": "x"}}


KEYED = KeySchema((KeyAttribute("p", "S"),), (KeyAttribute("s", "S"),))


@given(
    st.sampled_from(
        ["s = :a", "s < :a", "s <= :a", "s > :a", "s >= :a", "s BETWEEN :a AND :b", "begins_with(s, :a)", ""]
    ),
    st.tuples(TEXTS, TEXTS, TEXTS),
)
def test_the_short_way_to_a_range_is_the_long_one(sort: str, texts: tuple[str, str, str]) -> None:
    low, high = sorted(texts[1:], key=str.encode)
    values = {":p": {"S": texts[0]}, ":a": {"S": low}, ":b": {"S": high}}
    text = f"p = :p AND {sort}" if sort else "p = :p"
    used = {name: value for name, value in values.items() if name in text}
    space = KeySpace(1, 0, KEYED)
    short = plain_range(space, text, used)
    assert short == range_of(space, key_condition(text, ExpressionContext(None, used), KEYED))
    names = {"#p": "p", "#s": "s"} if sort else {"#p": "p"}
    named = text.replace("p = ", "#p = ").replace(sort, sort.replace("s ", "#s ").replace("(s,", "(#s,"))
    assert plain_range(space, named, used, names) == short


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("p = :p", {}),
        ("p = :p", None),
        ("p = :p", {":p": {"S": "x"}, ":unused": {"S": "x"}}),
        ("p = :p", {":p": {"N": "1"}}),
        ("p = :p", {":p": {"S": ""}}),
        ("p > :p", {":p": {"S": "x"}}),
        ("#p = :p", {":p": {"S": "x"}}),
        ("((p = :p))", {":p": {"S": "x"}}),
        ("p = :p AND q = :p", {":p": {"S": "x"}}),
        ("p = :p AND s = :a AND s = :a", {":p": {"S": "x"}, ":a": {"S": "x"}}),
        ("p = :p OR s = :p", {":p": {"S": "x"}}),
        ("p = :p AND s BETWEEN :b AND :a", {":p": {"S": "x"}, ":a": {"S": "a"}, ":b": {"S": "b"}}),
        ("p = :p AND :p < s", {":p": {"S": "x"}}),
        ("p = :p AND", {":p": {"S": "x"}}),
    ],
)
def test_what_is_not_plain_goes_the_long_way(text: str, values: Any) -> None:
    assert plain_range(KeySpace(1, 0, KEYED), text, values) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("p = :p", {}),
        ("p = :p", {"#p": "p"}),
        ("#p = :p", {"#p": ""}),
        ("#p = :p", {"#p": "s"}),
        ("#p = :p", {"p": "p"}),
        ("#p = :p", {"#p": "p", "#q": "q"}),
        ("#p = :p", {"#p": "p" * 256}),
        ("#p = :p AND #q = :p", {"#p": "p", "#q": "p"}),
        ("#p = :p AND p = :p", {"#p": "p"}),
        ("#p.#q = :p", {"#p": "p", "#q": "q"}),
    ],
)
def test_names_that_are_not_plain_go_the_long_way(text: str, names: dict[str, str]) -> None:
    assert plain_range(KeySpace(1, 0, KEYED), text, {":p": {"S": "x"}}, names) is None
