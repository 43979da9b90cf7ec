"""Updates: what AWS refuses of them, and what they make of an item."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, update, updated

ITEM: dict[str, Any] = {
    "pk": {"S": "p"},
    "n": {"N": "5"},
    "tags": {"SS": ["red", "blue"]},
    "nums": {"NS": ["1", "2"]},
    "m": {"M": {"x": {"N": "1"}, "l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}, "d": {"M": {}}}},
}
VALUES: dict[str, dict[str, Any]] = {
    ":one": {"N": "1"},
    ":s": {"S": "a"},
    ":b": {"B": "YQ=="},
    ":bool": {"BOOL": True},
    ":null": {"NULL": True},
    ":ss": {"SS": ["new", "red"]},
    ":both": {"SS": ["red", "blue"]},
    ":ns": {"NS": ["2", "3"]},
    ":m": {"M": {}},
    ":l": {"L": [{"S": "z"}]},
    ":big": {"N": "1e125"},
}


def values_of(text: str) -> dict[str, Any] | None:
    used = set(re.findall(r":[a-z]+", text))
    return {name: value for name, value in copy.deepcopy(VALUES).items() if name in used} or None


def refusal(text: str, names: dict[str, str] | None = None) -> str:
    with pytest.raises(ValidationException) as caught:
        update(text, ExpressionContext(names, values_of(text)), ["pk"])
    return caught.value.message.removeprefix("Invalid UpdateExpression: ")


def changes(text: str, names: dict[str, str] | None = None) -> dict[str, Any]:
    """The attributes that are different afterwards; None for what has gone."""
    before = copy.deepcopy(ITEM)
    new, _ = update(text, ExpressionContext(names, values_of(text)), ["pk"]).apply(ITEM)
    assert before == ITEM
    return {name: new.get(name) for name in {**ITEM, **new} if new.get(name) != ITEM.get(name)}


@pytest.mark.parametrize(
    "text",
    [
        "whatever",
        "set a",
        "add a",
        "delete a",
        "set a=set",
        "remove a = b",
        "add a = b",
        "delete a = b",
        "delete a b",
        "delete a if_not_exist(b)",
        "add abort b",
        "add a if_not_exist(b)",
        "remove a b",
        "set a b",
        "set :one = b",
        "add :one b",
        "delete :one b",
        "remove :one",
        "set a = b / c",
        "set a = b * c",
        'set a[1] = "eight"',
        "set a[1] = 1",
        "SET a = if_not_exist(a, 100)",
        "SET if_not_exist(a, b) = a",
        "set (a = (b + c))",
        "set a = (b.c).d + e",
        "set a = (b.c)[0] + e",
        "set a = b + c + d",
        "set a = b,",
        "set a = b, remove c",
        "set a = = b",
        "set set a = b",
        "set a = (b + c",
    ],
)
def test_syntax(text: str) -> None:
    assert refusal(text).startswith("Syntax error; token: ")


def test_syntax_error_word_for_word() -> None:
    assert refusal("INVALID SYNTAX HERE") == 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"'
    assert refusal("set a = b + c + d") == 'Syntax error; token: "+", near: "c + d"'
    assert refusal("SET a =") == 'Syntax error; token: "<EOF>", near: "="'
    assert refusal("SET _123 = :one") == 'Syntax error; token: "_", near: "SET _123"'
    assert refusal("") == "The expression can not be empty;"


@pytest.mark.parametrize("text", ["set b = :s set abOrt = true", "remove Absolute", "set b = if_not_exists(abort, :s)"])
def test_reserved_words(text: str) -> None:
    assert refusal(text).startswith("Attribute name is a reserved keyword; reserved keyword: ")


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("set #c = if_not_exist(:c) set c = d", None, "Invalid function name; function: if_not_exist"),
        (
            "set a = size(b)",
            None,
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "set a = list_append(list_append(:l, :l), :l)",
            None,
            "The function is not allowed to be used this way in an expression; function: list_append",
        ),
        *[
            (text, None, f'The "{section}" section can only be used once in an update expression;')
            for text, section in (
                ("set a = #c set c = :d", "SET"),
                ("remove #d set a = b remove e", "REMOVE"),
                ("add #d :e set a = b add e :f", "ADD"),
                ("delete #d :e set a = b delete #e :f", "DELETE"),
            )
        ],
        (
            "SET #c = if_not_exists(:c)",
            None,
            "An expression attribute name used in the document path is not defined; attribute name: #c",
        ),
        (
            "SET c = if_not_exists(:c)",
            None,
            "An expression attribute value used in expression is not defined; attribute value: :c",
        ),
        (
            "set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)",
            {"#c": "c"},
            (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [c, [1], a], path two: [c]"
            ),
        ),
        (
            "set #c[3].#d = a, #c[3] = a",
            {"#c": "c", "#d": "[3]"},
            (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [c, [3], [3]], path two: [c, [3]]"
            ),
        ),
        (
            "set #c[3].#d = a, #c.#d[3] = if_not_exists(a)",
            {"#c": "c", "#d": "[3]"},
            (
                "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                "path one: [c, [3], [3]], path two: [c, [3], [3]]"
            ),
        ),
        (
            "set a = :one, #a = :one",
            {"#a": "a"},
            (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [a], path two: [a]"
            ),
        ),
        (
            "set a = if_not_exists(c)",
            None,
            (
                "Incorrect number of operands for operator or function; operator or function: if_not_exists, "
                "number of operands: 1"
            ),
        ),
        (
            "set a = list_append(c, c, c)",
            None,
            (
                "Incorrect number of operands for operator or function; operator or function: list_append, "
                "number of operands: 3"
            ),
        ),
        (
            "set a = if_not_exists(:s, c)",
            None,
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "set a = if_not_exists(if_not_exists(a, b), c)",
            None,
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "set b = list_append(:s, a), c = if_not_exists(a) add a.b :s",
            None,
            (
                "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
                "typeSet: ALLOWED_FOR_ADD_OPERAND"
            ),
        ),
        *[
            (
                f"{section} a.b {value}",
                None,
                (
                    f"Incorrect operand type for operator or function; operator: {section.upper()}, "
                    f"operand type: {kind}, typeSet: ALLOWED_FOR_ADD_OPERAND"
                ),
            )
            for section, value, kind in (
                ("add", ":null", "NULL"),
                ("add", ":bool", "BOOL"),
                ("add", ":b", "BINARY"),
                ("add", ":m", "MAP"),
                ("add", ":l", "LIST"),
                ("delete", ":one", "NUMBER"),
                ("delete", ":l", "LIST"),
            )
        ],
        *[
            (
                text,
                None,
                (
                    "Incorrect operand type for operator or function; "
                    f"operator or function: {name}, operand type: {kind}"
                ),
            )
            for text, name, kind in (
                ("set a = list_append(:s, a)", "list_append", "S"),
                ("set a = list_append(a, :one)", "list_append", "N"),
                ("set a = list_append(a, :ss)", "list_append", "SS"),
                ("set a = a + :s", "+", "S"),
                ("set a = :b + a", "+", "B"),
                ("set a = a - :l", "-", "L"),
                ("set a = a - :ns", "-", "NS"),
            )
        ],
        (
            "set pk = :s",
            None,
            (
                "One or more parameter values were invalid: Cannot update attribute pk. "
                "This attribute is part of the key"
            ),
        ),
        (
            "remove #k",
            {"#k": "pk"},
            (
                "One or more parameter values were invalid: Cannot update attribute pk. "
                "This attribute is part of the key"
            ),
        ),
    ],
)
def test_refused(text: str, names: dict[str, str] | None, message: str) -> None:
    assert refusal(text, names) == message


ABSENT = "The provided expression refers to an attribute that does not exist in the item"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"
BAD_PATH = "The document path provided in the update expression is invalid for update"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set a = b", ABSENT),
        ("set a = b + :one", ABSENT),
        ("set a = list_append(b, :l)", ABSENT),
        ("set a = if_not_exists(b, c)", ABSENT),
        ("set a = tags + :one", WRONG_TYPE),
        ("set a = list_append(n, :l)", WRONG_TYPE),
        ("set a = n + :big", OVERFLOW),
        ("add tags :one", WRONG_TYPE),
        ("add tags :ns", WRONG_TYPE),
        ("add n :ss", WRONG_TYPE),
        ("delete n :ss", WRONG_TYPE),
        ("delete tags :ns", WRONG_TYPE),
        ("set q.z = :one", BAD_PATH),
        ("set n.z = :one", BAD_PATH),
        ("set n[0] = :one", BAD_PATH),
        ("set m[0] = :one", BAD_PATH),
        ("set m.l.x = :one", BAD_PATH),
        ("set m.l[9].x = :one", BAD_PATH),
        ("set m.q.z = :one", BAD_PATH),
        ("remove q.z", BAD_PATH),
        ("remove n[0]", BAD_PATH),
        ("add q.z :one", BAD_PATH),
        ("delete q.z :ss", BAD_PATH),
    ],
)
def test_refused_by_the_item(text: str, message: str) -> None:
    plan = update(text, ExpressionContext(None, values_of(text)), ["pk"])
    with pytest.raises(ValidationException) as caught:
        plan.apply(ITEM)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("set a = :one", {"a": {"N": "1"}}),
        ("SET a=:one,b = n", {"a": {"N": "1"}, "b": {"N": "5"}}),
        ("set n = n + :one", {"n": {"N": "6"}}),
        ("set n = :one - n", {"n": {"N": "-4"}}),
        ("set n = (n + :one)", {"n": {"N": "6"}}),
        ("set n = if_not_exists(q, :one) + n", {"n": {"N": "6"}}),
        ("set n = if_not_exists(n, :one) + :one", {"n": {"N": "6"}}),
        ("set q = if_not_exists(q, if_not_exists(z, n))", {"q": {"N": "5"}}),
        ("set q = list_append(if_not_exists(q, :l), :l)", {"q": {"L": [{"S": "z"}, {"S": "z"}]}}),
        ("set a = n, n = :one", {"a": {"N": "5"}, "n": {"N": "1"}}),
        ("set a = m.l[1]", {"a": {"S": "1"}}),
        ("remove n", {"n": None}),
        ("remove n, absent, tags", {"n": None, "tags": None}),
        ("add n :one", {"n": {"N": "6"}}),
        ("add q :one", {"q": {"N": "1"}}),
        ("add tags :ss", {"tags": {"SS": ["blue", "new", "red"]}}),
        ("add q :ss", {"q": {"SS": ["new", "red"]}}),
        ("delete tags :ss", {"tags": {"SS": ["blue"]}}),
        ("delete tags :both", {"tags": None}),
        ("delete nums :ns", {"nums": {"NS": ["1"]}}),
        ("delete q :ss", {}),
        (
            "set a = :one remove n add q :one delete tags :ss",
            {
                "a": {"N": "1"},
                "n": None,
                "q": {"N": "1"},
                "tags": {"SS": ["blue"]},
            },
        ),
    ],
)
def test_top_level(text: str, wanted: dict[str, Any]) -> None:
    assert changes(text) == wanted


L3 = [{"S": "0"}, {"S": "1"}, {"S": "2"}]


@pytest.mark.parametrize(
    ("text", "member", "wanted"),
    [
        ("set m.x = :one", "x", {"N": "1"}),
        ("set m.x = m.x + n", "x", {"N": "6"}),
        ("add m.x :one", "x", {"N": "2"}),
        ("remove m.x", "x", None),
        ("remove m.absent", "absent", None),
        ("set m.d.e = :s", "d", {"M": {"e": {"S": "a"}}}),
        ("set m.l[0] = :s", "l", {"L": [{"S": "a"}, *L3[1:]]}),
        ("set m.l[7] = :s", "l", {"L": [*L3, {"S": "a"}]}),
        ("set m.l[84] = :s, m.l[37] = :b, m.l[50] = :m", "l", {"L": [*L3, {"B": "YQ=="}, {"M": {}}, {"S": "a"}]}),
        ("remove m.l[1]", "l", {"L": [L3[0], L3[2]]}),
        ("remove m.l[0], m.l[2], m.l[9]", "l", {"L": [L3[1]]}),
        ("remove m.l[0] set m.l[1] = :s, m.l[9] = :b", "l", {"L": [{"S": "a"}, L3[2], {"B": "YQ=="}]}),
        ("set m.l = list_append(:l, m.l)", "l", {"L": [{"S": "z"}, *L3]}),
        ("add m.set :ss", "set", {"SS": ["new", "red"]}),
        ("delete m.absent :ss", "absent", None),
    ],
)
def test_nested(text: str, member: str, wanted: dict[str, Any] | None) -> None:
    names = None
    if "m.set" in text:
        text, names = text.replace("m.set", "m.#s"), {"#s": "set"}
    changed = changes(text, names)
    assert set(changed) <= {"m"}
    assert changed.get("m", ITEM["m"])["M"].get(member) == wanted


def test_removing_from_nothing_passes_on_an_item_yet_to_be_made() -> None:
    key = {"pk": {"S": "p"}}
    for text in ("REMOVE x.y", "REMOVE x[0]"):
        new, _ = update(text, ExpressionContext()).apply(key, exists=False)
        assert new == key


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("set n = :one", {"n": {"N": "5"}}, {"n": {"N": "1"}}),
        ("set q = :one", {}, {"q": {"N": "1"}}),
        ("remove n", {"n": {"N": "5"}}, {}),
        ("set m.x = :s", {"m": {"M": {"x": {"N": "1"}}}}, {"m": {"M": {"x": {"S": "a"}}}}),
        ("set m.l[1] = :s", {"m": {"M": {"l": {"L": [{"S": "1"}]}}}}, {"m": {"M": {"l": {"L": [{"S": "a"}]}}}}),
        ("set m.l[9] = :s", {}, {}),
        (
            "remove m.l[1]",
            {"m": {"M": {"l": {"L": [{"S": "1"}]}}}},
            {"m": {"M": {"l": {"L": [{"S": "2"}]}}}},
        ),
        (
            "set m.x = :s, m.l[0] = :s",
            {"m": {"M": {"x": {"N": "1"}, "l": {"L": [{"S": "0"}]}}}},
            {"m": {"M": {"x": {"S": "a"}, "l": {"L": [{"S": "a"}]}}}},
        ),
    ],
)
def test_what_was_touched(text: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    after, paths = update(text, ExpressionContext(None, values_of(text))).apply(ITEM)
    assert updated(ITEM, paths) == old
    assert updated(after, paths) == new


def test_index_keys_cannot_be_documents() -> None:
    plan = update("set d.x = :one", ExpressionContext(None, values_of(":one")))
    with pytest.raises(ValidationException) as caught:
        plan.check_keys(["pk"], ["d"])
    assert caught.value.message == (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: d"
    )


def test_documents_cannot_grow_too_deep() -> None:
    deep: dict[str, Any] = {"S": "leaf"}
    for _ in range(31):
        deep = {"M": {"n": deep}}
    item = {"pk": {"S": "p"}, "m": {"M": {}}, "deep": deep}
    with pytest.raises(ValidationException, match="Nesting Levels have exceeded supported limits"):
        update("set m.x = deep", ExpressionContext()).apply(item)
    update("set m.x = deep.n", ExpressionContext()).apply(item)


def test_limits() -> None:
    assert refusal("set " + ", ".join(f"a{n} = n + :one" for n in range(151))) == (
        "The expression contains too many operators; operator count: 301"
    )
    update("set " + ", ".join(f"a{n} = n + :one" for n in range(150)), ExpressionContext(None, values_of(":one")))
    nested = "set a = " + "if_not_exists(q," * 150 + "n" + ")" * 150
    assert update(nested, ExpressionContext()).apply(ITEM)[0]["a"] == {"N": "5"}
    assert refusal("set a = " + "if_not_exists(q," * 240 + "n" + ")" * 240)
    assert refusal("set a = " + "(" * 2000 + "n" + ")" * 2000)
    assert refusal("set a" + "[0]" * 1300 + " = n")


def test_taking_away_makes_no_item() -> None:
    for text, only in [
        ("remove a", True),
        ("remove a.b delete c :ss", True),
        ("remove a set b = :one", False),
        ("add a :one", False),
    ]:
        assert update(text, ExpressionContext(None, values_of(text))).only_removes is only
