"""Search expressions: which metrics a text such as `{AWS/Lambda,FunctionName} MetricName="Errors" shop` means. Pure.

Enters the first argument of `SEARCH`; leaves a predicate over metrics, or ValidationError. Terms match whole words of
any name or value of a metric without regard to case, quoted ones the exact text of one; `MetricName=`, `Namespace=`
and the dimensions' own names say where. Source: user guide, "CloudWatch search expression syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from trine.cloudwatch import limits
from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.metric import MetricKey
from trine.cloudwatch.predicate import both, negation, one_of

Matches = Callable[[MetricKey], bool]
_TOKEN = re.compile(r"\s*(?:\"(?P<text>[^\"]*)\"|(?P<sign>[(){},=])|(?P<word>[^\s(){},=\"]+))")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def parse_search(text: str) -> Matches:
    """The predicate of a search. ValidationError."""
    if len(text) > limits.SEARCH_MAX_CHARACTERS:
        raise ValidationError(f"A search has at most {limits.SEARCH_MAX_CHARACTERS} characters.")
    return _Reader(text).search()


class _Reader:
    """Reads from left to right; terms side by side are joined by AND, which binds closer than OR."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._kind, self._value = "", ""
        self._next()

    def _next(self) -> None:
        if not self._text[self._at :].strip():
            self._kind, self._value = "", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self._wrong()
        self._at = found.end()
        self._kind = str(found.lastgroup)
        self._value = found[self._kind]

    def _wrong(self) -> ValidationError:
        return ValidationError(f"Error in search {self._text[:100]!r}: unexpected {self._value[:40] or 'end'!r}.")

    def _is_sign(self, sign: str) -> bool:
        return self._kind == "sign" and self._value == sign

    def search(self) -> Matches:
        """A schema, terms, or both."""
        schema = self._schema() if self._is_sign("{") else None
        terms = self._either(0) if self._kind else None
        if self._kind:
            raise self._wrong()
        if schema is None or terms is None:
            if (one := schema or terms) is None:
                raise ValidationError("A search must have a schema in braces, a term, or both.")
            return one
        return both(schema, terms)

    def _schema(self) -> Matches:
        names: list[str] = []
        while not self._is_sign("}"):
            self._next()
            if self._kind not in ("word", "text"):
                raise self._wrong()
            names.append(self._value)
            self._next()
            if not (self._is_sign(",") or self._is_sign("}")):
                raise self._wrong()
        self._next()
        if self._is_sign(","):
            self._next()
        namespace, dimensions = names[0], sorted(names[1:])
        return lambda key: key.namespace == namespace and sorted(name for name, _ in key.dimensions) == dimensions

    def _either(self, depth: int) -> Matches:
        found = self._all(depth)
        while self._kind == "word" and self._value == "OR":
            self._next()
            found = one_of(found, self._all(depth))
        return found

    def _all(self, depth: int) -> Matches:
        found = self._term(depth)
        while self._kind and not self._is_sign(")") and not (self._kind == "word" and self._value == "OR"):
            if self._kind == "word" and self._value == "AND":
                self._next()
            found = both(found, self._term(depth))
        return found

    def _term(self, depth: int) -> Matches:
        if depth > limits.EXPRESSION_DEPTH_MAX_COUNT:
            raise ValidationError("The search is nested too deeply.")
        if self._kind == "word" and self._value == "NOT":
            self._next()
            return negation(self._term(depth + 1))
        if self._is_sign("("):
            self._next()
            found = self._either(depth + 1)
            if not self._is_sign(")"):
                raise self._wrong()
            self._next()
            return found
        if self._kind not in ("word", "text") or (self._kind == "word" and self._value in ("AND", "OR")):
            raise self._wrong()
        kind, token = self._kind, self._value
        self._next()
        if not self._is_sign("="):
            return _anywhere(token, exact=kind == "text")
        self._next()
        if self._is_sign("("):
            return self._values_of(token, depth)
        return self._of_value(token)

    def _of_value(self, designator: str) -> Matches:
        if self._kind not in ("word", "text"):
            raise self._wrong()
        found = _at(designator, self._value, exact=self._kind == "text")
        self._next()
        return found

    def _values_of(self, designator: str, depth: int) -> Matches:
        """`name=(a OR b)`."""
        self._next()
        found = self._of_value(designator)
        while self._kind == "word" and self._value in ("OR", "AND"):
            join = one_of if self._value == "OR" else both
            self._next()
            found = join(found, self._of_value(designator))
        if not self._is_sign(")"):
            raise self._wrong()
        self._next()
        return found


def _at(designator: str, wanted: str, *, exact: bool) -> Matches:
    test = _test(wanted, exact=exact)
    if designator.lower() == "metricname":
        return lambda key: test(key.name)
    if designator.lower() == "namespace":
        return lambda key: test(key.namespace)
    return lambda key: any(name == designator and test(value) for name, value in key.dimensions)


def _anywhere(wanted: str, *, exact: bool) -> Matches:
    test = _test(wanted, exact=exact)
    return lambda key: any(map(test, _texts(key)))


def _texts(key: MetricKey) -> Iterator[str]:
    yield key.namespace
    yield key.name
    for pair in key.dimensions:
        yield from pair


def _test(wanted: str, *, exact: bool) -> Callable[[str], bool]:
    if exact:
        return lambda text: text == wanted
    tokens = words_of(wanted)
    whole = wanted.lower()
    return lambda text: text.lower() == whole or (bool(tokens) and _holds(words_of(text), tokens))


def _holds(words: list[str], wanted: list[str]) -> bool:
    """Whether `wanted` stands in `words`, one after the other."""
    return any(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1))


def words_of(text: str) -> list[str]:
    """The words a name is made of, in small letters: `CPUUtilization-2` is cpu, utilization, 2."""
    return [word.lower() for word in _WORDS.findall(text)]
