"""Nested stacks whose templates are local files: each is read as a template of its own and joined to its parent.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from msgspec.structs import replace

from trine.cloudformation.document import Location
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.limits import NESTED_STACK_DEPTH, NESTED_STACKS_READ, STACK_NAME_CHARACTERS
from trine.cloudformation.names import generated_name
from trine.cloudformation.resources import Resource


class _Output(Protocol):
    @property
    def value(self) -> Any: ...


class _Template(Protocol):
    @property
    def resources(self) -> Mapping[str, Resource]: ...

    @property
    def outputs(self) -> Mapping[str, _Output]: ...


T = TypeVar("T", bound=_Template)


class NestedStacks(Generic[T]):
    """The nested stacks of one template. `load` reads a template: path, parameter values, stack name."""

    def __init__(
        self, load: Callable[[Path, dict[str, str], str], T], stack_name: str, depth: int, read: list[Path]
    ) -> None:
        """`read`: the nested templates read so far, for all templates of one reading."""
        self.load, self.stack_name, self.depth, self._read = load, stack_name, depth, read
        self.templates: dict[str, T] = {}
        self.faults: list[Fault] = []

    def outputs(
        self, logical_id: str, properties: Mapping[str, Any], file: Path, location: Location
    ) -> Mapping[str, Any]:
        """Read the stack's template with the parameters it is given; its outputs by name. Faults gather."""
        self._read.append(file)
        if self.depth >= NESTED_STACK_DEPTH or len(self._read) > NESTED_STACKS_READ:
            message = f"stacks are nested deeper than {NESTED_STACK_DEPTH}"
            if len(self._read) > NESTED_STACKS_READ:
                message = f"more than {NESTED_STACKS_READ} nested stacks are read"
            hint = "does a template name itself?"
            self.faults.append(Fault(location.file, location.line, location.column, message, hint, "template/nested"))
            return {}
        given = properties.get("Parameters")
        values = {str(name): _text(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
        name = generated_name(self.stack_name, logical_id, STACK_NAME_CHARACTERS)
        try:
            template = self.load(file, values, name)
        except TemplateFaults as found:
            self.faults.extend(found.faults)
            return {}
        self.templates[logical_id] = template
        return {name: output.value for name, output in template.outputs.items()}

    def joined(self, resources: Mapping[str, Resource]) -> dict[str, Resource]:
        """`resources` with those of each nested stack behind it, under `Stack.Resource`."""
        found: dict[str, Resource] = {}
        for logical_id, resource in resources.items():
            found[logical_id] = resource
            nested = self.templates.get(logical_id)
            for name, inner in nested.resources.items() if nested else ():
                found[f"{logical_id}.{name}"] = replace(inner, logical_id=f"{logical_id}.{name}")
        return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
