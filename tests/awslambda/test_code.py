"""A function's code as a folder: directories, zip packages, inline text, and packages that mean harm."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from trine.awslambda.code import place_code, place_zip
from trine.awslambda.errors import InvalidParameterValue, InvalidZipFile


def zipped(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A zip package."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return packed.getvalue()


def test_a_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    assert place_code({}, tmp_path, tmp_path / "state") == tmp_path.resolve()


def test_a_zip_file_is_unpacked_once(tmp_path: Path) -> None:
    package = tmp_path / "code.zip"
    package.write_bytes(zipped({"app.py": b"x = 1\n", "lib/a.py": b""}, {"lib/link.py": "a.py"}))
    folder = place_code({}, package, tmp_path / "state")
    assert (folder / "app.py").read_bytes() == b"x = 1\n"
    assert (folder / "lib" / "link.py").is_symlink()
    assert place_code({}, package, tmp_path / "state") == folder


def test_inline_code_gets_awss_file_name(tmp_path: Path) -> None:
    properties = {"Code": {"ZipFile": "def handler(e, c): return 1"}, "Runtime": "python3.12"}
    folder = place_code(properties, None, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["index.py"]
    folder = place_code({"Code": {"ZipFile": "exports.handler = 1"}, "Runtime": "nodejs20.x"}, None, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["index.js"]


@pytest.mark.parametrize(
    "content",
    [
        b"no zip at all",
        zipped({"../outside.py": b""}),
        zipped({"a/../../outside.py": b""}),
        zipped({"/absolute.py": b""}),
        zipped({}, {"link": "../../etc"}),
        zipped({}, {"link": "/etc/passwd"}),
        zipped({"app.py": b"x" * 1000})[:-40],
    ],
)
def test_packages_that_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidZipFile):
        place_zip(content, tmp_path / "state")
    assert not list(tmp_path.rglob("*.py"))
    assert not list((tmp_path / "state").glob("code/*"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as file:
        for _ in range(260):
            file.write(bytes(1 << 20))
    with pytest.raises(InvalidZipFile, match="Unzipped size must be smaller than 262144000 bytes"):
        place_zip(packed.getvalue(), tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterValue):
        place_code({}, None, tmp_path)
    with pytest.raises(InvalidParameterValue):
        place_code({}, tmp_path / "missing", tmp_path)
    with pytest.raises(InvalidParameterValue, match=r"put app\.zip beside the template"):
        place_code({"Code": {"S3Bucket": "b", "S3Key": "deep/app.zip"}}, None, tmp_path)
    with pytest.raises(InvalidParameterValue):
        place_code({"Code": {"ZipFile": "x"}, "Runtime": "provided.al2"}, None, tmp_path)


def test_a_single_file_is_the_package_s_only_one(tmp_path: Path) -> None:
    (tmp_path / "function.js").write_text("exports.handler = async () => 1")
    folder = place_code({"Runtime": "nodejs20.x"}, tmp_path / "function.js", tmp_path / "state")
    assert [path.name for path in folder.iterdir()] == ["function.js"]
    (tmp_path / "broken.zip").write_bytes(b"no zip at all")
    with pytest.raises(InvalidZipFile):
        place_code({"Runtime": "nodejs20.x"}, tmp_path / "broken.zip", tmp_path / "state")
