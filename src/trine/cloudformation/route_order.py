"""The routes of an expanded API in the order of the template's text. Child process only.

aws-sam-translator orders by Python 2's hashes, since AWS names deployments by them; people look for their own order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.cloudformation.document import Positions

_ANY = "x-amazon-apigateway-any-method"
_NOWHERE = 1 << 30


def order_routes(original: Mapping[str, Any], expanded: Mapping[str, Any], positions: Positions) -> None:
    """Sort `paths` and the methods below each, in place. What no event names keeps its place behind the others."""
    lines = _lines_of_events(original, positions)
    for logical_id, resource in expanded["Resources"].items():
        body = (resource.get("Properties") or {}).get("Body")
        paths = body.get("paths") if isinstance(body, dict) else None
        if not isinstance(paths, dict):
            continue
        written = ("Resources", logical_id, "Properties", "DefinitionBody", "paths")

        ranks = {
            path: {method: _line(written, lines, positions, path, str(method)) for method in methods}
            for path, methods in paths.items()
            if isinstance(methods, dict)
        }
        for path, rank in ranks.items():
            paths[path] = _sorted(paths[path], rank)
        first = {path: min(ranks.get(path, {}).values(), default=_NOWHERE) for path in paths}
        resource["Properties"]["Body"]["paths"] = _sorted(paths, first)


def _sorted(members: Mapping[str, Any], ranks: Mapping[str, int]) -> dict[str, Any]:
    return dict(sorted(members.items(), key=lambda member: ranks[member[0]]))


def _line(
    written: tuple[str, ...], lines: Mapping[tuple[str, str], int], positions: Positions, path: str, method: str
) -> int:
    """Where the route stands: in the API's own DefinitionBody, or in the event that asks for it."""
    if positions.knows(*written, path, method):
        return positions.of(*written, path, method).line
    return lines.get((path, method), _NOWHERE)


def _lines_of_events(original: Mapping[str, Any], positions: Positions) -> dict[tuple[str, str], int]:
    """(path, method) → the first line of an event that names it."""
    found: dict[tuple[str, str], int] = {}
    for logical_id, resource in original["Resources"].items():
        events = (resource.get("Properties") or {}).get("Events")
        for name, event in events.items() if isinstance(events, dict) else ():
            properties = event.get("Properties") if isinstance(event, dict) else None
            if isinstance(properties, dict) and event.get("Type") in ("Api", "HttpApi"):
                path, method = properties.get("Path"), str(properties.get("Method", "any")).lower()
                key = (path if isinstance(path, str) else "$default", _ANY if method == "any" else method)
                place = positions.of("Resources", logical_id, "Properties", "Events", name)
                found[key] = min(found.get(key, _NOWHERE), place.line)
    return found
