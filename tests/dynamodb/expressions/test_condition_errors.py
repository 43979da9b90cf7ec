"""What AWS refuses of a condition, word for word and in AWS's order."""

from __future__ import annotations

from typing import Any

import pytest

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions import ExpressionContext, condition
from trine.dynamodb.expressions.reserved import RESERVED_WORDS

VALUES: dict[str, dict[str, Any]] = {
    ":s": {"S": "a"},
    ":n": {"N": "1"},
    ":b": {"B": "YQ=="},
    ":bool": {"BOOL": True},
    ":null": {"NULL": True},
    ":ss": {"SS": ["a"]},
    ":l": {"L": []},
    ":m": {"M": {}},
    ":two": {"N": "2"},
    ":type": {"S": "DOG"},
}


def refusal(text: str, names: dict[str, str] | None = None, parameter: str = "FilterExpression") -> str:
    with pytest.raises(ValidationException) as caught:
        condition(text, ExpressionContext(names, {name: dict(value) for name, value in VALUES.items()}), parameter)
    prefix = f"Invalid {parameter}: "
    assert caught.value.message.startswith(prefix)
    return caught.value.message[len(prefix) :]


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("things are not gonna be ok", "are", "things are not"),
        ("a > 4", "4", "> 4"),
        ("attribute_exists(Pictures-RearView)", "-", "Pictures-RearView"),
        ('attribute_exists("Pictures.RearView")', '"', '("Pictures'),
        ("attribute_exists(Pictures..RearView)", ".", "..RearView"),
        ("attribute_exists(asdf[a])", "a", "[a]"),
        ("a in b, c", "b", "in b,"),
        ("a > between", "between", "> between"),
        ("a in b", "b", "in b"),
        ("a in (b,c,)", ")", ",)"),
        ("(a)between(b.(c.d))and(c)", "(", ".(c"),
        ("(a)between(b.c.d)and((c)", "<EOF>", ")"),
        ("#$.b > a", "#", "#$"),
        ("a > :things.stuff", ".", ":things.stuff"),
        ("b[:a] > a", ":a", "[:a]"),
        ("b[#_] > a", "#_", "[#_]"),
        ("ü > a", "ü", "ü >"),
        ("size(a).b > a", ".", ").b"),
        ("(size(a)).b > a", ".", ").b"),
        ("size(a)[0] > a", "[", ")[0"),
        ("a >", "<EOF>", ">"),
        ("a", "<EOF>", "a"),
        (":s", "<EOF>", ":s"),
        ("a = b AND", "<EOF>", "AND"),
        ("(a = b) = c", "=", ") = c"),
        ("a AND b = c", "AND", "a AND b"),
        ("a = b b = c", "b", "b b ="),
        ("a != b", "!", "a !="),
        ("attribute_exists()", ")", "()"),
        ("(((", "<EOF>", "("),
        ("a = b\vAND c = d", "\v", "b\vAND"),
    ],
)
def test_syntax(text: str, token: str, near: str) -> None:
    assert refusal(text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize("text", ["", "   ", "\t\n"])
def test_empty(text: str) -> None:
    assert refusal(text) == "The expression can not be empty;"


@pytest.mark.parametrize(
    "text",
    [
        "a=a and a > ((views))",
        "(a)between(((b.c)).d)and(c)",
        "a > whatever((:things), ((a)))",
        "a=a AND ((a=a AND a=a)) AND a=a",
        "a=a OR ((a=a OR a=a)) OR a=a",
        "a=a AND ((a=a AND (a=a AND a=a)))",
        "((attribute_not_exists(pk)))",
        "NOT ((a = b))",
    ],
)
def test_redundant_parentheses(text: str) -> None:
    assert refusal(text) == "The expression has redundant parentheses;"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a=a and whatever((:things)) > a", "whatever"),
        ("attRIbute_exIsts((views), #a)", "attRIbute_exIsts"),
        ("abort = abort AND f(a)", "f"),
    ],
)
def test_unknown_functions(text: str, name: str) -> None:
    assert refusal(text) == f"Invalid function name; function: {name}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a=a and attribute_exists((views), (#a)) > b", "attribute_exists"),
        ("attribute_not_exists(things) > b", "attribute_not_exists"),
        ("attribute_type(things, :a) > b", "attribute_type"),
        ("begins_with(things, a) > b", "begins_with"),
        ("contains(:things, c) > b", "contains"),
        ("size(contains(a, b)) > a", "contains"),
        ("size(things)", "size"),
        ("a between b and attribute_exists(things)", "attribute_exists"),
        ("a in (b, attribute_exists(things))", "attribute_exists"),
        ("if_not_exists(a, a) = :s", "if_not_exists"),
        ("list_append(a, b)", "list_append"),
    ],
)
def test_misplaced_functions(text: str, name: str) -> None:
    assert refusal(text) == f"The function is not allowed to be used this way in an expression; function: {name}"


