"""The types of resource properties, from the resource schemas of AWS that cfn-lint carries as data. Child process only.

CloudFormation converts values to the type of the property they are given to; these tables say which type that is.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_SCALARS = ("boolean", "integer", "number", "string")
_DEEPEST = 8


def property_types(kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each resource type: dotted path (`*` for items and open keys) → scalar type. Unknown types are left out."""
    schemas = {kind: _schema(kind) for kind in sorted(set(kinds))}
    return {kind: dict(_scalars(schema, schema, "", 0)) for kind, schema in schemas.items() if schema is not None}


def attribute_names(kinds: Iterable[str]) -> dict[str, list[str]]:
    """For each resource type: the names that Fn::GetAtt can ask for. Unknown types are left out."""
    schemas = {kind: _schema(kind) for kind in sorted(set(kinds))}
    return {
        kind: [path.removeprefix("/properties/").replace("/", ".") for path in schema.get("readOnlyProperties") or []]
        for kind, schema in schemas.items()
        if schema is not None
    }


def arn_types(kinds: Iterable[str]) -> list[str]:
    """The resource types whose Ref is an ARN: it is what identifies them."""
    found = []
    for kind in sorted(set(kinds)):
        identifiers = (_schema(kind) or {}).get("primaryIdentifier") or []
        if len(identifiers) == 1 and str(identifiers[0]).lower().endswith("arn"):
            found.append(kind)
    return found


_index: dict[str, str] = {}


@cache
def _schema(kind: str) -> dict[str, Any] | None:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "data" / "schemas"
    try:
        if not _index:
            _index.update(json.loads((folder / "providers" / "us-east-1.json").read_bytes()))
        file = folder / "resources" / f"{_index[kind]}.json"
    except (OSError, ValueError, KeyError):
        # Releases before 1.40 keep one file per type and region.
        file = folder / "providers" / "us_east_1" / f"{kind.lower().replace('::', '-')}.json"
    try:
        schema = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return schema if isinstance(schema, dict) else None


def _scalars(node: Any, root: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
    reference = node.get("$ref") if isinstance(node, dict) else None
    if isinstance(reference, str):
        node = _follow(root, reference)
    if not isinstance(node, dict) or depth > _DEEPEST:
        return
    kind: Any = node.get("type")
    if isinstance(kind, list) and {"string", "number", "boolean"} <= set(kind):
        kind = "string"  # cfn-lint lets environment variables be anything, since CloudFormation makes text of it
    if kind in _SCALARS:
        yield path, kind
        return
    below = f"{path}." if path else ""
    if kind == "array" and isinstance(node.get("items"), dict):
        yield from _scalars(node["items"], root, f"{path}.*", depth + 1)
    for name, child in (node.get("properties") or {}).items():
        yield from _scalars(child, root, below + name, depth + 1)
    for child in (node.get("patternProperties") or {}).values():
        yield from _scalars(child, root, f"{below}*", depth + 1)


def _follow(root: Mapping[str, Any], reference: str) -> Any:
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node
