"""CloudFormation's intrinsic functions, evaluated: a value of the template goes in, a plain value comes out.

`Evaluation.resolve` walks a value; each function is one small method found by its name in `_FUNCTIONS`. A function that
cannot be evaluated raises `Unresolvable`, which the nearest plain container records as a fault, so that one mistake
does not hide the next. Source of all behaviour:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trine.cloudformation.faults import Fault
from trine.cloudformation.places import Places

Path = tuple[str | int, ...]

NO_VALUE: Any = type("NoValue", (), {"__repr__": lambda _: "AWS::NoValue"})()
"""What `Ref: AWS::NoValue` gives: the member or item that holds it is left out."""

PLACEHOLDER = "trine-placeholder-"
"""Begins what Fn::GetAtt gives for attributes that Trine does not model; it stands for a text or a list of texts."""

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")


class Unresolvable(Exception):
    """An intrinsic that cannot be evaluated, with the path where it stands."""

    def __init__(self, path: Path, message: str, hint: str = "", rule: str = "template/intrinsic") -> None:
        super().__init__(message)
        self.path, self.message, self.hint, self.rule = path, message, hint, rule


class Consequence(Unresolvable):
    """An intrinsic that cannot be evaluated because of a fault that is told already; it is no fault of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "follows from another fault")


class World(Protocol):
    """What intrinsics can see of the stack."""

    def ref(self, name: str, path: Path) -> Any:
        """The value of `Ref: name`. Raises Unresolvable."""

    def attribute(self, logical_id: str, name: str, path: Path) -> Any:
        """The value of `Fn::GetAtt: [logical_id, name]`. Raises Unresolvable."""

    def is_of_unknown_form(self, text: str) -> bool:
        """Whether `text` holds what `Ref` gave for a resource whose type is not known: AWS may give another form."""

    def condition(self, name: str, path: Path) -> bool:
        """The truth of a condition. Raises Unresolvable."""

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """A section of Mappings."""

    def zones(self, region: str) -> list[str]:
        """Availability zones of a region, "" for the stack's own."""


