"""One composite alarm: what PutCompositeAlarm says, checked, and when its actions are held back. Pure.

Enters members of `PutCompositeAlarmInput` (a template's properties have the same names); leaves a `CompositeAlarm`.
Source: API reference, PutCompositeAlarm; user guide, "Alarm suppression".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.cloudwatch.errors import MissingParameter, ValidationError
from trine.cloudwatch.rule import parse_rule

WAIT, EXTENSION = "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"


class CompositeAlarm:
    """A composite alarm's definition."""

    kind = "CompositeAlarm"
    __slots__ = ("extension_seconds", "given", "name", "rule", "suppressor", "wait_seconds")

    def __init__(self, given: Mapping[str, Any]) -> None:
        """From the members of PutCompositeAlarm. ValidationError, MissingParameter."""
        self.given = dict(given)
        self.name = str(given.get("AlarmName", ""))
        if not self.name or not given.get("AlarmRule"):
            raise MissingParameter("The parameters AlarmName and AlarmRule are required.")
        self.rule = parse_rule(str(given["AlarmRule"]))
        self.suppressor = str(given.get("ActionsSuppressor") or "")
        """Name or ARN of the alarm that holds the actions back while it is in ALARM; empty: nothing does."""
        periods = [given.get(name) for name in (WAIT, EXTENSION)]
        if self.suppressor and None in periods:
            raise ValidationError(f"ActionsSuppressor needs {WAIT} and {EXTENSION}.")
        if not self.suppressor and periods != [None, None]:
            raise ValidationError(f"{WAIT} and {EXTENSION} need an ActionsSuppressor.")
        self.wait_seconds, self.extension_seconds = (float(period or 0) for period in periods)
        if self.wait_seconds < 0 or self.extension_seconds < 0:
            raise ValidationError(f"{WAIT} and {EXTENSION} must not be negative.")

    def named(self) -> tuple[str, ...]:
        """Every alarm it depends on, by name or ARN."""
        return (*self.rule.names, self.suppressor) if self.suppressor else self.rule.names


def name_of(named: str) -> str:
    """The name of the alarm that a rule names by name or by ARN."""
    return named.partition(":alarm:")[2] if named.startswith("arn:") else named
