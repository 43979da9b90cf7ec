"""The child process that reads a template: `python -m trine.cloudformation.expand`, JSON in and out by pipes.

In: {"path", "parameters", "region"}. Out: {"template", "positions", "files", "sources", "transforms", "faults",
"entry_faults", "unread", "warnings", "dependencies", "literals", "property_types", "attribute_names",
"arn_types"}. It is a process of its own because PyYAML and aws-sam-translator cost time and memory that the server
should not carry, and because nothing a template does to a parser can then hurt it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from trine.cloudformation.document import Document, PathParts, Positions, TooLarge, flatten
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import TEMPLATE_SIZE_BYTES


def read_document(path: Path) -> Document:
    """The template at `path`, YAML or JSON. Faults instead of exceptions."""
    positions = Positions([str(path)])
    value, faults = read_into(path, positions)
    return Document(value, positions, faults)


def read_into(path: Path, positions: Positions, at: PathParts = (), file: int = 0) -> tuple[Any, list[Fault]]:
    """Plain values of the file at `path`; their places go into `positions` below `at`."""
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Fault(name, 0, 0, f"cannot be read: {error.strerror}", "", "template/file")]
    if len(raw) > TEMPLATE_SIZE_BYTES:
        message = f"the template has {len(raw):,} bytes; CloudFormation takes {TEMPLATE_SIZE_BYTES:,}"
        return None, [Fault(name, 0, 0, message, "split it into nested stacks", "template/size")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Fault(name, line, 1, "the file is not UTF-8", "save it as UTF-8", "template/encoding")]
    if text.lstrip()[:1] == "{":
        from trine.cloudformation.json_document import read_json

        node, faults = read_json(text, name)
        if node is None and path.suffix != ".json":
            node, faults = _read_yaml(text, name)  # YAML's flow style begins with a brace as well
    else:
        node, faults = _read_yaml(text, name)
    if node is None:
        return None, faults
    try:
        return flatten(node, positions, at, file), faults
    except TooLarge as error:
        hint = "aliases that hold aliases multiply; write the values out"
        return None, [*faults, Fault(name, error.node.line, error.node.column, error.message, hint, "template/size")]


def _read_yaml(text: str, name: str) -> tuple[Any, list[Fault]]:
    from trine.cloudformation.yaml_document import read_yaml

    return read_yaml(text, name)


def transforms_of(template: dict[str, Any]) -> list[str]:
    """The names under `Transform`, in order; what is no name is left to the checks."""
    named = template.get("Transform", [])
    entries = named if isinstance(named, list) else [named]
    return [str(entry.get("Name") if isinstance(entry, dict) else entry) for entry in entries if entry]


def expand(path: Path, parameters: dict[str, Any], region: str) -> dict[str, Any]:
    """Read the template at `path` and expand its transforms; the answer of the child."""
    document = read_document(path)
    answer: dict[str, Any] = {
        "template": document.value,
        "positions": document.positions.table,
        "files": document.positions.files,
        "sources": {},
        "transforms": [],
        "entry_faults": [],
        "unread": [],
        "dependencies": [],
    }
    faults = [fault for fault in document.faults if fault.level == "error"]
    template = document.value
    faults = faults or section_faults(template, document.positions)
    if not faults:
        take_out_shapeless(template, document.positions, answer)
        faults = _expand_transforms(path, template, document.positions, parameters, region, answer)
    if any(fault.rule != "template/sam" for fault in faults):
        answer["template"] = {}  # its shape cannot be trusted: nobody walks it
    warnings = [fault for fault in document.faults if fault.level != "error"]
    answer["faults"] = [fault.to_document() for fault in faults]
    answer["warnings"] = [fault.to_document() for fault in warnings]
    return answer


def _expand_transforms(
    path: Path,
    template: dict[str, Any],
    positions: Positions,
    parameters: dict[str, Any],
    region: str,
    answer: dict[str, Any],
) -> list[Fault]:
    """Includes, loops, SAM, then the files it names; fills `answer` and returns the faults."""
    from trine.cloudformation.assets import put_assets
    from trine.cloudformation.includes import Includer
    from trine.cloudformation.loops import TRANSFORM as LOOPS
    from trine.cloudformation.loops import LoopWriter
    from trine.cloudformation.property_types import arn_types, attribute_names, property_types
    from trine.cloudformation.sam import TRANSFORM, expand_sam

    includer = Includer(path.parent, positions, read_into)
    includer.expand(template)
    answer["transforms"] = transforms_of(template)
    faults = list(includer.faults)
    if not faults and LOOPS in answer["transforms"]:
        writer = LoopWriter(template, positions, parameters)
        writer.write_out()
        faults = writer.faults
    if not faults and (template["Resources"] or not answer["unread"]):
        faults = section_faults(template, positions)
    if not faults:
        take_out_shapeless(template, positions, answer, finished=True)
    if not faults and not template["Resources"]:  # all were shapeless, and told: nothing is left to walk
        answer["template"] = {}
        return []
    faults = faults or untransformed(template, positions, answer["transforms"])
    if not faults and TRANSFORM in answer["transforms"]:
        template, answer["sources"], faults = expand_sam(template, positions, parameters, region)
    if not faults:
        put_assets(template)
        answer["literals"] = includer.definitions(template, answer["sources"])
        kinds = {each["Type"] for each in template["Resources"].values()}
        answer["property_types"] = property_types(kinds)
        answer["attribute_names"] = attribute_names(kinds)
        answer["arn_types"] = arn_types(kinds)
        faults = includer.faults
    answer["template"] = template
    answer["dependencies"] = includer.dependencies
    return faults


def untransformed(template: dict[str, Any], positions: Positions, transforms: list[str]) -> list[Fault]:
    """SAM's types in a template that does not ask for SAM: CloudFormation does not know them."""
    from trine.cloudformation.sam import TRANSFORM

    if TRANSFORM in transforms:
        return []
    faults = []
    for logical_id, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::Serverless::"):
            place = positions.of("Resources", logical_id, "Type")
            message = f"{resource['Type']} is known to templates with 'Transform: {TRANSFORM}' only"
            hint = "add that line at the top level of the template"
            faults.append(Fault(place.file, place.line, place.column, message, hint, "template/transform"))
    return faults


