"""How a function is shown by the Lambda API: its configuration with AWS's members and its code's size and hash.

Pure but for `measure_code`, which reads the code folder and is called off the event loop.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from trine.aws.arn import Arn
from trine.awslambda.code import package_of
from trine.awslambda.function import LATEST, Function

_AS_GIVEN = (
    "Description", "VpcConfig", "DeadLetterConfig", "KMSKeyArn", "FileSystemConfigs", "Architectures",
)  # fmt: skip


class CodeMeasure(NamedTuple):
    """Size and hash of a function's code."""

    size_bytes: int
    sha256: str
    """Base64, as `CodeSha256`: of the zip package; of a folder, the hash of its files' names and contents in order."""


def measure_code(directory: Path, state_directory: Path) -> CodeMeasure:
    """The package that was unpacked into `directory`, else every file below it that is not the server's own."""
    state = str(state_directory.resolve())
    package = package_of(directory)
    if package is not None:
        return CodeMeasure(package.size_bytes, base64.b64encode(package.sha256).decode())
    digest = hashlib.sha256()
    size_bytes = 0
    for folder, names, files in os.walk(directory):
        names[:] = sorted(name for name in names if os.path.realpath(os.path.join(folder, name)) != state)
        for name in sorted(files):
            path = Path(folder) / name
            if not path.is_file():
                continue
            content = path.read_bytes()
            size_bytes += len(content)
            digest.update(os.path.relpath(path, directory).encode() + b"\0" + content)
    return CodeMeasure(size_bytes, base64.b64encode(digest.digest()).decode())


def configuration(function: Function, code: CodeMeasure) -> dict[str, Any]:
    """`FunctionConfiguration`."""
    given = function.properties
    modified = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(function.modified_at))
    shown: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": function.runtime,
        "Role": function.role_arn,
        "Handler": function.handler,
        "CodeSize": code.size_bytes,
        "Description": "",
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mb,
        "LastModified": f"{modified}.{int(function.modified_at * 1000) % 1000:03d}+0000",
        "CodeSha256": code.sha256,
        "Version": function.version,
        "TracingConfig": {"Mode": function.tracing},
        "RevisionId": function.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": function.tmp_mb},
        "SnapStart": _snap_start(function),
        "RuntimeVersionConfig": {"RuntimeVersionArn": _runtime_arn(function)},
        "LoggingConfig": _logging(function),
    }
    for name in _AS_GIVEN:
        if given.get(name):
            shown[name] = given[name]
    if (given.get("Environment") or {}).get("Variables") is not None:
        shown["Environment"] = {"Variables": dict(function.variables)}
    return shown


def _runtime_arn(function: Function) -> str:
    # The interpreter is this machine's, so its runtime has one version here; the hash is of the runtime's name.
    arn = Arn.parse(function.arn)
    runtime = hashlib.sha256(function.runtime.encode()).hexdigest()
    return f"arn:{arn.partition}:lambda:{arn.region}::runtime:{runtime}"


def _snap_start(function: Function) -> dict[str, str]:
    # Of `$LATEST` the optimization is always off: published versions have it.
    is_on = function.wants_snap_start and function.version != LATEST
    apply_on = "PublishedVersions" if function.wants_snap_start else "None"
    return {"ApplyOn": apply_on, "OptimizationStatus": "On" if is_on else "Off"}


def _logging(function: Function) -> dict[str, str]:
    shown = {"LogFormat": "JSON" if function.json_logs else "Text", "LogGroup": function.log_group}
    if function.json_logs:
        shown |= {"ApplicationLogLevel": function.log_level or "INFO", "SystemLogLevel": function.system_log_level}
    return shown
