"""PutItem by moulds: after some items alike a table gets one, and nobody can tell but by the time it takes."""

from __future__ import annotations

import asyncio
import copy
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dynamodb.wing import Wing
from trine.aws.errors import AwsError
from trine.dynamodb.limits import ITEM_MAX_BYTES
from trine.dynamodb.operations import cast_put
from trine.dynamodb.operations.cast_put import CREDIT_COUNT, WAIT_COUNT, CastPut, Moulds
from trine.dynamodb.operations.put_item import MOULDS
from trine.dynamodb.shape import PutItemInput, codec
from trine.kv.memory import MemoryStore

GENERAL = codec("PutItem", PutItemInput)


def definition(name: str, sort_type: str = "S") -> dict[str, Any]:
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "s", "AttributeType": sort_type},
        ],
    }


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"p": {"S": f"p{number % 3}"}, "s": {"S": f"{number}"}, "n": {"N": f"{number}.50"}, **more}


def body_of(item: Any, name: str = "Orders", **more: Any) -> bytes:
    return orjson.dumps({"TableName": name, "Item": item, **more})


async def answer_of(wing: Wing, name: str, **document: Any) -> Any:
    """The answer, or the error's type and message."""
    try:
        return await wing.call(name, **document)
    except AwsError as error:
        return error.code, error.message


def contents(wing: Wing) -> dict[bytes, Any]:
    """All that is stored, with items as documents: a mould may write attributes in another order."""
    assert isinstance(wing.store, MemoryStore)
    pairs = wing.store.page(b"", b"\xff" * 8, 10_000)
    return {key: (value[:4], orjson.loads(value[4:])) if value[4:5] == b"{" else value for key, value in pairs}


def learned(moulds: Moulds, *items: dict[str, Any], name: str = "Orders") -> None:
    """Until a mould is there that was made of the last of `items`."""
    for item in items:
        known = moulds._tables.get(name) or moulds._begin(name)
        for _ in range(known.wait_count):
            request = GENERAL(body_of(item, name))
            moulds.learn(name, request.item, 10)


def test_a_table_gets_a_mould_once_its_items_are_alike() -> None:
    moulds = Moulds(GENERAL)
    for number in range(WAIT_COUNT):
        request = moulds.decode(body_of(row(number)))
        assert isinstance(request, PutItemInput)
        moulds.learn("Orders", request.item, 10)
    request = moulds.decode(body_of(row(77)))
    assert isinstance(request, CastPut)
    assert request.item == {"p": {"S": "p2"}, "s": {"S": "77"}, "n": {"N": "77.5"}}
    assert (request.table_name, request.return_values, request.condition_expression) == ("Orders", None, None)
    spaced = body_of(row(5)).replace(b'"TableName":', b'"TableName": ')
    assert isinstance(moulds.decode(spaced), CastPut)


@pytest.mark.parametrize("more", [{"ReturnValues": "ALL_OLD"}, {"ConditionExpression": "attribute_exists(p)"}])
def test_a_request_that_says_more_goes_the_general_way(more: dict[str, str]) -> None:
    moulds = Moulds(GENERAL)
    learned(moulds, row(1))
    assert isinstance(moulds.decode(body_of(row(2), **more)), PutItemInput)


def test_a_mould_that_fits_too_little_is_given_up_and_comes_back_wider() -> None:
    moulds = Moulds(GENERAL)
    learned(moulds, row(1))
    known = moulds._tables["Orders"]
    odd = row(2, n={"S": "x"}, more={"BOOL": True})
    for _ in range(CREDIT_COUNT):
        assert isinstance(moulds.decode(body_of(odd)), PutItemInput)
    assert known.mould is None
    learned(moulds, row(3, a={"S": "x"}, b={"S": "y"}), row(3, n={"S": "x"}, a={"S": "x"}, b={"S": "y"}))
    assert known.mould is None, "more than half of the attributes differ"
    moulds.forget("Orders")
    assert known.wait_count == WAIT_COUNT


def test_large_items_are_not_looked_at() -> None:
    moulds = Moulds(GENERAL)
    for _ in range(3 * WAIT_COUNT):
        moulds.learn("Orders", row(1), cast_put.ITEM_MAX_BYTES + 1)
    assert moulds._tables["Orders"].mould is None


def test_tables_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast_put, "TABLES_MAX_COUNT", 3)
    moulds = Moulds(GENERAL)
    for number in range(4):
        moulds.learn(f"Table{number}", row(1), 10)
    assert list(moulds._tables) == ["Table3"]
    assert len(moulds._beginnings) == 2


