"""Layers: versions by ARN, and the folder that a function's layers make together (what becomes `/opt`).

Enters layer content (a folder or zip) and lists of ARNs, leaves folders. Later layers win over earlier ones, as on AWS.
Versions that the API published are kept in the catalogue. Layers of other accounts cannot be fetched: they are named,
so that the manifest can say so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from asyncio import Future
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.awslambda.asynchronous.store import all_done
from trine.awslambda.code import place_code
from trine.awslambda.errors import InvalidParameterValue, ResourceNotFound
from trine.awslambda.fresh_folder import made_anew
from trine.awslambda.permission import principal_of
from trine.clock import Clock
from trine.iam.policy import CompiledPolicy, parse_policy

LAYER = "lambda:layer"


class LayerVersion(Struct):
    """One version of a layer."""

    arn: str
    name: str
    version: int
    folder: Path
    properties: Mapping[str, Any]
    """Description, CompatibleRuntimes, CompatibleArchitectures, LicenseInfo, as given."""
    created_at: float
    statements: list[dict[str, Any]] = field(default_factory=list)
    """Its resource policy."""


class LayerStore:
    """The layer versions of one account and region."""

    def __init__(self, place: Place, state: Path, clock: Clock, catalogue: Catalogue | None = None) -> None:
        self._place = place
        self._state = state
        self._clock = clock
        self._catalogue = catalogue
        self._versions: dict[str, LayerVersion] = {}
        self._newest: dict[str, int] = {}

    def __iter__(self) -> Iterator[LayerVersion]:
        return iter(sorted(self._versions.values(), key=lambda one: (one.name, one.version)))

    def load(self) -> None:
        """Make again what the API published in an earlier run."""
        if self._catalogue is None:
            return
        for arn, document in self._catalogue.list(LAYER):
            folder = Path(document["folder"])
            name, version = document["name"], int(document["version"])
            self._newest[name] = max(self._newest.get(name, 0), version)
            if folder.is_dir() and not document["deleted"]:
                self._versions.setdefault(
                    arn,
                    LayerVersion(
                        arn, name, version, folder, document["properties"], document["createdAt"],
                        list(document["statements"]),
                    ),
                )  # fmt: skip

    def put(self, properties: Mapping[str, Any], source: Path, version: int = 1) -> str:
        """Keep a layer from `AWS::Lambda::LayerVersion` properties; its version's ARN. `source` is a folder or zip."""
        name = properties.get("LayerName")
        if not isinstance(name, str) or not name:
            raise InvalidParameterValue("LayerName is mandatory for a layer")
        arn = self._place.arn("lambda", f"layer:{name}:{version}")
        folder = place_code({}, source, self._state)
        self._versions[arn] = LayerVersion(arn, name, version, folder, properties, self._clock.now())
        self._newest[name] = max(self._newest.get(name, 0), version)
        return arn

    async def publish(self, name: str, properties: Mapping[str, Any], folder: Path) -> LayerVersion:
        """A new version for the API, of content that is unpacked in `folder`; resolves when it is durable."""
        version = self._newest.get(name, 0) + 1
        arn = self._place.arn("lambda", f"layer:{name}:{version}")
        made = LayerVersion(arn, name, version, folder, properties, self._clock.now())
        self._versions[arn] = made
        self._newest[name] = version
        await self.keep(made)
        return made

    def keep(self, layer: LayerVersion, *, deleted: bool = False) -> Future[None]:
        """Store how a version is now. A deleted one is remembered, so that its number is not given again."""
        if self._catalogue is None:
            return all_done(())
        document = {
            "name": layer.name,
            "version": layer.version,
            "folder": str(layer.folder),
            "properties": dict(layer.properties),
            "createdAt": layer.created_at,
            "statements": layer.statements,
            "deleted": deleted,
        }
        return all_done([self._catalogue.put(LAYER, layer.arn, document)])

    def find(self, arn: str) -> LayerVersion:
        """The version with an ARN. Raises ResourceNotFound."""
        found = self._versions.get(arn)
        if found is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return found

    def get(self, arn: str) -> LayerVersion | None:
        """The version with an ARN, if it is known here."""
        return self._versions.get(arn)

    async def remove(self, arn: str) -> None:
        """Forget a version; harmless when there is none. Functions that use it keep its content."""
        found = self._versions.pop(arn, None)
        if found is not None:
            await self.keep(found, deleted=True)

    def permit(self, layer: LayerVersion, sid: str, permission: Mapping[str, Any]) -> dict[str, Any]:
        """Add a statement to a version's resource policy, out of the members that AddLayerVersionPermission and
        `AWS::Lambda::LayerVersionPermission` share: Action, Principal, OrganizationId. Raises InvalidParameterValue,
        MalformedPolicy (a principal that nobody could be)."""
        action, principal = permission.get("Action"), permission.get("Principal")
        if action != "lambda:GetLayerVersion":
            raise InvalidParameterValue(f"Action must be lambda:GetLayerVersion, not {action!r}")
        if not isinstance(principal, str) or not principal:
            raise InvalidParameterValue("Principal is mandatory for a permission")
        statement: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal_of(principal, self._place),
            "Action": action,
            "Resource": layer.arn,
        }
        organization = permission.get("OrganizationId")
        if organization is not None:
            if principal != "*":
                raise InvalidParameterValue("OrganizationId needs the principal *, not an account")
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        parse_policy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), "resource", layer.arn)
        layer.statements.append(statement)
        return statement

    def policy(self, arn: str) -> CompiledPolicy | None:
        """A version's resource policy, compiled; None without statements."""
        found = self._versions.get(arn)
        if found is None or not found.statements:
            return None
        return parse_policy(policy_text(found), "resource", arn)

    def folder(self, arns: Sequence[str]) -> Path | None:
        """The merged content of those layers that are known; None when there is none."""
        folders = [self._versions[arn].folder for arn in arns if arn in self._versions]
        if not folders:
            return None
        return folders[0] if len(folders) == 1 else self._merge(folders)

    def missing(self, arns: Sequence[str]) -> list[str]:
        """Those that are not known here."""
        return [arn for arn in arns if arn not in self._versions]

    def _merge(self, folders: list[Path]) -> Path:
        digest = hashlib.sha256()
        for folder in folders:
            digest.update(f"{folder}\0{_newest(folder)}\0".encode())
        merged = self._state / "layers" / digest.hexdigest()
        if not merged.is_dir():
            with made_anew(merged) as fresh:
                for folder in folders:
                    shutil.copytree(folder, fresh, symlinks=True, dirs_exist_ok=True, ignore=self._own_state)
        return merged

    def _own_state(self, folder: str, names: list[str]) -> list[str]:
        # The server's state may lie in somebody's layer; it is no part of that.
        state = str(self._state.resolve())
        return [name for name in names if os.path.realpath(os.path.join(folder, name)) == state]


def policy_text(layer: LayerVersion) -> str:
    """A version's resource policy as JSON."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": layer.statements}
    return json.dumps(document, separators=(",", ":"))


def layer_name(text: str, place: Place) -> str:
    """The name in a layer's name or ARN. Raises ResourceNotFound for a layer of another account or region."""
    prefix = place.arn("lambda", "layer:")
    if text.startswith("arn:") and not text.startswith(prefix):
        raise ResourceNotFound("The resource you requested does not exist.")
    return text.removeprefix(prefix).partition(":")[0]


def _newest(folder: Path) -> int:
    # Nanoseconds of the newest change below `folder`: a layer that was changed is merged anew.
    newest = folder.stat().st_mtime_ns
    for path, names, files in os.walk(folder):
        for name in (*names, *files):
            newest = max(newest, os.lstat(os.path.join(path, name)).st_mtime_ns)
    return newest
