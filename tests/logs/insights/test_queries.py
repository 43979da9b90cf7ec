"""Queries of Logs Insights over events in memory: what every command and function gives, and what is refused."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.clock import ManualClock
from trine.logs.event import LogEvent
from trine.logs.insights.breath import Breath
from trine.logs.insights.expression import DEPTH_MAX
from trine.logs.insights.function import FUNCTIONS
from trine.logs.insights.parser import NOT_BUILT, parse_query
from trine.logs.insights.queries import records
from trine.logs.insights.run import Found, run
from trine.logs.insights.token import MalformedQuery
from trine.logs.insights.value import java_double

NOON = 1_795_867_200_000
"""2026-11-28T12:00:00Z."""
REPORT = (
    "REPORT RequestId: r{0}\tDuration: {0}.25 ms\tBilled Duration: {1} ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB"
    "\tInit Duration: 80.50 ms\n"
)


def ask(query: str, *messages: object, limit: int = 10_000, group: str = "/aws/lambda/f") -> Found:
    """The answer of a query over events a second apart."""
    events = [
        LogEvent(NOON + 1000 * at, "s", "", said if isinstance(said, str) else json.dumps(said))
        for at, said in enumerate(messages)
    ]
    commands = parse_query(query, NOON)
    return asyncio.run(run(commands, records([(group, events)], "123456789012"), limit, Breath(ManualClock())))


def rows(query: str, *messages: object, **options: object) -> list[dict[str, str]]:
    """Its rows as mappings, without pointers."""
    found = ask(query, *messages, **options)  # type: ignore[arg-type]
    return [{part["field"]: part["value"] for part in row if part["field"] != "@ptr"} for row in found.rows]


def column(query: str, *messages: object) -> list[str]:
    """The only column of its rows."""
    return [value for row in rows(query, *messages) for value in row.values()]


def test_without_fields_time_and_text_are_shown_the_newest_first() -> None:
    assert rows("filter @message like /o/", "one\n", "two", "six") == [
        {"@timestamp": "2026-11-28 12:00:01.000", "@message": "two"},
        {"@timestamp": "2026-11-28 12:00:00.000", "@message": "one"},
    ]


def test_the_sample_of_over_provisioned_memory() -> None:
    """The console's sample query of Lambda, with aliases used behind one another."""
    query = """
    filter @type = "REPORT"
    | stats max(@memorySize / 1000 / 1000) as provisonedMemoryMB,
        min(@maxMemoryUsed / 1000 / 1000) as smallestMemoryRequestMB,
        avg(@maxMemoryUsed / 1000 / 1000) as avgMemoryUsedMB,
        max(@maxMemoryUsed / 1000 / 1000) as maxMemoryUsedMB,
        provisonedMemoryMB - maxMemoryUsedMB as overProvisionedMB
    """
    assert rows(query, REPORT.format(5, 6), "START RequestId: r5 Version: 1\n", REPORT.format(7, 8)) == [
        {
            "provisonedMemoryMB": "128",
            "smallestMemoryRequestMB": "64",
            "avgMemoryUsedMB": "64",
            "maxMemoryUsedMB": "64",
            "overProvisionedMB": "64",
        }
    ]


def test_the_sample_of_latency_by_five_minutes() -> None:
    query = 'filter @type = "REPORT" | stats avg(@duration), max(@duration), min(@duration) by bin(5m)'
    assert rows(query, REPORT.format(5, 6), REPORT.format(8, 9)) == [
        {
            "bin(5m)": "2026-11-28 12:00:00.000",
            "avg(@duration)": "6.75",
            "max(@duration)": "8.25",
            "min(@duration)": "5.25",
        }
    ]


def test_fields_of_a_lambda_line() -> None:
    fields = (
        "@type, @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed, @initDuration, @log, @logStream"
    )
    (row,) = rows(f"fields {fields}", REPORT.format(5, 6))
    assert row == {
        "@type": "REPORT",
        "@requestId": "r5",
        "@duration": "5.25",
        "@billedDuration": "6",
        "@memorySize": "1.28E8",
        "@maxMemoryUsed": "6.4E7",
        "@initDuration": "80.50",
        "@log": "123456789012:/aws/lambda/f",
        "@logStream": "s",
    }
    assert rows("fields @type", REPORT.format(5, 6), group="other") == [{}]  # type: ignore[arg-type]
    assert [java_double(value) for value in (0, 0.5, 1e7, 1.5e10, 0.0001)] == [
        "0.0",
        "0.5",
        "1.0E7",
        "1.5E10",
        "1.0E-4",
    ]


