"""Tables from templates: made once, brought in line afterwards, never given another key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.fidelity import FIDELITY
from trine.dynamodb.operations.description import counted
from trine.dynamodb.storage.table import Table
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

SIMPLE: dict[str, Any] = {
    "TableName": "Users",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
INDEXED = {
    **SIMPLE,
    "AttributeDefinitions": [*SIMPLE["AttributeDefinitions"], {"AttributeName": "email", "AttributeType": "S"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-email",
            "KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def with_table(work: Callable[[DynamoDB], Awaitable[None]], buckets: Path | None = None) -> None:
    async def run() -> None:
        clock, ids = ManualClock(), SeededIds(3)
        store, access = MemoryStore(clock), Access(clock, ids)
        table = DynamoDB(store, clock, ids, access, Place(), TraceBook(clock), buckets_directory=buckets)
        await work(table)
        await table.close()

    asyncio.run(run())


def test_the_same_template_changes_nothing() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        first = await dynamodb.create_table_from_template(INDEXED)
        again = await dynamodb.create_table_from_template(INDEXED)
        assert again is first
        assert first.arn == "arn:aws:dynamodb:us-east-1:123456789012:table/Users"

    with_table(work)


def test_settings_indexes_stream_and_expiry_follow_the_template() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        first = await dynamodb.create_table_from_template(SIMPLE)
        wish = {
            **INDEXED,
            "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": "true"},
            "Tags": [{"Key": "team", "Value": "x"}],
            "DeletionProtectionEnabled": True,
        }
        await dynamodb.create_table_from_template(wish)
        for _ in range(20):
            await asyncio.sleep(0)
        table = dynamodb.rooms.tables.get("Users")
        assert (table.number, table.indexes[0].status) == (first.number, "ACTIVE")
        assert table.stream_arn is not None
        assert table.expiry is not None
        assert table.expiry.attribute == "until"
        assert table.definition.deletion_protection
        assert table.record["Tags"] == {"team": "x"}
        again = await dynamodb.create_table_from_template(wish)
        assert again.stream_arn == table.stream_arn
        back = await dynamodb.create_table_from_template(SIMPLE)
        assert (back.indexes, back.stream, back.expiry) == ((), None, None)

    with_table(work)


def test_recovery_follows_the_template_that_speaks_of_it() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        def with_recovery(**specification: Any) -> dict[str, Any]:
            return {**SIMPLE, "PointInTimeRecoverySpecification": specification}

        table = await dynamodb.create_table_from_template(SIMPLE)
        assert table.history is None
        on = with_recovery(PointInTimeRecoveryEnabled="true", RecoveryPeriodInDays="7")
        table = await dynamodb.create_table_from_template(on)
        assert table.history is not None
        assert table.history.period_days == 7
        # A template that says nothing of it leaves a history alone, however that was begun.
        assert (await dynamodb.create_table_from_template(SIMPLE)).history is not None
        table = await dynamodb.create_table_from_template(with_recovery(PointInTimeRecoveryEnabled=False))
        assert table.history is None
        with pytest.raises(AwsError):
            await dynamodb.create_table_from_template(
                with_recovery(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=36)
            )

    with_table(work)


def test_text_counts_as_numbers() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        wish = {key: value for key, value in SIMPLE.items() if key != "BillingMode"}
        wish["ProvisionedThroughput"] = {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6}
        table = await dynamodb.create_table_from_template(wish)
        assert table.definition.throughput is not None
        assert (table.definition.throughput.read_units, table.definition.throughput.write_units) == (5, 6)

    with_table(work)


def test_another_key_is_refused_in_words() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        await dynamodb.create_table_from_template(SIMPLE)
        other = {**SIMPLE, "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                 "AttributeDefinitions": [{"AttributeName": "x", "AttributeType": "N"}]}  # fmt: skip
        with pytest.raises(ValidationException, match=r"has id \(S, HASH\), the template asks for x \(N, HASH\)"):
            await dynamodb.create_table_from_template(other)

    with_table(work)


def test_a_faulty_template_is_refused_as_aws_does() -> None:
    async def work(dynamodb: DynamoDB) -> None:
        with pytest.raises(ValidationException, match="keySchema"):
            await dynamodb.create_table_from_template({**SIMPLE, "KeySchema": []})

    with_table(work)


def test_what_is_enforced_is_a_member_of_the_resource() -> None:
    stated = FIDELITY["AWS::DynamoDB::Table"]
    assert {"TableName", "KeySchema", "BillingMode", "ResourcePolicy"} <= set(stated)


def importing(prefix: str, **more: Any) -> dict[str, Any]:
    source = {"S3Bucket": "seeds", "S3KeyPrefix": prefix, "S3BucketOwner": "123456789012"}
    specification = {"InputFormat": "DYNAMODB_JSON", "S3BucketSource": source, **more}
    return {**INDEXED, "ImportSourceSpecification": specification}


def count(dynamodb: DynamoDB, table: Table) -> int:
    return counted(dynamodb.rooms, table.count_key)


def items(*documents: dict[str, Any]) -> str:
    return "".join(json.dumps({"Item": document}) + "\n" for document in documents)


def test_a_new_table_begins_with_the_items_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "good.json").write_text(
        items({"id": {"S": "a"}, "email": {"S": "a@x"}}, {"id": {"S": "b"}, "n": {"N": "1"}})
    )
    (tmp_path / "seeds" / "rows.csv").write_text("id;email\nc;c@x\n")

    async def work(dynamodb: DynamoDB) -> None:
        wish = importing("good") | {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}}
        table = await dynamodb.create_table_from_template(wish)
        assert (table.record["Status"], count(dynamodb, table), table.stream is not None) == ("ACTIVE", 2, True)
        (tmp_path / "seeds" / "good.json").write_text(items({"id": {"S": "z"}}))
        again = await dynamodb.create_table_from_template(wish)  # a table that is there is not imported into
        assert count(dynamodb, again) == 2
        rows = importing("rows", InputFormat="CSV", InputFormatOptions={"Csv": {"Delimiter": ";"}})
        table = await dynamodb.create_table_from_template({**rows, "TableName": "Rows"})
        assert count(dynamodb, table) == 1

    with_table(work, tmp_path)


@pytest.mark.parametrize(
    ("prefix", "more", "message"),
    [
        ("", {"S3BucketSource": {"S3Bucket": "nowhere"}}, "The import from nowhere/ failed: "),
        ("bad", {}, "(1 of 2 items)"),
        ("bad", {"InputFormat": "ION"}, "(2 of 2 items)"),  # JSON is Ion, too: of values that are no key
        ("bad", {"InputFormat": "XML"}, "Member must satisfy enum value set"),
        ("bad", {"S3BucketSource": {}}, "Member must not be null"),
    ],
)
def test_a_source_that_fails_leaves_no_table(tmp_path: Path, prefix: str, more: dict[str, Any], message: str) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "bad.json").write_text(items({"id": {"S": "a"}}, {"no": {"S": "key"}}))

    async def work(dynamodb: DynamoDB) -> None:
        with pytest.raises(ValidationException) as caught:
            await dynamodb.create_table_from_template(importing(prefix, **more))
        assert message in caught.value.message
        assert dynamodb.rooms.tables.find("Users") is None

    with_table(work, tmp_path)
