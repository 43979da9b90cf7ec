"""Amazon Ion: lines of exports as AWS writes them, read back; what is no item, and what is no Ion."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import io
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from amazon.ion import simpleion
from hypothesis import given
from hypothesis import strategies as st

from tests.dynamodb.operations.test_transfers import MINUTE, exported, imported
from tests.dynamodb.wing import TABLE, Wing, on_a_wing
from trine.dynamodb.errors import ValidationException
from trine.dynamodb.model.attribute import validate_item
from trine.dynamodb.transfer.buckets import TransferFault
from trine.dynamodb.transfer.formats import exported_line
from trine.dynamodb.transfer.ion_source import read_items


def line(item: Any) -> bytes:
    return exported_line({"Item": orjson.dumps(item)}, "ION")


def read(data: bytes) -> list[tuple[Any, str]]:
    return list(read_items(io.BytesIO(data)))


def test_the_item_of_aws_s_documentation() -> None:
    """After "DynamoDB table export output format": sets are annotated lists, numbers decimals."""
    assert line(
        {
            "Authors": {"SS": ["Author1", "Author2"]},
            "Dimensions": {"S": "8.5 x 11.0 x 1.5"},
            "Id": {"N": "103"},
            "InPublication": {"BOOL": False},
            "PageCount": {"N": "600"},
            "Price": {"N": "-0.05"},
            "Weight": {"N": "12.75"},
            "Cover": {"B": "aGk="},
            "Sizes": {"NS": ["1", "2000"]},
            "More": {"M": {"None": {"NULL": True}, "Some": {"L": [{"S": "x"}, {"BS": ["aGk="]}]}}},
        }
    ) == (
        b'$ion_1_0 {"Item":{"Authors":$dynamodb_SS::["Author1","Author2"],"Dimensions":"8.5 x 11.0 x 1.5","Id":103.,'
        b'"InPublication":false,"PageCount":6d2,"Price":-5d-2,"Weight":12.75,"Cover":{{aGk=}},'
        b'"Sizes":$dynamodb_NS::[1.,2d3],"More":{"None":null,"Some":["x",$dynamodb_BS::[{{aGk=}}]]}}}\n'
    )


@given(st.data())
def test_what_is_written_is_read(drawn: Any, data: st.DataObject) -> None:
    items = data.draw(st.lists(drawn.items, max_size=4))
    for item in items:
        validate_item(item)
    found = read(b"".join(map(line, items)))
    for (item, fault), wanted in zip(found, items, strict=True):
        assert fault == ""
        validate_item(item)
        assert _unordered(item) == _unordered(wanted)


def _unordered(value: Any) -> Any:
    """Members of a struct have no order."""
    return json.dumps(value, sort_keys=True)


def test_binary_ion_and_a_list_of_items() -> None:
    item = {"Item": {"p": "a", "n": 7}}
    assert read(simpleion.dumps(item)) == [({"p": {"S": "a"}, "n": {"N": "7"}}, "")]
    assert read(b'$ion_1_0 [{Item:{p:"a"}},{Item:{p:"b"}}]') == [({"p": {"S": "a"}}, ""), ({"p": {"S": "b"}}, "")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{item:{p:"a"}}', 'the value is no struct with a struct "Item"'),
        (b'"Item"', 'the value is no struct with a struct "Item"'),
        (b"{Item:null.struct}", 'the value is no struct with a struct "Item"'),
        (b"{Item:{p:2020T}}", "Ion's timestamp has no type in DynamoDB"),
        (b"{Item:{p:1e0}}", "Ion's float has no type in DynamoDB"),
        (b"{Item:{p:symbol}}", "Ion's symbol has no type in DynamoDB"),
        (b"{Item:{p:$dynamodb_SS::[1.]}}", "a set of type SS has a value of another type"),
        (b"{Item:{p:" + b"[" * 60 + b"]" * 60 + b"}}", "values are nested more than 32 levels deep"),
    ],
)
def test_values_that_are_no_item(text: bytes, fault: str) -> None:
    assert read(text + b' {Item:{p:"good"}}') == [(None, fault), ({"p": {"S": "good"}}, "")]


@pytest.mark.parametrize("text", [b"{Item:{", b"]", b"[" * 100_000, b"\xe0\x01\x00\xea\xff\xff", b'{Item:{p:"\xff"}}'])
def test_bytes_that_are_no_ion(text: bytes) -> None:
    with pytest.raises(TransferFault, match="not Amazon Ion"):
        read(text)


def test_an_export_in_ion_is_imported(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.put("one", g="x")
        await wing.recover()
        wing.clock.advance(MINUTE)
        begun = wing.clock.now()
        await wing.put("two", g="y")
        wing.clock.advance(20 * MINUTE)
        (tmp_path / "exports").mkdir()
        told = await exported(wing, ExportFormat="ION", S3Prefix="full")
        assert (told["ExportStatus"], told["ExportFormat"], told["ItemCount"]) == ("COMPLETED", "ION", 2)
        summary = json.loads((tmp_path / "exports" / told["ExportManifest"]).read_bytes())
        assert summary["outputFormat"] == "ION"
        files = list((tmp_path / "exports" / "full").rglob("data/*"))
        assert [file.name.endswith(".ion.gz") for file in files] == [True]
        window = {"ExportFromTime": begun - 1, "ExportViewType": "NEW_IMAGE"}
        told = await exported(
            wing, ExportFormat="ION", ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window
        )
        (file,) = (tmp_path / "exports" / "AWSDynamoDB" / "data").iterdir()
        (change,) = gzip.decompress(file.read_bytes()).splitlines()
        assert change.startswith(b'$ion_1_0 {"Metadata":{"WriteTimestampMicros":')
        assert change.endswith(b'"Keys":{"p":"two"},"NewImage":{"p":"two","g":"y"}}')
        source = {"S3Bucket": "exports", "S3KeyPrefix": str(files[0].parent.relative_to(tmp_path / "exports"))}
        told = await imported(wing, S3BucketSource=source, InputFormat="ION", InputCompressionType="GZIP")
        assert (told["ImportStatus"], told["ImportedItemCount"]) == ("COMPLETED", 2)
        found = await wing.call("Scan", TableName="Copy")
        assert sorted(item["p"]["S"] for item in found["Items"]) == ["one", "two"]

    on_a_wing(scenario, tmp_path)


def test_rows_that_are_wrong_and_files_that_are(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "a.ion").write_bytes(b'{Item:{p:"a"}} {Item:{p:1.}} {Item:{p:2020T}}')
        source = {"S3Bucket": "source"}
        told = await imported(wing, S3BucketSource=source, InputFormat="ION")
        assert (told["ImportStatus"], told["ImportedItemCount"], told["ErrorCount"]) == ("FAILED", 1, 2)
        (tmp_path / "source" / "a.ion").write_bytes(b"{Item:{")
        creation = {**TABLE, "TableName": "Other"}
        told = await imported(wing, S3BucketSource=source, InputFormat="ION", TableCreationParameters=creation)
        assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", "InvalidSourceFile")

    on_a_wing(scenario, tmp_path)


def test_without_the_package_an_import_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "trine.dynamodb.transfer.formats.find_spec", lambda name: None if "amazon" in name else found(name)
    )

    async def scenario(wing: Wing) -> None:
        with pytest.raises(ValidationException, match=r"pip install trine\[ion\]"):
            await imported(wing, S3BucketSource={"S3Bucket": "source"}, InputFormat="ION")
        await asyncio.sleep(0)

    on_a_wing(scenario, tmp_path)
