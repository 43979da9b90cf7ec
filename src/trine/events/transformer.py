"""What a rule's target gets of an event: all of it, a part, a constant, or a template filled with parts.

Pure. Source: EventBridge user guide, "Input transformation": a variable outside quotes becomes JSON, one inside quotes
its text; a template that is not JSON is a text. What the guide does not say is as recorded on AWS: a missing value is
an empty text, objects and lists inside the quotes of a text lose their own, several quoted lines stay lines, and what a
JSON template makes must be JSON: an object inside quotes there is why an event does not arrive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from trine.events.errors import Invalid
from trine.events.event import instant

_STEP = re.compile(r"\.([\w@/-]+)|\[(\d+)\]|\['([^']+)'\]")
_PATH = re.compile(r"\$(?:\.[\w@/-]+|\[\d+\]|\['[^']+'\])*")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
_MISSING = object()


class NotRendered(ValueError):
    """A template of JSON that an event makes something else of: the target gets nothing."""


def check_path(path: str) -> None:
    """Invalid when `path` is none that EventBridge reads."""
    if not _PATH.fullmatch(path):
        raise Invalid(f"Invalid InputPath: {path}")


def part_of(event: Any, path: str, missing: Any = None) -> Any:
    """The value at a path; `missing` when there is none."""
    value = event
    for name, index, quoted in _STEP.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else _MISSING
        else:
            value = value.get(name or quoted, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is _MISSING:
            return missing
    return value


def placeholders(template: str) -> set[str]:
    """The variables that a template names."""
    return {match[1] for match in _VARIABLE.finditer(template)}


def filled(template: str, paths: Mapping[str, str], event: Any, rule_arn: str, now: float) -> bytes:
    """The template with its variables, as what the target gets. NotRendered."""
    is_json = template.lstrip().startswith("{")
    known: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": instant(now),
        "aws.events.event": _outline(event),
        "aws.events.event.json": event,
        **{name: part_of(event, path, "") for name, path in paths.items()},
    }
    pieces: list[str] = []
    at, quoted = 0, False
    for match in _VARIABLE.finditer(template):
        before = template[at : match.start()]
        quoted ^= before.replace('\\"', "").count('"') % 2 == 1
        pieces.append(before)
        pieces.append(_shown(known[match[1]], quoted, is_json) if match[1] in known else match[0])
        at = match.end()
    text = "".join([*pieces, template[at:]])
    try:
        return orjson.dumps(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        if is_json and _is_json_with(template):
            raise NotRendered(f"what the template makes is no JSON: {error}") from None
        return text.encode() if all(map(_is_json, text.split("\n"))) else orjson.dumps(text)


def _outline(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without its detail, as `<aws.events.event>` gives it."""
    return {"detailType" if key == "detail-type" else key: value for key, value in event.items() if key != "detail"}


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_json_with(template: str) -> bool:
    """Whether a template is JSON as soon as its variables are values."""
    return _is_json(_VARIABLE.sub("1", template))


def _shown(value: Any, quoted: bool, is_json: bool) -> str:
    encoded = orjson.dumps(value).decode()
    if not quoted:
        return encoded
    if isinstance(value, str):
        return encoded[1:-1]
    if value is None:
        return ""
    return encoded if is_json else encoded.replace('"', "")
