"""`trine invoke FUNCTION`: one event through the running stack's Lambda API; the answer to stdout, the log to stderr.

Exit code 1 when the function failed.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import click

from trine.cli.client import find_run_file, get_document, message_of, request
from trine.cli.function_names import function_names
from trine.cli.progress import progress
from trine.cli.waterfall import printable
from trine.stack.run_file import RunFile

INVOKE_TIMEOUT_SECONDS = 960.0
"""Longer than the longest function (900 s)."""


@click.command()
@click.argument("function", shell_complete=function_names)
@click.option("-e", "--event", type=click.File("rb"), help="File with the event as JSON; - for standard input.")
@click.option("--asynchronous", is_flag=True, help="Invocation type Event: hand it over and do not wait.")
@click.option("--state", type=click.Path(path_type=Path), help="State directory (default: the nearest .trine).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: status, payload, functionError, log.")
def command(function: str, event: BinaryIO | None, asynchronous: bool, state: Path | None, as_json: bool) -> None:
    """Invoke one function of the running stack.

    FUNCTION is its logical id in the template or its name.
    """
    stack = find_run_file(state)
    payload = event.read() if event is not None else b"{}"
    try:
        json.loads(payload)
    except ValueError as error:
        raise click.UsageError(f"the event is not JSON: {error}") from None
    path = f"/2015-03-31/functions/{quote(resolve_function(stack, function), safe='')}/invocations"
    headers = {"X-Amz-Invocation-Type": "Event"} if asynchronous else {"X-Amz-Log-Type": "Tail"}
    with (
        progress("the function runs"),
        request(
            stack, "POST", path, service="lambda", body=payload, headers=headers, timeout_seconds=INVOKE_TIMEOUT_SECONDS
        ) as response,
    ):
        body = response.read()
        if response.status >= 300:
            kind = (response.getheader("x-amzn-ErrorType") or str(response.status)).partition(":")[0]
            raise click.ClickException(f"{kind}: {message_of(body) or 'the function was not invoked'}")
        failed = response.getheader("X-Amz-Function-Error")
        log = base64.b64decode(response.getheader("X-Amz-Log-Result") or "").decode(errors="replace").splitlines()
    text = body.decode(errors="replace")
    if as_json:
        shown = {"status": response.status, "payload": _parsed(text), "functionError": failed, "log": log}
        click.echo(json.dumps(shown))
    else:
        for line in log:
            click.echo(printable(line, limit=4096), err=True)
        click.echo(text)
    if failed:
        sys.exit(1)


def _parsed(text: str) -> Any:
    """What the function returned: its JSON value, else its text."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def resolve_function(stack: RunFile, wanted: str) -> str:
    """The function's name for a logical id or a name. Ends the command with the known ones when it is neither."""
    functions = get_document(stack, "/_trine/description")["functions"]
    for known in functions:
        if wanted in (known["logicalId"], known["name"]):
            return str(known["name"])
    names = ", ".join(sorted(known["logicalId"] or known["name"] for known in functions)) or "none"
    raise click.ClickException(f"no function is called {wanted!r}; this stack has: {names}")
