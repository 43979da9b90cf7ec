"""The function's standard streams and `logging`, set up as on Lambda: text lines with the request id, or JSON."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
import traceback
from typing import Any

UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare "
    "cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, "
    "runtime updates can be triggered by a function change, or can be applied automatically. To determine if the "
    "runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a "
    "change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous "
    "runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html"
)
"""What AWS's runtime warns of before it reports that an init failed."""
_STANDARD = (frozenset(vars(logging.makeLogRecord({}))) | {"aws_request_id", "tenant_id"}) - {"taskName"}

current_request_id = ""
"""The invocation now running in this process; the filter puts it on every record."""


class LambdaLoggerHandler(logging.Handler):
    """Writes each record as one event of the log, whatever `sys.stdout` is now.

    On AWS records take a way of their own past the standard output (`_LAMBDA_TELEMETRY_LOG_FD`): one record is one
    event, with or without newlines in it or at its end. What cannot be formatted is the handler's own error there.
    """

    def emit(self, record: logging.LogRecord) -> None:
        write_event(self.format(record))


class LambdaLoggerFilter(logging.Filter):
    """Puts the request id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = current_request_id
        record.tenant_id = None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object for each record, with the members of AWS's JSON log format."""

    def format(self, record: logging.LogRecord) -> str:
        level = min(50, max(0, record.levelno)) // 10 * 10
        value: dict[str, object] = {
            "timestamp": _timestamp(record.created),
            "level": logging.getLevelName(level),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            "stackTrace": None,
            "errorType": None,
            "errorMessage": None,
            "requestId": current_request_id,
            "location": None,
        }
        if record.exc_info and record.exc_info[0] is not None:
            value["stackTrace"] = traceback.format_tb(record.exc_info[2])
            value["errorType"] = record.exc_info[0].__name__
            value["errorMessage"] = str(record.exc_info[1])
            value["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        value.update({k: v for k, v in vars(record).items() if k not in _STANDARD and k not in value})
        return json.dumps({k: v for k, v in value.items() if v is not None}, ensure_ascii=False, default=str)


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _stream(name: str, descriptor: int) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    raw.name = f"<{name}>"  # as the interpreter names its own
    errors = "strict" if descriptor == 1 else "backslashreplace"
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, line_buffering=True)


def set_up() -> None:
    """Make the streams line-buffered UTF-8 and give the root logger Lambda's handler. Once in each process."""
    # New ones: those of a fork remember what the zygote's descriptors once were.
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = _stream(name, descriptor)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(
            logging.Formatter(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
            )
        )
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if level in logging._nameToLevel:
        root.setLevel(level)


def flush() -> None:
    """Push out what stands in the streams; a stream that the function closed, or broke, is left alone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 -- it may be of the function's own making
            continue


def write_event(text: str) -> None:
    """Write one event of the log, in one piece: newlines in it become carriage returns, which the log turns back.

    Raises UnicodeEncodeError for what is no text, as AWS's runtime does.
    """
    _write(text.removesuffix("\n").replace("\n", "\r").encode() + b"\n")


def write_error(error: dict[str, Any], text: str) -> None:
    """Write an error that goes to the caller to the log: as JSON where that is the format, else as `text`."""
    flush()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        text = json.dumps({"timestamp": _timestamp(time.time()), "level": "ERROR", **error})
    write_event(text)


def write_last_words(text: str) -> None:
    """Write what the interpreter itself would write when it ends."""
    flush()
    _write(text.encode("utf-8", "backslashreplace"))


def _write(data: bytes) -> None:
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        return  # the function closed its output; nobody is left to be told
