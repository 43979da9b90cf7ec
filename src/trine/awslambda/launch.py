"""What an environment is started with: its variables, its program and its folder, out of a function and a session.

Pure but for a look at the code folder (does it bring its own SDK?) and at PATH (where is the interpreter?). Raises
nothing: a runtime that is missing becomes the fault that the caller gets.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.awslambda import dotnet, limits
from trine.awslambda.extensions import FOLDER, external
from trine.awslambda.function import DebugPort, Function
from trine.awslambda.head_start import START
from trine.awslambda.process import Launch
from trine.awslambda.zygote import Zygote
from trine.iam.principal import Session

_PROBE_SECONDS = 5.0
TASK = "/var/task"
OPT = "/opt"
_JAVA_MAIN = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
_JAVA_CLIENT = Path(*_JAVA_MAIN.split(".")).with_suffix(".class")
_JAVA_CLIENT_JAR = "aws-lambda-java-runtime-interface-client*.jar"
_JAVA_HEAP_PERCENT = 80
"""Of the function's memory; the rest is the virtual machine's own."""
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""A program that starts the runtime: it gets the runtime's command as its arguments (developer guide, "Using wrapper
scripts")."""
_SYSTEM_LIBRARIES = "/lib64:/usr/lib64"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


_SHARED_LIBRARY = re.compile(r"lib.+\.so(\.\d+)*").fullmatch


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
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**defaults, **function.variables, **defined}


def launch(function: Function, env: dict[str, str], zygote: Zygote, temporary: str) -> tuple[Launch, bool]:
    """(what to start, whether it needs a TCP listener). `temporary` is a folder for `TMPDIR`. Raises RuntimeMissing."""
    code = str(function.code_directory)
    layers = None if function.layers_directory is None else str(function.layers_directory)
    if zygote.layers.namespaces:
        place = Launch({}, TASK, code=code, layers=layers, tmp_mb=function.tmp_mb)
        opt = OPT
    else:
        place = Launch({}, code, code=code, temporary=temporary, visible=() if layers is None else (layers,))
        opt = layers or OPT
        env.setdefault("TMPDIR", temporary)
    env["LAMBDA_TASK_ROOT"] = place.directory
    libraries = [place.directory, f"{place.directory}/lib", f"{opt}/lib"]
    if function.family != "python":
        libraries.insert(0, _SYSTEM_LIBRARIES)  # made for AWS's images; here it would hide what Python was built with
    env.setdefault("LD_LIBRARY_PATH", ":".join(libraries))
    beside = external(function.layers_directory)
    place = replace(place, extensions=tuple(f"{opt}/{FOLDER}/{name}" for name in beside))
    if function.dependencies_directory is not None:
        place = replace(place, visible=(*place.visible, str(function.dependencies_directory)))
    family = function.family
    if family == "python":
        program = _python(function, env, place, opt, zygote)
        return _wrapped(program, opt), bool(beside) or WRAPPER in env
    if family == "nodejs":
        return _wrapped(_node(function, env, place, opt), opt), bool(beside) or WRAPPER in env
    if family in ("provided", "provided.al"):
        folders = [(code, place.directory), *([(layers, opt)] if layers is not None else [])]
        return replace(place, env=env, argv=(find_bootstrap(folders),)), True
    if family == "java":
        return _wrapped(_java(function, env, place, opt), opt), True
    if family == "dotnet":
        return _wrapped(_dotnet(function, env, place), opt), True
    raise RuntimeMissing(
        f"The runtime {function.runtime} cannot be run here; built with AWS's runtime client for provided.al2023 it can"
    )


def _wrapped(program: Launch, opt: str) -> Launch:
    wrapper = program.env.get(WRAPPER)
    if not wrapper or program.argv is None:
        return program
    if wrapper.startswith(f"{OPT}/"):
        wrapper = opt + wrapper.removeprefix(OPT)
    return replace(program, argv=(wrapper, *program.argv))


def without_state(program: Launch, state_directory: Path) -> Launch:
    """The same launch for a function that cannot see the server's state, should that lie in its code or its layers: it
    holds every secret of the stack."""
    state = state_directory.resolve()
    hidden = []
    for folder, shown in ((program.code, program.directory), (program.layers or "", OPT)):
        real = Path(folder).resolve()
        if folder and state.is_relative_to(real):
            hidden.append(os.path.join(shown, state.relative_to(real)))
    return replace(program, hidden=tuple(hidden)) if hidden else program


def with_runtime_api(program: Launch, address: str) -> Launch:
    """The same launch for a runtime that finds the Runtime API at `host:port`."""
    return replace(program, env={**program.env, "AWS_LAMBDA_RUNTIME_API": address})


