"""What every part of the PartiQL parser does: step through tokens, name attributes and values, read paths.

One `Reader` per statement. Attribute names and literal values get placeholders, as the syntax trees of `expressions`
want them. Faults are ValidationExceptions with AWS's sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import Function, Operand, Path, Value
from trine.dynamodb.limits import DOCUMENT_MAX_LEVELS, LIST_INDEX_MAX
from trine.dynamodb.partiql.statement import Filled, Parameter
from trine.dynamodb.partiql.token import (
    END,
    NUMBER,
    PARAMETER,
    QUOTED,
    WORD,
    Token,
    not_well_formed,
    tokens,
)

LEFTOVER = "Unexpected token after expression"
# Words that cannot be attribute names without quotes: the ones that shape a statement, and SQL's joins.
KEYWORDS = frozenset(
    """
    ALL AND ANY AS ASC AT BETWEEN BY CASE CAST CREATE CROSS DELETE DESC DISTINCT DROP ELSE EXCEPT EXISTS FALSE FROM
    FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT MISSING NOT NULL ON OR ORDER OUTER PIVOT
    REMOVE RETURNING RIGHT SELECT SET THEN TRUE UNION UNPIVOT UPDATE VALUE VALUES WHEN WHERE
    """.split()  # noqa: SIM905
)

OPERATORS = frozenset(("AND", "BETWEEN", "IN", "IS", "LIKE", "OR"))


class Reader:
    """The tokens of one statement and what was found in them."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.index = 0
        self.token: Token = self.tokens[0]
        self.names: dict[str, str] = {}
        self.values: dict[str, Filled] = {}
        self.parameters = 0

    def advance(self) -> Token:
        """This token; the next one becomes current."""
        token = self.token
        if token.kind != END:
            self.index += 1
            self.token = self.tokens[self.index]
        return token

    def accept(self, kind: str) -> bool:
        """Whether the current token is of `kind`; steps over it."""
        if self.token.kind != kind:
            return False
        self.advance()
        return True

    def accept_keyword(self, *keywords: str) -> str | None:
        """The current token's keyword when it is one of `keywords`; steps over it."""
        keyword = self.token.keyword
        if not keyword or keyword not in keywords:
            return None
        self.advance()
        return keyword

    def expect(self, kind: str) -> Token:
        """The current token, which must be of `kind`."""
        if self.token.kind != kind:
            raise self.unexpected()
        return self.advance()

    def expect_keyword(self, keyword: str) -> None:
        """Step over `keyword`."""
        if self.accept_keyword(keyword) is None:
            raise self.unexpected()

    def unexpected(self) -> ValidationException:
        """The current token does not fit."""
        if self.token.kind in (END, ";"):
            return not_well_formed("Unexpected term")
        if self.token.keyword in OPERATORS:
            return not_well_formed("Unexpected operator")
        return not_well_formed("Unexpected keyword" if self.token.keyword in KEYWORDS else "Unexpected token")

    def next_is_call(self) -> bool:
        """Whether a word with an opening parenthesis comes."""
        return self.token.kind == WORD and self.tokens[self.index + 1].kind == "("

    def call(self, known: Container[str], argument: Callable[[str], Operand]) -> Function:
        """A function of those that are `known` here; `argument` reads one, for the function of that name."""
        token = self.advance()
        name = token.text.lower()
        if name not in known:
            raise ValidationException(f"Unrecognized function: {name} {token.place}")
        self.expect("(")
        arguments: list[Operand] = []
        while not self.accept(")"):
            if arguments:
                self.expect(",")
            arguments.append(argument(name))
        return Function(name, tuple(arguments))

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute name."""
        for placeholder, known in self.names.items():
            if known == attribute:
                return placeholder
        placeholder = f"#{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, content: Filled) -> Value:
        """A placeholder for a literal or parameter."""
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = content
        return Value(placeholder)

    def parameter(self) -> Parameter:
        """Step over a `?`."""
        self.expect(PARAMETER)
        self.parameters += 1
        return Parameter(self.parameters - 1)

    def is_name(self) -> bool:
        """Whether the current token can begin a path."""
        token = self.token
        return token.kind == QUOTED or (token.kind == WORD and token.keyword not in KEYWORDS)

    def path(self) -> Path:
        """A document path: `a`, `"a b".c[3]`."""
        if not self.is_name():
            raise self.unexpected()
        elements: list[str | int] = [self._element()]
        while True:
            if self.accept("."):
                if not self.is_name():
                    raise not_well_formed("Invalid path dot component")
                elements.append(self._element())
            elif self.accept("["):
                elements.append(self._list_index())
                self.expect("]")
            else:
                break
        if len(elements) > DOCUMENT_MAX_LEVELS:
            raise ValidationException(f"The document path has too many nesting levels; nesting levels: {len(elements)}")
        return Path(tuple(elements))

    def _element(self) -> str:
        name = self.advance().text
        if not name:
            raise ValidationException("Path component cannot be an empty string")
        return self.name(name)

    def _list_index(self) -> int:
        if self.token.kind == "*":
            raise ValidationException("Wildcard path component like a[*].b are not supported")
        negative = self.accept("-")
        token = self.expect(NUMBER)
        if not token.text.isdecimal():
            raise not_well_formed("Unexpected token")
        # The length is bounded: int() of a long text is slow, and none of it is an index.
        if len(token.text) > 10 or int(token.text) > LIST_INDEX_MAX or (negative and int(token.text) > 0):
            sign = "-" if negative else ""
            raise ValidationException(
                f"List index is not within the allowable range; index: [{sign}{token.text}] {token.place}"
            )
        return int(token.text)
