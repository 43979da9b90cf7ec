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
from trine.cloudwatch.words import Words

Matches = Callable[[MetricKey], bool]
_TOKEN = re.compile(r"\s*(?:\"(?P<text>[^\"]*)\"|(?P<sign>[(){},=])|(?P<word>[^\s(){},=\"]+))")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def parse_search(text: str) -> Matches:
    """The predicate of a search. ValidationError."""
    if len(text) > limits.SEARCH_MAX_CHARACTERS:
        raise ValidationError(f"A search has at most {limits.SEARCH_MAX_CHARACTERS} characters.")
    return _Reader(text).search()


class _Reader(Words):
    """A search; terms side by side are joined by AND, which binds closer than OR."""

    def __init__(self, text: str) -> None:
        super().__init__(text, _TOKEN)

    def wrong(self) -> ValidationError:
        """What to say of the word at hand."""
        return ValidationError(f"Error in search {self.text[:100]!r}: unexpected {self.value[:40] or 'end'!r}.")

    def search(self) -> Matches:
        """A schema, terms, or both."""
        schema = self._schema() if self.is_sign("{") else None
        terms = self._either(0) if self.kind else None
        if self.kind:
            raise self.wrong()
        if schema is None or terms is None:
            if (one := schema or terms) is None:
                raise ValidationError("A search must have a schema in braces, a term, or both.")
            return one
        return both(schema, terms)

    def _schema(self) -> Matches:
        names: list[str] = []
        while not self.is_sign("}"):
            self.next()
            if self.kind not in ("word", "text"):
                raise self.wrong()
            names.append(self.value)
            self.next()
            if not (self.is_sign(",") or self.is_sign("}")):
                raise self.wrong()
        self.next()
        if self.is_sign(","):
            self.next()
        namespace, dimensions = names[0], sorted(names[1:])
        return lambda key: key.namespace == namespace and sorted(name for name, _ in key.dimensions) == dimensions

    def _either(self, depth: int) -> Matches:
        found = self._all(depth)
        while self.kind == "word" and self.value == "OR":
            self.next()
            found = one_of(found, self._all(depth))
        return found

    def _all(self, depth: int) -> Matches:
        found = self._term(depth)
        while self.kind and not self.is_sign(")") and not (self.kind == "word" and self.value == "OR"):
            if self.kind == "word" and self.value == "AND":
                self.next()
            found = both(found, self._term(depth))
        return found

    def _term(self, depth: int) -> Matches:
        if depth > limits.EXPRESSION_DEPTH_MAX_COUNT:
            raise ValidationError("The search is nested too deeply.")
        if self.kind == "word" and self.value == "NOT":
            self.next()
            return negation(self._term(depth + 1))
        if self.is_sign("("):
            self.next()
            found = self._either(depth + 1)
            self.take(")")
            return found
        if self.kind not in ("word", "text") or (self.kind == "word" and self.value in ("AND", "OR")):
            raise self.wrong()
        kind, token = self.kind, self.value
        self.next()
        if not self.is_sign("="):
            return _anywhere(token, exact=kind == "text")
        self.next()
        if self.is_sign("("):
            return self._values_of(token, depth)
        return self._of_value(token)

    def _of_value(self, designator: str) -> Matches:
        if self.kind not in ("word", "text"):
            raise self.wrong()
        found = _at(designator, self.value, exact=self.kind == "text")
        self.next()
        return found

    def _values_of(self, designator: str, depth: int) -> Matches:
        """`name=(a OR b)`."""
        self.next()
        found = self._of_value(designator)
        while self.kind == "word" and self.value in ("OR", "AND"):
            join = one_of if self.value == "OR" else both
            self.next()
            found = join(found, self._of_value(designator))
        self.take(")")
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
