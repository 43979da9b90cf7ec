"""Expressions of a query: from words to closures over rows. Pure.

`or`, `and`, `not`, comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`, `like`, `=~`, `in`), `+ -`, `* / %`, `^`, signs,
calls; in `stats` also aggregates. Truth is 1 and 0. A comparison with a field that is missing does not hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from trine.aws.patterns import Pattern, PatternRefused, compile_pattern
from trine.logs.insights.aggregate import AGGREGATES, Aggregate, Count, Percentile
from trine.logs.insights.command import Evaluate, Row, Sum
from trine.logs.insights.function import FUNCTIONS, UNIT_MS
from trine.logs.insights.token import MalformedQuery, Token, malformed
from trine.logs.insights.value import Moment, Value, compared, is_true, number, text

NUMBER_MAX = 1e300
"""Beyond it nothing is computed any more: numbers stay small."""
DEPTH_MAX = 64
"""Parentheses and calls inside one another."""
_HOLDS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0, "!=": lambda order: order != 0, "<": lambda order: order < 0,
    "<=": lambda order: order <= 0, ">": lambda order: order > 0, ">=": lambda order: order >= 0,
}  # fmt: skip
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")


class Expressions:
    """Reads expressions from the words of a query; `at` is the place of the next one."""

    def __init__(self, tokens: list[Token], query: str, now_ms: int) -> None:
        self._tokens, self._query, self._now_ms = tokens, query, now_ms
        self.at = 0
        self._depth = 0
        self.sums: list[Sum] | None = None
        """Aggregates found so far; None where none may stand."""

    # -- words -------------------------------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        """The next word."""
        return self._tokens[self.at]

    def take(self) -> Token:
        """The next word, which is passed."""
        token = self._tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def passes(self, *words: str) -> bool:
        """Pass the next word when it is one of these."""
        if self.next.says(*words):
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """Pass a word that must come. MalformedQuery."""
        if not self.passes(word):
            raise self.unexpected(f"{word!r}")

    def unexpected(self, wanted: str) -> MalformedQuery:
        """What to say of the next word."""
        token = self.next
        said = "the end of the query" if token.kind == "end" else repr(token.text[:60])
        return malformed(
            f"unexpected symbol found {said}, expected {wanted}", token.start, max(token.stop, token.start + 1)
        )

    def field_name(self) -> str:
        """A field's name. MalformedQuery."""
        if self.next.kind not in ("name", "quoted"):
            raise self.unexpected("a field")
        return self.take().text

    def text_since(self, first: int) -> str:
        """The query's own text from the word `first` up to the next one."""
        return self._query[self._tokens[first].start : self._tokens[self.at - 1].stop]

    # -- conditions --------------------------------------------------------------------------------------------------

    def expression(self) -> Evaluate:
        """The next expression. MalformedQuery."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise malformed("the expression is nested too deeply", self.next.start, self.next.stop)
        made = self._either()
        self._depth -= 1
        return made

    def _either(self) -> Evaluate:
        parts = [self._both()]
        while self.passes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda row: int(any(is_true(part(row)) for part in parts))

    def _both(self) -> Evaluate:
        parts = [self._negated()]
        while self.passes("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda row: int(all(is_true(part(row)) for part in parts))

    def _negated(self) -> Evaluate:
        times = 0
        while self.passes("not"):
            times += 1
        inner = self._comparison()
        return inner if times % 2 == 0 else lambda row: int(not is_true(inner(row)))

    def _comparison(self) -> Evaluate:
        left = self._sum()
        negative = self.passes("not")
        if self.passes("like", "=~"):
            return _negated_if(negative, left, self._liked())
        if self.passes("in"):
            return _negated_if(negative, left, self._listed())
        if negative:
            raise self.unexpected("like or in")
        if not self.next.says(*_HOLDS):
            return left
        holds, right = _HOLDS[self.take().text], self._sum()

        def compare(row: Row) -> Value:
            order = compared(left(row), right(row))
            return 0 if order is None else int(holds(order))

        return compare

    def _liked(self) -> Callable[[str], bool]:
        token = self.take()
        if token.kind == "regex":
            pattern = regex_of(token)
            return lambda given: _found(pattern, given)
        if token.kind != "text":
            self.at -= token.kind != "end"
            raise self.unexpected("a text or a regular expression")
        sought = token.text
        return lambda given: sought in given

    def _listed(self) -> Callable[[str], bool]:
        self.expect("[")
        members: list[Value] = []
        while not self.passes("]"):
            if members:
                self.expect(",")
            members.append(self._constant())
        return lambda given: any(compared(given, member) == 0 for member in members)

    def _constant(self) -> Value:
        negative = self.passes("-")
        token = self.next
        if token.kind == "text" and not negative:
            return self.take().text
        if token.kind == "number":
            found = number(self.take().text) or 0
            return -found if negative else found
        raise self.unexpected("a text or a number")

    # -- arithmetic --------------------------------------------------------------------------------------------------

    def _sum(self) -> Evaluate:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Evaluate:
        return self._chain(("*", "/", "%"), self._power)

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Evaluate]) -> Evaluate:
        """Parts that are calculated from left to right: a loop, so that a chain may be long."""
        first = part()
        further: list[tuple[str, Evaluate]] = []
        while self.next.says(*signs):
            further.append((self.take().text, part()))
        return _calculated(first, further) if further else first

    def _power(self) -> Evaluate:
        made = self._signed()
        if self.passes("^"):
            self._depth += 1
            if self._depth > DEPTH_MAX:
                raise malformed("the expression is nested too deeply", self.next.start, self.next.stop)
            made = _calculated(made, [("^", self._power())])
            self._depth -= 1
        return made

    def _signed(self) -> Evaluate:
        times = 0
        while self.next.says("-", "+"):
            times += self.take().text == "-"
        inner = self._operand()
        return inner if times % 2 == 0 else _calculated(lambda row: 0, [("-", inner)])

    def _operand(self) -> Evaluate:
        token = self.next
        if self.passes("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if token.kind in ("number", "text"):
            constant = self._constant()
            return lambda row: constant
        if token.kind == "period":
            period = self._period()
            return lambda row: period
        name = self.field_name()
        if token.kind == "name" and self.next.says("("):
            return self._call(name, token)
        if token.kind == "name" and name.lower() in ("true", "false"):
            truth = int(name.lower() == "true")
            return lambda row: truth
        return lambda row: row.get(name)

    def _period(self) -> int:
        token = self.take()
        split = re.fullmatch(r"([\d.]+)([A-Za-z]+)", token.text)
        unit = UNIT_MS.get(split[2].lower()) if split is not None else None
        if split is None or unit is None or (length := int(float(split[1]) * unit)) < 1:
            raise malformed(f"{token.text!r} is no period; write 30s, 5m, 1h, 1d", token.start, token.stop)
        return length

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, name: str, token: Token) -> Evaluate:
        self.expect("(")
        known = name.lower()
        if known in ("count", "pct", "percentile", *AGGREGATES):
            return self._aggregate(known, token)
        if known == "bin":
            period = self._period() if self.next.kind == "period" else None
            if period is None:
                raise self.unexpected("a period such as 5m")
            self.expect(")")
            floor = FUNCTIONS["datefloor"].body
            return lambda row: floor(row.get("@timestamp"), period)
        if known == "now":
            self.expect(")")
            now = Moment(self._now_ms)
            return lambda row: now
        if known not in FUNCTIONS:
            raise malformed(f"unknown function {name[:60]!r}", token.start, token.stop)
        function, given = FUNCTIONS[known], self._arguments()
        if not function.least <= len(given) <= function.most:
            raise malformed(f"wrong number of arguments of {name}", token.start, self._tokens[self.at - 1].stop)
        return lambda row: function.body(*[one(row) for one in given])

    def _arguments(self) -> list[Evaluate]:
        found: list[Evaluate] = []
        while not self.passes(")"):
            if found:
                self.expect(",")
            found.append(self.expression())
        return found

    def _aggregate(self, name: str, token: Token) -> Evaluate:
        sums = self.sums
        if sums is None:
            raise malformed(f"{name} belongs into stats, and not into another aggregate", token.start, token.stop)
        self.sums = None  # none stands inside another
        make: Callable[[], Aggregate]
        argument: Evaluate | None = None
        if name == "count":
            everything = self.passes("*") or self.next.says(")")
            if not everything:
                argument = self.expression()
            make = lambda: Count(everything=everything)  # noqa: E731
        elif name in ("pct", "percentile"):
            argument = self.expression()
            self.expect(",")
            percent = number(self._constant())
            if percent is None or not 0 <= percent <= 100:
                raise malformed("a percentile lies between 0 and 100", token.start, self.next.start)
            make = lambda: Percentile(float(percent))  # noqa: E731
        else:
            argument, make = self.expression(), AGGREGATES[name]
        self.expect(")")
        self.sums = sums
        slot = f"\0{len(sums)}"  # no field has such a name
        sums.append(Sum(slot, make, argument))
        return lambda row: row.get(slot)


def _negated_if(negative: bool, left: Evaluate, holds: Callable[[str], bool]) -> Evaluate:
    def judged(row: Row) -> Value:
        given = text(left(row))
        return int(negative) if given is None else int(holds(given) != negative)

    return judged


def _calculated(first: Evaluate, further: list[tuple[str, Evaluate]]) -> Evaluate:
    def calculated(row: Row) -> Value:
        made = number(first(row))
        for sign, part in further:
            other = number(part(row))
            if made is None or other is None:
                return None
            try:
                made = _BY_SIGN[sign](made, other)
            except (ZeroDivisionError, OverflowError, ValueError):
                return None
            if not -NUMBER_MAX < made < NUMBER_MAX:
                return None
        return made

    return calculated


def _divided(a: float, b: float) -> float:
    made = a / b
    return int(made) if made.is_integer() and abs(made) < 1e15 else made


_BY_SIGN: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": _divided,
    "%": lambda a, b: math.fmod(a, b), "^": lambda a, b: math.pow(a, b),
}  # fmt: skip


def regex_of(token: Token) -> Pattern:
    """A regular expression between slashes; Java's named groups are Python's. MalformedQuery."""
    try:
        return compile_pattern(_NAMED_GROUP.sub("(?P<", token.text))
    except PatternRefused as refused:
        raise malformed(f"the regular expression is wrong: {refused}", token.start, token.stop) from None


def _found(pattern: Pattern, given: str) -> bool:
    try:
        return pattern.found_in(given)
    except PatternRefused:
        return False  # as for filter patterns: a line on which it takes too long does not fit