@pytest.mark.parametrize("text", ["a = :zz and abOrt = c", "a.abOrt = c", "size(abOrt) > :n", "a in (abOrt)"])
def test_reserved_words(text: str) -> None:
    assert refusal(text) == "Attribute name is a reserved keyword; reserved keyword: abOrt"


def test_there_are_573_reserved_words() -> None:
    assert len(RESERVED_WORDS) == 573
    for word in ("STATUS", "name"):
        assert "reserved" in refusal(f"{word} = :s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "#c = b and a = :zz",
            "An expression attribute name used in the document path is not defined; attribute name: #c",
        ),
        ("a.#c = b", "An expression attribute name used in the document path is not defined; attribute name: #c"),
        (
            "a = :zz",
            "An expression attribute value used in expression is not defined; attribute value: :zz",
        ),
        (
            "size(a, a) > :n",
            (
                "Incorrect number of operands for operator or function; operator or function: size, "
                "number of operands: 2"
            ),
        ),
        (
            "attribute_exists(a, b)",
            (
                "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
                "number of operands: 2"
            ),
        ),
        (
            "begins_with(a)",
            (
                "Incorrect number of operands for operator or function; operator or function: begins_with, "
                "number of operands: 1"
            ),
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_not_exists(size(a))",
            "Operator or function requires a document path; operator or function: attribute_not_exists",
        ),
        (
            "a.b[1] = a.b[1]",
            (
                "The first operand must be distinct from the remaining operands for this operator or function; "
                "operator: =, first operand: [a, b, [1]]"
            ),
        ),
        (
            "contains(#data, data0)",
            (
                "The first operand must be distinct from the remaining operands for this operator or function; "
                "operator: contains, first operand: [data0]"
            ),
        ),
        (
            "attribute_type(a, :n)",
            ("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"),
        ),
        (
            "attribute_type(a, b)",
            (
                "Incorrect operand type for operator or function; operator or function: attribute_type, "
                "operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
            ),
        ),
        (
            "attribute_type(a, :type)",
            "Invalid attribute type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "a between :two and :n",
            (
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        (
            "a between :two and :s",
            (
                "The BETWEEN operator requires same data type for lower and upper bounds; "
                "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {S:a}"
            ),
        ),
        (
            f"a in ({', '.join([':n'] * 101)})",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
    ],
)
def test_operands(text: str, message: str) -> None:
    names = {"#data": "data0"} if "#data" in text else None
    assert refusal(text, names) == message


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        *[(f"size({value})> a", "size", kind) for value, kind in ((":n", "N"), (":bool", "BOOL"), (":null", "NULL"))],
        ("size(size(a)) > :n", "size", "N"),
        ("begins_with(a, :n)", "begins_with", "N"),
        ("begins_with(:bool, a)", "begins_with", "BOOL"),
        ("begins_with(a, size(b))", "begins_with", "N"),
        ("a < :l", "<", "L"),
        (":m >= a", ">=", "M"),
        ("a between :l and :l", "BETWEEN", "L"),
        ("a > :bool", ">", "BOOL"),
    ],
)
def test_operand_types(text: str, name: str, kind: str) -> None:
    assert refusal(text) == (
        f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"
    )


