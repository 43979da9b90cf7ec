"""Labels that GetMetricData makes, as recorded on AWS."""

from __future__ import annotations

import pytest

from trine.cloudwatch.query import made_labels


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        ([("m", "Sum", 60)], ["m"]),
        ([("m", "Sum", 60), ("m", "Sum", 60)], ["m", "m"]),
        ([("m", "Sum", 60), ("m", "Minimum", 60)], ["m Sum", "m Minimum"]),
        ([("m", "Sum", 60), ("m", "Sum", 30)], ["m 60", "m 30"]),
        ([("m", "Sum", 60), ("m", "Minimum", 30)], ["m Sum 60", "m Minimum 30"]),
        ([("m", "Sum", 60), ("n", "Minimum", 30)], ["m", "n"]),
    ],
)
def test_a_label_says_what_tells_the_queries_of_a_name_apart(
    asked: list[tuple[str, str, int]], labels: list[str]
) -> None:
    stats = [{"Metric": {"MetricName": name}, "Stat": stat, "Period": period} for name, stat, period in asked]
    made = made_labels(stats)
    assert [made[one] for one in asked] == labels
