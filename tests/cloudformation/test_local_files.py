"""What names local files: paths, and packages in Amazon S3 whose file lies beside the template."""

from __future__ import annotations

from pathlib import Path

from trine.cloudformation.local_files import local_files

FUNCTION = "AWS::Lambda::Function"


def test_paths(tmp_path: Path) -> None:
    assert local_files(FUNCTION, {"Code": "src"}, tmp_path) == {"Code": tmp_path / "src"}
    assert local_files(FUNCTION, {"Code": "s3://bucket/key"}, tmp_path) == {}
    assert local_files("AWS::SQS::Queue", {"Code": "src"}, tmp_path) == {}


def test_a_package_beside_the_template_stands_for_its_key(tmp_path: Path) -> None:
    code = {"Code": {"S3Bucket": "deployments", "S3Key": "serverless/app/dev/2026/app.zip"}}
    assert local_files(FUNCTION, code, tmp_path) == {}
    (tmp_path / "app.zip").write_bytes(b"PK")
    assert local_files(FUNCTION, code, tmp_path) == {"Code": tmp_path / "app.zip"}
    assert local_files(FUNCTION, {"Code": {"S3Key": ".."}}, tmp_path) == {}
    assert local_files(FUNCTION, {"Code": {"ZipFile": "x"}}, tmp_path) == {}