def test_faults_are_told_as_without_a_mould() -> None:
    wrong: list[dict[str, Any]] = [
        {"Item": {"p": {"S": ""}, "s": {"S": "x"}, "n": {"N": "1"}}},
        {"Item": row(1, n={"N": "x"})},
        {"Item": row(1, n={"N": "1" * 39})},
        {"Item": row(1, n={"S": 1})},
        {"Item": {"p": {"S": "p"}, "n": {"N": "1"}}},
        {"Item": {"p": {"S": "p" * 2049}, "s": {"S": "x"}, "n": {"N": "1"}}},
        {"Item": {"p": {"S": "p"}, "s": {"S": "s" * 1025}, "n": {"N": "1"}}},
        {"Item": row(1), "ReturnValues": "ALL_NEW"},
        {"Item": row(1), "ConditionExpression": "p = :p"},
        {"Item": row(1, p={"S": "p" * ITEM_MAX_BYTES})},
        {"Item": row(1), "TableName": "Absent"},
    ]

    async def scenario() -> None:
        cold, warm = Wing(), Wing()
        for wing in (cold, warm):
            await wing.call("CreateTable", **definition("Faulty"))
        told = [await answer_of(cold, "PutItem", **{"TableName": "Faulty", **request}) for request in wrong]
        learned(MOULDS, row(1), name="Faulty")
        assert isinstance(MOULDS.decode(body_of(row(1), "Faulty")), CastPut)
        for request, before in zip(wrong, told, strict=True):
            assert await answer_of(warm, "PutItem", **{"TableName": "Faulty", **request}) == before
            assert before[0].endswith("Exception")
        await cold.table.close()
        await warm.table.close()

    asyncio.run(scenario())


def test_the_largest_item_goes_in_and_one_byte_more_does_not() -> None:
    async def scenario() -> None:
        wing = Wing()
        await wing.call("CreateTable", **definition("Large"))
        learned(MOULDS, row(1, text={"S": "x"}), name="Large")
        room = ITEM_MAX_BYTES - len("p" + "p1" + "s" + "1" + "n" + "text") - 3
        for more, fits in ((0, True), (1, False)):
            item = row(1, text={"S": "x" * (room + more)})
            assert isinstance(MOULDS.decode(body_of(item, "Large")), CastPut)
            answer = await answer_of(wing, "PutItem", TableName="Large", Item=item)
            expected = ("ValidationException", "Item size has exceeded the maximum allowed size")
            assert answer == ({} if fits else expected)
        await wing.table.close()

    asyncio.run(scenario())


def test_a_table_that_gets_a_stream_has_no_mould_any_more() -> None:
    async def scenario() -> None:
        wing = Wing()
        await wing.call("CreateTable", **definition("Streamed"))
        learned(MOULDS, row(1), name="Streamed")
        await wing.call("PutItem", TableName="Streamed", Item=row(1))
        assert MOULDS._tables["Streamed"].mould is not None
        await wing.call(
            "UpdateTable",
            TableName="Streamed",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        await wing.active("Streamed")
        await wing.call("PutItem", TableName="Streamed", Item=row(2))
        assert MOULDS._tables["Streamed"].mould is None
        stream = wing.table.rooms.table("Streamed").stream
        assert stream is not None
        (record,) = [value for key, value in contents(wing).items() if key.startswith(stream.prefix)]
        assert b'"77' not in record
        assert b'"2.5"' in record
        await wing.table.close()

    asyncio.run(scenario())


def test_a_number_may_be_in_the_key() -> None:
    async def scenario() -> None:
        wing = Wing()
        await wing.call("CreateTable", **definition("Numbered", "N"))
        item = {"p": {"S": "p"}, "s": {"N": "1"}, "x": {"S": "x"}}
        learned(MOULDS, item, name="Numbered")
        for number in ("2.50", "-3", "0", "1e3"):
            put = {**item, "s": {"N": number}}
            assert isinstance(MOULDS.decode(body_of(put, "Numbered")), CastPut)
            await wing.call("PutItem", TableName="Numbered", Item=put)
        found = (await wing.call("Scan", TableName="Numbered"))["Items"]
        assert [item["s"]["N"] for item in found] == ["-3", "0", "2.5", "1000"]
        await wing.table.close()

    asyncio.run(scenario())


@given(st.data())
@settings(deadline=None)
def test_a_table_holds_the_same_as_without_moulds(drawn: SimpleNamespace, data: st.DataObject) -> None:
    """Items of a few shapes, some of them wrong, in any order: answers, items, sizes and counts are equal."""
    attributes = st.dictionaries(st.sampled_from(["a", "b", "c", "é"]), st.one_of(drawn.values, drawn.scalars))
    shapes = data.draw(st.lists(attributes, min_size=1, max_size=2))
    keys = st.builds(row, st.integers(0, 5))
    puts = []
    for _ in range(data.draw(st.integers(1, 12))):
        item = {**data.draw(keys), **copy.deepcopy(data.draw(st.sampled_from(shapes)))}
        if data.draw(st.booleans()):
            item["a"] = data.draw(st.one_of(drawn.values, st.just({"S": 5}), st.just({"N": "1e200"})))
        puts.append(item)

    async def scenario() -> None:
        plain, moulded = Wing(), Wing()
        for wing in (plain, moulded):
            await wing.call("CreateTable", **definition("Alike"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cast_put, "WAIT_COUNT", 1)
            MOULDS._tables.pop("Alike", None)
            for item in puts:
                known = MOULDS._tables.get("Alike") or MOULDS._begin("Alike")
                mould, known.mould = known.mould, None
                expected = await answer_of(plain, "PutItem", TableName="Alike", Item=copy.deepcopy(item))
                known.mould = mould or known.mould
                assert await answer_of(moulded, "PutItem", TableName="Alike", Item=item) == expected
        assert contents(moulded) == contents(plain)
        await plain.table.close()
        await moulded.table.close()

    asyncio.run(scenario())
