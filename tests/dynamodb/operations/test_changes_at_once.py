"""Changes of one table that are on their way to the disk together: none is lost, and two definitions do not mix."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dynamodb.wing import TABLE, Wing
from trine.aws.errors import AwsError
from trine.clock import ManualClock
from trine.kv.durable import DurableStore

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/Notes"
POLICY = (
    '{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"{}","Resource":"'
    + ARN
    + '"}}]}}'
)


def on_disk(scenario: Callable[[Wing], Awaitable[None]], tmp_path: Path) -> None:
    """On a store whose commits come later than they are asked for."""

    async def run() -> None:
        clock = ManualClock()
        store = DurableStore(tmp_path / "store", clock)
        wing = Wing(clock=clock, store=store)
        await wing.call("CreateTable", **TABLE)
        try:
            await scenario(wing)
        finally:
            await wing.table.close()
            await store.close()

    asyncio.run(run())


async def _codes(*calls: Awaitable[Any]) -> list[str]:
    """What came of calls that began together: "" or the error's code."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    return [one.code if isinstance(one, AwsError) else "" for one in found]


def test_tags_of_two_callers_are_both_there(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        async def tag(name: str) -> None:
            await wing.call("TagResource", ResourceArn=ARN, Tags=[{"Key": name, "Value": "x"}])

        await asyncio.gather(*[tag(f"t{at}") for at in range(20)])
        await asyncio.gather(
            wing.call("UntagResource", ResourceArn=ARN, TagKeys=["t0", "t1"]),
            wing.call("UntagResource", ResourceArn=ARN, TagKeys=["t2"]),
            tag("new"),
        )
        kept = {tag["Key"] for tag in (await wing.call("ListTagsOfResource", ResourceArn=ARN))["Tags"]}
        assert kept == {"new", *(f"t{at}" for at in range(3, 20))}
        many = [tag(f"m{at}") for at in range(40)]
        assert (await _codes(*many)).count("ValidationException") == 8, "fifty at most, whoever comes first"

    on_disk(scenario, tmp_path)


def test_changes_of_different_kinds_are_all_there(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        expiry = {"Enabled": True, "AttributeName": "until"}
        assert (
            await _codes(
                wing.call("TagResource", ResourceArn=ARN, Tags=[{"Key": "k", "Value": "v"}]),
                wing.call("UpdateTable", TableName="Notes", DeletionProtectionEnabled=True),
                wing.call("UpdateTimeToLive", TableName="Notes", TimeToLiveSpecification=expiry),
                wing.recover(),
                wing.call("PutResourcePolicy", ResourceArn=ARN, Policy=POLICY.format("dynamodb:DeleteItem")),
            )
            == [""] * 5
        )
        table = wing.table.rooms.tables.get("Notes")
        assert table.definition.deletion_protection
        assert table.record["Tags"] == {"k": "v"}
        assert table.expiry is not None
        assert table.history is not None
        assert wing.table.rooms.policies.of(ARN) is not None

    on_disk(scenario, tmp_path)


def test_two_definitions_at_once(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        assert await _codes(
            wing.call("UpdateTable", TableName="Notes", DeletionProtectionEnabled=True),
            wing.call("UpdateTable", TableName="Notes", TableClass="STANDARD_INFREQUENT_ACCESS"),
        ) == ["", "ResourceInUseException"]
        await wing.call("UpdateTable", TableName="Notes", TableClass="STANDARD_INFREQUENT_ACCESS")
        table = wing.table.rooms.tables.get("Notes")
        assert (table.definition.deletion_protection, table.definition.table_class) == (
            True, "STANDARD_INFREQUENT_ACCESS",
        )  # fmt: skip

    on_disk(scenario, tmp_path)


def test_a_policy_whose_revision_was_expected_is_replaced_once(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        first = await wing.call("PutResourcePolicy", ResourceArn=ARN, Policy=POLICY.format("dynamodb:GetItem"))
        both = [
            wing.call(
                "PutResourcePolicy",
                ResourceArn=ARN,
                Policy=POLICY.format(f"dynamodb:{name}"),
                ExpectedRevisionId=first["RevisionId"],
            )
            for name in ("PutItem", "Scan")
        ]
        assert sorted(await _codes(*both)) == ["", "PolicyNotFoundException"]

    on_disk(scenario, tmp_path)


def test_a_table_that_was_made_anew_is_another_one(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        tables = wing.table.rooms.tables
        before = tables.get("Notes")
        await wing.call("DeleteTable", TableName="Notes")
        await wing.call("CreateTable", **TABLE)
        with pytest.raises(AwsError, match="Table: Notes not found"):
            await tables.change(before, before.definition, Tags={"of": "the old one"})
        assert tables.get("Notes").record["Tags"] == {}

    on_disk(scenario, tmp_path)
