"""Items of a file: DynamoDB JSON, CSV and Ion (`ion`, `ion_source`), plain, gzip'd or as zstd.

A file enters, items leave in batches, each with what is wrong with it when something is; an item enters, a line of an
export leaves. Source: "Amazon S3 import formats for DynamoDB", "DynamoDB table export output format".
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import orjson

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.transfer.buckets import TransferFault

LINE_MAX_BYTES = 4 * 1024 * 1024
"""Our own: an item of 400 KB stays far below it, escaped as it may be."""
BATCH_ITEMS = 200
BATCH_BYTES = 2 * 1024 * 1024


class Row(NamedTuple):
    """One item of a file: its place for people, its plain size in bytes (as JSON, where it is Ion), and the item, or
    what is wrong with it."""

    line: int
    size_bytes: int
    item: Item | None
    fault: str = ""


def refuse_unreadable(form: str) -> None:
    """ValidationException where files in this format cannot be read for want of a package."""
    if form == "ION" and (find_spec("amazon") is None or find_spec("amazon.ion") is None):
        raise ValidationException("InputFormat ION needs the package amazon.ion: pip install trine[ion]")


def exported_line(members: Mapping[str, bytes], form: str) -> bytes:
    """A line of an export in `form`: its members by name, each a map of attributes as DynamoDB JSON."""
    if form == "ION":
        from trine.dynamodb.transfer.ion import exported_struct

        return exported_struct({name: {"M": orjson.loads(attributes)} for name, attributes in members.items()})
    parts = [b'"%b":%b' % (name.encode(), attributes) for name, attributes in members.items()]
    return b"{" + b",".join(parts) + b"}\n"


def opened_source(path: Path, compression: str) -> BinaryIO:
    """The plain bytes of a file that is compressed as `InputCompressionType` says. TransferFault."""
    if compression == "GZIP":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if compression == "ZSTD":
        return _zstd(path)
    return path.open("rb")


def _zstd(path: Path) -> BinaryIO:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return cast(BinaryIO, io.BufferedReader(_Zstd(zstd.open(path, "rb"), zstd.ZstdError)))
    try:
        import zstandard
    except ImportError:
        needed = "ZSTD needs Python 3.14, or the package zstandard: pip install trine[zstd]"
        raise TransferFault("UnsupportedCompression", needed) from None
    return cast(BinaryIO, io.BufferedReader(_Zstd(zstandard.open(path, "rb"), zstandard.ZstdError)))


class _Zstd(io.RawIOBase):
    """A zstd'd file as plain bytes, whose faults are OSErrors as gzip's are."""

    def __init__(self, source: BinaryIO, fault: type[Exception]) -> None:
        self._source, self._fault = source, fault

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._source.read(len(buffer))
        except self._fault as broken:
            raise OSError(str(broken)) from broken
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()


def read_batches(
    path: Path, compression: str, form: str, options: Mapping[str, Any], key_types: Mapping[str, str]
) -> Iterator[list[Row]]:
    """The rows of one file in bounded batches. `key_types`: attributes of keys, whose CSV values are not strings.

    TransferFault when the file as a whole cannot be read.
    """
    batch: list[Row] = []
    size_bytes = 0
    try:
        with opened_source(path, compression) as source:
            for row in _rows(source, form, options, key_types):
                batch.append(row)
                size_bytes += row.size_bytes
                if len(batch) >= BATCH_ITEMS or size_bytes >= BATCH_BYTES:
                    yield batch
                    batch, size_bytes = [], 0
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, ValueError) as fault:
        raise TransferFault("InvalidSourceFile", f"{path.name}: {fault}") from fault
    if batch:
        yield batch


def _rows(source: BinaryIO, form: str, options: Mapping[str, Any], key_types: Mapping[str, str]) -> Iterator[Row]:
    if form == "DYNAMODB_JSON":
        return _json_rows(source)
    return _ion_rows(source) if form == "ION" else _csv_rows(source, options, key_types)


def _ion_rows(source: BinaryIO) -> Iterator[Row]:
    from trine.dynamodb.transfer.ion_source import read_items

    for number, (item, fault) in enumerate(read_items(source), 1):
        yield Row(number, len(orjson.dumps(item)), item, fault)


def _json_rows(source: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(iter(lambda: source.readline(LINE_MAX_BYTES), b""), 1):
        if not line.strip():
            continue
        try:
            document = orjson.loads(line)
        except ValueError as fault:
            yield Row(number, len(line), None, f"not a line of DynamoDB JSON: {fault}")
            continue
        item = document.get("Item") if isinstance(document, dict) else None
        if isinstance(item, dict):
            yield Row(number, len(line), item)
        else:
            yield Row(number, len(line), None, 'the line is no object with a map "Item"')


def _csv_rows(source: BinaryIO, options: Mapping[str, Any], key_types: Mapping[str, str]) -> Iterator[Row]:
    with io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=options.get("Delimiter", ","), strict=True)
        header: list[str] = options.get("HeaderList") or next(reader, [])
        if len(set(header)) != len(header) or not all(header):
            raise TransferFault("InvalidSourceFile", "The header of the CSV has empty names, or one name twice")
        for number, cells in enumerate(reader, 1 if options.get("HeaderList") else 2):
            if not cells:
                continue
            size_bytes = sum(len(cell) for cell in cells) + len(cells)
            if len(cells) != len(header):
                yield Row(number, size_bytes, None, f"{len(cells)} values under a header of {len(header)}")
                continue
            # Keys have the type that the new table gives them; everything else is text.
            item = {name: {key_types.get(name, "S"): cell} for name, cell in zip(header, cells, strict=True)}
            yield Row(number, size_bytes, item)
