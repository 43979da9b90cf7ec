"""Dynamic references: `{{resolve:ssm:NAME}}` and `{{resolve:secretsmanager:ID:SecretString:KEY}}` become values.

Enters what `trine.toml` beside the template gives, and the parameters and secrets that the template itself makes;
leaves texts without references, as far as there are values: others stay as they are, and the checks say so.
`ssm-secure` stays as well: AWS takes it for few properties, none of which has a meaning here. Sources: CloudFormation
user guide, "Get values stored in other services using dynamic references"; Secrets Manager, "Retrieve a secret in
CloudFormation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

import orjson
from msgspec import Struct, field

from trine.cloudformation.evaluation import Path, Unresolvable
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.limits import TEMPLATE_SIZE_BYTES, TEXT_CHARACTERS

FILE = "trine.toml"
REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]*)\}\}")
_BUILT = (".aws-sam", "build")
_ARN_PARTS = 7
_HINT = f'such as [resolve.ssm] and below it "/app/name" = "value" in {FILE}'


def mentions(value: Any) -> bool:
    """Whether a reference may stand somewhere below: most templates have none, and large ones have many texts."""
    if isinstance(value, str):
        return "{{resolve:" in value
    if isinstance(value, dict):
        return any(map(mentions, value.values()))
    return isinstance(value, list) and any(map(mentions, value))


def references(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """(dotted path, first reference) of each text below that has one."""
    if isinstance(value, str):
        if (found := REFERENCE.search(value)) is not None:
            yield path, found[0]
    elif isinstance(value, (dict, list)):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from references(f"{path}.{name}" if path else str(name), each)


class Values(Struct):
    """What is known: parameters by name or `name:version`, secrets by their id as text (JSON, where it has keys)."""

    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def resolved(self, value: Any, path: Path) -> Any:
        """`value` with every reference replaced whose value is known. Unresolvable when a secret lacks the key,
        or a text grows too long."""
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, dict):
            return {name: self.resolved(each, (*path, name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.resolved(each, (*path, index)) for index, each in enumerate(value)]
        return value

    def _text(self, text: str, path: Path) -> str:
        pieces, at, size = [], 0, len(text)
        for found in REFERENCE.finditer(text):
            pieces += [text[at : found.start()], self._value(found, path)]
            at, size = found.end(), size + len(pieces[-1])
            if size > TEXT_CHARACTERS:
                message = f"the text grows to more than {TEXT_CHARACTERS:,} characters"
                raise Unresolvable(path, message, "", "template/size")
        return "".join([*pieces, text[at:]])

    def keep(self, kind: str, physical_id: str, name: str, properties: Mapping[str, Any]) -> None:
        """A parameter or secret that the template makes; what `trine.toml` says of it goes before."""
        if kind == "AWS::SSM::Parameter" and isinstance(properties.get("Value"), str):
            self.parameters.setdefault(name, properties["Value"])
        if kind == "AWS::SecretsManager::Secret" and isinstance(properties.get("SecretString"), str):
            for known_as in filter(None, (physical_id, name)):
                self.secrets.setdefault(known_as, properties["SecretString"])

    def _value(self, found: re.Match[str], path: Path) -> str:
        value = None
        if found[1] == "ssm":
            name = found[2].partition(":")[0]
            value = self.parameters.get(found[2], self.parameters.get(name))
        elif found[1] == "secretsmanager":
            value = self._secret(found[0], found[2], path)
        return found[0] if value is None else value

    def _secret(self, reference: str, text: str, path: Path) -> str | None:
        parts = text.split(":")
        of_id = _ARN_PARTS if parts[0] == "arn" else 1
        secret_id, rest = ":".join(parts[:of_id]), [*parts[of_id:], "", ""]
        secret = self.secrets.get(secret_id)
        if secret is None and of_id == _ARN_PARTS:  # given by its name: an ARN has six random characters behind it
            secret = self.secrets.get(parts[-1 if len(parts) < _ARN_PARTS else _ARN_PARTS - 1].rpartition("-")[0])
        if secret is None or not rest[1]:
            return secret
        try:
            document = orjson.loads(secret)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict) or rest[1] not in document:
            message = f"the secret of {reference} has no key {rest[1]!r}"
            raise Unresolvable(path, message, f"add it to the secret in {FILE}", "template/dynamic-reference")
        value = document[rest[1]]
        return value if isinstance(value, str) else orjson.dumps(value).decode()


def values_file(template: FilePath) -> FilePath | None:
    """`trine.toml` beside the template, or beside the folder that `sam build` left it in; None when there is none."""
    folder = template.parent
    if folder.parts[-2:] == _BUILT:
        folder = folder.parents[1]
    return folder / FILE if (folder / FILE).is_file() else None


def read_values(file: FilePath | None) -> Values:
    """The values that the file gives; none without a file. TemplateFaults."""
    if file is None:
        return Values()
    import tomllib  # only who has the file pays for its reader

    try:
        if file.stat().st_size > TEMPLATE_SIZE_BYTES:
            raise _fault(file, f"is larger than {TEMPLATE_SIZE_BYTES:,} bytes")
        document = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise _fault(file, f"cannot be read: {error}") from None
    sections = document.pop("resolve", {})
    if document or not isinstance(sections, dict) or not set(sections) <= {"ssm", "secretsmanager"}:
        raise _fault(file, "holds [resolve.ssm] and [resolve.secretsmanager], and nothing else")
    values = Values()
    for service, known in (("ssm", values.parameters), ("secretsmanager", values.secrets)):
        entries = sections.get(service, {})
        if not isinstance(entries, dict):
            raise _fault(file, f"[resolve.{service}] must be a table")
        for name, value in entries.items():
            if isinstance(value, dict) and service == "secretsmanager":
                value = orjson.dumps(value, default=str).decode()
            if not isinstance(value, str):
                raise _fault(file, f"the value of {name!r} in [resolve.{service}] must be a text in quotes")
            known[name] = value
    return values


def _fault(file: FilePath, message: str) -> TemplateFaults:
    return TemplateFaults([Fault(str(file), 0, 0, message, _HINT, "template/dynamic-reference")])
