"""Input transformers by the examples of AWS's user guide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trine.events.errors import Invalid, InvalidTarget
from trine.events.target import target_from
from trine.events.transformer import NotRendered, filled, part_of

EVENT = {"source": "s", "detail": {"name": 'a "b"', "n": 7, "list": [{"x": 1}], "o": {"k": "v"}}, "detail-type": "d"}
RULE = "arn:aws:events:us-east-1:123456789012:rule/r"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", EVENT), ("$.detail.name", 'a "b"'), ("$.detail-type", "d"), ("$.detail.list[0].x", 1),
        ("$.detail.list[5].x", None), ("$.none.deep", None), ("$['detail']['n']", 7),
    ],
)  # fmt: skip
def test_paths(path: str, value: Any) -> None:
    assert part_of(EVENT, path) == value


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ('{"n": <n>, "name": <name>}', {"n": 7, "name": 'a "b"'}),
        ('{"text": "<name> is <n>"}', {"text": 'a "b" is 7'}),
        ('"<name> is <n>"', 'a "b" is 7'),
        ('{"all": <o>}', {"all": {"k": "v"}}),
        ('"<list> of <gone>things"', "[{x:1}] of things"),
        ('{"gone": <gone>}', {"gone": ""}),
        ('{"outline": <aws.events.event>}', {"outline": {"source": "s", "detailType": "d"}}),
        ('{"rule": "<aws.events.rule-name>"}', {"rule": "r"}),
        ("plain <n>", "plain 7"),
        ('{"unknown": "<what>"}', {"unknown": "<what>"}),
    ],
)
def test_templates(template: str, wanted: Any) -> None:
    paths = {"n": "$.detail.n", "name": "$.detail.name", "o": "$.detail.o", "gone": "$.nothing"}
    paths["list"] = "$.detail.list"
    assert json.loads(filled(template, paths, EVENT, RULE, 0.0)) == wanted


def test_an_object_inside_the_quotes_of_a_json_template_makes_no_json() -> None:
    with pytest.raises(NotRendered, match="what the template makes is no JSON"):
        filled('{"text": "<o>"}', {"o": "$.detail.o"}, EVENT, RULE, 0.0)


def test_quoted_lines_stay_lines() -> None:
    assert filled('"a <n>"\n"b"', {"n": "$.detail.n"}, EVENT, RULE, 0.0) == b'"a 7"\n"b"'


def test_a_template_names_what_there_is() -> None:
    given = {"Id": "a", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    with pytest.raises(InvalidTarget, match=r"InputTemplate for target a contains invalid placeholder what\."):
        target_from({**given, "InputTransformer": {"InputPathsMap": {"n": "$.x"}, "InputTemplate": '"<n> <what>"'}})
    named = {"InputTemplate": '"<aws.events.rule-name>"'}
    assert target_from({**given, "InputTransformer": named}).payload(EVENT, RULE, 0.0) == b'"r"'


def test_only_one_form_of_input_is_taken() -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    with pytest.raises(Invalid, match="Only one of"):
        target_from({"Id": "a", "Arn": arn, "Input": "1", "InputPath": "$"})
    with pytest.raises(Invalid, match="Invalid InputPath"):
        target_from({"Id": "a", "Arn": arn, "InputPath": "detail"})
    assert target_from({"Id": "a", "Arn": arn, "InputPath": "$.detail.n"}).payload(EVENT, RULE, 0.0) == b"7"
