"""The walk over a template's values: an intrinsic goes in, a plain value comes out.

`Evaluation.resolve` walks; the functions are handed in as a table (`intrinsics.FUNCTIONS`) and ask it for their
arguments. A function that cannot be evaluated raises `Unresolvable`, which the nearest plain container records as a
fault, so that one mistake does not hide the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import TEXT_CHARACTERS
from trine.cloudformation.places import Places

Path = tuple[str | int, ...]

NO_VALUE: Any = type("NoValue", (), {"__repr__": lambda _: "AWS::NoValue"})()
"""What `Ref: AWS::NoValue` gives: the member or item that holds it is left out."""


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

    def __init__(self, world: World, places: Places, functions: Mapping[str, Function]) -> None:
        """`functions`: what stands before each argument (`Fn::Join`) → what evaluates it."""
        self.world = world
        self.places = places
        self._functions = functions
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
                function = self._functions.get(name)
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
            if key.startswith("Fn::") and key in self._functions:
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
        raise Unresolvable(path, f"a string was expected here, not {kind_of(resolved)}")

    def joined(self, parts: list[str], delimiter: str, path: Path) -> str:
        """`parts` as one text. Unresolvable when it is longer than a template: texts of texts of texts multiply."""
        if sum(map(len, parts)) + len(delimiter) * len(parts) > TEXT_CHARACTERS:
            raise Unresolvable(path, f"the text grows to more than {TEXT_CHARACTERS:,} characters", "", "template/size")
        return delimiter.join(parts)

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


def kind_of(value: Any) -> str:
    """What a value is, in words for a fault."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"{value!r}"


Function = Callable[[Evaluation, Any, Path], Any]
"""(the walk, the unresolved argument, where it stands) → the value. Raises Unresolvable."""