def test_fields_of_json() -> None:
    said = {"level": "ERROR", "http": {"status": 503, "ok": False}, "tags": ["a", "b"], "none": None, "a-b": "dash"}
    assert rows("fields level, http.status + 1 as next, http.ok, tags.1, none, `a-b`", said) == [
        {"level": "ERROR", "next": "504", "http.ok": "0", "tags.1": "b", "a-b": "dash"}
    ]
    assert column("fields level", '[INFO]\tx\t{"level": "WARN"}\n') == ["WARN"], "JSON behind other text"
    assert rows("fields level", '{"level": broken') == [{}]
    assert rows("fields deep", "{" * 5_000) == [{}]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("n > 2", "3 4"),
        ("n >= 2 and n != 3", "2 4"),
        ("n = '2' or n = 4", "2 4"),
        ("not n < 3", "3 4"),
        ("word like 'o'", "1 2 4"),
        ("word like /^t/", "2 3"),
        ("word not like /o/", "3"),
        ("word =~ /(?i)FOUR/", "4"),
        ("n in [1, 4]", "1 4"),
        ("word in ['two', 'six']", "2"),
        ("n not in [1, 4]", "2 3"),
        ("missing = 1", ""),
        ("missing != 1", ""),
        ("ispresent(missing)", ""),
        ("not ispresent(missing)", "1 2 3 4"),
        ("(n + 1) * 2 = 8", "3"),
        ("n % 2 = 0", "2 4"),
        ("2 ^ n = 8", "3"),
        ("-n < -3", "4"),
        ("strcontains(word, 'ee')", "3"),
        ("n / 0 > 1", ""),
        ("word < 'p'", "1 4"),
        ("WORD = 'one'", ""),
        ("n = 1 # and nothing else\n", "1"),
        ("n = -1 + 2 ", "1"),
        ("true", "1 2 3 4"),
        ("false or n=2", "2"),
        ("isempty(missing) and isblank('  ')", "1 2 3 4"),
    ],
)
def test_conditions(condition: str, kept: str) -> None:
    said = [{"n": at, "word": word} for at, word in enumerate(("one", "two", "three", "four"), 1)]
    assert " ".join(reversed(column(f"fields n | filter {condition}", *said))) == kept


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(1.8)", "1"),
        ("greatest(1, 5, 3)", "5"),
        ("least(4, 2)", "2"),
        ("sqrt(16)", "4"),
        ("log(1)", "0"),
        ("10 / 4", "2.5"),
        ("1 / 3", "0.3333"),
        ("2 ^ 3 ^ 2", "512"),
        ("7 - 2 - 1", "4"),
        ("strlen('äb')", "2"),
        ("toupper('ab')", "AB"),
        ("tolower('AB')", "ab"),
        ("trim('  a ')", "a"),
        ("ltrim('xxa', 'x')", "a"),
        ("rtrim('axx', 'x')", "a"),
        ("substr('abcdef', 2)", "cdef"),
        ("substr('abcdef', 2, 3)", "cde"),
        ("replace('a-b-c', '-', '+')", "a+b+c"),
        ("concat('a', 1, 'b')", "a1b"),
        ("coalesce(missing, 'x')", "x"),
        ("if(1 = 2, 'a', 'b')", "b"),
        ("strcontains('abc', 'd')", "0"),
        ("bin(1h)", "2026-11-28 12:00:00.000"),
        ("datefloor(@timestamp, 1d)", "2026-11-28 00:00:00.000"),
        ("dateceil(@timestamp, 1d)", "2026-11-29 00:00:00.000"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("toMillis(@timestamp)", str(NOON)),
        ("toMillis('1970-01-01 00:00:01')", "1000"),
        ("now()", "2026-11-28 12:00:00.000"),
        ("isValidIp('10.0.0.1')", "1"),
        ("isValidIpv6('10.0.0.1')", "0"),
        ("isIpv4InSubnet('10.0.0.1', '10.0.0.0/8')", "1"),
        ("isIpv6InSubnet('10.0.0.1', '10.0.0.0/8')", "0"),
        ("isIpInSubnet('no', 'net')", "0"),
        (r"'it\'s'", "it's"),
        ('"a\\"b"', 'a"b'),
        ("1e3 + .5", "1000.5"),
    ],
)
def test_functions(expression: str, value: str) -> None:
    assert column(f"fields {expression} as x", "m") == [value]