def _python(function: Function, env: dict[str, str], place: Launch, opt: str, zygote: Zygote) -> Launch:
    paths = [entry for entry in env.get("PYTHONPATH", "").split(":") if entry]
    if function.layers_directory is not None:
        version = ".".join(map(str, zygote.version[:2]))
        paths = [f"{opt}/python/lib/python{version}/site-packages", f"{opt}/python", *paths]
    folders = [function.code_directory]
    if function.dependencies_directory is not None:
        paths.insert(0, str(function.dependencies_directory))  # as if they lay beside the code
        folders.append(function.dependencies_directory)
    if function.runtime_packages is not None:
        paths.append(str(function.runtime_packages))
        place = replace(place, visible=(*place.visible, str(function.runtime_packages)))
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "python")
    if function.debug is not None:
        place = _debugged(function.debug, env, place)
    elif not (WRAPPER in env or _brings_libraries(function) or any(shadows(one, zygote.modules) for one in folders)):
        return replace(place, env=env, paths=tuple(paths))
    env["_TRINE_RUNTIME_FD"] = "3"
    env["_TRINE_PATHS"] = ":".join([*paths, zygote.sdk_folder])
    quiet = () if zygote.layers.namespaces else ("-B",)  # nothing is written beside the code
    return replace(place, env=env, argv=(zygote.python, "-X", "utf8", *quiet, str(START)))


def _brings_libraries(function: Function) -> bool:
    # Shared libraries that are found by LD_LIBRARY_PATH, which the loader reads when a program starts and never again.
    folders = [function.code_directory, function.code_directory / "lib"]
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "lib")
    return any(_SHARED_LIBRARY(name) for folder in folders for name in _names(folder))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _debugged(debug: DebugPort, env: dict[str, str], place: Launch) -> Launch:
    env["_TRINE_DEBUG"] = f"{debug.host}:{debug.port}"
    env["_TRINE_DEBUGPY"] = str(debug.debugpy)
    env.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # what it would warn of is the interpreter's own modules
    if place.directory != place.code:
        env.setdefault("PATHS_FROM_ECLIPSE_TO_PYTHON", json.dumps([[place.code, place.directory]]))  # for breakpoints
    return replace(place, visible=(*place.visible, str(debug.debugpy)))


def _node(function: Function, env: dict[str, str], place: Launch, opt: str) -> Launch:
    program = shutil.which("node")
    if program is None:
        raise RuntimeMissing("Node.js is not installed: no `node` was found on PATH")
    env["_TRINE_RUNTIME_FD"] = "3"
    own, brought = function.dependencies_directory, function.runtime_packages
    folders = [*([own] if own else []), f"{opt}/nodejs", *([brought] if brought else [])]  # the first that has it wins
    env.setdefault("NODE_PATH", ":".join(f"{folder}/node_modules" for folder in folders))
    if own or brought:
        env["_TRINE_MODULES"] = ":".join(map(str, folders))
    if brought:
        place = replace(place, visible=(*place.visible, str(brought)))
    if place.directory != TASK:  # the user has no home but there; os.homedir(), which the AWS SDK asks, would fail
        env.setdefault("HOME", "/home/sbx_user1051")
    real = Path(program).resolve()
    debug = function.debug
    inspect = () if debug is None else (f"--inspect-brk={debug.host}:{debug.port}",)
    return replace(
        place,
        env=env,
        argv=(str(real), *inspect, str(START.with_name("runtime.cjs"))),
        visible=(*place.visible, str(real.parent.parent)) if real.parent.parent != Path("/usr") else place.visible,
    )


def _java(function: Function, env: dict[str, str], place: Launch, opt: str) -> Launch:
    # A built package: classes at its root, jars in `lib`, layers in /opt/java/lib. What AWS's image brings beside that
    # is the runtime client, which here the package has to bring.
    program = shutil.which("java")
    if program is None:
        raise RuntimeMissing(f"{function.runtime}: no `java` was found on PATH")
    folders = [function.code_directory, function.code_directory / "lib"]
    if function.layers_directory is not None:
        folders.append(function.layers_directory / "java" / "lib")
    if not any((folder / _JAVA_CLIENT).exists() or any(folder.glob(_JAVA_CLIENT_JAR)) for folder in folders):
        raise RuntimeMissing(
            f"{function.runtime}: the package has no com.amazonaws:aws-lambda-java-runtime-interface-client; AWS's "
            "image brings it along, here it has to be among the dependencies"
        )
    real = Path(program).resolve()
    classes = f"{place.directory}:{place.directory}/lib/*:{opt}/java/lib/*"
    heap = f"-Xmx{function.memory_mb * _JAVA_HEAP_PERCENT // 100}m"
    return replace(
        place,
        env=env,
        argv=(
            str(real),
            heap,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            _JAVA_MAIN,
            function.handler,
        ),
        visible=(*place.visible, str(real.parent.parent)),
    )


def _dotnet(function: Function, env: dict[str, str], place: Launch) -> Launch:
    try:
        argv, runtime = dotnet.command(function, place.directory)
    except dotnet.NotRunnable as missing:
        raise RuntimeMissing(str(missing)) from None
    env.setdefault("DOTNET_CLI_TELEMETRY_OPTOUT", "1")
    if runtime is not None:
        env.setdefault("DOTNET_ROOT", runtime)
        place = replace(place, visible=(*place.visible, runtime))
    return replace(place, env=env, argv=argv)


def find_bootstrap(folders: list[tuple[str, str]]) -> str:
    """The program of a custom runtime, looked for in (folder, its path for the function). Raises RuntimeMissing."""
    for folder, shown in folders:
        path = Path(folder) / "bootstrap"
        if path.is_file():
            if not os.access(path, os.X_OK):
                raise RuntimeMissing(f"fork/exec {shown}/bootstrap: permission denied")
            return f"{shown}/bootstrap"
    raise RuntimeMissing("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")


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
