"""How a command talks to the stack that runs: signed HTTP requests with the owner's key from the run file.

The signature is botocore's own: outside the hot path, AWS's library is the best signer there is.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from trine.stack import run_file
from trine.stack.run_file import NotRunning, RunFile

TIMEOUT_SECONDS = 30.0


def find_run_file(state: Path | None, *, running: bool = True) -> RunFile:
    """The run file of `state`; else of the nearest `.trine` from here upwards; else of the only one below here.

    Ends the command with a hint when there is none, or when several below are as near.
    """
    here = Path.cwd()
    if state is not None:
        return _read_or_end([state], running)
    above = [directory / ".trine" for directory in (here, *here.parents)]
    if any((place / run_file.NAME).exists() for place in above):
        return _read_or_end(above, running)
    below = [path.parent for depth in ("*", "*/*") for path in here.glob(f"{depth}/.trine/{run_file.NAME}")]
    alive = [place for place in below if _is_running(place)]
    if len(alive) > 1:
        listed = "\n".join(f"  --state {place}" for place in sorted(alive))
        raise click.ClickException(f"several stacks run below this directory; name one:\n{listed}")
    return _read_or_end(alive or below or above[:1], running)


def _read_or_end(places: list[Path], running: bool) -> RunFile:
    reason: NotRunning | None = None
    for place in places:
        try:
            return run_file.read(place, running=running)
        except NotRunning as error:
            reason = reason or error
    raise click.ClickException(
        f"{reason}.\nStart one with `trine up`, run this beside its template, or name it with --state DIR/.trine."
    )


def _is_running(place: Path) -> bool:
    try:
        return run_file.read(place).is_running
    except NotRunning:
        return False


@contextmanager
def request(
    stack: RunFile,
    method: str,
    path: str,
    *,
    service: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Iterator[http.client.HTTPResponse]:
    """One signed request to the stack's AWS port; `path` may carry a query. Ends the command when nobody answers."""
    url = urlsplit(stack.aws_url)
    connection = http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port, timeout=timeout_seconds)
    try:
        signed = _sign(stack, method, path, service, body, dict(headers or {}))
        connection.request(method, path, body=body or None, headers=signed)
        yield connection.getresponse()
    except (ConnectionError, TimeoutError) as error:
        raise click.ClickException(
            f"the stack at {stack.aws_url} does not answer ({error}): it is starting, busy or has just ended.\n"
            "Try again; `trine up` starts one."
        ) from None
    finally:
        connection.close()


def get_document(stack: RunFile, path: str, given: Mapping[str, Any] | None = None) -> Any:
    """The JSON document at `path` of the running stack's console; ends the command on an error answer.

    `given` is sent along as JSON where a view takes a document.
    """
    body = json.dumps(given).encode() if given is not None else b""
    with request(stack, "POST" if body else "GET", path, service="trine", body=body) as response:
        body = response.read()
        if response.status != 200:
            raise click.ClickException(message_of(body) or f"the stack answered {response.status}")
        return json.loads(body)


def message_of(body: bytes) -> str | None:
    """The `message` of an AWS-shaped error document."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    found = document.get("message", document.get("Message")) if isinstance(document, dict) else None
    return str(found) if found is not None else None


def _sign(stack: RunFile, method: str, path: str, service: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    wish = AWSRequest(method=method, url=stack.aws_url + path, data=body, headers=headers)
    SigV4Auth(Credentials(stack.access_key_id, stack.secret_access_key), service, stack.region).add_auth(wish)
    return {**dict(wish.headers.items()), "Host": urlsplit(stack.aws_url).netloc}
