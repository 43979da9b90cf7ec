"""Values as the resource's schema types them: CloudFormation takes `"30"` for an integer and `true` for a string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def coerce(properties: dict[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """`properties` with each value in the type that `types` gives its path.

    A path is dotted, `*` stands for every list item and every key of an open map. What cannot be converted stays as it
    is: the wing that reads it answers with its own error.
    """
    steps: dict[str, Any] = {}
    for path, wanted in types.items():
        node = steps
        for step in path.split("."):
            node = node.setdefault(step, {})
        node[""] = wanted
    converted = _walk(properties, steps)
    assert isinstance(converted, dict)
    return converted


def _walk(value: Any, steps: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        other = steps.get("*", {})
        return {key: _walk(member, steps.get(key, other) if key else other) for key, member in value.items()}
    if isinstance(value, list):
        return [_walk(item, steps.get("*", {})) for item in value]
    wanted = steps.get("")
    return _converted(value, wanted) if wanted else value


def _converted(value: Any, wanted: str) -> Any:
    if wanted == "string" and isinstance(value, (bool, int, float)):
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if wanted == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if wanted in ("integer", "number") and isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            if wanted == "number":
                try:
                    return float(value)
                except ValueError:
                    return value
    return value
