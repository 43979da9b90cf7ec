"""A fault of a template: what is wrong, where, and what to do. Faults are collected, never thrown one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from trine.cloudformation.limits import FAULTS_REPORTED

if TYPE_CHECKING:
    from trine.cloudformation.document import Location


class Fault(Struct, frozen=True, order=True):
    """One fault. `line` and `column` count from 1; 0 where there is no place (a missing file, a bad override)."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    rule: str = ""
    level: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        rule = f" [{self.rule}]" if self.rule else ""
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{place}: {self.level}: {self.message}{rule}{hint}"

    def to_document(self) -> dict[str, Any]:
        """The fault as JSON-able members; `from_document` reads it back."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    @classmethod
    def from_document(cls, members: Mapping[str, Any]) -> Fault:
        """The fault that `to_document` wrote."""
        return cls(**members)


def advice_at(location: Location, rule: str, why: str, instead: str) -> Fault:
    """A warning: `why` it is one, and what to do `instead`."""
    return Fault(location.file, location.line, location.column, why, instead, rule, "warning")


def suggestion(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a misspelt name: the nearest of those known, if one is near."""
    from difflib import get_close_matches  # only faults need it

    close = get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]}?" if close else otherwise


class TemplateFaults(Exception):
    """All faults found in one reading of a template, in the order of the text."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: list[Fault] = sorted(set(faults))[:FAULTS_REPORTED]
        assert self.faults, "TemplateFaults without a fault"
        super().__init__("\n".join(map(str, self.faults)))