@pytest.mark.parametrize(
    "expression",
    [
        "sqrt(-1)",
        "log(0)",
        "abs('x')",
        "1 / 0",
        "9 ^ 999",
        "substr('a', 'b')",
        "strlen(missing)",
        "toMillis('soon')",
        "dateceil('x', 1d)",
    ],
)
def test_what_cannot_be_computed_is_missing(expression: str) -> None:
    assert rows(f"fields {expression} as x", "m") == [{}]


def test_parse_by_stars_and_by_groups() -> None:
    said = "user=ada, method:GET, took 12 ms"
    assert rows(
        "parse @message 'user=*, method:*, took * ms' as @user, verb, took | display @user, verb, took", said
    ) == [{"@user": "ada", "verb": "GET", "took": "12"}]
    assert column("parse 'took *' as rest | display rest", said) == ["12 ms"]
    assert column(r"parse @message /method:(?<verb>[A-Z]+), took (?<took>\d+)/ | display took", said) == ["12"]
    assert rows("parse @message 'nothing *' as x | display x", said) == [{}]
    assert column("parse 'took *' as rest | parse rest '* ms' as n | stats sum(n)", said, said) == ["24"]


def test_stats_of_every_kind() -> None:
    said = [{"n": n, "who": who} for n, who in ((1, "a"), (2, "b"), (3, "a"), (4, "c"))] + ["no number"]
    query = (
        "stats count(*) as events, count(n) as numbers, count_distinct(who) as people, sum(n), avg(n), min(n), max(n), "
        "stddev(n), pct(n, 50) as half, pct(n, 100) as most, earliest(n), latest(n), sortsFirst(who), sortsLast(who)"
    )
    assert rows(query, *said) == [
        {
            "events": "5",
            "numbers": "4",
            "people": "3",
            "sum(n)": "10",
            "avg(n)": "2.5",
            "min(n)": "1",
            "max(n)": "4",
            "stddev(n)": "1.291",
            "half": "2",
            "most": "4",
            "earliest(n)": "1",
            "latest(n)": "4",
            "sortsFirst(who)": "a",
            "sortsLast(who)": "c",
        }
    ]
    assert rows("stats count(*) as c by who | sort c desc, who", *said) == [
        {"who": "a", "c": "2"},
        {"who": "b", "c": "1"},
        {"who": "c", "c": "1"},
        {"c": "1"},
    ]
    assert rows("stats sum(n) as s by who | stats max(s) as top", *said) == [{"top": "4"}]
    assert rows("stats count() by bin(1s) as t | sort t asc | limit 1", *said) == [
        {"t": "2026-11-28 12:00:00.000", "count()": "1"}
    ]
    assert rows("filter n > 9 | stats count(*), sum(n)", *said) == [{"count(*)": "0"}], "of nothing: one row"
    assert rows("filter n > 9 | stats count(*) by who", *said) == []


def test_sort_limit_and_dedup() -> None:
    said = [{"n": n, "w": w} for n, w in ((2, "b"), (10, "a"), (1, "b"))] + ["none"]
    assert column("fields n | sort n asc", *said) == ["1", "2", "10"], "numbers as numbers; what is missing is last"
    assert column("fields n | sort n desc | limit 2", *said) == ["10", "2"]
    assert column("fields n | sort w, n desc", *said) == ["10", "2", "1"]
    assert column("fields n | dedup w | sort n", *said) == ["1", "10"], "the newest of each"
    assert column("fields @message | limit 1", *said) == ["none"]
    assert ask("fields @message | limit 1", *said).scanned == 1, "it ends where it has enough"
    assert ask("fields @message", *said, limit=2).matched == 2
    assert column("fields n as m, n | display m | sort m", *said) == ["1", "2", "10"]
    assert rows("display n | filter n = 10", *said) == [{"n": "10"}]


def test_events_of_several_groups_by_time() -> None:
    read = [("a", [LogEvent(1, "s", "", "one"), LogEvent(3, "s", "", "three")]), ("b", [LogEvent(2, "s", "", "two")])]
    assert [(record.group, record.message) for record in records(read, "1")] == [
        ("a", "three"),
        ("b", "two"),
        ("a", "one"),
    ]


