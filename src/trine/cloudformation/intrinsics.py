"""CloudFormation's intrinsic functions, one small function each, and the table by which they are found.

Enters the walk (`Evaluation`), the unresolved argument and its path; leaves a plain value or raises `Unresolvable`.
Source of all behaviour:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from trine.cloudformation.evaluation import Evaluation, Function, Path, Unresolvable, kind_of

PLACEHOLDER = "trine-placeholder-"
"""Begins what Fn::GetAtt gives for attributes that Trine does not model; it stands for a text or a list of texts."""
_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")


def ref(walk: Evaluation, value: Any, path: Path) -> Any:
    """Ref."""
    if not isinstance(value, str):
        raise Unresolvable(path, "Ref takes the name of a parameter or resource")
    return walk.world.ref(value, path)


def get_att(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::GetAtt: `A.Arn`, or `[A, Arn]`."""
    if isinstance(value, str):
        logical_id, _, attribute = value.partition(".")
    elif isinstance(value, list) and len(value) >= 2 and isinstance(value[0], str):
        logical_id = value[0]
        attribute = ".".join([walk.text(part, (*path, index + 1)) for index, part in enumerate(value[1:])])
    else:
        raise Unresolvable(path, "Fn::GetAtt takes a logical id and an attribute")
    if not attribute:
        raise Unresolvable(path, "Fn::GetAtt names no attribute", f"write {logical_id}.Arn, for example")
    return walk.world.attribute(logical_id, attribute, path)


def sub(walk: Evaluation, value: Any, path: Path) -> str:
    """Fn::Sub: `${Name}`, `${A.Arn}`, `${!Literal}`."""
    variables: Mapping[str, Any] = {}
    template, place = value, path
    if isinstance(value, list):
        template, variables = walk.arguments(value, path, 2, 2)
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
            return walk.text(variables[name], (*path, 1, name))
        if "." in name:
            logical_id, _, attribute = name.partition(".")
            found = walk.world.attribute(logical_id, attribute, place)
        else:
            found = walk.world.ref(name, place)
        return walk.text(found, place)

    pieces, at = [], 0
    for match in _VARIABLE.finditer(template):
        pieces += [template[at : match.start()], variable(match)]
        at = match.end()
    return walk.joined([*pieces, template[at:]], "", path)


def join_texts(walk: Evaluation, value: Any, path: Path) -> str:
    """Fn::Join."""
    delimiter, items = walk.arguments(value, path, 2, 2)
    if not isinstance(delimiter, str):
        raise Unresolvable((*path, 0), "the delimiter of Fn::Join is a string")
    resolved = walk.strict(items, (*path, 1))
    if _is_placeholder(resolved):
        return str(resolved)
    if not isinstance(resolved, list):
        raise Unresolvable((*path, 1), f"Fn::Join joins a list, not {kind_of(resolved)}")
    return walk.joined([walk.text(item, (*path, 1, index)) for index, item in enumerate(resolved)], delimiter, path)


