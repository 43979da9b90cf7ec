"""What an export leaves in its bucket: data files and, when all is there, the manifests that name them.

Lines enter, files in AWS's layout leave, below `<prefix>/AWSDynamoDB/`. Source: "DynamoDB table export output format".
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from trine.dynamodb.transfer.buckets import Buckets

DATA_FILE_MAX_BYTES = 64 * 1024 * 1024
"""Our own: how much plain text goes into one file. AWS makes at least one for each partition."""


def iso_time(moment: float) -> str:
    """A time as the manifests write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class ExportFolder:
    """The objects of one export, written in the order in which AWS writes them."""

    def __init__(self, buckets: Buckets, export: Mapping[str, Any], file_name: Callable[[], str]) -> None:
        """`export` is the export's record; `file_name` makes the random part of a data file's name."""
        self._buckets, self._export, self._file_name = buckets, export, file_name
        prefix = export.get("S3Prefix")
        self.root = (prefix.strip("/") + "/" if prefix and prefix.strip("/") else "") + "AWSDynamoDB/"
        self.own = f"{self.root}{export['Arn'].rpartition('/')[2]}/"
        # Incremental exports share one folder of data files.
        self.data = f"{self.root if export['ExportType'] == 'INCREMENTAL_EXPORT' else self.own}data/"
        self.manifest_key = f"{self.own}manifest-summary.json"
        self._files: list[dict[str, Any]] = []
        self._lines: list[bytes] = []
        self._size_bytes = 0

    def begin(self) -> None:
        """Show that the bucket can be written to."""
        self._write(f"{self.own}_started", b"")

    def add(self, lines: list[bytes]) -> None:
        """Lines of the data, each with its end."""
        self._lines += lines
        self._size_bytes += sum(map(len, lines))
        if self._size_bytes >= DATA_FILE_MAX_BYTES:
            self._close_file()

    def finish(self, item_count: int, size_bytes: int, ended_at: float) -> None:
        """Write the last data file, and the manifests."""
        if self._lines or not self._files:
            self._close_file()
        files = b"".join([orjson.dumps(entry) + b"\n" for entry in self._files])
        self._checked(f"{self.own}manifest-files", files)
        self._checked(f"{self.own}manifest-summary", orjson.dumps(self._summary(item_count, size_bytes, ended_at)))

    def _close_file(self) -> None:
        data = gzip.compress(b"".join(self._lines), 6, mtime=0)
        suffix = "ion" if self._export["ExportFormat"] == "ION" else "json"
        key = f"{self.data}{self._file_name()}.{suffix}.gz"
        self._write(key, data)
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        etag = hashlib.md5(digest, usedforsecurity=False).hexdigest() + "-1"  # of an upload in one part
        self._files.append({
            "itemCount": len(self._lines),
            "md5Checksum": b64encode(digest).decode(),
            "etag": etag,
            "dataFileS3Key": key,
        })  # fmt: skip
        self._lines, self._size_bytes = [], 0

    def _summary(self, item_count: int, size_bytes: int, ended_at: float) -> dict[str, Any]:
        export = self._export
        incremental = export.get("IncrementalExportSpecification")
        summary: dict[str, Any] = {
            "version": "2023-08-01" if incremental else "2020-06-30",
            "exportArn": export["Arn"],
            "startTime": iso_time(export["StartTime"]),
            "endTime": iso_time(ended_at),
            "tableArn": export["TableArn"],
            "tableId": export["TableId"],
        }
        if incremental:
            summary["exportFromTime"] = iso_time(incremental["ExportFromTime"])
            summary["exportToTime"] = iso_time(incremental["ExportToTime"])
        else:
            summary["exportTime"] = iso_time(export["ExportTime"])
        summary |= {
            "s3Bucket": export["S3Bucket"],
            "s3Prefix": export.get("S3Prefix"),
            "s3SseAlgorithm": export["S3SseAlgorithm"],
            "s3SseKmsKeyId": export.get("S3SseKmsKeyId"),
            "manifestFilesS3Key": f"{self.own}manifest-files.json",
            "billedSizeBytes": size_bytes,
            "itemCount": item_count,
            "outputFormat": export["ExportFormat"],
        }
        if incremental:
            summary["outputView"] = incremental["ExportViewType"]
        summary["exportType"] = export["ExportType"]
        return summary

    def _checked(self, stem: str, data: bytes) -> None:
        self._write(f"{stem}.json", data)
        self._write(f"{stem}.md5", b64encode(hashlib.md5(data, usedforsecurity=False).digest()))

    def _write(self, key: str, data: bytes) -> None:
        path = self._buckets.new(self._export["S3Bucket"], key)
        path.write_bytes(data)
