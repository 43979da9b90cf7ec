"""What an environment is started with: its variables, its program and its folder, out of a function and a session.

Pure but for a look at the code folder (does it bring its own SDK?) and at PATH (where is the interpreter?). Raises
nothing: a runtime that is missing becomes the fault that the caller gets.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trine.aws.arn import Place
from trine.awslambda import limits
from trine.awslambda.function import Function
from trine.awslambda.process import Launch
from trine.awslambda.zygote import START
from trine.iam.principal import Session

_PROBE_SECONDS = 5.0
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


class RuntimeMissing(Exception):
    """The function's runtime is not installed here; the text says what is missing."""


def variables(
    function: Function, session: Session | None, place: Place, endpoint_url: str, stream: str
) -> dict[str, str]:
    """The environment variables: the user's own, then everything that Lambda defines (which wins)."""
    defined = {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "LAMBDA_TASK_ROOT": str(function.code_directory),
        "LAMBDA_RUNTIME_DIR": str(START.parent),
        "_HANDLER": function.handler,
        "AWS_SAM_LOCAL": "true",
    }
    if function.json_logs:
        defined["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        defined["AWS_LAMBDA_LOG_LEVEL"] = function.log_level or "INFO"
    if session is not None:
        defined["AWS_ACCESS_KEY_ID"] = session.access_key_id
        defined["AWS_SECRET_ACCESS_KEY"] = session.secret_access_key
        defined["AWS_SESSION_TOKEN"] = session.session_token
    # These the function's configuration may override, as on AWS.
    defaults = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": _SYSTEM_PATH,
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/opt/lib",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**defaults, **function.variables, **defined}


def launch(function: Function, env: Mapping[str, str], preloaded: frozenset[str]) -> tuple[Launch, bool]:
    """(what to start, whether it needs a TCP listener). Raises RuntimeMissing."""
    directory = str(function.code_directory)
    family = function.family
    if family == "python":
        return _launch_python(function, dict(env), directory, preloaded), False
    if family == "nodejs":
        return _launch_node(dict(env), directory), False
    if family in ("provided", "provided.al"):
        return Launch(dict(env), directory, (find_bootstrap(function.code_directory),)), True
    raise RuntimeMissing(f"The runtime {function.runtime} cannot be run here")


def with_runtime_api(program: Launch, address: str) -> Launch:
    """The same launch for a runtime that finds the Runtime API at `host:port`."""
    return replace(program, env={**program.env, "AWS_LAMBDA_RUNTIME_API": address})


def _launch_python(function: Function, env: dict[str, str], directory: str, preloaded: frozenset[str]) -> Launch:
    # A prefix that only exists inside AWS's images would hide this machine's own libraries.
    env.pop("LD_LIBRARY_PATH", None) if "LD_LIBRARY_PATH" not in function.variables else None
    interpreter = find_python(function.runtime)
    paths = tuple(entry for entry in env.get("PYTHONPATH", "").split(":") if entry)
    if interpreter == sys.executable and not shadows(function.code_directory, preloaded):
        return Launch(env, directory, None, paths)
    env["_TRINE_RUNTIME_FD"] = "3"
    return Launch(env, directory, (interpreter, str(START), "runtime"))


def _launch_node(env: dict[str, str], directory: str) -> Launch:
    program = shutil.which("node", path=os.environ.get("PATH", _SYSTEM_PATH))
    if program is None:
        raise RuntimeMissing("Node.js is not installed: no `node` was found on PATH")
    env["_TRINE_RUNTIME_FD"] = "3"
    env.setdefault("NODE_PATH", "/opt/nodejs/node_modules")
    return Launch(env, directory, (program, str(START.with_name("runtime.cjs"))))


def find_bootstrap(directory: Path) -> str:
    """The program of a custom runtime. Raises RuntimeMissing."""
    path = directory / "bootstrap"
    if not path.is_file():
        raise RuntimeMissing(f"Couldn't find valid bootstrap(s): [{path}]")
    if not os.access(path, os.X_OK):
        raise RuntimeMissing(f"fork/exec {path}: permission denied")
    return str(path)


def find_python(runtime: str) -> str:
    """The interpreter for `python3.x`: a real one of that version that has the SDK, else the one that runs Trine.

    Another minor version than asked is a line in the manifest, not a failure: a `python3.12` on PATH may be a version
    manager's shim that answers 127, or lack boto3, which Lambda's runtimes have.
    """
    wanted = runtime.removeprefix("python")
    if wanted == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return _verified_python(wanted) or sys.executable


@functools.cache
def _verified_python(version: str) -> str | None:
    """A python of `version` on PATH that starts and can import boto3; looked for once per process."""
    path = shutil.which(f"python{version}", path=os.environ.get("PATH", _SYSTEM_PATH))
    if path is None:
        return None
    probe = [path, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('boto3') is None)"]
    try:
        done = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if done.returncode == 0 else None


def shadows(directory: Path, preloaded: frozenset[str]) -> bool:
    """Whether the folder brings a module that the zygote has loaded already (its own boto3, say): it must win."""
    try:
        with os.scandir(directory) as entries:
            return any(_module_name(entry) in preloaded for entry in entries)
    except OSError:
        return False


def _module_name(entry: os.DirEntry[str]) -> str:
    name = entry.name
    if name.endswith(".py"):
        return name[:-3]
    if name.endswith(".so"):
        return name.partition(".")[0]
    return name if entry.is_dir() else ""


def credentials_last(session: Session | None, function: Function, now: float) -> bool:
    """Whether the session still holds for a whole invocation, with a margin."""
    if session is None:
        return True
    return session.expires_at - now > function.timeout_seconds + limits.CREDENTIALS_MARGIN_SECONDS
