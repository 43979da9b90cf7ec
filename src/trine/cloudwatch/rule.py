"""The rule of a composite alarm: text such as `ALARM("errors") AND NOT OK(slow)` becomes a condition over states. Pure.

Enters an `AlarmRule`; leaves a `Rule` that knows which alarms it names and whether it holds, or ValidationError that
says where it stops making sense. Source: API reference, PutCompositeAlarm, `AlarmRule`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from trine.cloudwatch import limits
from trine.cloudwatch.errors import ValidationError
from trine.cloudwatch.predicate import both, negation, one_of
from trine.cloudwatch.words import Words

_TOKEN = re.compile(r"\s*(?:(?P<sign>[()])|\"(?P<text>[^\"]*)\"|'(?P<single>[^']*)'|(?P<word>[^\s()\"']+))")
_STATES = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
StateOf = Callable[[str], str | None]
"""The state of the alarm of a name or ARN; None when there is none."""
Condition = Callable[[StateOf], bool]


class Rule(Struct, frozen=True):
    """A rule that has been read."""

    names: tuple[str, ...]
    """The alarms it names, by name or ARN, each once."""
    holds: Condition


def parse_rule(text: str) -> Rule:
    """The rule of a text. ValidationError."""
    if len(text) > limits.RULE_MAX_CHARACTERS:
        raise ValidationError(f"AlarmRule has at most {limits.RULE_MAX_CHARACTERS} characters.")
    reader = _Reader(text)
    holds = reader.either(0)
    if reader.value:
        raise reader.wrong()
    if len(reader.names) > limits.RULE_ALARMS_MAX_COUNT:
        raise ValidationError(f"AlarmRule names at most {limits.RULE_ALARMS_MAX_COUNT} alarms.")
    return Rule(tuple(reader.names), holds)


class _Reader(Words):
    """A rule; OR binds loosest, then AND, then NOT."""

    def __init__(self, text: str) -> None:
        self.names: dict[str, None] = {}
        super().__init__(text, _TOKEN)

    def wrong(self) -> ValidationError:
        """What stands where it cannot."""
        found = f"{self.value[:40]!r}" if self.value else "the end"
        return ValidationError(f"AlarmRule must not have {found} there.")

    def strange(self, rest: str) -> ValidationError:
        """What to say of a text that goes on with no word."""
        return ValidationError(f"AlarmRule must not have {rest[:20]!r} there.")

    def _word(self) -> str:
        return self.value.upper() if self.kind == "word" else ""

    def either(self, depth: int) -> Condition:
        """`a OR b`."""
        found = self._both(depth)
        while self._word() == "OR":
            self.next()
            found = one_of(found, self._both(depth))
        return found

    def _both(self, depth: int) -> Condition:
        found = self._one(depth)
        while self._word() == "AND":
            self.next()
            found = both(found, self._one(depth))
        return found

    def _one(self, depth: int) -> Condition:
        if depth > limits.EXPRESSION_DEPTH_MAX_COUNT:
            raise ValidationError("AlarmRule is nested too deeply.")
        word = self._word()
        if self.is_sign("("):
            self.next()
            found = self.either(depth + 1)
            self.take(")")
            return found
        if word == "NOT":
            self.next()
            return negation(self._one(depth + 1))
        if word in ("TRUE", "FALSE"):
            self.next()
            return lambda state_of: word == "TRUE"
        if word not in _STATES:
            raise self.wrong()
        self.next()
        self.take("(")
        name = self.value
        if name in ("(", ")", ""):
            raise self.wrong()
        self.next()
        self.take(")")
        self.names[name] = None
        return lambda state_of: state_of(name) == _STATES[word]
