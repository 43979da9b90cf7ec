"""Search expressions: schemas, words, exact texts, designators, and what makes no sense."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.metric import MetricKey
from trine.cloudwatch.search import parse_search, words_of

KEY = MetricKey("AWS/EC2", "CPUUtilization", (("InstanceId", "i-12ab-Web"), ("Zone", "eu-west-1a")))


@pytest.mark.parametrize(
    "text",
    ["{AWS/EC2,InstanceId,Zone}", "{AWS/EC2, Zone, InstanceId} cpu", '{"AWS/EC2",InstanceId,Zone}, utilization',
     'MetricName="CPUUtilization"', "MetricName=utilization", "cpu AND web", "cpu web", "disk OR cpu", "NOT disk",
     "cpu NOT (disk OR memory)", 'InstanceId=("i-12ab-Web" OR "i-2")', "Namespace=AWS/EC2", '"i-12ab-Web"', "west-1a",
     "CPUUtilization", "cpuutilization", "Zone=eu"],
)  # fmt: skip
def test_what_a_search_finds(text: str) -> None:
    assert parse_search(text)(KEY)


@pytest.mark.parametrize(
    "text",
    ["{AWS/EC2,InstanceId}", "{AWS/EC2}", "{AWS/Lambda,InstanceId,Zone}", 'MetricName="cpuutilization"', '"CPU"', "cp",
     "cpu disk", "NOT cpu", 'InstanceId=("i-1" OR "i-2")', "Zone=web", "zone=eu", "Utilization=cpu"],
)  # fmt: skip
def test_what_it_does_not_find(text: str) -> None:
    assert not parse_search(text)(KEY)


@pytest.mark.parametrize("text", ["", "{", "{}", "{a", "{a,}", "a (", "(a", "a)", "MetricName=", "x=(a", "=", "OR",
                                  "(" * 80 + "a" + ")" * 80, "a" * 1025])  # fmt: skip
def test_what_makes_no_sense(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_search(text)


@given(st.text(alphabet='aB1 {}()=,"-ORANDT', max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(ValidationError):
        assert parse_search(text)(KEY) in (True, False)


def test_words() -> None:
    assert words_of("CPUUtilization-2_HTTPCode") == ["cpu", "utilization", "2", "http", "code"]