def select(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::Select."""
    index_value, items = walk.arguments(value, path, 2, 2)
    index = walk.text(index_value, (*path, 0))
    resolved = walk.strict(items, (*path, 1))
    if not index.isdecimal():
        raise Unresolvable((*path, 0), f"the index of Fn::Select is a number, not {index!r}")
    if _is_placeholder(resolved) or (isinstance(resolved, list) and any(map(_is_placeholder, resolved))):
        return resolved if isinstance(resolved, str) else next(filter(_is_placeholder, resolved))
    if isinstance(resolved, str) and walk.world.is_of_unknown_form(resolved):
        return resolved
    if not isinstance(resolved, list):
        raise Unresolvable((*path, 1), f"Fn::Select needs a list, not {kind_of(resolved)}")
    if int(index) >= len(resolved):
        for item in resolved:
            if isinstance(item, str) and walk.world.is_of_unknown_form(item):
                return item  # on AWS the id has more parts than the one that was made up for it
        raise Unresolvable(path, f"Fn::Select cannot select index {index} of {len(resolved)} values")
    return resolved[int(index)]


def split(walk: Evaluation, value: Any, path: Path) -> list[str]:
    """Fn::Split."""
    delimiter, source = walk.arguments(value, path, 2, 2)
    if not isinstance(delimiter, str) or not delimiter:
        raise Unresolvable((*path, 0), "the delimiter of Fn::Split is a string that is not empty")
    return walk.text(source, (*path, 1)).split(delimiter)


def choose(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::If."""
    name, when_true, when_false = walk.arguments(value, path, 3, 3)
    if not isinstance(name, str):
        raise Unresolvable((*path, 0), "the first argument of Fn::If is the name of a condition")
    chosen = 1 if walk.world.condition(name, (*path, 0)) else 2
    return walk.resolve(when_true if chosen == 1 else when_false, (*path, chosen))


def find_in_map(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::FindInMap, with the DefaultValue of AWS::LanguageExtensions."""
    parts = walk.arguments(value, path, 3, 4)
    name, top, second = (walk.text(part, (*path, index)) for index, part in enumerate(parts[:3]))
    section = walk.world.mapping(name)
    entries = section.get(top) if isinstance(section, Mapping) else None
    if isinstance(entries, Mapping) and second in entries:
        return walk.resolve(entries[second], ("Mappings", name, top, second))
    if len(parts) == 4 and isinstance(parts[3], dict) and "DefaultValue" in parts[3]:
        return walk.resolve(parts[3]["DefaultValue"], (*path, 3, "DefaultValue"))
    if section is None:
        raise Unresolvable(path, f"there is no mapping {name!r}", "define it under Mappings")
    missing = f"{top!r}" if not isinstance(entries, Mapping) else f"{top!r} → {second!r}"
    raise Unresolvable(path, f"mapping {name!r} has no entry {missing}")


def equals(walk: Evaluation, value: Any, path: Path) -> bool:
    """Fn::Equals."""
    left, right = walk.arguments(value, path, 2, 2)
    first, second = walk.strict(left, (*path, 0)), walk.strict(right, (*path, 1))
    return bool(_comparable(first) == _comparable(second))


def all_of(walk: Evaluation, value: Any, path: Path) -> bool:
    """Fn::And: two to ten conditions; the faults of all are told."""
    operands = walk.arguments(value, path, 2, 10)
    truths = [walk.truth(operand, (*path, index)) for index, operand in enumerate(operands)]  # all faults
    return all(truths)


def any_of(walk: Evaluation, value: Any, path: Path) -> bool:
    """Fn::Or: as `all_of`."""
    operands = walk.arguments(value, path, 2, 10)
    truths = [walk.truth(operand, (*path, index)) for index, operand in enumerate(operands)]  # all faults
    return any(truths)


def negate(walk: Evaluation, value: Any, path: Path) -> bool:
    """Fn::Not."""
    return not walk.truth(walk.arguments(value, path, 1, 1)[0], (*path, 0))


def encode_base64(walk: Evaluation, value: Any, path: Path) -> str:
    """Fn::Base64."""
    return base64.b64encode(walk.text(value, path).encode()).decode()


def cidr(walk: Evaluation, value: Any, path: Path) -> list[str]:
    """Fn::Cidr."""
    from trine.cloudformation.cidr import blocks

    parts = walk.arguments(value, path, 2, 3)
    network, count, *bits = [walk.text(part, (*path, index)) for index, part in enumerate(parts)]
    try:
        return blocks(network, int(count), int(bits[0]) if bits else None)
    except ValueError as error:
        raise Unresolvable(path, f"Fn::Cidr: {error}") from None


def zones(walk: Evaluation, value: Any, path: Path) -> list[str]:
    """Fn::GetAZs."""
    return walk.world.zones(walk.text(value, path))


def length(walk: Evaluation, value: Any, path: Path) -> int:
    """Fn::Length."""
    resolved = walk.strict(value, path)
    if not isinstance(resolved, list):
        raise Unresolvable(path, f"Fn::Length counts a list, not {kind_of(resolved)}")
    return len(resolved)


def to_json(walk: Evaluation, value: Any, path: Path) -> str:
    """Fn::ToJsonString."""
    return json.dumps(walk.strict(value, path), separators=(",", ":"))


def refuse_import(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::ImportValue: there is no other stack."""
    message = "Fn::ImportValue needs another stack's export; Trine runs one template"
    raise Unresolvable(path, message, "make it a parameter, and give its value with --parameter-overrides")


def refuse_transform(walk: Evaluation, value: Any, path: Path) -> Any:
    """Fn::Transform: macros run on AWS only."""
    name = value.get("Name") if isinstance(value, dict) else value
    message = f"the macro {name!r} runs in an AWS account; Trine cannot run it"
    raise Unresolvable(path, message, "expand it beforehand and use the expanded template")


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


FUNCTIONS: Mapping[str, Function] = {
    "Ref": ref,
    "Fn::GetAtt": get_att,
    "Fn::Sub": sub,
    "Fn::Join": join_texts,
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::If": choose,
    "Fn::FindInMap": find_in_map,
    "Fn::Equals": equals,
    "Fn::And": all_of,
    "Fn::Or": any_of,
    "Fn::Not": negate,
    "Fn::Base64": encode_base64,
    "Fn::Cidr": cidr,
    "Fn::GetAZs": zones,
    "Fn::Length": length,
    "Fn::ToJsonString": to_json,
    "Fn::ImportValue": refuse_import,
    "Fn::Transform": refuse_transform,
}
"""Every intrinsic, by its long name; the short forms of YAML are read as these."""
