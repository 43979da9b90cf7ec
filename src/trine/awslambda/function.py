"""A function's configuration: `AWS::Lambda::Function` properties in, a frozen `Function` out.

Pure. Every bound is checked here, so that what later rooms receive is true; `InvalidParameterValue` says what is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from msgspec import Struct, field

from trine.aws.arn import Arn, Place
from trine.aws.shapes import bounded_in, object_in
from trine.awslambda import limits
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.runtimes.known import has_snap_start, runtime_of

_number = partial(bounded_in, fault=InvalidParameterValue)
LATEST = "$LATEST"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_HANDLER = re.compile(r"[^\s]+")
_LOGGING = {
    "LogFormat": ("Text", "JSON"),
    "ApplicationLogLevel": ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
    "SystemLogLevel": ("DEBUG", "INFO", "WARN"),
}
RESERVED_VARIABLES = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    )
)
"""Developer guide, "Defined runtime environment variables": these cannot be set in a function's configuration."""


class DebugPort(NamedTuple):
    """Where the debugger of a function listens."""

    host: str
    port: int
    debugpy: Path | None = None
    """The folder that debugpy is in; None for Node.js, whose inspector is its own."""


class Function(Struct, frozen=True):
    """Everything about one published configuration that running it needs; units in the names."""

    name: str
    arn: str
    role_arn: str
    runtime: str
    handler: str
    code_directory: Path
    """The unpacked package: `LAMBDA_TASK_ROOT`."""
    timeout_seconds: int = limits.TIMEOUT_DEFAULT_SECONDS
    memory_mb: int = limits.MEMORY_DEFAULT_MB
    tmp_mb: int = limits.TMP_DEFAULT_MB
    variables: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    layers_directory: Path | None = None
    """The merged layers: what becomes `/opt`."""
    dependencies_directory: Path | None = None
    """Packages that were installed from the function's own list."""
    runtime_packages: Path | None = None
    """Packages that the runtime brings along on AWS."""
    debug: DebugPort | None = None
    """Where a debugger attaches; then nothing is timed, and one environment is all there is."""
    reserved_concurrency: int | None = None
    log_group: str = ""
    json_logs: bool = False
    log_level: str | None = None
    system_log_level: str = "INFO"
    tracing: str = "PassThrough"
    version: str = LATEST
    properties: Mapping[str, Any] = field(default_factory=dict)
    """As given, for Describe calls."""
    revision: str = ""
    """Changes with every change of the configuration or code."""
    modified_at: float = 0.0

    @property
    def is_traced(self) -> bool:
        """X-Ray traces it."""
        return self.tracing == "Active"

    @property
    def is_snap_started(self) -> bool:
        """Its environments are restored from a snapshot: a published version that asks for it, of a runtime that is
        frozen and forked here."""
        ran_here = runtime_of(self.runtime).takes_snapshots and self.debug is None
        return self.version != LATEST and ran_here and self.wants_snap_start

    @property
    def wants_snap_start(self) -> bool:
        """Its published versions ask for SnapStart."""
        return (self.properties.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions"

    @property
    def patience_seconds(self) -> float:
        """How long an invocation may take; someone who steps through a function is not hurried."""
        return self.timeout_seconds if self.debug is None else limits.DEBUG_SECONDS

    @property
    def limit_milliseconds(self) -> int:
        """The timeout in milliseconds."""
        return self.timeout_seconds * 1000


def _text(properties: Mapping[str, Any], name: str, default: str, longest: int) -> str:
    value = properties.get(name, default)
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidParameterValue(f"{name} must be a string of at most {longest} characters, not {value!r}")
    return value


def _variables(properties: Mapping[str, Any]) -> dict[str, str]:
    given = (properties.get("Environment") or {}).get("Variables") or {}
    if not isinstance(given, Mapping):
        raise InvalidParameterValue("Environment.Variables must be a map of strings")
    variables: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            raise InvalidParameterValue(f"Environment variable {name!r} must be a string")
        if not _VARIABLE.fullmatch(name):
            raise InvalidParameterValue(f"Environment variable name {name!r} must match [a-zA-Z]([a-zA-Z0-9_])+")
        if name in RESERVED_VARIABLES:
            raise InvalidParameterValue(
                "Lambda was unable to configure your environment variables because the environment variables you have "
                f"provided contains reserved keys that are currently not supported for modification. Reserved keys used"
                f" in this request: {name}"
            )
        if "\0" in str(value):
            raise InvalidParameterValue(f"Environment variable {name!r} holds a NUL character")
        variables[name] = str(value)
    measured = orjson.dumps(variables).decode("utf-8", "replace")
    if len(measured.encode()) > limits.ENVIRONMENT_VARIABLES_MAX_BYTES:
        raise InvalidParameterValue(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )
    return variables


def _layers(properties: Mapping[str, Any]) -> tuple[str, ...]:
    layers = properties.get("Layers") or []
    if not isinstance(layers, Sequence) or isinstance(layers, str) or not all(isinstance(a, str) for a in layers):
        raise InvalidParameterValue("Layers must be a list of ARNs")
    if len(layers) > limits.LAYERS_MAX:
        raise InvalidParameterValue(f"Cannot reference more than {limits.LAYERS_MAX} layers.")
    return tuple(layers)


def _logging(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    given = properties.get("LoggingConfig") or {}
    if not isinstance(given, Mapping):
        raise InvalidParameterValue("LoggingConfig must be an object")
    for name, allowed in _LOGGING.items():
        if given.get(name) is not None and given[name] not in allowed:
            raise InvalidParameterValue(
                f"LoggingConfig.{name} must be one of {', '.join(allowed)}, not {given[name]!r}"
            )
    levels = [name for name in ("ApplicationLogLevel", "SystemLogLevel") if given.get(name) is not None]
    if levels and given.get("LogFormat") != "JSON":
        raise InvalidParameterValue(f"LoggingConfig.{levels[0]} needs LogFormat JSON")
    return given


def _check_snap_start(properties: Mapping[str, Any], runtime: str, tmp_mb: int) -> None:
    # Developer guide, "Lambda SnapStart": which runtimes; no more than 512 MB of /tmp.
    given = properties.get("SnapStart") or {}
    if not isinstance(given, Mapping) or given.get("ApplyOn", "None") not in ("None", "PublishedVersions"):
        raise InvalidParameterValue("SnapStart.ApplyOn must be None or PublishedVersions")
    if given.get("ApplyOn") != "PublishedVersions":
        return
    if not has_snap_start(runtime):
        raise InvalidParameterValue(f"{runtime} is not supported for SnapStart enabled functions.")
    if tmp_mb > limits.TMP_DEFAULT_MB:
        raise InvalidParameterValue("EphemeralStorage of more than 512 MB is not supported with SnapStart.")


def _check_architectures(properties: Mapping[str, Any]) -> None:
    """One processor, as AWS's model of Lambda has it; every function runs on this machine's own."""
    given = properties.get("Architectures")
    if given is None:
        return
    asked = [str(each) for each in given] if isinstance(given, (list, tuple)) else [str(given)]
    fault = ""
    if len(asked) != 1:
        fault = f"Member must have length {'less' if asked else 'greater'} than or equal to 1"
    elif asked[0] not in ("x86_64", "arm64"):
        fault = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"
    if fault:
        raise InvalidParameterValue(
            f"1 validation error detected: Value '[{', '.join(asked)}]' at 'architectures' failed to satisfy "
            f"constraint: {fault}"
        )


def function_from_properties(
    properties: Mapping[str, Any],
    code_directory: Path,
    place: Place,
    *,
    layers_directory: Path | None = None,
    revision: str = "",
    modified_at: float = 0.0,
) -> Function:
    """The `Function` that `properties` (intrinsics resolved) describe. Raises InvalidParameterValue at a fault."""
    name = properties.get("FunctionName")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidParameterValue(f"FunctionName must match [a-zA-Z0-9-_]{{1,64}}, not {name!r}")
    if properties.get("PackageType", "Zip") != "Zip":
        raise InvalidParameterValue("PackageType Image is not supported: functions run without a container engine")
    role = _text(properties, "Role", "", 2_048)
    runtime = _text(properties, "Runtime", "", 64)
    handler = _text(properties, "Handler", "", limits.HANDLER_MAX_CHARACTERS)
    if not runtime:
        raise InvalidParameterValue("Runtime is mandatory for functions created with deployment packages.")
    needs_handler = runtime_of(runtime).needs_handler
    if not handler and needs_handler:
        raise InvalidParameterValue("Handler is mandatory for functions created with deployment packages.")
    if handler and not _HANDLER.fullmatch(handler) and needs_handler:
        raise InvalidParameterValue(
            f"1 validation error detected: Value '{handler}' at 'handler' failed to satisfy constraint: Member must "
            f"satisfy regular expression pattern: {_HANDLER.pattern}"
        )
    _text(properties, "Description", "", limits.DESCRIPTION_MAX_CHARACTERS)
    _check_architectures(properties)
    reserved = properties.get("ReservedConcurrentExecutions")
    logging = _logging(properties)
    storage = object_in(properties, "EphemeralStorage")
    tmp_mb = _number(storage, "Size", limits.TMP_DEFAULT_MB, limits.TMP_DEFAULT_MB, limits.TMP_MAX_MB)
    _check_snap_start(properties, runtime, tmp_mb)
    return Function(
        name=name,
        arn=place.function(name),
        role_arn=role,
        runtime=runtime,
        handler=handler,
        code_directory=code_directory,
        timeout_seconds=_number(
            properties,
            "Timeout",
            limits.TIMEOUT_DEFAULT_SECONDS,
            limits.TIMEOUT_MIN_SECONDS,
            limits.TIMEOUT_MAX_SECONDS,
        ),
        memory_mb=_number(
            properties,
            "MemorySize",
            limits.MEMORY_DEFAULT_MB,
            limits.MEMORY_MIN_MB,
            limits.MEMORY_MAX_MB,
        ),
        tmp_mb=tmp_mb,
        variables=_variables(properties),
        layers=_layers(properties),
        layers_directory=layers_directory,
        reserved_concurrency=None
        if reserved is None
        else _number(properties, "ReservedConcurrentExecutions", 0, 0, limits.CONCURRENCY_ACCOUNT),
        log_group=str(logging.get("LogGroup") or f"/aws/lambda/{name}"),
        json_logs=logging.get("LogFormat") == "JSON",
        log_level=logging.get("ApplicationLogLevel"),
        system_log_level=logging.get("SystemLogLevel") or "INFO",
        tracing=str((properties.get("TracingConfig") or {}).get("Mode", "PassThrough")),
        properties=dict(properties),
        revision=revision,
        modified_at=modified_at,
    )


def split_name(text: str, place: Place) -> tuple[str, str | None]:
    """(name, qualifier) of any form the API takes: `name`, `name:alias`, `123456789012:function:name`, a full ARN.

    Raises ValueError for another account, region or service, or a text that is none of these.
    """
    if text.startswith("arn:"):
        arn = Arn.parse(text)
        if (arn.service, arn.region, arn.account_id) != ("lambda", place.region, place.account_id):
            raise ValueError(text)
        text = arn.resource
    parts = text.split(":")
    if len(parts) > 1 and parts[0] == place.account_id:
        parts = parts[1:]
    if len(parts) > 1 and parts[0] == "function":
        parts = parts[1:]
    if len(parts) > 2 or not _NAME.fullmatch(parts[0]):
        raise ValueError(text)
    return parts[0], (parts[1] if len(parts) == 2 else None)