@pytest.mark.parametrize(
    ("query", "said", "start"),
    [
        ("", "expected a command", 0),
        ("|", "expected a command", 1),
        ("fields", "a field", 6),
        ("fields @message |", "a command", 17),
        ("bogus x", "'bogus'", 0),
        ("filter n >", "a field", 10),
        ("filter (n = 1", "')'", 13),
        ("filter n = 'x", '"\'"', 11),
        ("filter n like", "a text or a regular expression", 13),
        ("filter n like /(/", "regular expression is wrong", 14),
        ("filter n like /a", "unterminated", 14),
        ("fields nosuch(1)", "unknown function", 7),
        ("fields strlen()", "number of arguments", 7),
        ("fields sum(n)", "belongs into stats", 7),
        ("stats sum(avg(n))", "belongs into stats", 10),
        ("stats n by m", "an aggregate", 8),
        ("stats count(*) by bin(5)", "a period", 22),
        ("stats count(*) by bin(5y)", "is no period", 22),
        ("stats pct(n, 101)", "between 0 and 100", 6),
        ("limit 0", "between 1 and", 6),
        ("limit 10001", "between 1 and", 6),
        ("limit x", "between 1 and", 6),
        ("parse 'a*b*' as x", "2 stars for 1 names", 6),
        ("parse @message /a+/", "names no group", 15),
        ("fields a b", "| or the end", 9),
        ("filter n in []x", "| or the end", 14),
        ("filter n in [m]", "a text or a number", 13),
        ("fields ?", "unexpected symbol", 7),
        ("filter " + "(" * 200 + "1", "nested too deeply", 71),
        ("fields " + "1 ^ " * 200 + "1", "nested too deeply", 263),
        ("x" * 10_001, "at most 10000 characters", 0),
        ("fields " + ",".join(["a"] * 201), "at most 200 fields", 408),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(query: str, said: str, start: int) -> None:
    with pytest.raises(MalformedQuery) as refused:
        parse_query(query, NOON)
    assert said in refused.value.message
    assert refused.value.members["queryCompileError"]["location"]["startCharOffset"] == start


@pytest.mark.parametrize("name", NOT_BUILT)
def test_commands_that_are_not_built_say_so(name: str) -> None:
    with pytest.raises(MalformedQuery, match=f"{name} is not built"):
        parse_query(f"fields @message | {name} @message", NOON)


def test_as_deep_as_it_may_be() -> None:
    depth = DEPTH_MAX - 1
    assert column("fields " + "(" * depth + "1" + ")" * depth + " as x", "m") == ["1"]
    assert column("filter " + "not " * 2_000 + "1 = 1 | stats count(*)", "m") == ["1"]
    assert column("fields " + "1+" * 4_000 + "1 as x", "m") == ["4001"]
    assert column("fields " + "2*" * 40 + "1 as x", "m") == [str(2**40)]
    assert column("filter 1" + " or 1" * 1_500 + " | stats count(*)", "m") == ["1"]


def test_a_regular_expression_that_takes_too_long_fits_nothing() -> None:
    assert rows("filter @message like /(a+)+b/ | stats count(*) as c", "a" * 1_500) == [{"c": "0"}]


WORDS = [
    "fields",
    "filter",
    "stats",
    "parse",
    "sort",
    "limit",
    "dedup",
    "display",
    "by",
    "as",
    "and",
    "or",
    "not",
    "like",
    "in",
    "|",
    ",",
    "(",
    ")",
    "[",
    "]",
    "=",
    "!=",
    "<",
    "=~",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@message",
    "a.b",
    "`x y`",
    "'t*'",
    "/(?<a>x*)/",
    "5m",
    "1",
    "1e999",
    "count(",
    "bin(",
    "pct(",
    *FUNCTIONS,
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_words_are_a_query_or_refused(query: str) -> None:
    try:
        parse_query(query, NOON)
    except MalformedQuery as refused:
        location = refused.members["queryCompileError"]["location"]
        assert 0 <= location["startCharOffset"] <= len(query)
        return
    found = ask(query, {"a": {"b": 1}, "x y": "t"}, "\ud800 \x00 \u202e text")
    assert found.scanned <= 2
