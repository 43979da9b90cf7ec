"""What a template's functions run with, once it was found, installed or built: values that deploying reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from trine.awslambda.function import DebugPort
from trine.stack.recipes import variables_of

if TYPE_CHECKING:  # what builds loads when there is something to build
    from trine.awslambda.building.bundling import Bundle


class Built(Struct, frozen=True):
    """A function's code as it was built, and with what."""

    folder: Path
    bundle: Bundle | None = None
    """What esbuild was asked for; None where another tool made the code."""
    program: str = ""
    packages: Path | None = None

    def of(self, properties: dict[str, Any]) -> dict[str, Any]:
        """The function's properties for it: handler and variables, as SAM CLI changes them in the built template."""
        if self.bundle is None:
            return properties
        from trine.awslambda.building.bundling import built_handler, with_source_maps

        changed = {**properties, "Handler": built_handler(str(properties.get("Handler", "")), self.folder)}
        if self.bundle.source_maps:
            changed["Environment"] = {"Variables": with_source_maps(variables_of(properties))}
        return changed


class Readied(Struct):
    """What was found, installed or built."""

    folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → its folder of packages."""
    runtime_folders: dict[str, Path] = field(default_factory=dict)
    """Logical id of a function → the folder of packages that its runtime brings on AWS."""
    built: dict[str, Built] = field(default_factory=dict)
    """Logical id of a function → what its code was built to."""
    layers: dict[str, Path] = field(default_factory=dict)
    """Logical id of a layer → the content that was built."""
    problems: list[str] = field(default_factory=list)
    debug: dict[str, DebugPort] = field(default_factory=dict)
    """Logical id of the function that is debugged → where its debugger listens."""
    failed: int = 0
    """Installations that did not succeed."""
