"""Exports and imports: AWS's files, read back by an import; moments and windows; what is wrong with a file."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import zstandard
from botocore.session import get_session

from tests.dynamodb.wing import TABLE, Wing, on_a_wing, refused
from tests.waiting import PATIENCE_SECONDS

MINUTE = 60.0
KEYS = [{"AttributeName": "p", "KeyType": "HASH"}]


@pytest.fixture(autouse=True)
def _bucket_of_exports(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()


async def ended(wing: Wing, kind: str, arn: str) -> dict[str, Any]:
    """The description of an export or import that is over."""
    member = "ExportDescription" if kind == "Export" else "ImportTableDescription"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found: dict[str, Any] = (await wing.call(f"Describe{kind}", **{f"{kind}Arn": arn}))[member]
        if found[f"{kind}Status"] != "IN_PROGRESS":
            return found
        assert time.monotonic() < deadline, "it never ended"
        await asyncio.sleep(0.001)


async def exported(wing: Wing, **members: Any) -> dict[str, Any]:
    table_arn = (await wing.call("DescribeTable", TableName="Notes"))["Table"]["TableArn"]
    begun = await wing.call("ExportTableToPointInTime", TableArn=table_arn, S3Bucket="exports", **members)
    assert begun["ExportDescription"]["ExportStatus"] == "IN_PROGRESS"
    return await ended(wing, "Export", begun["ExportDescription"]["ExportArn"])


async def imported(wing: Wing, **members: Any) -> dict[str, Any]:
    members.setdefault("InputFormat", "DYNAMODB_JSON")
    members.setdefault("TableCreationParameters", {**TABLE, "TableName": "Copy"})
    begun = await wing.call("ImportTable", **members)
    return await ended(wing, "Import", begun["ImportTableDescription"]["ImportArn"])


def lines_of(bucket: Path, manifest_key: str) -> list[dict[str, Any]]:
    """What an export's manifests lead to, checksums compared."""
    summary = json.loads((bucket / manifest_key).read_bytes())
    files = (bucket / summary["manifestFilesS3Key"]).read_bytes()
    written = (bucket / summary["manifestFilesS3Key"].replace(".json", ".md5")).read_bytes()
    assert b64decode(written) == hashlib.md5(files).digest()
    found = []
    for entry in map(json.loads, files.splitlines()):
        data = (bucket / entry["dataFileS3Key"]).read_bytes()
        assert b64decode(entry["md5Checksum"]) == hashlib.md5(data).digest()
        lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
        assert len(lines) == entry["itemCount"]
        found += lines
    assert len(found) == summary["itemCount"]
    return found


