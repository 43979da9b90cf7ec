"""Layers: versions by ARN, and the folder that a function's layers make together (what becomes `/opt`).

Enters layer content (a directory or zip) and lists of ARNs, leaves folders. Later layers win over earlier ones, as on
AWS. Layers of other accounts cannot be fetched: they are named, so that the manifest can say so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.awslambda.code import place_code
from trine.awslambda.errors import InvalidParameterValue


class LayerStore:
    """The layer versions of one account and region."""

    def __init__(self, place: Place, state: Path) -> None:
        self._place = place
        self._state = state
        self._folders: dict[str, Path] = {}

    def put(self, properties: Mapping[str, Any], source: Path, version: int = 1) -> str:
        """Keep a layer from `AWS::Lambda::LayerVersion` properties; its version's ARN. `source` is a folder or zip."""
        name = properties.get("LayerName")
        if not isinstance(name, str) or not name:
            raise InvalidParameterValue("LayerName is mandatory for a layer")
        arn = self._place.arn("lambda", f"layer:{name}:{version}")
        self._folders[arn] = place_code({}, source, self._state)
        return arn

    def folder(self, arns: Sequence[str]) -> Path | None:
        """The merged content of those layers that are known; None when there is none."""
        folders = [self._folders[arn] for arn in arns if arn in self._folders]
        if not folders:
            return None
        return folders[0] if len(folders) == 1 else self._merge(folders)

    def missing(self, arns: Sequence[str]) -> list[str]:
        """Those that are not known here."""
        return [arn for arn in arns if arn not in self._folders]

    def _merge(self, folders: list[Path]) -> Path:
        digest = hashlib.sha256()
        for folder in folders:
            digest.update(f"{folder}\0{_newest(folder)}\0".encode())
        merged = self._state / "layers" / digest.hexdigest()
        if not merged.is_dir():
            fresh = merged.with_name(f"{merged.name}.{os.getpid()}")
            shutil.rmtree(fresh, ignore_errors=True)
            for folder in folders:
                shutil.copytree(folder, fresh, symlinks=True, dirs_exist_ok=True)
            fresh.rename(merged)
        return merged


def _newest(folder: Path) -> int:
    # Nanoseconds of the newest change below `folder`: a layer that was changed is merged anew.
    newest = folder.stat().st_mtime_ns
    for path, names, files in os.walk(folder):
        for name in (*names, *files):
            newest = max(newest, os.lstat(os.path.join(path, name)).st_mtime_ns)
    return newest
