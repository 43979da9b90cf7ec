"""What PartiQL statements do: plans run over a handful of items."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.condition import compile_condition
from trine.dynamodb.expressions.functions import begins_with
from trine.dynamodb.expressions.key_condition import KeyCondition
from trine.dynamodb.model.attribute import compare
from trine.dynamodb.model.table import TableDefinition
from trine.dynamodb.partiql import (
    DeletePlan,
    ExistsPlan,
    InsertPlan,
    SelectPlan,
    UpdateStatementPlan,
    check_parameters,
    make_plan,
    parse,
)

TABLE = TableDefinition.from_document(
    {
        "TableName": "things",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }
)
ITEMS: list[dict[str, Any]] = [
    {
        "pk": {"S": pk},
        "sk": {"N": str(sk)},
        "n": {"N": str(sk * 10)},
        "s": {"S": f"{pk}-{sk}"},
        "ss": {"SS": ["a", "b"]},
        "m": {"M": {"sub": {"S": "x"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}},
        "nul": {"NULL": True},
        "flag": {"BOOL": sk == 1},
        **({"g": {"S": "G"}} if sk > 1 else {}),
    }
    for pk in "ab"
    for sk in (1, 2, 3)
]


def in_range(item: dict[str, Any], read: KeyCondition) -> bool:
    if any(item.get(name) != value for name, value in read.partition_key.items()):
        return False
    if read.operator is None:
        return True
    value = item.get(read.schema.sort[0].name)
    if value is None:
        return False
    orders = [compare(value, operand) for operand in read.operands]
    if read.operator == "BETWEEN":
        return orders[0] in (0, 1) and orders[1] in (-1, 0)
    if read.operator == "begins_with":
        return begins_with(value, read.operands[0])
    return orders[0] in {"=": (0,), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[read.operator]


def plan_of(text: str, parameters: list[Any] | None = None) -> Any:
    check_parameters(parameters)
    return make_plan(parse(text), parameters, TABLE)


def run(text: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    plan = plan_of(text, parameters)
    assert isinstance(plan, SelectPlan)
    found = []
    for read in plan.reads if plan.reads is not None else (None,):
        part = [item for item in ITEMS if read is None or in_range(item, read)]
        if plan.reverse:
            part.reverse()
        found += [item for item in part if plan.accept is None or plan.accept(item)]
    return [plan.project(item) if plan.project else item for item in found]


def keys(text: str, parameters: list[Any] | None = None) -> list[str]:
    return [item["s"]["S"] for item in run(text, parameters)]


ALL = ["a-1", "a-2", "a-3", "b-1", "b-2", "b-3"]


@pytest.mark.parametrize(
    ("where", "wanted", "reads"),
    [
        ("pk = 'a'", ALL[:3], 1),
        ("'a' = pk", ALL[:3], 1),
        ("pk = 'a' AND sk = 2", ["a-2"], 1),
        ("pk = 'a' AND sk > 1", ["a-2", "a-3"], 1),
        ("pk = 'a' AND 2 >= sk", ["a-1", "a-2"], 1),
        ("pk = 'a' AND sk BETWEEN 2 AND 3", ["a-2", "a-3"], 1),
        ("pk = 'a' AND sk IN [1, 3]", ["a-1", "a-3"], 2),
        ("pk = 'a' AND sk IN (1, 3)", ["a-1", "a-3"], 2),
        ("pk = 'a' AND (sk < 1 OR sk > 1 OR sk = 1)", ["a-1", "a-2", "a-3"], 1),
        ("pk = 'a' OR pk = 'a' AND NOT sk = 1", ["a-1", "a-2", "a-3"], 1),
        ("pk = 'a' AND NOT (sk = 1) OR pk = 'a' AND sk = 2", ["a-2", "a-3"], 1),
        ("pk = 'a' AND NOT sk > 5 OR pk = 'a' AND sk = 2", ["a-1", "a-2", "a-3"], 1),
        ("pk IN ['a', 'b'] AND sk = 3", ["a-3", "b-3"], 2),
        ("pk = 'a' OR pk = 'b'", ALL, 2),
        ("(pk = 'a' AND sk = 1) OR (pk = 'b' AND sk = 2)", ["a-1", "b-2"], 2),
        ("pk = 'a' AND (sk = 1 OR sk = 3)", ["a-1", "a-3"], 1),
        ("pk = 'a' AND NOT sk = 1", ["a-2", "a-3"], 1),
        ("pk = 'a' AND sk <> 1 OR pk = 'a' AND sk = 1", ["a-1", "a-2", "a-3"], 1),
        ("pk = 'a' AND NOT sk IN [1, 3]", ["a-2"], 1),
        ("pk = 'a' AND sk NOT IN [1, 3]", ["a-2"], 1),
        ("pk = 'a' AND sk NOT BETWEEN 1 AND 2", ["a-3"], 1),
        ("pk = 'a' AND sk = 1 AND sk > 0", ["a-1"], 1),
        ("pk = 'a' AND pk = 'b'", [], 1),
        ("(pk = 'a' AND sk = 1) AND n = 10", ["a-1"], 1),
        ("sk = 1", ["a-1", "b-1"], None),
        ("pk > 'a'", ALL[3:], None),
        ("pk = 'a' OR sk = 1", ["a-1", "a-2", "a-3", "b-1"], None),
        ("n = 20", ["a-2", "b-2"], None),
        ("n >= 20 AND n < 30", ["a-2", "b-2"], None),
        ("n = 2e1 OR n = 30.0", ["a-2", "a-3", "b-2", "b-3"], None),
        ("n > -5 AND n > - - 25", ["a-3", "b-3"], None),
        ("begins_with(s, 'a-')", ALL[:3], None),
        ("BEGINS_WITH(s, 'a-') AND contains(ss, 'b')", ALL[:3], None),
        ("contains(ss, 'z')", [], None),
        ("size(ss) = 2 AND size(s) < 4", ALL, None),
        ("attribute_type(ss, 'SS')", ALL, None),
        ("attribute_exists(g)", ["a-2", "a-3", "b-2", "b-3"], None),
        ("attribute_not_exists(g)", ["a-1", "b-1"], None),
        ("NOT attribute_exists(g)", ["a-1", "b-1"], None),
        ("g IS MISSING", ["a-1", "b-1"], None),
        ("g IS NOT MISSING AND sk = 2", ["a-2", "b-2"], None),
        ("nul IS NULL", ALL, None),
        ("s IS NULL", [], None),
        ("s IS NOT NULL", ALL, None),
        ("flag IS BOOL AND s IS STRING AND m IS STRUCT AND n IS NUMERIC", ALL, None),
        ("flag = true", ["a-1", "b-1"], None),
        ('m.sub = \'x\' AND m.l[1] = 2 AND "m"."l"[0] = 1', ALL, None),
        ("attribute_exists(g) = false", ["a-1", "b-1"], None),
        ("true = attribute_exists(g) AND sk = 3", ["a-3", "b-3"], None),
        ("attribute_exists(g) <> 1", ALL, None),
        ("contains(absent, 'z') = false", ALL, None),
        ("(n BETWEEN 0 AND 15) = true", ["a-1", "b-1"], None),
        ("(n = 10 OR s = 'x') = false AND sk = 2", ["a-2", "b-2"], None),
        ("attribute_exists(absent) IN [true, false]", ALL, None),
        ("attribute_exists(n) = attribute_exists(s)", ALL, None),
        ("attribute_exists(g) = flag", [], None),
        ("attribute_exists(n) = 1", [], None),
        ("(attribute_exists(n) = true) = false", [], None),
        ("ss = <<'b', 'a'>>", ALL, None),
        ("m.l = [1, 2]", ALL, None),
    ],
)
def test_where(where: str, wanted: list[str], reads: int | None) -> None:
    text = f"SELECT * FROM things WHERE {where}"
    assert sorted(keys(text)) == wanted
    plan = plan_of(text)
    assert (None if plan.reads is None else len(plan.reads)) == reads
    assert (plan.key is not None) == (reads == 1 and plan.reads[0].operator == "=")


@pytest.mark.parametrize(
    "where",
    [
        "pk IN ['a', 'a']",
        "pk = 'a' OR pk = 'a'",
        "pk = 'a' AND (sk > 0 OR sk < 5)",
        "pk = 'a' AND (sk BETWEEN 1 AND 3 OR sk = 3)",
        "pk = 'a' AND (sk = 1 OR flag = true)",
        "pk = 'a' AND sk IN [1, 1.0]",
        "(pk = 'a' AND flag = true) OR (pk = 'a' AND flag = false)",
        "pk IN ['b', 'a'] AND sk > 1 OR pk = 'a' AND sk = 2",
    ],
)
def test_alternatives_that_meet_are_refused(where: str) -> None:
    with pytest.raises(ValidationException) as caught:
        plan_of(f"SELECT * FROM things WHERE {where}")
    assert caught.value.message == "Overlapping conditions with range keys are not supported in where clause"


LEAVES = [
    *(f"pk {operator} '{value}'" for operator in ("=", "<>", ">", "<=") for value in "ab"),
    *(f"sk {operator} {value}" for operator in ("=", "<>", ">", "<=", ">=", "<") for value in (1, 2, 3)),
    "pk IN ['a', 'b']",
    "pk IN ['b']",
    "sk IN [1, 3]",
    "sk BETWEEN 2 AND 3",
    "begins_with(pk, 'a')",
    "n = 20",
    "attribute_exists(g)",
    "2 > sk",
]
clauses = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"NOT ({text})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(clauses)
def test_what_is_read_is_all_that_the_clause_accepts(where: str) -> None:
    text = f"SELECT * FROM things WHERE {where}"
    try:
        plan = plan_of(text)
    except ValidationException as refusal:
        assert "Overlapping" in refusal.message  # noqa: PT017
        return
    statement = parse(text)
    assert statement.where is not None
    test, values = compile_condition(statement.where), statement.filled(None)
    wanted = sorted(item["s"]["S"] for item in ITEMS if test(item, statement.names, values))
    assert sorted(keys(text)) == wanted
    assert plan.reads is None or len(plan.reads) <= 6


def test_only_the_key() -> None:
    for where, only in [
        ("pk = 'a' AND sk = 1", True),
        ("sk = 1 AND (pk = 'a' AND pk = 'a')", True),
        ("pk IN ['a'] AND sk IN [1]", True),
        ("pk = 'a' AND sk = 1 AND n = 10", False),
        ("pk = 'a' AND sk = 1 AND pk = 'b'", False),
        ("pk = 'a'", False),
    ]:
        plan = plan_of(f"SELECT * FROM things WHERE {where}")
        assert plan.only_key is only
        if only:
            assert plan.key == {"pk": {"S": "a"}, "sk": {"N": "1"}}
            assert plan.accept is None


def test_without_where_it_is_a_scan() -> None:
    plan = plan_of("SELECT * FROM things")
    assert (plan.key, plan.reads, plan.accept, plan.project, plan.attributes) == (None, None, None, None, None)


def test_indexes() -> None:
    plan = plan_of("SELECT s FROM things.\"by-g\" WHERE g = 'G' AND n > 20")
    assert plan.index_name == "by-g"
    assert plan.key is None
    assert plan.reads[0].partition_key == {"g": {"S": "G"}}
    assert plan.attributes == {"s"}
    assert plan_of("SELECT * FROM things.\"by-g\" WHERE pk = 'a'").reads is None


def test_order() -> None:
    assert keys("SELECT * FROM things WHERE pk = 'a' ORDER BY sk DESC") == ["a-3", "a-2", "a-1"]
    assert keys("SELECT * FROM things WHERE pk = 'a' ORDER BY sk ASC") == ["a-1", "a-2", "a-3"]
    assert keys("SELECT * FROM things WHERE pk = 'a' ORDER BY pk, sk DESC") == ["a-3", "a-2", "a-1"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pk IN ['a', 'b'] ORDER BY pk DESC", ["b-1", "b-2", "b-3", "a-1", "a-2", "a-3"]),
        ("pk IN ['b', 'a'] ORDER BY pk, sk DESC", ["a-3", "a-2", "a-1", "b-3", "b-2", "b-1"]),
        ("pk = 'b' OR pk = 'a' ORDER BY pk", ALL),
        ("pk = 'a' AND sk IN [2, 3, 1] ORDER BY sk", ["a-1", "a-2", "a-3"]),
        ("pk = 'a' AND sk IN [2, 3, 1] ORDER BY sk DESC", ["a-3", "a-2", "a-1"]),
        ("pk IN ['a', 'b'] AND sk IN [1, 2] ORDER BY sk DESC, pk", ["a-2", "b-2", "a-1", "b-1"]),
        ("pk IN ['a', 'b'] AND sk IN [1, 2] ORDER BY pk DESC, sk", ["b-1", "b-2", "a-1", "a-2"]),
        ("pk IN ['b', 'a'] AND sk > 2 ORDER BY sk", ["b-3", "a-3"]),
    ],
)
def test_order_of_several_reads(text: str, wanted: list[str]) -> None:
    assert keys(f"SELECT * FROM things WHERE {text}") == wanted


def test_projection() -> None:
    where = " FROM things WHERE pk = 'a' AND sk = 1"
    assert run(f"SELECT s, absent, n{where}") == [{"s": {"S": "a-1"}, "n": {"N": "10"}}]
    assert run(f"SELECT m.sub, m.l[1]{where}") == [{"sub": {"S": "x"}, "l[1]": {"N": "2"}}]
    assert run(f'SELECT "s"{where}') == [{"s": {"S": "a-1"}}]
    assert run(f"SELECT m.l[-0]{where};") == [{"l[0]": {"N": "1"}}]


def test_comments_are_space() -> None:
    for text in (
        "SELECT * FROM things WHERE pk = 'a' AND sk = 1 -- a note",
        "SELECT * FROM things -- a note\nWHERE pk = 'a' AND sk = 1",
        "-- a note\nSELECT/**/* FROM things WHERE pk/* key */='a' AND sk = 1;",
        "select * from things where pk = 'a' and sk = 1",
    ):
        assert keys(text) == ["a-1"]
    assert keys("SELECT * FROM things WHERE s = 'a--1 /* it''s */'") == []


def test_parameters() -> None:
    text = "SELECT * FROM things WHERE pk = ? AND sk IN [?, 3]"
    assert keys(text, [{"S": "a"}, {"N": "1.0"}]) == ["a-1", "a-3"]
    assert keys(text, [{"S": "b"}, {"N": "2"}]) == ["b-2", "b-3"]
    assert keys("SELECT * FROM things WHERE n < ?", [{"S": "x"}]) == []


def test_insert() -> None:
    plan = plan_of(
        "INSERT INTO things VALUE {'pk': ?, 'sk': 7.32e1, 'l': [1, 'x', {'a': null}], 'set': <<1, 2>>, 't': true}",
        [{"S": "new"}],
    )
    assert isinstance(plan, InsertPlan)
    assert plan.key == {"pk": {"S": "new"}, "sk": {"N": "73.2"}}
    assert plan.item == {
        "pk": {"S": "new"},
        "sk": {"N": "73.2"},
        "l": {"L": [{"N": "1"}, {"S": "x"}, {"M": {"a": {"NULL": True}}}]},
        "set": {"NS": ["1", "2"]},
        "t": {"BOOL": True},
    }


WHERE = "WHERE pk = 'a' AND sk = 1"


@pytest.mark.parametrize(
    ("clauses", "wanted"),
    [
        ("SET z = 1", {"z": {"N": "1"}}),
        ("SET z = n + 1, n = 0", {"z": {"N": "11"}, "n": {"N": "0"}}),
        ("SET n=n-1", {"n": {"N": "9"}}),
        ("SET n = n - - 2", {"n": {"N": "12"}}),
        ("SET z = 'it''s' REMOVE flag", {"z": {"S": "it's"}, "flag": None}),
        ("SET z = 1 SET y = 2 REMOVE nul, flag", {"z": {"N": "1"}, "y": {"N": "2"}, "nul": None, "flag": None}),
        ("SET z = [- 1, {'k': 2}]", {"z": {"L": [{"N": "-1"}, {"M": {"k": {"N": "2"}}}]}}),
        ("SET ss = set_add(ss, <<'b', 'c'>>)", {"ss": {"SS": ["a", "b", "c"]}}),
        ("SET ss = SET_DELETE(ss, <<'a', 'zz'>>)", {"ss": {"SS": ["b"]}}),
        ("SET ss = set_delete(ss, <<'a', 'b'>>)", {"ss": None}),
        ("SET t = set_add(t, <<7>>)", {"t": {"NS": ["7"]}}),
        ("SET t = set_delete(t, <<7>>)", {}),
        ("SET z = list_append(m.l, [3])", {"z": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}}),
        ("SET z = if_not_exists(z, 5)", {"z": {"N": "5"}}),
        ("SET m.sub = 'y'", {"m": {"M": {"sub": {"S": "y"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}}}),
        ("REMOVE m.l[0]", {"m": {"M": {"sub": {"S": "x"}, "l": {"L": [{"N": "2"}]}}}}),
    ],
)
def test_update(clauses: str, wanted: dict[str, Any]) -> None:
    for text in (f"UPDATE things {clauses} {WHERE}", f"FROM things {WHERE} {clauses}"):
        plan = plan_of(text)
        assert isinstance(plan, UpdateStatementPlan)
        assert plan.key == {"pk": {"S": "a"}, "sk": {"N": "1"}}
        assert plan.condition(ITEMS[0])
        assert not plan.condition({})
        new, _ = plan.update.apply(ITEMS[0])
        assert {k: new.get(k) for k in {**ITEMS[0], **new} if new.get(k) != ITEMS[0].get(k)} == wanted


def test_writes_have_conditions() -> None:
    plan = plan_of(f"UPDATE things SET z = 1 {WHERE} AND n = 11 RETURNING MODIFIED NEW *")
    assert plan.returning == "MODIFIED NEW"
    assert not plan.condition(ITEMS[0])
    plan = plan_of(f"DELETE FROM things {WHERE}")
    assert isinstance(plan, DeletePlan)
    assert plan.condition is None
    plan = plan_of(f"DELETE FROM things {WHERE} AND attribute_exists(n) RETURNING ALL OLD *")
    assert (plan.condition(ITEMS[0]), plan.condition({}), plan.returning) == (True, False, "ALL OLD")
    plan = plan_of(f"EXISTS(SELECT * FROM things {WHERE} AND absent IS MISSING)")
    assert isinstance(plan, ExistsPlan)
    assert plan.condition(ITEMS[0])


def test_what_to_authorize_is_known_before_the_table() -> None:
    statement = parse('SELECT * FROM "things"."by-g" WHERE g = \'x\'')
    assert (statement.kind, statement.table_name, statement.index_name) == ("SELECT", "things", "by-g")
    assert parse("FROM things WHERE pk = 'x' SET a = 1").kind == "UPDATE"
    assert parse("EXISTS(SELECT * FROM things WHERE pk = 'x')").kind == "EXISTS"


WORDS = (  # noqa: SIM905
    "SELECT * FROM things WHERE pk = 'a' AND OR NOT sk IN [ ] ( ) { } << >> , . : ? 1 -1 1e5 'x' \"q\" IS MISSING NULL "
    "SET REMOVE UPDATE DELETE INSERT INTO VALUE RETURNING ALL OLD ORDER BY DESC BETWEEN size( contains( set_add( n + - "
    "true EXISTS( /* */ -- ; é"
).split(" ")


@settings(max_examples=150)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join),
        st.lists(st.sampled_from(WORDS), max_size=20).map(
            lambda words: "SELECT * FROM things WHERE pk = 'a' AND " + " ".join(words)
        ),
        st.lists(st.sampled_from(WORDS), max_size=20).map(lambda words: "UPDATE things SET " + " ".join(words)),
    )
)
def test_any_text(text: str) -> None:
    for parameters in (None, [{"S": "a"}]):
        with contextlib.suppress(ValidationException):
            plan = make_plan(parse(text), parameters, TABLE)
            if isinstance(plan, SelectPlan) and plan.accept is not None:
                assert all(plan.accept(item) in (True, False) for item in ITEMS)
            if isinstance(plan, UpdateStatementPlan):
                plan.update.apply(ITEMS[0])