def test_faults_are_found_condition_by_condition() -> None:
    assert ":missing" in refusal("pk = :missing AND begins_with(sk, :n)")
    assert "operand type: N" in refusal("begins_with(sk, :n) AND pk = :missing")


def test_size() -> None:
    longest = "a" + " " * (4096 - len("a = :s")) + " = :s"
    assert len(longest) == 4096
    condition(longest, ExpressionContext(None, {":s": {"S": "x"}}))
    assert refusal(longest + " ") == "Expression size has exceeded the maximum allowed size; expression size: 4097"
    assert refusal("(" * 15000) == "Expression size has exceeded the maximum allowed size; expression size: 15000"
    assert refusal("é" * 2049) == "Expression size has exceeded the maximum allowed size; expression size: 4098"


TOO_MANY = "The expression contains too many operators; operator count: 301"


def test_three_hundred_operators_and_no_more() -> None:
    values = {":v": {"S": "x"}}
    condition(" and ".join(["a=:v"] * 150), ExpressionContext(None, values))
    assert refusal(" and ".join(["a=:s"] * 151)) == TOO_MANY
    assert refusal(" or ".join(["a=:s"] * 400)) == TOO_MANY
    assert refusal("not " * 1000 + "a<b") == TOO_MANY
    condition("a<b " + "or (a<b " * 149 + ")" * 149, ExpressionContext())
    assert refusal("a<b " + "or (a<b " * 454 + ")" * 454) == TOO_MANY


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4096,
        "(" * 2046 + "a<b" + ")" * 2046,
        "a < " + "f(" * 1355 + "b" + ")" * 1355,
        "a < " + "size(" * 680 + "b" + ")" * 680,
        "a" + ".b" * 2000 + " = :s",
        "a" + "[0]" * 1300 + " = :s",
        "(" * 1000 + "a" + ")" * 1000 + " = :s",
        "attribute_exists(" + "(" * 1000 + "a" + ")" * 1000 + ")",
        "NOT (" * 600 + "a = b" + ")" * 600,
        "a in (" * 500,
        "a between " * 400,
    ],
)
def test_deep_nesting_is_refused_and_never_overflows(text: str) -> None:
    assert refusal(text)


def test_paths_have_limits() -> None:
    condition("a" + ".b" * 31 + " = c", ExpressionContext())
    assert refusal("a" + ".b" * 32 + " = c") == "The document path has too many nesting levels; nesting levels: 33"
    assert refusal("a[99999999999999] = c") == ("List index is not within the allowable range; index: [99999999999999]")


def test_names_and_values_are_checked_first() -> None:
    for names, values, message in [
        ({}, None, "ExpressionAttributeNames must not be empty"),
        ({"a": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
        ({"#a.b": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a.b"'),
        (None, {}, "ExpressionAttributeValues must not be empty"),
        (None, {"a": {"S": "a"}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "a"'),
        (
            None,
            {":b": {"a": ""}, "b": {"S": "a"}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "b"',
        ),
        (
            None,
            {":b": {"SS": []}},
            (
                "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: "
                "An string set  may not be empty for key :b"
            ),
        ),
    ]:
        with pytest.raises(ValidationException) as caught:
            ExpressionContext(names, values)  # type: ignore[arg-type]
        assert caught.value.message == message


def test_what_no_expression_uses_is_refused() -> None:
    context = ExpressionContext({"#a": "a", "#b": "b"}, {":v": {"N": "1"}, ":w": {"N": "1"}})
    condition("#a = :v", context)
    with pytest.raises(ValidationException) as caught:
        context.check_all_used()
    assert caught.value.message == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}"
    condition("#b = :v", context)
    with pytest.raises(ValidationException) as caught:
        context.check_all_used()
    assert caught.value.message == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"
    condition("x > :w", context)
    context.check_all_used()
