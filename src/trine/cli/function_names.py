"""Names of functions for the shell's completion, from the stack that runs.

Enters what was typed so far; leaves the functions that begin so. Without a stack there is nothing to offer: a shell
that completes is never told an error.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from trine.cli.client import find_run_file, request

COMPLETION_SECONDS = 2.0
"""Nobody waits longer for a completion."""


def function_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The logical ids (else the names) of the running stack's functions."""
    state = context.params.get("state")
    try:
        stack = find_run_file(Path(state) if state else None)
        path, waited = "/_trine/description", COMPLETION_SECONDS
        with request(stack, "GET", path, service="trine", timeout_seconds=waited) as response:
            functions = json.loads(response.read())["functions"] if response.status == 200 else []
    except (click.ClickException, OSError, ValueError):
        return []
    names = sorted(str(known["logicalId"] or known["name"]) for known in functions)
    return [name for name in names if name.startswith(incomplete)]
