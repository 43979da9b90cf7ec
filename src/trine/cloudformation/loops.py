"""`Fn::ForEach` of AWS::LanguageExtensions, written out before anything else reads the template. Child process only.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trine.cloudformation.document import Positions
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import NODES_PER_TEMPLATE

TRANSFORM = "AWS::LanguageExtensions"
PREFIX = "Fn::ForEach::"
Path = list[str | int]


class LoopWriter:
    """Writes out the loops of one template; `parameters` are the overrides, defaults come from the template."""

    def __init__(self, template: dict[str, Any], positions: Positions, parameters: Mapping[str, Any]) -> None:
        self.template, self.positions = template, positions
        self.parameters = parameters
        self.faults: list[Fault] = []
        self._written = 0

    def write_out(self) -> None:
        """Replace every loop of the template by what it makes, in place."""
        for section in ("Conditions", "Resources", "Outputs"):
            if isinstance(self.template.get(section), dict):
                self.template[section] = self._walk(self.template[section], [section], {})

    def _walk(self, value: Any, path: Path, bound: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return _replaced(value, bound)
        if isinstance(value, list):
            return [self._walk(item, [*path, index], bound) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and isinstance(value.get("Ref"), str) and value["Ref"] in bound:
            return bound[value["Ref"]]
        if bound and len(value) == 1 and isinstance(value.get("Fn::Sub"), str):
            text = _replaced(value["Fn::Sub"], bound)
            # Nothing left to substitute: plain text, which may also name a resource in Ref and Fn::GetAtt.
            return {"Fn::Sub": text} if "${" in text else text
        members: dict[str, Any] = {}
        for key, member in value.items():
            if key.startswith(PREFIX):
                members.update(self._loop(member, [*path, key], bound))
            else:
                new_key = _replaced(key, bound)
                members[new_key] = self._walk(member, [*path, key], bound)
        return members

    def _loop(self, loop: Any, path: Path, bound: Mapping[str, str]) -> dict[str, Any]:
        if (
            not isinstance(loop, list)
            or len(loop) != 3
            or not isinstance(loop[0], str)
            or not isinstance(loop[2], dict)
        ):
            self._fault(path, "Fn::ForEach takes an identifier, a collection and a map")
            return {}
        identifier, collection, body = loop
        made: dict[str, Any] = {}
        for item in self._collection(collection, [*path, 1], bound):
            self._written += 1
            if self._written > NODES_PER_TEMPLATE // 100:
                self._fault(path, "the loops of this template go round too often")
                break
            inner = {**bound, identifier: item}
            for key, member in body.items():
                at = [*path, 2, key]
                if key.startswith(PREFIX):
                    made.update(self._loop(member, at, inner))
                    continue
                new_key = _replaced(key, inner)
                if new_key in made:
                    self._fault(at, f"the loop makes {new_key} more than once: its key must hold ${{{identifier}}}")
                made[new_key] = self._walk(member, at, inner)
                self.positions.graft([path[0], new_key] if len(path) == 2 else [*path[:-1], new_key], at)
        return made

    def _collection(self, value: Any, path: Path, bound: Mapping[str, str]) -> list[str]:
        resolved = self._value(value, bound)
        if isinstance(resolved, list):
            items = [self._value(item, bound) for item in resolved]
            if all(isinstance(item, (str, int)) for item in items):
                return [str(item) for item in items]
        self._fault(path, "the collection of Fn::ForEach is a list of texts, or a parameter that is one")
        return []

    def _value(self, value: Any, bound: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return _replaced(value, bound)
        if isinstance(value, dict) and isinstance(value.get("Ref"), str):
            return self._parameter(value["Ref"], bound)
        if isinstance(value, dict) and isinstance(value.get("Fn::FindInMap"), list):
            found: Any = self.template.get("Mappings")
            for key in value["Fn::FindInMap"][:3]:
                found = found.get(str(self._value(key, bound))) if isinstance(found, dict) else None
            return found
        return value

    def _parameter(self, name: str, bound: Mapping[str, str]) -> Any:
        if name in bound:
            return bound[name]
        declaration = (self.template.get("Parameters") or {}).get(name)
        if not isinstance(declaration, dict):
            return None
        text = self.parameters.get(name, declaration.get("Default", ""))
        if "List" in str(declaration.get("Type")) and isinstance(text, str):
            return [item.strip() for item in text.split(",") if item.strip()]
        return text

    def _fault(self, path: Path, message: str) -> None:
        place = self.positions.of(*path)
        self.faults.append(Fault(place.file, place.line, place.column, message, "", "template/foreach"))


def _replaced(text: str, bound: Mapping[str, str]) -> str:
    """`${Identifier}` gives the value, `&{Identifier}` the value without what is neither letter nor digit."""
    for identifier, value in bound.items():
        text = text.replace(f"${{{identifier}}}", value)
        text = text.replace(f"&{{{identifier}}}", re.sub(r"[^A-Za-z0-9]", "", value))
    return text
