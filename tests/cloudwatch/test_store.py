"""Statistics by name, the store within its bounds, the journal over restarts, EMF lines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from trine.aws.errors import AwsError
from trine.cloudwatch import limits
from trine.cloudwatch.emf import Malformed, data_of
from trine.cloudwatch.journal import Journal
from trine.cloudwatch.metric import Datum, MetricKey
from trine.cloudwatch.statistic import statistic
from trine.cloudwatch.store import MetricStore
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


def test_ten_thousand_metric_names_are_the_most_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MetricStore()
    for number in range(limits.SERIES_MAX_COUNT + 25):
        store.add(Datum(MetricKey("N", f"m{number}", ()), 60, _values(1), "None", 60))
    assert (len(store), store.dropped) == (limits.SERIES_MAX_COUNT, 25)


def test_the_oldest_points_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POINTS_MAX_COUNT", 100)
    store, key = MetricStore(), MetricKey("N", "m", ())
    for minute in range(150):
        store.add(Datum(key, minute * 60, _values(1), "None", 60))
    kept = [at for at, _ in store.periods(key, 0, 1e9, 60)]
    assert len(kept) <= 100
    assert kept[-1] == 149 * 60
    assert store.forgotten == 150 - len(kept)


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    datum = Datum(MetricKey("N", "m", (("a", "b"),)), int(NOW), _values(1, 2, 3), "Count", 60)
    Journal(tmp_path).write([datum], NOW)
    with next(tmp_path.iterdir()).open("ab") as file:
        file.write(b'[["N","cut')
    (found,) = Journal(tmp_path).read(NOW)
    assert found[:2] == datum[:2]
    assert (found.values.count, found.values.total, found.values.buckets) == (3, 6, datum.values.buckets)
    assert list(Journal(tmp_path).read(NOW + 20 * 86_400)) == []
    assert list(tmp_path.iterdir()) == [], "old files go"


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