def section_faults(template: Any, positions: Positions) -> list[Fault]:
    """What keeps the sections from being walked at all: they are of the wrong kind, or there are no Resources."""
    if not isinstance(template, dict):
        return [_shape_fault(positions, "a template is a map of sections", "it needs at least 'Resources:'")]
    faults: list[Fault] = []
    for section in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Metadata", "Globals", "Rules"):
        if section in template and not isinstance(template[section], dict):
            if template[section] is None and section != "Resources":
                template[section] = {}
            else:
                message = f"{section} must be a map"
                faults.append(_shape_fault(positions, message, "check the indentation below it", section))
    if not template.get("Resources"):
        message = "the template has no Resources"
        faults.append(_shape_fault(positions, message, "at least one resource is required"))
    return faults


def take_out_shapeless(
    template: dict[str, Any], positions: Positions, answer: dict[str, Any], finished: bool = False
) -> None:
    """Take entries out that cannot be walked, so that their faults do not hide those of the others.

    The faults go to `entry_faults` of `answer`, the names to `unread`. Unless `finished`, functions still to be
    written out (Fn::ForEach, Fn::Transform) may stand among the names.
    """
    for section, check in (("Parameters", _entry_shape), ("Resources", _resource_shape), ("Outputs", _entry_shape)):
        entries = template.get(section) or {}
        for name in list(entries):
            if name.startswith("Fn::") and not finished:
                continue
            found = check(section, name, entries[name])
            if found is None:
                continue
            message, hint, path = found
            answer["entry_faults"].append(_shape_fault(positions, message, hint, *path).to_document())
            answer["unread"].append(name)
            del entries[name]


_Shape = tuple[str, str, tuple[str, ...]]
"""What is wrong with an entry, a hint, and its place."""


def _entry_shape(section: str, name: str, entry: Any) -> _Shape | None:
    if isinstance(entry, dict):
        return None
    return f"{section}.{name} must be a map", "check the indentation", (section, name)


def _resource_shape(section: str, logical_id: str, resource: Any) -> _Shape | None:
    path = (section, logical_id)
    if logical_id.startswith("Fn::"):
        hint = "Fn::ForEach needs 'Transform: AWS::LanguageExtensions'"
        return f"{logical_id} cannot stand among resources", hint, path
    if not isinstance(resource, dict):
        return f"resource {logical_id} must be a map", "check the indentation", path
    if not isinstance(resource.get("Type"), str):
        return f"resource {logical_id} has no Type", "such as Type: AWS::DynamoDB::Table", path
    if resource.get("Properties") is None:
        resource["Properties"] = {}
    if not isinstance(resource["Properties"], dict):
        return f"Properties of {logical_id} must be a map", "check the indentation", (*path, "Properties")
    return None


def _shape_fault(positions: Positions, message: str, hint: str, *path: str) -> Fault:
    place = positions.of(*path)
    return Fault(place.file, place.line, place.column, message, hint, "template/shape")


def main() -> None:
    """Serve one request from stdin."""
    request = json.loads(sys.stdin.buffer.read())
    answer = expand(Path(request["path"]), request["parameters"], request["region"])
    sys.stdout.buffer.write(json.dumps(answer, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