def test_an_export_is_read_back_by_an_import(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        for at in range(500):
            await wing.put(f"{at:03}", g="x" if at % 2 else "y")
        told = await exported(wing, S3Prefix="daily")
        assert (told["ExportStatus"], told["ItemCount"], told["ExportFormat"]) == ("COMPLETED", 500, "DYNAMODB_JSON")
        bucket = tmp_path / "exports"
        assert told["ExportManifest"].startswith("daily/AWSDynamoDB/")
        lines = lines_of(bucket, told["ExportManifest"])
        assert sorted(line["Item"]["p"]["S"] for line in lines) == [f"{at:03}" for at in range(500)]
        data = str(Path(told["ExportManifest"]).parent / "data")
        source = {"S3Bucket": "exports", "S3KeyPrefix": data}
        copy = await imported(wing, S3BucketSource=source, InputCompressionType="GZIP")
        assert (copy["ImportStatus"], copy["ImportedItemCount"], copy["ErrorCount"]) == ("COMPLETED", 500, 0)
        table = (await wing.call("DescribeTable", TableName="Copy"))["Table"]
        assert (table["TableStatus"], table["ItemCount"]) == ("ACTIVE", 500)
        assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 500
        scans = [(await wing.call("Scan", TableName=name))["Items"] for name in ("Notes", "Copy")]
        assert scans[0] == scans[1]
        listed = await wing.call("ListExports")
        assert listed["ExportSummaries"][0]["ExportType"] == "FULL_EXPORT"
        assert (await wing.call("ListImports"))["ImportSummaryList"][0]["ImportStatus"] == "COMPLETED"

    on_a_wing(scenario, tmp_path)


def test_an_export_of_a_moment_that_is_past(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        await wing.put("a", v="1")
        then = wing.clock.now()
        wing.clock.advance(MINUTE)
        await wing.put("a", v="2")
        await wing.put("b", v="1")
        told = await exported(wing, ExportTime=then)
        assert lines_of(tmp_path / "exports", told["ExportManifest"]) == [{"Item": {"p": {"S": "a"}, "v": {"S": "1"}}}]

    on_a_wing(scenario, tmp_path)


def test_an_incremental_export_tells_each_key_once(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        await wing.put("gone", v="1")
        await wing.put("changed", v="1")
        await wing.put("same", v="1")
        wing.clock.advance(MINUTE)
        start = wing.clock.now()
        wing.clock.advance(MINUTE)
        await wing.put("changed", v="2")
        await wing.put("new", v="1")
        await wing.put("brief", v="1")
        await wing.call("DeleteItem", TableName="Notes", Key={"p": {"S": "brief"}})
        wing.clock.advance(MINUTE)
        last = wing.clock.now()
        await wing.put("changed", v="3")
        await wing.call("DeleteItem", TableName="Notes", Key={"p": {"S": "gone"}})
        wing.clock.advance(14 * MINUTE)
        stop = wing.clock.now()
        wing.clock.advance(MINUTE)
        await wing.put("late", v="1")
        window = {"ExportFromTime": start, "ExportToTime": stop}
        told = await exported(wing, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)
        lines = {line["Keys"]["p"]["S"]: line for line in lines_of(tmp_path / "exports", told["ExportManifest"])}
        assert set(lines) == {"changed", "gone", "new"}
        assert lines["changed"] == {
            "Metadata": {"WriteTimestampMicros": {"N": str(int(last * 1_000_000))}},
            "Keys": {"p": {"S": "changed"}},
            "OldImage": {"p": {"S": "changed"}, "v": {"S": "1"}},
            "NewImage": {"p": {"S": "changed"}, "v": {"S": "3"}},
        }
        assert "NewImage" not in lines["gone"]
        assert "OldImage" not in lines["new"]
        assert (
            await refused(
                exported(
                    wing,
                    ExportType="INCREMENTAL_EXPORT",
                    IncrementalExportSpecification={"ExportFromTime": stop - MINUTE, "ExportToTime": stop},
                )
            )
            == "InvalidExportTimeException"
        )

    on_a_wing(scenario, tmp_path)


@pytest.mark.parametrize("compression", ["NONE", "GZIP", "ZSTD"])
def test_an_import_takes_what_is_right_and_counts_what_is_not(tmp_path: Path, compression: str) -> None:
    text = b"\n".join(
        [
            b'{"Item":{"p":{"S":"a"},"v":{"N":"1"}}}',
            b'{"Item":{"p":{"S":"a"},"v":{"N":"2"}}}',
            b"",
            b'{"Item":{"p":{"N":"1"}}}',
            b'{"Item":{"v":{"S":"no key"}}}',
            b"no JSON",
            b'["no item"]',
            b'{"Item":{"p":{"S":"b"}}}',
        ]
    )
    pack = {"NONE": bytes, "GZIP": gzip.compress, "ZSTD": zstandard.compress}[compression]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "one.json").write_bytes(pack(text))

    async def scenario(wing: Wing) -> None:
        source = {"S3Bucket": "source", "S3KeyPrefix": "one"}
        told = await imported(wing, S3BucketSource=source, InputCompressionType=compression)
        assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", "ItemValidationError")
        assert (told["ProcessedItemCount"], told["ImportedItemCount"], told["ErrorCount"]) == (7, 3, 4)
        found = (await wing.call("Scan", TableName="Copy"))["Items"]
        assert {item["p"]["S"]: item.get("v") for item in found} == {"a": {"N": "2"}, "b": None}
        assert (await wing.call("DescribeTable", TableName="Copy"))["Table"]["ItemCount"] == 2

    on_a_wing(scenario, tmp_path)


def test_a_csv_is_text_but_for_keys(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "rows.csv").write_text('id;name;age\n1;"Ada; ""Countess""";36\n2;Bob;\n3;short\n')

    async def scenario(wing: Wing) -> None:
        parameters = {
            "TableName": "People",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        told = await imported(
            wing, S3BucketSource={"S3Bucket": "source"}, InputFormat="CSV", TableCreationParameters=parameters,
            InputFormatOptions={"Csv": {"Delimiter": ";"}},
        )  # fmt: skip
        assert (told["ImportStatus"], told["ImportedItemCount"], told["ErrorCount"]) == ("FAILED", 2, 1)
        found = await wing.call("GetItem", TableName="People", Key={"id": {"N": "1"}})
        assert found["Item"] == {"id": {"N": "1"}, "name": {"S": 'Ada; "Countess"'}, "age": {"S": "36"}}

    on_a_wing(scenario, tmp_path)


@pytest.mark.parametrize(
    ("bucket", "prefix", "code"),
    [("absent", "", "S3NoSuchBucket"), ("source", "broken", "InvalidSourceFile"),
     ("..", "", "S3NoSuchBucket")],
)  # fmt: skip
def test_an_import_that_fails_leaves_no_table(tmp_path: Path, bucket: str, prefix: str, code: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "broken.gz").write_bytes(b"this is neither gzip nor zstd")

    async def scenario(wing: Wing) -> None:
        source = {"S3Bucket": bucket, "S3KeyPrefix": prefix}
        if bucket == "..":
            assert await refused(imported(wing, S3BucketSource=source)) == "ValidationException"
            return
        for compression in ("GZIP", "ZSTD"):
            told = await imported(wing, S3BucketSource=source, InputCompressionType=compression)
            assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", code)
        assert await refused(wing.call("DescribeTable", TableName="Copy")) == "ResourceNotFoundException"

    on_a_wing(scenario, tmp_path)


def test_an_import_of_nothing_makes_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()

    async def scenario(wing: Wing) -> None:
        told = await imported(wing, S3BucketSource={"S3Bucket": "source", "S3KeyPrefix": "none"})
        assert (told["ImportStatus"], told["ProcessedItemCount"]) == ("COMPLETED", 0)
        assert (await wing.call("Scan", TableName="Copy"))["Count"] == 0

    on_a_wing(scenario, tmp_path)


@pytest.mark.parametrize(("kind", "most"), [("Export", "MaxResults"), ("Import", "PageSize")])
def test_lists_go_on_where_their_token_says(tmp_path: Path, kind: str, most: str) -> None:
    async def scenario(wing: Wing) -> None:
        await wing.recover()
        made = []
        for at in range(5):
            if kind == "Export":
                made.append((await exported(wing))["ExportArn"])
            else:
                creation = {**TABLE, "TableName": f"Copy{at}"}
                told = await imported(wing, S3BucketSource={"S3Bucket": "none"}, TableCreationParameters=creation)
                made.append(told["ImportArn"])
        shape = get_session().get_service_model("dynamodb").shape_for(f"{kind}NextToken")
        found: list[str] = []
        request: dict[str, Any] = {most: 2}
        while True:
            page = await wing.call(f"List{kind}s", **request)
            found += [one[f"{kind}Arn"] for one in page["ExportSummaries" if kind == "Export" else "ImportSummaryList"]]
            if "NextToken" not in page:
                break
            request["NextToken"] = token = page["NextToken"]
            assert shape.metadata.get("min", 0) <= len(token) <= shape.metadata.get("max", 1024)
            assert re.fullmatch(shape.metadata.get("pattern", ".*"), token)
        assert sorted(found) == sorted(made)
        assert await refused(wing.call(f"List{kind}s", NextToken="f" * 128)) == "ValidationException"

    on_a_wing(scenario, tmp_path)


def test_what_exports_and_imports_refuse(tmp_path: Path) -> None:
    async def scenario(wing: Wing) -> None:
        assert await refused(exported(wing)) == "PointInTimeRecoveryUnavailableException"
        await wing.recover()
        assert await refused(exported(wing, ExportTime=wing.clock.now() + MINUTE)) == "InvalidExportTimeException"
        first = await exported(wing, ClientToken="once")
        table_arn = first["TableArn"]
        again = await wing.call("ExportTableToPointInTime", TableArn=table_arn, S3Bucket="exports", ClientToken="once")
        assert again["ExportDescription"]["ExportArn"] == first["ExportArn"]
        assert await refused(exported(wing, ClientToken="once", S3Prefix="other")) == "ExportConflictException"
        escaping = await exported(wing, S3Prefix="../../elsewhere")
        assert escaping["ExportStatus"] == "FAILED"
        homeless = await wing.call("ExportTableToPointInTime", TableArn=table_arn, S3Bucket="missing")
        homeless = await ended(wing, "Export", homeless["ExportDescription"]["ExportArn"])
        assert (homeless["ExportStatus"], homeless["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
        assert homeless["FailureMessage"].startswith("The specified bucket does not exist")
        assert not (tmp_path / "missing").exists()
        assert not (tmp_path.parent / "elsewhere").exists()
        source = {"S3Bucket": "source"}
        taken = {**TABLE, "TableName": "Notes"}
        assert await refused(imported(wing, S3BucketSource=source, TableCreationParameters=taken)) == (
            "ResourceInUseException"
        )
        assert await refused(wing.call("DescribeExport", ExportArn=table_arn + "/export/none-of-ours-at-all")) == (
            "ExportNotFoundException"
        )

    on_a_wing(scenario, tmp_path)
