"""Where in the text a path of the expanded template comes from.

SAM moves and renames things: a function's `Code` was a `CodeUri`, its `Timeout` may stand under Globals, a role came
from the function it serves. The answer is the nearest thing that was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trine.cloudformation.document import Location, Positions

_RENAMED = {
    "Code": ("CodeUri", "InlineCode", "ImageUri"),
    "Content": ("ContentUri",),
    "Body": ("DefinitionBody", "DefinitionUri"),
    "BodyS3Location": ("DefinitionUri",),
    "TemplateURL": ("Location",),
    "TracingConfig": ("Tracing",),
    "DeadLetterConfig": ("DeadLetterQueue",),
    "PolicyDocument": ("Policies",),
    "ManagedPolicyArns": ("Policies",),
    "KeySchema": ("PrimaryKey",),
    "AttributeDefinitions": ("PrimaryKey",),
}
_GLOBALS = {
    "AWS::Lambda::Function": "Function",
    "AWS::Lambda::LayerVersion": "LayerVersion",
    "AWS::ApiGateway::RestApi": "Api",
    "AWS::ApiGateway::Stage": "Api",
    "AWS::ApiGatewayV2::Api": "HttpApi",
    "AWS::ApiGatewayV2::Stage": "HttpApi",
    "AWS::DynamoDB::Table": "SimpleTable",
}


class Places:
    """Finds places for one expanded template. `sources`: logical id → what it came from, a path below Resources."""

    def __init__(self, positions: Positions, sources: Mapping[str, str], resources: Mapping[str, Any]) -> None:
        self.positions, self.sources, self.resources = positions, sources, resources

    def of(self, path: Sequence[str | int]) -> Location:
        """The place of `path`, a path of the expanded template such as ("Resources", "Role", "Properties", "Path")."""
        if len(path) < 2 or path[0] != "Resources":
            return self.positions.of(*path)
        logical_id = str(path[1])
        source: list[str | int] = ["Resources", *self.sources.get(logical_id, logical_id).split("/")]
        own = [*source, *path[2:]]
        if len(path) < 4 or path[2] != "Properties":
            return self.positions.of(*own)
        for candidate in self._candidates(logical_id, source, list(path[3:])):
            if self.positions.knows(*candidate[0]):
                return self.positions.of(*candidate[1])
        return self.positions.of(*own)

    def _candidates(
        self, logical_id: str, source: list[str | int], steps: list[str | int]
    ) -> list[tuple[list[str | int], list[str | int]]]:
        """(what must stand in the text, the path to look up), best first."""
        first, rest = steps[0], steps[1:]
        names: list[str | int] = [first, *_RENAMED.get(str(first), ())]
        found = []
        for name in names:
            head = [*source, "Properties", name]
            found.append((head, [*head, *rest]))
        section = _GLOBALS.get(self.resources.get(logical_id, {}).get("Type"))
        if section:
            for name in names:
                shared: list[str | int] = ["Globals", section, name]
                found.append((shared, [*shared, *rest]))
        return found
