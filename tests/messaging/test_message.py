"""Messages: their attributes' rules, sizes and MD5 sums (the sums as botocore's own check computes them)."""

from __future__ import annotations

from typing import Any

import pytest

from trine.messaging.errors import InvalidParameter
from trine.messaging.message import Message, attributes_md5, body_md5, checked_attributes, size_of


def test_sums_are_those_of_the_developer_guides_algorithm() -> None:
    attributes = checked_attributes(
        {"a": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"\1\2"}}
    )
    assert attributes_md5(attributes) == "3e9b4c785db2deb306cf4009ae214dab"
    assert body_md5("hello") == "5d41402abc4b2a76b9719d911017c592"
    assert size_of("hello", attributes) == 5 + (1 + 6 + 1) + (1 + 6 + 2)


def test_a_message_comes_back_as_it_was() -> None:
    message = Message("id", "ä\n", 1.5, "me", {"n": {"DataType": "Number", "StringValue": "1"}}, group_id="g")
    assert Message.decode(message.encode()) == message


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"a b": {"DataType": "String", "StringValue": "x"}}, InvalidParameter),
        ({"aws.x": {"DataType": "String", "StringValue": "x"}}, InvalidParameter),
        ({"a": {"DataType": "Text", "StringValue": "x"}}, InvalidParameter),
        ({"a": {"DataType": "String", "StringValue": ""}}, InvalidParameter),
        ({"a": {"DataType": "String"}}, InvalidParameter),
        ({"a": {"DataType": "Binary", "BinaryValue": b""}}, InvalidParameter),
        ({"a": {"DataType": "Number", "StringValue": "x"}}, InvalidParameter),
        ({"a": {"DataType": "String", "StringValue": "\0"}}, InvalidParameter),
        ({f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}, InvalidParameter),
    ],
)
def test_bad_attributes_are_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        checked_attributes(given)
