"""The fidelity manifest: each property of the template, and whether it is enforced, stored or ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from trine.aws.fidelity import Fidelity, FidelityTable, RemarkTable
from trine.cloudformation.fidelity import FIDELITY
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template

STACK = "AWS::CloudFormation::Stack"
UNSUPPORTED_TYPE = "unsupported type"


class ManifestRow(Struct, frozen=True):
    """What becomes of one property. `path` is empty where the row speaks of the whole resource; `remark` says why."""

    logical_id: str
    type: str
    path: str
    fidelity: Fidelity
    file: str
    line: int
    remark: str = ""


def manifest(template: Template, fidelity: FidelityTable, remarks: RemarkTable | None = None) -> list[ManifestRow]:
    """One row per property that was written, in the order of the resources. `fidelity` and `remarks` join the wings'
    tables.

    A property is listed at the depth at which the table distinguishes; list items share a row. Attributes that could
    only be given a placeholder (Fn::GetAtt of an unsupported type) are rows of their own.
    """
    rows: list[ManifestRow] = []
    for logical_id, resource in template.resources.items():
        table = {**FIDELITY, **fidelity}.get(resource.type)
        if resource.type == STACK and not is_read(template, logical_id):
            table = None
        if table is None:
            rows.append(_row(resource, "", Fidelity.IGNORED, UNSUPPORTED_TYPE))
        else:
            seen: dict[str, Fidelity] = {}
            for path, kept in _properties(resource.properties, "", Fidelity.IGNORED, table):
                seen.setdefault(path, kept)
            why = (remarks or {}).get(resource.type, {})
            rows.extend(_row(resource, path, kept, why.get(path, "")) for path, kept in seen.items())
        for attribute in resource.placeholders:
            rows.append(_row(resource, "", Fidelity.IGNORED, f"{attribute} is a placeholder: its type is unsupported"))
    return rows


def is_read(template: Template, logical_id: str) -> bool:
    """True when the template of this nested stack was read; `logical_id` may be `Stack.Stack`."""
    outer, _, inner = logical_id.partition(".")
    nested = template.nested.get(outer)
    return nested is not None and (not inner or is_read(nested, inner))


def _row(resource: Resource, path: str, fidelity: Fidelity, remark: str = "") -> ManifestRow:
    location = resource.location_of(path) if path else resource.location
    return ManifestRow(resource.logical_id, resource.type, path, fidelity, location.file, location.line, remark)


def _properties(
    value: Any, path: str, covering: Fidelity, table: Mapping[str, Fidelity]
) -> Iterator[tuple[str, Fidelity]]:
    """Paths with their fidelity: as deep as `table` has longer entries below, else the covering entry."""
    own = table.get(path, covering)
    deeper = any(entry.startswith(f"{path}.") for entry in table) if path else True
    if deeper and isinstance(value, Mapping) and value:
        for key, member in value.items():
            yield from _properties(member, f"{path}.{key}" if path else str(key), own, table)
    elif deeper and isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for item in value:
            yield from _properties(item, path, own, table)
    elif path:
        yield path, own
