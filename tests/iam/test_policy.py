"""Policy documents: what IAM takes, and for what it refuses, the place."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trine.iam.directory import aws_managed_arns, aws_managed_document
from trine.iam.errors import MalformedPolicy
from trine.iam.policy import CompiledPolicy, parse_policy

GOOD = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}


def test_one_statement_or_a_list_text_or_values() -> None:
    for document in ({"Statement": GOOD}, {"Version": "2012-10-17", "Id": "x", "Statement": [GOOD]}):
        for form in (document, json.dumps(document), json.dumps(document).encode()):
            (statement,) = parse_policy(form, "identity").statements
            assert statement.allows
            assert statement.covers_action("dynamodb:getitem")
            assert not statement.covers_action("dynamodb:putitem")


def test_the_old_version_has_no_variables() -> None:
    entry = {**GOOD, "Resource": "arn:aws:s3:::${aws:username}"}
    old, new = (
        parse_policy({"Version": v, "Statement": entry}, "identity").statements[0] for v in ("2008-10-17", "2012-10-17")
    )
    assert old.covers_resource("arn:aws:s3:::${aws:username}", lambda key: ("ann",))
    assert new.covers_resource("arn:aws:s3:::ann", lambda key: ("ann",))
    assert (old.keys, new.keys) == (frozenset(), {"aws:username"})


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("", "line 1, column 1"),
        ('{"Statement":', "line 1, column 14"),
        ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', "Version"),
        ("[" * 5000, ""),
        ('{"a":' * 5000, ""),
        ("[]", ""),
        ("null", ""),
        ({}, "Statement"),
        ({"Statement": []}, "Statement"),
        ({"Statement": "x"}, "Statement"),
        ({"Statement": [1]}, "Statement[0]"),
        ({"Version": "2013-01-01", "Statement": GOOD}, "Version"),
        ({"Statement": GOOD, "Extra": 1}, "Extra"),
        ({"Statement": [GOOD, {**GOOD, "Efect": "Allow"}]}, "Statement[1].Efect"),
        ({"Statement": {**GOOD, "Effect": "allow"}}, "Statement[0].Effect"),
        ({"Statement": {**GOOD, "Sid": "no spaces"}}, "Statement[0].Sid"),
        ({"Statement": [{**GOOD, "Sid": "a"}, {**GOOD, "Sid": "a"}]}, "Statement"),
        ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "Statement[0]"),
        ({"Statement": {"Effect": "Allow", "Action": "a:b"}}, "Statement[0]"),
        ({"Statement": {**GOOD, "NotAction": "a:b"}}, "Statement[0]"),
        ({"Statement": {**GOOD, "NotResource": "*"}}, "Statement[0]"),
        ({"Statement": {**GOOD, "Action": []}}, "Statement[0].Action"),
        ({"Statement": {**GOOD, "Action": "GetItem"}}, "Statement[0].Action"),
        ({"Statement": {**GOOD, "Action": "dynamodb:Get Item"}}, "Statement[0].Action"),
        ({"Statement": {**GOOD, "Resource": "table/T"}}, "Statement[0].Resource"),
        ({"Statement": {**GOOD, "Resource": [1]}}, "Statement[0].Resource"),
        ({"Statement": {**GOOD, "Principal": "*"}}, "Statement[0].Principal"),
        ({"Statement": {**GOOD, "Condition": []}}, "Statement[0].Condition"),
        ({"Statement": {**GOOD, "Condition": {"StringEquals": "x"}}}, "Statement[0].Condition.StringEquals"),
        ({"Statement": {**GOOD, "Condition": {"Like": {"a:b": "c"}}}}, "Statement[0].Condition.Like.a:b"),
    ],
)
def test_the_place_of_a_fault(document: Any, place: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        parse_policy(document, "identity")
    assert refused.value.place == place
    assert refused.value.code == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    ("principal", "good"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": "123456789012"}, True),
        ({"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/a/b"]}, True),
        ({"AWS": "arn:aws:sts::123456789012:assumed-role/r/s"}, True),
        ({"Service": "lambda.amazonaws.com"}, True),
        ({"Federated": "accounts.google.com"}, True),
        ({"AWS": "arn:aws:iam::123456789012:role/*"}, False),
        ({"AWS": "nobody"}, False),
        ({"Service": "*"}, False),
        ({"Machine": "x"}, False),
        ({}, False),
        ("me", False),
        ({"AWS": []}, False),
    ],
)
def test_principals(principal: Any, good: bool) -> None:
    document = {"Statement": {**GOOD, "Principal": principal}}
    if good:
        assert parse_policy(document, "resource").statements[0].principals is not None
    else:
        with pytest.raises(MalformedPolicy) as refused:
            parse_policy(document, "resource")
        assert refused.value.place.startswith("Statement[0].Principal")


def test_trust_policies_name_a_principal_and_no_resource() -> None:
    entry = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    parse_policy({"Statement": entry}, "trust")
    for wrong in ({**entry, "Resource": "*"}, {k: v for k, v in entry.items() if k != "Principal"}):
        with pytest.raises(MalformedPolicy):
            parse_policy({"Statement": wrong}, "trust")
    with pytest.raises(MalformedPolicy):
        parse_policy({"Statement": GOOD}, "resource")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Allow", "a:b", "*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Principal", "Condition", "AWS"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@example({"Effect": []}, "identity")
@given(JSON, st.sampled_from(["identity", "resource", "trust", "session"]))
def test_no_document_breaks_the_parser(document: Any, kind: Any) -> None:
    for written in (json.dumps({"Statement": [document]}), document):
        with contextlib.suppress(MalformedPolicy):
            assert isinstance(parse_policy(written, kind), CompiledPolicy)


@pytest.mark.parametrize("arn", aws_managed_arns())
def test_the_managed_policies_shipped_are_sound(arn: str) -> None:
    found = aws_managed_document(arn)
    assert found is not None
    parse_policy(found["Document"], "identity", arn)
