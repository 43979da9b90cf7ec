"""The function's standard streams and `logging`, set up as on Lambda: text lines with the request id, or JSON."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
import traceback

_LEVELS = {"TRACE": logging.DEBUG, "FATAL": logging.CRITICAL}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id", "tenant_id"}

current_request_id = ""
"""The invocation now running in this process; the filter puts it on every record."""


class LambdaLoggerHandler(logging.Handler):
    """Writes formatted records to whatever `sys.stdout` is now."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record))
        except Exception:
            self.handleError(record)


class LambdaLoggerFilter(logging.Filter):
    """Puts the request id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = current_request_id
        record.tenant_id = None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object for each record, with the members of AWS's JSON log format."""

    def format(self, record: logging.LogRecord) -> str:
        value: dict[str, object] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": current_request_id,
        }
        if record.exc_info and record.exc_info[0] is not None:
            value["stackTrace"] = traceback.format_tb(record.exc_info[2])
            value["errorType"] = record.exc_info[0].__name__
            value["errorMessage"] = str(record.exc_info[1])
            value["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        value.update({k: v for k, v in vars(record).items() if k not in _STANDARD and not k.startswith("_")})
        return json.dumps({k: v for k, v in value.items() if v not in (None, "")}, default=repr) + "\n"


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)


def set_up() -> None:
    """Make the streams line-buffered UTF-8 and give the root logger Lambda's handler. Once in each process."""
    # New ones: those of a fork remember what the zygote's descriptors once were.
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = _stream(descriptor)
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
    if level:
        root.setLevel(_LEVELS.get(level, level))


def flush() -> None:
    """Push out what stands in the streams; a stream that the function closed, or broke, is left alone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 -- it may be of the function's own making
            continue


def write_error(text: str) -> None:
    """Write what the runtime itself has to say to the log, whatever the function made of `sys.stdout`."""
    flush()
    written = text.encode("utf-8", "backslashreplace")
    try:
        while written:
            written = written[os.write(1, written) :]
    except OSError:
        return  # the function closed its output; nobody is left to be told
