"""Template parameters: overrides over defaults, checked against their declarations.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trine.aws.patterns import PatternRefused, compile_pattern
from trine.cloudformation.document import Positions
from trine.cloudformation.faults import Fault, suggestion
from trine.cloudformation.limits import PARAMETER_VALUE_BYTES

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>\Z")
_LIST = re.compile(r"List<(.+)>\Z")
# AllowedPattern is a regular expression of Java's; Python's differ in the named classes that templates use.
_POSIX = re.compile(r"\\p\{(\w+)\}")
_POSIX_CLASSES = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": r"\x00-\x7F",
    "Digit": "0-9",
    "Graph": "!-~",
    "L": r"a-zA-Z\u00AA-\uFFDC",
    "Lower": "a-z",
    "Print": " -~",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
    "Upper": "A-Z",
    "XDigit": "0-9a-fA-F",
}
RULE = "template/parameter"
NO_VALUE_RULE = "template/parameter-value"


class Parameter(Struct, frozen=True):
    """A parameter with its value. `value` is what Ref gives: text, or a list of texts for list types.

    `from_parameter_store` marks types whose value on AWS is looked up by name; what is not known by that name is taken
    itself.
    """

    name: str
    type: str
    value: str | list[str]
    no_echo: bool
    from_parameter_store: bool

    def shown(self) -> str:
        """The value for people: stars when NoEcho is set, as Describe calls show it."""
        if self.no_echo:
            return "****"
        return self.value if isinstance(self.value, str) else ",".join(self.value)


def resolve_parameters(
    declarations: Mapping[str, Any],
    overrides: Mapping[str, str],
    positions: Positions,
    stored: Mapping[str, str] | None = None,
) -> tuple[dict[str, Parameter], list[Fault]]:
    """Every declared parameter with its value, and all faults. Faulty ones carry the best value there is. `stored`:
    what is known of Parameter Store."""
    faults: list[Fault] = []
    for name in overrides:
        if name not in declarations:
            hint = suggestion(name, declarations, _declared(declarations))
            place = positions.of("Parameters")
            message = f"parameter {name!r} is not declared in the template"
            faults.append(Fault(place.file, place.line, place.column, message, hint, RULE))
    parameters = {}
    for name, declaration in declarations.items():
        checker = _Checker(name, declaration, positions, faults)
        parameters[name] = checker.parameter(overrides.get(name), stored or {})
    return parameters, faults


def _declared(declarations: Mapping[str, Any]) -> str:
    return f"declared are: {', '.join(declarations)}" if declarations else "the template declares none"


class _Checker:
    def __init__(self, name: str, declaration: Mapping[str, Any], positions: Positions, faults: list[Fault]) -> None:
        self.name, self.declaration, self.positions, self.faults = name, declaration, positions, faults

    def fault(self, message: str, hint: str = "", *path: str) -> None:
        place = self.positions.of("Parameters", self.name, *path)
        self.faults.append(Fault(place.file, place.line, place.column, message, hint, RULE))

    def parameter(self, override: str | None, known: Mapping[str, str]) -> Parameter:
        kind = self.declaration.get("Type")
        if not isinstance(kind, str):
            self.fault(f"parameter {self.name} has no Type", "such as Type: String")
            kind = "String"
        stored = _SSM.match(kind)
        inner = stored.group(1) if stored else kind
        text = override if override is not None else self.default()
        items = _items(inner, known.get(text, text) if stored else text)
        if not stored:  # constraints hold for the value looked up, which is not at hand
            for item in items if isinstance(items, list) else [items]:
                self.check(inner, item)
        no_echo = str(self.declaration.get("NoEcho", "")).lower() == "true"
        return Parameter(self.name, kind, items, no_echo, stored is not None)

    def default(self) -> str:
        if "Default" not in self.declaration:
            hint = f"give it: --parameter-overrides {self.name}=..., or a Default"
            place = self.positions.of("Parameters", self.name)
            message = f"parameter {self.name} has no value"
            self.faults.append(Fault(place.file, place.line, place.column, message, hint, NO_VALUE_RULE))
            allowed = self.declaration.get("AllowedValues")
            return _text(allowed[0]) if isinstance(allowed, list) and allowed else "0"
        value = self.declaration["Default"]
        if isinstance(value, Mapping):
            self.fault("a Default is a literal: no intrinsic function can stand there", "", "Default")
            return ""
        return ",".join(map(_text, value)) if isinstance(value, list) else _text(value)

    def check(self, kind: str, value: str) -> None:
        declared, shown = self.declaration, "****" if self.declaration.get("NoEcho") else repr(value)
        explained = f" ({declared['ConstraintDescription']})" if declared.get("ConstraintDescription") else ""
        if len(value.encode()) > PARAMETER_VALUE_BYTES:
            self.fault(f"the value of {self.name} is longer than {PARAMETER_VALUE_BYTES:,} bytes")
        allowed = declared.get("AllowedValues")
        if isinstance(allowed, list) and value not in [_text(each) for each in allowed]:
            hint = f"allowed are: {', '.join(map(_text, allowed))}"
            self.fault(f"{shown} is not an allowed value of {self.name}{explained}", hint, "AllowedValues")
        pattern = declared.get("AllowedPattern")
        if isinstance(pattern, str):
            self.check_pattern(pattern, value, shown, explained)
        if kind in ("Number", "List<Number>"):
            self.check_number(value, shown, explained)
        for bound, wrong in (("MinLength", -1), ("MaxLength", 1)):
            limit = _number(declared.get(bound))
            if limit is not None and (len(value) - limit) * wrong > 0:
                words = "shorter" if wrong < 0 else "longer"
                message = f"the value of {self.name} is {words} than {limit:g} characters{explained}"
                self.fault(message, "", bound)

    def check_pattern(self, pattern: str, value: str, shown: str, explained: str) -> None:
        try:
            matches = compile_pattern(_POSIX.sub(_posix_class, pattern)).matches(value)
        except PatternRefused as error:
            self.fault(f"AllowedPattern of {self.name}: {error}", "", "AllowedPattern")
            return
        if not matches:
            self.fault(f"{shown} does not match the pattern of {self.name}{explained}", pattern, "AllowedPattern")

    def check_number(self, value: str, shown: str, explained: str) -> None:
        number = _number(value)
        if number is None:
            self.fault(f"{self.name} is a Number; {shown} is none")
            return
        low, high = _number(self.declaration.get("MinValue")), _number(self.declaration.get("MaxValue"))
        if low is not None and number < low:
            self.fault(f"{self.name} must be at least {low:g}{explained}", "", "MinValue")
        if high is not None and number > high:
            self.fault(f"{self.name} must be at most {high:g}{explained}", "", "MaxValue")


def _posix_class(match: re.Match[str]) -> str:
    """The class as Python writes it, in brackets unless it stands in some already."""
    before = match.string[: match.start()]
    listed = _POSIX_CLASSES.get(match.group(1), r"\w")
    inside = before.count("[") - before.count("\\[") > before.count("]") - before.count("\\]")
    return listed if inside else f"[{listed}]"


def _items(kind: str, text: str) -> str | list[str]:
    if kind == "CommaDelimitedList" or _LIST.match(kind):
        return [item.strip() for item in text.split(",")] if text else []
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
