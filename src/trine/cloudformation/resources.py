"""Resources: what the template's intrinsics made of them, what they are called, and where they stand in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from trine.aws.arn import Place
from trine.cloudformation import names
from trine.cloudformation.document import Location, Positions
from trine.cloudformation.kinds import KINDS, Kind
from trine.cloudformation.places import Places

# Streams are labelled by the time they were made; the name must be the same at every start.
STREAM_LABEL = "2026-01-01T00:00:00.000"
_FIELD = re.compile(r"\{(\{\}|[A-Za-z_0-9]*)\}")


SecretKey = Callable[[], bytes]
"""Gives the key that lies with a stack's state, when a template has a secret to make with it."""


def no_key() -> bytes:
    """The key of who reads a template and runs nothing: the secrets stand in for those of a stack."""
    return b"no stack"


class Identity(Struct, frozen=True):
    """What Ref gives (`ref`) and what Fn::GetAtt gives. `known` is false for types that Trine does not model."""

    ref: str
    name: str
    attributes: Mapping[str, Any]
    known: bool


class Resource(Struct):
    """One resource that the template makes, after SAM, conditions and intrinsics.

    `physical_id` is what Ref gives; `name` the given or generated name (often the same). `local_files` maps a property
    path that names a local file or folder (`Code`, `Content`) to its absolute path. `source_id` is the SAM resource
    that it came from, or its own logical id.
    """

    logical_id: str
    type: str
    properties: dict[str, Any]
    physical_id: str
    name: str
    attributes: Mapping[str, Any]
    depends_on: tuple[str, ...]
    metadata: Mapping[str, Any]
    deletion_policy: str
    known_type: bool
    source_id: str
    location: Location
    local_files: dict[str, Path] = field(default_factory=dict)
    placeholders: list[str] = field(default_factory=list)
    _places: Places = field(default_factory=lambda: Places(Positions([""]), {}, {}))
    looked_up: frozenset[str] = frozenset()
    """Dotted paths of properties that hold what the template has AWS look up."""

    def location_of(self, path: str = "") -> Location:
        """The place of a property, dotted (`KeySchema.0.AttributeName`), or of the nearest thing that was written."""
        steps = [step for step in path.split(".") if step]
        own_id = self.logical_id.rpartition(".")[2]  # "Stack.Resource" in a parent of nested stacks
        return self._places.of(("Resources", own_id, "Properties", *steps))


def identify(
    logical_id: str, kind_name: str, properties: Mapping[str, Any], stack_name: str, place: Place,
    secret_key: SecretKey = no_key,
) -> Identity:  # fmt: skip
    """The names of a resource, from its resolved `properties`. Never fails: a missing property leaves a gap.

    `secret_key` gives the key of made secrets, when a resource has one.
    """
    kind = KINDS.get(kind_name)
    known = kind is not None
    shape = kind or Kind()
    given = properties.get(shape.name) if shape.name else None
    name = given if isinstance(given, str) and given else _generated_name(shape, logical_id, properties, stack_name)
    fields = _Fields(shape, logical_id, name, properties, stack_name, place, secret_key)
    attributes = {key: fields.fill(text) for key, text in shape.attributes.items()}
    if kind_name == "AWS::DynamoDB::Table" and not isinstance(properties.get("StreamSpecification"), Mapping):
        attributes.pop("StreamArn", None)
    return Identity(fields.fill(shape.ref), name, attributes, known)


def _generated_name(shape: Kind, logical_id: str, properties: Mapping[str, Any], stack_name: str) -> str:
    suffix = "".join(end for flag, end in shape.suffixes.items() if str(properties.get(flag)).lower() == "true")
    return names.generated_name(stack_name, logical_id, shape.limit - len(suffix), shape.lower) + suffix


class _Fields:
    """The fields that the texts of a `Kind` may name."""

    def __init__(
        self,
        kind: Kind,
        logical_id: str,
        name: str,
        properties: Mapping[str, Any],
        stack: str,
        place: Place,
        secret_key: SecretKey,
    ) -> None:
        self.secret_key = secret_key
        self.kind, self.logical_id, self.name = kind, logical_id, name
        self.properties, self.stack, self.place = properties, stack, place

    def fill(self, text: str) -> str:
        """`text` with its fields filled, as an ARN where it says so."""
        form, _, rest = text.partition(":")
        filled = _FIELD.sub(lambda match: self.value(match.group(1)), text if not form.startswith("arn") else rest)
        if not form.startswith("arn"):
            return filled
        service, _, resource = filled.partition(":")
        if form == "arn-bare":
            region = self.place.region if service == "apigateway" else ""
            return f"arn:{self.place.partition}:{service}:{region}::{resource}"
        return self.place.arn(service, resource, regional=form != "arn-global")

    def value(self, name: str) -> str:
        """The text of one field."""
        fixed = {
            "name": self.name,
            "stack": self.stack,
            "region": self.place.region,
            "account": self.place.account_id,
            "partition": self.place.partition,
            "stream_label": STREAM_LABEL,
            "{}": "{}",
        }.get(name)
        if fixed is not None:
            return fixed
        if name == "id":
            return self.made_id(self.kind.id)
        if name in ("uuid", "lower17"):
            return self.made_id(name)
        if name == "secret":
            return names.secret_text(self.secret_key(), self.stack, self.logical_id)
        if name == "root_resource":
            return names.lower_id(self.stack, f"{self.logical_id}/", 10)
        if name == "default_group":
            return names.hex_id("sg", self.stack, f"{self.logical_id}/default")
        if name == "path":
            path = self.properties.get("Path")
            return path if isinstance(path, str) and path.startswith("/") else "/"
        if name == "rule_bus":
            bus = str(self.properties.get("EventBusName") or "default").rpartition("/")[2]
            return "" if bus == "default" else f"{bus}/"
        if name == "schedule_group":
            return str(self.properties.get("GroupName") or "default")
        if name == "function_arn":
            return function_arn(self.properties, self.place)
        given = self.properties.get(name)
        return given if isinstance(given, str) else ("" if given is None else str(given))

    def made_id(self, form: str) -> str:
        """An id in the form that the kind names."""
        if form == "uuid":
            return names.uuid_id(self.stack, self.logical_id)
        if form == "role":
            return names.generated_name(self.stack, self.logical_id)[-12:] + "TRINE"
        if form.startswith("hex:"):
            return names.hex_id(form[4:], self.stack, self.logical_id)
        if form.startswith("mixed"):
            return names.mixed_id(self.stack, self.logical_id, int(form[5:]))
        return names.lower_id(self.stack, self.logical_id, int(form[5:]))


def function_arn(properties: Mapping[str, Any], place: Place) -> str:
    """The ARN of the function that a version, alias or URL belongs to, given by name or ARN."""
    named = properties.get("FunctionName") or properties.get("TargetFunctionArn") or ""
    text = named if isinstance(named, str) else str(named)
    return text if text.startswith("arn:") else place.function(text)
