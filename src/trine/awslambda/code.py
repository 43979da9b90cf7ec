"""A function's code as a folder: directories as they are, zip packages and inline code unpacked under the state.

Unpacked code lies in a folder named by the hash of what was packed, so it is written once and shared. Raises
`InvalidZipFile` for what cannot be opened, reaches outside its folder or is larger than AWS allows.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trine.awslambda import limits
from trine.awslambda.errors import InvalidParameterValue, InvalidZipFile
from trine.awslambda.fresh_folder import made_anew
from trine.awslambda.runtimes.known import runtime_of

_SIZE = ".size"
"""Beside the folder of an unpacked package: a file with the package's size."""


def place_code(properties: Mapping[str, Any], source: Path | None, state_directory: Path) -> Path:
    """The folder to run from. `source`: what CodeUri named (directory, zip or single file); None for inline code."""
    code = properties.get("Code")
    inline = code.get("ZipFile") if isinstance(code, Mapping) else None
    if isinstance(inline, str) and source is None:
        return _place_inline(inline, str(properties.get("Runtime", "")), state_directory)
    if source is None:
        raise InvalidParameterValue(without_content(code))
    if source.is_dir():
        return source.resolve()
    if source.is_file():
        return _place_file(source, state_directory)
    raise InvalidParameterValue(f"the function's code was not found: {source}")


def without_content(location: Any) -> str:
    """Why there is no code or no layer, from what the template says of its place."""
    key = location.get("S3Key") if isinstance(location, Mapping) else None
    if isinstance(key, str):
        return f"it lies in Amazon S3, which is not here: put {key.rpartition('/')[2]} beside the template"
    return "Please provide a source for function code."


def _place_file(source: Path, state_directory: Path) -> Path:
    """A zip package is unpacked; any other single file is the package's only one, as `package` of both CLIs zips it."""
    content = source.read_bytes()
    if zipfile.is_zipfile(io.BytesIO(content)) or source.suffix.lower() in (".zip", ".jar"):
        return place_zip(content, state_directory)
    if len(content) > limits.CODE_UNZIPPED_MAX_BYTES:
        raise InvalidZipFile(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
    return _place_alone(source.name, content, state_directory)


def _place_inline(text: str, runtime: str, state_directory: Path) -> Path:
    name = runtime_of(runtime).inline_file
    if name is None:
        raise InvalidParameterValue(f"ZipFile can only be used with Python and Node.js runtimes, not {runtime!r}")
    content = text.encode()
    if len(content) > limits.INLINE_CODE_MAX_BYTES:
        raise InvalidParameterValue(f"ZipFile holds {len(content)} bytes; at most {limits.INLINE_CODE_MAX_BYTES}")
    return _place_alone(name, content, state_directory)


def place_zip(content: bytes, state_directory: Path) -> Path:
    """Unpack a zip package (bytes) once; the folder it lies in."""
    if len(content) > limits.CODE_UNZIPPED_MAX_BYTES:
        raise InvalidZipFile(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
    folder = _folder_for(content, state_directory)
    if not folder.is_dir():
        with made_anew(folder) as fresh:
            _unzip(content, fresh)
    folder.with_suffix(_SIZE).write_bytes(str(len(content)).encode())
    return folder


class Package(NamedTuple):
    """A zip package that was unpacked."""

    size_bytes: int
    sha256: bytes


def package_of(folder: Path) -> Package | None:
    """The package that `place_zip` unpacked into a folder; None for any other folder."""
    try:
        return Package(int(folder.with_suffix(_SIZE).read_bytes()), bytes.fromhex(folder.name))
    except (OSError, ValueError):
        return None


def _folder_for(content: bytes, state_directory: Path) -> Path:
    return state_directory / "code" / hashlib.sha256(content).hexdigest()


def _place_alone(name: str, content: bytes, state_directory: Path) -> Path:
    """The folder with one file in it."""
    folder = _folder_for(name.encode() + b"\0" + content, state_directory)
    if not folder.is_dir():
        with made_anew(folder) as fresh:
            (fresh / name).write_bytes(content)
    return folder


def _unzip(content: bytes, into: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > limits.CODE_FILES_MAX:
                raise InvalidZipFile(f"The package holds {len(members)} files; at most {limits.CODE_FILES_MAX}")
            if sum(member.file_size for member in members) > limits.CODE_UNZIPPED_MAX_BYTES:
                raise InvalidZipFile(f"Unzipped size must be smaller than {limits.CODE_UNZIPPED_MAX_BYTES} bytes")
            for member in members:
                _extract(archive, member, into)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error) as fault:
        raise InvalidZipFile(
            f"Could not unzip uploaded file. Please check your file, then try to upload again. ({fault})"
        ) from fault


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path) -> None:
    mode = member.external_attr >> 16
    target = (into / member.filename).resolve()
    if not target.is_relative_to(into.resolve()) or "\\" in member.filename:
        raise InvalidZipFile(f"The package reaches outside its folder: {member.filename!r}")
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        link = archive.read(member).decode("utf-8", "surrogateescape")
        if not (target.parent / link).resolve().is_relative_to(into.resolve()):
            raise InvalidZipFile(f"The package links outside its folder: {member.filename!r}")
        target.symlink_to(link)
        return
    with archive.open(member) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    target.chmod(0o755 if mode & 0o100 else 0o644)
