"""S3 buckets as folders: `<state>/s3/<bucket>/<key>`, a plain file for each object.

A bucket's name and an object's key enter, paths leave. Nobody makes a bucket here but who makes its folder: what finds
none fails as on AWS. `TransferFault` carries AWS's failure code.
"""

from __future__ import annotations

import re
from pathlib import Path

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Names of general purpose buckets ("Bucket naming rules"); so none can lead out of the folder."""


class TransferFault(Exception):
    """Why an export or import failed: AWS's `FailureCode`, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Buckets:
    """The buckets below one folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, bucket: str, key: str) -> Path:
        """Where an object lies or would lie. TransferFault for a missing bucket, a name or key that leads elsewhere."""
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise TransferFault("S3AccessDenied", f"The key {key!r} cannot be a path below a bucket's folder")
        return self._bucket(bucket).joinpath(*parts)

    def new(self, bucket: str, key: str) -> Path:
        """As `path`, with the folders below the bucket made."""
        path = self.path(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def objects(self, bucket: str, prefix: str) -> list[Path]:
        """The objects, but empty ones, whose keys begin with `prefix`, by key. TransferFault for a missing bucket."""
        folder = self._bucket(bucket)
        found = sorted(
            (path.relative_to(folder).as_posix(), path)
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        )
        return [path for key, path in found if key.startswith(prefix) and path.stat().st_size]

    def _bucket(self, bucket: str) -> Path:
        if _BUCKET.fullmatch(bucket) is None or ".." in bucket:
            raise TransferFault("S3NoSuchBucket", f"{bucket!r} cannot be the name of a bucket")
        folder = self.directory / bucket
        if not folder.is_dir():
            raise TransferFault("S3NoSuchBucket", f"The specified bucket does not exist: there is no folder {folder}")
        return folder
