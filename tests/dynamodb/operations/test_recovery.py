"""Point-in-time recovery: every moment since it was switched on comes back, by the clock that tests move."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dynamodb.wing import Wing, on_a_wing, refused

DAY = 24 * 3600.0


def test_a_table_comes_back_as_it_was_at_a_moment() -> None:
    async def scenario(wing: Wing) -> None:
        await wing.put("old", v="before recovery was on")
        await wing.recover()
        start = wing.clock.now()
        wing.clock.advance(60)
        await wing.put("a", v="1", g="x")
        await wing.call("DeleteItem", TableName="Notes", Key={"p": {"S": "old"}})
        wing.clock.advance(60)
        await wing.put("a", v="2", g="y")
        await wing.put("b", v="1", g="y")
        assert set(await wing.restored("Start", start)) == {"old"}
        middle = await wing.restored("Middle", start + 60)
        assert {key: item["v"]["S"] for key, item in middle.items()} == {"a": "1"}
        now = await wing.restored("Now", None)
        assert {key: item["v"]["S"] for key, item in now.items()} == {"a": "2", "b": "1"}
        table = (await wing.call("DescribeTable", TableName="Middle"))["Table"]
        assert (table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]) == (1, 1)
        assert table["RestoreSummary"] == {
            "SourceTableArn": (await wing.call("DescribeTable", TableName="Notes"))["Table"]["TableArn"],
            "RestoreDateTime": start + 60,
            "RestoreInProgress": False,
        }
        found = await wing.call(
            "Query", TableName="Middle", IndexName="by-g", KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": "x"}},
        )  # fmt: skip
        assert found["Count"] == 1
        assert set(await wing.restored("Bare", None, GlobalSecondaryIndexOverride=[])) == {"a", "b"}

    on_a_wing(scenario)


def test_the_window_is_told_and_kept() -> None:
    async def scenario(wing: Wing) -> None:
        assert await wing.call("DescribeContinuousBackups", TableName="Notes") == {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
            }
        }
        assert await refused(wing.restored("None", None)) == "PointInTimeRecoveryUnavailableException"
        start = wing.clock.now()
        assert await wing.recover(RecoveryPeriodInDays=2) == {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": 2,
            "EarliestRestorableDateTime": start,
            "LatestRestorableDateTime": start,
        }
        await wing.put("a", v="1")
        wing.clock.advance(3 * DAY)
        assert (await wing.recover())["EarliestRestorableDateTime"] == start + DAY  # the period stays
        assert await refused(wing.restored("Early", start)) == "InvalidRestoreTimeException"
        assert await refused(wing.restored("Late", start + 4 * DAY)) == "InvalidRestoreTimeException"
        assert set(await wing.restored("Then", start + DAY)) == {"a"}
        # Switched off and on again, it begins anew.
        await wing.recover(enabled=False)
        wing.clock.advance(60)
        assert (await wing.recover())["EarliestRestorableDateTime"] == wing.clock.now()

    on_a_wing(scenario)


def test_what_is_older_than_the_period_is_swept() -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover(RecoveryPeriodInDays=1)
        for at in range(3):
            await wing.put("a", v=str(at))
            wing.clock.advance(0.75 * DAY)
        history = wing.table.rooms.tables.get("Notes").history
        assert history is not None
        for _ in range(200):
            await asyncio.sleep(0)
        with wing.store.snapshot() as view:
            assert len(list(view.scan(history.prefix, history.stop))) == 1

    on_a_wing(scenario)


def test_a_deleted_table_stays_as_a_system_backup_for_35_days() -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        await wing.put("a", v="1", g="x")
        await wing.call("DeleteTable", TableName="Notes")
        (kept,) = (await wing.call("ListBackups", BackupType="SYSTEM"))["BackupSummaries"]
        assert (kept["BackupName"], kept["BackupStatus"]) == ("Notes$DeletedTableBackup", "AVAILABLE")
        assert kept["BackupExpiryDateTime"] == wing.clock.now() + 35 * DAY
        for _ in range(20):
            await asyncio.sleep(0)  # the sweep behind the answer
        await wing.call("RestoreTableFromBackup", TargetTableName="Again", BackupArn=kept["BackupArn"])
        await wing.active("Again")
        assert (await wing.call("Scan", TableName="Again"))["Items"] == [
            {"p": {"S": "a"}, "v": {"S": "1"}, "g": {"S": "x"}}
        ]
        wing.clock.advance(35 * DAY)
        assert (await wing.call("ListBackups", BackupType="ALL"))["BackupSummaries"] == []

    on_a_wing(scenario)


def test_what_a_restore_refuses() -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        call = wing.call
        assert await refused(call("RestoreTableToPointInTime", TargetTableName="New")) == "ValidationException"
        assert await refused(wing.restored("Notes", None)) == "TableAlreadyExistsException"
        both = {"UseLatestRestorableTime": True, "RestoreDateTime": wing.clock.now()}
        source = {"SourceTableName": "Notes", "TargetTableName": "New"}
        assert await refused(call("RestoreTableToPointInTime", **source, **both)) == "ValidationException"
        absent = {"SourceTableName": "Absent", "TargetTableName": "New", "UseLatestRestorableTime": True}
        assert await refused(call("RestoreTableToPointInTime", **absent)) == "TableNotFoundException"
        assert await refused(wing.recover(RecoveryPeriodInDays=36)) == "ValidationException"
        assert await refused(wing.recover(enabled=False, RecoveryPeriodInDays=3)) == "ValidationException"

    on_a_wing(scenario)


WRITES = st.lists(
    st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.sampled_from("123")), st.sampled_from([0.0, 0.5, 7.0])),
    max_size=12,
)


@given(writes=WRITES)
@settings(max_examples=40)
def test_every_moment_comes_back(writes: list[tuple[str, str | None, float]]) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        states: dict[float, dict[str, str]] = {wing.clock.now(): {}}
        state: dict[str, str] = {}
        for key, text, pause in writes:
            wing.clock.advance(pause)
            if text is None:
                await wing.call("DeleteItem", TableName="Notes", Key={"p": {"S": key}})
                state.pop(key, None)
            else:
                await wing.put(key, v=text)
                state[key] = text
            states[wing.clock.now()] = dict(state)
        for at, (moment, wanted) in enumerate(states.items()):
            found = await wing.restored(f"At{at:03}", moment)
            assert {key: item["v"]["S"] for key, item in found.items()} == wanted

    on_a_wing(scenario)
