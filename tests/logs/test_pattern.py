"""Filter patterns in their three languages; the examples are those of the user guide."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.logs.errors import InvalidPattern
from trine.logs.pattern import compile_pattern
from trine.logs.pattern_json import wildcard

JSON = (
    '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],'
    ' "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true,'
    ' "count": 1.5, "text": "12"}'
)
ACCESS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR] x", True),
        ("ERROR", "error", False),
        ("ERROR ARGUMENTS", "ARGUMENTS then ERROR", True),
        ("ERROR ARGUMENTS", "only ERROR", False),
        ('"INTERNAL SERVER ERROR"', "an INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR SERVER", False),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "an INFO", False),
        ("ERROR -EXITING", "ERROR", True),
        ("ERROR -EXITING", "ERROR and EXITING", False),
        ('-"two words"', "two words", False),
        (r'"say \"hi\""', 'say "hi"', True),
        ("%4[0-9]{2}%", "status 404", True),
        ("%4[0-9]{2}%", "status 200", False),
        ('{ $.eventType = "UpdateTrail" }', JSON, True),
        ('{ $.eventType = "Update*" }', JSON, True),
        ('{ $.eventType != "UpdateTrail" }', JSON, False),
        ("{ $.sourceIPAddress != 123.123.* }", JSON, True),
        ('{ $.arrayKey[0] = "value" }', JSON, True),
        ('{ $.arrayKey[7] = "value" }', JSON, False),
        ("{ $.objectList[1].id = 2 }", JSON, True),
        ("{ $.count > 1 && $.count < 2e0 }", JSON, True),
        ("{ $.text = 12 }", JSON, True),
        ("{ $.text > 11 }", JSON, False),
        ("{ $.SomeObject IS NULL }", JSON, True),
        ("{ $.SomeOtherObject NOT EXISTS }", JSON, True),
        ("{ $.SomeObject EXISTS }", JSON, True),
        ("{ $.ThisFlag IS TRUE }", JSON, True),
        ("{ $.ThisFlag IS FALSE }", JSON, False),
        ('{ ($.eventType = "x") || ($.count = 1.5 && $.ThisFlag IS TRUE) }', JSON, True),
        ("{ $.sourceIPAddress = %1{3}[.]1% }", JSON, True),
        ("{ $['eventType'] = UpdateTrail }", JSON, True),
        ("{ $.a = 1 }", "no json", False),
        ("[ip, user, username, timestamp, request, status_code, bytes]", ACCESS, True),
        ("[ip, user]", ACCESS, False),
        ("[ip=%127[.]0%, ..., status_code=404, bytes>1000]", ACCESS, True),
        ("[..., status_code=4*, bytes]", ACCESS, True),
        ("[..., request=*HTTP*, status_code=404, bytes<1000]", ACCESS, False),
        ('[ip, ..., request="*index.html*", status_code!=500 && status_code!=200, bytes]', ACCESS, True),
        ("[ip=10.* || ip=127.*, ...]", ACCESS, True),
    ],
)
def test_patterns(pattern: str, message: str, expected: bool) -> None:
    assert compile_pattern(pattern)(message) is expected


@pytest.mark.parametrize(
    "pattern",
    ['"open', "{ $.a }", "{ $.a = }", "{ $.a > x }", "{ a = 1 }", "{ $.a = 1", "{ $.a = 1 } x", "[a, b",
     "[..., a, ...]",
     "[a b]", "[a>x]", "%[%", "%(a+)+b%", "%no!%",
     "%a% %b% %c%", "x" * 1_025, "{" + "(" * 100 + "$.a = 1" + ")" * 100 + "}",
     "{ $.a IS 5 }", "{ $.a ! 5 }"],
)  # fmt: skip
def test_what_cannot_be_read_is_told(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(pattern)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_pattern_or_is_refused(pattern: str, message: str) -> None:
    try:
        matches = compile_pattern(pattern)
    except InvalidPattern:
        return
    assert matches(message) in (True, False)


@pytest.mark.parametrize("text", ["%.*.*=%", "{ $.m = %a*a*a*a*b% }", "[m = %.*.*.*x=%]"])
def test_a_regular_expression_never_holds_up_the_others(text: str) -> None:
    """Each costs Python's engine hours on such a line."""
    matches = compile_pattern(text)
    assert not matches(json.dumps({"m": "a" * 200_000}))
    assert not matches("a" * 200_000)


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        ("5*", "503", "403"), ("*.example.org", "a.example.org", "example.org"), ("a*b*c", "a-b-c", "a-c-b"),
        ("a*a", "aa", "a"), ("*", "", None), ("a**b", "ab", "b"), ("*ab*ab*", "abab", "aab"), ("x*yy*y", "xyyy", "xyy"),
    ],
)  # fmt: skip
def test_wildcards(text: str, fits: str, does_not: str | None) -> None:
    matches = wildcard(text)
    assert matches(fits)
    assert does_not is None or not matches(does_not)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_wildcards_mean_what_a_regular_expression_means(text: str, own: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, text.split("*"))), own, re.DOTALL)
    assert wildcard(text)(own) is (expected is not None)


def test_many_wildcards_on_a_long_line() -> None:
    assert not wildcard("*a" * 200 + "*b")("a" * 100_000)
