"""What an environment is started with: its variables, its program and its folder, out of a function and a session.

What all runtimes share stands here; the program is asked of the function's own (`runtimes`).
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.awslambda import limits
from trine.awslambda.environments.process import Launch
from trine.awslambda.environments.zygote import Zygote
from trine.awslambda.function import Function
from trine.awslambda.guest_apis.extensions import FOLDER, external
from trine.awslambda.head_start import START
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.runtimes.runtime import OPT, TASK, WRAPPER, Scene
from trine.iam.principal import Session

_SYSTEM_LIBRARIES = "/lib64:/usr/lib64"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


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
    runtime, code = runtime_of(function.runtime), str(function.code_directory)
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
    if not runtime.has_own_libraries:
        libraries.insert(0, _SYSTEM_LIBRARIES)  # made for AWS's images; here it would hide what Python was built with
    env.setdefault("LD_LIBRARY_PATH", ":".join(libraries))
    beside = external(function.layers_directory)
    place = replace(place, extensions=tuple(f"{opt}/{FOLDER}/{name}" for name in beside))
    if function.dependencies_directory is not None:
        place = replace(place, visible=(*place.visible, str(function.dependencies_directory)))
    program = runtime.program(Scene(function, env, place, opt, zygote))
    wants_listener = not runtime.speaks_by_link or bool(beside) or WRAPPER in env
    return _wrapped(program, opt) if runtime.takes_wrapper else program, wants_listener


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


def credentials_last(session: Session | None, function: Function, now: float) -> bool:
    """Whether the session still holds for a whole invocation, with a margin."""
    if session is None:
        return True
    return session.expires_at - now > function.timeout_seconds + limits.CREDENTIALS_MARGIN_SECONDS
