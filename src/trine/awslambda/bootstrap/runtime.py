"""The Python client of the Runtime API: loads the handler, then takes events and returns answers until the link ends.

Behaves as AWS's `awslambdaric` does: the same error types and sentences, the same log lines, JSON by the standard
library with decimals written as numbers.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from . import connections, hooks, logs, wire
from .context import LambdaContext, constants_from_environment
from .faults import Fault, error_value, log_text
from .marshaller import make_encoder

Handler = Callable[[Any, LambdaContext], Any]

_SNAPSHOT = f"{__package__}.snapshot"
"""Loaded where forks are made, and in the interpreters of snapshots."""


def load_handler(name: str) -> Handler:
    """Import what `_HANDLER` names. Raises Fault with AWS's type and sentence."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)",
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        raise Fault(
            "Runtime.UserCodeSyntaxError",
            f"Syntax error in module '{module_name}': {error}",
            [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'],
        ) from None
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None
    return handler


def _report(error: BaseException, request_id: str = "") -> tuple[bytes, str]:
    # Logs the error and returns it as the body and type to post.
    value = error_value(error, request_id)
    logs.write_error(value, log_text(value))
    return json.dumps(value).encode(), value["errorType"]


def serve(link: wire.Link) -> None:
    """Run until the owner closes the link. A handler's SystemExit and its like pass through."""
    try:
        handler = load_handler(os.environ["_HANDLER"])
        _freeze(link)
    except Exception as error:
        logging.getLogger().warning(logs.UNHANDLED)
        body, kind = _report(error)
        link.send(wire.error(None, body, kind))
        link.read()
        raise SystemExit(1) from None
    constants = constants_from_environment()
    to_json = make_encoder(os.environ.get("AWS_EXECUTION_ENV", ""))
    logs.flush()
    link.send(wire.NEXT)
    while True:
        _, headers, event = link.read()
        link.send(_answer(handler, headers, event, constants, to_json))
        link.skip()


def _freeze(link: wire.Link) -> None:
    # In a snapshot: stay there, and go on in each environment that is restored from it.
    snapshot = sys.modules.get(_SNAPSHOT)
    if snapshot is None:
        return
    try:
        snapshot.freeze(link)
    except snapshot.Unfit as unfit:
        link.send(wire.error(None, json.dumps({"errorMessage": str(unfit)}).encode(), snapshot.UNFIT))
        link.read()
        os._exit(0)


def _answer(
    handler: Handler,
    headers: dict[str, str],
    body: bytes,
    constants: dict[str, Any],
    to_json: Callable[[Any], str],
) -> bytes:
    request_id = logs.current_request_id = headers["lambda-runtime-aws-request-id"]
    trace_id = headers.get("lambda-runtime-trace-id")
    if trace_id is not None:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    try:
        context = LambdaContext(headers, constants)
        try:
            event = json.loads(body)
        except Exception as error:
            raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
        result = handler(event, context)
        if isinstance(result, bytes):
            answer = wire.response(request_id, result, b"application/unknown")
        else:
            try:
                answer = wire.response(request_id, to_json(result).encode())
            except Exception as error:
                raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
    except Exception as error:
        return wire.error(request_id, *_report(error, request_id))
    logs.flush()
    return answer


def run(connection: socket.socket) -> NoReturn:
    """Serve on `connection`, then end this process as the interpreter would: streams flushed, exit functions run."""
    status = 0
    try:
        serve(wire.Link(connection))
    except (wire.LinkClosed, ConnectionError):
        os._exit(0)  # the environment is being ended
    except SystemExit as leave:
        if leave.code is None:
            status = 0
        elif isinstance(leave.code, int):
            status = leave.code & 0xFF
        else:
            sys.stderr.write(f"{leave.code}\n")
            status = 1
    except BaseException as error:
        logs.write_last_words("".join(traceback.format_exception(error)))
        if isinstance(error, KeyboardInterrupt):  # as the interpreter ends for it
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        status = 1
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    logs.flush()
    os._exit(status)


def wait_for_debugger() -> None:
    """Where one is asked for: listen with debugpy, and go on when a debugger has attached."""
    address = os.environ.pop("_TRINE_DEBUG", None)
    folder = os.environ.pop("_TRINE_DEBUGPY", "")
    if address is None:
        return
    sys.path.append(folder)
    debugpy: Any = importlib.import_module("debugpy")
    host, _, port = address.rpartition(":")
    debugpy.listen((host, int(port)))
    print(f"waiting for a debugger at {address}", file=sys.stderr, flush=True)
    debugpy.wait_for_client()


def main() -> NoReturn:
    """Entry in an interpreter of its own; the socket is the descriptor that `_TRINE_RUNTIME_FD` names."""
    connection = socket.socket(fileno=int(os.environ.pop("_TRINE_RUNTIME_FD")))
    connection.set_inheritable(False)
    descriptor = os.environ.pop("_TRINE_SNAPSHOT_FD", None)
    if descriptor is not None:
        requests = socket.socket(fileno=int(descriptor))
        requests.set_inheritable(False)
        importlib.import_module(_SNAPSHOT).requests = requests  # type: ignore[attr-defined]
    connections.install()
    hooks.offer()
    logs.set_up()
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *filter(None, os.environ.pop("_TRINE_PATHS", "").split(":"))]
    wait_for_debugger()
    run(connection)
