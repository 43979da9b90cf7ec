"""Statistics by name, the store within its bounds, what is on disk, EMF lines."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.clock import ManualClock
from trine.cloudwatch import limits
from trine.cloudwatch.archive import Archive
from trine.cloudwatch.emf import Malformed, data_of
from trine.cloudwatch.metric import Datum, MetricKey
from trine.cloudwatch.statistic import statistic
from trine.cloudwatch.store import MetricStore
from trine.kv.durable import DurableStore
from trine.kv.memory import MemoryStore
from trine.metering.distribution import Distribution

NOW = 1_800_000_000.0


def _values(*values: float) -> Distribution:
    found = Distribution()
    for value in values:
        found.add(value)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Average", 50.5), ("Sum", 5050), ("SampleCount", 100), ("Minimum", 1), ("Maximum", 100), ("p50", 50),
     ("p99.9", 100), ("tm90", 45.5), ("tm(10%:90%)", 50.5), ("TM(:50)", 25.5), ("wm(10%:90%)", 50.5), ("tc(:50)", 50),
     ("TS(50:)", 3775),
     ("PR(:75)", 75), ("PR(25:75)", 50), ("IQM", 50.5)],
)  # fmt: skip
def test_statistics(name: str, expected: float) -> None:
    found = statistic(name)(_values(*range(1, 101)))
    assert found == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("name", ["", "Median", "p", "p0", "p101", "p-1", "tm", "tm(1:2", "PR(10%:20%)", "tm(a:b)",
                                  "tm(:)", "ts(5%:10)", "tm(0%:200%)"])  # fmt: skip
def test_what_is_no_statistic(name: str) -> None:
    with pytest.raises(AwsError):
        statistic(name)


def _store(directory: Path | None = None) -> tuple[MetricStore, Archive, DurableStore | MemoryStore]:
    clock = ManualClock(NOW)
    store = MemoryStore(clock) if directory is None else DurableStore(directory, clock)
    archive = Archive(store)
    return MetricStore(archive), archive, store


def _minutes(store: MetricStore, key: MetricKey, period: int = 60) -> dict[int, tuple[float, float]]:
    return {at: (values.count, values.total) for at, values in store.periods(key, 0, 2 * NOW, period)}


def test_ten_thousand_metric_names_are_the_most_that_is_kept() -> None:
    store, _, _ = _store()
    for number in range(limits.SERIES_MAX_COUNT + 25):
        store.gather(Datum(MetricKey("N", f"m{number}", ()), 60, _values(1), "None", 60))
    assert (len(store), store.dropped) == (limits.SERIES_MAX_COUNT, 25)


async def _settle(store: MetricStore) -> None:
    """Wait for what `flush` has begun."""
    if store._cleaning is not None:
        await store._cleaning


def test_the_oldest_points_go_first() -> None:
    async def fill() -> None:
        archive = Archive(MemoryStore(ManualClock(NOW)))
        store = MetricStore(archive, points_max_count=100)
        key, start = MetricKey("N", "m", ()), int(NOW) - 150 * 60
        for minute in range(150):
            await store.put([Datum(key, start + minute * 60, _values(1), "None", 60)])
        store.flush(NOW)
        await _settle(store)
        kept = sorted(_minutes(store, key))
        assert len(kept) == archive.count() <= 100
        assert kept[-1] == start + 149 * 60
        assert store.forgotten == 150 - len(kept)

    asyncio.run(fill())


def test_what_is_older_than_fifteen_days_goes_with_its_metric() -> None:
    async def fill() -> None:
        store, archive, _ = _store()
        old, young = MetricKey("N", "old", ()), MetricKey("N", "young", ())
        await store.put([Datum(old, int(NOW), _values(1), "None", 60)])
        later = NOW + 15 * 86_400 + 60
        await store.put([Datum(young, int(later), _values(1), "None", 60)])
        store.flush(later)
        await _settle(store)
        assert store.find(None, None, (), 0) == [young]
        assert (archive.count(), store.forgotten) == (1, 0)

    asyncio.run(fill())


def test_what_was_acknowledged_is_there_after_a_crash(tmp_path: Path) -> None:
    key, first, second = MetricKey("N", "m", (("a", "b"),)), int(NOW), int(NOW) + 60

    async def write() -> None:
        store, archive, disk = _store(tmp_path)
        await store.put([Datum(key, first, _values(1, 2), "Seconds", 60), Datum(key, first, _values(3), "None", 60)])
        store.gather(Datum(key, second, _values(5), "None", 60))
        assert _minutes(store, key) == {first: (3, 6), second: (1, 5)}, "also what is not written yet"
        written = store.flush(NOW)
        assert written is not None
        await written
        await archive.append([NOW, "alarm", "MetricAlarm", "StateUpdate", "moved", {}])
        await _settle(store)
        copy = tmp_path.with_name("copy")
        shutil.copytree(tmp_path, copy)  # as a power cut would leave it: nothing was closed
        await disk.close()

    async def read() -> None:
        store, archive, disk = _store(tmp_path.with_name("copy"))
        store.load()
        series = store.get(key)
        assert series is not None
        assert series.unit == "Seconds"
        assert series.latest_at >= second - limits.NOTED_EVERY_SECONDS
        assert _minutes(store, key) == {first: (3, 6), second: (1, 5)}
        await store.put([Datum(key, second, _values(1), "None", 60)])
        assert _minutes(store, key, 300) == {first: (5, 12)}, "a minute that both runs saw adds up"
        assert [entry[4] for entry in archive.history(10)] == ["moved"]
        assert archive.count() == 2
        await disk.close()

    asyncio.run(write())
    asyncio.run(read())


def test_history_is_bounded() -> None:
    async def fill() -> None:
        _, archive, _ = _store()
        for number in range(30):
            await archive.append([number])
        await archive.keep_history(10)
        assert archive.history(100) == [[number] for number in range(29, 19, -1)]

    asyncio.run(fill())


def _emf(**changed: Any) -> str:
    directive = {"Namespace": "App", "Dimensions": [["shop"]], "Metrics": [{"Name": "n", "Unit": "Count"}]}
    head = {"Timestamp": int(NOW * 1000), "CloudWatchMetrics": [{**directive, **changed.pop("directive", {})}]}
    return json.dumps({"_aws": {**head, **changed.pop("head", {})}, "shop": "north", "n": [1, 2], **changed})


def test_a_line_with_metrics() -> None:
    (datum,) = data_of(_emf(), NOW)
    assert datum.key == MetricKey("App", "n", (("shop", "north"),))
    assert (datum.values.count, datum.values.total, datum.unit) == (2, 3, "Count")
    assert data_of(_emf(directive={"Metrics": [{"Name": "absent"}]}), NOW) == []
    assert len(data_of(_emf(directive={"Dimensions": [["shop"], []]}), NOW)) == 2


@pytest.mark.parametrize(
    "line", ["", "plain", '{"_aws": 1}', '{"_aws": {}}', '"_aws"', '{"_aws"', "[" * 10_000 + '"_aws"']
)
def test_a_line_that_is_none(line: str) -> None:
    assert data_of(line, NOW) == []


@pytest.mark.parametrize(
    "changed",
    [{"head": {"Timestamp": "now"}}, {"head": {"Timestamp": 1}}, {"directive": {"Namespace": 3}},
     {"directive": {"Metrics": 3}},
     {"directive": {"Dimensions": [["nobody"]]}}, {"directive": {"Dimensions": [3]}}, {"n": "many"}, {"n": [True]},
     {"n": math.inf}, {"directive": {"Metrics": [3]}}, {"directive": {"Dimensions": [[3]]}}],
    ids=str,
)  # fmt: skip
def test_a_line_that_is_wrong_says_why(changed: dict[str, Any]) -> None:
    line = _emf(**changed)
    if "Infinity" in line:
        assert data_of(line, NOW) == [], "no JSON"
        return
    with pytest.raises(Malformed):
        data_of(line, NOW)
