"""The order in which resources are made: who refers to whom, and where that goes round in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")


def references(value: Any) -> Iterator[str]:
    """The names that `value` refers to by Ref, Fn::GetAtt and Fn::Sub: logical ids, parameters, pseudo parameters."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key == "Ref" and isinstance(member, str):
                yield member
            elif key == "Fn::GetAtt":
                yield from _attribute_owner(member)
            elif key == "Fn::Sub":
                yield from _variables(member)
            else:
                yield from references(member)


def _attribute_owner(member: Any) -> Iterator[str]:
    if isinstance(member, str):
        yield member.partition(".")[0]
    elif isinstance(member, list) and member and isinstance(member[0], str):
        yield member[0]
        yield from references(member[1:])


def _variables(member: Any) -> Iterator[str]:
    text, given = (member[0], member[1]) if isinstance(member, list) and len(member) == 2 else (member, {})
    yield from references(given)
    if isinstance(text, str):
        for name in _VARIABLE.findall(text):
            if not isinstance(given, dict) or name.strip() not in given:
                yield name.strip().partition(".")[0]


def dependencies(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, None]]:
    """For each resource, those that must be made before it, in the order of their mention; itself is a circle."""
    found: dict[str, dict[str, None]] = {}
    for logical_id, resource in resources.items():
        needed = dict.fromkeys(name for name in references(resource.get("Properties")) if name in resources)
        needed.update(dict.fromkeys(name for name in explicit(resource) if name in resources))
        found[logical_id] = needed
    return found


def explicit(resource: Mapping[str, Any]) -> list[str]:
    """DependsOn as a list."""
    named = resource.get("DependsOn") or []
    return [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[list[str], list[list[str]]]:
    """Names so that each comes after what it needs, and the circles found, each as [a, b, ..., a]."""
    order: list[str] = []
    state: dict[str, int] = {}
    circles: list[list[str]] = []
    for start in needs:
        if state.get(start):
            continue
        # Depth first without recursion: a chain of 500 resources must not end in a RecursionError.
        trail = [start]
        branches = [iter(needs[start])]
        state[start] = 1
        while trail:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                done = trail.pop()
                state[done] = 2
                order.append(done)
            elif state.get(following) == 1:
                circles.append([*trail[trail.index(following) :], following])
            elif not state.get(following):
                state[following] = 1
                trail.append(following)
                branches.append(iter(needs[following]))
    return order, circles
