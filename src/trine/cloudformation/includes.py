"""Files that a template names and that become part of it. Child process only.

`AWS::Include` puts a file in the place of an `Fn::Transform`, its intrinsics alive. An API definition named by path
becomes the API's Body as it is: on AWS it is imported from Amazon S3, where no intrinsic is evaluated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trine.cloudformation.document import PathParts, Positions
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import INCLUDED_FILES, TEMPLATE_SIZE_BYTES

INCLUDE = "AWS::Include"
Reader = Callable[[Path, Positions, PathParts, int], tuple[Any, list[Fault]]]
_APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")


class Includer:
    """Reads the files of one template. `dependencies` lists each with the hash of its bytes, for the cache."""

    def __init__(self, directory: Path, positions: Positions, read: Reader) -> None:
        self.directory, self.positions, self.read = directory, positions, read
        self.faults: list[Fault] = []
        self.dependencies: list[tuple[str, str]] = []

    def expand(self, template: dict[str, Any]) -> None:
        """Replace every `AWS::Include` in `template`, in place."""
        self._walk(template, [])

    def definitions(self, template: dict[str, Any], sources: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Logical id → {"Body": definition} for the APIs whose definition is a local file; the path is taken out."""
        found = {}
        for logical_id, resource in (template.get("Resources") or {}).items():
            properties = resource.get("Properties") or {}
            location = properties.get("BodyS3Location")
            if resource.get("Type") in _APIS and isinstance(location, str) and not _remote(location):
                path = ("Resources", sources.get(logical_id, logical_id), "Properties", "Body")
                body = self._file(location, path)
                del properties["BodyS3Location"]
                if body is not None:
                    found[logical_id] = {"Body": body}
        return found

    def _walk(self, value: Any, path: list[str | int]) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._walk(item, [*path, index])
        elif isinstance(value, dict):
            for key in ("Fn::Transform", "Transform"):
                call = value.get(key)
                if isinstance(call, dict) and call.get("Name") == INCLUDE:
                    self._include(value, key, call, path)
            for name, member in list(value.items()):
                self._walk(member, [*path, name])

    def _include(self, holder: dict[str, Any], key: str, call: dict[str, Any], path: list[str | int]) -> None:
        parameters = call.get("Parameters")
        location = parameters.get("Location") if isinstance(parameters, dict) else None
        at = [*path, key]
        if not isinstance(location, str) or _remote(location):
            message = "AWS::Include takes a file of this folder here; other places cannot be read"
            self._fault(at, message, "give Location as a path that starts at the template's folder")
            holder.pop(key)
            return
        included = self._file(location, path)
        del holder[key]
        if isinstance(included, dict):
            for name, member in included.items():
                holder.setdefault(name, member)
        elif included is not None:
            self._fault(at, f"{location} must hold a map to be included here", "")

    def _file(self, location: str, path: PathParts) -> Any:
        file = Path(self.directory, location).absolute()
        if len(self.dependencies) >= INCLUDED_FILES:
            self._fault(path, f"the template names more than {INCLUDED_FILES} files", "")
            return None
        try:
            if file.stat().st_size > TEMPLATE_SIZE_BYTES or not file.is_file():
                self._fault(path, f"{file} is no file of at most {TEMPLATE_SIZE_BYTES:,} bytes", "")
                return None
            raw = file.read_bytes()
        except OSError as error:
            self._fault(path, f"{file} cannot be read: {error.strerror}", "paths start at the template's folder")
            return None
        self.dependencies.append((str(file), hashlib.sha256(raw).hexdigest()))
        self.positions.files.append(str(file))
        own_place = self.positions.table.get("/".join(map(str, path)))
        value, faults = self.read(file, self.positions, path, len(self.positions.files) - 1)
        if own_place is not None:
            self.positions.table["/".join(map(str, path))] = own_place
        self.faults.extend(fault for fault in faults if fault.level == "error")
        return value

    def _fault(self, path: PathParts, message: str, hint: str) -> None:
        place = self.positions.of(*path)
        self.faults.append(Fault(place.file, place.line, place.column, message, hint, "template/include"))


def _remote(location: str) -> bool:
    return location.startswith(("s3://", "https://", "http://"))