class Evaluation:
    """One walk over values of a template. Faults gather in `faults`, each with its place."""

    def __init__(self, world: World, places: Places) -> None:
        self.world = world
        self.places = places
        self.faults: list[Fault] = []
        self.unresolved = 0
        """How many values could not be had so far, whether that was a fault or a consequence of one."""

    def fault(self, error: Unresolvable) -> None:
        """Record `error` at its place in the text."""
        self.unresolved += 1
        if isinstance(error, Consequence):
            return
        place = self.places.of(error.path)
        self.faults.append(Fault(place.file, place.line, place.column, error.message, error.hint, error.rule))

    def resolve(self, value: Any, path: Path) -> Any:
        """`value` with every intrinsic evaluated; raises Unresolvable only if `value` itself is an intrinsic."""
        if isinstance(value, dict):
            if len(value) == 1:
                name = next(iter(value))
                function = _FUNCTIONS.get(name)
                if function is not None:
                    return function(self, value[name], (*path, name))
                if name.startswith("Fn::"):
                    raise Unresolvable((*path, name), f"unknown intrinsic function {name}")
            return self._members(value, path)
        if isinstance(value, list):
            items = (self.guarded(item, (*path, index)) for index, item in enumerate(value))
            return [item for item in items if item is not NO_VALUE]
        return value

    def _members(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        members = {}
        for key, member in value.items():
            if key.startswith("Fn::") and key in _FUNCTIONS:
                self.fault(Unresolvable((*path, key), f"{key} cannot stand beside other keys", "indent it on its own"))
                continue
            resolved = self.guarded(member, (*path, key))
            if resolved is not NO_VALUE:
                members[key] = resolved
        return members

    def guarded(self, value: Any, path: Path) -> Any:
        """`value` resolved; NO_VALUE and a fault when it is an intrinsic that cannot be."""
        try:
            return self.resolve(value, path)
        except Unresolvable as error:
            self.fault(error)
            return NO_VALUE

    # Arguments -----------------------------------------------------------------------------------------------------

    def arguments(self, value: Any, path: Path, low: int, high: int) -> list[Any]:
        """The unresolved arguments of a function that takes `low` to `high` of them."""
        if not isinstance(value, list) or not low <= len(value) <= high:
            count = str(low) if low == high else f"{low} to {high}"
            raise Unresolvable(path, f"{path[-1]} takes a list of {count} arguments")
        return value

    def text(self, value: Any, path: Path) -> str:
        """A resolved value as CloudFormation writes it into a string."""
        resolved = self.strict(value, path)
        if isinstance(resolved, bool):
            return "true" if resolved else "false"
        if isinstance(resolved, (str, int, float)):
            return str(resolved)
        if isinstance(resolved, list) and all(isinstance(item, str) for item in resolved):
            return ",".join(resolved)
        raise Unresolvable(path, f"a string was expected here, not {_kind(resolved)}")

    def strict(self, value: Any, path: Path) -> Any:
        """Resolve an argument; AWS::NoValue is no argument."""
        resolved = self.resolve(value, path)
        if resolved is NO_VALUE:
            raise Unresolvable(path, "AWS::NoValue cannot stand here")
        return resolved

    def truth(self, value: Any, path: Path) -> bool:
        """An operand of Fn::And, Fn::Or, Fn::Not or a condition: a condition function or `Condition: name`."""
        if isinstance(value, dict) and list(value) == ["Condition"]:
            named = value["Condition"]
            if isinstance(named, dict):  # aws-sam-translator nests them where it joins conditions
                return self.truth(named, (*path, "Condition"))
            if isinstance(named, str):
                return self.world.condition(named, (*path, "Condition"))
        resolved = self.resolve(value, path)
        if isinstance(resolved, bool):
            return resolved
        if isinstance(resolved, str) and resolved in ("true", "false"):
            return resolved == "true"
        raise Unresolvable(path, "a condition was expected here", "use Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition")

    # Functions -----------------------------------------------------------------------------------------------------

    def ref(self, value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            raise Unresolvable(path, "Ref takes the name of a parameter or resource")
        return self.world.ref(value, path)

    def get_att(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            logical_id, _, attribute = value.partition(".")
        elif isinstance(value, list) and len(value) >= 2 and isinstance(value[0], str):
            logical_id = value[0]
            attribute = ".".join([self.text(part, (*path, index + 1)) for index, part in enumerate(value[1:])])
        else:
            raise Unresolvable(path, "Fn::GetAtt takes a logical id and an attribute")
        if not attribute:
            raise Unresolvable(path, "Fn::GetAtt names no attribute", f"write {logical_id}.Arn, for example")
        return self.world.attribute(logical_id, attribute, path)

    def sub(self, value: Any, path: Path) -> str:
        variables: Mapping[str, Any] = {}
        template, place = value, path
        if isinstance(value, list):
            template, variables = self.arguments(value, path, 2, 2)
            place = (*path, 0)
            if not isinstance(variables, dict):
                raise Unresolvable((*path, 1), "the second argument of Fn::Sub is a map of variables")
        if not isinstance(template, str):
            raise Unresolvable(place, "Fn::Sub takes a string, or a string and a map")

        def variable(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + match.group(2) + "}"
            if name in variables:
                return self.text(variables[name], (*path, 1, name))
            if "." in name:
                logical_id, _, attribute = name.partition(".")
                found = self.world.attribute(logical_id, attribute, place)
            else:
                found = self.world.ref(name, place)
            return self.text(found, place)

        return _VARIABLE.sub(variable, template)

    def join_texts(self, value: Any, path: Path) -> str:
        delimiter, items = self.arguments(value, path, 2, 2)
        if not isinstance(delimiter, str):
            raise Unresolvable((*path, 0), "the delimiter of Fn::Join is a string")
        resolved = self.strict(items, (*path, 1))
        if _is_placeholder(resolved):
            return str(resolved)
        if not isinstance(resolved, list):
            raise Unresolvable((*path, 1), f"Fn::Join joins a list, not {_kind(resolved)}")
        return delimiter.join([self.text(item, (*path, 1, index)) for index, item in enumerate(resolved)])

    def select(self, value: Any, path: Path) -> Any:
        index_value, items = self.arguments(value, path, 2, 2)
        index = self.text(index_value, (*path, 0))
        resolved = self.strict(items, (*path, 1))
        if not index.isdecimal():
            raise Unresolvable((*path, 0), f"the index of Fn::Select is a number, not {index!r}")
        if _is_placeholder(resolved) or (isinstance(resolved, list) and any(map(_is_placeholder, resolved))):
            return resolved if isinstance(resolved, str) else next(filter(_is_placeholder, resolved))
        if isinstance(resolved, str) and self.world.is_of_unknown_form(resolved):
            return resolved
        if not isinstance(resolved, list):
            raise Unresolvable((*path, 1), f"Fn::Select needs a list, not {_kind(resolved)}")
        if int(index) >= len(resolved):
            for item in resolved:
                if isinstance(item, str) and self.world.is_of_unknown_form(item):
                    return item  # on AWS the id has more parts than the one that was made up for it
            raise Unresolvable(path, f"Fn::Select cannot select index {index} of {len(resolved)} values")
        return resolved[int(index)]

    def split(self, value: Any, path: Path) -> list[str]:
        delimiter, source = self.arguments(value, path, 2, 2)
        if not isinstance(delimiter, str) or not delimiter:
            raise Unresolvable((*path, 0), "the delimiter of Fn::Split is a string that is not empty")
        return self.text(source, (*path, 1)).split(delimiter)

    def choose(self, value: Any, path: Path) -> Any:
        name, when_true, when_false = self.arguments(value, path, 3, 3)
        if not isinstance(name, str):
            raise Unresolvable((*path, 0), "the first argument of Fn::If is the name of a condition")
        chosen = 1 if self.world.condition(name, (*path, 0)) else 2
        return self.resolve(when_true if chosen == 1 else when_false, (*path, chosen))

    def find_in_map(self, value: Any, path: Path) -> Any:
        parts = self.arguments(value, path, 3, 4)
        name, top, second = (self.text(part, (*path, index)) for index, part in enumerate(parts[:3]))
        section = self.world.mapping(name)
        entries = section.get(top) if isinstance(section, Mapping) else None
        if isinstance(entries, Mapping) and second in entries:
            return self.resolve(entries[second], ("Mappings", name, top, second))
        if len(parts) == 4 and isinstance(parts[3], dict) and "DefaultValue" in parts[3]:
            return self.resolve(parts[3]["DefaultValue"], (*path, 3, "DefaultValue"))
        if section is None:
            raise Unresolvable(path, f"there is no mapping {name!r}", "define it under Mappings")
        missing = f"{top!r}" if not isinstance(entries, Mapping) else f"{top!r} → {second!r}"
        raise Unresolvable(path, f"mapping {name!r} has no entry {missing}")

    def equals(self, value: Any, path: Path) -> bool:
        left, right = self.arguments(value, path, 2, 2)
        first, second = self.strict(left, (*path, 0)), self.strict(right, (*path, 1))
        return bool(_comparable(first) == _comparable(second))

    def all_of(self, value: Any, path: Path) -> bool:
        operands = self.arguments(value, path, 2, 10)
        truths = [self.truth(operand, (*path, index)) for index, operand in enumerate(operands)]  # all faults
        return all(truths)

    def any_of(self, value: Any, path: Path) -> bool:
        operands = self.arguments(value, path, 2, 10)
        truths = [self.truth(operand, (*path, index)) for index, operand in enumerate(operands)]  # all faults
        return any(truths)

    def negate(self, value: Any, path: Path) -> bool:
        return not self.truth(self.arguments(value, path, 1, 1)[0], (*path, 0))

    def encode_base64(self, value: Any, path: Path) -> str:
        return base64.b64encode(self.text(value, path).encode()).decode()

    def cidr(self, value: Any, path: Path) -> list[str]:
        from trine.cloudformation.cidr import blocks

        parts = self.arguments(value, path, 2, 3)
        network, count, *bits = [self.text(part, (*path, index)) for index, part in enumerate(parts)]
        try:
            return blocks(network, int(count), int(bits[0]) if bits else None)
        except ValueError as error:
            raise Unresolvable(path, f"Fn::Cidr: {error}") from None

    def zones(self, value: Any, path: Path) -> list[str]:
        return self.world.zones(self.text(value, path))

    def length(self, value: Any, path: Path) -> int:
        resolved = self.strict(value, path)
        if not isinstance(resolved, list):
            raise Unresolvable(path, f"Fn::Length counts a list, not {_kind(resolved)}")
        return len(resolved)

    def to_json(self, value: Any, path: Path) -> str:
        return json.dumps(self.strict(value, path), separators=(",", ":"))

    def refuse_import(self, value: Any, path: Path) -> Any:
        message = "Fn::ImportValue needs another stack's export; Trine runs one template"
        raise Unresolvable(path, message, "make it a parameter, and give its value with --parameter-overrides")

    def refuse_transform(self, value: Any, path: Path) -> Any:
        name = value.get("Name") if isinstance(value, dict) else value
        message = f"the macro {name!r} runs in an AWS account; Trine cannot run it"
        raise Unresolvable(path, message, "expand it beforehand and use the expanded template")


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"{value!r}"


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and PLACEHOLDER in value


def _comparable(value: Any) -> Any:
    """CloudFormation compares as strings: `Fn::Equals: [true, "true"]` holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return value


_FUNCTIONS: Mapping[str, Callable[[Evaluation, Any, Path], Any]] = {
    "Ref": Evaluation.ref,
    "Fn::GetAtt": Evaluation.get_att,
    "Fn::Sub": Evaluation.sub,
    "Fn::Join": Evaluation.join_texts,
    "Fn::Select": Evaluation.select,
    "Fn::Split": Evaluation.split,
    "Fn::If": Evaluation.choose,
    "Fn::FindInMap": Evaluation.find_in_map,
    "Fn::Equals": Evaluation.equals,
    "Fn::And": Evaluation.all_of,
    "Fn::Or": Evaluation.any_of,
    "Fn::Not": Evaluation.negate,
    "Fn::Base64": Evaluation.encode_base64,
    "Fn::Cidr": Evaluation.cidr,
    "Fn::GetAZs": Evaluation.zones,
    "Fn::Length": Evaluation.length,
    "Fn::ToJsonString": Evaluation.to_json,
    "Fn::ImportValue": Evaluation.refuse_import,
    "Fn::Transform": Evaluation.refuse_transform,
}
